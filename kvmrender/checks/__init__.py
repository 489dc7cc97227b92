"""Checks across fields: what a schema can't say. Each yields the problems that it finds in a context.

A check takes the context and the schema part of its architecture. It can rely on the schema, but not on values
that have no default. Its docstring is what holds when it finds nothing; the README lists them.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from kvmrender.checks.common import Check, Checks, Context, Given
from kvmrender.errors import Problem

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


def problems(context: Context, architecture: Context, given: Given | None = None) -> Iterator[Problem]:
    """Yield what the checks find in a context.

    ``given`` says what the guest writes: checks that can find nothing in that (see ``common.Checks``) are not run. They
    are all run where it isn't known.
    """
    found = CHECKS if given is None else _of(_triggers(given))
    for check in found:
        yield from check(context, architecture)


def _triggers(given: Given) -> frozenset[str]:
    """Return what there is in a guest of the keys that checks wait for."""
    found = set(_ANYWHERE.intersection(given))
    for key, inside in given.items():
        if inside:
            found.update(_ANYWHERE.intersection(inside))
            if wanted := _INSIDE.get(key):
                found.update([f"{key}.{name}" for name in wanted.intersection(inside)])
    return frozenset(found)


_WANTED = {name for names in CHECKS.values() for name in names}
_ANYWHERE = frozenset(name for name in _WANTED if "." not in name)
_INSIDE = {
    key: frozenset(name.partition(".")[2] for name in _WANTED if name.startswith(f"{key}."))
    for key in {name.partition(".")[0] for name in _WANTED if "." in name}
}


@lru_cache(maxsize=1024)
def _of(keys: frozenset[str]) -> tuple[Check, ...]:
    """Return the checks that may find something where these keys are given."""
    return tuple(check for check, wanted in CHECKS.items() if not keys.isdisjoint(wanted))
