"""Checks between guests of a fleet: unique names, UUIDs and MAC addresses, and disks that only one guest writes to.

A fleet may be larger than memory, so only hashes are kept; guests with equal hashes are read again.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from hashlib import blake2b
from itertools import pairwise
from typing import Any, NamedTuple

from kvmrender.errors import Path, Problem, path_string

Context = dict[str, Any]

PART_BITS = 6
_BITS = (1 << 64) - 1


class Key(NamedTuple):
    """A value that must be unique: its kind, the value, its field, and whether it was derived."""

    kind: str
    value: str
    path: Path
    derived: bool = False

    def hash(self) -> int:
        """Return a 64-bit hash of the value, which is the same on any machine."""
        return int.from_bytes(blake2b(f"{self.kind}\0{self.value}".encode(), digest_size=8).digest(), "big")


def keys(context: Context, guest: Any, allowed: Iterable[str] = ()) -> Iterator[Key]:
    """Yield the values of a guest that must be unique; ``guest`` is the guest as written, ``allowed`` are patterns of
    disks to omit."""
    for kind, value, path in _owned(context, allowed):
        yield Key(kind, value, path, kind == "mac" and _is_derived(guest, path[1]))


def hashes(context: Context, allowed: Iterable[str] = ()) -> tuple[int, ...]:
    """Return 64-bit hashes of the values, which are valid only in this process and its forks."""
    return tuple([hash((kind, value)) & _BITS for kind, value, _ in _owned(context, allowed)])


def _owned(context: Context, allowed: Iterable[str]) -> Iterator[tuple[str, str, Path]]:
    yield "name", context["name"], ("name",)
    ignored = context.get("ignore", ())
    if context.get("uuid") and "shared-uuid" not in ignored:
        yield "uuid", context["uuid"], ("uuid",)
    for number, interface in enumerate(context["interfaces"] if "shared-mac" not in ignored else ()):
        if interface["mac"] and (interface.get("teaming") or {}).get("type") != "transient":
            yield "mac", interface["mac"]["address"], ("interfaces", number, "mac", "address")
    for number, disk in enumerate(context["disks"] if "shared-disk" not in ignored else ()):
        place, key = image(disk)
        if place and _is_written(disk) and not any(fnmatchcase(place, pattern) for pattern in allowed):
            yield "disk", place, ("disks", number, "source", key)


def _is_derived(guest: Any, number: Any) -> bool:
    interfaces = guest["interfaces"]
    interface = interfaces[number] if isinstance(interfaces, (list, tuple)) else interfaces
    return interface.get("mac") is None


def image(disk: Context) -> tuple[str, str]:
    """Return the image of a disk as a text, and the key of its source that sets it."""
    source = disk.get("source") or {}
    if disk["type"] in ("file", "block"):
        key = "file" if disk["type"] == "file" else "dev"
        return source.get(key) or "", key
    if disk["type"] == "volume":
        return f"{source.get('pool')}/{source.get('volume')}", "volume"
    if disk["type"] == "network" and source.get("name"):
        hosts = ",".join(sorted(f"{host.get('name')}:{host.get('port', '')}" for host in source.get("host") or ()))
        return f"{source.get('protocol')}://{hosts}/{source['name']}", "name"
    return "", ""


def _is_written(disk: Context) -> bool:
    if disk["device"] == "cdrom" or disk.get("readonly") is not None or disk.get("shareable") is not None:
        return False
    return (disk.get("transient") or {}).get("shareBacking") != "yes"


class Shared:
    """Collect the values of a fleet, guest by guest, in 12 bytes each."""

    def __init__(self) -> None:
        # Partitioned by the first bits of the hash, so that only a small part is sorted at a time.
        self._hashes = [array("Q") for _ in range(1 << PART_BITS)]
        self._guests = [array("L" if array("L").itemsize == 4 else "I") for _ in self._hashes]

    def add(self, guest: int, hashes: Iterable[int]) -> None:
        """Add the hashes of a guest, identified by its number."""
        for found in hashes:
            part = found >> (64 - PART_BITS)
            self._hashes[part].append(found)
            self._guests[part].append(guest)

    def suspects(self) -> set[int]:
        """Return the numbers of guests with a hash that another guest has too."""
        result: set[int] = set()
        for hashes, guests in zip(self._hashes, self._guests, strict=True):
            twice = {one for one, after in pairwise(sorted(hashes)) if one == after}
            if twice:
                result.update(guest for found, guest in zip(hashes, guests, strict=True) if found in twice)
        return result


def problems_of(found: Iterable[tuple[str, Key, Callable[[Problem], Problem]]]) -> list[Problem]:
    """Return a problem for each value that another guest has already, with both names, and for a second disk of a guest
    on the same image, for which QEMU would not get the lock.

    ``found`` are the values of the suspects in order, each with its guest's name and the function that sets a problem's
    position.
    """

    def problem(key: Key, said: str, other: Key) -> Problem:
        return Problem(key.path, said, related=(other.path,), id=f"shared-{key.kind}")

    first: dict[tuple[str, str], tuple[str, Key, Callable[[Problem], Problem]]] = {}
    result = []
    for name, key, place in found:
        owner, other, other_place = first.setdefault((key.kind, key.value), (name, key, place))
        # Guests of one name derive the same values: only the name is reported.
        follows = owner == name and key.kind in ("uuid", "mac")
        if place is other_place and key is not other and key.kind == "disk":
            said = f"{key.value!r} is written by {path_string(other.path[:2])} too: make both shareable or readonly, or"
            result.append(place(problem(key, f"{said} allow it with --allow-shared", other)))
        elif place is not other_place and not follows:
            where = other_place(Problem(other.path, "", related=(other.path,)))
            at = ":".join(str(part) for part in (where.file, where.line, where.column) if part is not None)
            result.append(place(problem(key, _said(key, other, name, owner, at), other)))
    return result


def _said(key: Key, other: Key, name: str, owner: str, at: str) -> str:
    if key.kind == "name":
        return f"{key.value!r} is the name of two guests (the other: {at})"
    of = f"of guest {name!r} is also that of {owner!r} ({path_string(other.path)} at {at})"
    if key.kind == "mac" and key.derived and other.derived:
        return (
            f"{key.value!r}, derived for guest {name!r}, is also that of {owner!r} ({at}): give one of them a mac, or"
            ' all of them mac_prefix: "02", which leaves 40 bits to tell guests apart instead of 24'
        )
    if key.kind == "disk":
        return (
            f"{key.value!r}, which guest {name!r} writes to, is written by {owner!r} too ({path_string(other.path)} at"
            f" {at}): make it shareable or readonly in both, or allow it with --allow-shared"
        )
    return f"{key.value!r} {of}"
