"""Exceptions and problems, with the data to print them: position, value, and what is expected."""

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
"""Levels of problems: ``error`` if libvirt refuses the guest; ``note`` if libvirt accepts it, but it is probably a
mistake."""
TOO_MUCH_MEMORY = "needs more memory than it may have"

if TYPE_CHECKING:
    from kvmrender.problem import Problem as Problem
else:

    def Problem(*values: Any, **named: Any) -> Problem:  # noqa: N802 - it stands for the class
        """Create a ``kvmrender.problem.Problem``. Its module is imported only if there are problems, to start
        faster."""
        from kvmrender.problem import Problem

        return Problem(*values, **named)


class Error(Exception):
    """Base class of all exceptions that kvmrender raises intentionally."""


class GuestError(Error):
    """Guests that can't be rendered. ``problems`` holds all problems, in the order of the files.

    ``more`` is the number of further problems, if there are too many to list; ``faults`` are template faults that were
    found with them.
    """

    def __init__(self, problems: Iterable[Problem], more: int = 0, faults: Iterable[TemplateError] = ()) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        self.more, self.faults = more, tuple(faults)
        rest = [f"and {more:,} more problems"] if more else []
        super().__init__("\n".join([*map(str, self.problems), *rest, *map(str, self.faults)]))

    def __reduce__(self) -> tuple[type[GuestError], tuple[object, ...]]:
        """Pickle the problems, so that worker processes can pass the exception on."""
        return GuestError, (self.problems, self.more, self.faults)


class TemplateError(Error):
    """A template or schema part that can't be used.

    ``template`` is its file, which messages show as ``shipped/NAME`` if it is a shipped one; ``line`` counts from 1, or
    is None. ``guest`` is the name of the guest that was rendered, if any, and ``field`` the part of it that the
    template was given. ``source`` is the text of the line; ``chain`` lists where the template was included or extended,
    nearest first.
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
        """Pickle the parts of the message."""
        parts = self.message, self.template, self.line, self.guest, self.field, self.source, self.chain
        return type(self), parts

    @property
    def problem(self) -> Problem:
        """The error as a problem of the guest."""
        return Problem(self.field, self.message, self.template and shown_file(self.template), self.line, id="template")

    def met_by(self, more: int) -> None:
        """Add the number of further guests with the same error to the message."""
        if more:
            first, *rest = str(self).split("\n")
            self.args = ("\n".join([f"{first.removesuffix(')')}, and {more:,} more guests)", *rest]),)


class LimitError(TemplateError):
    """A template that exceeded a limit, or crashed its process (see ``templating.isolated``).

    ``problem`` is that of the guest that was rendered; other guests may still be rendered.
    """

    @property
    def problem(self) -> Problem:
        """The problem of the guest."""
        place = ":".join(str(part) for part in (self.template, self.line) if part is not None)
        return Problem((), f"{place}: {self.message}", id="template")


def unexpected(error: BaseException) -> str:
    """Return the message for an unexpected exception, that is, a bug: its type and position.

    The exception's own message may contain secrets. It and the traceback are shown only if the variable KVMRENDER_DEBUG
    is set.
    """
    from traceback import format_exception, walk_tb

    modules = [(frame.f_globals.get("__name__", ""), line) for frame, line in walk_tb(error.__traceback__)]
    own = [f" at {name}:{line}" for name, line in modules if name.startswith("kvmrender.")]
    said = f"{type(error).__name__}{own[-1] if own else ''}"
    if isinstance(error, MemoryError):
        return f"out of memory ({said}): --jobs 1 needs the least"
    found = f"internal error ({said}): please report it with the output of KVMRENDER_DEBUG=1"
    return "".join(format_exception(error)) + found if os.environ.get("KVMRENDER_DEBUG") else found
