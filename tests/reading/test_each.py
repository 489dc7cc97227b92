"""What a fleet says of each guest, with expressions of that guest's own values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Run
from hostile import bounded, complaint

import kvmrender


def contexts(run: Run, fleet: Any, *options: Any) -> list[dict[str, Any]]:
    result = run("context", *options, "-", input=yaml.safe_dump(fleet, sort_keys=False))
    assert result.exit_code == 0, result.output
    return list(yaml.load_all(result.stdout, yaml.BaseLoader))


def test_each_guest_has_its_own_values_in_place_of_the_expressions(run: Run) -> None:
    fleet = {
        "defaults": {"vars": {"site": "north"}},
        "each": {
            "title": "{{ name | upper }} of {{ vars.site }}, {{ '%02d' | format(index + 1) }}",
            "disks": [{"source": "/images/{{ name }}.qcow2"}],
        },
        "guests": [{"name": "web-1"}, {"name": "web-2", "vars": {"site": "south"}}],
    }
    first, second = contexts(run, fleet)
    assert first["title"] == "WEB-1 of north, 01"
    assert second["title"] == "WEB-2 of south, 02"
    assert [guest["disks"][0]["source"]["file"] for guest in (first, second)] == [
        "/images/web-1.qcow2",
        "/images/web-2.qcow2",
    ]


def test_value_of_one_expression_keeps_its_type_and_all_else_is_text() -> None:
    each = {
        "vars": {
            "number": "{{ index + 5 }}",
            "flag": "{{ name.startswith('a') }}",
            "none": "{{ none }}",
            "list": "{{ [index, {'of': name}] }}",
            "own": "{{ disks }}",
            "text": "0{{ index }}",
            "spaced": " {{ index }}",
            "flags": "{{ true }}, {{ 1.5 }}",
            "braces": "{{ '{{' }}",
            "plain": "no { expression }",
        }
    }
    fleet = {"each": each, "guests": [{"name": "a", "disks": [{"source": "/a.qcow2"}]}]}
    (loaded,) = kvmrender.load("f.json", data=json.dumps(fleet).encode())
    assert loaded.guest["vars"] == {
        "number": 5,
        "flag": True,
        "none": None,
        "list": [0, {"of": "a"}],
        "own": [{"source": "/a.qcow2"}],
        "text": "00",
        "spaced": " 0",
        "flags": "true, 1.5",
        "braces": "{{",
        "plain": "no { expression }",
    }


def test_order_is_defaults_profiles_each_guest_set(run: Run, tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/p.yaml").write_text(
        "title: profile\nvars: {b: profile, c: profile, d: profile, e: profile}\n"
    )
    fleet = {
        "defaults": {"vars": dict.fromkeys("abcde", "defaults")},
        "each": {"use": "{{ ['p'] }}", "vars": dict.fromkeys("cde", "{{ vars.a }}, each")},
        "guests": {"x": {"vars": {"d": "guest", "e": "guest"}}},
    }
    (found,) = contexts(run, fleet, "--templates", tmp_path, "--set", "vars.e=set")
    assert found["title"] == "profile"
    assert found["vars"] == {"a": "defaults", "b": "profile", "c": "defaults, each", "d": "guest", "e": "set"}


def test_guest_without_vars_may_be_asked_for_them(run: Run) -> None:
    fleet = {
        "each": {"title": "{{ vars.site | default('north') }}"},
        "guests": {"x": {}, "y": {"vars": {"site": "south"}}},
    }
    assert [found["title"] for found in contexts(run, fleet)] == ["north", "south"]


def test_each_can_give_the_names(run: Run) -> None:
    fleet = {"each": {"title": "{{ name }}!", "name": "web-{{ index }}"}, "guests": [{}, {}, {"name": "db"}]}
    assert [(guest["name"], guest["title"]) for guest in contexts(run, fleet)] == [
        ("web-0", "web-0!"),
        ("web-1", "web-1!"),
        ("db", "db!"),
    ]


def test_nothing_but_each_holds_expressions(run: Run) -> None:
    fleet = {
        "defaults": {"title": "{{ name }}"},
        "each": {"vcpu": 2},
        "guests": [{"name": "a", "description": "{{ name }} {% if %}"}],
    }
    (found,) = contexts(run, fleet, "--set", "vars.x='{{ name }}'")
    assert (found["title"], found["description"], found["vars"]["x"]) == (
        "{{ name }}",
        "{{ name }} {% if %}",
        "{{ name }}",
    )


def test_what_a_guest_says_itself_is_not_evaluated_for_it(run: Run) -> None:
    fleet = {
        "each": {
            "memory": "{{ vars.memory }}",
            "disks": [{"source": "{{ vars.disk }}"}],
            "os": {"boot": "{{ vars.x }}"},
        },
        "guests": [{"name": "a", "memory": "1 GiB", "disks": [], "os": {"boot": "hd"}}],
    }
    (found,) = contexts(run, fleet)
    assert found["memory"]["text"] == "1024"


def test_many_guests_over_several_processes_have_their_own_index(run: Run) -> None:
    fleet = {"each": {"vcpu": "{{ index + 1 }}"}, "guests": [{"name": f"g{number}"} for number in range(200)]}
    found = contexts(run, fleet, "--jobs", "2")
    assert [guest["vcpu"]["text"] for guest in found] == [str(number + 1) for number in range(200)]


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{{ nmae }}", "'{{ nmae }}': 'nmae' is not defined (did you mean 'name'?)"),
        ("{{ vars.sit }}", "'{{ vars.sit }}': 'sit' is not set there (did you mean 'site'?)"),
        ("{{ name", "'{{ name': unexpected end of template, expected 'end of print statement'."),
        ("{% if index %}{{ name }}{% endif %}", "contains more than text and expressions, {{ … }}"),
        ("{{ range(3) }}", "calls 'range', which is not an available string method"),
        ("{{ name.uper() }}", "calls 'uper', which is not an available string method (did you mean 'upper'?)"),
        ("{{ name | uper }}", "has 'uper', which is not an available filter (did you mean 'upper'?)"),
        ("{{ name.upper }}", "has a method, to be called with () where a string or a number is expected"),
        ("{{ name[9] }}", "a text has no such item 9"),
        ("{{ vars }}!", "has a mapping where a string or a number is expected"),
        ("{{ 'x' if index }}", "has an if without else whose condition is false"),
        ("{{ 1 / index }}", "can't be evaluated (division by zero)"),
        ("{{ self }}", "'self' is not defined"),
    ],
)
def test_expression_that_is_wrong_is_told_with_place_and_value(written: str, said: str, run: Run) -> None:
    fleet = (
        f"defaults: {{vars: {{site: n}}}}\neach:\n  vcpu: 2\n  title: {json.dumps(written)}\nguests: [{{name: a}}]\n"
    )
    result = run("render", input=fleet)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith("<stdin>:4:10: title: ")
    assert said in result.stderr
    assert result.stderr.endswith(" [each]\n")


def test_fault_of_an_expression_is_told_once_for_all_guests_and_where_it_is_written(run: Run) -> None:
    fleet = {"each": {"title": "{{ nmae }}"}, "guests": [{"name": "a"}, {"name": "b"}]}
    result = run("render", "--set", "title=x", input=yaml.safe_dump(fleet))
    assert result.stderr.startswith("<stdin>:2:10: title: ")
    assert result.stderr.count("\n") == 1


def test_fault_of_what_an_expression_made_is_told_where_it_is_written(run: Run) -> None:
    result = run("render", input="each:\n  vcpu: '{{ name }}'\nguests: [{name: a}]\n")
    assert result.stderr == "<stdin>:2:9: vcpu: 'a' is not a whole number [schema]\n"


def test_messages_show_no_secret_expression(run: Run) -> None:
    result = run("render", input="each: {graphics: [{type: vnc, passwd: 'hunter2{{ x }}'}]}\nguests: [{name: a}]\n")
    assert (result.exit_code, "hunter2" in result.stderr) == (2, False)
    assert "graphics[0].passwd: 'x' is not defined" in result.stderr


@pytest.mark.parametrize(
    ("fleet", "said"), [("each: [1]", ":1:7: each: is not a mapping"), ("eech: {}", "mean 'each'?")]
)
def test_each_is_a_mapping(fleet: str, said: str, run: Run) -> None:
    assert said in run("render", input=f"{fleet}\nguests: []\n").stderr


@pytest.mark.parametrize(
    "written",
    [
        "{{ 'a' * 10**10 }}",
        "{{ 10**10**10 }}",
        "{{ 10**70 * 10**70 }}",
        "{{ [1] * 10**10 }}",
        "{{ range(10**10) }}",
        "{{ '%9999999999d' % index }}",
        "{{ '%*d' % (10**10, 1) }}",
        "{{ '%9999999999d' | format(1) }}",
        "{{ '{:9999999999}'.format(1) }}",
        "{{ name.zfill(10**10) }}",
        "{{ name | center(10**10) }}",
        "{{ name | indent(10**10) }}",
        "{{ 1.5 | round(10**10) }}",
        "{{ name" + ".replace('', 'xxxxxxxx')" * 30 + " }}",
        "{{ (name * 60000) | replace('', name * 60000) }}",
        "{{ (name * 60000) | list | join(name * 60000) }}",
        "{{ " + " ~ ".join(["name * 60000"] * 30) + " }}",
        "{{ " + "(" * 5000 + "name" + ")" * 5000 + " }}",
        "{{ " + "-" * 5000 + "1 }}",
        "{{ name }}" + "x" * 70_000,
        "{{ name.__class__.__mro__[-1].__subclasses__() }}",
        "{{ name.upper.__self__ }}",
        "{{ [].append(1) }}",
        "{{ vars.update({}) }}",
        "{{ cycler.__init__.__globals__ }}",
        "{{ name | attr('__class__') }}",
        "{% for x in vars %}{% endfor %}{{ name }}",
        "{% import 'x' as y %}{{ name }}",
    ],
)
def test_hostile_expression_is_refused_at_once(written: str, tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_text(json.dumps({"each": {"title": written}, "guests": [{"name": "a", "vars": {}}] * 3}))
    assert ": title: " in complaint(bounded("render", str(file)))


@pytest.mark.parametrize(
    ("written", "guest"),
    [
        (["{{ ('x' * 60000) | length }}"] * 1000, {}),
        (["{{ x }}"] * 1000, {}),
        ([f"{{{{ 'x' * 60000 ~ {number} }}}}" for number in range(1000)], {}),
        (["{{ vars.a == vars.b }}"] * 20_000, {"a": "x" * 500_000, "b": "x" * 500_000}),
    ],
)
def test_expressions_that_take_long_in_all_are_refused(written: list[str], guest: Any, tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    guests = [{"name": f"g{number}"} for number in range(1000)]
    file.write_text(
        json.dumps({"defaults": {"vars": guest}, "each": {"title": "x", "vars": {"of": written}}, "guests": guests})
    )
    assert "the expanded data is more than" in complaint(bounded("render", "--max-size", "4 MiB", str(file)))


def test_ordinary_fleets_may_have_many_expressions(run: Run) -> None:
    each = {"title": "{{ name }} of {{ vars.site }}", "disks": [{"source": "/images/{{ name }}.qcow2"}]}
    fleet = {"each": each, "guests": [{"name": f"g{number}", "vars": {"site": "north"}} for number in range(300)]}
    result = run("render", "--max-size", "100 KiB", input=json.dumps(fleet))
    assert (result.exit_code, result.stdout.count("<source file=")) == (0, 300)


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("title: {{ name }} of a rack", "2:9"),
        ("{{ name }}: a", "2:1"),
        ("vcpu: {{ index }}\nmemory: 1 GiB", "2:8"),
        ("disks: [{source: /images/{{ name }}.qcow2}]", "2:26"),
        ("disks: [{{ name }}]", "2:10"),
    ],
)
def test_expression_without_quotes_is_told_to_have_some(written: str, place: str, run: Run) -> None:
    said = (
        'is not YAML: a value that begins with {{, or has it between [ ] or { }, must be in quotes: "{{ … }}" [file]\n'
    )
    assert run("render", input=f"name: a\n{written}\n").stderr == f"<stdin>:{place}: {said}"


@pytest.mark.parametrize("written", ["title: [a, '{{ b }}'\n", "title: {a: {b}: c}\n"])
def test_other_mistakes_are_not_told_as_that(written: str, run: Run) -> None:
    assert "quotes" not in run("render", input=f"name: a\n{written}").stderr


AS_IT_STANDS = "has {{ … }}, which is written as it stands: only values in each, beside guests, are evaluated [each]"


def test_expression_that_is_not_evaluated_is_noted_with_its_place(tmp_path: Path, run: Run) -> None:
    site = tmp_path / "site"
    (site / "profiles").mkdir(parents=True)
    (site / "profiles/rack.yaml").write_text("# A rack.\ntitle: '{{ name }} in a rack'\n")
    (tmp_path / "values.yaml").write_text("a: {genid: '{{ name }}'}\n")
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(
        "defaults: {disks: [{source: '/{{ name }}.raw'}], genid: null}\n"
        "each: {vcpu: '{{ index + 1 }}'}\n"
        "guests:\n- {name: a, use: rack, description: '{{ x }}', vars: {a: '{{ x }}'}}\n"
        "- {name: b, os: {cmdline: 'a={{ b }}'}, disks: []}\n"
    )
    result = run("render", "--templates", site, "--set", "genid=null", fleet)
    assert result.exit_code == 0
    assert sorted(result.stderr.splitlines()) == [
        f"{fleet}:1:29: defaults.disks[0].source: note: {AS_IT_STANDS}".replace("defaults.", ""),
        f"{fleet}:5:27: os.cmdline: note: {AS_IT_STANDS}",
        f"{site}/profiles/rack.yaml:2:8: title: note: {AS_IT_STANDS}",
    ]
    assert "<title>{{ name }} in a rack</title>" in result.stdout
    noted = run("render", "--values", tmp_path / "values.yaml", "--set", "genid=null", input="name: a\n").stderr
    assert noted == f"{tmp_path}/values.yaml:1:12: genid: note: {AS_IT_STANDS}\n"
    lines = '{"name": "a"}\n{"name": "b", "title": "{{ name }}"}\n'
    assert run("render", input=lines).stderr == f"<stdin>:2:24: title: note: {AS_IT_STANDS}\n"
    assert run("render", "--strict", input=lines).exit_code == 2


def test_expression_that_other_programs_evaluate_is_not_noted(run: Run) -> None:
    guest = {
        "name": "a",
        "extra": {"domain": "<metadata><a xmlns='b'>{{ c }}</a></metadata>"},
        "vars": {"d": "{{ e }}"},
    }
    assert run("render", input=json.dumps(guest)).stderr == ""
    assert run("render", input="# {{ name }}\nname: a\n").stderr == ""
