"""Template folders of one's own, and what happens when a template is at fault."""

from __future__ import annotations

import json
import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import find

from kvmrender import Error, GuestError, Renderer, TemplateError
from kvmrender.shipped import shipped_templates

DISK = {"source": "/a.qcow2"}
SHIPPED = shipped_templates()
LINE_OF_DISKS = (SHIPPED / "domain.xml.j2").read_text().partition('"devices/disk.xml.j2"')[0].count("\n") + 1


def rendered(folder: Path, **guest: Any) -> str:
    return Renderer([folder]).render({"name": "web-1", **guest})


def domain(inside: str = "") -> str:
    """Return a template of a whole document."""
    return f"<domain><name>{{{{ name }}}}</name>{inside}</domain>"


def test_block_of_an_architecture_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "amd64.xml.j2").write_text(
        '{% extends "shipped/amd64.xml.j2" %}\n{% block cpu %}\n  <cpu mode="{{ vars.mode }}"/>\n{% endblock %}\n'
    )
    xml = rendered(tmp_path, vars={"mode": "host-model"})
    assert find(xml, "cpu").attrib == {"mode": "host-model"}
    assert find(xml, "name").text == "web-1"


def test_partial_is_replaced_for_every_architecture(tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/disk.xml.j2").write_text('    <disk type="{{ device.type }}"/>\n')
    for arch in ("amd64", "arm64"):
        assert find(rendered(tmp_path, arch=arch, disks=[DISK]), "devices/disk").attrib == {"type": "file"}


def test_first_folder_that_has_a_template_wins(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "amd64.xml.j2").write_text(domain(f"<{folder}/>"))
    (tmp_path / "b" / "arm64.xml.j2").write_text(domain("<b/>"))
    renderer = Renderer([tmp_path / "a", tmp_path / "b"])
    found = [renderer.render({"name": "x", "arch": arch}) for arch in ("amd64", "arm64")]
    assert found == ["<domain><name>x</name><a/></domain>", "<domain><name>x</name><b/></domain>"]


def test_empty_elements_are_closed_in_their_tags(tmp_path: Path) -> None:
    (tmp_path / "amd64.xml.j2").write_text(
        '<domain x=">">\n{% if vars.n %}\n  <b/>\n{% endif %}\n  <c></c>\n  <d>\n  </d>\n  <e>{{ vars.e }}</e>\n'
        "<name>{{ name }}</name>"
        '{% for name in ("f", "g") %}\n  <{{ name }}>\n  </{{ name }}>\n{% endfor %}\n</domain>\n'
    )
    found = '<domain x=">">\n  <c/>\n  <d/>\n  <e>&#10;  </e>\n<name>web-1</name>  <f/>\n  <g/>\n</domain>\n'
    assert rendered(tmp_path, vars={"n": None, "e": "\n  "}) == found


FAULTS = {
    "missing name": (
        "<a>\n{{ nmae }}</a>",
        "amd64.xml.j2:2: 'nmae' is not a name of the context (did you mean 'name'?)",
    ),
    "missing key": (
        "{{ memory.txt }}",
        "amd64.xml.j2:1: 'txt' is not given here (did you mean 'text'?)",
    ),
    "filter that isn't": ("\n{{ name | attribute }}", "amd64.xml.j2:2: No filter named 'attribute'."),
    "syntax": (
        "{% if name %}\n{% endfor %}",
        "amd64.xml.j2:2: Encountered unknown tag 'endfor'. Jinja was looking for the following tags:"
        " 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'.",
    ),
    "filter of a wrong value": (
        "{{ name | attributes('x') }}",
        "amd64.xml.j2:1: attributes: wants a mapping, not str",
    ),
    "template that isn't": (
        "\n{% include 'devices/none.xml.j2' %}",
        "amd64.xml.j2:2: template 'devices/none.xml.j2' is not in any template folder",
    ),
    "raw XML that isn't well-formed": (
        "{{ vars.x | xml }}",
        "amd64.xml.j2:1: xml: not well-formed: mismatched tag at its end",
    ),
    "control character": ("{{ vars.c }}", "amd64.xml.j2:1: character U+0001 is not allowed in XML"),
    "Python": ("{{ name.__class__ }}", "amd64.xml.j2:1: access to attribute '__class__' of 'str' object is unsafe."),
}


@pytest.mark.parametrize(("source", "said"), FAULTS.values(), ids=FAULTS)
def test_fault_is_told_with_its_place(source: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "amd64.xml.j2").write_text(source)
    with pytest.raises(TemplateError) as raised:
        rendered(tmp_path, vars={"x": "<a>", "c": "\1"})
    first, source_line = str(raised.value).split("\n")
    assert first == f"{tmp_path}/{said} (guest 'web-1')"
    number = int(said.split(":")[1])
    assert source_line == f"  {number} | {source.splitlines()[number - 1]}"
    assert isinstance(raised.value, Error)


def test_fault_in_a_partial_names_the_partial(tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/disk.xml.j2").write_text(
        "<disk>\n\n{% if device.target.dev == 'vdb' %}\n {{ device.sauce }}\n{% endif %}</disk>"
    )
    with pytest.raises(TemplateError) as raised:
        rendered(tmp_path, disks=[DISK, {"source": "/b.qcow2"}])
    file = f"{tmp_path}/devices/disk.xml.j2"
    assert (raised.value.template, raised.value.line, raised.value.guest) == (file, 4, "web-1")
    assert str(raised.value) == (
        f"{file}:4: 'sauce' is not given here (did you mean 'source'?) (guest 'web-1', disks[1])\n"
        "  4 | {{ device.sauce }}\n"
        f"  from shipped/domain.xml.j2:{LINE_OF_DISKS}, shipped/amd64.xml.j2:2"
    )


def test_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="nowhere: is not a template folder"):
        Renderer([tmp_path / "nowhere"])


