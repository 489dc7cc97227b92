"""Checks across fields: what a schema can't say. Each yields the problems that it finds in a context.

A check takes the context and the schema part of its architecture. It can rely on the schema, but not on values
that have no default. Its docstring is what holds when it finds nothing; the README lists them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from functools import lru_cache

from kvmrender.checks import (
    addresses,
    audio,
    chardevs,
    clock,
    controllers,
    cpus,
    devices,
    disk_sources,
    disks,
    features,
    filesystems,
    firmware,
    general,
    graphics,
    interfaces,
    ip_addresses,
    memory,
    network,
    numa,
    raw,
    seclabels,
    shmems,
    tpms,
)
from kvmrender.checks.common import Check, Checks, Context
from kvmrender.errors import Problem
from kvmrender.shapes import Shape

CHECKS: Checks = {
    **general.CHECKS,
    **firmware.CHECKS,
    **features.CHECKS,
    **memory.CHECKS,
    **cpus.CHECKS,
    **numa.CHECKS,
    **clock.CHECKS,
    **disks.CHECKS,
    **disk_sources.CHECKS,
    **filesystems.CHECKS,
    **network.CHECKS,
    **interfaces.CHECKS,
    **ip_addresses.CHECKS,
    **chardevs.CHECKS,
    **graphics.CHECKS,
    **audio.CHECKS,
    **tpms.CHECKS,
    **shmems.CHECKS,
    **devices.CHECKS,
    **seclabels.CHECKS,
    **controllers.CHECKS,
    **addresses.CHECKS,
    **raw.CHECKS,
}
"""All checks, in the order of the domain."""


def problems(context: Context, architecture: Context, shapes: Set[Shape] | None = None) -> Iterator[Problem]:
    """Yield what the checks find in a context.

    ``shapes`` are those of what the guest writes: checks that can find nothing in that (see ``common.Checks``) are not
    run. They are all run where it isn't known. Which ones are run is kept for a frozenset.
    """
    for check in CHECKS if shapes is None else _wanted(shapes):
        yield from check(context, architecture)


def _wanted(shapes: Set[Shape]) -> Iterable[Check]:
    """Return the checks that may find something in mappings of these shapes."""
    return _known(shapes) if isinstance(shapes, frozenset) and len(shapes) <= _MOST_SHAPES else _of(shapes)


def _of(shapes: Iterable[Shape]) -> tuple[Check, ...]:
    keys: set[str] = set()
    for shape in shapes:
        keys.update(shape.names, [f"{shape.top}.{name}" for name in shape.names] if shape.top else [])
    return tuple(check for check, wanted in CHECKS.items() if not keys.isdisjoint(wanted))


_known = lru_cache(maxsize=1024)(_of)
_MOST_SHAPES = 100
"""Of guests that have more kinds of mappings it is not kept which checks they need."""
