"""Options of a run over many guests, and the outcome of each guest."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from kvmrender.errors import NOTE, Problem, TemplateError
from kvmrender.reading.layers import IGNORE

ENDING = b".xml"

CREATED, CHANGED, UNCHANGED, REMOVED, KEPT = "created", "changed", "unchanged", "removed", "kept"
"""Status of a file; kept is one that was to be removed, but has been changed since it was written."""

SAME, DIFFERS, UNDEFINED = "same", "differs", "not-defined"
"""Status of a guest on a host (``kvmrender drift``)."""
DEFINE, RESTART, REPLACE = "a define", "a restart", "a new definition"
"""Steps that apply a guest; a new definition means that the old one, with another name or UUID, is undefined first."""


class Outcome(NamedTuple):
    """Outcome of one guest.

    If it has problems (without position), only these, its name, and the fault of a template are set. ``size`` is the
    number of characters of the result; ``notes`` are problems that are not errors; ``idle`` are checks that the run
    ignores, and that find nothing in the guest. ``differences`` are those on a host, and ``takes`` the steps that apply
    the guest (``kvmrender drift``).
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
    """Options of a run besides rendering.

    ``select`` are patterns of names, ``allow_shared`` of disks that guests may share (None disables checks between
    guests). With ``strict``, a value that no template uses is a problem. ``check`` writes nothing; ``prune`` removes
    the files of guests that no longer exist; ``prune_all`` does so even if no guest is left.
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
        """Return whether a guest of this name is selected."""
        return not self.select or any(fnmatchcase(name, pattern) for pattern in self.select)


def split(
    guest: Any, problems: tuple[Problem, ...], ignored: tuple[str, ...]
) -> tuple[tuple[Problem, ...], tuple[str, ...]]:
    """Return the problems of a guest without notes on checks that the whole run ignores, and these checks: they may
    find something in another guest."""
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
