"""Domain XML of a host, from saved dumps or from a driver, by name of the domain.

All of it is written to a temporary file, from which each document is read when its guest is compared: a host may have
more than fits in memory, and the processes of a run share the file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from tempfile import TemporaryFile
from typing import NamedTuple

from kvmrender.errors import GuestError, Problem
from kvmrender.libvirt.xml_tree import Element, documents

_BEGINNING = re.compile(
    rb"<domain\s([^<>]*)>\s*<name>([^<>&]*)</name>(?:\s*<uuid>([^<>&]*)</uuid>)?|<domain[\s>]", re.ASCII
)
"""Beginning of a domain's document as libvirt writes it; others are parsed to find their domain."""
_RUNNING = re.compile(rb"""(?:^|\s)id\s*=\s*["'][0-9]""", re.ASCII)


class Dump(NamedTuple):
    """A document: its domain, its file and line, and its ``start`` and ``end`` in the temporary file. That of a running
    domain has an id; ``has_secrets`` means that it includes secrets."""

    name: str
    uuid: str
    is_running: bool
    file: str
    line: int
    start: int
    end: int
    has_secrets: bool = False


class Dumps(AbstractContextManager["Dumps"]):
    """The documents of a host from ``contents``, file names with their contents. Raises GuestError for documents that
    are not domain XML, and for two definitions of one domain."""

    def __init__(self, contents: Iterable[tuple[str, bytes]], has_secrets: bool = False) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 - closed at the end
        self._definitions: dict[str, Dump] = {}
        self._running: dict[str, Dump] = {}
        self._uuids: dict[str, str] = {}
        problems: list[Problem] = []
        for file, data in contents:
            start = self._file.tell()
            self._file.write(data)
            for dump in _dumps(file, data, start, problems):
                self._add(dump._replace(has_secrets=has_secrets), problems)
        self._file.flush()
        if problems:
            self._file.close()
            raise GuestError(problems)

    def _add(self, dump: Dump, problems: list[Problem]) -> None:
        kind = self._running if dump.is_running else self._definitions
        if (other := kind.setdefault(dump.name, dump)) is not dump:
            said = f"there is another dump of {dump.name!r}: {other.file}:{other.line}"
            problems.append(Problem((), said, file=dump.file, line=dump.line, id="dump"))
        self._uuids.setdefault(dump.uuid, dump.name)

    def __exit__(self, *_: object) -> None:
        """Discard all documents."""
        self.close()

    def close(self) -> None:
        """Discard all documents."""
        self._file.close()

    def names(self) -> Iterator[str]:
        """Yield the names of all domains."""
        yield from sorted(self._definitions.keys() | self._running.keys())

    def of(self, name: str) -> tuple[Dump | None, Dump | None]:
        """Return the definition of a domain, and the dump of the running one, if they exist."""
        return self._definitions.get(name), self._running.get(name)

    def owner(self, uuid: str) -> str | None:
        """Return the name of the domain with this UUID."""
        return self._uuids.get(uuid)

    def problem(self, name: str, said: str, check: str) -> Problem:
        """Return a problem of a domain, positioned at its document."""
        dump = self._definitions.get(name) or self._running[name]
        return Problem((), said, file=dump.file, line=dump.line, id=check)

    def root(self, dump: Dump) -> Element:
        """Return a document. Raises GuestError if it is not XML, or not the domain with this name."""
        found = next(documents(os.pread(self._file.fileno(), dump.end - dump.start, dump.start)))
        if found.root is None:
            raise GuestError([_problem(found.fault, dump.file, dump.line + found.line - 1)])
        if _names(found.root)[0] != dump.name:
            raise GuestError([_problem(f"is not the domain {dump.name!r}", dump.file, dump.line)])
        return found.root

    def text(self, dump: Dump) -> str:
        """Return the text of a document."""
        return os.pread(self._file.fileno(), dump.end - dump.start, dump.start).decode(errors="replace")


def _problem(said: str, file: str, line: int) -> Problem:
    return Problem((), said, file=file, line=line, id="dump")


def _dumps(file: str, data: bytes, start: int, problems: list[Problem]) -> Iterator[Dump]:
    """Yield the documents of a file that begins at ``start`` in the temporary file."""
    begins = [match for match, _ in zip(_BEGINNING.finditer(data), range(2), strict=False)]
    if len(begins) == 1 and begins[0][2] is not None:
        attributes, name, uuid = begins[0].groups()
        line = data.count(b"\n", 0, begins[0].start()) + 1
        is_running = _RUNNING.search(attributes) is not None
        yield Dump(name.decode(errors="replace"), _uuid(uuid), is_running, file, line, start, start + len(data))
        return
    for found in documents(data):
        root = found.root
        if root is None or root.name != "domain":
            said = found.fault if root is None else f"is no domain, but <{root.tag}>"
            problems.append(_problem(said, file, found.line))
            continue
        name, uuid = _names(root)
        is_running = root.attributes.get("id", "-1") != "-1"
        yield Dump(name, uuid, is_running, file, found.line, start + root.source.begin, start + root.source.end)


def _names(root: Element) -> tuple[str, str]:
    found = {child.name: child.text.strip() for child in root.children if child.name in ("name", "uuid")}
    return found.get("name", ""), found.get("uuid", "").lower()


def _uuid(text: bytes | None) -> str:
    return (text or b"").decode(errors="replace").strip().lower()
