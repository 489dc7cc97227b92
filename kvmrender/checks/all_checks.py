"""Checks across fields, which a schema can't express. Each yields the problems that it finds in a context.

A check gets the context and the schema part of its architecture. It can rely on the schema, but not on values without a
default. Its docstring states what holds when it finds nothing: docs/checks.md lists them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from itertools import compress
from pathlib import Path
from typing import Any

from kvmrender.checks import addresses, controllers, cpus, devices, disks, general, memory, numa, seclabels
from kvmrender.checks.common import CHECKS as CHECKS
from kvmrender.checks.common import OF_FLEETS, dig
from kvmrender.checks.raw_devices import as_told, with_raw_controllers
from kvmrender.context.key_shapes import Shape
from kvmrender.errors import NOTE, Problem
from kvmrender.reading.parse import from_yaml
from kvmrender.rules.check import Check, Context, Test
from kvmrender.rules.rules import OF_VERSIONS, VERSION, rule_checks
from kvmrender.schema.guest_schema import GuestSchema
from kvmrender.schema.versions import ANY, Fact

SUBJECTS = (general, memory, cpus, numa, disks, devices, seclabels, controllers, addresses)
"""Modules with checks that are functions. Importing them fills ``CHECKS``."""
MOST_SHAPES = 100
"""Maximum number of kinds of mappings for which the required checks are cached; beyond it, all checks are run."""


def checks_of(schema: GuestSchema) -> tuple[Check, ...]:
    """Return all checks for guests of a schema: those of this package, and the rules of its parts."""
    return (*CHECKS, *rule_checks(schema))


def ignorable() -> dict[str, str]:
    """Return what can be ignored besides rules of parts: descriptions by ID."""
    others = {name: said["description"] for name, said in known_of("other_ids").items() if name in OF_FLEETS}
    return {check.id: check.description for check in CHECKS} | {VERSION: OF_VERSIONS} | others


@cache
def known_of(name: str) -> dict[str, Any]:
    """Return the contents of a file of this package, ``examples`` or ``other_ids``, by ID of problems."""
    found: dict[str, Any] = from_yaml(Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8"))[0]
    return found


Ready = tuple[Callable[[Context], Iterable[Any]], tuple[Check, ...]]
"""A function that returns for each check whether it may find something, and the checks."""


def problems(context: Context, architecture: Context, checks: Ready, most: int | None = None) -> list[Problem]:
    """Return the problems that checks find in a context, except those that it ignores; at most ``most``, plus one."""
    found: list[Problem] = []
    ignored: list[str] = context.get("ignore", [])
    needless = set(ignored).difference(OF_FLEETS)
    may_find, every = checks
    seen = with_raw_controllers(context) if "extra" in context else context
    for check in compress(every, may_find(seen)):
        if (check.since or check.until) and not _is_for(context, check):
            continue
        for told in check.find(seen, architecture):
            problem = told if seen is context else as_told(told, context)
            if problem is None:
                continue
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


def _is_for(context: Context, check: Check) -> bool:
    """Return whether a check applies to the libvirt version of a guest; default: the newest."""
    named = context.get("libvirt")
    if named is None or named == ANY:
        return named is None and not check.until
    return Fact(check.since, check.until).is_in(named)


def ready(checks: Iterable[Check], arch: str | None = None) -> Ready:
    """Return checks in the form in which they are run, for guests of one architecture or of all."""
    tests = [(check, check.filter(arch)) for check in checks]
    found = [(check, test) for check, test in tests if test != ("", "False")]
    return _filter(tuple(test for _, test in found)), tuple(check for check, _ in found)


@lru_cache(maxsize=256)
def _filter(tests: tuple[Test, ...]) -> Callable[[Context], Iterable[Any]]:
    """Return a function that evaluates the tests of checks for a context.

    Tests with the same loop are first tried together, since most find nothing. Values of schema parts are inserted only
    as literals (``repr``), never as code.
    """
    together: dict[str, list[str]] = {}
    for loop, test in tests:
        together.setdefault(loop, []).append(test)
    expressions = ""
    for loop, test in tests:
        if loop and len(some := together[loop]) > 1:
            name = f"any{list(together).index(loop)}"
            if test is some[0]:
                often, either = _shared("m", " or ".join(f"({one})" for one in some))
                inner = "".join(f" for m{number} in ({text},)" for number, text in enumerate(often))
                expressions += f"({name} := [1 {loop}{inner} if {either}]) and "
            else:
                expressions += f"{name} and "
        expressions += f"[1 {loop} if {test}]," if loop else f"{test},"
    names = {"E": {}, "dig": dig, "twice": lambda values: len({*map(str, values)}) < len(values)}
    often, expressions = _shared("c", expressions)
    first = "".join(f"c{number} := {text}, " for number, text in enumerate(often))
    found: Callable[[Context], Iterable[Any]] = eval(f"lambda c: ({first}({expressions}),)[-1]", names)
    return found


def _shared(base: str, expression: str) -> tuple[list[str], str]:
    """Return assignments for the mappings that an expression looks up repeatedly in ``base``, and the expression with
    names (``c0``) instead."""
    times = Counter(re.findall(rf"\({base}\.get\('\w+'\) or E\)", expression))
    often = [text for text, number in times.items() if number > 1]
    for number, text in enumerate(often):
        expression = expression.replace(text, f"{base}{number}")
    return often, expression


def wanted(checks: Iterable[Check], arch: str, shapes: Iterable[Shape]) -> Ready:
    """Return the checks that may find something (see ``common.Triggers``) in a guest of an architecture with mappings
    of these shapes."""
    keys = {f"on {arch}"}
    for shape in shapes:
        top, _, below = shape.place.strip("/").partition("/")
        for name in shape.names:
            keys.update((name, f"{top}.{name}", f"{shape.place}/{name}"), () if below or not top else (f"/*/{name}",))
    triggered = (
        check
        for check in checks
        if any(keys.issuperset((key,) if isinstance(key, str) else key) for key in check.triggers)
    )
    return ready(triggered, arch)
