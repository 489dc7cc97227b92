"""The quick ways to find a guest valid say what jsonschema-rs says of the whole schema."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from check_cases import all_cases
from conftest import FIXTURES
from guests import draws, guests, some
from hypothesis import given
from hypothesis import strategies as st

from kvmrender import GuestError
from kvmrender.context.condensed_schema import condensed, names_in
from kvmrender.context.full_form import normaliser, with_machine, without_nulls
from kvmrender.context.key_shapes import Notes
from kvmrender.context.quick_validation import ANNOTATIONS, UnknownError, Valid, _Compiler, validity
from kvmrender.context.validation import FIRST
from kvmrender.engine import Engine
from kvmrender.reading.load import read
from kvmrender.schema.guest_schema import Node

CASES = all_cases()
RENDERER = Engine()
SCHEMA = RENDERER.schema
VALID = {arch: validity(SCHEMA.of_architecture(arch)) for arch in SCHEMA.architectures}
CONDENSED = {
    arch: jsonschema_rs.Draft202012Validator(condensed(SCHEMA.of_architecture(arch))) for arch in SCHEMA.architectures
}
NORMALISE = {(arch, kind): normaliser(SCHEMA, arch, kind) for arch in SCHEMA.architectures for kind in ("kvm", "qemu")}
REQUIRED = {*SCHEMA.root["required"]}
STRANGE = [
    None, True, 0, -1, 1 << 70, 1.0, float("nan"), "", "x", "yes", "0", "a\n", "\ud800", "\x00", "é/", "file",
    [], {}, ["x"], {"x": 1}, {1: 2}, {"type": "file"}, b"x",
]  # fmt: skip


def full_form(guest: dict[str, Any]) -> dict[str, Any]:
    arch = SCHEMA.names[guest.get("arch", "amd64")]
    full = NORMALISE[arch, "qemu" if guest.get("type") == "qemu" else "kvm"](with_machine(guest), Notes())
    found: dict[str, Any] = without_nulls({**full, "arch": arch, "vars": None})
    return found


def is_valid(guest: dict[str, Any], validator: jsonschema_rs.Draft202012Validator | None = None) -> bool:
    try:
        return (validator or SCHEMA.validator).is_valid(guest)
    except (ValueError, OverflowError):
        return False


def held(full: dict[str, Any], arch: str, others: Iterable[frozenset[str]] = ()) -> bool:
    """Whether a guest in full form is valid; all ways of saying so must agree, but that guests with keys of ``others``
    only may be found invalid where they are valid."""
    valid = is_valid(full)
    assert not VALID[arch](full) or valid
    assert is_valid(full, CONDENSED[arch]) == valid
    assert is_valid(full, for_names(arch, frozenset(names_in(full)))) == valid
    assert not any(is_valid(full, for_names(arch, names)) for names in others) or valid
    return valid


@lru_cache(maxsize=16)
def for_names(arch: str, names: frozenset[str]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(condensed(SCHEMA.of_architecture(arch), names))


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each place of a value, as what holds it and its key."""
    for key, item in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from places(item)


def nodes(node: Any, of_names: bool = False) -> Iterator[Node]:
    """Yield all nodes of a schema."""
    if isinstance(node, list):
        for item in node:
            yield from nodes(item)
    elif isinstance(node, dict):
        if not of_names:
            yield node
        for key, item in node.items():
            if of_names or key in (
                "properties",
                "$defs",
                "items",
                "allOf",
                "anyOf",
                "oneOf",
                "not",
                "if",
                "then",
                "else",
            ):
                yield from nodes(item, not of_names and key in ("properties", "$defs"))


GUESTS = [
    pytest.param(document.guest, id=f"{file.stem}-{number}")
    for file in FIXTURES
    for number, document in enumerate(read(file.name, file.read_bytes()))
]


@pytest.mark.parametrize("guest", GUESTS)
def test_guests_are_found_valid(guest: dict[str, Any]) -> None:
    full = full_form(guest)
    assert held(full, full["arch"])
    # The addresses of sockets are texts where those of PCI devices are mappings: that is left to jsonschema-rs.
    assert VALID[full["arch"]](full) == (guest["name"] != "interfaces")


@pytest.mark.parametrize(("inside", "outside"), [case[1:3] for case in CASES], ids=[case[0] for case in CASES])
def test_what_differs_by_a_step(inside: dict[str, Any], outside: dict[str, Any]) -> None:
    for guest in (inside, outside):
        full = full_form({"name": "a", **guest})
        held(full, full["arch"])


