"""What holds of every guest, drawn at random: from the schema, from anything that Python can hold, and from bytes.

``KVMRENDER_EXAMPLES=100000`` draws more of them, anew each time.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice, product
from math import expm1, log, sqrt
from string import ascii_lowercase
from typing import Any
from xml.etree import ElementTree

import jsonschema_rs
import pytest
from conftest import ROOT
from guests import draws, guests
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from kvmrender import GuestError
from kvmrender.context.device_names import device_name
from kvmrender.context.mac_address import mac_address
from kvmrender.engine import Engine
from kvmrender.reading.load import read
from kvmrender.schema.guest_schema import Node, all_fields, resolve

RENDERER = Engine()
ROOT_NODE = RENDERER.schema.root
GUESTS = guests(RENDERER.schema)

Path = tuple[str | int, ...]


def rendered(guest: Any) -> str:
    try:
        return RENDERER.render(guest)
    except GuestError:
        reject()


def places(xml: str) -> list[tuple[str, str]]:
    """Every attribute and text of a document, in order, with the path of its element; the text of layout is none."""
    found: list[tuple[str, str]] = []

    def walk(element: ElementTree.Element, path: str) -> None:
        path = f"{path}/{element.tag}"
        found.extend((f"{path}/@{name}", value) for name, value in element.attrib.items())
        found.append((path, (element.text or "") if not len(element) else ""))
        for child in element:
            walk(child, path)

    walk(ElementTree.fromstring(xml), "")
    return found


# Anything whatever.

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(codec=None))  # with surrogates
    | st.binary()
    | st.sampled_from(["<a/>", "]]>", "{{ 7 * 7 }}", "\0", "\ud800", "", " ", "9" * 5000, 10**4000])
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(st.sampled_from(sorted(ROOT_NODE["properties"])) | SCALARS, inner, max_size=4)
    ),
    max_leaves=8,
)
KEYS = sorted(ROOT_NODE["properties"])
HOSTILE = st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=4).map(lambda guest: {"name": "a"} | guest)


def problems(work: Callable[[], object]) -> list[str]:
    """Return what is said to be wrong, in lines that can be shown; nothing but GuestError is raised."""
    try:
        work()
    except GuestError as error:
        found = [str(problem) for problem in error.problems]
    else:
        return []
    assert found
    assert all(said.isprintable() and len(said) < 2000 and said.encode() for said in found)
    return found


def refused_clearly_or_well_formed(guest: Any) -> None:
    problems(lambda: ElementTree.fromstring(RENDERER.render(guest)))


@draws(300)
@given(guest=ANYTHING | HOSTILE)
def test_any_value_is_refused_clearly_or_makes_well_formed_xml(guest: Any) -> None:
    refused_clearly_or_well_formed(guest)


@st.composite
def spoilt(draw: st.DrawFn) -> Any:
    """A guest of the schema, of which one value is anything."""
    guest = json.loads(json.dumps(draw(GUESTS)))
    place = guest
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or not place[key] or draw(st.booleans()):
            place[key] = draw(ANYTHING)
            return guest
        place = place[key]


@draws(300)
@given(guest=spoilt())
def test_any_value_at_any_place_is_refused_clearly_or_makes_well_formed_xml(guest: Any) -> None:
    refused_clearly_or_well_formed(guest)


EMPTY: list[Any] = [{}, None, [], "", 0, False, [{}], [None]]
FIELDS = [path for path in all_fields(ROOT_NODE, ROOT_NODE) if path[0] not in ("name", "arch", "vars")]


def written(path: Path, value: Any, node: Node = ROOT_NODE) -> Any:
    """Return a guest, or what a node is of, that has but one field."""
    if not path:
        return value
    node = resolve(ROOT_NODE, node["properties"][path[0]])
    is_list = len(path) > 1 and node.get("type") == "array"
    inner = written(path[1:], value, resolve(ROOT_NODE, node["items"]) if is_list else node)
    return {path[0]: [inner] if is_list else inner}


def test_a_field_with_nothing_in_it_is_refused_clearly_or_makes_well_formed_xml() -> None:
    """Each field of the schema, with each of these values, on one of the architectures after the other."""
    architectures = sorted(RENDERER.schema.architectures)
    for number, path in enumerate(FIELDS):
        for value in EMPTY[:2] if number % 8 else EMPTY:
            arch = architectures[number % len(architectures)]
            refused_clearly_or_well_formed({"name": "a", "arch": arch, **written(path, value)})


@st.composite
def hollow(draw: st.DrawFn) -> Any:
    """A guest of the schema, of which some values are empty, or of another type."""

    def some(value: Any) -> Any:
        if draw(st.integers(0, 7)) == 0:
            return draw(st.sampled_from([*EMPTY, "1", True]))
        if isinstance(value, dict):
            return {key: some(item) for key, item in value.items()}
        return [some(item) for item in value] if isinstance(value, list) else value

    guest = draw(GUESTS)
    return {key: some(value) for key, value in guest.items()} | {"name": "a", "arch": guest["arch"]}


@draws(300)
@given(guest=hollow())
def test_nothing_at_any_place_is_refused_clearly_or_makes_well_formed_xml(guest: Any) -> None:
    refused_clearly_or_well_formed(guest)


WORDS = r"""name: a\n|- |? |: |{|}|[|]|&a |*a|!!str |!|"|'|\\|\n|  |---\n|#|<<|>|%|\t|\0|\xff|\xef\xbb\xbf|a|1|,"""
PIECES = st.sampled_from([word.encode().decode("unicode_escape").encode("latin-1") for word in WORDS.split("|")])


