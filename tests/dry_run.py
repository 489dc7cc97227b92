"""libvirt's dry run in a process of its own, since some guests crash libvirt.

As a program: ``dry_run.py URI`` reads XML as JSON strings, a line each, and answers with the driver's refusal or null.
"""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import AbstractContextManager, suppress

from kvmrender.libvirt.driver import Driver

CRASH = "libvirt crashed"


class DryRun(AbstractContextManager["DryRun"]):
    """A driver at ``uri`` that survives the crashes of its process."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self.process = self._start()

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, __file__, self._uri]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)

    def refusal(self, xml: str) -> str | None:
        assert self.process.stdin
        assert self.process.stdout
        with suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps(xml) + "\n")
            self.process.stdin.flush()
        if answer := self.process.stdout.readline():
            refusal: str | None = json.loads(answer)
            return refusal
        self.__exit__()
        self.process = self._start()
        return CRASH

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self.process.communicate()


if __name__ == "__main__":
    driver = Driver(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(driver.refusal(json.loads(line))), flush=True)
