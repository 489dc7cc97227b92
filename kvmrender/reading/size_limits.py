"""Limits for the size of files that are read, and for the size that guests may expand to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import IO, Any

from kvmrender.errors import GuestError, Problem
from kvmrender.schema.memory_units import MIB, memory, to_bytes

MAX_SIZE = 64 * MIB
"""Default maximum size in bytes of a guest file, or of a line of JSON Lines."""

ALLOWED = "64 MiB"
"""The same, in the form of the option."""

STREAM = 16
"""JSON Lines from a pipe, whose size is unknown, may have this many times the maximum size."""
GROWTH, LEAST = 256, 4
"""Maximum characters of a run's guests: this many per byte that was read, or this many times the maximum size."""

_BLOCK = 1 << 16


def size(text: str) -> int:
    """Return the bytes of an option's size, ``64 MiB``; a whole number is MiB. Raises ValueError."""
    if found := to_bytes(memory(text)):
        return found
    raise ValueError("is not a size of memory: it must be greater than zero")


def growth(read: int, most: int) -> int:
    """Return the maximum characters of a run's guests, by the bytes read and the maximum size of a file."""
    return max(GROWTH * read, LEAST * most)


def more_than(most: int) -> str:
    """Return the message that a size exceeds the limit, with the option that raises it."""
    allowed = memory(f"{most >> 10} KiB")
    return f"is more than {allowed['text']:,} {allowed['unit']}: --max-size allows more"


def characters(value: Any) -> int:
    """Return the size of a value: its characters, and one for each value in it."""
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
    """An open file of at most ``most`` bytes, as a whole or in each line. Raises GuestError if it has more.

    ``size`` is that of a regular file when it was first opened: data written later isn't read, and it is an error if
    the file has become smaller.
    """

    def __init__(self, name: str, stream: IO[bytes], most: int, size: int | None = None) -> None:
        self._name, self._stream, self._most, self._size = name, stream, most, size
        self._lines = self.taken = 0

    def read(self) -> bytes:
        """Return the rest of the file; lines read before count towards the limit."""
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
        """Return the data read from a file, and whether it is complete."""
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
