"""What a check is, and what those that are rules share with those that are functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from kvmrender.errors import Path, Problem, path_string
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
