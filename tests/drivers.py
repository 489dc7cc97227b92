"""The libvirts that tests ask for a verdict: the machine's own, and those of newer Debians in roots of their own.

``tests/libvirt_roots DIR`` makes the roots, ``KVMRENDER_ROOTS=DIR`` has the tests find them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pytest

CRASH = "libvirt crashed"
TESTS = Path(__file__).parent
HOST = "host"
RELEASES = ("trixie", "forky")
"""Debians with a newer libvirt than most hosts have, the newest last."""
NAMES = (HOST, *RELEASES)
SCHEMA = "usr/share/libvirt/schemas/domain.rng"


class Answer(NamedTuple):
    refusal: str | None
    text: str
    """A dump, or a command line."""


def root(release: str) -> Path:
    """Return the root of a Debian, or skip the test."""
    if found := in_root(release):
        if os.geteuid():
            pytest.skip("needs root, to change into a root of another Debian")
        return found
    pytest.skip(why_missing(release))


def why_missing(release: str) -> str:
    """Say why there is no root of a Debian."""
    if reason := in_root(f"{release}.missing"):
        return f"can't be had: {reason.read_text().strip()}"
    return f"needs a root of {release}: tests/libvirt_roots DIR; KVMRENDER_ROOTS=DIR"


def in_root(*path: str) -> Path | None:
    """Return a file of the root of a Debian, if it is there."""
    found = Path(os.environ.get("KVMRENDER_ROOTS") or "/nowhere", *path)
    return found if found.exists() else None


class Driver(AbstractContextManager["Driver"]):
    """The QEMU driver of a libvirt, with no daemon. It survives what crashes libvirt."""

    def __init__(self, name: str) -> None:
        self.name = name
        child = ["python3", "/checkout/tests/libvirt_child.py"]
        if name == HOST:
            command = [sys.executable, str(TESTS / "libvirt_child.py")]
        else:
            command = [str(TESTS / "debian_root"), "--root", str(root(name)), name, "--", *child]
        if not os.geteuid():  # a dry run makes network devices, which no other driver's are to meet, and guests files
            command = ["unshare", "--net", "--mount", "--propagation", "private", *command]
        self._sent = 0
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def _send(self, step: str, xml: str) -> int:
        assert self._process.stdin
        self._sent += 1
        self._process.stdin.write(json.dumps([self._sent, step, xml]) + "\n")
        self._process.stdin.flush()
        return self._sent

    def _ask(self, step: str, xml: str) -> Answer:
        """Return the answer. libvirt may crash after it has answered: the next answer is still to come then."""
        assert self._process.stdout
        number, again = self._send(step, xml), 0
        while True:
            found, *answer = json.loads(self._process.stdout.readline())
            if found == number:
                return Answer(*answer)
            if found == again:
                return Answer(CRASH, "")
            if not found and not again:
                again = self._send("version", "")

    def define(self, xml: str) -> Answer:
        """Define and dump a domain, as ``virsh define --validate`` and ``virsh dumpxml --inactive`` do."""
        return self._ask("define", xml)

    def run(self, xml: str) -> Answer:
        """Go as far as QEMU's command line (``virsh domxml-to-native``), which finds what the schema can't know."""
        return self._ask("run", xml)

    def start(self, xml: str) -> Answer:
        """Start a domain, paused, and dump it, as ``virsh create --paused`` and ``virsh dumpxml`` do."""
        return self._ask("start", xml)

    def crashed(self) -> Answer:
        """Kill libvirt, as some documents do."""
        return self._ask("crash", "")

    def refusal(self, xml: str) -> str | None:
        return self.define(xml).refusal or self.run(xml).refusal

    @cached_property
    def version(self) -> tuple[int, int]:
        number = int(self._ask("version", "").text)
        return number // 1_000_000, number // 1_000 % 1_000

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
