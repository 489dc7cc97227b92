"""Layers: defaults under each guest, settings over it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, find, parse
from guests import draws
from hypothesis import given
from hypothesis import strategies as st

import kvmrender
from kvmrender.reading.layers import merge
from kvmrender.reading.parse import from_yaml

KEYS = st.sampled_from("abc")
VALUES = st.recursive(
    st.none() | st.integers(0, 3), lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner)
)
LAYERS = st.dictionaries(KEYS, VALUES)


@pytest.mark.parametrize(
    ("lower", "upper", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, {"a": {"b": 1, "c": 3}}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"b": 1}}, {"a": "text"}, {"a": "text"}),
        ({"a": "text"}, {"a": {"b": 1}}, {"a": {"b": 1}}),
        ({"a": {"b": 1}}, {"a": None}, {"a": None}),
        ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
    ],
)
def test_mappings_merge_and_all_else_replaces(lower: Any, upper: Any, merged: Any) -> None:
    assert merge(lower, upper) == merged


@draws(100)
@given(LAYERS, LAYERS, LAYERS)
def test_merging_is_associative_and_changes_nothing(low: Any, middle: Any, high: Any) -> None:
    before = repr((low, middle, high))
    assert merge(merge(low, middle), high) == merge(low, merge(middle, high))
    assert repr((low, middle, high)) == before


FLEET = """\
defaults:
  memory: 2 GiB
  cpu: host-model
  vars: {site: north}
guests:
- name: a
- name: b
  memory: 4 GiB
  cpu: null
