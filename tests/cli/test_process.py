"""The program as a process: exit codes, signals, standard streams, and what is nobody's fault but its own."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import pytest
from conftest import ROOT, Run

from kvmrender.errors import Error
from kvmrender.fleet.processes import spread
from kvmrender.terminal import SIGNALS

COMMAND = [sys.executable, "-m", "kvmrender"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
# As coverage starts it may swallow an interrupt, and leave half of a module.
UNMEASURED = {key: value for key, value in ENVIRONMENT.items() if not key.startswith("COVERAGE_")}
GUEST = "name: a\n"

AT_A_CALL = """
import os, signal, sys

number, at = int(sys.argv[1]), int(sys.argv[2])
calls, process = 0, os.getpid()

def count(frame, event, argument):
    global calls
    calls += 1
    if calls == at:
        os.kill(process, number)

from kvmrender.__main__ import main

sys.argv[1:] = sys.argv[3:]
sys.setprofile(count)
try:
    main()
finally:
    sys.setprofile(None)
    if not at:
        sys.stderr.write(str(calls))
"""
"""The command line, in which a signal comes as a function is called, by its number in the order of calls."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a fleet, and in ``out`` what becomes of it."""
    lines = [json.dumps({"name": f"g{number}", "vcpu": number % 7 + 1}) for number in range(200)]
    (tmp_path / "g.jsonl").write_text("\n".join(lines))
    subprocess.run([*COMMAND, "render", "-q", "-o", "out", "g.jsonl"], cwd=tmp_path, env=ENVIRONMENT, check=True)
    return tmp_path


def ended(number: int) -> set[int]:
    """The exit codes of a run that a signal came to: by itself, or before there was anything to take it."""
    return {128 + number, -number}


