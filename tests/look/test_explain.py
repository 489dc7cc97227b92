"""``kvmrender explain``: what is said of fields is so, and the template that is named writes them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from xml.parsers import expat

import pytest
import yaml
from conftest import ROOT, Run

from kvmrender.engine import Engine
from kvmrender.errors import Path as FieldPath
from kvmrender.look.explain import example
from kvmrender.look.fields_page import cell, fields_page
from kvmrender.schema.field_facts import Field, field_at, whole
from kvmrender.schema.guest_schema import all_fields
from kvmrender.schema.xml_path import guest_path
from kvmrender.templating.lines import Place
from kvmrender.templating.used_fields import NOT_WRITTEN
from kvmrender.workbench.field_templates import writers
from kvmrender.workbench.trial_rendering import fixtures

RENDERER = Engine()
ROOT_NODE = RENDERER.schema.root
FIELDS = set(all_fields(ROOT_NODE, ROOT_NODE))


def test_field(run: Run) -> None:
    assert run("explain", "disks.driver.cache").stdout == (
        """\
disks[].driver.cache  <word>

  How the host's page cache is used.

  values     default, none, writethrough, writeback, directsync, unsafe
  default    it is left out
  shorthand  none
  since      libvirt 9.0 or earlier
  libvirt    https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms
  template   devices/disk/driver.xml.j2:2
