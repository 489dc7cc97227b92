from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FIXTURES, ROOT, Run

import kvmrender
from kvmrender.__main__ import VARIABLES
from kvmrender.cli import main as cli


def test_version(run: Run) -> None:
    assert run("--version").stdout == f"kvmrender, version {kvmrender.__version__}\n"


@pytest.mark.parametrize("command", ["render", "context", "schema"])
def test_help_has_an_example(command: str, run: Run) -> None:
    help_text = run(command, "--help").stdout
    assert f"Example: kvmrender {command}" in help_text
    assert run(command, "-h").stdout == help_text


def test_unknown_option_is_trouble(run: Run) -> None:
    result = run("render", "--nope")
    assert (result.stdout, result.exit_code) == ("", 2)
    assert "--nope" in result.stderr


def python_m(*arguments: str, cwd: Path = ROOT, **environment: str) -> bytes:
    return subprocess.run(
        [sys.executable, "-m", "kvmrender", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
    ).stdout


def test_python_m_is_the_same_command(run: Run) -> None:
    file = ROOT / "fixtures/web-1.yaml"
    assert python_m("render", str(file)) == file.with_suffix(".xml").read_bytes()
    assert python_m("--version").decode() == run("--version").stdout


@pytest.mark.slow
def test_bytes_are_the_same_everywhere(tmp_path: Path) -> None:
    # Without those that have a name or a MAC address of another one.
    files = [str(file) for file in FIXTURES if not file.stem.startswith(("seed-", "interface-hostdev"))]
    files += ["--allow-shared", "*"]
    outputs = {
        python_m("render", *files, PYTHONHASHSEED="1"),
        python_m("render", *files, PYTHONHASHSEED="2", LC_ALL="C", PYTHONUTF8="0"),
        python_m("render", *files, cwd=tmp_path, TZ="Asia/Tokyo"),
    }
    assert len(outputs) == 1
    contexts = {python_m("context", *map(str, FIXTURES), PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert len(contexts) == 1


def test_output_is_utf8_in_any_locale() -> None:
    guest = b'{"name": "a", "title": "\xe6\xbc\xa2\xe5\xad\x97"}'
    done = subprocess.run(
        [sys.executable, "-m", "kvmrender", "render"],
        input=guest,
        env={**os.environ, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    assert b"<title>\xe6\xbc\xa2\xe5\xad\x97</title>" in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completion(shell: str) -> None:
    script = python_m(_KVMRENDER_COMPLETE=f"{shell}_source").decode()
    assert "_KVMRENDER_COMPLETE" in script
    answer = python_m(_KVMRENDER_COMPLETE="bash_complete", COMP_WORDS="kvmrender ren", COMP_CWORD="1")
    assert answer == b"plain,render\n"


def test_context_says_every_default(run: Run) -> None:
    text = run("context", input="name: a\nuuid: null\n").stdout
    assert text.startswith("type: kvm\nname: a\narch: amd64\nuuid: null\n")
    assert "memory:\n  unit: MiB\n  text: 512\n" in text


def test_what_is_too_much_for_memory_is_printed_whole(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text("name: a\n---\nname: b\n---\nname: c\n")
    whole = run("render", str(tmp_path / "a.yaml")).stdout
    assert whole.count("</domain>") == 3
    monkeypatch.setattr("kvmrender.cli.run.IN_MEMORY", 100)
    assert run("render", str(tmp_path / "a.yaml")).stdout == whole


def test_fields_of_ones_own_that_nothing_writes_are_told_by_strict(tmp_path: Path, run: Run) -> None:
    part = tmp_path / "guest.schema.yaml"
    own = {name: {"type": "string", "description": name} for name in ("rack", "row")}
    part.write_text(json.dumps({"extends": "shipped/guest.schema.yaml", "properties": own}))
    guest = '{"name": "a", "rack": "north"}'
    assert run("render", "--templates", tmp_path, input=guest).stdout == kvmrender.render({"name": "a"})
    result = run("render", "--strict", "--templates", tmp_path, input=guest)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"{part}: rack is a field that no template can write",
        f"{part}: row is a field that no template can write",
    ]


def test_fields_of_ones_own_in_lists_are_told_by_strict_too(tmp_path: Path, run: Run) -> None:
    (tmp_path / "devices").mkdir()
    own = {"shelf": {"type": "string", "description": "Where it stands."}}
    part = {"extends": "shipped/devices/disk.schema.yaml", "properties": own}
    (tmp_path / "devices/disk.schema.yaml").write_text(json.dumps(part))
    result = run("render", "--strict", "--templates", tmp_path, input="name: a\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "disks.shelf is a field that no template can write" in result.stderr


WITHOUT_OPTIONS = [
    (("web-1.yaml",), "", 0),
    (("web-1.yaml", "odd.yaml", "nope.yaml"), "", 2),
    (("web-1.yaml", "-"), "name: b\n", 0),
    ((), "name: c\n", 0),
    ((), '{"name": "d"}\n{"name": "d"}\n', 2),
    (("",), "", 2),
]


@pytest.mark.parametrize(("files", "given", "code"), WITHOUT_OPTIONS)
def test_render_without_options_is_what_it_is_with_them(
    files: tuple[str, ...], given: str, code: int, tmp_path: Path
) -> None:
    """What needs no click is done without it, and nobody notices."""
    (tmp_path / "web-1.yaml").write_bytes((ROOT / "fixtures/web-1.yaml").read_bytes())
    (tmp_path / "odd.yaml").write_text("name: a\nmemroy: 1\ndisks: {bus: sda}\n")

    def done(*options: str, **environment: str) -> tuple[str, str, int]:
        result = subprocess.run(
            [sys.executable, "-m", "kvmrender", "render", *options, *files],
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            cwd=tmp_path, input=given, capture_output=True, text=True,
        )  # fmt: skip
        return result.stdout, result.stderr, result.returncode

    plain = done()
    assert plain[2] == code
    assert bool(plain[0]) is (code == 0)
    assert plain == done("--quiet") == done(KVMRENDER_MAX_SIZE="64 MiB")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("KVMRENDER_MAX_SIZE", "1 KiB", "guest.yaml: is more than 1 KiB: --max-size allows more [max-size]\n"),
        ("KVMRENDER_TEMPLATES", "nope", "nope: is not a template folder\n"),
    ],
)
def test_options_of_the_environment_hold_without_others(variable: str, value: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "guest.yaml").write_text("name: a\n" + "#" * 1024)
    result = subprocess.run(
        [sys.executable, "-m", "kvmrender", "render", "guest.yaml"],
        env={**os.environ, "PYTHONPATH": str(ROOT), variable: value},
        cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (result.stdout, result.stderr, result.returncode) == ("", said, 2)


def test_every_option_of_the_environment_is_one_for_click() -> None:
    variables = {option.envvar for command in cli.main.commands.values() for option in command.params if option.envvar}
    assert variables == VARIABLES - {"_KVMRENDER_COMPLETE"}
