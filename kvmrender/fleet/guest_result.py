"""What a run over many guests is asked for, and what becomes of each guest."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from kvmrender.errors import Problem, TemplateError

ENDING = b".xml"

CREATED, CHANGED, UNCHANGED, REMOVED, KEPT = "created", "changed", "unchanged", "removed", "kept"
"""What becomes of a file; kept is one that was to be removed, but has been changed since it was written."""


class Outcome(NamedTuple):
    """What became of one guest. Where it has problems (not yet placed), nothing else is known of it but its name, and
    the fault of a template that they are of. ``size`` is the number of characters that it became, ``notes`` are
    problems that are no errors.
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


class Options(NamedTuple):
    """What a run does beside rendering.

    ``select`` are patterns of names, ``allow_shared`` of disks that guests may share (None if guests aren't held
    against each other). Where it is ``strict``, a value that no template uses is a problem. ``check`` writes nothing;
    ``prune`` removes the files of guests that are gone.
    """

    select: tuple[str, ...] = ()
    strict: bool = False
    allow_shared: tuple[str, ...] | None = None
    jobs: int = 1
    check: bool = False
    diff: bool = False
    prune: bool = False

    def selects(self, name: str) -> bool:
        """Say whether a guest of this name is one that was asked for."""
        return not self.select or any(fnmatchcase(name, pattern) for pattern in self.select)


def file_name(guest: str) -> bytes:
    """Return the name of a guest's file."""
    return guest.encode() + ENDING
