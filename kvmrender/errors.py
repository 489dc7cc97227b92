"""What can go wrong, with the data to print it: a place, a value, what was expected instead."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from kvmrender.wording import HIDDEN as HIDDEN
from kvmrender.wording import LONGEST as LONGEST
from kvmrender.wording import LONGEST_LINE as LONGEST_LINE
from kvmrender.wording import MOST_KNOWN as MOST_KNOWN
from kvmrender.wording import Path as Path
from kvmrender.wording import brief as brief
from kvmrender.wording import listed as listed
from kvmrender.wording import nearest as nearest
from kvmrender.wording import path_string as path_string
from kvmrender.wording import printable as printable
from kvmrender.wording import shown_file as shown_file
from kvmrender.wording import visible as visible

ERROR, NOTE = "error", "note"
"""The levels of problems: libvirt refuses the guest, or takes it, and hardly anybody would want it."""
TOO_MUCH_MEMORY = "needs more memory than it may have"

if TYPE_CHECKING:
    from kvmrender.problem import Problem as Problem
else:

    def Problem(*values: Any, **named: Any) -> Problem:  # noqa: N802 - it stands for the class
        """Make a ``kvmrender.problem.Problem``: most runs have none, and start in less time than it takes to import."""
        from kvmrender.problem import Problem

        return Problem(*values, **named)


class Error(Exception):
    """Everything that kvmrender raises on purpose."""


class GuestError(Error):
    """Guests that can't be rendered. ``problems`` holds all that is wrong with them, in the order of the files.

    ``more`` is the number of problems beyond these, where there are too many to list; ``faults`` are those of templates
    that came up beside them.
    """

    def __init__(self, problems: Iterable[Problem], more: int = 0, faults: Iterable[TemplateError] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.more, self.faults = more, tuple(faults)
        rest = [f"and {more:,} more problems"] if more else []
        super().__init__("\n".join([*map(str, self.problems), *rest, *map(str, self.faults)]))

    def __reduce__(self) -> tuple[type[GuestError], tuple[object, ...]]:
        """Pickle by the problems, so that worker processes can hand the error on."""
        return GuestError, (self.problems, self.more, self.faults)


class TemplateError(Error):
    """A template or schema part that can't be used.

    ``template`` is its file, which the message calls ``shipped/NAME`` where it is a shipped one, and ``line`` counts
    from 1 (None where there is none); ``guest`` is the name of the guest that was being rendered, if any, and ``field``
    what of it the template was given. ``source`` is the line, ``chain`` where the template was included or extended
    from, the nearest place first.
    """

    def __init__(
        self,
        message: str,
        template: str | None = None,
        line: int | None = None,
        guest: str | None = None,
        field: Path = (),
        source: str | None = None,
        chain: Sequence[str] = (),
    ) -> None:
        self.message, self.template, self.line, self.guest = message, template, line, guest
        self.field, self.source, self.chain = field, source, tuple(chain)
        place = ":".join(str(part) for part in (template and shown_file(template), line) if part is not None)
        of = [f"guest {guest!r}"] if guest is not None else []
        about = ", ".join([*of, path_string(field)] if field else of)
        lines = [": ".join(part for part in (place, message) if part) + (f" ({about})" if about else "")]
        if source is not None and source.strip():
            lines.append(f"  {line} | {brief(source.strip(), LONGEST_LINE)}")
        if self.chain:
            lines.append(f"  from {', '.join(map(shown_file, self.chain))}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[TemplateError], tuple[object, ...]]:
        """Pickle by the parts of the message."""
        parts = self.message, self.template, self.line, self.guest, self.field, self.source, self.chain
        return type(self), parts

    @property
    def problem(self) -> Problem:
        """What is wrong, as a problem of the guest."""
        return Problem(self.field, self.message, self.template and shown_file(self.template), self.line, id="template")

    def met_by(self, more: int) -> None:
        """Say that as many more guests have met it."""
        if more:
            first, *rest = str(self).split("\n")
            self.args = ("\n".join([f"{first.removesuffix(')')}, and {more:,} more guests)", *rest]),)


class LimitError(TemplateError):
    """A template that has met a limit, or that has crashed the process that it ran in (see ``templating.isolated``).

    ``problem`` says so of the guest that it was for: the next one may be well.
    """

    @property
    def problem(self) -> Problem:
        """The problem of the guest."""
        place = ":".join(str(part) for part in (self.template, self.line) if part is not None)
        return Problem((), f"{place}: {self.message}", id="template")


def unexpected(error: BaseException) -> str:
    """Return what users are told of an exception that is nobody's but our own: its type and place.

    What it says may hold secrets: that, and the way to it, is shown where the variable KVMRENDER_DEBUG is set.
    """
    from traceback import format_exception, walk_tb

    modules = [(frame.f_globals.get("__name__", ""), line) for frame, line in walk_tb(error.__traceback__)]
    own = [f" at {name}:{line}" for name, line in modules if name.startswith("kvmrender.")]
    said = f"{type(error).__name__}{own[-1] if own else ''}"
    if isinstance(error, MemoryError):
        return f"there is too little memory ({said}): --jobs 1 needs the least"
    found = f"kvmrender is at fault ({said}): please report this, with what KVMRENDER_DEBUG=1 shows of it"
    return "".join(format_exception(error)) + found if os.environ.get("KVMRENDER_DEBUG") else found
