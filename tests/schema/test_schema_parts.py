"""Schema parts and templates of one's own with mistakes: one line for each, with file, line and place, and no traceback."""

from __future__ import annotations

import json
import random
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run

from kvmrender import GuestError, Renderer, TemplateError, renderer_of
from kvmrender.plugins import single_guest as one
from kvmrender.reading.parse import from_yaml
from kvmrender.templating.schema_parts import checked
from kvmrender.templating.stack import Stack

EXTENDS = {"extends": "shipped/guest.schema.yaml"}
D = {"description": "A field."}


def guest(**properties: Any) -> dict[str, Any]:
    return {**EXTENDS, "properties": properties}


def write(folder: Path, parts: dict[str, Any]) -> Path:
    for name, part in parts.items():
        file = folder / name
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(part if isinstance(part, str) else json.dumps(part, indent=1))
    return folder


CIRCLE = {**guest(x={**D, "$ref": "#/$defs/l"}), "$defs": {"l": {"type": "array", "items": {"$ref": "#/$defs/l"}}}}
MANY = {
    f"a{n}": {"type": "object", "properties": {key: {"$ref": f"#/$defs/a{n + 1}"} for key in "xy"}} for n in range(40)
}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no buses": (
        {"arm.schema.yaml": {"facts": {"names": ["arm"], "like": "arm64"}}},
        "arm.schema.yaml:2: is not a schema of guests: facts.disk_buses: is missing: the usual bus of each kind of disk",
    ),
    "like": (
        {"arm.schema.yaml": {"facts": {"names": ["arm"], "like": "arm46", "disk_buses": {"disk": "virtio"}}}},
        "arm.schema.yaml:6: is not a schema of guests: facts.like: 'arm46' is not an architecture (did you mean 'arm64'?)",
    ),
    "bus": (
        {"arm.schema.yaml": {"facts": {"names": ["arm"], "like": "arm64", "disk_buses": {"disk": "virtoi"}}}},
        "arm.schema.yaml:8: is not a schema of guests: facts.disk_buses.disk: 'virtoi' is not one of virtio,",
    ),
    "name of the file": (
        {"foo.schema.yaml": {"facts": {"names": ["arm"], "like": "arm64", "disk_buses": {}}}},
        "foo.schema.yaml:3: is not a schema of guests: facts.names: the file of arm is called arm.schema.yaml",
    ),
    "defaults": (
        {"guest.schema.yaml": guest(x={**D, "defaults": "x"})},
        "guest.schema.yaml:6: is not a schema of guests: properties.x.defaults: 'x' is not a list",
    ),
    "when": (
        {"guest.schema.yaml": guest(x={**D, "defaults": [{"when": 5}]})},
        "guest.schema.yaml:8: is not a schema of guests: properties.x.defaults[0].when: 5 is not a mapping",
    ),
    "variants": (
        {"guest.schema.yaml": guest(x={**D, "properties": {"a": D}, "variants": {"colour": "red"}})},
        "guest.schema.yaml:12: is not a schema of guests: properties.x.variants.colour: 'red' is not a list",
    ),
    "shorthand": (
        {"guest.schema.yaml": guest(x={**D, "type": "object", "properties": {"colour": D}, "shorthand": "color"})},
        "guest.schema.yaml:12: is not a schema of guests: properties.x.shorthand: 'color' is not a property of it (did",
    ),
    "list of itself": (
        {"guest.schema.yaml": CIRCLE},
        "guest.schema.yaml:10: is not a schema of guests: $defs.l: leads to itself, with no key in between",
    ),
    "circle": (
        {"guest.schema.yaml": guest(a={"$ref": "#/properties/b"}, b={"$ref": "#/properties/a"})},
        "guest.schema.yaml:4: is not a schema of guests: properties.a: leads to itself, with no key in between",
    ),
    "reference to nothing": (
        {"guest.schema.yaml": guest(a={"$ref": "devices/disk.schema.yaml#/properties/sorce"})},
        "guest.schema.yaml:5: is not a schema of guests: properties.a.$ref: 'devices/disk.schema.yaml#/properties/sorce'"
        " refers to nothing",
    ),
    "reference to no file": (
        {"guest.schema.yaml": guest(a={"$ref": "b.schema.yaml"})},
        "guest.schema.yaml:5: is not a schema of guests: properties.a.$ref: b.schema.yaml: is not in any template folder",
    ),
    "levels": ({"guest.schema.yaml": '{"a":' * 100_000}, "guest.schema.yaml:1: is nested more than 64 deep"),
    "properties": (
        {"guest.schema.yaml": '{"properties":{"a":' * 400 + "{}" + "}}" * 400},
        "guest.schema.yaml:1: is nested more than 64 deep",
    ),
    "many fields": (
        {"guest.schema.yaml": {**guest(x={"$ref": "#/$defs/a0"}), "$defs": {**MANY, "a40": D}}},
        "guest.schema.yaml:1: has more than 100,000 fields",
    ),
    "true": (
        {"guest.schema.yaml": guest(x={**D, "type": "object", "properties": {"a": True}})},
        "guest.schema.yaml:8: is not a schema of guests: properties.x.properties.a: true is not a mapping",
    ),
    "false": (
        {"guest.schema.yaml": guest(x={**D, "type": "array", "items": False})},
        "guest.schema.yaml:7: is not a schema of guests: properties.x.items: false is not a mapping",
    ),
    "extends": (
        {"guest.schema.yaml": {"extends": "guest.schema.yaml"}},
        "guest.schema.yaml:1: can't extend 'guest.schema.yaml': guest.schema.yaml extends guest.schema.yaml (did you mean"
        " shipped/guest.schema.yaml?)",
    ),
    "keyword": (
        {"guest.schema.yaml": guest(a={**D, "patern": "x"})},
        "guest.schema.yaml:6: properties.a.patern: is not a keyword (did you mean 'pattern'?)",
    ),
    "type": (
        {"guest.schema.yaml": guest(a={**D, "type": "strng"})},
        "guest.schema.yaml:6: is not a schema of guests: properties.a.type: 'strng' is not one of array,",
    ),
    "look-around": (
        {"guest.schema.yaml": guest(a={**D, "type": "string", "pattern": "^(?=a)"})},
        "guest.schema.yaml:7: is not a schema of guests: properties.a.pattern: '^(?=a)' is not a regular expression"
        " without look-around and backreferences",
    ),
    "pattern of a short form": (
        {"guest.schema.yaml": guest(x={**D, "type": "object", "properties": {"a": D}, "shorthand": {"^(a+)+$": "a"}})},
        "guest.schema.yaml:13: is not a schema of guests: properties.x.shorthand.^(a+)+$: is not a pattern of plain text",
    ),
    "nothing that is computed with": (
        {"guest.schema.yaml": {}},
        "guest.schema.yaml:1: is not a schema of guests: properties.type: is missing, which is computed with",
    ),
    "twice": ({"guest.schema.yaml": '{"a": 1,\n"a": 2}'}, "guest.schema.yaml:2: key 'a' is given twice"),
}  # fmt: skip


