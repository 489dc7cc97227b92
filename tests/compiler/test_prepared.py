"""What is made of the shipped templates beforehand is used as long as they are the same; nothing is kept elsewhere."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, find
from guests import some
from tools import NOT_SOURCES

from kvmrender.compiler import prepared
from kvmrender.compiler.specialise import SEEN
from kvmrender.context.full_form import without_nulls
from kvmrender.engine import Engine, needless
from kvmrender.errors import TemplateError
from kvmrender.look.checks import catalogue
from kvmrender.reading.load import read
from kvmrender.reading.parse import from_yaml
from kvmrender.rules.rules import placed_rules, rule_checks
from kvmrender.schema.guest_schema import GuestSchema, Node
from kvmrender.templating.interpreter import Interpreter
from kvmrender.templating.part_nodes import nodes
from kvmrender.templating.schema_parts import guest_schema
from kvmrender.templating.stack import Stack

RULES = ROOT / "kvmrender/rules/rules.py"
WRITE = "from kvmrender.compiler.prepared import write; write()"
LOOK = """
import sys
from kvmrender.engine import Engine
xml = Engine([*sys.argv[1:]]).render({"name": "a", "title": "T", "vcpu": 2, "disks": [{"source": "/a.img"}]})
made = {"jinja2.environment", "kvmrender.compiler.generator", "kvmrender.templating.schema_parts"} & {*sys.modules}
print(*sorted(made) or ["nothing"], xml, sep="\\n")
"""
"""Says which modules were at work that make something of templates and parts, and writes a guest."""
LOOK_AT_FLEET = """
import sys
from kvmrender.engine import Engine
engine = Engine()
guest = {"interfaces": [{"source": "br0"}], "disks": [{"source": f"/{name}.img", "device": "cdrom"} for name in "ab"]}
for number in range(int(sys.argv[1])):
    engine.render({"name": f"a{number}", **guest})
print("jinja2.environment" in sys.modules)
"""
"""Says whether Jinja was brought in to render so many guests of the same keys."""


def copied(folder: Path) -> Path:
    """A copy of the sources."""
    for name in ("kvmrender", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=NOT_SOURCES)
    return folder


def measured() -> dict[str, str]:
    """What has coverage measured in another process."""
    return {key: value for key, value in os.environ.items() if key[:9] == "COVERAGE_"}


def python(folder: Path, code: str, *arguments: str, **environment: str) -> str:
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), **environment, **measured()}
    command = [sys.executable, "-B", "-c", code, *arguments]
    return subprocess.run(command, env=given, capture_output=True, text=True, check=True, cwd=folder).stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout that is prepared."""
    folder = copied(tmp_path_factory.mktemp("checkout"))
    python(folder, WRITE)
    return folder


