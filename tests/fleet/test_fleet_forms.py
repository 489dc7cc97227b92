"""What a fleet file may say beside a list of guests, and what keeps a mistake in it from doing harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Run

NAMED = "defaults: {vcpu: 2}\nguests:\n  web-1: {memory: 1 GiB}\n  web-2:\n"


def test_guests_are_a_mapping_of_names(run: Run) -> None:
    result = run("render", input=NAMED)
    listed = run("render", input="defaults: {vcpu: 2}\nguests: [{name: web-1, memory: 1 GiB}, {name: web-2}]\n")
    assert (result.exit_code, result.stdout) == (0, listed.stdout)
    assert run("render", "--select", "web-2", input=NAMED).stdout.count("<domain ") == 1


@pytest.mark.parametrize(
    ("guests", "said"),
    [
        ("{a: {memry: 1}}", "1:14: memry: is not a known key (did you mean 'memory'?) [schema]"),
        ("{a: {name: b}}", "1:20: guests.a.name: is not 'a', the guest's key in guests [file]"),
        ("{a: 3}", "a guest is a mapping, not 3"),
        ("{a/b: }", "name: 'a/b' is not a name"),
        ("3", "1:9: guests: is not a list of guests, or a mapping of guests by name [file]"),
    ],
)
def test_mistake_in_a_mapping_of_guests(guests: str, said: str, run: Run) -> None:
    result = run("render", input=f"guests: {guests}\n")
    assert result.exit_code == 2
    assert said in result.stderr


def test_settings_append(run: Run) -> None:
    guest = "name: a\nrngs: [/dev/random]\n"
    found = run("render", "--set", "rngs[+]=/dev/urandom", "--set", "disks[+].source=/a.raw", input=guest).stdout
    assert found.index("/dev/random") < found.index("/dev/urandom")
    assert '<source file="/a.raw"/>' in found
    options = ["--set", "rngs[+]=/dev/urandom", "--set", "rngs[+]={model: no}"]
    result = run("render", *options, input=guest)
    assert result.stderr.startswith("--set rngs[+]={model: no}: rngs[2].model")


@pytest.mark.parametrize("command", [["render"], ["context"], ["needs"]])
def test_names_that_no_guest_has(command: list[str], run: Run, tmp_path: Path) -> None:
    result = run(*command, "--select", "db-*", "--select", "x", input=NAMED)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "--select db-* x: no guest has such a name, of 2 [select]\n"
    assert run(*command, "--select", "db-*", "--select", "web-*", input=NAMED).exit_code == 0


def test_prune_of_all_has_to_be_asked_for(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run("render", "-o", out, input=NAMED).exit_code == 0
    for options in (["--prune"], ["--prune", "--check"]):
        result = run("render", "-o", out, *options, input="guests: []\n")
        assert result.exit_code == 2
        assert result.stderr == (
            f"{out}: there are no guests, and --prune would remove 2 of 2 files: --prune-all does so\n"
        )
        assert len(list(out.glob("*.xml"))) == 2
    assert run("render", "-o", out, "--prune", input="guests: [{name: web-1}]\n").exit_code == 0
    result = run("render", "-o", out, "--prune-all", input="guests: []\n")
    assert (result.exit_code, list(out.glob("*.xml"))) == (0, [])


def test_check_says_what_would_be(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("render", "-o", out, input=NAMED)
    changed = json.dumps({"guests": [{"name": "web-1"}, {"name": "new"}]})
    result = run("render", "-o", out, "--check", "--prune", "-v", input=changed)
    assert result.exit_code == 1
    assert result.stderr == (
        f"would change {out}/web-1.xml\nwould be created {out}/new.xml\nwould be removed {out}/web-2.xml\n"
        "2 guests: 1 would be created, 1 would change, 0 unchanged, 1 would be removed\n"
    )
