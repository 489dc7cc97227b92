"""The schema that editors get, and the rules that all schema parts keep."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator
from functools import reduce
from itertools import product
from operator import and_
from time import thread_time
from typing import Any

import jsonschema_rs
import pytest
from click.testing import CliRunner
from conftest import FIXTURES, ROOT, Run

from kvmrender.cli.main import main
from kvmrender.reading.load import read
from kvmrender.reading.parse import from_yaml
from kvmrender.schema.shorthand import forms

with warnings.catch_warnings():  # it is re._parser since Python 3.11
    warnings.simplefilter("ignore", DeprecationWarning)
    import sre_parse as parsing

PARTS = sorted((ROOT / "templates").rglob("*.schema.yaml"))
MOST_LETTERS = 520_000
"""Of the editors' schema, which some read anew at each key press."""
part_file = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(CliRunner().invoke(main, ["schema"]).stdout)


@pytest.fixture(scope="module")
def validator(schema: Any) -> Any:
    return jsonschema_rs.Draft202012Validator(schema)


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
        for key, child in node.items():
            if key not in ("default", "defaults", "variants"):
                yield from nodes(child, f"{path}/{key}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from nodes(child, f"{path}/{number}")


def test_schema_is_one_and_self_contained(schema: Any) -> None:
    assert len(json.dumps(schema)) < MOST_LETTERS
    jsonschema_rs.meta.validate(schema)
    references = {node["$ref"] for _, node in nodes(schema) if isinstance(node.get("$ref"), str)}
    assert references
    assert all(reference.startswith("#/") for reference in references)


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.stem)
def test_fixtures_are_valid_as_written(file: Any, validator: Any) -> None:
    for document in read(file.name, file.read_bytes()):
        validator.validate(document.guest)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("name: a\nvcpu: 2", True),
        ("name: a\nvcpu: '2'", True),
        ("name: a\nvcpu: {text: 2}", True),
        ("name: a\nvcpu: null", True),
        ("name: a\nmemory: 4 GiB\ncpu: host-model", True),
        ("name: a\nfeatures: {acpi: true, gic: null}", True),
        ("name: a\narch: aarch64\nfeatures: {gic: 3}", True),
        ("name: a\ndisks: [{source: /dev/a, driver: qcow2, target: vda, readonly: true, boot: 1}]", True),
        ("name: a\ninterfaces: [{source: br0, mac: 52:54:00:12:34:56, model: e1000}]", True),
        ("name: a\nos: {boot: hd, loader: {readonly: true, text: /a}}", True),
        ("name: 5\nmemory: 1024\nvcpu: null\ndisks: null\ndescription: 7", True),
        ("name: a\ngraphics: [vnc, {type: spice, autoport: true, listen: 127.0.0.1}]", True),
        ("name: a\nfeatures: {acpi: false, hyperv: {relaxed: on, vapic: true}}", True),
        ("name: a\nclock: utc\nsysinfo: {type: smbios}", True),
        ("name: a\nvcpu: 2.5", False),
        ("name: a\nvcpu: two", False),
        ("name: a\nvcpu: true", False),
        ("name: [a]", False),
        ("name: true", False),
        ("name: a\nmemory: [4]", False),
        ("name: a\nmemory: true", False),
        ("name: a\ndisks: [[/a]]", False),
        ("name: a\ngraphics: {type: vnc, autoport: 2}", False),
        ("name: a\nfeatures: {acpi: 1}", False),
        ("name: a\narch: 5", False),
        ("vcpu: 2", False),
        ("name: a\nvcpus: 2", False),
        ("name: a\nvcpu: 0", False),
        ("name: a\nvcpu: [2]", False),
        ("name: a\ncpu: {mode: host}", False),
        ("name: a\nfeatures: {gic: 3}", False),
        ("name: a\narch: vax", False),
        ("name: a\ndisks: [{driver: qcow3}]", False),
        ("name: a\ninterfaces: [{source: br0, mac: 01:00:00:00:00:00}]", False),
    ],
)
def test_editor_takes_what_the_program_takes(text: str, valid: bool, validator: Any, run: Run) -> None:
    (document,) = read("guest.yaml", text.encode())
    assert validator.is_valid(document.guest) is valid
    assert run("render", input=text).exit_code == (0 if valid else 2)


