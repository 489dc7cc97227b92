"""``--report sarif``, ``junit`` and ``github``: what CI systems read of a run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import Run

GOOD = "name: good\n"
BAD = "name: bad\nmemory: 2 GiB\nmaxMemory: 1 GiB\nmemroy: 1\n"
NOTED = "name: noted\ndisks: [{source: /a.qcow2, target: {dev: sda, bus: virtio}}]\n"
SAID = "memory: 2048 MiB is more than maxMemory, 1024 MiB [max-memory]"
UNKNOWN = "memroy: is not a known key (did you mean 'memory'?) [schema]"
NOTE = "disks[0].target.dev: note: 'sda' is not a name of bus virtio: those begin with vd [target-bus]"


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("good", GOOD), ("bad", BAD), ("noted", NOTED)):
        Path(f"{name}.yaml").write_text(text)
    return tmp_path


COMMANDS = [("render", "-o", "domains"), pytest.param(("validate",), marks=pytest.mark.libvirt)]
ALL = ("good.yaml", "bad.yaml", "noted.yaml")


@pytest.mark.parametrize("command", COMMANDS)
def test_github(command: tuple[str, ...], files: Path, run: Run) -> None:
    result = run(*command, "--report", "github", *ALL)
    assert result.exit_code == 2
    assert sorted(result.stdout.splitlines()) == sorted(
        [
            f"::error file=bad.yaml,line=2,col=9,title=max-memory::{SAID}",
            f"::error file=bad.yaml,line=4,col=1,title=schema::{UNKNOWN}",
            f"::notice file=noted.yaml,line=2,col=42,title=target-bus::{NOTE}",
        ]
    )
    assert f"bad.yaml:2:9: {SAID}\n" in result.stderr


def sarif(text: str) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """The results of a log, and its rules by their ids."""
    log = json.loads(text)
    assert (log["version"], len(log["runs"])) == ("2.1.0", 1)
    (only,) = log["runs"]
    driver = only["tool"]["driver"]
    assert driver["name"] == "kvmrender"
    return only["results"], {rule["id"]: rule for rule in driver["rules"]}


@pytest.mark.parametrize("command", COMMANDS)
def test_sarif(command: tuple[str, ...], files: Path, run: Run) -> None:
    results, rules = sarif(run(*command, "--report", "sarif", *ALL).stdout)
    assert [rules[one["ruleId"]]["defaultConfiguration"]["level"] for one in results] == [
        one["level"] for one in results
    ]
    found = next(one for one in results if one["ruleId"] == "max-memory")
    assert found == {
        "ruleId": "max-memory",
        "level": "error",
        "message": {"text": SAID},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "bad.yaml"},
                    "region": {"startLine": 2, "startColumn": 9},
                },
                "logicalLocations": [{"fullyQualifiedName": "memory"}],
            }
        ],
    }
    assert rules["max-memory"]["shortDescription"] == {"text": "memory does not exceed maxMemory."}
    assert rules["max-memory"]["help"]["text"] == "kvmrender explain max-memory"
    assert {(one["ruleId"], one["level"]) for one in results} == {
        ("max-memory", "error"),
        ("schema", "error"),
        ("target-bus", "note"),
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_junit(command: tuple[str, ...], files: Path, run: Run) -> None:
    suites = ElementTree.fromstring(run(*command, "--report", "junit", *ALL).stdout.encode())
    (suite,) = suites
    cases = {case.get("name"): case for case in suite}
    assert [*cases] == ["good", "bad", "noted"]
    for counted in (suites, suite):
        assert (counted.get("tests"), counted.get("failures"), counted.get("errors")) == ("3", "1", "0")
    failure = cases["bad"].find("failure")
    assert failure is not None
    assert failure.get("message") == f"bad.yaml:2:9: {SAID}"
    assert (failure.text or "").split("\n")[1:-1] == [f"bad.yaml:2:9: {SAID}", f"bad.yaml:4:1: {UNKNOWN}", "      "][:2]
    assert (cases["noted"].findtext("system-out") or "").strip() == f"noted.yaml:2:42: {NOTE}"
    skipped = [name for name, case in cases.items() if case.find("skipped") is not None]
    assert skipped == (["good", "noted"] if command[0] == "render" else [])
    assert suite.get("skipped") == str(len(skipped))


@pytest.mark.parametrize("form", ["sarif", "junit", "github", "json"])
@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_wrong(form: str, command: tuple[str, ...], files: Path, run: Run) -> None:
    result = run(*command, "--report", form, "good.yaml")
    assert result.exit_code == 0
    if form == "github":
        assert result.stdout == ""
    elif form == "sarif":
        assert sarif(result.stdout) == ([], {})
    elif form == "junit":
        (case,) = ElementTree.fromstring(result.stdout)[0]
        assert (case.get("name"), len(case)) == ("good", 0)
    else:
        assert json.loads(result.stdout)["problems"] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_no_guests(command: tuple[str, ...], files: Path, run: Run) -> None:
    """Files that can't be read, what guests share, options: all that is told is in the report."""
    Path("list.yaml").write_text("- a\n")
    Path("twin.yaml").write_text(GOOD)
    result = run(*command, "--report", "json", "good.yaml", "twin.yaml", "none.yaml")
    found = [problem for line in result.stdout.splitlines() for problem in json.loads(line)["problems"]]
    assert {problem["id"] for problem in found} == {"shared-name", "file"}
    result = run(*command, "--report", "github", "--set", "memroy=1", "--ignore", "x", "good.yaml")
    assert result.exit_code == 2
    assert re.sub("::.*", "", result.stdout.replace("::error ", "")).splitlines() == ["title=set", "title=ignore"]
    ignored = run(*command, "--report", "sarif", "--ignore", "target-bus", "good.yaml")
    assert ignored.exit_code == 0
    assert [one["message"]["text"] for one in sarif(ignored.stdout)[0]] == [
        "--ignore target-bus: note: finds nothing in any guest [ignore]"
    ]