@pytest.mark.parametrize(("parts", "said"), BAD.values(), ids=BAD)
def test_mistake_in_a_part_is_told_with_its_place(parts: dict[str, Any], said: str, tmp_path: Path, run: Run) -> None:
    result = run("render", "--templates", write(tmp_path, parts), input="name: a\n")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1), result.stderr
    assert result.stderr.startswith(f"{tmp_path}/{said}")


@pytest.mark.parametrize("command", ["render -", "schema", "explain x"])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"type": "array"}, [1, {"a": [2]}]),
        ({"type": "array", "prefixItems": [True]}, ["a"]),
        ({}, [1, {"a": 2}]),
        ({"enum": [1, "2", True]}, "2"),
        ({"type": "object", "additionalProperties": True}, {"a": [1]}),
        ({"if": {"properties": {"a": True}}, "else": False}, 3),
    ],
    ids=str,
)
def test_field_that_says_little_of_its_value(
    command: str, field: dict[str, Any], value: Any, tmp_path: Path, run: Run
) -> None:
    write(tmp_path, {"guest.schema.yaml": guest(x={**D, **field})})
    result = run(*command.split(), "--templates", tmp_path, input=json.dumps({"name": "a", "x": value}))
    assert (result.exit_code, result.stderr) == (0, "")


@pytest.mark.parametrize("command", ["context", "schema", "explain", "graph", "templates check"])
def test_every_command_tells_of_it(command: str, tmp_path: Path, run: Run) -> None:
    parts, said = BAD["list of itself"]
    words = [*command.split(), *([] if command == "templates check" else ["--templates"])]
    result = run(*words, write(tmp_path, parts), input="name: a\n")
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{tmp_path}/{said}\n")


