"""``--ignore ID`` and ``ignore: [ID]``: nobody is stuck with a check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run

import kvmrender

VIRTIO = "disks: [{source: /a.qcow2, target: {dev: sda, bus: virtio}}]"
TWO_TITLES = "memory: 2 GiB\nmaxMemory: 1 GiB\n"
SAID = "memory: 2048 MiB is more than maxMemory, 1024 MiB [max-memory]"


@pytest.fixture
def guest(tmp_path: Path) -> Path:
    file = tmp_path / "a.yaml"
    file.write_text(f"name: a\n{TWO_TITLES}")
    return file


@pytest.mark.parametrize("command", [["render"], ["context"], ["graph"]])
def test_ignored_on_the_command_line(command: list[str], guest: Path, run: Run) -> None:
    refused = run(*command, guest)
    assert (refused.exit_code, refused.stderr) == (2, f"{guest}:2:9: {SAID}\n")
    assert (found := run(*command, "--ignore", "max-memory", guest)).exit_code == 0
    assert found.stderr == ""


def test_ignored_by_the_guest_or_by_defaults(guest: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "defaults.yaml").write_text("ignore: [max-memory]")
    assert run("render", "--defaults", tmp_path / "defaults.yaml", guest).exit_code == 0
    fleet = {"defaults": {"ignore": "max-memory"}, "guests": [{"name": "a", "memory": "2 GiB", "maxMemory": "1 GiB"}]}
    assert run("render", input=json.dumps(fleet)).exit_code == 0
    fleet["guests"][0]["ignore"] = []  # a list replaces that below it
    assert SAID in run("render", input=json.dumps(fleet)).stderr
    assert run("render", "--ignore", "max-memory", input=json.dumps(fleet)).exit_code == 0


def test_what_the_command_line_ignores_is_added(run: Run) -> None:
    text = f"name: a\n{TWO_TITLES}{VIRTIO}\nignore: target-bus\n"
    result = run("context", "--ignore", "max-memory", input=text)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "ignore:\n- target-bus\n- max-memory\n" in result.stdout
    assert run("render", input=result.stdout).exit_code == 0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("max-memroy", "is not the id of a check (did you mean 'max-memory'?)"),
        ("schema", "schema errors can't be ignored"),
        ("shared-name", "is not the id of a check (did you mean 'shared-mac'?)"),
    ],
)
@pytest.mark.parametrize("command", ["render", "context", "graph"])
def test_unknown_id(command: str, name: str, said: str, guest: Path, run: Run) -> None:
    result = run(command, "--ignore", name, guest)
    assert result.exit_code == 2
    assert f"--ignore {name}: {said} [ignore]\n" in result.stderr


def test_unknown_id_in_a_guest(run: Run) -> None:
    said = run("render", input="name: a\nignore: [target-bsu]\n").stderr
    assert said.startswith("<stdin>:2:10: ignore[0]: 'target-bsu' is not one of acpi-machines, ")
    assert said.endswith("(did you mean 'target-bus'?) [schema]\n")
    assert "[schema]" in run("render", input="name: a\nignore: [schema]\n").stderr


def test_id_that_finds_nothing(run: Run) -> None:
    text = "name: a\nignore: [max-memory]\n"
    note = "<stdin>:2:10: ignore[0]: note: max-memory finds nothing in this guest [ignore]\n"
    result = run("render", input=text)
    assert (result.exit_code, result.stderr) == (0, note)
    result = run("render", "--strict", input=text)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", note.replace("note: ", ""))


FLEET = f"name: a\n---\nname: b\n{TWO_TITLES}"


def test_id_of_the_command_line_that_finds_nothing_in_any_guest(run: Run) -> None:
    """In a fleet, it is enough that it finds something somewhere."""
    ignore = ("--ignore", "max-memory", "--ignore", "target-bus")
    note = "--ignore target-bus: note: finds nothing in any guest [ignore]\n"
    result = run("render", *ignore, input=FLEET)
    assert (result.exit_code, result.stderr) == (0, note)
    result = run("render", "--strict", *ignore, input=FLEET)
    assert (result.exit_code, result.stderr) == (2, note.replace("note: ", ""))
    assert run("render", "--ignore", "target-bus", input=FLEET).stderr == f"<stdin>:4:9: {SAID}\n"


@pytest.mark.libvirt
def test_validate(guest: Path, run: Run) -> None:
    assert SAID in run("validate", guest).stderr
    result = run("validate", "--ignore", "max-memory", "--ignore", "target-bus", guest)
    assert (result.exit_code, result.stdout) == (0, f"{guest}: valid\n")
    assert result.stderr == "--ignore target-bus: note: finds nothing in any guest [ignore]\n"


def test_templates_check(guest: Path, tmp_path: Path, run: Run) -> None:
    (tmp_path / "site").mkdir()
    command = ("templates", "check", tmp_path / "site", "--guest", guest)
    assert SAID in run(*command).stderr
    assert "max-memory" not in run(*command, "--ignore", "max-memory").stderr
    assert "did you mean" in run(*command, "--ignore", "max-memroy").stderr


@pytest.mark.parametrize(
    ("name", "said", "more"),
    [
        ("shared-disk", "'/a.qcow2', which guest 'b' writes to,", {"disks": {"source": "/a.qcow2"}}),
        ("shared-uuid", "of guest 'b' is also that of 'a'", {"uuid": "2ac00355-aa38-5a2b-9e12-bd4f3f3ed0f2"}),
        (
            "shared-mac",
            "of guest 'b' is also that of 'a'",
            {"interfaces": {"source": "br0", "mac": "52:54:00:00:00:01"}},
        ),
    ],
)
def test_what_guests_share(name: str, said: str, more: dict[str, Any], run: Run) -> None:
    fleet = json.dumps({"guests": [{"name": "a", **more}, {"name": "b", **more}]})
    result = run("render", input=fleet)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.endswith(f" [{name}]\n")
    assert run("render", "--ignore", name, input=fleet).stderr == ""
    assert run("context", "--ignore", name, input=fleet).stderr == ""


def test_python(guest: Path) -> None:
    (loaded,) = kvmrender.load(guest, ignore=["max-memory"])
    assert kvmrender.Renderer().result(loaded.guest).problems == ()
    notes: list[kvmrender.Problem] = []
    (outcome,) = kvmrender.render_fleet([str(guest)], ignore=["max-memory", "target-bus"], noted=notes.append)
    assert (outcome.problems, outcome.notes) == ((), ())
    assert [*map(str, notes)] == ["--ignore target-bus: note: finds nothing in any guest [ignore]"]
    (problem,) = kvmrender.Renderer().result({"name": "a", "memory": "2 GiB", "maxMemory": "1 GiB"}).problems
    assert (problem.id, problem.level) == ("max-memory", "error")