def test_text_is_escaped(files: Path, run: Run) -> None:
    name = "a,b:c%d\x1b.yaml"
    Path(name).write_text("name: a\n'<&\"\\u0007%\\n]]>': 1\n".replace("'", '"').replace('<&"', '<&\\"'))
    github = run("render", "-o", "domains", "--report", "github", name).stdout
    place = "file=a%2Cb%3Ac%25d\\x1b.yaml,line=2,col=1,title=schema"
    assert github.startswith(f'::error {place}::<&"\\x07%25\\n]]>: is not a known key')
    assert github.count("\n") == 1
    (result,) = sarif(run("render", "-o", "domains", "--report", "sarif", name).stdout)[0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%2Cb%3Ac%25d%1B.yaml"
    assert "\\x07" in result["message"]["text"]
    failure = ElementTree.fromstring(run("render", "-o", "domains", "--report", "junit", name).stdout)[0][0][0]
    assert '<&"\\x07%\\n]]>: is not a known key' in (failure.text or "")


@pytest.mark.parametrize("form", ["sarif", "junit", "github", "json"])
def test_secrets_are_not_in_reports(form: str, files: Path, run: Run) -> None:
    secret = "correct horse"
    Path("a.yaml").write_text(f"name: a\ngraphics: [{{type: vnc, passwd: [{secret}]}}]\n")
    result = run("render", "-o", "domains", "--report", form, "a.yaml")
    assert result.exit_code == 2
    assert "graphics[0].passwd" in result.stdout
    assert secret not in result.stdout


@pytest.mark.slow
def test_what_is_wrong_with_templates(files: Path, run: Run) -> None:
    Path("site/devices").mkdir(parents=True)
    Path("site/devices/watchdog.xml.j2").write_text('\n<watchdog model="{{ device.modle }}"/>\n')
    Path("watched.yaml").write_text("name: a\nwatchdogs: [{model: i6300esb}]\n")
    check = ("templates", "check", "site", "--guest", "watched.yaml", "--report")
    result = run(*check, "github")
    assert result.exit_code == 2
    assert "::error file=site/devices/watchdog.xml.j2,line=2,title=template::'modle' is not given here" in result.stdout
    assert len(result.stdout.splitlines()) == len(result.stderr.splitlines())
    results, rules = sarif(run(*check, "sarif").stdout)
    assert {one["ruleId"] for one in results} == {*rules} == {"template"}
    (case,) = ElementTree.fromstring(run(*check, "junit").stdout)[0]
    assert case.find("failure") is not None
    bad = json.loads(run("templates", "check", "--guest", "bad.yaml", "--report", "json").stdout)
    assert {problem["id"] for problem in bad["problems"]} >= {"max-memory", "schema"}
    good = run("templates", "check", "--guest", "watched.yaml", "--report", "json")
    assert (good.exit_code, json.loads(good.stdout)["status"]) == (0, "valid")


def test_template_that_cannot_be_used(files: Path, run: Run) -> None:
    Path("site").mkdir()
    Path("site/guest.schema.yaml").write_text("extends: shipped/gust.schema.yaml\n")
    result = run("render", "-o", "domains", "--templates", "site", "--report", "github", "good.yaml")
    assert result.exit_code == 2
    assert result.stdout.startswith("::error file=site/guest.schema.yaml,line=1,title=template::")
