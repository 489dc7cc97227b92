"""The functions that templates become write what Jinja writes; checks that are not run would have found nothing."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import pytest
from check_cases import Case, all_cases
from conftest import FIXTURES, ROOT, find
from guests import FOR, NOT_DRAWN, draws, guests
from hypothesis import given

from kvmrender import GuestError, TemplateError
from kvmrender.checks import all_checks as checks
from kvmrender.checks.checked_context import context_builder
from kvmrender.compiler import specialise
from kvmrender.compiler.compiled import compiled
from kvmrender.compiler.functions import Functions
from kvmrender.context import full_form as normalise
from kvmrender.context.full_form import without_nulls
from kvmrender.engine import Engine, needless
from kvmrender.reading.load import read
from kvmrender.rules import rule_case
from kvmrender.schema.versions import schema_of
from kvmrender.templating.interpreter import Interpreter

CASES = all_cases()
RENDERER = Engine()
JINJA = Interpreter(RENDERER.stack, RENDERER.schema.root)
SCHEMA = RENDERER.schema
ALWAYS_RUN = [
    one._replace(triggers=(rule_case.ALWAYS,), filter=lambda _: ("", "True")) for one in checks.checks_of(SCHEMA)
]
with mock.patch.object(checks, "checks_of", return_value=ALWAYS_RUN):
    SOME = [context_builder(SCHEMA)]
SOME.insert(0, context_builder(SCHEMA))
"""Guests are built with the checks that can find something, and with all of them."""


def no_jinja(*_: object) -> str:
    pytest.fail("the shipped templates need no Jinja")


KEYS = [key for key in schema_of(RENDERER.schema, FOR).root["properties"] if key not in NOT_DRAWN]
FUNCTIONS, SPECIAL = compiled(RENDERER.stack, no_jinja)[1], compiled(RENDERER.stack, no_jinja)[1]
"""The second are called so that each mapping has the function for its keys."""


def built(guest: dict[str, Any]) -> list[str]:
    """The guest's context, or what is wrong with it, by those checks that can find something and by all."""
    results = []
    for build in SOME:
        try:
            results.append(repr(build(guest)[0]))
        except GuestError as error:
            results.append(str(error))
    return results


def written(guest: dict[str, Any]) -> tuple[str, str]:
    """The XML of a guest, as the functions and as Jinja write it."""
    values = without_nulls(RENDERER.context(guest))
    return function(FUNCTIONS, values), JINJA.render(values)


def function(functions: Functions, values: dict[str, Any]) -> str:
    """What the function of a guest's architecture writes."""
    found = functions[f"{values['arch']}.xml.j2"]
    assert found is not None
    return found(values)


def specially_written(guest: dict[str, Any]) -> str:
    """The XML of a guest, as it is written when its keys have come up often."""
    values = without_nulls(RENDERER.context(guest))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specialise, "SEEN", 0)
        patch.setattr(specialise, "MOST", 1_000_000)
        return function(SPECIAL, values)


GUESTS = [
    pytest.param(document.guest, id=f"{file.stem}-{number}")
    for file in FIXTURES
    for number, document in enumerate(read(file.name, file.read_bytes()))
]


EXPECTED = {guest.id: RENDERER.render(guest.values[0]) for guest in GUESTS}


def test_every_architecture_has_a_function() -> None:
    assert all(FUNCTIONS[f"{arch}.xml.j2"] for arch in RENDERER.schema.architectures)


@pytest.mark.parametrize("guest", GUESTS)
def test_functions_write_what_jinja_writes(guest: dict[str, Any]) -> None:
    quick, slow = written(guest)
    assert quick == slow
    assert specially_written(guest) == slow


@draws(200)
@given(guest=guests(RENDERER.schema))
def test_random_guests_whose_keys_are_known(guest: dict[str, Any]) -> None:
    if built(guest)[0].startswith("{"):
        assert specially_written(guest) == written(guest)[1]


@draws(500)
@given(guest=guests(RENDERER.schema))
def test_random_guests(guest: dict[str, Any]) -> None:
    results = built(guest)
    assert results[0] == results[1]
    if not results[0].startswith("{"):
        return
    quick, slow = written(guest)
    assert quick == slow


