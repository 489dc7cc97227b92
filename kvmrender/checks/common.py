"""What several checks need: finding one's way in a context, sets of CPUs, values that may occur but once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from kvmrender.errors import ERROR, Path, Problem, path_string
from kvmrender.schema.guest_schema import Steps

Context = dict[str, Any]
Found = tuple[Path, Any]
"""A path, and the value there."""
Find = Callable[[Context, Context], Iterable[Problem]]
Triggers = tuple["str | tuple[str, ...]", ...]
"""Keys of which the guest must write one for a check to find anything: ``iothread`` anywhere, ``disks.target``
somewhere inside disks, ``/disks/type`` just there, ``/*/address`` in any device; or all of several. Keys that are
derived or have a default don't count, nor what a shorthand stands for. ``on s390x`` is no key: it stands for all guests
of that architecture."""


Test = tuple[str, str]
"""The loops of a comprehension, if any, and an expression of Python, which is true of all contexts ``c`` (in a turn of
the loops) in which a check finds something."""


class Check(NamedTuple):
    """What may not stand together: its ``id``, what holds where it finds nothing, whether what it finds is an
    ``error`` or a ``note``, what finds it, and what of the guest there must be for that (see ``Triggers``). ``filter``
    gives a test of contexts of an architecture. It is for libvirts from ``since`` on and before ``until``, where these
    are given.
    """

    id: str
    description: str
    level: str
    find: Find
    triggers: Triggers
    filter: Callable[[str | None], Test] = lambda _: ("", "True")
    since: str = ""
    until: str = ""


OF_FLEETS = frozenset(("shared-disk", "shared-mac", "shared-uuid"))
"""Ids of what guests of a fleet are held against each other for, which a guest can ignore as it can checks."""
CHECKS: list[Check] = []
"""All checks that are functions."""


def check(*triggers: str | tuple[str, ...], level: str = ERROR, since: str = "") -> Callable[[Find], Find]:
    """Make a check of a function that finds problems, for libvirts from ``since`` on."""

    def add(find: Find) -> Find:
        about = " ".join((find.__doc__ or "").split())
        CHECKS.append(Check(find.__name__.replace("_", "-"), about, level, find, triggers, since=since))
        return find

    return add


SINGLE = ("memballoon", "nvram", "vsock", "pstore")
"""Devices of which a guest has one."""


def walk(found: Found, steps: Steps) -> Iterator[Found]:
    """Yield what these steps lead to; lists on the way, and at the end, stand for their items."""
    path, value = found
    if value.__class__ is list:
        for number, item in enumerate(value):
            yield from walk(((*path, number), item), steps)
    elif not steps:
        if value is not None:
            yield found
    elif isinstance(steps[0], tuple):
        yield from walk(found, steps[1:])
        for again in walk(found, steps[0]):
            yield from walk(again, steps)
    elif value.__class__ is dict:
        yield from walk(((*path, steps[0]), value.get(steps[0])), steps[1:])


def dig(value: Any, *path: str, default: Any = None) -> Any:
    """Return what is at a path of keys, or the default where a part of it is missing or null."""
    for key in path:
        if value.__class__ is not dict or (value := value.get(key)) is None:
            return default
    return value


def mappings(path: Path, value: Any) -> Iterator[tuple[Path, Context]]:
    """Yield all mappings in a value, with their paths."""
    if isinstance(value, dict):
        yield path, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, (dict, list)):
            yield from mappings((*path, key), item)


def devices(context: Context, having: str) -> Iterator[tuple[Path, Context]]:
    """Yield every device that has a key, with its path, lists and single ones alike; but for the first console where it
    is the first serial port under another name, which libvirt writes anew."""
    for key, value in context.items():
        if isinstance(value, list):
            for number, item in enumerate(value):
                is_serial = key == "consoles" and number == 0 and context["serials"]
                if is_serial and dig(item, "target", "type", default="serial") == "serial":
                    continue
                if isinstance(item, dict) and having in item:
                    yield (key, number), item
        elif key in SINGLE and isinstance(value, dict) and having in value:
            yield (key,), value


def addressed(context: Context, kind: str) -> Iterator[tuple[Path, Context, Context]]:
    """Yield the devices that have an address of a kind, with their paths before and the addresses after them."""
    for path, device in devices(context, "address"):
        if dig(device, "address", "type") == kind:
            yield path, device, device["address"]


def once(found: Iterable[tuple[Path, Any, str]]) -> Iterator[Problem]:
    """Yield a problem for each value that another field has already; ``found`` are paths, values and their texts."""
    owners: dict[Any, Path] = {}
    for path, value, text in found:
        if value in owners:
            owner = owners[value]
            yield Problem(path, f"{text} is taken by {path_string(item_of(owner))}", related=(owner,))
        owners.setdefault(value, path)


def item_of(path: Path) -> Path:
    """Return the device or element that a path leads into, without the field in it."""
    return path[: max((number for number, step in enumerate(path) if isinstance(step, int)), default=0) + 1]
