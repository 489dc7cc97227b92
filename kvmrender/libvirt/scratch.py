"""A QEMU driver that nobody else uses, in a process and a folder of its own: what libvirt makes of a document.

libvirt's embedded driver keeps all that it has in one folder, and has no daemon. There a document is defined, dumped
and forgotten; nothing is started, and no connection of the user's has a part in it. Some documents crash libvirt: the
process is started again then.
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
"""Those of the driver: it looks for no daemon that writes logs, labels nothing, and has QEMU, which it asks what it can
do, run as who it is itself, as its folder is nobody else's."""


def version_text(number: int) -> str:
    """Return a version of libvirt as people write it; libvirt has 9000000 for 9.0.0."""
    return f"{number // 1_000_000}.{number // 1_000 % 1_000}.{number % 1_000}"


class Scratch(AbstractContextManager["Scratch"]):
    """The driver; ``version`` is that of its libvirt, or None where there is none."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="r")  # a short name, since those of sockets in it can't be long
        self.root = self._folder.name
        (Path(self.root) / "etc").mkdir()
        (Path(self.root) / "etc/qemu.conf").write_text(SETTINGS % (os.geteuid(), os.getegid()))
        self._process: Popen[str] | None = None
        answer = self._ask(None)
        self.version = int(answer) if answer else None

    def dump(self, xml: str) -> str | None:
        """Return the definition that libvirt makes of a document, with its secrets, or None where it takes none."""
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
        """End the process, and remove the folder."""
        self._end()
        self._folder.cleanup()


def _serve(root: str) -> None:
    """Answer for documents on lines of standard input."""
    os.environ["LIBVIRT_LOG_OUTPUTS"] = "1:file:/dev/null"  # else each refusal is printed
    libvirt: Any = import_module("libvirt")  # it has no types, and a program that has kvmrender's may be strict
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