@pytest.mark.parametrize("key", KEYS)
def test_elements_with_nothing_in_them(key: str) -> None:
    """Where all that could be inside is left out, an element ends at once, however it is written."""

    @draws(12)
    @given(guest=guests(RENDERER.schema, [key], inside=0))
    def same(guest: dict[str, Any]) -> None:
        if built(guest)[0].startswith("{"):
            quick, slow = written(guest)
            assert quick == slow
            assert not re.search(r"<([^\s<>/]+)[^<>]*(?<![/?-])>\n\s*</\1>", slow)

    same()


def test_an_element_with_nothing_but_indented_parts_that_are_left_out_ends_at_once() -> None:
    guest = {"name": "a", "rngs": [{"model": "virtio", "backend": {"model": "egd", "type": "pty"}}]}
    quick, slow = written(guest)
    assert quick == slow == specially_written(guest)
    assert '<backend model="egd" type="pty"/>' in quick


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_no_check_is_left_out_that_finds_something(case: Case) -> None:
    _, inside, outside, _ = case
    for guest in ({"name": "a", **inside}, {"name": "a", **outside}):
        results = built(guest)
        assert results[0] == results[1]


@pytest.mark.parametrize("text", ["", " ", "\n", ">", "</x>", "\u2028", "\x85", "a\n b", "{x}", "{{ x }}", "'''", "\\"])
def test_texts_stay_what_they_are(text: str) -> None:
    """In the title, and in a source that is indented, of an image that another is based on."""
    guest = {
        "name": "a",
        "title": text or "x",
        "disks": [
            {
                "source": "/a.qcow2",
                "backingStore": {"type": "file", "format": "raw", "source": {"file": f"/b{text}"}},
            }
        ],
    }
    try:
        quick, slow = written(guest)
    except GuestError:
        return  # the schema takes no such path
    assert quick == slow == specially_written(guest)
    assert find(quick, "devices/disk/backingStore/source").get("file") == f"/b{text}"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a copy of the shipped partial of disks, which changes nothing."""
    own = tmp_path / "site/devices/disk.xml.j2"
    own.parent.mkdir(parents=True)
    own.write_text((ROOT / "templates/devices/disk.xml.j2").read_text())
    return tmp_path / "site"


@pytest.fixture
def only_partials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jinja renders partials of one's own, and no guest as a whole."""
    monkeypatch.setattr(Interpreter, "render", no_jinja)


@pytest.mark.usefixtures("only_partials")
def test_a_partial_of_ones_own_is_rendered_in_its_place(site: Path) -> None:
    renderer = Engine([site])
    for guest in GUESTS:
        assert renderer.render(guest.values[0]) == EXPECTED[guest.id]


@pytest.mark.usefixtures("only_partials")
def test_a_partial_of_ones_own_sees_what_jinja_shows_it(site: Path) -> None:
    partial = site / "devices/disk.xml.j2"
    partial.write_text(
        '    <disk name="{{ name }}" vcpu="{{ domain.vcpu.text }}" dev="{{ device.target.dev }}"'
        ' none="{{ vars.a is none }}"/>\n'
    )
    guest = {"name": "a", "uuid": None, "vars": {"a": None}, "disks": [{"source": "/a.img"}]}
    xml = Engine([site]).render(guest)
    assert find(xml, "devices/disk").attrib == {"name": "a", "vcpu": "1", "dev": "vda", "none": "True"}


def test_defaults_of_a_schema_part_of_ones_own_are_checked(tmp_path: Path) -> None:
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"on_poweroff": {"default": "restart"}}}
    (tmp_path / "guest.schema.yaml").write_text(json.dumps(part))
    with pytest.raises(GuestError, match="on_reboot: destroy can't be combined with on_poweroff restart"):
        Engine([tmp_path]).render({"name": "a", "on_reboot": "destroy"})