"""
    )


@pytest.mark.parametrize("written", ["disks[0].driver.cache", "disks[].driver.cache", "disks[12].driver.cache"])
def test_positions_in_lists_may_be_given(written: str, run: Run) -> None:
    assert run("explain", written).stdout == run("explain", "disks.driver.cache").stdout


@pytest.mark.parametrize(
    ("path", "fact", "said"),
    [
        ("disks.driver", "shorthand", "driver: VALUE means driver: {type: VALUE}"),
        ("disks.driver.type", "shorthand", "driver: VALUE means driver: {type: VALUE}"),
        (
            "disks.source",
            "shorthand",
            "source: VALUE means source: {dev: VALUE} if VALUE matches ^/dev/; source: VALUE means source: {file:",
        ),
        ("features.acpi", "shorthand", "acpi: true means acpi: {}, and false leaves it out"),
        ("memory", "shorthand", "memory: 512 and memory: 512 MiB mean memory: {unit: MiB, text: 512}"),
        (
            "watchdogs",
            "shorthand",
            "watchdogs: VALUE means watchdogs: {model: VALUE}; one alone may stand without the list",
        ),
        ("memory", "default", "derived from NUMA cells and memory modules where cpu has numa; else 512 MiB"),
        ("disks.driver.name", "default", "qemu"),
        ("name", "default", "it must be given"),
        (
            "features.acpi",
            "default",
            "true on amd64 and loongarch64; derived from machine virt and UEFI, which ACPI needs on arm64",
        ),
        (
            "features.gic",
            "default",
            "derived from machine virt and the type: {version: host} for kvm, else {version: '3'} on arm64",
        ),
        ("os.loader.readonly", "default", "yes where text is given on arm64 and loongarch64"),
        ("disks.type", "default", "file where source has file; block where source has dev; dir"),
        ("graphics.autoport", "default", "yes where type is spice"),
        ("uuid", "default", "derived from namespace and name"),
        ("disks.driver.queues", "values", "from 1 to 4294967295"),
        ("disks.driver.ioeventfd", "values", "on, off (or true, false)"),
        ("disks.source.file", "values", "an absolute path, such as /var/lib"),
        ("controllers.target.busNr", "values", "from 1 to 254"),
        ("disks.driver.discard_no_unref", "since", "libvirt 9.5.0"),
        ("disks.driver.iothreads.iothread.id", "since", "libvirt 10.0.0"),
        ("disks.type", "since", "libvirt 9.0 or earlier (vhostvdpa: 9.8.0)"),
        ("disks.target.bus", "since", "libvirt 9.0 or earlier (nvme: 11.5.0)"),
        ("disks.source.file", "only", "where disks.type is file"),
        ("disks.rawio", "only", "where device is lun"),
        ("features.gic", "only", "on arm64"),
        ("graphics.passwd", "secret", "shown nowhere but in the XML"),
        ("disks.address", "libvirt", "https://libvirt.org/formatdomain.html#device-addresses"),
        ("vcpu", "libvirt", "https://libvirt.org/formatdomain.html#cpu-allocation"),
        ("interfaces.source", "template", "devices/interface/hostdev.xml.j2:2, devices/interface/source.xml.j2:3"),
        ("disks", "template", "devices/disk.xml.j2:2"),
        ("machine", "template", "none: other fields follow from it"),
        ("vars", "template", "none: it is for templates of one's own"),
    ],
)
def test_facts(path: str, fact: str, said: str, run: Run) -> None:
    shown = " ".join(run("explain", path).stdout.partition("fields:\n")[0].split())
    assert f" {fact} {said}" in shown


def test_fields_in_a_field(run: Run) -> None:
    flat, deep = (run("explain", "disks.source", *more).stdout.partition("fields:\n")[2] for more in ((), ("-r",)))
    assert "    host  <list of mappings>  Servers.\n" in flat
    assert "transport" not in flat
    assert "    host  <list of mappings>  Servers.\n      name  <text>  " in deep


def test_tree_has_every_field(run: Run) -> None:
    """Those that several elements share once, where they are said to be elsewhere."""
    shown: set[FieldPath] = set()
    same: dict[FieldPath, FieldPath] = {}
    path: FieldPath = ()
    for line in run("explain").stdout.splitlines():
        depth = (len(line) - len(line.lstrip())) // 2
        path = (*path[:depth], line.split()[0])
        shown.add(path)
        if " (as in " in line:
            same[path] = tuple(line.rpartition(" (as in ")[2].rstrip(")").replace("[]", "").split("."))

    def home(field: FieldPath) -> FieldPath:
        for _ in field:
            for end in range(1, len(field)):
                if field[:end] in same:
                    field = (*same[field[:end]], *field[end:])
        return field

    assert {home(field) for field in FIELDS} <= shown
    assert shown <= FIELDS


def each_field(above: Field, known: set[FieldPath]) -> list[Field]:
    found = [child for child in above.children() if child.path in known]
    return found + [below for child in found for below in each_field(child, known)]


def test_every_field_is_explained() -> None:
    found = each_field(whole(RENDERER.schema), FIELDS)
    assert {field.path for field in found} == FIELDS
    poor = [field.name for field in found if not (field.description and field.values and field.kind != "anything")]
    assert poor == []
    assert all(field_at(RENDERER.schema, field.name).path == field.path for field in found)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("disks.drivr", "disks.drivr: 'drivr' is not a field of disks (did you mean 'driver'?)\n"),
        ("memroy", "memroy: 'memroy' is not a field of a guest (did you mean 'memory'?)\n"),
        ("tpms.version", "tpms.version: 'version' is not a field of tpms (did you mean 'tpms.backend.version'?)\n"),
        ("disks.readonly.x", "disks.readonly.x: disks[].readonly has no fields in it\n"),
        ("clock.timer.zzz", "clock.timer.zzz: 'zzz' is not a field of clock.timer (known keys: name, "),
    ],
)
def test_unknown_field(path: str, message: str, run: Run) -> None:
    result = run("explain", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(message)


@pytest.mark.parametrize(
    ("word", "first", "shown"),
    [
        (
            "cache",
            "these have 'cache' in their names:",
            "disks[].driver.cache  <default, none",
        ),
        (
            "firmware",
            "these have 'firmware' in their names:",
            "os.firmware  <mapping>",
        ),
        ("writeback", "these take 'writeback' as a value:", "disks[].driver.cache  <default, none"),
        ("virtio-scsi", "these take 'virtio-scsi' as a value:", "controllers[].model  <word>"),
        ("host-passthrough", "these take 'host-passthrough' as a value:", "cpu.mode  <custom"),
        ("efi", "these take 'efi' as a value:", "os.firmware.type  <bios, efi>"),
        ("windows-11", "these take 'windows-11' as a value:", "use  <list of words>"),
        ("fragment", "these have 'fragment' in their descriptions:", "ufo  <boolean>"),
    ],
)
def test_word_that_is_no_path_is_searched_for(word: str, first: str, shown: str, run: Run) -> None:
    result = run("explain", word)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"{word} is no field of a guest; {first}\n\n")
    assert shown in result.stdout


def test_names_that_are_the_word_come_before_those_that_have_it(run: Run) -> None:
    names = [line.split()[0].rpartition(".")[2] for line in run("explain", "cache").stdout.splitlines()[2:]]
    same = [name.removesuffix("[]") == "cache" for name in names]
    assert same == sorted(same, reverse=True)
    assert not all(same)


def test_many_that_are_found_are_counted(run: Run) -> None:
    lines = run("explain", "the").stdout.splitlines()
    assert len(lines) == 43
    assert re.fullmatch(r"  … and \d+ more", lines[-1])


def test_few_values_are_shown_in_the_list_of_fields(run: Run) -> None:
    shown = run("explain", "cpu").stdout
    assert "    match  <minimum, exact, strict>  " in shown
    assert "    migratable  <boolean>  " in shown
    assert "    type  <word>  Type of the source" in run("explain", "disks").stdout


def test_devices_and_sections_have_an_example_that_renders(run: Run) -> None:
    for field in whole(RENDERER.schema).children():
        if "mapping" in field.kind and field.name not in ("vars", "extra"):
            text = example(field.name)
            assert list(yaml.safe_load(text)) == [field.name], field.name
    shown = run("explain", "watchdogs").stdout
    assert "  example:\n    watchdogs:\n      - model: " in shown
    assert "example:" not in run("explain", "disks.source").stdout
    assert "example:" not in run("explain", "name").stdout


def test_every_field_has_a_template() -> None:
    written = set(writers(RENDERER))
    assert {field for field in FIELDS - written if field[0] not in (*NOT_WRITTEN, "vars")} == set()
    assert {field[0] for field in FIELDS - written} == {*NOT_WRITTEN, "vars"}


def in_fixtures() -> dict[FieldPath, set[Place]]:
    """The fields of the fixtures' XML, each with the places of the templates that were seen to write it."""
    found: dict[FieldPath, set[Place]] = {}
    for document in fixtures():
        if "extra" in document.guest:
            continue  # it is raw XML, which has fields' names and is not theirs
        _, xml, places, _ = RENDERER.observed(document.guest)
        path: list[str | int] = []
        counts = [Counter[str]()]
        parser = expat.ParserCreate()

        def note(path: list[str | int], line: int, name: str = "", places: list[Place | None] = places) -> None:
            field = tuple(step for step in guest_path(ROOT_NODE, tuple(path)) if isinstance(step, str))
            place = places[line - 1]
            if (field := (*field, name) if name else field) in FIELDS and place:
                found.setdefault(field, set()).add(place)

        def start(name: str, attributes: dict[str, str], path=path, counts=counts, parser=parser, note=note) -> None:
            if len(counts) > 1:
                counts[-1][name] += 1
                path += [name, counts[-1][name]]
                note(path, parser.CurrentLineNumber)
            counts.append(Counter())
            for attribute in attributes:
                note(path, parser.CurrentLineNumber, attribute)

        def end(_: str, path=path, counts=counts) -> None:
            counts.pop()
            del path[-2:]

        def text(data: str, path=path, parser=parser, note=note) -> None:
            if data.strip():
                note(path, parser.CurrentLineNumber, "text")

        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
        parser.Parse(xml.encode(), True)
    return found


