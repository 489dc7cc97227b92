"""The manifest: a list of the files that runs have written into a folder, in the format of sha256sum (``sha256sum
-c``)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import groupby

NAME = b".kvmrender.sha256"

_LINE = re.compile(rb"^([0-9a-f]{64})  ([^\n\0]+)\n", re.MULTILINE)


def entry(name: bytes, digest: bytes) -> bytes:
    """Return a compact entry of a file: name and SHA-256, sortable by name."""
    return name + b"\0" + digest


def parts(found: bytes) -> tuple[bytes, bytes]:
    """Return the name and the SHA-256 of an entry."""
    return found[:-33], found[-32:]


def entries(data: bytes) -> Iterator[bytes]:
    """Yield the entries of a manifest's contents; invalid lines are skipped."""
    for match in _LINE.finditer(data):
        yield entry(match[2], bytes.fromhex(match[1].decode()))


def others(old: Iterable[bytes], new: list[bytes]) -> Iterator[bytes]:
    """Yield the old entries whose names are not among the new ones, which are sorted."""
    for found in old:
        name = found[:-32]
        place = bisect_left(new, name)
        if place == len(new) or not new[place].startswith(name) or len(new[place]) != len(found):
            yield found


def contents(*sorted_entries: Iterable[bytes]) -> bytes:
    """Return the contents of a manifest with all these entries, each once."""
    data = bytearray()
    for found, _ in groupby(merge(*sorted_entries)):
        name, digest = parts(found)
        data += b"%b  %b\n" % (digest.hex().encode(), name)
    return bytes(data)
