"""Checks across fields: what a schema can't say. Each yields the problems that it finds in a context.

A check takes the context and the schema part of its architecture. It can rely on the schema, but not on values
that have no default. Its docstring is what holds when it finds nothing; the README lists them.
"""

from __future__ import annotations

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
MOST_SHAPES = 100
"""Kinds of mappings that a guest has for which it is kept which checks they need."""


def problems(
    context: Context, architecture: Context, shapes: frozenset[Shape] | None = None, most: int | None = None
) -> list[Problem]:
    """Return what the checks find in a context, the first of it if it is more than ``most``.

    ``shapes`` are those of what the guest writes: checks that can find nothing in that (see ``common.Checks``) are not
    run. They are all run where it isn't known, or too much to be kept.
    """
    found: list[Problem] = []
    for check in CHECKS if shapes is None or len(shapes) > MOST_SHAPES else _wanted(context["arch"], shapes):
        for problem in check(context, architecture):
            found.append(problem)
            if len(found) == most:
                return found
    return found


@lru_cache(maxsize=1024)
def _wanted(arch: str, shapes: frozenset[Shape]) -> tuple[Check, ...]:
    """Return the checks that may find something in mappings of these shapes on an architecture."""
    keys = {f"on {arch}"}
    for shape in shapes:
        top, _, below = shape.place.strip("/").partition("/")
        for name in shape.names:
            keys.update((name, f"{top}.{name}", f"{shape.place}/{name}"), () if below or not top else (f"/*/{name}",))
    return tuple(
        check
        for check, wanted in CHECKS.items()
        if any(keys.issuperset((key,) if isinstance(key, str) else key) for key in wanted)
    )
