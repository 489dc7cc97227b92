"""What a guest says arrives as it was meant, whatever it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, find, parse

import kvmrender
from kvmrender import GuestError
from kvmrender.engine import Engine
from kvmrender.reading.load import read

NASTY = "<a href=\"x\"> & 'b' ]]> &amp; {{ 7 * 7 }} {% raw %} ünï©ødé 漢字 😀 \\ %s"

TEXTS: dict[str, tuple[Any, str]] = {
    "name": ({"name": NASTY.replace("/", "")}, "name"),
    "title": ({"title": NASTY}, "title"),
    "description": ({"description": NASTY}, "description"),
    "loader": ({"os": {"loader": f"/{NASTY}"}}, "os/loader"),
    "nvram": ({"os": {"firmware": "efi", "nvram": f"/{NASTY}"}}, "os/nvram"),
    "nvram template": ({"os": {"firmware": "efi", "nvram": {"template": f"/{NASTY}"}}}, "os/nvram@template"),
    "cpu model": ({"cpu": {"mode": "custom", "model": NASTY}}, "cpu/model"),
    "disk file": ({"disks": [{"source": {"file": f"/{NASTY}"}, "driver": "raw"}]}, "devices/disk/source@file"),
    "disk dev": ({"disks": [{"source": {"dev": f"/{NASTY}"}}]}, "devices/disk/source@dev"),
    "network": ({"interfaces": [{"source": {"network": NASTY}}]}, "devices/interface/source@network"),
    "serial path": ({"serials": [{"source": {"path": f"/{NASTY}"}}]}, "devices/serial/source@path"),
    "tty": ({"consoles": [{"tty": f"/{NASTY}"}]}, "devices/console@tty"),
}


@pytest.mark.parametrize(("guest", "path"), TEXTS.values(), ids=TEXTS)
def test_text_comes_back_unchanged(guest: dict[str, Any], path: str) -> None:
    xml = kvmrender.render({"name": "a", **guest})
    element, _, attribute = path.partition("@")
    found = find(xml, element)
    value = found.get(attribute) if attribute else found.text
    assert value is not None
    assert NASTY.replace("/", "") in value.replace("/", "")


@pytest.mark.parametrize("char", ["\t", "\n", "\r", "\r\n", "\x85", "\u2028", "\ufeff"])
def test_white_space_comes_back_unchanged(char: str) -> None:
    """A parser gives a bare newline of an attribute back as a space, and a bare carriage return as a newline."""
    text = f"a{char}b"
    assert find(kvmrender.render({"name": "a", "description": text}), "description").text == text


def test_white_space_of_an_attribute_is_written_as_references(tmp_path: Path) -> None:
    (tmp_path / "amd64.xml.j2").write_text(
        '<domain><name>a</name><b b="{{ vars.b }}"/><c {{ vars | attributes("b") }}>{{ vars.b }}</c></domain>'
    )
    xml = kvmrender.Renderer([tmp_path]).render({"name": "a", "vars": {"b": "1\t2\n3\r4"}})
    assert xml == (
        '<domain><name>a</name><b b="1&#9;2&#10;3&#13;4"/><c  b="1&#9;2&#10;3&#13;4">1&#9;2&#10;3&#13;4</c></domain>'
    )


def test_texts_stand_for_numbers_too() -> None:
    """A text that patterns take for a number is none yet."""
    serials = [{"target": "0"}, {"target": {"port": "1"}}]
    assert kvmrender.render({"name": "a", "serials": serials}) == kvmrender.render(
        {"name": "a", "serials": [{"target": {"port": 0}}, {"target": {"port": 1}}]}
    )


AS_WRITTEN = """\
name: 0123
title: on
description: 1.10
vcpu: "2"
memory: "2048"
os: {type: hvm, boot: hd}
disks:
  - source: /a.qcow2
    serial: 0123
    address: {type: pci, bus: 0x05, slot: 0x1f, multifunction: true}
