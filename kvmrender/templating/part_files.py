"""Files of schema parts: custom ones as written, and shipped ones as parsed."""

from __future__ import annotations

import marshal
from functools import cache, cached_property
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from kvmrender.errors import Path
from kvmrender.reading.parse import RefusedError, from_yaml, positions
from kvmrender.schema.guest_schema import Node, node_at


class Fault(NamedTuple):
    """A fault of a part; ``line`` is 0 if unknown. ``stops`` means that no schema can be assembled, ``is_error`` that
    no XML is written."""

    file: str
    line: int
    message: str
    is_error: bool = True
    stops: bool = True


class Part:
    """A custom part as written: name, file as shown in messages, text, and value."""

    def __init__(self, name: str, file: str, text: str) -> None:
        self.name, self.file, self.text = name, file, text
        self.value: Node = {}

    @cached_property
    def _marks(self) -> dict[Path, Any]:
        return positions(self.text)

    def says(self, path: Path) -> bool:
        """Return whether the part itself has a value at a path."""
        try:
            node_at(self.value, path)
        except (LookupError, TypeError):
            return False
        return True

    def line(self, path: Path) -> int:
        """Return the line of a path, or of its nearest parent; 0 if unknown."""
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
    """Return the marshalled value of a shipped part, which many stacks share."""
    return marshal.dumps(parsed(file.read_text(encoding="utf-8")))
