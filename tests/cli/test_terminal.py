"""What a person at a terminal sees, and a pipe does not."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from conftest import ROOT
from terminals import at_a_terminal

RENDER = [sys.executable, "-m", "kvmrender", "render"]
SHOWING = {**os.environ, "TERM": "xterm", "NO_COLOR": ""}
"""What lets programs use colours, wherever the tests run."""


def on_a_terminal(arguments: list[str], folder: Path, until: str | None = None, **environment: str) -> str:
    """Run a command with standard output and error on a terminal; interrupt it when it has shown a pattern."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [*RENDER, *arguments],
        cwd=folder,
        env={**SHOWING, "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    shown = ""
    with open(master, "rb", buffering=0) as terminal:  # noqa: PTH123 - a descriptor, not a path
        while True:
            try:
                read = terminal.read(4096)
            except OSError:  # the other side has closed it
                break
            shown += read.decode()
            if until and re.search(until, shown):
                process.terminate()
                until = None
    process.wait()
    return shown


@pytest.mark.parametrize(
    ("command", "done"), [("render", "<name>a</name>"), ("render -o out", "1 created"), ("context -", "\nuuid: ")]
)
def test_who_is_at_a_terminal_is_told_that_a_guest_is_waited_for(command: str, done: str, tmp_path: Path) -> None:
    with at_a_terminal(tmp_path, *command.split()) as terminal:
        said = terminal.expect("instead\n")
        assert said == "waiting for a guest on standard input: Ctrl-D ends it; name a file to read that instead\n"
        terminal.type("name: a\n\x04")
        code, shown = terminal.end()
        assert code == 0
        assert "waiting" not in shown
        assert done in shown


def test_ctrl_c_while_a_guest_is_waited_for_exits_with_130(tmp_path: Path) -> None:
    with at_a_terminal(tmp_path, "render") as terminal:
        terminal.expect("instead\n")
        time.sleep(0.5)  # nobody is faster: a signal between the message and the read is seen only after the read
        terminal.type("\x03")
        code, shown = terminal.end()
        assert (code, shown.removeprefix("^C")) == (130, "interrupted\n")


def test_pipe_is_told_nothing() -> None:
    done = subprocess.run(RENDER, input=b"name: a\n", capture_output=True, check=True)
    assert done.stderr == b""


def test_progress_is_shown_when_it_takes_long(tmp_path: Path) -> None:
    guests = (json.dumps({"name": f"g{number}"}) + "\n" for number in range(200_000))
    (tmp_path / "g.jsonl").write_text("".join(guests))
    shown = on_a_terminal(["--jobs", "1", "-o", "out", "g.jsonl"], tmp_path, until=r"\d+ guests \[00:0\d")
    assert re.search(r"\d+ guests \[00:0\d", shown)
    assert shown.replace("\r", "").endswith("interrupted\n")


def test_short_runs_show_no_progress(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text("name: a\n")
    assert on_a_terminal(["-o", "out", "g.yaml"], tmp_path) == "1 guest: 1 created, 0 changed, 0 unchanged\r\n"


def test_diff_has_colours(tmp_path: Path) -> None:
    (tmp_path / "g.yaml").write_text("name: a\n")
    on_a_terminal(["-o", "out", "g.yaml"], tmp_path)
    shown = on_a_terminal(["-o", "out", "--diff", "--set", "vcpu=2", "g.yaml"], tmp_path).replace("\r", "")
    assert "\x1b[31m-  <vcpu>1</vcpu>\x1b[0m\n\x1b[32m+  <vcpu>2</vcpu>\x1b[0m\n" in shown
    assert "\x1b[1m+++ out/a.xml\x1b[0m\n\x1b[36m@@ " in shown


@pytest.mark.parametrize("command", ["render -o out --check --diff", "drift --dumps out --diff"])
@pytest.mark.parametrize(
    ("when", "environment", "pipe", "terminal"),
    [
        ("auto", {}, False, True),
        ("auto", {"NO_COLOR": "1"}, False, False),
        ("never", {}, False, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
    ],
)
def test_colours_are_as_asked_for(
    command: str, when: str, environment: dict[str, str], pipe: bool, terminal: bool, tmp_path: Path
) -> None:
    (tmp_path / "g.yaml").write_text("name: a\n")
    subprocess.run([*RENDER, "-q", "-o", "out", "g.yaml"], cwd=tmp_path, check=True)
    arguments = [*command.split(), "--color", when, "--set", "vcpu=2", "g.yaml"]
    piped = subprocess.run(
        [*RENDER[:-1], *arguments], cwd=tmp_path, env={**SHOWING, **environment}, capture_output=True, check=False
    )
    assert piped.returncode == 1
    assert (b"\x1b[3" in piped.stdout) is pipe
    with at_a_terminal(tmp_path, *arguments, **environment) as shown:
        code, text = shown.end()
    assert code == 1
    assert ("\x1b[3" in text) is terminal


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colours_and_progress_can_be_turned_off(environment: dict[str, str], tmp_path: Path) -> None:
    guests = (json.dumps({"name": f"g{number}"}) + "\n" for number in range(9000))
    (tmp_path / "g.jsonl").write_text("".join(guests))
    shown = on_a_terminal(["--jobs", "1", "-o", "out", "--diff", "--select", "g1", "g.jsonl"], tmp_path, **environment)
    assert "+  <name>g1</name>" in shown
    assert "\x1b" not in shown
    if environment.get("TERM") == "dumb":
        shown = on_a_terminal(["--jobs", "1", "-o", "out", "g.jsonl"], tmp_path, r"guests \[", **environment)
        assert " guests [" not in shown
