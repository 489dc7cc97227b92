"""Checks across fields: what a schema can't say. Each yields the problems that it finds in a context.

A check takes the context and the schema part of its architecture. It can rely on the schema, but not on values
that have no default. Its docstring is what holds when it finds nothing; the README lists them.
"""

from __future__ import annotations

from collections.abc import Iterable

from kvmrender.checks import (
    addresses,
    audio,
    chardevs,
    clock,
    controllers,
    cpus,
    devices,
    disks,
    features,
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
    tpms,
)
from kvmrender.checks.common import Check, Checks, Context
from kvmrender.checks.rules import rule_checks
from kvmrender.context.key_shapes import Shape
from kvmrender.errors import Problem
from kvmrender.schema.guest_schema import GuestSchema

CHECKS: Checks = {
    **general.CHECKS,
    **firmware.CHECKS,
    **features.CHECKS,
    **memory.CHECKS,
    **cpus.CHECKS,
    **numa.CHECKS,
    **clock.CHECKS,
    **disks.CHECKS,
    **network.CHECKS,
    **interfaces.CHECKS,
    **ip_addresses.CHECKS,
    **chardevs.CHECKS,
    **graphics.CHECKS,
    **audio.CHECKS,
    **tpms.CHECKS,
    **devices.CHECKS,
    **seclabels.CHECKS,
    **controllers.CHECKS,
    **addresses.CHECKS,
    **raw.CHECKS,
}
"""All checks, in the order of the domain."""
MOST_SHAPES = 100
"""Kinds of mappings that a guest has for which it is kept which checks they need; where it has more, all are run."""


def checks_of(schema: GuestSchema) -> Checks:
    """Return all checks of guests of a schema: those here, and the rules of its parts."""
    return {**CHECKS, **rule_checks(schema)}


def problems(
    context: Context, architecture: Context, checks: Iterable[Check], most: int | None = None
) -> list[Problem]:
    """Return what checks find in a context, the first of it if it is more than ``most``."""
    found: list[Problem] = []
    for check in checks:
        for problem in check(context, architecture):
            found.append(problem)
            if len(found) == most:
                return found
    return found


def wanted(checks: Checks, arch: str, shapes: Iterable[Shape]) -> tuple[Check, ...]:
    """Return those of the checks that may find something (see ``common.Checks``) in a guest of an architecture that
    writes mappings of these shapes."""
    keys = {f"on {arch}"}
    for shape in shapes:
        top, _, below = shape.place.strip("/").partition("/")
        for name in shape.names:
            keys.update((name, f"{top}.{name}", f"{shape.place}/{name}"), () if below or not top else (f"/*/{name}",))
    return tuple(
        check
        for check, about in checks.items()
        if any(keys.issuperset((key,) if isinstance(key, str) else key) for key in about)
    )