def test_schema_part_under_its_old_name_is_told(tmp_path: Path) -> None:
    (tmp_path / "guest.schema.json").write_text('{"extends": "shipped/guest.schema.yaml"}')
    with pytest.raises(TemplateError, match=r"guest\.schema\.json: is called guest\.schema\.yaml now: rename it"):
        Renderer([tmp_path])


def test_schema_part_that_is_not_yaml(tmp_path: Path) -> None:
    (tmp_path / "guest.schema.yaml").write_text("{\n  nope: [\n}")
    with pytest.raises(TemplateError, match=r"guest\.schema\.yaml:3: is not YAML"):
        Renderer([tmp_path])


WORD = {"type": "string", "pattern": "^[a-z]+$", "message": "a word"}
BOX = {"type": "object", "additionalProperties": False, "properties": {"deep": WORD, "other": WORD}}
THING = {
    "description": "Something of one's own.",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys(("kind", "all", "one", "two", "none", "rest"), WORD),
        "box": {"$ref": "#/$defs/box"},
        "case": {"$ref": "#/$defs/box"},
    },
    "$defs": {"box": BOX},
    "variants": {
        "kind": [
            {"is": ["a", "b"], "allows": ["one", "box.deep"], "requires": ["one", "box.deep"]},
            {"is": ["c"], "allows": ["two", "case", "case.deep"], "properties": {"all": {"enum": ["x"]}}},
            {"is": [], "allows": ["none"], "requires": ["all"]},
            {"is": None, "allows": ["rest", "two"]},
        ]
    },
}
THINGS: list[tuple[dict[str, Any], str]] = [
    ({"kind": "a", "one": "x"}, ""),
    ({"kind": "b", "one": "x", "box": {"deep": "x", "other": "x"}}, ""),
    ({"kind": "b", "one": "x", "box": {"other": "x"}}, "thing.box.deep: is missing (kind is a or b)"),
    ({"kind": "a"}, "thing.one: is missing (kind is a or b)"),
    ({"kind": "a", "one": "x", "two": "x"}, "thing.two: is only for kind c or a mapping with kind"),
    ({"kind": "a", "one": "x", "none": "x"}, "thing.none: is only for no kind"),
    ({"kind": "a", "one": "x", "rest": "x"}, "thing.rest: is only for a mapping with kind"),
    ({"kind": "a", "one": "x", "case": {"deep": "x"}}, "thing.case: is only for kind c"),
    ({"kind": "c"}, ""),
    ({"kind": "c", "all": "x", "two": "x", "case": {"deep": "x"}, "box": {"other": "x"}}, ""),
    ({"kind": "c", "all": "y"}, "thing.all: 'y' is not one of x"),
    ({"kind": "c", "one": "x"}, "thing.one: is only for kind a or kind b"),
    ({"kind": "c", "box": {"deep": "x"}}, "thing.box.deep: is only for kind a or kind b"),
    ({"all": "y", "none": "x", "box": {"other": "x"}}, ""),
    ({}, "thing.all: is missing (there is no kind)"),
    ({"all": "x", "one": "x"}, "thing.one: is only for kind a or kind b"),
    ({"all": "x", "box": {"deep": "x"}}, "thing.box.deep: is only for kind a or kind b"),
    ({"all": "x", "case": {"other": "x"}}, "thing.case: is only for kind c"),
    ({"kind": "z"}, ""),
    ({"kind": "z", "rest": "x", "two": "x", "all": "y"}, ""),
    ({"kind": "z", "none": "x"}, "thing.none: is only for no kind"),
    ({"kind": "z", "one": "x"}, "thing.one: is only for kind a or kind b"),
]


