"""What a run over many guests is asked for, and what becomes of each guest."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from kvmrender.errors import NOTE, Problem, TemplateError
from kvmrender.reading.layers import IGNORE

ENDING = b".xml"

CREATED, CHANGED, UNCHANGED, REMOVED, KEPT = "created", "changed", "unchanged", "removed", "kept"
"""What becomes of a file; kept is one that was to be removed, but has been changed since it was written."""

SAME, DIFFERS, UNDEFINED = "same", "differs", "not-defined"
"""What guests are on a host (``kvmrender drift``)."""
DEFINE, RESTART, REPLACE = "a define", "a restart", "a new definition"
"""What makes it so; a new definition is one after the old one, which has another name or UUID, is undefined."""


class Outcome(NamedTuple):
    """What became of one guest. Where it has problems (not yet placed), nothing else is known of it but its name, and
    the fault of a template that they are of. ``size`` is the number of characters that it became, ``notes`` are
    problems that are no errors; ``idle`` are checks that the run ignores, and that would have found nothing in it.
    ``differences`` are what a host has otherwise, and ``takes`` what would make it so (``kvmrender drift``).
    """

    name: str
    problems: tuple[Problem, ...] = ()
    text: str = ""
    hashes: tuple[int, ...] = ()
    status: str = ""
    digest: str = ""
    diff: str = ""
    size: int = 0
    fault: TemplateError | None = None
    notes: tuple[Problem, ...] = ()
    idle: tuple[str, ...] = ()
    differences: tuple[Problem, ...] = ()
    takes: tuple[str, ...] = ()


class Options(NamedTuple):
    """What a run does beside rendering.

    ``select`` are patterns of names, ``allow_shared`` of disks that guests may share (None if guests aren't held
    against each other). Where it is ``strict``, a value that no template uses is a problem. ``check`` writes nothing;
    ``prune`` removes the files of guests that are gone; ``prune_all`` even where no guest is left.
    """

    select: tuple[str, ...] = ()
    strict: bool = False
    allow_shared: tuple[str, ...] | None = None
    jobs: int = 1
    check: bool = False
    diff: bool = False
    prune: bool = False
    prune_all: bool = False

    def selects(self, name: str) -> bool:
        """Say whether a guest of this name is one that was asked for."""
        return not self.select or any(fnmatchcase(name, pattern) for pattern in self.select)


def split(
    guest: Any, problems: tuple[Problem, ...], ignored: tuple[str, ...]
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """Return the problems of a guest without the notes of checks that the whole run ignores, and these checks: what
    finds nothing here may find something in another guest."""
    if not ignored:
        return problems, ()
    idle = {problem: guest["ignore"][problem.path[1]] for problem in problems if problem.id == "ignore"}
    idle = {problem: name for problem, name in idle.items() if name in ignored}
    return tuple(problem for problem in problems if problem not in idle), tuple(idle.values())


def needless(idle: Iterable[str]) -> list[Problem]:
    """Return a note for each check that a run ignores, and that finds nothing in any guest."""
    return [
        Problem((), "finds nothing in any guest", file=f"{IGNORE} {name}", id="ignore", level=NOTE) for name in idle
    ]


def file_name(guest: str) -> bytes:
    """Return the name of a guest's file."""
    return guest.encode() + ENDING