def test_architecture_without_a_template(tmp_path: Path, run: Run) -> None:
    arm = {"description": "Guests.", "facts": {"names": ["arm"], "like": "arm64", "disk_buses": {}}}
    write(tmp_path, {"arm.schema.yaml": arm})
    result = run("render", "--templates", tmp_path, input="name: a\narch: arm\n")
    said = "arm.xml.j2: template 'arm.xml.j2' is not in any template folder (guest 'a')\n"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said)
    assert run("render", "--templates", tmp_path, input="name: a\n").exit_code == 0
    found = run("templates", "check", tmp_path)
    said = "describes an architecture without a template: arm.xml.j2 is not in any template folder"
    assert (found.exit_code, found.stderr) == (2, f"{tmp_path}/arm.schema.yaml: {said}\n")


@pytest.mark.parametrize("name", ["amd64.xml.j2", "devices/disk.xml.j2", "guest.schema.yaml"])
def test_file_that_is_not_utf_8(name: str, tmp_path: Path, run: Run) -> None:
    write(tmp_path, {name: ""})
    (tmp_path / name).write_bytes(b"{\n\xff")
    result = run("render", "--templates", tmp_path, input="name: a\ndisks: [{source: /a.raw}]\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{tmp_path}/{name}:2: is not UTF-8: byte 0xff at offset 2")


def test_byte_order_mark_of_editors_is_left_out(tmp_path: Path, run: Run) -> None:
    vcpu = (ROOT / "templates/domain/vcpu.xml.j2").read_text()
    write(tmp_path, {"domain/vcpu.xml.j2": f"\ufeff{vcpu}", "guest.schema.yaml": f"\ufeff{json.dumps(EXTENDS)}"})
    result = run("render", "--templates", tmp_path, input="name: a\n")
    assert (result.exit_code, result.stdout) == (0, run("render", input="name: a\n").stdout)


@pytest.mark.parametrize(
    "parts",
    [
        {"domain/vcpu.xml.j2": f"{{% include '{'a' * 300}' %}}"},
        {"amd64.xml.j2": f"{{% extends '{'a' * 300}' %}}"},
        {"guest.schema.yaml": {"extends": "a" * 300}},
        {"guest.schema.yaml": guest(x={"$ref": f"{'a' * 300}.schema.yaml"})},
    ],
    ids=["include", "extends", "extends of a part", "reference"],
)
def test_name_that_no_file_has(parts: dict[str, Any], tmp_path: Path, run: Run) -> None:
    result = run("render", "--templates", write(tmp_path, parts), input="name: a\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{tmp_path}/{next(iter(parts))}:")
    assert "is not in any template folder" in result.stderr


