"""A run of the tests that changes the machine fails, and says what it changed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conftest import ROOT

CONFTEST = """
import sys
from leftovers import Leftovers

def pytest_configure(config):
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Leftovers())
"""
HARMLESS = "open(os.path.join(tempfile.mkdtemp(), 'a'), 'w').close(); tmp_path.joinpath('b').mkdir()"
MODE = "os.chmod(os.environ['REAL'], 0o755)"
ENTRY = "os.mkdir(os.path.join(os.environ['REAL'], 'kvmrender-x'))"
PROCESS = "subprocess.Popen(['sleep', '1000'], start_new_session=True)"


def run(folder: Path, test: str, *options: str, mode: int) -> subprocess.CompletedProcess[str]:
    """Run one test beside the plugin, in a temporary folder of its own."""
    (folder / "tests").mkdir()
    (folder / "tests/conftest.py").write_text(CONFTEST)
    imports = "import os, subprocess, tempfile\n\n"
    (folder / "tests/test_it.py").write_text(f"{imports}def test_it(tmp_path):\n    {test}\n")
    (folder / "real").mkdir()
    (folder / "real").chmod(mode)
    places = {"TMPDIR": str(folder / "real"), "REAL": str(folder / "real"), "HOME": str(folder)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", *options, "tests"],
        cwd=folder,
        env={**os.environ, **places, "PYTHONPATH": str(ROOT / "tests"), "PYTEST_ADDOPTS": "", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("options", [["-n0"], ["-n2"]], ids="".join)
def test_run_leaves_nothing(options: list[str], tmp_path: Path) -> None:
    done = run(tmp_path, HARMLESS, *options, mode=0o1777)
    assert done.returncode == 0, done.stdout
    assert list((tmp_path / "real").iterdir()) == []


@pytest.mark.parametrize("options", [["-n0"], ["-n2"]], ids="".join)
@pytest.mark.parametrize(
    ("test", "said"),
    [
        (MODE, "{0}: drwxrwxrwt of {1}:{2} before, drwxr-xr-x of {1}:{2} now"),
        (ENTRY, "{0}/kvmrender-x: not there before, drwxr-xr-x of {1}:{2} now"),
    ],
)
def test_run_that_changes_the_temporary_folder_fails(test: str, said: str, options: list[str], tmp_path: Path) -> None:
    done = run(tmp_path, test, *options, mode=0o1777)
    assert done.returncode == 1
    assert said.format(tmp_path / "real", os.geteuid(), os.getegid()) in done.stdout
    assert "1 passed, 1 error" in done.stdout.splitlines()[-1]


def test_what_others_do_in_a_folder_of_all_is_theirs(tmp_path: Path) -> None:
    """In a temporary folder that is the run's alone, it can only be its own."""
    other = ENTRY.replace("kvmrender-x", "theirs")
    assert run(tmp_path, other, mode=0o1777).returncode == 0
    (tmp_path / "again").mkdir()
    done = run(tmp_path / "again", other, mode=0o700)
    assert done.returncode == 1
    assert "real/theirs: not there before" in done.stdout


@pytest.mark.parametrize("options", [["-n0"], ["-n2"]], ids="".join)
def test_run_that_is_terminated_leaves_nothing(options: list[str], tmp_path: Path) -> None:
    end = "import signal; os.killpg(0, signal.SIGTERM); import time; time.sleep(60)"
    done = run(tmp_path, end, *options, mode=0o1777)
    assert done.returncode == 2, done.stdout
    assert list((tmp_path / "real").iterdir()) == []


def test_process_that_still_runs_is_named(tmp_path: Path) -> None:
    done = run(tmp_path, PROCESS, mode=0o1777)
    assert done.returncode == 1
    # The summary at the end may have it once more.
    (line,) = {line for line in done.stdout.splitlines() if line.startswith("still running: ")}
    process = int(line.split()[2])
    try:
        assert Path(f"/proc/{process}/cmdline").read_bytes() == b"sleep\x001000\0"
    finally:
        os.kill(process, 9)


def test_what_multiprocessing_keeps_ends_with_the_run() -> None:
    test = "import multiprocessing; multiprocessing.get_context('forkserver').Process(target=os.getcwd).start()"
    with TemporaryDirectory(prefix="k") as short:  # its sockets have long names
        done = run(Path(short), test, mode=0o1777)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert list((Path(short) / "real").iterdir()) == []
