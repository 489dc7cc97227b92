"""Checks across fields: what a schema can't say. Each yields the problems that it finds in a context.

A check takes the context and the schema part of its architecture. It can rely on the schema, but not on values
that have no default. Its docstring is what holds when it finds nothing: docs/checks.md lists them.
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
from kvmrender.checks.common import OF_FLEETS, Check, Context, Test, dig
from kvmrender.checks.raw_devices import as_told, with_raw_controllers
from kvmrender.checks.rules import OF_VERSIONS, VERSION, rule_checks
from kvmrender.context.key_shapes import Shape
from kvmrender.errors import NOTE, Problem
from kvmrender.reading.parse import from_yaml
from kvmrender.schema.guest_schema import GuestSchema
from kvmrender.schema.versions import ANY, Fact

SUBJECTS = (general, memory, cpus, numa, disks, devices, seclabels, controllers, addresses)
"""The modules with checks that are functions, which are in ``CHECKS`` once these are imported."""
MOST_SHAPES = 100
"""Kinds of mappings that a guest has for which it is kept which checks they need; where it has more, all are run."""


def checks_of(schema: GuestSchema) -> tuple[Check, ...]:
    """Return all checks of guests of a schema: those here, and the rules of its parts."""
    return (*CHECKS, *rule_checks(schema))


def ignorable() -> dict[str, str]:
    """Return what can be ignored and is no rule of a part, by its id, with what holds where it finds nothing."""
    others = {name: said["description"] for name, said in known_of("other_ids").items() if name in OF_FLEETS}
    return {check.id: check.description for check in CHECKS} | {VERSION: OF_VERSIONS} | others


@cache
def known_of(name: str) -> dict[str, Any]:
    """Return what a file of this room has, ``examples`` or ``other_ids``, by the ids of problems."""
    found: dict[str, Any] = from_yaml(Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8"))[0]
    return found


Ready = tuple[Callable[[Context], Iterable[Any]], tuple[Check, ...]]
"""What says of each check whether it may find something, and the checks."""


def problems(context: Context, architecture: Context, checks: Ready, most: int | None = None) -> list[Problem]:
    """Return what checks find in a context, but for those that it ignores; the first of it if it is more than
    ``most``."""
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
    """Say whether a check is for the libvirt that a guest is for: the newest, where it names none."""
    named = context.get("libvirt")
    if named is None or named == ANY:
        return named is None and not check.until
    return Fact(check.since, check.until).is_in(named)


def ready(checks: Iterable[Check], arch: str | None = None) -> Ready:
    """Return checks as they are run, for guests of an architecture or of all."""
    tests = [(check, check.filter(arch)) for check in checks]
    found = [(check, test) for check, test in tests if test != ("", "False")]
    return _filter(tuple(test for _, test in found)), tuple(check for check, _ in found)


@lru_cache(maxsize=256)
def _filter(tests: tuple[Test, ...]) -> Callable[[Context], Iterable[Any]]:
    """Return what gives the values of tests, those of checks, for a context. Those that loop over the same are tried
    together first, as most find nothing.

    What a schema part says stands in them as literals alone (``repr``), never as code.
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
    """Return the mappings in ``base`` that an expression looks up several times, and the expression with names
    (``c0``) for these."""
    times = Counter(re.findall(rf"\({base}\.get\('\w+'\) or E\)", expression))
    often = [text for text, number in times.items() if number > 1]
    for number, text in enumerate(often):
        expression = expression.replace(text, f"{base}{number}")
    return often, expression


def wanted(checks: Iterable[Check], arch: str, shapes: Iterable[Shape]) -> Ready:
    """Return those of the checks that may find something (see ``common.Triggers``) in a guest of an architecture that
    writes mappings of these shapes."""
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