COMMANDS = [
    ("render", "-q", "--check", "-j2", "-o", "out", "g.jsonl"),
    ("render", "-q", "-j2", "-o", "out", "g.jsonl"),
    ("render", "-j2", "g.jsonl"),
]


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("command", COMMANDS, ids=["check", "folder", "output"])
def test_signal_at_any_instant(command: tuple[str, ...], folder: Path) -> None:
    drawn = random.Random(str(command))
    start = time.monotonic()
    subprocess.run([*COMMAND, *command], cwd=folder, env=UNMEASURED, check=True, stdout=subprocess.DEVNULL)
    needed = time.monotonic() - start
    for number, is_group in list(product(SIGNALS, (False, True))) * 5:
        process = subprocess.Popen(
            [*COMMAND, *command], cwd=folder, env=UNMEASURED, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        time.sleep(drawn.uniform(0, 1.1 * needed))
        if process.poll() is None:
            (os.killpg if is_group else os.kill)(process.pid, number)
        said = process.communicate(timeout=60)[1]
        if "KeyboardInterrupt" in said:  # as Python starts, and finds the package: it ends with 1, or as by SIGINT
            assert "program.py" not in said
            continue
        assert process.returncode in {0, *ended(number)}, said
        if process.returncode == 128 + number:
            assert said in {"interrupted\n", ""}  # as what says so is imported


@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize(("number", "jobs"), [*zip(SIGNALS, ("-j1", "-j2"), strict=True)])
def test_signal_at_any_call(number: int, jobs: str, folder: Path) -> None:
    def run(at: int) -> subprocess.CompletedProcess[str]:
        command = ["render", "-q", "--check", jobs, "-o", "out", "g.jsonl"]
        return subprocess.run(
            [sys.executable, "-c", AT_A_CALL, str(int(number)), str(at), *command], cwd=folder, env=UNMEASURED,
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip

    calls = int(run(0).stderr)
    for at in (*range(150, calls, calls // 12), *range(calls - 40, calls, 4)):
        done = run(at)
        assert done.returncode in {0, *ended(number)}, (at, done.stderr)
        assert (done.stdout, done.stderr) in {("", ""), ("", "interrupted\n")}, at


STREAMS = {
    "nothing to read": ("<&-", {"render -": 2, "render g.yaml": 0, "--help": 0}),
    "nowhere to write": (">&-", {"render g.yaml": 2, "render -o out g.yaml": 0, "--help": 2, "templates list": 2}),
    "nowhere to complain": ("2>&-", {"render g.yaml": 0, "render b.yaml": 2, "render -o out g.yaml": 0, "--no": 2}),
    "none": ("<&- >&- 2>&-", {"render g.yaml": 2, "render -o out g.yaml": 0, "render b.yaml": 2, "--no": 2}),
    "full complaints": ("2>/dev/full", {"render -v -o out g.yaml": 0, "render b.yaml": 2, "--no": 2, "nothing": 2}),
    "full": (">/dev/full 2>/dev/full", {"render g.yaml": 2, "render -o out g.yaml": 0, "explain": 2}),
}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("streams", STREAMS)
def test_standard_streams_that_are_closed_or_full(streams: str, tmp_path: Path) -> None:
    redirection, codes = STREAMS[streams]
    (tmp_path / "g.yaml").write_text(GUEST)
    (tmp_path / "b.yaml").write_text("name: a\nmemroy: 1\n")
    for command, code in codes.items():
        done = subprocess.run(
            f'"{sys.executable}" -m kvmrender {command} {redirection}', shell=True, cwd=tmp_path, env=ENVIRONMENT,
            input="", capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == code, (command, done.stderr)
        assert done.stderr.count("\n") <= 4, done.stderr
        assert "Traceback" not in done.stderr
    (written,) = [*(tmp_path / "out").iterdir()][:1] if any("-o" in command for command in codes) else [None]
    assert written is None or written.stat().st_size


WRONG: dict[str, BaseException] = {
    "mistake": ValueError("hunter2"),
    "no end": RecursionError(),
    "no room": MemoryError(),
    "panic": type("PanicException", (BaseException,), {})(),
}


@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize("wrong", WRONG)
def test_what_nobody_expected_is_one_line(wrong: str, jobs: int, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    error = WRONG[wrong]

    def fail(*_: object) -> None:
        raise error

    guests = "".join(f'{{"name": "g{number}"}}\n' for number in range(200))
    monkeypatch.delenv("KVMRENDER_DEBUG", raising=False)
    monkeypatch.setattr("kvmrender.fleet.fleet.Fleet._guest", fail)
    result = run("render", "--jobs", jobs, input=guests)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert f"({type(error).__name__} at kvmrender.fleet.fleet:" in result.stderr
    assert "hunter2" not in result.stderr
    assert ("please report" in result.stderr) is (wrong != "no room")
    monkeypatch.setenv("KVMRENDER_DEBUG", "1")
    if wrong == "mistake":
        assert "Traceback (most recent call last):" in run("render", "--jobs", jobs, input=guests).stderr


def test_what_nobody_expected_of_a_worker_is_told_by_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KVMRENDER_DEBUG", raising=False)

    def work(number: int) -> int:
        if number > 1:
            raise ZeroDivisionError
        return number

    with pytest.raises(Error, match=r"ZeroDivisionError at kvmrender.fleet.processes:\d+"):
        list(spread(work, iter([(None, number) for number in range(9)]), 2))


LOST = """
import os, signal, sys, time, weakref
from kvmrender.cli.program import as_program

class Thing:
    pass

def run():
    if sys.argv[1] != "exec":
        thing = Thing()
        reference = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))
        del thing
        if sys.argv[1] == "end":
            return
    else:
        try:
            exec("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")
        finally:
            pass
    while True:
        pass

as_program(run)
time.sleep(0.1)
"""


@pytest.mark.parametrize("place", ["callback", "exec"])
def test_signal_where_python_loses_exceptions(place: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOST, place], env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (143, "interrupted\n")


def test_signal_that_python_loses_at_the_end() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOST, "end"], env=ENVIRONMENT, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_commands_start_without_jinja() -> None:
    """Of each start, it would be a fifth."""
    program = "import sys, kvmrender.cli.main; print('jinja2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