def test_templates_are_those_that_write_the_fixtures() -> None:
    """Held against the lines of the fixtures' XML, each of which knows the line of the template that wrote it."""
    said, seen = writers(RENDERER), in_fixtures()
    seen[("controllers", "model")] = set(said["controllers", "model"])  # an attribute; the element is model_name
    seen[("graphics", "listen")] = set(said["graphics", "listen"])  # an element; the attribute is listen_address
    assert len(seen) > 1700
    assert {field: places for field, places in seen.items() if not places <= set(said[field])} == {}
    # The other way round: no other place is named, but for what no fixture does.
    unseen = {field for field, places in seen.items() if set(said[field]) - places}
    recursive = ("disks", "source", "dataStore", "source")  # it is written as the source that it is in is
    assert unseen == {("os", "nvram", "format"), ("os", "nvram", "templateFormat"), recursive}


def template(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_templates_of_ones_own(tmp_path: Path, run: Run) -> None:
    rack = {"rack": {"description": "The rack.", "type": "string"}}
    template(tmp_path, "guest.schema.yaml", json.dumps({"extends": "shipped/guest.schema.yaml", "properties": rack}))
    domain = template(
        tmp_path,
        "domain.xml.j2",
        '{% extends "shipped/domain.xml.j2" %}\n{% block title %}\n{{ super() }}\n<a>{{ rack }}</a>{% endblock %}\n',
    )
    watchdog = template(tmp_path, "devices/watchdog.xml.j2", '\n\n<watchdog model="{{ device.model }}"/>\n')
    shown = {
        path: run("explain", "--templates", tmp_path, path).stdout.rpartition("  template   ")[2].split("\n")[0].strip()
        for path in ("rack", "title", "watchdogs.model", "watchdogs.action", "disks.driver.cache")
    }
    assert shown == {
        "rack": f"{domain}:4",
        "title": "domain.xml.j2:23",
        "watchdogs.model": f"{watchdog}:3",
        "watchdogs.action": "none",
        "disks.driver.cache": "devices/disk/driver.xml.j2:2",
    }
    assert "The rack." in run("explain", "--templates", tmp_path).stdout


@pytest.mark.parametrize(
    "text",
    [
        '<watchdog model="{{ device["model"] }}"/>',
        '<watchdog {% for key, value in device.items() %} {{ key }}="{{ value }}"{% endfor %}/>',
        '{% macro tag(it) %}<watchdog model="{{ it.model }}"/>{% endmacro %}{{ tag(device) }}',
        '{% from "macros.xml.j2" import tag %}{{ tag(it=device) }}',
        '{% import "macros.xml.j2" as macros %}{{ macros.tag(device) }}',
        '{% set it = device %}<watchdog{{ it | attributes("model") }}/>',
        '{% set name = "model" %}<watchdog model="{{ device[name] | upper }}"/>',
        '{% if device.model == "ib700" %}<watchdog model="ib700"/>{% endif %}',
        '<watchdog {% for key in ("model", "action") if key in device %}{{ key }}="{{ device[key] }}"{% endfor %}/>',
        '<watchdog model="{{ device.model if device.model is defined else "x" }}"/>',
        '<watchdog model="{{ device.get("model") }}"/>',
        '{% for one in domain.watchdogs %}<watchdog model="{{ one.model }}"/>{% endfor %}',
    ],
)
def test_ways_to_write_a_template(text: str, tmp_path: Path) -> None:
    macros = template(tmp_path, "macros.xml.j2", '{% macro tag(it) %}<watchdog model="{{ it.model }}"/>{% endmacro %}')
    own = template(tmp_path, "devices/watchdog.xml.j2", text)
    found = writers(Engine([tmp_path]))
    wanted = macros if "macros.xml.j2" in text else own
    assert [(file, line) for file, line in found["watchdogs", "model"]] == [(str(wanted), 1)]
    assert found["watchdogs",] == [(str(wanted), 1)]


@pytest.mark.parametrize("text", ["{% if %}", "{{ device.nothing }}", '{% include "gone.xml.j2" %}', "{{ device"])
def test_templates_that_are_wrong_are_no_reason_to_explain_nothing(text: str, tmp_path: Path, run: Run) -> None:
    template(tmp_path, "devices/watchdog.xml.j2", text)
    result = run("explain", "--templates", tmp_path, "watchdogs.model")
    assert result.exit_code == 0
    assert "template   none" in result.stdout


PAGES = {path.name: path.read_text() for path in sorted((ROOT / "docs/fields").glob("*.md"))}
LINKS = re.findall(r"^\| `(.*)` \| \[.*\]\((.*\.md)\) \|", PAGES["index.md"], re.MULTILINE)


def test_list_of_fields_is_not_stale_and_links_all_pages(run: Run) -> None:
    assert run("explain", "--markdown").stdout == PAGES["index.md"], "tests/make_docs"
    assert sorted(["index.md", *(page for _, page in LINKS)]) == sorted(PAGES)


@pytest.mark.slow
def test_page_of_a_field_is_not_stale(run: Run) -> None:
    engine = Engine()
    for field, page in LINKS:
        assert fields_page(engine, field) == PAGES[page], "tests/make_docs"
    assert run("explain", "--markdown", "pm").stdout == PAGES["pm.md"]


def test_pages_of_fields_have_all_fields_and_each_link_leads_to_one() -> None:
    rows = {row.split("`")[1] for page in PAGES.values() for row in page.splitlines() if row.startswith("| `")}
    assert rows == {field[-1] for field in FIELDS}
    for name, page in PAGES.items():
        for file, anchor in re.findall(r"\]\(([\w.-]*)#([^)]*)\)", page):
            assert f'<a id="{anchor}"></a>' in PAGES[file or name], (name, anchor)


@pytest.mark.parametrize(
    ("field", "hint"), [("dsks", " (did you mean 'disks'?)"), ("name", " (did you mean 'nvram'?)")]
)
def test_field_that_has_no_page(field: str, hint: str, run: Run) -> None:
    result = run("explain", "--markdown", field)
    said = f"{field}: is no mapping or list of mappings at the top of a guest{hint}\n"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said)


def test_cells_of_the_page_of_fields_are_text() -> None:
    assert cell("a | b <c> *d* \\e") == "a \\| b &lt;c> \\*d\\* \\\\e"


@pytest.mark.parametrize(
    ("field", "where"),
    [
        ("disks.backingStore.format", "it must be given where type is file, block, dir, volume"),
        ("disks.source.host.name", "it must be given where transport is tcp or rdma or is not given"),
        ("memory", ""),
        ("name", "it must be given"),
    ],
)
def test_field_that_must_be_given_says_where(field: str, where: str, run: Run) -> None:
    said = " ".join(run("explain", field).stdout.split())
    assert (f" default {where}" in said) if where else ("it must be given" not in said)
