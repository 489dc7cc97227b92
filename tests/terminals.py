"""Programs at a terminal of their own, as a person sees and uses them."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import ROOT

PATIENCE = 60
"""Seconds until what is waited for is given up; a slow machine is no failure."""


class Terminal:
    """A program that runs at a terminal of its own."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process, self._master, self._seen = process, master, ""

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def expect(self, pattern: str) -> str:
        """Wait until the program has shown something since this was last asked for, and return all up to its end."""
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self._seen, re.DOTALL)):
            assert self._read(deadline), f"no {pattern!r} in {self._seen!r}"
        shown, self._seen = self._seen[: found.end()], self._seen[found.end() :]
        return shown

    def end(self) -> tuple[int, str]:
        """Wait for the program to end, and return its exit code and what it has shown."""
        while self._read(time.monotonic() + PATIENCE):
            pass
        return self.process.wait(PATIENCE), self._seen

    def _read(self, deadline: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0, deadline - time.monotonic()))
        try:
            read = os.read(self._master, 65536) if ready else b""
        except OSError:  # the program has ended
            read = b""
        self._seen += read.decode().replace("\r\n", "\n")
        return bool(read)


@contextmanager
def at_a_terminal(folder: Path, *arguments: str, **environment: str) -> Iterator[Terminal]:
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        [sys.executable, "-m", "kvmrender", *arguments],
        cwd=folder,
        env={**os.environ, "TERM": "xterm", "NO_COLOR": "", "PYTHONPATH": str(ROOT), **environment},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        preexec_fn=own_terminal,
    )
    os.close(slave)
    try:
        yield Terminal(process, master)
    finally:
        process.kill()
        process.wait()
        os.close(master)