@pytest.fixture(scope="module")
def installed(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel installs."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(checkout / "kvmrender", folder / "kvmrender")
    shutil.copytree(checkout / "templates", folder / "kvmrender/templates")
    return folder


def test_it_is_the_same_wherever_it_is_made(checkout: Path) -> None:
    file = checkout / "kvmrender/prepared.json"
    found = []
    for seed in ("1", "2"):
        python(checkout, WRITE, PYTHONHASHSEED=seed, LC_ALL="C")
        found.append(file.read_bytes())
    assert found[0] == found[1]
    assert str(checkout).encode() not in found[0]


def test_it_is_what_schema_and_rules_are(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared, "FILE", checkout / "kvmrender/prepared.json")
    found, made = prepared.prepared(Stack())
    schema = guest_schema(Stack())
    assert made.functions
    assert (found.root, found.architectures, found.names) == (schema.root, schema.architectures, schema.names)
    assert all(found.architectures[arch] is found.root["$defs"][arch] for arch in schema.architectures)
    assert found.rules is not None
    for (place, rule, case, keys), of in zip(found.rules, placed_rules(schema), strict=True):
        assert (place, keys) == (of[0], of[3])
        assert all(rule.get(key) == of[1].get(key) for key in ("id", "description", "level"))
        assert {**case, **rule}.items() >= {k: v for k, v in of[2].items() if k not in ("since", "until")}.items()
        assert [case.get(key) for key in ("since", "until")] == [of[2].get(key) for key in ("since", "until")]
    assert catalogue(found) == catalogue(schema)


def test_nothing_has_to_be_made_at_a_start(checkout: Path, installed: Path) -> None:
    for folder in (checkout, installed):
        said, xml = python(folder, LOOK).split("\n", 1)
        assert said == "nothing"
        assert find(xml, "title").text == "T"


@pytest.mark.parametrize(
    ("name", "old", "new", "path", "value"),
    [
        ("domain/vcpu.xml.j2", "<vcpu", '<vcpu edited="yes"', "vcpu", ("edited", "yes")),
        ("domain.xml.j2", "<title>", '<title edited="yes">', "title", ("edited", "yes")),
        (
            "devices/disk/driver.schema.yaml",
            "enum: [qemu]\n    default: qemu",
            "enum: [other]\n    default: other",
            "devices/disk/driver",
            ("name", "other"),
        ),
    ],
)
def test_an_edited_file_is_seen(
    name: str, old: str, new: str, path: str, value: tuple[str, str], checkout: Path, installed: Path, tmp_path: Path
) -> None:
    for number, folder in enumerate((checkout, installed)):
        copy = shutil.copytree(folder, tmp_path / str(number))
        file = next(copy.rglob(name))
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))
        xml = python(copy, LOOK).partition("<domain")
        assert find("".join(xml[1:]), path).get(value[0]) == value[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "kvmrender/prepared.json").unlink(),
        lambda folder: (folder / "kvmrender/prepared.json").write_text('{"code": '),
        lambda folder: (folder / "kvmrender/prepared.json").write_text("{}"),
        lambda folder: (folder / "kvmrender/rules/rules.py").write_text("# edited\n" + RULES.read_text()),
    ],
)
def test_where_there_is_none_of_this_code_all_is_made(
    change: Callable[[Path], object], checkout: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(checkout, tmp_path / "copy")
    expected = python(copy, LOOK).partition("<domain")
    change(copy)
    said, *xml = python(copy, LOOK).partition("<domain")
    assert xml == [*expected[1:]]
    assert said.split() == ["jinja2.environment", "kvmrender.compiler.generator", "kvmrender.templating.schema_parts"]
    assert not list(copy.rglob("*.pyc"))


def test_a_part_that_is_gone_or_new_is_seen(installed: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(installed, tmp_path / "copy")
    (copy / "kvmrender/templates/other.schema.yaml").write_text("{}")
    assert "schema_parts" in python(copy, LOOK)
    (copy / "kvmrender/templates/other.schema.yaml").unlink()
    assert "schema_parts" not in python(copy, LOOK)
    (copy / "kvmrender/templates/s390x.schema.yaml").unlink()
    assert "schema_parts" in python(copy, LOOK)


@pytest.fixture
def prepared_here(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made beforehand is there, whether this checkout was installed or not; no guest is rendered by Jinja."""
    monkeypatch.setattr(prepared, "FILE", checkout / "kvmrender/prepared.json")
    monkeypatch.setattr(Interpreter, "render", lambda *_: pytest.fail("a function will do"))


GUEST = {"name": "a", "disks": [{"source": "/a.img", "serial": "s"}], "vars": {"a": "A"}}


def with_own(tmp_path: Path, **templates: str) -> Engine:
    for name, text in templates.items():
        file = tmp_path / f"{name.replace('__', '/')}.xml.j2"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Engine([tmp_path])


@pytest.mark.usefixtures("prepared_here")
def test_of_templates_that_include_ones_own_nothing_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kvmrender.compiler.generator.Module.make", lambda *_: pytest.fail("is there already"))
    engine = with_own(tmp_path, devices__disk='{% include "shipped/devices/disk.xml.j2" %}')
    assert engine.render(GUEST) == Engine().render(GUEST)
    own = '    <disk name="{{ name }}" a="{{ vars.a }}" serial="{{ device.serial.text }}"/>\n'
    engine = with_own(tmp_path, devices__disk=own)
    assert find(engine.render(GUEST), "devices/disk").attrib == {"name": "a", "a": "A", "serial": "s"}


AROUND = {
    "included": "{{% include '{name}' %}}",
    "indented": "{{% filter indent(2, true) %}}{{% include '{name}' %}}{{% endfilter %}}",
    "of a mapping": "{{% with device = dict(device) %}}{{% include '{name}' %}}{{% endwith %}}",
    "of a text": "{{% with device = 'type address alias' %}}{{% include '{name}' %}}{{% endwith %}}",
    "of nothing": "{{% with device = nothing %}}{{% include '{name}' %}}{{% endwith %}}",
    "by several names": "{{% include ['none.xml.j2', '{name}'] without context %}}",
    "extended": "{{% extends '{name}' %}}",
    "imported": "{{% import '{name}' as other with context %}}{{{{ other }}}}",
}


@pytest.mark.parametrize("around", AROUND)
def test_shipped_templates_in_ones_own_are_written_as_by_jinja(
    around: str, checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "FILE", checkout / "kvmrender/prepared.json")
    names = [name for name in prepared.prepared(Stack())[1].functions if "/" in name]
    common = [name for name in names if name.startswith(("devices/disk", "devices/interface", "devices/info"))]
    for name in names if around == "included" else common if "of " in around else some(names):
        with_own(tmp_path, **{name.removesuffix(".xml.j2"): AROUND[around].format(name=f"shipped/{name}")})
    engine, wrote = Engine([tmp_path]), []
    needed = Counter(needless)
    for file in sorted(ROOT.glob("fixtures/*.yaml")):
        for document in read(file.name, file.read_bytes()):
            try:
                wrote.append(engine.render(document.guest))
            except TemplateError as error:
                wrote.append(str(error))
            try:
                expected = engine._interpreter.render(without_nulls(engine.context(document.guest)))
            except TemplateError as error:
                expected = str(error)
            assert wrote[-1] == expected
    assert len({*wrote}) > 1
    assert needless == needed


@pytest.mark.usefixtures("prepared_here")
def test_ones_own_sees_more_names_than_the_one_that_it_replaces(tmp_path: Path) -> None:
    own = '      <source serial="{{ device.serial.text }}" file="{{ source.file }}"/>\n'
    engine = with_own(tmp_path, devices__disk__source=own)
    assert find(engine.render(GUEST), "devices/disk/source").attrib == {"serial": "s", "file": "/a.img"}


@pytest.mark.parametrize(("guests", "is_compiled"), [(1_000, False), (SEEN + 1, True)])
def test_what_a_thousand_guests_have_in_common_is_not_compiled(
    guests: int, is_compiled: bool, installed: Path, tmp_path: Path
) -> None:
    """It takes longer to bring in Jinja for that than so few guests do."""
    assert python(installed, LOOK_AT_FLEET, str(guests)) == f"{is_compiled}\n"


@pytest.mark.usefixtures("prepared_here")
def test_ones_own_stays_jinjas_where_the_keys_of_guests_come_up_often(tmp_path: Path) -> None:
    engine = with_own(tmp_path, **{"devices/disk": '{% include "shipped/devices/disk.xml.j2" %}\n'})
    guest = {"name": "a", "disks": [{"source": "/a.img"}]}
    first = engine.render(guest)
    assert [engine.render(guest) for _ in range(SEEN + 100)] == [first] * (SEEN + 100)


@pytest.mark.usefixtures("prepared_here")
@pytest.mark.parametrize("name", ["amd64", "domain"])
def test_a_whole_document_of_ones_own_is_left_to_jinja(name: str, tmp_path: Path) -> None:
    engine = with_own(tmp_path, **{name: f'{{% extends "shipped/{name}.xml.j2" %}}'})
    assert engine._functions["amd64.xml.j2"] is None


def test_a_home_is_neither_needed_nor_written_to(tmp_path: Path) -> None:
    guest, home = tmp_path / "guest.yaml", tmp_path / "home"
    guest.write_text("name: a\n")
    home.mkdir()
    (tmp_path / "file").write_text("")
    own = tmp_path / "own/devices/disk.xml.j2"
    own.parent.mkdir(parents=True)
    own.write_text("    <disk/>\n")
    for templates in ([], ["--templates", str(tmp_path / "own")]):
        for place in (home, tmp_path / "file", "/nonexistent", "relative"):
            command = [sys.executable, "-m", "kvmrender", "render", *templates, str(guest)]
            given = {"PATH": os.environ["PATH"], "HOME": str(place), "XDG_CACHE_HOME": str(place), **measured()}
            done = subprocess.run(command, env=given, capture_output=True, text=True, check=True, cwd=tmp_path)
            assert done.stderr == ""
            assert "<name>a</name>" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "guest.yaml", "home", "own"]
    assert list(home.iterdir()) == []


@pytest.mark.usefixtures("unmeasured")
def test_a_start_needs_but_little(installed: Path, tmp_path: Path) -> None:
    guest = tmp_path / "guest.yaml"
    guest.write_text("name: a\n")
    slow = ("click", "concurrent", "dataclasses", "inspect", "jinja2", "jsonschema_rs", "multiprocessing", "tempfile")
    look = f"import atexit, sys; atexit.register(lambda: print([name for name in {slow} if name in sys.modules]));"
    look += f"from kvmrender.__main__ import main; sys.argv[1:] = ['render', {str(guest)!r}]; main()"
    assert python(installed, look).endswith("</domain>\n[]\n")


PARTS = {file.relative_to(ROOT / "templates").as_posix(): file for file in (ROOT / "templates").rglob("*.schema.yaml")}
FROM_MANY = [{"$ref": "types.schema.yaml#/$defs/yesno"}, {"type": "string"}, {"$ref": "devices/disk.schema.yaml"}]


def part_of_ones_own(rng: random.Random) -> tuple[str, Node]:
    """A shipped part that differs in something, whole or extended."""
    name = rng.choice(sorted(PARTS))
    part = from_yaml(PARTS[name].read_text())[0]
    if rng.randrange(3) == 0:
        part = {"extends": f"shipped/{name}", "properties": {key: {} for key in part.get("properties", {})}}
    for _ in range(rng.choice((1, 1, 3))):
        found = [node for _, node, _ in nodes(part)]
        node, other = rng.choice(found), rng.choice(found)
        keys, rules = [*node.get("properties", {})], node.get("rules", [])
        match rng.randrange(9):
            case 0:
                node["default"] = rng.choice(["a", 1, {}, None])
            case 1 if keys:
                given = rng.choice([{rng.choice(keys): rng.choice([True, False])}, {"/type": "kvm"}])
                node["properties"][keys[0]]["defaults"] = [{"value": "a", "when": given}]
            case 2 if keys:
                node["shorthand"] = rng.choice(keys)
            case 3 if keys:
                node["properties"][rng.choice([*keys, "new"])] = deepcopy(rng.choice([*FROM_MANY, other]))
            case 4:
                node["since"], node["description"] = "12.1.0", "New."
            case 5 if rules:
                rules.pop(rng.randrange(len(rules)))
            case 6 if keys:
                wrong = {"at": rng.choice(keys), "when": {"/type": "kvm", rng.choice(keys): True}}
                node["rules"] = [*rules, {"id": "own", "description": "Own.", "message": "is wrong", **wrong}]
            case 7:
                node["only_on"] = ["s390x"]
            case _:
                node.pop(rng.choice([*node, ""]), None)
    return name, part


def described(make: Callable[[], GuestSchema]) -> Any:
    try:
        schema = make()
    except TemplateError as error:
        return str(error)
    rules = [
        (place, [case.get(key) for key in ("each", "at", "when", "message", "unique", "single")], triggers)
        for place, _, case, triggers in schema.rules or placed_rules(schema)
    ]
    checks = [(*check[:3], *check[-2:]) for check in rule_checks(schema)]
    return schema.root, schema.architectures, schema.names, schema.is_shipped, rules, checks


@pytest.mark.usefixtures("prepared_here")
def test_with_a_part_of_ones_own_all_is_as_without_anything_prepared(tmp_path: Path) -> None:
    """``KVMRENDER_EXAMPLES=10000`` tries more, other ones each time."""
    asked = int(os.environ.get("KVMRENDER_EXAMPLES", "30").replace("usual", "300"))
    rng = random.Random(0 if asked <= 300 else None)
    random_parts = (dict(part_of_ones_own(rng) for _ in range(rng.choice((1, 1, 2)))) for _ in range(asked))
    for number, parts in enumerate(random_parts):
        folder = tmp_path / str(number)
        for name, part in parts.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(json.dumps(part))
        stack = Stack([folder])
        assert described(lambda: prepared.prepared(stack)[0]) == described(lambda: guest_schema(stack)), parts  # noqa: B023
        shutil.rmtree(folder)


@pytest.mark.usefixtures("prepared_here")
def test_rules_of_a_key_are_new_if_its_default_depends_on_a_changed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    same: set[str] = set()
    look = "kvmrender.templating.schema_parts.placed_rules"
    monkeypatch.setattr(look, lambda schema, known: same.update(known.same_keys(schema)))
    part = tmp_path / "domain/cpu.schema.yaml"
    part.parent.mkdir()
    part.write_text("extends: shipped/domain/cpu.schema.yaml\nshorthand: numa\n")
    Engine([tmp_path])
    assert "currentMemory" in same
    assert same.isdisjoint(("cpu", "memory"))  # without a memory, it is that of cpu.numa
