"""The files of schema parts: those of one's own as written, and the shipped ones as they are read."""

from __future__ import annotations

import marshal
from functools import cache, cached_property
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from kvmrender.errors import Path
from kvmrender.reading.parse import RefusedError, from_yaml, positions
from kvmrender.schema.guest_schema import Node, node_at


class Fault(NamedTuple):
    """Something that is wrong with a part; ``line`` is 0 where it isn't known. ``stops`` says that there is no schema
    with it, ``is_error`` that there is to be no XML with it."""

    file: str
    line: int
    message: str
    is_error: bool = True
    stops: bool = True


class Part:
    """A part of one's own as written: its name, its file as messages show it, its text, and its value."""

    def __init__(self, name: str, file: str, text: str) -> None:
        self.name, self.file, self.text = name, file, text
        self.value: Node = {}

    @cached_property
    def _marks(self) -> dict[Path, Any]:
        return positions(self.text)

    def says(self, path: Path) -> bool:
        """Say whether the part itself has something at a path."""
        try:
            node_at(self.value, path)
        except (LookupError, TypeError):
            return False
        return True

    def line(self, path: Path) -> int:
        """Return the line of what stands at a path, or of what is nearest above it; 0 where that isn't known."""
        while path and (0, *path) not in self._marks:
            path = path[:-1]
        (line, _), _ = self._marks.get((0, *path), ((0, 0), None))
        return int(line)


def parsed(text: str) -> Node:
    """Return the value of a part. Raises RefusedError."""
    found = from_yaml(text)
    if len(found) != 1 or not isinstance(found[0], dict):
        raise RefusedError("is not a mapping", None)
    return found[0]


def shipped_part(file: FilePath) -> Node:
    """Return the value of a shipped part."""
    state = file.stat()
    part: Node = marshal.loads(_kept(file, state.st_mtime_ns, state.st_size))
    return part


@cache
def _kept(file: FilePath, *state: int) -> bytes:
    """Return the value of a shipped part, which many stacks have, for marshal."""
    return marshal.dumps(parsed(file.read_text(encoding="utf-8")))
