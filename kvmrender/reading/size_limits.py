"""Files of which no more is read than may be, whatever is in them, and what may become of what was read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Any

from kvmrender.errors import GuestError, Problem
from kvmrender.schema.memory_units import MIB, memory, to_bytes

MAX_SIZE = 64 * MIB
"""Bytes of a guest file, or of a line of JSON Lines, that are read unless more is allowed."""

ALLOWED = "64 MiB"
"""The same, as an option says it."""

STREAM = 16
"""Times that many bytes of JSON Lines are read from a pipe, of which nobody knows how much is to come."""
GROWTH, LEAST = 256, 4
"""Characters that a run may become: so many a byte that was read, or this many times the size that is allowed."""

_BLOCK = 1 << 16


def size(text: str) -> int:
    """Return the bytes that an option says, ``64 MiB``; a whole number is MiB. Raises ValueError."""
    if found := to_bytes(memory(text)):
        return found
    raise ValueError("is not a size of memory: it must be greater than zero")


def growth(read: int, most: int) -> int:
    """Return the characters that a run may become, of which so many bytes were read, and a file may have the most."""
    return max(GROWTH * read, LEAST * most)


def more_than(most: int) -> str:
    """Say that something is more than is allowed, and what allows more."""
    allowed = memory(f"{most >> 10} KiB")
    return f"is more than {allowed['text']:,} {allowed['unit']}: --max-size allows more"


def characters(value: Any) -> int:
    """Return how large a value is: its characters, and one for each value in it."""
    count, left = 0, [value]
    while left:
        value = left.pop()
        count += 1 + (len(value) if isinstance(value, str) else 0)
        if isinstance(value, dict):
            left += value
            left += value.values()
        elif isinstance(value, list):
            left += value
    return count


SMALLER = "has become smaller while it was read"


class Limited:
    """An open file that gives ``most`` bytes, as a whole or in each line. Raises GuestError where it has more.

    ``size`` is that of a regular file when it was first opened: what is written to it later isn't read, and it is an
    error if that much is no longer there.
    """

    def __init__(self, name: str, stream: IO[bytes], most: int, size: int | None = None) -> None:
        self._name, self._stream, self._most, self._size = name, stream, most, size
        self._lines = self.taken = 0

    def read(self) -> bytes:
        """Return all that is left; the lines before it count."""
        data, whole = self._take(self._stream.read, self._most - self.taken + 1)
        if self.taken > self._most:
            raise self._refusal(more_than(self._most))
        if not whole:
            raise self._refusal(SMALLER)
        return data

    def readline(self) -> bytes:
        """Return the next line."""
        line, whole = self._take(self._stream.readline, self._most + 1)
        self._lines += 1
        if len(line) > self._most:
            raise self._refusal(f"a line {more_than(self._most)}", self._lines)
        if self._size is None and self.taken > STREAM * self._most:
            raise self._refusal(more_than(STREAM * self._most))
        if not whole and line[-1:] != b"\n":
            raise self._refusal(SMALLER)
        return line

    def __iter__(self) -> Iterator[bytes]:
        """Yield each line."""
        return iter(self.readline, b"")

    def _take(self, read: Callable[[int], bytes], most: int) -> tuple[bytes, bool]:
        """Return what is read of a file, and whether it is as much as it should be."""
        wanted = most if self._size is None else min(most, self._size - self.taken)
        data = read(wanted)
        self.taken += len(data)
        return data, self._size is None or len(data) == wanted

    def _refusal(self, said: str, line: int | None = None) -> GuestError:
        return GuestError(
            [Problem((), said, self._name, line, line and 1, id="file" if said == SMALLER else "max-size")]
        )


def copy_of_what_is_read(source: IO[bytes], copy: IO[bytes], by_lines: bool, first: bytes, most: int) -> None:
    """Copy a stream that begins with ``first``, as far as ``Limited`` reads it and a little further."""
    block, length, whole = first, 0, 0
    while block:
        copy.write(block)
        whole += len(block)
        end = block.rfind(b"\n") + 1 if by_lines else 0
        length = len(block) - end if end else length + len(block)
        if length > most or whole > STREAM * most:
            return
        block = source.read(_BLOCK)