def test_guest_in_a_guest_is_explained(tmp_path: Path, run: Run) -> None:
    write(tmp_path, {"guest.schema.yaml": guest(x={"$ref": "guest.schema.yaml"})})
    result = run("explain", "x.vcpu", "--templates", tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert run("explain", "--markdown", "--templates", tmp_path).exit_code == 0


def test_check_finds_all_that_is_odd_in_parts(tmp_path: Path, run: Run) -> None:
    """What would not stop a guest, too; the exit code of what can be put together is 1."""
    odd = guest(
        plain={"type": "integer", "default": "many", "message": "a number"},
        other={**D, "type": "integer", "defaults": [{"when": {"titel": True}, "value": 1}]},
        thing={**D, "type": "object", "properties": {"kind": D, "size": D}, "variants": {"kin": [{"is": ["a"], "allows": ["siz"]}]}},
    )  # fmt: skip
    found = run("templates", "check", write(tmp_path, {"guest.schema.yaml": odd}))
    assert found.exit_code == 2
    start = f"{tmp_path}/guest.schema.yaml:"
    told = [line.removeprefix(start) for line in found.stderr.splitlines() if line.startswith(start)]
    assert [line for line in told if "no template can write" not in line] == [
        "4: properties.plain: has no description",
        "6: properties.plain.default: does not fit: 'many' is not a whole number",
        "14: properties.other.defaults[0].when: 'titel' is not a neighbour of it (did you mean 'title'?)",
        "33: properties.thing.variants.kin: 'kin' is not a property of it (did you mean 'kind'?)",
        "38: properties.thing.variants.kin[0].allows: 'siz' is not a property of it (did you mean 'size'?)",
    ]
    unknown = guest(a={**D, "patern": "x", "defualt": 1}, b={**D, "only_on": ["amd46"]})
    found = run("templates", "check", write(tmp_path, {"guest.schema.yaml": unknown}))
    assert (found.exit_code, found.stderr.count("\n")) == (2, 3)
    for said in ("a.patern: is not a keyword", "a.defualt: is not a keyword", "'amd46' is not an architecture"):
        assert said in found.stderr


def test_shipped_parts_are_as_parts_are_to_be() -> None:
    """As parts of one's own would be looked at."""

    class Own(Stack):
        def is_shipped(self, file: str | None) -> bool:
            return False

    schema, faults = checked(Own([ROOT / "templates"]), thoroughly=True)
    assert schema is not None
    assert faults == []


def test_pattern_of_ones_own_takes_no_time(tmp_path: Path) -> None:
    evil = {**D, "type": "string", "pattern": "^(a+)+$", "message": "letters"}
    renderer = Renderer([write(tmp_path, {"guest.schema.yaml": guest(evil=evil)})])
    assert renderer.context({"name": "a", "evil": "a" * 100_000})["evil"]
    with pytest.raises(GuestError, match="is not letters"):
        renderer.render({"name": "a", "evil": "a" * 100_000 + "!"})


def test_properties_named_like_keywords(tmp_path: Path) -> None:
    names = ("variants", "properties", "$ref", "if", "default", "items")
    thing = {**D, "type": "object", "properties": {name: {**D, "type": "integer"} for name in names}}
    renderer = Renderer([write(tmp_path, {"guest.schema.yaml": guest(thing=thing)})])
    given = dict.fromkeys(names, 1)
    assert renderer.context({"name": "a", "thing": given})["thing"] == given


def test_part_without_what_is_computed_with(tmp_path: Path, run: Run) -> None:
    part = from_yaml((ROOT / "templates/devices/disk.schema.yaml").read_text())[0]
    del part["properties"]["target"]
    part["required"] = []
    write(tmp_path, {"devices/disk.schema.yaml": part})
    result = run("render", "--templates", tmp_path, input="name: a\ndisks: [{source: /a.qcow2}]\n")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"{tmp_path}/devices/disk.schema.yaml: ")


ODD: list[Any] = [
    None,
    True,
    5,
    -1,
    "",
    "x",
    [],
    ["x"],
    {},
    {"x": 1},
    {"$ref": "#"},
    [[]],
    "#/$defs/none",
    10**30,
    {"type": "array"},
]


@pytest.mark.parametrize("seed", range(12))
def test_mutated_parts_are_refused_clearly_or_work(seed: int, tmp_path: Path, run: Run) -> None:
    """Shipped parts with keywords left out, misspelt, or of other values: exit codes 0 and 2, one line for each fault."""
    rng = random.Random(seed)
    files = sorted((ROOT / "templates").rglob("*.schema.yaml"))
    for number in range(3):
        file = rng.choice(files)
        name = file.relative_to(ROOT / "templates").as_posix()
        part = from_yaml(file.read_text())[0]
        for _ in range(rng.choice((1, 1, 2))):
            mutate(part, rng)
        folder = write(tmp_path / str(number), {name: part})
        text = (
            "name: a\ndisks: [{source: /a.qcow2}, /dev/b]\ninterfaces: [{source: br0}]\ngraphics: vnc\ntpms: emulator\n"
        )
        for command in (["render"], ["explain", "disks"]):
            result = run(*command, "--templates", folder, input=text)
            assert result.exit_code in (0, 2), result.stderr
            assert "Traceback" not in result.stderr
            assert "please report" not in result.stderr, result.stderr
            assert (result.exit_code == 2) == bool(result.stderr)


def mutate(part: Any, rng: random.Random) -> None:
    """Change something in a part."""
    places = [part]
    for node in places:
        places += [
            child
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list)) and child
        ]
    place = rng.choice(places)
    key = rng.choice(list(place) if isinstance(place, dict) else range(len(place)))
    match rng.randrange(4):
        case 0:
            del place[key]
        case 1 if isinstance(place, dict):
            place[f"{key}s"] = place.pop(key)
        case 2:
            place[key] = deepcopy(part)
        case _:
            place[key] = deepcopy(rng.choice(ODD))