def test_faults_of_a_partial_are_told_with_line_and_chain(site: Path) -> None:
    partial = site / "devices/disk.xml.j2"
    partial.write_text("    <disk/>\n{{ device.nothing }}\n")
    with pytest.raises(TemplateError, match=rf"{partial}:2: 'nothing' is not given here") as raised:
        Engine([site]).render({"name": "a", "disks": [{"source": "/a.img"}]})
    assert "domain.xml.j2" in str(raised.value)


def test_a_function_that_fails_leaves_the_guest_to_jinja(monkeypatch: pytest.MonkeyPatch) -> None:
    guest = {"name": "a"}
    renderer = Engine()
    xml = renderer.render(guest)

    def fail(values: dict[str, Any]) -> str:
        raise KeyError

    monkeypatch.setitem(renderer._functions, "amd64.xml.j2", fail)
    assert renderer.render(guest) == xml
    assert needless.pop("KeyError") == 1  # by itself, it fails a test


@pytest.mark.usefixtures("only_partials")
def test_a_partial_that_includes_itself_is_run_once(site: Path) -> None:
    (site / "devices/disk.xml.j2").write_text("{% include 'devices/disk.xml.j2' %}")
    with pytest.raises(TemplateError, match=r"disk.xml.j2:1: includes or calls itself endlessly \(guest 'a'"):
        Engine([site]).render({"name": "a", "disks": [{"source": "/a.img"}]})


def test_functions_for_certain_keys_are_made_when_these_came_up_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(specialise, "SEEN", 2)
    monkeypatch.setattr(specialise, "MOST", 3)
    made: list[tuple[str, ...]] = []

    def make(keys: tuple[str, ...]) -> specialise.Function:
        made.append(keys)
        return lambda: "made"

    table = specialise.Table(lambda: lambda: "any", make)
    keys = [(str(number),) for number in range(9)]
    assert [[table[one]() for _ in range(4)] for one in keys] == [["any", "any", "made", "made"]] * 3 + [
        ["any"] * 4
    ] * 6
    assert made == keys[:3]


def test_what_is_counted_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where other keys come up in between, it begins anew."""
    monkeypatch.setattr(specialise, "SEEN", 2)
    monkeypatch.setattr(specialise, "MOST_SEEN", 2)
    for between, last in ((["b"], "made"), (["b", "c"], "any")):
        table = specialise.Table(lambda: lambda: "any", lambda _: lambda: "made")
        assert [table[(key,)]() for key in ["a", *between, "a", "a"]][-1] == last


def test_what_is_no_mapping_is_left_to_the_function_for_any(monkeypatch: pytest.MonkeyPatch) -> None:
    """The letters of a text, and the items of a list, are no keys."""
    monkeypatch.setattr(specialise, "SEEN", 0)
    function = compiled(RENDERER.stack, no_jinja)[1]["amd64.xml.j2"]
    assert function is not None
    disk = {"source": "/a.img", "boot": {"order": 1}}
    values = without_nulls(RENDERER.context({"name": "a", "memory": 1, "vcpu": 1, "disks": [disk]}))
    assert '<boot order="1"/>' in function(values)
    for wrong in ("order", ["order"]):
        for changed in ({"memory": wrong}, {"disks": [{**values["disks"][0], "boot": wrong}]}):
            with pytest.raises(TypeError):
                function({**values, **changed})


@pytest.mark.slow
@pytest.mark.parametrize(("module", "name"), [(normalise, "MOST_SHAPES"), (checks, "MOST_SHAPES")])
def test_what_is_not_kept_is_worked_out_each_time(
    module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for guests that are made to have ever other keys, of which only so much is kept."""
    expected = [built(guest.values[0])[0] for guest in GUESTS]
    monkeypatch.setattr(module, name, 0)
    monkeypatch.setattr(checks, "wanted", lambda *_: pytest.fail("is kept"))
    build = context_builder(RENDERER.schema)
    for guest, context in zip(GUESTS, expected, strict=True):
        assert repr(build(guest.values[0])[0]) == context
    for _, inside, outside, said in CASES:
        build({"name": "a", **inside})
        with nullcontext() if " note: " in said else pytest.raises(GuestError):
            build({"name": "a", **outside})
