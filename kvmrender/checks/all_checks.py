"""Checks across fields: what a schema can't say. Each yields the problems that it finds in a context.

A check takes the context and the schema part of its architecture. It can rely on the schema, but not on values
that have no default. Its docstring is what holds when it finds nothing; the README lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import compress
from typing import Any

from kvmrender.checks import addresses, controllers, cpus, devices, disks, general, memory, numa, seclabels
from kvmrender.checks.common import CHECKS as CHECKS
from kvmrender.checks.common import Check, Context, dig
from kvmrender.checks.rules import rule_checks
from kvmrender.context.key_shapes import Shape
from kvmrender.errors import NOTE, Problem
from kvmrender.schema.guest_schema import GuestSchema
from kvmrender.schema.text_values import version

SUBJECTS = (general, memory, cpus, numa, disks, devices, seclabels, controllers, addresses)
"""The modules with checks that are functions, which are in ``CHECKS`` once these are imported."""
MOST_SHAPES = 100
"""Kinds of mappings that a guest has for which it is kept which checks they need; where it has more, all are run."""


def checks_of(schema: GuestSchema) -> tuple[Check, ...]:
    """Return all checks of guests of a schema: those here, and the rules of its parts."""
    return (*CHECKS, *rule_checks(schema))


Ready = tuple[Callable[[Context], Iterable[Any]], tuple[Check, ...]]
"""What says of each check whether it may find something, and the checks."""


def problems(context: Context, architecture: Context, checks: Ready, most: int | None = None) -> list[Problem]:
    """Return what checks find in a context, but for those that it ignores; the first of it if it is more than
    ``most``."""
    found: list[Problem] = []
    ignored: list[str] = context.get("ignore", [])
    needless = set(ignored)
    may_find, every = checks
    for check in compress(every, may_find(context)):
        if check.until and not _is_for(context, check.until):
            continue
        for problem in check.find(context, architecture):
            if check.id in ignored:
                needless.discard(check.id)
                break
            if not any(problem.path == one.path and problem.message == one.message for one in found):
                found.append(problem.of(check.id, check.level))
            if len(found) == most:
                return found
    for number, check_id in enumerate(ignored):
        if check_id in needless:
            found.append(Problem(("ignore", number), f"{check_id} finds nothing in this guest").of("ignore", NOTE))
    return found


def _is_for(context: Context, until: str) -> bool:
    """Say whether a guest is for a libvirt before this one too."""
    oldest = context.get("libvirt")
    return oldest is not None and version(oldest) < version(until)


def ready(checks: Iterable[Check]) -> Ready:
    """Return checks as they are run."""
    every = tuple(checks)
    return _filter("".join(f"{check.filter()}," for check in every)), every


@lru_cache(maxsize=256)
def _filter(expressions: str) -> Callable[[Context], Iterable[Any]]:
    """Return what gives the values of expressions, those of the filters of checks, for a context.

    What a schema part says stands in them as literals alone (``repr``), never as code.
    """
    found: Callable[[Context], Iterable[Any]] = eval(
        f"lambda c: ({expressions})", {"E": {}, "dig": dig, "twice": _twice}
    )
    return found


def _twice(values: list[Any]) -> bool:
    """Say whether a value is there twice."""
    return len({*map(str, values)}) < len(values)


def wanted(checks: Iterable[Check], arch: str, shapes: Iterable[Shape]) -> Ready:
    """Return those of the checks that may find something (see ``common.Triggers``) in a guest of an architecture that
    writes mappings of these shapes."""
    keys = {f"on {arch}"}
    for shape in shapes:
        top, _, below = shape.place.strip("/").partition("/")
        for name in shape.names:
            keys.update((name, f"{top}.{name}", f"{shape.place}/{name}"), () if below or not top else (f"/*/{name}",))
    return ready(
        check
        for check in checks
        if any(keys.issuperset((key,) if isinstance(key, str) else key) for key in check.triggers)
    )