@draws(400)
@given(guest=guests(SCHEMA), seed=st.integers(0, 1 << 30))
def test_random_changes(guest: dict[str, Any], seed: int) -> None:
    draw = random.Random(seed)
    full = full_form(guest)
    held(full, full["arch"])
    names = sorted(names_in(full))
    some = frozenset(draw.sample(names, len(names) // 2))
    for _ in range(20):
        changed = deepcopy(full)
        inside, key = draw.choice(list(places(changed)))
        match draw.randrange(4):
            case 0:
                del inside[key]
            case 1 if isinstance(inside, dict):
                inside[draw.choice(["x", "type", "source", "model", *inside])] = draw.choice(STRANGE)
            case 2:
                inside[key] = deepcopy(draw.choice([inside[other] for inside, other in places(full)]))
            case _:
                inside[key] = deepcopy(draw.choice(STRANGE))
        if changed.get("arch") == full["arch"] and changed.keys() >= REQUIRED:
            held(changed, full["arch"], [frozenset(names), some | REQUIRED])


@pytest.mark.parametrize(("arch", "kind"), NORMALISE)
def test_defaults_are_valid(arch: str, kind: str) -> None:
    """So a guest is valid if what it gives is."""
    full = full_form({"name": "a", "arch": arch, "type": kind})
    assert held(full, arch)
    assert CONDENSED[arch].is_valid({"name": "a", "arch": arch, "type": kind})
    assert not CONDENSED[arch].is_valid({"arch": arch, "type": kind})


def test_every_node_of_the_schema_is_known() -> None:
    compiler = _Compiler(SCHEMA.root)
    for node in nodes(SCHEMA.root):
        if node is not SCHEMA.root["properties"]["vars"]:
            compiler.node(node)


@pytest.mark.parametrize(
    "node",
    [
        {"type": "string", "maxLength": 3},
        {"type": "number"},
        {"type": "object"},
        {"type": "array"},
        {"type": "array", "items": {"description": "Anything."}},
        {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
        {"type": "string", "pattern": "a"},
        {"type": "string", "pattern": "^.$"},
        {"type": "string", "pattern": r"^\d$"},
        {"type": "string", "pattern": "^[a--b]$"},
        {"enum": [None]},
        {"const": 1.5},
        True,
    ],
)
def test_what_is_not_plain_is_left_alone(node: Any) -> None:
    with pytest.raises(UnknownError):
        _Compiler({}).node(node)


JUDGED: list[tuple[Node, Any, bool]] = [
    ({"type": "string", "pattern": "^a$"}, "a", True),
    ({"type": "string", "pattern": "^a$"}, "a\n", False),
    ({"type": "string", "pattern": "^a"}, "ab", True),
    ({"type": "string", "pattern": "^a|b$"}, "cb", True),
    ({"type": "string", "pattern": "^a|b$"}, "bc", False),
    ({"type": "integer", "minimum": 1, "maximum": 2}, 2, True),
    ({"type": "integer", "minimum": 1, "maximum": 2}, 3, False),
    ({"type": "integer", "minimum": 1, "maximum": 2}, 0, False),
    ({"enum": ["a", 1]}, 1, True),
    ({"enum": ["a", 1]}, True, False),
    ({"enum": ["a", 1]}, {}, False),
    ({"const": "a"}, "b", False),
    ({"minProperties": 1}, {"a": 1}, True),
    ({"minProperties": 1}, {}, False),
    ({"required": ["a"]}, {"a": 1}, True),
    ({"required": ["a"]}, {}, False),
    ({"properties": {"a": {"not": {}}}}, {"b": 1}, True),
    ({"properties": {"a": {"not": {}}}}, {"a": 1}, False),
    ({"properties": {"a": {"const": "b"}}}, {"a": "c"}, False),
    ({"properties": {"a": {"const": "b"}}, "additionalProperties": False}, {"a": "b"}, True),
    ({"properties": {"a": {"const": "b"}}, "additionalProperties": False}, {"a": "b", "c": "d"}, False),
    ({"properties": {"a": {"const": "b"}}, "additionalProperties": False, "required": ["a"]}, {}, False),
    ({"items": {"const": "a"}, "minItems": 1, "maxItems": 2}, ["a", "a"], True),
    ({"items": {"const": "a"}, "minItems": 1, "maxItems": 2}, ["a", "b"], False),
    ({"items": {"const": "a"}, "minItems": 1, "maxItems": 2}, [], False),
    ({"items": {"const": "a"}, "minItems": 1, "maxItems": 2}, ["a"] * 3, False),
    ({"contains": {"const": "a"}, "maxContains": 1}, ["a", "b"], True),
    ({"contains": {"const": "a"}, "maxContains": 1}, ["a", "a"], False),
    ({"contains": {"const": "a"}, "maxContains": 1}, ["b"], False),
    ({"not": {"const": "a"}}, "a", False),
    ({"not": {"const": "a"}}, "b", True),
    ({"anyOf": [{"const": "a"}, {"const": "b"}]}, "b", True),
    ({"anyOf": [{"const": "a"}, {"const": "b"}]}, "c", False),
    ({"oneOf": [{"const": "a"}, {"enum": ["a", "b"]}]}, "b", True),
    ({"oneOf": [{"const": "a"}, {"enum": ["a", "b"]}]}, "a", False),
    ({"allOf": [{"const": "a"}, {"const": "b"}]}, "a", False),
    ({"if": {"const": "a"}, "then": {"const": "b"}, "else": {"const": "c"}}, "a", False),
    ({"if": {"const": "a"}, "then": {"const": "b"}, "else": {"const": "c"}}, "c", True),
    ({"if": {"const": "a"}, "then": {"const": "b"}}, "c", True),
    ({"type": ["string", "object"], "pattern": "^a$", "properties": {"b": {"const": "c"}}}, {"b": "c"}, True),
    ({"type": ["string", "object"], "pattern": "^a$", "properties": {"b": {"const": "c"}}}, {"b": "d"}, False),
    ({"type": ["string"], "pattern": "^a$"}, "b", False),
]


@pytest.mark.parametrize(("node", "value", "expected"), JUDGED)
def test_each_keyword(node: Node, value: Any, expected: bool) -> None:
    valid: Valid = _Compiler({}).node(node)
    assert bool(valid(value)) is expected
    assert jsonschema_rs.Draft202012Validator(node).is_valid(value) is expected


def test_references_and_what_stands_beside_them_hold() -> None:
    root = {"$defs": {"a": {"enum": ["b", "c"]}}}
    valid = _Compiler(root).node({"$ref": "#/$defs/a", "not": {"const": "c"}})
    assert [bool(valid(value)) for value in ("b", "c", "d")] == [True, False, False]


def test_later_guests_are_held_against_the_same_schema() -> None:
    renderer = Engine()
    for _ in range(2 * FIRST):
        renderer.render({"name": "a"})
        with pytest.raises(GuestError, match="vcpus: 'many' is not"):
            renderer.render({"name": "a", "vcpus": "many"})
        with pytest.raises(GuestError, match="memory: is missing"):
            renderer.render({"name": "a", "memory": None})


def test_later_guests_may_have_other_keys() -> None:
    """However many sets of keys there are, each guest is valid or not as for a renderer that has seen none."""
    renderer = Engine()
    for _ in range(2 * FIRST):
        renderer.render({"name": "a"})
    for guest in [parameter.values[0] for parameter in some(GUESTS)] * 2:
        assert renderer.render(guest) == Engine().render(guest)
        with pytest.raises(GuestError, match="vcpu"):
            renderer.render({**guest, "vcpu": {"text": "many"}})
        with pytest.raises(GuestError, match="memroy: is not a known key"):
            renderer.render({**guest, "memroy": 1})


@pytest.mark.parametrize(
    ("node", "twin"),
    [
        ({"$ref": "guest.schema.yaml#/properties/vcpu"}, 2),
        ({"$ref": "guest.schema.yaml"}, {"name": "b"}),
        ({"type": "object", "patternProperties": {"^b": {"type": "integer"}}}, {"b": 1}),
    ],
    ids=["property", "whole", "keyword"],
)
def test_later_guests_are_held_against_parts_of_ones_own(tmp_path: Path, node: Node, twin: Any) -> None:
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"twin": node}}
    (tmp_path / "guest.schema.yaml").write_text(json.dumps(part))
    renderer = Engine([tmp_path])
    for _ in range(2 * FIRST):
        assert "<name>a</name>" in renderer.render({"name": "a", "twin": twin})
        with pytest.raises(GuestError, match="twin"):
            renderer.render({"name": "a", "twin": ["many"]})


def test_defaults_of_ones_own_are_held_against_the_schema_each_time(tmp_path: Path) -> None:
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"on_crash": {"default": "explode"}}}
    (tmp_path / "guest.schema.yaml").write_text(json.dumps(part))
    renderer = Engine([tmp_path])
    for _ in range(2 * FIRST):
        with pytest.raises(GuestError, match="on_crash: 'explode' is not"):
            renderer.render({"name": "a"})


def asked_twice(schema: Node) -> list[str]:
    """Return the keys on whose values several conditions of one node depend, each by itself."""
    twice = []
    for node in nodes(schema):
        tests = [found["if"] for found in node.get("allOf", []) if found.keys() == {"if", "then"}]
        keys = [test["required"][0] for test in tests if test.keys() == {"properties", "required"}]
        keys += [test["not"]["required"][0] for test in tests if test.keys() == {"not"} and "required" in test["not"]]
        twice += [key for key in {*keys} if keys.count(key) > 1]
    return twice


@pytest.mark.parametrize("arch", sorted(SCHEMA.architectures))
def test_condensed_schema_asks_for_a_value_once_and_says_nothing_about_it(arch: str) -> None:
    whole = SCHEMA.of_architecture(arch)
    small = condensed(whole)
    assert len(asked_twice(whole)) > 5
    assert len(asked_twice(small)) <= 1  # a condition on more than one key is left as it is
    assert {key for node in nodes(small) for key in node} & ANNOTATIONS <= {"$defs"}
    assert {key for node in nodes(whole) for key in node} & ANNOTATIONS > {"$defs"}