@part_file
def test_every_property_has_a_description(part: Any) -> None:
    if "facts" in (content := from_yaml(part.read_text())[0]):
        return
    for path, node in nodes(content):
        for name, child in node.get("properties", {}).items():
            referred = child.get("$ref", "")
            shared = (part.parent / referred.partition("#")[0]).is_file() and "info.schema.yaml#/$defs/" in referred
            described = "description" in child or shared or (referred and not referred.startswith("../types"))
            elsewhere = "/allOf/" in path  # a condition names what is described beside it
            assert described or elsewhere, f"{part.name}{path}/properties/{name}"


@part_file
def test_no_text_can_hold_what_xml_can_not(part: Any) -> None:
    for path, node in nodes(from_yaml(part.read_text())[0]):
        if node.get("type") == "string" and node.get("format") != "xml":
            validator = jsonschema_rs.Draft202012Validator({"pattern": node["pattern"]})
            for char in "\x00\x01\x08\x0b\x0c\x0e\x1f\ufffe\uffff":
                for text in (char, f"/{char}", f"a{char}", f"/a{char}a"):
                    assert not validator.is_valid(text), f"{part.name}{path} takes {text!r}"
            assert "message" in node, f"{part.name}{path} does not say in words what it expects"


@part_file
def test_mappings_refuse_unknown_keys(part: Any) -> None:
    for path, node in nodes(from_yaml(part.read_text())[0]):
        if node.get("type") == "object" and "/vars" not in path:
            assert node.get("additionalProperties") is False, f"{part.name}{path}"


def patterns(node: Any) -> Iterator[str]:
    """Yield each pattern of a part: those of values, of short forms and of machines."""
    for _, found in nodes(node):
        if isinstance(found.get("pattern"), str):
            yield found["pattern"]
        yield from found.get("machine_buses", ())
        _, shorthand = forms(found)
        yield from shorthand if isinstance(shorthand, dict) else ()


PATTERNS = sorted({pattern for part in PARTS for pattern in patterns(from_yaml(part.read_text())[0])})


