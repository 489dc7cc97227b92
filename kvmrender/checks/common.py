"""Helpers for checks that are functions: their decorator, and navigation in a context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kvmrender.errors import ERROR, Path
from kvmrender.rules.check import Check, Context, Find

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
