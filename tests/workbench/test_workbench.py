"""What people who edit templates work with: folders, commands, messages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run, find
from guests import some

from kvmrender import GuestError, TemplateError
from kvmrender.engine import Engine
from kvmrender.reading.documents import Document
from kvmrender.reading.load import read
from kvmrender.shipped import shipped_templates
from kvmrender.workbench.template_check import Templates
from kvmrender.workbench.trial_rendering import Faults, findings, fixtures

SHIPPED = shipped_templates()
WITH_HUBS = ROOT / "fixtures/devices/redirdev.yaml"
LINE_OF_DISKS = (SHIPPED / "domain.xml.j2").read_text().partition('"devices/disk.xml.j2"')[0].count("\n") + 1
GUEST = {"name": "a", "disks": [{"source": "/a.qcow2", "driver": {"cache": "none"}}]}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site/devices").mkdir(parents=True)
    return tmp_path / "site"


def disk(site: Path, text: str) -> Path:
    (site / "devices/disk.xml.j2").write_text(text)
    return site


MINIMAL = (
    '    <disk type="{{ device.type }}">\n      <target{{ device.target | attributes("dev", "bus") }}/>\n    </disk>\n'
)


def test_folders_by_option_and_environment(
    site: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk(site, MINIMAL)
    other = tmp_path / "other"
    other.mkdir()
    (other / "amd64.xml.j2").write_text(
        '{% extends "shipped/amd64.xml.j2" %}{% block title %}<title>o</title>{% endblock %}'
    )
    guest = json.dumps(GUEST)
    by_option = run("render", "--templates", site, "--templates", other, input=guest)
    monkeypatch.setenv("KVMRENDER_TEMPLATES", f"{site}:{other}")
    by_environment = run("render", input=guest)
    assert by_option.stdout == by_environment.stdout
    assert find(by_option.stdout, "title").text == "o"
    assert find(by_option.stdout, "devices/disk").find("source") is None


def test_list_says_where_each_comes_from_and_what_it_overrides(site: Path, tmp_path: Path, run: Run) -> None:
    disk(site, MINIMAL)
    (site / "i686.schema.yaml").write_text('{"facts": {"names": ["i686"]}}')
    lines = [re.split("  +", line) for line in run("templates", "list", "--templates", site).stdout.splitlines()]
    rows = dict(lines)
    assert rows["devices/disk.xml.j2"] == f"{site} overrides shipped"
    assert rows["devices/disk.schema.yaml"] == "shipped"
    assert rows["i686.schema.yaml"] == str(site)
    assert list(rows) == sorted(rows)


def test_show(site: Path, run: Run) -> None:
    disk(site, MINIMAL)
    assert run("templates", "show", "--templates", site, "devices/disk.xml.j2").stdout == MINIMAL
    shown = run("templates", "show", "--templates", site, "shipped/devices/disk.xml.j2").stdout
    assert shown == (SHIPPED / "devices/disk.xml.j2").read_text()
    result = run("templates", "show", "devices/disks.xml.j2")
    assert (result.exit_code, result.stderr) == (
        2,
        "devices/disks.xml.j2: is not in any template folder (did you mean 'devices/disk.xml.j2'?)\n",
    )


def test_copy_starts_an_override_and_overwrites_nothing(tmp_path: Path, run: Run) -> None:
    folder, file = tmp_path / "new", tmp_path / "new/devices/disk.xml.j2"
    result = run("templates", "copy", "devices/disk.xml.j2", folder)
    assert (result.exit_code, result.stderr) == (0, f"{file}: edit it, and render with --templates {folder}\n")
    assert file.read_bytes() == (SHIPPED / "devices/disk.xml.j2").read_bytes()
    file.write_text("mine")
    result = run("templates", "copy", "devices/disk.xml.j2", folder)
    assert (result.exit_code, result.stderr) == (2, f"{file}: already exists, and is not overwritten\n")
    assert file.read_text() == "mine"
    assert run("templates", "copy", "../README.md", folder).exit_code == 2


def test_field_of_ones_own_is_checked_and_completed_like_the_shipped_ones(site: Path, run: Run) -> None:
    field = {"rack": {"description": "Where it is.", "enum": ["r1", "r2"], "default": "r1"}}
    (site / "guest.schema.yaml").write_text(json.dumps({"extends": "shipped/guest.schema.yaml", "properties": field}))
    (site / "domain.xml.j2").write_text(
        '{% extends "shipped/domain.xml.j2" %}\n{% block name %}\n{{ super() }}  <!-- {{ rack }} -->\n{% endblock %}\n'
    )
    assert "<name>a</name>\n  <!-- r1 -->\n" in run("render", "--templates", site, input="name: a\n").stdout
    assert run("render", "--templates", site, input="name: a\nrack: r3\n").stderr == (
        "<stdin>:2:7: rack: 'r3' is not one of r1, r2 [schema]\n"
    )
    assert "did you mean 'rack'?" in run("render", "--templates", site, input="name: a\nrak: r1\n").stderr
    schema = json.loads(run("schema", "--templates", site).stdout)
    assert '"enum": ["r1", "r2"]' in json.dumps(schema["properties"]["rack"])
    assert run("templates", "check", site).stderr == ""


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ('{"extends": "guest.schema.yaml"}', "guest.schema.yaml:1: can't extend 'guest.schema.yaml': guest.schema.yaml extends guest.schema.yaml (did you mean shipped/guest.schema.yaml?)"),
        ('{"extends": "shipped/gest.schema.yaml"}', "shipped/gest.schema.yaml: is not in any template folder"),
        ("[]", "guest.schema.yaml: is not a mapping"),
        ('{"properties": {"a": {"type": "nope"}}}', "is not a schema of guests: "),
        ('{"extends": "shipped/guest.schema.yaml", "properties": {"a": {"$ref": "b.schema.yaml"}}}', "b.schema.yaml: is not in any template folder"),
        ('{"extends": "shipped/guest.schema.yaml", "properties": {"a": {"$ref": "#/$defs/none"}}}', "is not a schema of guests: "),
    ],
)  # fmt: skip
def test_bad_schema_part(part: str, said: str, site: Path, run: Run) -> None:
    (site / "guest.schema.yaml").write_text(part)
    result = run("render", "--templates", site, input="name: a\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_folder_that_is_not_there(run: Run) -> None:
    for command in (["render"], ["templates", "list"], ["schema"]):
        result = run(*command, "--templates", "/nowhere", input="name: a\n")
        assert (result.exit_code, result.stderr) == (2, "/nowhere: is not a template folder\n")
    assert run("templates", "check", "/nowhere").exit_code == 2


# Nothing silently ignored


def test_strict_names_the_value_and_the_template_that_ignores_it(site: Path, run: Run) -> None:
    disk(site, MINIMAL)
    guest = "name: a\ndisks:\n- source: /a.qcow2\n  driver: {cache: none}\n"
    assert run("render", "--templates", site, input=guest).exit_code == 0
    result = run("render", "--strict", "--templates", site, input=guest)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"<stdin>:3:11: disks[0].source: was given, but {site}/devices/disk.xml.j2 does not use it [unused]\n"
        f"<stdin>:4:11: disks[0].driver: was given, but {site}/devices/disk.xml.j2 does not use it [unused]\n"
    )


@pytest.mark.parametrize(
    ("written", "left"),
    [
        ("{{ vars.get('a') }}", "b"),
        ("{{ vars.get('c', 1) }}{{ vars.get('b') }}", "a"),
        ("{% for key, value in vars.items() %}{{ value }}{% endfor %}", None),
        ("{% for value in vars.values() %}{{ value }}{% endfor %}", None),
        ("{% if 'a' in vars %}{{ vars['b'] }}{% endif %}", "a"),
    ],
)
def test_strict_notices_each_way_to_read_a_value(written: str, left: str | None, site: Path, run: Run) -> None:
    (site / "amd64.xml.j2").write_text(
        f"{{% extends 'shipped/amd64.xml.j2' %}}\n{{% block metadata %}}<metadata><a xmlns='u'>{written}</a></metadata>{{% endblock %}}\n"
    )
    result = run("render", "--strict", "--templates", site, input="name: a\nvars: {a: 1, b: 2}\n")
    said = [line.split(": ")[1] for line in result.stderr.splitlines()]
    assert said == ([f"vars.{left}"] if left else []), result.stderr


def test_strict_knows_values_in_lists_and_short_forms(site: Path, run: Run) -> None:
    disk(site, MINIMAL)
    (site / "amd64.xml.j2").write_text(
        "{% extends 'shipped/amd64.xml.j2' %}{% block metadata %}<metadata><a xmlns='u'>{{ vars.a|join }}"
        "{% for one in vars.b %}{{ one.c }}{% endfor %}</a></metadata>{% endblock %}\n"
    )
    guest = (
        "name: a\nvars: {a: [1, 2], b: [{c: 1}, {c: 1, d: 2}], e: [1]}\n"
        "disks:\n  source: /a\n  driver: qcow2\n  boot: 1\n  readonly: true\n  serial: null\n"
    )
    result = run("render", "--strict", "--templates", site, input=guest)
    told = [line.partition(" does ")[0] for line in result.stderr.splitlines()]
    assert told == [
        f"<stdin>:2:41: vars.b[1].d: was given, but {site}/amd64.xml.j2",
        f"<stdin>:2:49: vars.e: was given, but {site}/amd64.xml.j2",
        f"<stdin>:4:11: disks[0].source: was given, but {site}/devices/disk.xml.j2",
        f"<stdin>:5:11: disks[0].driver: was given, but {site}/devices/disk.xml.j2",
        f"<stdin>:6:9: disks[0].boot: was given, but {site}/devices/disk.xml.j2",
        f"<stdin>:7:13: disks[0].readonly: was given, but {site}/devices/disk.xml.j2",
    ]


def test_strict_says_nothing_of_defaults_and_of_what_is_only_derived_from(run: Run) -> None:
    guest = "name: a\nnamespace: north\nmac_prefix: '02'\nmachine: q35\ninterfaces: {source: br0}\n"
    assert run("render", "--strict", input=guest).exit_code == 0


def test_strict_tells_of_values_for_templates_that_none_uses(run: Run) -> None:
    assert run("render", "--strict", input="name: a\nvars: {a: 1}\n").stderr == (
        "<stdin>:2:7: vars: was given, but shipped/amd64.xml.j2 does not use it [unused]\n"
    )


def test_every_fixture_is_used_in_full() -> None:
    renderer = Engine()
    unused = {
        str(problem)
        for document in fixtures()
        for problem in renderer.unused(document.guest)
        if problem.path[0] != "vars"
    }
    assert unused == set()


# Errors that point


def test_xml_that_is_not_well_formed_is_told_with_the_line_that_wrote_it(site: Path, run: Run) -> None:
    disk(
        site,
        '    <disk>\n{% if device.driver %}\n      <driver name="{{ device.driver.name }}">\n{% endif %}\n    </disk>\n',
    )
    result = run("render", "--templates", site, input=json.dumps(GUEST))
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"{site}/devices/disk.xml.j2:3: makes XML that is not well-formed: mismatched tag: <driver> is not closed,"
        " at '<driver name=\"qemu\">' (guest 'a', disks[0].driver)\n"
        '  3 | <driver name="{{ device.driver.name }}">\n'
        f"  from shipped/domain.xml.j2:{LINE_OF_DISKS}, shipped/amd64.xml.j2:2\n"
    )


def test_lines_of_xml_lead_to_lines_of_templates() -> None:
    renderer = Engine()
    for document in fixtures():
        _, xml, places, _ = renderer.observed(document.guest)
        assert xml == renderer.render(document.guest)
        for line, place in zip(xml.splitlines(), places, strict=False):
            assert place is not None
            source = Path(place[0]).read_text().splitlines()[place[1] - 1]
            tag = re.match(r"\s*</?([\w:.-]+)", line)
            if (
                tag
                and "<{{" not in source
                and "</{{" not in source
                and "extra" not in source
                and "metadata" not in source
            ):
                assert tag[1] in source, (line, place)


# The sandbox

ESCAPES = {
    "globals": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "attr": "{{ ''|attr('__class__') }}",
    "map attribute": "{{ ['']|map(attribute='__class__')|list }}",
    "format": "{{ '{0.__class__}'.format('') }}",
    "format_map": "{{ '{a.__class__}'.format_map({'a': 1}) }}",
    "format by reference": "{% set f = '{0.__class__}'.format %}{{ f('') }}",
    "cycler": "{{ cycler.__init__.__globals__ }}",
    "lipsum": "{{ lipsum.__globals__ }}",
    "self": "{{ self.__init__.__globals__ }}",
    "context": "{{ self._TemplateReference__context }}",
    "macro's code": "{% macro m() %}{% endmacro %}{{ m.__code__ }}",
    "generator's frame": "{{ (vars.values()|map('upper')).gi_frame }}",
    "environment": "{{ request.environment }}",
    "changing the context": "{{ domain.update({'name': 'x'}) }}",
    "changing a list": "{{ disks.append(1) }}",
    "another file": "{% include '../../../../etc/passwd' %}",
    "absolute file": "{% include '/etc/passwd' %}",
    "a list in the output": "{{ disks }}",
}  # fmt: skip


@pytest.mark.parametrize("source", ESCAPES.values(), ids=ESCAPES)
def test_sandbox(source: str, site: Path) -> None:
    (site / "amd64.xml.j2").write_text(f"<domain><name>a</name>{source}</domain>")
    with pytest.raises(TemplateError) as raised:
        Engine([site]).render({"name": "a", "vars": {"long": "x" * 9999}})
    assert raised.value.template == f"{site}/amd64.xml.j2"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ '  a b '.strip().upper() }}", "A B"),
        ("{{ 7 % 4 }} {{ 2.5 * 2 }} {{ 2.0 ** 3 }} {{ 3 * 4 }} {{ 1 + 2 }} {{ 3.0 * 2.0 }}", "3 5.0 8.0 12 3 6.0"),
        ("{{ 'aaa'|replace('a', 'b', 1) }} {{ 55|replace(5, 6) }} {{ 'aaa'|replace('a', 'b') }}", "baa 66 bbb"),
        ("{{ 'a\nb\n\nc'|indent }}", "a\n    b\n\n    c"),
        ("{{ 'a\nb'|indent(0) }}{{ 'a\n\nb'|indent(2, true, true) }}", "a\nb  a\n  \n  b"),
        ("{{ ('a\nb'|indent(100))|length }}", "103"),
        ("{% for a, b in [(1, 2), (3, 4)] %}{{ a ~ b }}{{ loop.index }}{% endfor %}", "121342"),
        ("{% set a, b = (1, 2) %}{{ a ~ '<' ~ b }}", "1&lt;2"),
        ("{{ (namespace(a=1)).a }}{{ ['b', 'a']|sort|join('<') }}", "1a&lt;b"),
    ],
)
def test_what_templates_of_ones_own_can_compute(source: str, said: str, site: Path) -> None:
    (site / "amd64.xml.j2").write_text(f"<domain><name>a</name>{source}</domain>")
    assert Engine([site]).render({"name": "a"}) == f"<domain><name>a</name>{said}</domain>"


def test_link_out_of_a_folder_is_not_read(site: Path) -> None:
    (site / "amd64.xml.j2").symlink_to("/etc/passwd")
    with pytest.raises(TemplateError, match="is a link that leads outside its folder"):
        Engine([site]).render({"name": "a"})


# templates check


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("amd64.xml.j2", "<a>\n{{ nmae }}</a>", "amd64.xml.j2:2: 'nmae' is not a name of the context (did you mean 'name'?)"),
        ("amd64.xml.j2", "{% if x %}", "amd64.xml.j2:1: Unexpected end of template."),
        ("amd64.xml.j2", "{% extends 'shipped/amd64.xml.j2' %}\n{% block dsk %}{% endblock %}", "amd64.xml.j2:2: block 'dsk' is not in shipped/amd64.xml.j2 (did you mean 'disk'?)"),
        ("amd64.xml.j2", "{% extends 'shipped/amd64.xml.j2' %}\n\n<extra/>", "amd64.xml.j2:3: is outside a block, and not written: the file extends another"),
        ("amd64.xml.j2", "<a>{{ name | safe }}</a>", "amd64.xml.j2:1: |safe writes text without escaping: use |xml, which needs well-formed XML"),
        ("amd64.xml.j2", "<a>{% autoescape false %}{{ name }}{% endautoescape %}</a>", "amd64.xml.j2:1: escaping can't be switched: it is always on"),
        ("amd64.xml.j2", "<a>{% macro m() %}{% endmacro %}</a>", "amd64.xml.j2:1: nothing uses macro 'm'"),
        ("amd64.xml.j2", "<a>{% include 'devices/dsk.xml.j2' %}</a>", "amd64.xml.j2:1: template 'devices/dsk.xml.j2' is not in any template folder (did you mean 'devices/disk.xml.j2'?)"),
        ("devices/dsk.xml.j2", "<a/>", "devices/dsk.xml.j2: nothing uses it (did you mean 'devices/disk.xml.j2'?)"),
        ("devices/dsk.schema.yaml", "{}", "devices/dsk.schema.yaml: nothing refers to it"),
        ("devices/hub.xml.j2", '    <hub type="{{ device.typ }}"/>\n', f"devices/hub.xml.j2:1: 'typ' is not given here (did you mean 'type'?) ({ROOT}/fixtures/"),
        ("devices/hub.xml.j2", '    <hub type="{{ device.type }}"/>\n', "devices/hub.xml.j2: hubs[].address is given in"),
        ("devices/hub.xml.j2", '    <hub type="{{ device.type }}">\n', "devices/hub.xml.j2:1: makes XML that is not well-formed: mismatched tag: <hub> is not closed"),
    ],
)  # fmt: skip
def test_check_finds(file: str, text: str, said: str, site: Path, run: Run) -> None:
    (site / file).write_text(text)
    result = run("templates", "check", site, "--guest", ROOT / "fixtures/web-1.yaml", "--guest", WITH_HUBS)
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert any(line.startswith(f"{site}/{said}") for line in lines), result.stderr
    assert all(line.startswith(f"{site}/") for line in lines), result.stderr  # nothing is wrong with the shipped ones


def checked(site: Path) -> list[str]:
    """What is found in the templates of a folder without a guest."""
    renderer = Engine([site])
    return [str(one) for one in Templates(renderer.stack, renderer.new_environment(), renderer.schema).findings()]


def tried(site: Path, *guests: str, faults: Faults = lambda xml: ()) -> list[str]:
    """What is found as these guests are rendered, each of a file of its own."""
    renderer = Engine([site])
    templates = Templates(renderer.stack, renderer.new_environment(), renderer.schema)
    documents = [document for number, text in enumerate(guests) for document in read(f"{number}.yaml", text.encode())]
    found = map(str, findings(renderer, templates.names, documents, faults))
    return [one for one in found if "is a field that no template can write" not in one]


def test_check_follows_imports_and_includes(site: Path) -> None:
    (site / "amd64.xml.j2").write_text(
        "{% from 'devices/m.xml.j2' import row as line, cell %}{% import 'devices/n.xml.j2' as n %}{% set own = 1 %}\n"
        "<a>{{ line() }}{{ cell() }}{{ n.third() }}{% include 'devices/i.xml.j2' %}"
        "{% include ['devices/i.xml.j2', 'devices/k.xml.j2'] %}{% include 'devices/none.xml.j2' %}</a>"
    )
    (site / "devices/m.xml.j2").write_text("{% macro row() %}{% endmacro %}{% macro cell() %}{{ name }}{% endmacro %}")
    (site / "devices/n.xml.j2").write_text("{% macro third() %}{% endmacro %}\n{% macro fourth() %}{% endmacro %}")
    (site / "devices/i.xml.j2").write_text(
        "{{ own }}{% for one in disks %}{% include 'devices/j.xml.j2' %}{% endfor %}"
    )
    (site / "devices/k.xml.j2").write_text("{{ own }}")
    (site / "devices/j.xml.j2").write_text("{{ own }}{{ one.type }}\n\n{{ ones }}")
    assert checked(site) == [
        f"{site}/amd64.xml.j2:2: template 'devices/none.xml.j2' is not in any template folder"
        " (did you mean 'devices/n.xml.j2'?)",
        f"{site}/devices/j.xml.j2:3: 'ones' is not a name of the context (did you mean 'one'?)",
        f"{site}/devices/n.xml.j2:2: nothing uses macro 'fourth' (did you mean 'format'?)",
    ]


def test_check_follows_what_a_file_extends(site: Path) -> None:
    (site / "base.xml.j2").write_text(
        "{% extends 'shipped/arm64.xml.j2' %}{% block cpu %}{% block mine %}{% endblock %}{% endblock %}"
    )
    (site / "arm64.xml.j2").write_text(
        "{% extends 'base.xml.j2' %}\n{% block mine %}{% endblock %}{% block memory %}{% endblock %}\n"
        "{% block main %}{% endblock %}\n{# of ours #}\n\n  {{ name }}{{ memory }}\n"
    )
    (site / "s390x.xml.j2").write_text("{% extends 's390x.xml.j2' %}{% block a %}{% endblock %}")
    (site / "riscv64.xml.j2").write_text("{% if name %}{% extends vars.base %}{% endif %}<a/>")
    assert checked(site) == [
        f"{site}/s390x.xml.j2:1: extends itself: s390x.xml.j2 extends s390x.xml.j2 (did you mean shipped/s390x.xml.j2?)",
        f"{site}/arm64.xml.j2:3: block 'main' is not in base.xml.j2 (did you mean 'mine'?)",
        f"{site}/arm64.xml.j2:6: is outside a block, and not written: the file extends another",
    ]


def test_check_tells_of_a_few_guests(site: Path) -> None:
    disk(site, MINIMAL)
    guest = "name: a\ndisks: [{source: /a.qcow2}]\n"
    said = f"{site}/devices/disk.xml.j2: disks[].source is given in"
    assert tried(site, guest) == [f"{said} 0.yaml, but not used"]
    assert tried(site, guest, guest) == [f"{said} 0.yaml and 1.yaml, but not used"]
    assert tried(site, guest, "name: b\n", guest, guest, guest) == [f"{said} 0.yaml, 2.yaml and 2 more, but not used"]
    assert tried(site, "name: a\nvars: {a: 1}\n") == ["shipped/amd64.xml.j2: vars is given in 0.yaml, but not used"]


def test_check_goes_on_behind_what_fails(site: Path) -> None:
    disk(site, "<disk>\n\n{{ device.sauce }}</disk>\n")
    guest = "name: a\ndisks: [{source: /a.qcow2}]\n"
    assert tried(site, "name: a\nvcpu: 0\n", guest, guest, "name: b\nvcpu: -1\nmemory: x\n") == [
        f"{site}/devices/disk.xml.j2:3: 'sauce' is not given here (did you mean 'source'?) (1.yaml and 2.yaml)",
        "0.yaml:2: vcpu: 0 is less than 1 [schema]",
        "3.yaml:2: vcpu: -1 is less than 1 [schema]",
        "3.yaml:3: memory: 'x' is not a size of memory: a whole number of MiB, or one with a unit, such as 4 GiB [schema]",
    ]


def test_check_tells_what_is_wrong_with_the_xml_of_ones_own_templates_alone(site: Path) -> None:
    disk(site, (SHIPPED / "devices/disk.xml.j2").read_text().replace("<disk", '<disk x="1"'))

    def faults(xml: bytes) -> list[tuple[int, str]]:
        lines = enumerate(xml.decode().splitlines(), 1)
        return [(line, f"{word} is new") for line, text in lines for word in ("vcpu", 'x="1"') if word in text]

    guest = "name: a\ndisks: [{source: /a.qcow2}]\n"
    line = (site / "devices/disk.xml.j2").read_text().partition("<disk")[0].count("\n") + 1
    assert tried(site, guest, faults=faults) == [f'{site}/devices/disk.xml.j2:{line}: x="1" is new (0.yaml)']


def test_check_tells_a_fault_once_however_many_guests_meet_it(site: Path, run: Run) -> None:
    (site / "amd64.xml.j2").write_text("<domain>{{ nmae }}</domain>")
    (site / "devices/m.schema.yaml").write_text("{}")
    lines = run("templates", "check", site).stderr.splitlines()
    said = [
        line for line in lines if line.startswith(f"{site}/amd64.xml.j2:1: 'nmae' is not a name") and "fixt" in line
    ]
    assert len(said) == 1
    assert re.search(r"\.yaml, \S+\.yaml and \d\d+ more\)$", said[0])


def test_check_tells_once_what_the_examples_lack(site: Path, run: Run) -> None:
    rack = {"rack": {"description": "Where it is.", "type": "string", "pattern": "^r", "message": "a rack"}}
    part = {"extends": "shipped/guest.schema.yaml", "properties": rack, "required": ["name", "rack"]}
    (site / "guest.schema.yaml").write_text(json.dumps(part))
    lines = run("templates", "check", site).stderr.splitlines()
    assert len([line for line in lines if "rack" in line and "no template can write" not in line]) == 1, lines


def test_check_tells_once_what_several_devices_meet(site: Path) -> None:
    disk(site, (SHIPPED / "devices/disk.xml.j2").read_text().replace("<disk", '<disk x="1"'))

    def faults(xml: bytes) -> list[tuple[int, str]]:
        lines = [number for number, text in enumerate(xml.decode().splitlines(), 1) if 'x="1"' in text]
        return [(line, f"devices/disk[{number}]/@x: is new") for number, line in enumerate(lines, 1)]

    guest = "name: a\ndisks: [{source: /a.qcow2}, {source: /b.qcow2}]\n"
    (said,) = tried(site, guest, guest, faults=faults)
    assert said.endswith("devices/disk[1]/@x: is new (0.yaml and 1.yaml)")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("<!DOCTYPE domain>\n<domain><name>a</name></domain>", "1: makes XML with a DTD"),
        ("<!DOCTYPE domain [<!ENTITY a 'b'>]>\n<domain><name>&a;</name></domain>", "1: makes XML with a DTD"),
        ("<domain>\n<name>a</name>\n<b/>\n<name>a</name></domain>", "4: makes a second <name>"),
    ],
)
def test_document_with_a_dtd_or_two_names_is_refused(source: str, said: str, site: Path, run: Run) -> None:
    (site / "amd64.xml.j2").write_text(source)
    result = run("render", "--templates", site, input="name: a\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{site}/amd64.xml.j2:{said}"), result.stderr
    result = run("templates", "check", site)
    assert f"{site}/amd64.xml.j2:{said} ({ROOT}/fixtures/" in result.stderr


@pytest.mark.libvirt
def test_check_holds_xml_against_libvirts_schema(site: Path, run: Run) -> None:
    text = (SHIPPED / "devices/hub.xml.j2").read_text().replace("<hub", '<hub x="1"')
    (site / "devices/hub.xml.j2").write_text(text)
    result = run("templates", "check", site)
    assert result.exit_code == 2
    assert "devices/hub/@x: is not an attribute that libvirt knows here" in result.stderr
    assert result.stderr.startswith(f"{site}/devices/hub.xml.j2:2: ")


def test_check_finds_fields_that_no_template_writes(site: Path, run: Run) -> None:
    field = {"rack": {"description": "Where it is.", "type": "string", "pattern": "^r"}}
    (site / "guest.schema.yaml").write_text(json.dumps({"extends": "shipped/guest.schema.yaml", "properties": field}))
    result = run("templates", "check", site)
    assert (result.exit_code, result.stderr) == (
        2,
        f"{site}/guest.schema.yaml: rack is a field that no template can write\n",
    )


def test_check_of_guests_that_are_given(site: Path, tmp_path: Path, run: Run) -> None:
    disk(site, (SHIPPED / "devices/disk.xml.j2").read_text())
    (tmp_path / "g.yaml").write_text("name: a\n")
    assert run("templates", "check", site, "--guest", tmp_path / "g.yaml").exit_code == 0
    (tmp_path / "g.yaml").write_text("name: a\nvcpu: 0\n")
    result = run("templates", "check", site, "--guest", tmp_path / "g.yaml")
    assert (result.exit_code, result.stderr) == (2, f"{tmp_path}/g.yaml:2: vcpu: 0 is less than 1 [schema]\n")
    assert run("templates", "check", site, "--guest", tmp_path / "none.yaml").exit_code == 2


def test_shipped_templates_have_nothing_to_be_found(run: Run) -> None:
    result = run("templates", "check")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def documents_by_template() -> dict[str, list[Document]]:
    """Return, for each shipped template, a few fixtures of which it writes something."""
    renderer = Engine()
    found: dict[str, list[Document]] = {}
    for document in fixtures():
        for file in {place[0] for place in renderer.observed(document.guest).places if place}:
            found.setdefault(Path(file).relative_to(SHIPPED).as_posix(), []).append(document)
    return found


EXPRESSION = re.compile(r"(?:\{\{|\{%)(.*?)(?:\}\}|%\})", re.DOTALL)
NAME = re.compile(r"""(?<![\w"'])(?:[a-z]\w*\.)*([a-z]\w+)(?![\w"'(])""")
WORDS = {"if", "elif", "else", "endif", "for", "in", "endfor", "block", "endblock", "is", "defined", "not", "and", "or",
         "include", "extends", "filter", "endfilter", "with", "endwith", "attributes", "default", "text", "xml", "indent",
         "set", "macro", "endmacro", "import", "from", "true", "false", "first"}  # fmt: skip


def renamed(text: str) -> str | None:
    """Return a template with one variable or key renamed, the last that it writes."""
    for expression in reversed(list(EXPRESSION.finditer(text))):
        names = [name for name in NAME.finditer(expression[1]) if name[1] not in WORDS]
        if names:
            at = expression.start(1) + names[-1].end(1)
            return f"{text[:at]}x{text[at:]}"
    return None


@pytest.mark.usefixtures("unmeasured")
def test_a_renamed_variable_in_any_template_is_found(tmp_path: Path) -> None:
    documents = documents_by_template()
    renderer = Engine()
    shipped = Templates(renderer.stack, renderer.new_environment(), renderer.schema)
    unnoticed: list[str] = []
    tried = 0
    files = some(sorted(SHIPPED.rglob("*.xml.j2")))
    for file in files:
        name = file.relative_to(SHIPPED).as_posix()
        if (text := renamed(file.read_text())) is None:
            continue
        tried += 1
        folder = tmp_path / name.replace("/", "_")
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)
        renderer = Engine([folder])
        if not findings(renderer, shipped.names, documents.get(name, ())):
            templates = Templates(renderer.stack, renderer.new_environment(), renderer.schema)
            unnoticed += [] if list(templates.findings()) else [name]
    assert unnoticed == []
    assert tried > len(files) / 2


def test_problems_of_strict_are_problems_of_the_guest(site: Path) -> None:
    disk(site, MINIMAL)
    guest: dict[str, Any] = GUEST
    (source, driver) = Engine([site]).unused(guest)
    assert (source.path, driver.path) == (("disks", 0, "source"), ("disks", 0, "driver"))
    assert isinstance(GuestError([source]), GuestError)


def test_causes_come_first_and_of_these_the_ones_in_custom_files(tmp_path: Path, run: Run) -> None:
    site = tmp_path / "site"
    (site / "devices").mkdir(parents=True)
    (site / "devices/disk.xml.j2").write_text('<disk type="{{ device.sauce }}"/>\n')
    lines = run("templates", "check", str(site)).stderr.splitlines()
    assert lines[0].startswith(f"{site}/devices/disk.xml.j2:1: 'sauce' is not given here")
    assert f"{site}/devices/disk.xml.j2: disks.geometry is a field that no template can write" in lines
    follows = ["no template can write" in line or "but not used" in line for line in lines]
    assert follows == sorted(follows)
