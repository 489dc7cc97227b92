"""``kvmrender import``: files, folders and streams of domain XML to guest files."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run
from hostile import bounded, complaint
from hypothesis import given
from hypothesis import strategies as st

import kvmrender
from kvmrender.fleet.fleet import CHUNK
from kvmrender.reading.guest_text import by_pyyaml, to_json, to_yaml
from kvmrender.reading.parse import from_json, from_yaml

WEB = (ROOT / "fixtures/web-1.xml").read_text()
SHORT = """\
name: web-1
arch: arm64
memory: 4 GiB
vcpu: 2
disks:
  - {source: /var/lib/libvirt/images/web-1.qcow2}
  - {source: /var/lib/libvirt/images/web-1-seed.img}
interfaces:
  - {source: br0, virtualport: openvswitch}
"""
LOSSY = WEB.replace("<os>", "<os shade='1'>")


def named(name: str) -> str:
    return kvmrender.render({"name": name})


def test_a_domain_from_standard_input(run: Run) -> None:
    for arguments in ([], ["-"]):
        result = run("import", *arguments, input=WEB)
        assert (result.stdout, result.stderr, result.exit_code) == (SHORT, "", 0)
    assert run("render", input=SHORT).stdout == WEB


def test_several_in_a_stream(run: Run) -> None:
    result = run("import", input=f"<?xml version='1.0'?>\n{WEB}\n\n{named('b')}")
    assert result.stdout == f"{SHORT}---\nname: b\n"
    assert run("render", input=result.stdout).stdout == WEB + named("b")


def test_json(run: Run) -> None:
    result = run("import", "--format", "json", input=WEB + named("b"))
    first, second = map(json.loads, result.stdout.splitlines())
    assert ([first], second) == (from_yaml(SHORT), {"name": "b"})


def test_full(run: Run) -> None:
    result = run("import", "--full", input=named("b"))
    assert "os: {type: {arch: x86_64, text: hvm}}\n" in result.stdout
    assert run("render", input=result.stdout).stdout == named("b")


def test_namespace(run: Run) -> None:
    xml = kvmrender.render({"name": "a", "namespace": "site"})
    assert run("import", "--namespace", "site", input=xml).stdout == "name: a\nnamespace: site\n"


def test_folder_to_folder(run: Run, tmp_path: Path) -> None:
    source, out = tmp_path / "xml", tmp_path / "out"
    source.mkdir()
    (source / "b.xml").write_text(named("b"))
    (source / "a.xml").write_text(WEB)
    (source / "notes.txt").write_text("no XML")
    result = run("import", "-o", out, source)
    assert (result.stdout, result.stderr) == ("", "2 guests: 2 created, 0 changed, 0 unchanged\n")
    assert {file.name: file.read_text() for file in out.iterdir()} == {"web-1.yaml": SHORT, "b.yaml": "name: b\n"}
    (out / "b.yaml").write_text("")
    assert run("import", "-o", out, source).stderr == "2 guests: 0 created, 1 changed, 1 unchanged\n"
    run("import", "-o", out, "--format", "json", source / "b.xml")
    assert json.loads((out / "b.json").read_text()) == {"name": "b"}


def test_many_are_the_same_and_in_order_whatever_the_number_of_processes(run: Run, tmp_path: Path) -> None:
    for number in range(3 * CHUNK):
        (tmp_path / f"{number:03}.xml").write_text(kvmrender.render({"name": f"guest-{number}"}))
    (tmp_path / "100.xml").write_text("<domain>")
    alone, spread = (run("import", "-j", jobs, str(tmp_path)) for jobs in ("1", "2"))
    assert (alone.output, alone.exit_code) == (spread.output, spread.exit_code)
    assert (alone.stdout.count("---"), alone.exit_code) == (3 * CHUNK - 2, 2)


def test_check_writes_nothing(run: Run, tmp_path: Path) -> None:
    result = run("import", "--check", input=WEB)
    assert (result.stdout, result.stderr, result.exit_code) == ("", "", 0)
    assert run("import", "--check", "-q", "-o", tmp_path / "out", input=WEB).exit_code == 0
    assert not list(tmp_path.iterdir())


def test_what_is_lost_is_told(run: Run) -> None:
    for check in ([], ["--check"]):
        result = run("import", *check, input=f"{WEB}\n{LOSSY}")
        assert result.exit_code == 1
        line = WEB.count("\n") + 2
        assert result.stderr == f"<stdin>:{line}: os/@shade: is not kept: no field has it\n"
    assert run("import", input=LOSSY).stdout == f"# not kept: os/@shade: no field has it\n{SHORT}"


def test_what_went_to_extra_is_told_in_the_file_too(run: Run) -> None:
    result = run("import", input=WEB.replace("</devices>", "<gadget/></devices>"))
    assert (result.exit_code, result.stderr) == (0, "<stdin>:1: devices/gadget: note: went to extra: no field has it\n")
    assert result.stdout == f"# devices/gadget: went to extra: no field has it\n{SHORT}extra: {{devices: <gadget/>}}\n"
    assert run("import", "-q", input=WEB.replace("</devices>", "<gadget/></devices>")).stderr == ""


def test_what_is_no_guest_does_not_keep_the_others(run: Run, tmp_path: Path) -> None:
    files = {"a": WEB, "b": "<network/>", "c": "<domain>", "d": "<domain type='xen'/>", "e": LOSSY, "f": named("web-1")}
    for name, text in files.items():
        (tmp_path / f"{name}.xml").write_text(text)
    result = run("import", "-o", tmp_path / "out", tmp_path, tmp_path / "none.xml")
    assert result.exit_code == 2
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["web-1.yaml"]
    assert result.stderr.replace(f"{tmp_path}/", "").splitlines() == [
        "e.xml:1: os/@shade: is not kept: no field has it",
        "1 guest: 1 created, 0 changed, 0 unchanged",
        "b.xml:1: is no domain, but <network> [import]",
        "c.xml:1: is not well-formed XML: no element found [xml]",
        "d.xml:1: is no domain of kvm, qemu or hvf [import]",
        "none.xml: No such file or directory [file]",
        "e.xml:1: name: another guest is also called 'web-1' [import]",
        "f.xml:1: name: another guest is also called 'web-1' [import]",
    ]


def test_secret_of_a_domain_is_for_the_runner_and_its_group(run: Run, tmp_path: Path) -> None:
    xml = kvmrender.render({"name": "a", "graphics": {"type": "vnc", "passwd": "hush"}})
    run("import", "-o", tmp_path, input=xml + WEB)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) & 0o007 for file in tmp_path.iterdir()}
    assert modes["a.yaml"] == 0
    assert modes["web-1.yaml"] == 4
    assert "hush" in (tmp_path / "a.yaml").read_text()


def test_fields_and_templates_of_ones_own(run: Run, tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "guest.schema.yaml").write_text("""\
extends: shipped/guest.schema.yaml
properties:
  beacons:
    description: Beacons.
    type: array
    items: {$ref: devices/beacon.schema.yaml}
    default: []