DEEP = {
    "parentheses": "\n{{ " + "(" * 5000 + "name" + ")" * 5000 + " }}",
    "ifs": "\n" + "{% if name %}" * 3000 + "{% endif %}" * 3000,
    "loops": "\n" + "{% for a in [] %}" * 30 + "{% endfor %}" * 30,
    "sum": "\n{{ " + " + ".join(["name"] * 5000) + " }}",
    "signs": "\n{{ " + "-" * 5000 + "1 }}",
}


@pytest.mark.parametrize("source", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("name", ["amd64.xml.j2", "domain/vcpu.xml.j2"])
def test_template_nested_too_deep(name: str, source: str, tmp_path: Path, run: Run) -> None:
    write(tmp_path, {name: source})
    result = run("render", "--templates", tmp_path, input="name: a\n")
    assert (result.exit_code, result.stdout) == (2, "")
    first, *more = result.stderr.splitlines()
    assert first == f"{tmp_path}/{name}:2: is nested too deep (guest 'a')"
    assert len(more) <= 2
    found = run("templates", "check", tmp_path)
    assert (found.exit_code, found.stderr) == (2, f"{tmp_path}/{name}:2: is nested too deep\n")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"amd64.xml.j2": '{% extends "amd64.xml.j2" %}'},
            "amd64.xml.j2:1: extends itself: amd64.xml.j2 extends amd64.xml.j2 (did you mean shipped/amd64.xml.j2?)",
        ),
        (
            {"amd64.xml.j2": '{% extends "a.xml.j2" %}', "a.xml.j2": '\n{% extends "b.xml.j2" %}', "b.xml.j2": '{% extends "a.xml.j2" %}'},
            "b.xml.j2:1: extends itself: a.xml.j2 extends b.xml.j2 extends a.xml.j2",
        ),
        (
            {"domain.xml.j2": '{% extends "amd64.xml.j2" %}'},
            "domain.xml.j2:1: extends itself: amd64.xml.j2 extends domain.xml.j2 extends amd64.xml.j2",
        ),
    ],
)  # fmt: skip
def test_templates_that_extend_each_other(files: dict[str, str], said: str, tmp_path: Path, run: Run) -> None:
    write(tmp_path, files)
    result = run("render", "--templates", tmp_path, input="name: a\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{tmp_path}/{said}")
    found = run("templates", "check", tmp_path)
    assert found.exit_code == 2
    assert any(line.startswith(f"{tmp_path}/{said}") for line in found.stderr.splitlines())