"""


def test_fleet_puts_its_defaults_under_each_guest(run: Run) -> None:
    first, second = run("render", input=FLEET).stdout.split("</domain>\n")[:-1]
    assert '<memory unit="MiB">2048</memory>' in first
    assert '<cpu mode="host-model"/>' in first
    assert '<memory unit="MiB">4096</memory>' in second
    assert "<cpu" not in second


def test_defaults_files_go_under_the_fleets_own(tmp_path: Path, run: Run) -> None:
    (tmp_path / "site.yaml").write_text("memory: 8 GiB\nvcpu: 2\ntitle: site\n")
    (tmp_path / "rack.json").write_text('{"vcpu": 4}')
    result = run(
        "render",
        "--defaults",
        tmp_path / "site.yaml",
        "--defaults",
        tmp_path / "rack.json",
        "--select",
        "a",
        input=FLEET,
    )
    assert find(result.stdout, "memory").text == "2048"
    assert find(result.stdout, "vcpu").text == "4"
    assert find(result.stdout, "title").text == "site"


GUEST = "name: a\nmemory: 1 GiB\nos: {boot: hd}\ndisks:\n- {source: /a.qcow2, driver: qcow2}\n- source: /b.qcow2\n"


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("memory=2 GiB", "memory", "2048"),
        ("memory.unit=KiB", "memory[@unit='KiB']", "1024"),
        ("memory={unit: GiB, text: 3}", "memory[@unit='GiB']", "3"),
        ("disks[0].driver.cache=none", "devices/disk/driver[@type='qcow2'][@cache='none']", None),
        ("disks[1].source=/c.qcow2", "devices/disk/source[@file='/c.qcow2']", None),
        ("disks[2]={source: /c.raw}", "devices/disk/target[@dev='vdc']", None),
        ("os.boot[1]=network", "os/boot[@dev='network']", None),
        ("features.pae=true", "features/pae", None),
        ("qemu:commandline.qemu:arg[0].value=-s", "{http://libvirt.org/schemas/domain/qemu/1.0}commandline", None),
        ("title='yes'", "title", "yes"),
    ],
)
def test_setting_goes_over_a_guest(setting: str, path: str, value: str | None, run: Run) -> None:
    element = find(run("render", "--set", setting, input=GUEST).stdout, path)
    assert value is None or element.text == value


def test_null_as_a_setting_removes_a_default(run: Run) -> None:
    assert parse(run("render", "--set", "uuid=", "--set", "cpu=null", input=GUEST).stdout).find("uuid") is None


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("memroy=2", "--set memroy=…: memroy: is not a known key (did you mean 'memory'?) [set]"),
        (
            "disks[0].drver.cache=none",
            "--set disks[0].drver.cache=…: disks[0].drver: is not a known key (did you mean 'driver'?) [set]",
        ),
        ("disks.driver=raw", "--set disks.driver=…: disks is a list: say which, disks[0] [set]"),
        ("memory[0]=1", "--set memory[0]=…: memory[0]: memory is not a list [set]"),
        ("name.first=a", "--set name.first=…: name.first: name is not a mapping [set]"),
        ("[0]=1", "--set [0]=…: [0]: a guest is not a list [set]"),
        ("memory", "--set memory: is not PATH=VALUE, such as disks[0].driver.cache=none [set]"),
        ("disks[x]=1", "--set disks[x]=…: is not PATH=VALUE, such as disks[0].driver.cache=none [set]"),
        ("=1", "--set =…: is not PATH=VALUE, such as disks[0].driver.cache=none [set]"),
        ("title=a\n---\nb", "--set title=a\\n---\\nb: the value is more than one YAML document [set]"),
        ("disks[3].boot=1", "--set disks[3].boot=1: disks[3] comes after 2 that the guest has [set]"),
        ("vcpu=many", "--set vcpu=many: vcpu: 'many' is not a whole number [schema]"),
        (
            "disks[1].driver.cache=non",
            "--set disks[1].driver.cache=non: disks[1].driver.cache: 'non' is not one of default, none, writethrough,"
            " writeback, directsync, unsafe (did you mean 'none'?) [schema]",
        ),
    ],
)
def test_bad_setting_is_told_once_in_one_line(setting: str, said: str, run: Run) -> None:
    result = run("render", "--set", setting, input=GUEST)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{said}\n")


def test_setting_that_is_not_yaml(run: Run) -> None:
    result = run("render", "--set", "title={a", input=GUEST)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith("--set title={a: the value is not YAML: ")


def test_fault_is_told_where_it_was_written(tmp_path: Path, run: Run) -> None:
    site, fleet = tmp_path / "site.yaml", tmp_path / "fleet.yaml"
    site.write_text("title: a\nvcpu: few\n")
    fleet.write_text("defaults:\n  memory: much\nguests:\n- name: a\n  cpu: hots-model\n- name: b\n")
    result = run("render", "--defaults", site, fleet)
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert [line.rpartition("/")[2].partition(" '")[0] for line in lines] == [
        "fleet.yaml:2:11: memory:",
        "fleet.yaml:5:8: cpu.mode:",
        "site.yaml:2:7: vcpu:",
    ]


def test_each_problem_is_that_of_the_file_that_says_it(tmp_path: Path, run: Run) -> None:
    """The uppermost layer that says what is wrong is blamed: of two settings the last, then the last defaults."""
    below, above, guest = (tmp_path / name for name in ("below.yaml", "above.yaml", "guest.yaml"))
    below.write_text("vcpu: few\nmemory: much\ntitle: [a]\ncpu: {mode: fast}\non_crash: jump\n")
    above.write_text("memory: more\ncpu: {match: loose}\non_crash: hide\n")
    guest.write_text("name: a\ntitle: [b]\n")
    settings = ["--set", "on_crash=run", "--set", "on_crash=walk", "--set", "clock.offset=off"]
    result = run("render", "--defaults", below, "--defaults", above, *settings, guest)
    assert (result.exit_code, result.stdout) == (2, "")
    found = {line.rpartition("/")[2].partition(" '")[0] for line in result.stderr.splitlines()}
    assert found == {
        "--set clock.offset=off: clock.offset:",
        "--set on_crash=walk: on_crash:",
        "above.yaml:1:9: memory:",
        "above.yaml:2:14: cpu.match:",
        "below.yaml:1:7: vcpu:",
        "below.yaml:4:13: cpu.mode:",
        "guest.yaml:2:8: title: a list is not a string: write title: b [schema]",
    }


@pytest.mark.parametrize(
    ("defaults", "settings", "guest", "blamed"),
    [
        ("cpu: {mode: fast}", [], "cpu: hots-model", "guest.yaml:2:6: cpu.mode"),
        ("disks: [{source: /a, driver: {type: b}}]", [], "disks: [{source: /a, driver: c}]", "guest.yaml:2:30: "),
        ("disks: {source: /a, driver: {type: b}}", [], "disks: [{source: /a}]", "guest.yaml:2:9: disks[0].driver."),
        ("disks: {source: /a, driver: {type: b}}", [], "disks: {device: disk}", "defaults.yaml:1:36: disks[0].driver."),
        ("cpu: {mode: fast}", ["cpu={check: none}"], "cpu: {}", "defaults.yaml:1:13: cpu.mode"),
        ("cpu: {mode: fast}", ["cpu={mode: slow}", "cpu={check: none}"], "cpu: {}", "--set cpu={mode: slow}: cpu.mode"),
        ("cpu: {mode: fast}", ["cpu.mode=slow", "cpu=host-x"], "cpu: {mode: x}", "--set cpu=host-x: cpu.mode"),
        ("cpu: {mode: fast}", ["cpu={check: none}", "cpu.mode=slow"], "cpu: {}", "--set cpu.mode=slow: cpu.mode"),
    ],
)  # fmt: skip
def test_what_a_layer_replaces_is_not_blamed(
    defaults: str, settings: list[str], guest: str, blamed: str, tmp_path: Path, run: Run
) -> None:
    """Nor is a mapping above that says nothing of the key at fault."""
    (tmp_path / "defaults.yaml").write_text(defaults)
    (tmp_path / "guest.yaml").write_text(f"name: a\n{guest}\n")
    over = [word for setting in settings for word in ("--set", setting)]
    result = run("render", "--defaults", tmp_path / "defaults.yaml", *over, tmp_path / "guest.yaml")
    (line,) = result.stderr.splitlines()
    assert line.replace(f"{tmp_path}/", "").startswith(blamed)
    lines = tmp_path / "guest.jsonl"
    lines.write_text(json.dumps({"name": "a", **from_yaml(guest)[0]}) + "\n")
    result = run("render", "--defaults", tmp_path / "defaults.yaml", *over, lines)
    assert result.stderr.replace(f"{tmp_path}/", "")[:9] == blamed.replace("guest.yaml", "guest.jsonl")[:9]


@pytest.mark.parametrize("name", ["-", "guests", "guests.yaml"])
@pytest.mark.parametrize("between", ["---\n", "\n---\n", "...\n---\n", "# b\n---\n", "--- "])
def test_documents_in_flow_style(between: str, name: str, tmp_path: Path, run: Run) -> None:
    text = f'{{"name": "a"}}\n{between}{{"name": "b"}}\n'
    (tmp_path / "guests").write_text(text)
    (tmp_path / "guests.yaml").write_text(text)
    result = run("render", name if name == "-" else tmp_path / name, input=text)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.count("<name>") == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "is not a single mapping of default values for guests [file]"),
        ("a: 1\n---\na: 2\n", "is not a single mapping of default values for guests [file]"),
        ("", "is not a single mapping of default values for guests [file]"),
    ],
)
def test_defaults_are_a_mapping(text: str, said: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "d.yaml").write_text(text)
    result = run("render", "--defaults", tmp_path / "d.yaml", input="name: a\n")
    assert (result.exit_code, result.stderr) == (2, f"{tmp_path}/d.yaml:1:1: {said}\n")


def test_defaults_that_are_missing(tmp_path: Path, run: Run) -> None:
    result = run("render", "--defaults", tmp_path / "d.yaml", "--set", "x=1", input="name: a\n")
    assert result.stderr == (
        f"{tmp_path}/d.yaml: No such file or directory [file]\n"
        "--set x=…: x: is not a known key (kvmrender explain lists all) [set]\n"
    )


@pytest.mark.parametrize(
    ("fleet", "said"),
    [
        ("guests: a\n", "<stdin>:1:9: guests: is not a list of guests, or a mapping of guests by name [file]"),
        (
            "guests: []\ndefault: {}\n",
            "<stdin>:2:1: default: is not a known key of a fleet (did you mean 'defaults'?) [file]",
        ),
        (
            "guests: []\ndefaults: 1\n",
            "<stdin>:2:11: defaults: is not a mapping of default values for guests [file]",
        ),
        ("guests:\n- name: a\n- 7\n", "<stdin>:3:3: a guest is a mapping, not 7 [schema]"),
    ],
)
def test_bad_fleet(fleet: str, said: str, run: Run) -> None:
    result = run("render", input=fleet)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{said}\n")


def test_fleet_without_guests_is_no_mistake(run: Run) -> None:
    result = run("render", input="guests: []\n")
    assert (result.exit_code, result.stdout) == (0, "")


def test_namespace_is_that_of_guests_that_name_none(run: Run) -> None:
    uuids = {
        find(run("render", *options, input=guest).stdout, "uuid").text
        for options, guest in (
            ((), "name: a\nnamespace: north\n"),
            (("--namespace", "north"), "name: a\n"),
            (("--namespace", "south"), "name: a\nnamespace: north\n"),
        )
    }
    assert len(uuids) == 1
    assert find(run("render", "--namespace", "south", input="name: a\n").stdout, "uuid").text not in uuids


def test_select_takes_names_by_pattern(run: Run) -> None:
    guests = "".join(f"---\nname: {name}\n" for name in ("web-1", "web-2", "db-1"))
    xml = run("render", "--select", "*-1", "--select", "w*2", input=guests).stdout
    assert re.findall("<name>(.*)</name>", xml) == ["web-1", "web-2", "db-1"]
    assert run("render", "--select", "web-?", input=guests).stdout.count("<name>") == 2


def test_guest_without_a_name_is_never_left_out(run: Run) -> None:
    assert "name: is missing" in run("render", "--select", "a", input="memory: 1\n").stderr


LINES = '{"name": "a"}\n\n{"name": "b", "memory": 2048}\n'


def test_json_lines(tmp_path: Path, run: Run) -> None:
    (tmp_path / "g.jsonl").write_text(LINES)
    from_file, from_stdin = run("render", tmp_path / "g.jsonl"), run("render", input=LINES)
    assert from_file.stdout == from_stdin.stdout
    assert from_file.stdout.count("<name>") == 2


def test_fleet_in_one_line_is_no_json_lines(run: Run) -> None:
    line = '{"defaults": {"memory": 1024}, "guests": [{"name": "a"}, {"name": "b"}]}'
    for end in ("", "\n", "\n\n"):
        assert run("render", input=line + end).stdout.count('<memory unit="MiB">1024<') == 2
    second = run("render", input=f'{{"name": "c"}}\n{line}\n')
    assert "<stdin>:2:32: guests: is not a known key" in second.stderr


def test_faults_of_json_lines_have_their_lines(run: Run) -> None:
    result = run("render", input='{"name": "a"}\n{"name": "b", "vcpu": 0}\n{"name": \n[]\n')
    first, second, third = result.stderr.splitlines()
    assert first == "<stdin>:2:23: vcpu: 0 is less than 1 [schema]"
    assert second.startswith("<stdin>:3:10: is not JSON: ")
    assert third == "<stdin>:4:1: a guest is a mapping, not a list [schema]"


def test_values_go_over_the_guests_of_their_names_and_under_settings(tmp_path: Path, run: Run) -> None:
    (tmp_path / "v.yaml").write_text("a: {memory: 8 GiB, vars: {rack: r1}}\nb: {cpu: host-model}\n")
    (tmp_path / "w.json").write_text('{"a": {"title": "later", "vcpu": 3}}')
    options = ["--values", tmp_path / "v.yaml", "--values", tmp_path / "w.json", "--set", "vcpu=5"]
    first, second = run("render", *options, input=FLEET).stdout.split("</domain>\n")[:-1]
    assert '<memory unit="MiB">8192</memory>' in first
    assert "<title>later</title>" in first
    assert "<vcpu>5</vcpu>" in first
    assert '<memory unit="MiB">4096</memory>' in second
    assert '<cpu mode="host-model"/>' in second
    (loaded, _) = kvmrender.load("f.yaml", data=FLEET.encode(), values=[str(tmp_path / "v.yaml")])
    assert loaded.guest["vars"] == {"site": "north", "rack": "r1"}


def test_values_find_guests_whose_names_each_gives_and_bring_profiles(tmp_path: Path, run: Run) -> None:
    (tmp_path / "v.yaml").write_text("web-1: {use: [minimal], vcpu: 7}\n")
    fleet = "each: {name: 'web-{{ index }}', title: '{{ name }}'}\nguests: [{}, {}]\n"
    first, second = run("context", "--values", tmp_path / "v.yaml", input=fleet).stdout.split("---\n")
    assert "usb" not in first
    assert "title: web-1" in second
    assert "type: usb" in second
    assert "text: 7" in second


@pytest.mark.parametrize("command", [["render"], ["validate"], ["render", "--select", "a"]])
def test_values_of_a_name_that_no_guest_has(command: list[str], tmp_path: Path, run: Run) -> None:
    (tmp_path / "v.yaml").write_text("a: {}\nweb-2: {vcpu: 4}\n")
    guests = "name: a\n---\nname: web-1\n"
    (tmp_path / "g.yaml").write_text(guests)
    result = run(*command, "--values", tmp_path / "v.yaml", tmp_path / "g.yaml")
    assert result.exit_code == 2
    assert f"{tmp_path}/v.yaml:2:1: web-2: no guest has this name (did you mean 'web-1'?) [file]\n" in result.stderr
    with pytest.raises(kvmrender.GuestError, match="no guest has this name"):
        kvmrender.load(tmp_path / "g.yaml", values=[str(tmp_path / "v.yaml")])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {vcpu: many}\n", ":1:11: vcpu: 'many' is not a whole number [schema]"),
        ("a: 4\n", ":1:4: a: is not a mapping of values for the guest of this name [file]"),
        ("a: {name: b}\n", ":1:11: a.name: is not 'a', the name of the guest [file]"),
        ("- a\n", ":1:1: is not a single mapping of guest names to values [file]"),
    ],
)
def test_values_that_are_wrong_are_told_with_their_place(text: str, said: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / "v.yaml").write_text(text)
    result = run("render", "--values", tmp_path / "v.yaml", input="name: a\nvcpu: 2\n")
    assert (result.exit_code, result.stderr) == (2, f"{tmp_path}/v.yaml{said}\n")


def sources(run: Run, *options: Any, **written: str) -> list[list[str]]:
    """The disks of each guest."""
    result = run("render", "--allow-shared", "*", *options, **written)
    assert result.exit_code == 0, result.output
    return [re.findall('<source file="([^"]*)"', guest) for guest in result.stdout.split("</domain>")[:-1]]


def test_items_of_a_guest_are_appended_to_those_below(tmp_path: Path, run: Run) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/more.yaml").write_text("# More.\n'disks[+]': {source: /p.raw}\n")
    values = tmp_path / "values.yaml"
    values.write_text("b: {'disks[+]': [{source: /v.raw}]}\n")
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(
        "defaults: {disks: [{source: /d.raw}]}\nguests:\n"
        "- {name: a, 'disks[+]': [{source: /a.raw}, {source: /b.raw}]}\n"
        "- {name: b, 'disks[+]': {source: /c.raw}}\n- {name: c}\n"
    )
    assert sources(run, "--values", values, "--set", "disks[+].source=/s.raw", fleet) == [
        ["/d.raw", "/a.raw", "/b.raw", "/s.raw"],
        ["/d.raw", "/c.raw", "/v.raw", "/s.raw"],
        ["/d.raw", "/s.raw"],
    ]
    one = "name: a\n'disks[+]': [{source: /a.raw}]\n"
    assert sources(run, input=one) == [["/a.raw"]]
    assert sources(run, "--templates", tmp_path, "--use", "more", input=one) == [["/p.raw", "/a.raw"]]
    assert sources(run, "--templates", tmp_path, "--use", "more", input="name: a\n") == [["/p.raw"]]
    each = "each: {disks: [{source: '/{{ name }}.raw'}]}\nguests: {a: {'disks[+]': [{source: /b.raw}]}}\n"
    assert sources(run, input=each) == [["/a.raw", "/b.raw"]]
    defaults = tmp_path / "defaults.yaml"
    defaults.write_text("'disks[+]': [{source: /e.raw}]\n")
    assert sources(run, "--defaults", defaults, input=one) == [["/e.raw", "/a.raw"]]


def test_fault_in_an_appended_item_has_its_place(tmp_path: Path, run: Run) -> None:
    fleet = tmp_path / "fleet.yaml"
    fleet.write_text(
        "defaults: {disks: [{source: /d.raw}]}\nguests:\n- name: a\n  disks[+]:\n  - {source: /a.raw}\n"
        "  - {source: /b.raw, shade: 1}\n"
    )
    assert run("render", fleet).stderr.startswith(f"{fleet}:6:22: disks[2].shade: is not a known key")


def test_list_that_is_given_and_appended_to_in_one_layer_is_refused(run: Run) -> None:
    said = run("render", input="name: a\ndisks: []\n'disks[+]': [{source: /a.raw}]\n").stderr
    assert said == "<stdin>:3:1: disks[+]: is not a known key (did you mean 'disks'?) [schema]\n"