class Positions:
    """The characters of a pattern as states: which may come next, by sets of the characters that they take."""

    def __init__(self, pattern: str) -> None:
        self.sets: list[int] = []  # characters as bits, which are quick to compare
        self.next: dict[int, set[int]] = {}
        self.is_ambiguous = False
        self.found: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        self.first, _, _ = self._sequence(parsing.parse(pattern))

    def _sequence(self, tokens: Any) -> tuple[set[int], set[int], bool]:
        first: set[int] = set()
        last: set[int] = set()
        is_empty = True
        for token in tokens:
            begin, end, may_be_empty = self._token(*token)
            self._lead(last, begin)
            first |= begin if is_empty else set()
            last = last | end if may_be_empty else end
            is_empty &= may_be_empty
        return first, last, is_empty

    def _lead(self, last: set[int], first: set[int]) -> None:
        for one in last:
            self.is_ambiguous |= not first.isdisjoint(self.next[one])
            self.next[one] |= first

    def _token(self, kind: Any, argument: Any) -> tuple[set[int], set[int], bool]:
        name = str(kind)
        if name == "AT":
            return set(), set(), True
        if name == "SUBPATTERN":
            return self._sequence(argument[-1])
        if name == "BRANCH":
            found = [self._sequence(branch) for branch in argument[1]]
            self.is_ambiguous |= sum(empty for *_, empty in found) > 1
            return (
                {one for first, _, _ in found for one in first},
                {one for _, last, _ in found for one in last},
                any(empty for *_, empty in found),
            )
        if name == "MAX_REPEAT":
            least, most, inner = argument
            if most == parsing.MAXREPEAT:
                first, last, is_empty = self._sequence(list(inner) * max(least, 1))
                self._lead(last, first)
                self.is_ambiguous |= is_empty
                return first, last, is_empty or least == 0
            if (least, most) == (0, 1):
                first, last, is_empty = self._sequence(inner)
                self.is_ambiguous |= is_empty
                return first, last, True
            rest: list[Any] = []
            for _ in range(most - least):
                rest = [(kind, (0, 1, [*inner, *rest]))]
            return self._sequence([*list(inner) * least, *rest])
        self.sets.append(sum(BITS[char] for char in taken(name, argument)))
        self.next[len(self.sets) - 1] = set()
        return {len(self.sets) - 1}, {len(self.sets) - 1}, False

    def after(self, states: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return where several matchers, in these states, can be after the same character."""
        if states not in self.found:
            every = product(*(self.next[state] for state in states))
            self.found[states] = [then for then in every if reduce(and_, [self.sets[state] for state in then])]
        return self.found[states]

    def reached(self, start: tuple[int, ...]) -> set[tuple[int, ...]]:
        """Return where they can be after any text."""
        found: set[tuple[int, ...]] = set()
        level = {start}
        while level:
            level = {then for states in level for then in self.after(states)} - found
            found |= level
        return found

    def is_linear(self) -> bool:
        """Say whether the ways to match any text are bounded, whatever its length (Weber and Seidl, 1991).

        They aren't where a loop can be gone through in two ways, or where two, one after the other, take the same.
        """
        if self.is_ambiguous:
            return False
        loops = [state for state in self.next if (state,) in self.reached((state,))]
        for one in loops:
            for pair in self.reached((one, one)):
                if len({*pair}) == 2 and (one, one) in self.reached(pair):
                    return False
        after = {one: {state for (state,) in self.reached((one,))} for one in loops}
        return not any(
            (one, other, other) in self.reached((one, one, other))
            for one in loops
            for other in after[one].intersection(loops)
            if one != other
        )


ALPHABET = frozenset([*map(chr, range(128)), "\x85", "é", "\u2028", "\ud7ff", "\ufffe", "\uffff", "\U0001f600"])


BITS = {char: 1 << number for number, char in enumerate(sorted(ALPHABET))}


def taken(name: str, argument: Any) -> frozenset[str]:
    """Return the characters that one token of a pattern takes."""
    if name == "ANY":
        return ALPHABET - {"\n"}
    if name == "LITERAL":
        return frozenset([chr(argument)])
    if name == "NOT_LITERAL":
        return ALPHABET - {chr(argument)}
    assert name == "IN", name
    found: set[str] = set()
    is_negated = False
    for kind, value in argument:
        if str(kind) == "NEGATE":
            is_negated = True
        elif str(kind) == "RANGE":
            found |= {char for char in ALPHABET if value[0] <= ord(char) <= value[1]}
        else:
            found |= taken(str(kind), value)
    return ALPHABET - found if is_negated else frozenset(found)


def is_linear(pattern: str) -> bool:
    """Say whether a pattern takes time that grows like the text, by its form: it begins at the beginning, or doesn't
    repeat anything, and there is a bounded number of ways through it."""
    is_anchored = pattern.startswith("^") and (not re.search(r"[*+]", pattern) or not re.match(r"[^(\[]*\|", pattern))
    return (is_anchored or not re.search(r"[*+]|,\}", pattern)) and Positions(pattern).is_linear()


@pytest.mark.parametrize("pattern", PATTERNS)
def test_pattern_can_not_backtrack(pattern: str) -> None:
    assert is_linear(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "^(a+)+$",
        "^(a|ab?)*$",
        "^(a?b?)*$",
        "^((a?)?,)*$",
        "^a*a*$",
        "^[^/]*[^/ ][^/]*$",
        "^(0*[0-9]{1,2},)*$",
        "a+$",
        "^x|a+$",
        "^.*,.*,",
    ],
)
def test_pattern_that_can_backtrack_is_known_by_its_form(pattern: str) -> None:
    assert not is_linear(pattern)


def test_no_text_takes_longer_than_its_length_says() -> None:
    """Each pattern, with texts of 10⁴ and 10⁵ characters of many kinds that fit for long and fail at the end."""
    kinds = [
        "a",
        "0",
        "Z",
        " ",
        "-",
        ".",
        ":",
        "/",
        ",",
        "^",
        "_",
        "é",
        "\t",
        "a-",
        "0,",
        "^0,",
        "^0000,",
        "a/",
        "/a",
        "0:",
        "0-",
        " a",
        "1.1.",
        "ab0",
    ]

    def slowness(pattern: str, kind: str, rounds: int = 1) -> float:
        """Return how many times longer ten times the text takes, in no less than a moment: of processor time, since
        other programs are at work, and the least of some rounds."""
        search, times = re.compile(pattern).search, []
        for length in (10_000, 100_000):
            text = (kind * length)[:length] + "\n\x00"
            taken = []
            for _ in range(rounds):
                start = thread_time()
                search(text)
                taken.append(thread_time() - start)
            times.append(min(taken))
        return times[1] / max(times[0], 0.001)

    suspects = [(pattern, kind) for pattern in PATTERNS for kind in kinds if slowness(pattern, kind) > 30]
    assert [suspect for suspect in suspects if slowness(*suspect, rounds=9) > 30] == []