@draws(300)
@given(data=st.binary() | st.lists(PIECES, max_size=40).map(b"".join), name=st.sampled_from(["g", "g.yaml", "g.json"]))
def test_any_bytes_are_refused_clearly_or_read(data: bytes, name: str) -> None:
    found: list[Any] = []
    assert all(said.startswith(name) for said in problems(lambda: found.extend(read(name, data))))
    for document in found:
        refused_clearly_or_well_formed(document.guest)


# Strings.


def leaves(node: Node, value: Any, path: Path = ()) -> Iterator[tuple[Path, Node, str]]:
    """Yield each string of a guest in full form that the schema leaves free, with its path and what it may be."""
    node = resolve(ROOT_NODE, node)
    if isinstance(value, dict):
        for key, item in value.items():
            if key in node.get("properties", {}):
                yield from leaves(node["properties"][key], item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from leaves(node.get("items", {}), item, (*path, number))
    elif isinstance(value, str) and "pattern" in node and node.get("format") != "xml":
        yield path, node, value


NASTY = [
    "<a b=\"c\"/> & 'd' ]]> &amp; {{{{ 7 * 7 }}}} {{% raw %}} --> <!-- \\ %s {}",
    "\t<\n\r>{}\x85",
    "</domain>{}",
    "{}",
]
STARTS, ENDS = ["", "/", "/dev/", "ua-"], ["", ".qcow2", "/"]


def nasty(node: Node, number: int) -> str | None:
    """Return a text that is nowhere else, as hostile as a pattern lets it be."""
    of_strings = {key: value for key, value in node.items() if key not in ("properties", "allOf")}
    validator = jsonschema_rs.validator_for(of_strings)
    for text in NASTY:
        for start, end in product(STARTS, ENDS):
            found = f"{start}{text.format(f'unique{number}')}{end}"
            if validator.is_valid(found):
                return found
    return None


def replaced(guest: Any, path: Path, value: str) -> Any:
    if not path:
        return value
    if isinstance(guest, dict):
        return {**guest, path[0]: replaced(guest[path[0]], path[1:], value)}
    return [replaced(item, path[1:], value) if number == path[0] else item for number, item in enumerate(guest)]


def test_strings_come_back_in_their_own_places_and_change_nothing_else() -> None:
    """What elements and attributes there are doesn't depend on what strings hold."""
    seen: Counter[str] = Counter()

    @draws(300)
    @given(guest=GUESTS)
    def hold(guest: Any) -> None:
        rendered(guest)
        # What is derived from a string, such as the format from a file's ending, is in the context already.
        context = RENDERER.context(guest)
        before = places(RENDERER.render(context))
        for number, (path, node, old) in enumerate(leaves(ROOT_NODE, context)):
            new = nasty(node, number)
            if new is None:
                continue
            try:
                after = places(RENDERER.render(replaced(context, path, new)))
            except GuestError:
                continue  # a name that another field refers to
            assert [place for place, _ in after] == [place for place, _ in before]
            differing = [(was, now) for (_, was), (_, now) in zip(before, after, strict=True) if was != now]
            assert differing == [(old, new)], path
            seen["hostile" if "<" in new else "plain"] += 1

    hold()
    assert seen["hostile"] > 5  # of the fewest guests that are drawn anywhere


# Order, repetition, normal form.


@st.composite
def shuffled(draw: st.DrawFn) -> tuple[Any, Any]:
    """A guest and the same with its keys in another order."""
    guest = draw(GUESTS)
    order = random.Random(draw(st.integers(0, 1000)))

    def other(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: other(value[key]) for key in order.sample(sorted(value), len(value))}
        return [other(item) for item in value] if isinstance(value, list) else value

    return guest, other(guest)


@draws(300)
@given(both=shuffled())
def test_rendering_is_deterministic_and_the_order_of_keys_is_nothing(both: tuple[Any, Any]) -> None:
    guest, other = both
    before = json.dumps(guest)
    xml = rendered(guest)
    assert RENDERER.render(other) == xml
    assert RENDERER.render(guest) == xml
    assert json.dumps(guest) == before


@draws(300)
@given(guest=GUESTS)
def test_context_is_its_own_context(guest: Any) -> None:
    xml = rendered(guest)
    context = RENDERER.context(guest)
    assert RENDERER.context(context) == context
    assert RENDERER.render(context) == xml


PROGRAM = """
import sys, json
from kvmrender import GuestError
from kvmrender.engine import Engine
render = Engine().render
for line in sys.stdin:
    try:
        print(json.dumps(render(json.loads(line))))
    except GuestError as error:
        print(json.dumps(str(error)))
"""


def test_random_guests_are_the_same_in_any_process() -> None:
    drawn: list[str] = []

    @settings(draws(60), max_examples=60)
    @given(guest=GUESTS)
    def draw(guest: Any) -> None:
        drawn.append(json.dumps(guest))

    draw()
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            input="\n".join(drawn),
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert outputs.pop().count("<domain ") > 10


# Addresses and names.


@draws(300)
@given(st.text(), st.text(), st.text(), st.binary(min_size=1, max_size=5))
def test_derived_mac_addresses_are_unicast(namespace: str, name: str, device: str, prefix: bytes) -> None:
    prefix = bytes([prefix[0] & 0xFE]) + prefix[1:]
    octets = bytes.fromhex(mac_address(namespace, name, device, prefix.hex(":")).replace(":", ""))
    assert len(octets) == 6
    assert octets.startswith(prefix)
    assert not octets[0] & 1
    assert any(octets)


def pairs(guests: int, seed: int, prefix: str) -> int:
    """Return how many pairs of guests have one address."""
    seen = Counter(mac_address(f"seed {seed}", f"guest-{number}", "interface 0", prefix) for number in range(guests))
    return sum(count * (count - 1) // 2 for count in seen.values())


@pytest.mark.parametrize(("prefix", "bits"), [("52:54:00", 24), ("52:54:00:00", 16)])
def test_mac_addresses_differ_as_the_birthday_bound_says(prefix: str, bits: int) -> None:
    """Of n guests, n (n - 1) / 2 pairs have one address with a probability of one in 2^bits each.

    The number of pairs in many fleets is distributed as Poisson's, so that it is within four standard deviations.
    """
    guests, fleets = int(sqrt(2 << bits)), 60
    expected = fleets * guests * (guests - 1) / 2 / (1 << bits)
    found = sum(pairs(guests, seed, prefix) for seed in range(fleets))
    assert abs(found - expected) < 4 * sqrt(expected), (found, expected)


def test_no_two_of_a_hundred_thousand_guests_share_forty_bits() -> None:
    guests = 100_000
    assert -expm1(-guests * guests / 2 / (1 << 40)) < 0.005  # the birthday bound
    assert pairs(guests, 1, "02") == 0


def test_octets_of_mac_addresses_are_even() -> None:
    """Each bit is set in half of the addresses, within four standard deviations."""
    count = 20_000
    found = [int(mac_address("", f"guest-{n}", "interface 0").replace(":", ""), 16) for n in range(count)]
    for bit in range(24):
        ones = sum(address >> bit & 1 for address in found)
        assert abs(ones - count / 2) < 4 * sqrt(count) / 2, bit
    assert log(len(set(found)), count) > 0.99


NAMES = 20_000


def test_device_names_are_all_words_the_short_ones_first() -> None:
    words = ("".join(letters) for length in range(1, 5) for letters in product(ascii_lowercase, repeat=length))
    assert [device_name("vd", index) for index in range(NAMES)] == [f"vd{word}" for word in islice(words, NAMES)]


@pytest.mark.libvirt
def test_device_names_count_as_libvirts_own() -> None:
    """libvirt puts the disk with the name of index n on controller n / 7 of SCSI, as unit n % 7."""
    import libvirt

    libvirt.registerErrorHandler(lambda *_: None, None)
    connection = libvirt.open("test:///default")
    for first in range(0, NAMES, 1000):
        disks = "".join(
            f'<disk type="file"><source file="/{n}"/><target dev="{device_name("sd", n)}" bus="scsi"/></disk>'
            for n in range(first, first + 1000)
        )
        guest = f'<domain type="test"><name>a</name><memory>1024</memory><os><type>hvm</type></os><devices>{disks}'
        domain = connection.defineXML(f"{guest}</devices></domain>")
        found = ElementTree.fromstring(domain.XMLDesc()).findall("devices/disk")
        domain.undefine()
        for disk in found:
            source, address = disk.find("source"), disk.find("address")
            assert source is not None
            assert address is not None
            index = int(address.attrib["controller"]) * 7 + int(address.attrib["unit"])
            assert source.attrib["file"] == f"/{index}"
    connection.close()
