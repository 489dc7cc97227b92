"""Files of which no more is read than may be, whatever is in them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from kvmrender.errors import GuestError, Problem
from kvmrender.memory import MIB, memory, to_bytes

MAX_SIZE = 64 * MIB
"""Bytes of a guest file, or of a line of JSON Lines, that are read unless more is allowed."""

ALLOWED = "64 MiB"
"""The same, as an option says it."""

_BLOCK = 1 << 16


def size(text: str) -> int:
    """Return the bytes that an option says, ``64 MiB``; a whole number is MiB. Raises ValueError."""
    return to_bytes(memory(text))


class Limited:
    """An open file that gives ``most`` bytes, as a whole or in each line. Raises GuestError where it has more."""

    def __init__(self, name: str, stream: IO[bytes], most: int) -> None:
        self._name, self._stream, self._most = name, stream, most
        self._lines = self._before = 0

    def read(self) -> bytes:
        """Return all that is left; the lines before it count."""
        data = self._stream.read(self._most - self._before + 1)
        if self._before + len(data) > self._most:
            raise self._refusal(None)
        return data

    def readline(self) -> bytes:
        """Return the next line."""
        line = self._stream.readline(self._most + 1)
        self._lines += 1
        if len(line) > self._most:
            raise self._refusal(self._lines)
        self._before += len(line)
        return line

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line."""
        return iter(self.readline, b"")

    def _refusal(self, line: int | None) -> GuestError:
        allowed = memory(f"{self._most} b")
        said = f"is more than {allowed['text']:,} {allowed['unit']}: --max-size allows more"
        return GuestError([Problem((), said if line is None else f"a line {said}", self._name, line, line and 1)])


def copy_of_what_is_read(source: IO[bytes], copy: IO[bytes], by_lines: bool, first: bytes, most: int) -> None:
    """Copy a stream that begins with ``first``, as far as ``Limited`` reads it and a little further."""
    block, length = first, 0
    while block:
        copy.write(block)
        end = block.rfind(b"\n") + 1 if by_lines else 0
        length = len(block) - end if end else length + len(block)
        if length > most:
            return
        block = source.read(_BLOCK)
