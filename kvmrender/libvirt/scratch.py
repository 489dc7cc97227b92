"""A private QEMU driver in a separate process and folder, which shows the definition that libvirt makes of a document.

libvirt's embedded driver keeps all its state in one folder, without a daemon. A document is defined, dumped and
undefined there; nothing is started, and connections of the user are not used. Some documents crash libvirt: the process
is then restarted.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import AbstractContextManager, suppress
from importlib import import_module
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from tempfile import TemporaryDirectory
from typing import Any

SETTINGS = """\
stdio_handler = "file"
security_driver = "none"
remember_owner = 0
user = "+%d"
group = "+%d"
"""
"""Settings of the driver: no log daemon, no security labels, and QEMU, which is only probed, runs as the current user,
because the folder is private."""


def version_text(number: int) -> str:
    """Format a libvirt version; libvirt represents 9.0.0 as 9000000."""
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


class Scratch(AbstractContextManager["Scratch"]):
    """The driver; ``version`` is that of its libvirt, or None if there is none."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="r")  # a short name, because socket paths are limited in length
        self.root = self._folder.name
        (Path(self.root) / "etc").mkdir()
        (Path(self.root) / "etc/qemu.conf").write_text(SETTINGS % (os.geteuid(), os.getegid()))
        self._process: Popen[str] | None = None
        answer = self._ask(None)
        self.version = int(answer) if answer else None

    def dump(self, xml: str) -> str | None:
        """Return the definition that libvirt makes of a document, with its secrets, or None if libvirt refuses it."""
        return self._ask(xml)

    def _ask(self, xml: str | None) -> str | None:
        if self._process is None:
            command = [sys.executable, "-m", __name__, self.root]
            self._process = Popen(command, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, text=True, encoding="utf-8")
        assert self._process.stdin
        assert self._process.stdout
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(xml) + "\n")
            self._process.stdin.flush()
        if line := self._process.stdout.readline():
            answer: str | None = json.loads(line)
            return answer
        self._end()
        return None

    def _end(self) -> None:
        if self._process:
            with suppress(BrokenPipeError):
                self._process.communicate()
            self._process = None

    def __exit__(self, *_: object) -> None:
        """End the process and remove the folder."""
        self._end()
        self._folder.cleanup()


def _serve(root: str) -> None:
    """Process documents from lines of standard input."""
    os.environ["LIBVIRT_LOG_OUTPUTS"] = "1:file:/dev/null"  # otherwise, each refusal is printed
    libvirt: Any = import_module("libvirt")  # it has no types, and a program with kvmrender's types may be strict
    libvirt.registerErrorHandler(lambda *_: None, None)
    libvirt.virEventRegisterDefaultImpl()
    connection = libvirt.open(f"qemu:///embed?root={root}")
    for line in sys.stdin:
        xml, answer = json.loads(line), None
        if xml is None:
            answer = str(connection.getLibVersion())
        else:
            with suppress(libvirt.libvirtError):
                domain = connection.defineXML(xml)
                answer = domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE)
                domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