@pytest.mark.parametrize("statement", ["include", "import"])
def test_templates_that_include_each_other(statement: str, tmp_path: Path, run: Run) -> None:
    more = " as x" if statement == "import" else ""
    write(
        tmp_path,
        {f"{a}.xml.j2": f'{{% {statement} "{b}.xml.j2"{more} %}}' for a, b in (("amd64", "b"), ("b", "amd64"))},
    )
    result = run("render", "--templates", tmp_path, input="name: a\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "includes or calls itself endlessly" in result.stderr
    assert {"amd64.xml.j2", "b.xml.j2"} <= {
        word.strip(",").split("/")[-1].partition(":")[0] for word in result.stderr.split()
    }


@pytest.mark.parametrize(
    ("source", "made"),
    [("<tpm/>", "<tpm>"), ("", "nothing"), (" \n", "nothing"), ("<domain/>", "<domain> without a name"), ("<domain><name> </name></domain>", "<domain> without a name")],
)  # fmt: skip
def test_what_is_no_domain_with_a_name(source: str, made: str, tmp_path: Path, run: Run) -> None:
    write(tmp_path, {"domain.xml.j2": source})
    result = run("render", "--templates", tmp_path, input="name: a\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"{tmp_path}/domain.xml.j2: makes {made}, not a <domain> with a <name>: without"
        " {% extends \"shipped/domain.xml.j2\" %}, it replaces all of that (guest 'a')\n"
    )
    with pytest.raises(TemplateError):
        Renderer([tmp_path]).render({"name": "a"})


SECRET_SITE = {
    "guest.schema.yaml": guest(token={**D, "type": "string", "pattern": "^[a-z]{8}$", "message": "eight letters", "writeOnly": True}),
    "domain.xml.j2": '{% extends "shipped/domain.xml.j2" %}{% block metadata %}\n{% if token is defined %}\n'
    '  <metadata>\n    <s:site xmlns:s="u" token="{{ token }}"/>\n  </metadata>\n{% endif %}\n{% endblock %}\n',
}  # fmt: skip


def test_secret_of_ones_own_is_shown_nowhere_but_in_the_xml(tmp_path: Path, run: Run) -> None:
    site, out = write(tmp_path / "site", SECRET_SITE), tmp_path / "out"
    templates = ("--templates", site)
    text = "name: a\ntoken: sesameab\n"
    assert run("context", *templates, input=text).stdout.count("sesameab") == 0
    assert "token: '***'" in run("context", *templates, input=text).stdout
    assert run("render", *templates, "-o", out, input=text).exit_code == 0
    assert (out / "a.xml").stat().st_mode & 0o777 == 0o640
    assert "sesameab" in (out / "a.xml").read_text()
    changed = run("render", *templates, "-o", out, "--check", "--diff", input=text.replace("sesameab", "openopen"))
    assert changed.exit_code == 1
    assert "only secrets differ" in changed.stdout
    assert "sesameab" not in changed.stdout
    assert "openopen" not in changed.stdout
    for wrong in (text.replace("sesameab", "SESAMEAB"), "name: a\ntoken: [SESAMEAB]\n"):
        refused = run("render", *templates, input=wrong)
        assert refused.exit_code == 2
        assert "token: ***" in refused.stderr or "a list" in refused.stderr
        assert "SESAMEAB" not in refused.stderr
    refused = run("render", *templates, "--set", "token=SESAMEAB", input="name: a\n")
    assert (refused.exit_code, "SESAMEAB" in refused.stderr) == (2, False)


GIVEN = {
    "a default": {"default": "hunter2a"},
    "values": {"enum": ["hunter2a", "hunter2b"], "default": "hunter2a"},
    "a constant": {"const": "hunter2a"},
    "a default by type": {"defaults": [{"when": {"/type": "kvm"}, "value": "hunter2a"}]},
    "a default by a neighbour": {"defaults": [{"when": {"name": True}, "value": "hunter2a"}]},
}


@pytest.mark.parametrize("given", GIVEN.values(), ids=GIVEN)
def test_what_a_part_gives_a_secret_is_not_shown(given: dict[str, Any], tmp_path: Path, run: Run) -> None:
    secret = {**D, "type": "string", "pattern": "^[a-z0-9]{8}$", "writeOnly": True, **given}
    login = {**D, "type": "object", "additionalProperties": False, "properties": {"key": secret}}
    part = guest(token=secret, login={**login, "default": {"key": "hunter2a"}})
    site = write(tmp_path / "site", {"guest.schema.yaml": part})
    own = ("--templates", site)
    for arguments in (["explain"], ["explain", "token"], ["explain", "login"], ["explain", "login.key"], ["schema"]):
        result = run(*arguments, *own)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "hunter2" not in result.stdout
    said = [
        run("context", *own, input=f"name: a\ntoken: {value}\n") for value in ("hunter2a", "hunter2!", "[hunter2!]")
    ]
    said += [run("templates", "check", site)]
    assert "hunter2" not in "".join(result.stdout + result.stderr for result in said)


def test_secret_default_that_does_not_fit_is_not_shown(tmp_path: Path, run: Run) -> None:
    secret = {**D, "type": "string", "pattern": "^[a-z]$", "writeOnly": True, "default": "hunter2"}
    result = run("templates", "check", write(tmp_path, {"guest.schema.yaml": guest(token=secret)}))
    assert "properties.token.default: does not fit: ***" in result.stderr
    assert "hunter2" not in result.stderr


def test_secret_of_ones_own_for_configuration_management(tmp_path: Path) -> None:
    folders = (str(write(tmp_path / "site", SECRET_SITE)),)
    found = one.from_values({"name": "a", "token": "sesameab"}, folders)
    assert found.has_secret
    assert "sesameab" in found.xml
    masked = renderer_of(folders).masker()(found.xml)
    assert "sesameab" not in masked
    assert 'token="***"' in masked
    assert not one.from_values({"name": "a"}, folders).has_secret
    (tmp_path / "g.yaml").write_text("name: a\ntoken: sesameab\n")
    assert one.from_file(str(tmp_path / "g.yaml"), None, folders).has_secret
