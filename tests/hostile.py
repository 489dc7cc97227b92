"""The command line with hostile input, limited in memory and time, in a separate process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

MEGABYTES, SECONDS = 256, 60
"""Limits of a command: memory for its data, and CPU time."""


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES << 20,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def bounded(
    *arguments: str | bytes, input: bytes | None = None, stdin: int | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run ``kvmrender`` with these arguments."""
    return subprocess.run(
        [sys.executable, "-m", "kvmrender", *arguments],
        input=input,
        stdin=stdin,
        capture_output=True,
        cwd=cwd,
        env={key: value for key, value in os.environ.items() if key[:10] != "KVMRENDER_"} | {"PYTHONPATH": str(ROOT)},
        preexec_fn=_limits,
        check=False,
    )


def complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    """Return the one-line error message of a command that failed as expected."""
    said = done.stderr.decode()
    assert (done.returncode, done.stdout, said.count("\n")) == (2, b"", 1), said[-2000:]
    assert len(said) < 1000
    assert "Traceback" not in said
    return said.rstrip("\n")
