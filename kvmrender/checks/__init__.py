"""Checks across fields: what a schema can't say. Each yields the problems that it finds in a context.

A check takes the context and the schema part of its architecture. It can rely on the schema, but not on values
that have no default. Its docstring is what holds when it finds nothing; the README lists them.
"""

from __future__ import annotations

from collections.abc import Iterator

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
from kvmrender.checks.common import Checks, Context
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


def problems(context: Context, architecture: Context) -> Iterator[Problem]:
    """Yield what the checks find in a context; those that can find nothing in what is given are not run."""
    given = {key for key, value in context.items() if value not in (None, [])}
    for check, keys in CHECKS.items():
        if not keys or not given.isdisjoint(keys):
            yield from check(context, architecture)
