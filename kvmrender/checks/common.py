"""Helpers for checks: navigation in a context, sets of CPUs, values that must be unique."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from kvmrender.errors import ERROR, Path, Problem, path_string
from kvmrender.schema.guest_schema import Steps

Context = dict[str, Any]
Found = tuple[Path, Any]
"""A path and the value there."""
Find = Callable[[Context, Context], Iterable[Problem]]
Triggers = tuple["str | tuple[str, ...]", ...]
"""Keys, one of which a guest must contain for a check to find anything: ``iothread`` at any depth, ``disks.target`` at
any depth in disks, ``/disks/type`` at exactly this path, ``/*/address`` in any device; or several keys that must all be
given. Derived values, defaults and values of short forms don't count. ``on s390x`` stands for all guests of that
architecture."""


Test = tuple[str, str]
"""Loops of a comprehension, if any, and a Python expression that is true for all contexts ``c`` (in an iteration of the
loops) in which a check finds something."""


class Check(NamedTuple):
    """A check: its ``id``, its description (what holds when it finds nothing), its level (``error`` or ``note``), the
    function that finds problems, and its triggers (see ``Triggers``).

    ``filter`` returns a test for contexts of an architecture. The check applies to libvirt from ``since`` on and before
    ``until``, if given.
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
"""IDs of the checks between guests of a fleet, which a guest can ignore like others."""
CHECKS: list[Check] = []
"""All checks that are functions."""


def check(*triggers: str | tuple[str, ...], level: str = ERROR, since: str = "") -> Callable[[Find], Find]:
    """Register a function that finds problems as a check, for libvirt from ``since`` on."""

    def add(find: Find) -> Find:
        about = " ".join((find.__doc__ or "").split())
        CHECKS.append(Check(find.__name__.replace("_", "-"), about, level, find, triggers, since=since))
        return find

    return add


SINGLE = ("memballoon", "nvram", "vsock", "pstore")
"""Devices that a guest has at most one of."""


def walk(found: Found, steps: Steps) -> Iterator[Found]:
    """Yield the values that these steps lead to; lists, also at the end, stand for their items."""
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
    """Return the value at a path of keys, or the default if a part of it is missing or null."""
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
    """Yield every device that has a key, with its path, from lists and single devices; except a first console that is
    the first serial port, which libvirt rewrites."""
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
    """Yield the devices with an address of a type, with their paths and addresses."""
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
    """Return the path of the device or element that a path leads into."""
    return path[: max((number for number, step in enumerate(path) if isinstance(step, int)), default=0) + 1]