""")
    (tmp_path / "devices/beacon.schema.yaml").write_text("""\
title: beacon
description: A device that calls for help.
type: object
shorthand: colour
properties:
  colour:
    description: Its light.
    enum: [red, blue]
    default: red
  power:
    description: Its power in watts.
    facts: {written: lamp/@watts}
    type: integer
additionalProperties: false
""")
    (tmp_path / "domain.xml.j2").write_text("""\
{% extends "shipped/domain.xml.j2" %}
{% block hub %}
{% for device in beacons %}
    <beacon colour="{{ device.colour }}">
{% if device.power is defined %}
      <lamp watts="{{ device.power }}"/>
{% endif %}
    </beacon>
{% endfor %}
{% endblock %}
""")
    guest = "name: a\nbeacons:\n  - {colour: blue, power: 3}\n  - {}\n"
    xml = run("render", "--templates", tmp_path, input=guest).stdout
    assert '<lamp watts="3"/>' in xml
    result = run("import", "--templates", tmp_path, input=xml)
    assert (result.stdout, result.stderr, result.exit_code) == (guest, "", 0)
    assert "extra:" in run("import", input=xml).stdout


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        (b"<domain>" + b"<a>" * 100_000, "64 elements inside one another"),
        (b"<!DOCTYPE a [<!ENTITY a 'ha'>]><a>&a;</a>", "has a DTD"),
        (b"<domain>" + b"<a/>" * 1_000_000, "200,000 elements and attributes"),
        (b"\xff\xfe<\0a\0/\0>\0", "is not well-formed"),
        (b"<domain type='kvm'>" + b"x" * (65 << 20), "--max-size allows more"),
    ],
    ids=[
        "deep",
        "entities",
        "wide",
        "no-text",
        "large",
    ],  # the documents are no names: a child gets them by its environment
)
def test_hostile_document_is_refused_within_bounds(xml: bytes, said: str) -> None:
    assert said in complaint(bounded("import", input=xml))


def test_secrets_are_those_of_a_driver(run: Run) -> None:
    result = run("import", "--with-secrets", input=WEB)
    assert (result.stdout, result.exit_code) == ("", 2)
    assert "--with-secrets requires --connect URI." in result.stderr


TEXTS = """|true|null|~|yes|0x10|1e3|1.5|-5|007|a: b|- a|# x| a|a |a
|a