interfaces:
  - source: br0
    mac: 52:54:00:12:34:56
serials: {target: {port: 0}}
"""


def test_scalars_arrive_as_written(run: Run) -> None:
    xml = run("render", input=AS_WRITTEN).stdout
    for path, value in {
        "name": "0123",
        "title": "on",
        "description": "1.10",
        "vcpu": "2",
        "memory": "2048",
        "os/type": "hvm",
        "devices/disk/serial": "0123",
    }.items():
        assert find(xml, path).text == value
    assert find(xml, "os/boot").attrib == {"dev": "hd"}
    assert find(xml, "devices/interface/mac").attrib == {"address": "52:54:00:12:34:56"}
    address = {"type": "pci", "bus": "0x05", "slot": "0x1f", "multifunction": "on"}
    assert find(xml, "devices/disk/address").attrib == address
    assert find(xml, "devices/serial/target").attrib == {"port": "0"}


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("off", "off"),
        ("~", "~"),
        ("True", "True"),
        ("NULL", "NULL"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("010", "010"),
        ("1_000", "1_000"),
        ("+1", "+1"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("12:30:45", "12:30:45"),
        ("2001-12-14", "2001-12-14"),
        ("<<", "<<"),
        ("=", "="),
        ('"1"', "1"),
        ("!!str 1", "1"),
        ("! 1", "1"),
        ('"true"', "true"),
        ("1", 1),
        ("-7", -7),
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("99999999999999999999999", "99999999999999999999999"),
    ],
)
def test_only_plain_words_and_integers_are_special(written: str, value: object) -> None:
    (document,) = read("guest.yaml", f"key: {written}\n".encode())
    assert document.guest == {"key": value}
    assert type(document.guest["key"]) is type(value)


def test_json_numbers_are_as_written() -> None:
    (document,) = read("guest.json", b'{"a": 1.10, "b": 1, "c": 1e3, "d": 123456789012345678901234567890}')
    assert document.guest == {"a": "1.10", "b": 1, "c": "1e3", "d": "123456789012345678901234567890"}


def test_json_from_standard_input(run: Run) -> None:
    xml = run("render", input='{"name": "a", "title": "\\ud83d\\ude00", "disks": []}').stdout
    assert find(xml, "title").text == "😀"


def test_byte_order_mark_is_no_part_of_the_guest() -> None:
    assert read("guest.yaml", b"\xef\xbb\xbfname: a\n")[0].guest == {"name": "a"}


def test_anchors_and_aliases(run: Run) -> None:
    text = "name: a\ndisks:\n  - &disk {source: /a.qcow2, readonly: true}\n  - *disk\n"
    xml = run("render", input=text).stdout
    assert [disk.get("file") for disk in parse(xml).iter("source")] == ["/a.qcow2", "/a.qcow2"]


def test_several_documents_and_files(tmp_path: Path, run: Run) -> None:
    (tmp_path / "one.yaml").write_text("name: a\n---\nname: b\n")
    (tmp_path / "two.json").write_text('{"name": "c"}')
    xml = run("render", tmp_path / "one.yaml", tmp_path / "two.json").stdout
    domains = parse(f"<all>{xml}</all>")
    assert [domain.findtext("name") for domain in domains] == ["a", "b", "c"]


def test_a_string_that_calls_itself_safe_is_escaped() -> None:
    from markupsafe import Markup

    assert find(kvmrender.render({"name": "a", "title": Markup("<b/>")}), "title").text == "<b/>"


def test_raw_xml_stands_where_it_belongs() -> None:
    extra = {"domain": "<on_crash>restart</on_crash>\n<!-- <a> -->", "devices": "<memballoon model='none'/>"}
    xml = kvmrender.render({"name": "a", "extra": extra})
    assert find(xml, "on_crash").text == "restart"
    assert find(xml, "devices/memballoon").attrib == {"model": "none"}


@pytest.mark.parametrize("raw", ["<!-- <{} -->", "<{}/>", "<{} a=''/>", "<![CDATA[ <{} ]]>", "<?x <{} ?>", "<{}></{}>"])
@pytest.mark.parametrize(("field", "parent"), [("metadata", "metadata"), ("devices", "devices"), ("domain", "domain")])
def test_raw_xml_that_ends_like_its_parents_start_stays_as_it_is(raw: str, field: str, parent: str) -> None:
    raw = raw.replace("{}", parent)
    guest = {"name": "a", **({field: raw} if field == "metadata" else {"extra": {field: raw}})}
    xml = kvmrender.render(guest)
    assert raw in xml
    assert find(xml, "name").text == "a"
    assert Engine().observed(guest).xml == xml


@pytest.mark.parametrize("text", ["\n", "\n  ", "\t", " ", "\r\n "])
def test_text_of_white_space_is_not_taken_for_layout(text: str) -> None:
    assert find(kvmrender.render({"name": "a", "description": text}), "description").text == text


def test_vars_reach_the_template_untouched(tmp_path: Path) -> None:
    (tmp_path / "amd64.xml.j2").write_text(
        "<domain><name>a</name>{% for key, value in vars.items() %}{{ key }}={{ value }};{% endfor %}</domain>"
    )
    guest = {"name": "a", "vars": {"n": None, "yes": True, "f": 1.5, "g": "<"}, "uuid": None}
    found = kvmrender.Renderer([tmp_path]).render(guest)
    assert found == "<domain><name>a</name>n=None;yes=True;f=1.5;g=&lt;;</domain>"


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"anything": 5}, {"anything": 5}),
        ({"anything": {"a": [1]}}, {"anything": {"a": [1]}}),
        ({"port": True}, {"port": "on"}),
        ({"port": "off"}, {"port": "off"}),
        ({"count": 2}, {"count": "2"}),
    ],
)
def test_fields_of_ones_own_are_taken_as_their_schema_says(given: Any, taken: Any, tmp_path: Path) -> None:
    own = {"anything": {}, "port": {"enum": ["on", "off"]}, "count": {"enum": ["1", "2"]}}
    described = {name: {"description": name, **rules} for name, rules in own.items()}
    part = {"extends": "shipped/guest.schema.yaml", "properties": described}
    (tmp_path / "guest.schema.yaml").write_text(json.dumps(part))
    context = kvmrender.Renderer([str(tmp_path)]).context({"name": "a", **given})
    assert {name: context[name] for name in given} == taken


@pytest.mark.parametrize("shorthand", ["text", {"": "text"}])
def test_quantities_of_ones_own_are_quantities_in_short_form_too(shorthand: Any, tmp_path: Path) -> None:
    properties = {name: {"type": "string", "description": name} for name in ("unit", "text")}
    size = {"description": "size", "type": "object", "format": "memory", "shorthand": shorthand}
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"size": {**size, "properties": properties}}}
    (tmp_path / "guest.schema.yaml").write_text(json.dumps(part))
    context = kvmrender.Renderer([str(tmp_path)]).context({"name": "a", "size": "2 GiB"})
    assert context["size"] == {"unit": "MiB", "text": "2048"}


def test_usb_device_of_the_host_that_is_an_interface_is_on_usb() -> None:
    source = {"address": {"type": "usb", "bus": 1, "device": 2}}
    interface = {"type": "hostdev", "source": source, "address": {"type": "usb", "bus": 0, "port": 1}}
    usb = [{"type": "usb", "index": 0, "model": "qemu-xhci"}]
    for arch in ("amd64", "arm64", "riscv64", "ppc64le"):
        guest = {"name": "a", "arch": arch, "interfaces": [interface]}
        assert '<address type="usb" bus="0" port="1"/>' in kvmrender.render({**guest, "controllers": usb})
        with pytest.raises(GuestError, match=r"pci.*is not an address type of this device: it is usb"):
            kvmrender.render({**guest, "interfaces": [{**interface, "address": {"type": "pci"}}]})