def test_variants_of_a_field_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "things").mkdir()
    (tmp_path / "things/thing.schema.yaml").write_text(json.dumps(THING))
    root = {"extends": "shipped/guest.schema.yaml", "properties": {"thing": {"$ref": "things/thing.schema.yaml"}}}
    (tmp_path / "guest.schema.yaml").write_text(json.dumps(root))
    renderer = Renderer([tmp_path])
    said = []
    for thing, _ in THINGS:
        try:
            renderer.context({"name": "a", "thing": thing})
            said.append((thing, ""))
        except GuestError as error:
            said.append((thing, str(error)))
    assert said == [(thing, f"{wrong} [schema]" if wrong else "") for thing, wrong in THINGS]


def test_architecture_of_ones_own(tmp_path: Path) -> None:
    part = {
        "facts": {"names": ["m68k", "68000"], "like": "riscv64", "disk_buses": {"disk": "virtio"}},
        "properties": {"machine": {"default": "virt"}},
    }
    (tmp_path / "m68k.schema.yaml").write_text(json.dumps(part))
    (tmp_path / "m68k.xml.j2").write_text(domain("{{ arch }} {{ machine }}"))
    renderer = Renderer([tmp_path])
    assert renderer.render({"name": "a", "arch": "68000"}) == "<domain><name>a</name>m68k virt</domain>"
    with pytest.raises(GuestError, match=r"features\.gic: is only for (.*) guests, not m68k"):
        renderer.render({"name": "a", "arch": "m68k", "features": {"gic": 3}})
    with pytest.raises(GuestError, match=r"arch: 'm86k' is not one of .*m68k.*did you mean 'm68k'"):
        renderer.render({"name": "a", "arch": "m86k"})


def extending(name: str) -> str:
    return json.dumps({"extends": f"{name}.schema.yaml"})


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ({"guest": "{"}, "guest.schema.yaml:2: is not YAML: "),
        ({"guest": '\n"\\x"'}, "guest.schema.yaml:2: is not YAML: "),
        ({"guest": '{"extends": 5}'}, "guest.schema.yaml:1: is not a schema of guests: extends: 5 is not a string"),
        (
            {"guest": extending("b"), "b": extending("c"), "c": extending("b")},
            "c.schema.yaml:1: can't extend 'b.schema.",
        ),
        ({"guest": extending("b"), "b": extending("guest")}, "b.schema.yaml:1: can't extend 'guest.schema.yaml'"),
        ({"guest": extending("b"), "b": "[]"}, "b.schema.yaml: is not a mapping"),
    ],
)
def test_parts_of_ones_own_that_can_not_be_put_together(parts: dict[str, str], said: str, tmp_path: Path) -> None:
    for name, text in parts.items():
        (tmp_path / f"{name}.schema.yaml").write_text(text)
    with pytest.raises(TemplateError) as raised:
        Renderer([tmp_path])
    assert str(raised.value).startswith(f"{tmp_path}/{said}")


def test_schema_part_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain/cpu.schema.yaml").write_text('{"type": "object", "properties": {"mode": {"enum": ["x"]}}}')
    with pytest.raises(GuestError, match=r"cpu\.mode: 'host-model' is not one of x"):
        rendered(tmp_path, cpu={"mode": "host-model"})


def test_errors_can_be_pickled(tmp_path: Path) -> None:
    (tmp_path / "amd64.xml.j2").write_text("{{ x }}")
    for guest, kind in (({"name": "a"}, TemplateError), ({"name": "/"}, GuestError)):
        with pytest.raises(kind) as raised:
            Renderer([tmp_path]).render(guest)
        copy = pickle.loads(pickle.dumps(raised.value))
        assert (type(copy), str(copy), vars(copy)) == (kind, str(raised.value), vars(raised.value))


def test_renderer_can_be_pickled(tmp_path: Path) -> None:
    (tmp_path / "amd64.xml.j2").write_text(domain())
    assert pickle.loads(pickle.dumps(Renderer([tmp_path]))).render({"name": "a"}) == "<domain><name>a</name></domain>"


def test_renderer_can_be_shared_by_threads() -> None:
    renderer = Renderer()
    guests = [
        {"name": f"g{number}", "arch": ("amd64", "arm64")[number % 2], "disks": [DISK] * (number % 5)}
        for number in range(200)
    ]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(renderer.render, guests)) == list(map(Renderer().render, guests))