| a
b|\u2028|é|\x85|a\tb|!x|&a|*a|{|[|%a|@a|`a|'|"|>|?|-|a #b|a:|99999999999999999999|123456789012345678901|12:30:45|=|<<
|\U0001f600|---|...|--- a|\x07|2001-01-01"""


@pytest.mark.parametrize("text", TEXTS.split("|"))
def test_guest_reads_back_whatever_its_texts_are(text: str) -> None:
    guests: list[dict[str, Any]] = [
        {"name": text},
        {"name": [text, text]},
        {"a": {text or "b": {"c": [text, {"d": text}]}}},
        {"a": {"b": {"c": text, "d": {}, "e": [], "f": [None, True, 5]}}},
    ]
    for guest in guests:
        assert from_yaml(to_yaml(guest, [text])) == [guest]
        assert to_yaml(guest) == by_pyyaml(guest)
        assert from_json(to_json(guest)) == guest


KEYS = st.from_regex(r"[a-z][a-zA-Z_]{0,30}", fullmatch=True)
SCALARS = st.none() | st.booleans() | st.integers(-(10**19), 10**19) | st.sampled_from(TEXTS.split("|"))
WORDS = SCALARS | st.text("ab0:-. /,#'é", max_size=130)
VALUES = st.recursive(WORDS, lambda inside: st.lists(inside) | st.dictionaries(KEYS, inside), max_leaves=40)


@given(st.dictionaries(KEYS, VALUES))
def test_what_is_written_without_pyyaml_is_what_it_writes(guest: dict[str, Any]) -> None:
    assert to_yaml(guest) == by_pyyaml(guest)


@pytest.mark.parametrize("file", sorted((ROOT / "fixtures").rglob("*.yaml")), ids=lambda file: str(file.stem))
def test_fixtures_are_written_as_pyyaml_writes_them(file: Path) -> None:
    for guest in from_yaml(file.read_text()):
        assert to_yaml(guest) == by_pyyaml(guest)
        assert from_yaml(to_yaml(guest)) == [guest]


def test_guest_is_written_as_people_do() -> None:
    guest = {
        "name": "a",
        "on_poweroff": "destroy",
        "description": "a\nb\n",
        "disks": [{"source": "/a", "driver": {"discard": "unmap"}}, {"source": f"/{'a' * 100}", "boot": 1}],
        "serials": [],
        "features": {"acpi": True, "smm": "on"},
    }
    assert (
        to_yaml(guest)
        == f"""\
name: a
on_poweroff: destroy
description: |
  a
  b
disks:
  - {{source: /a, driver: {{discard: unmap}}}}
  - source: /{"a" * 100}
    boot: 1
serials: []
features: {{acpi: true, smm: on}}
"""
    )
