"""What can go wrong, with the data to print it: a place, a value, what was expected instead."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from kvmrender.shipped import SHIPPED, shipped_templates

Path = tuple[str | int, ...]
"""Where a value stands in a guest: keys and list positions, as ``("disks", 0, "driver", "type")``."""


TOO_MUCH_MEMORY = "needs more memory than it may have"
LONGEST, LONGEST_LINE = 80, 200
"""Characters of a word, and of a template's line, that messages show."""
MOST_KNOWN = 1000
"""Words that are looked at for a hint."""

_RANGES = ((0, 8), (0x0B, 0x1F), (0x7F, 0x9F), (0x61C,) * 2, (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x2069))
HIDDEN = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (0xFEFF, *(code for first, last in _RANGES for code in range(first, last + 1)))
}
"""Characters that terminals obey or don't show, each with its escape."""


class Error(Exception):
    """Everything that kvmrender raises on purpose."""


class Problem(NamedTuple):
    """One thing that is wrong with a guest.

    ``path`` is the field (empty for the guest as a whole), ``file``, ``line`` and ``column`` (both from 1)
    are known when the guest came from a file. ``at_key`` says that the field's name is at fault, not its value.
    ``related`` are other fields that the problem is about, such as the first of two equal addresses.
    """

    path: Path
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    at_key: bool = False
    related: tuple[Path, ...] = ()

    def __str__(self) -> str:
        """Give the problem as one line, ``FILE:LINE:COLUMN: field: message``."""
        place = [printable(str(part)) for part in (self.file, self.line, self.column) if part is not None]
        field = path_string(self.path)
        return ": ".join(part for part in (":".join(place), field, self.message) if part)

    def at(self, file: str | None, position: tuple[int, int] | None) -> Problem:
        """Return the same problem with its place filled in."""
        line, column = position or (None, None)
        return self._replace(file=file, line=line, column=column)


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
        return Problem(self.field, self.message, self.template and shown_file(self.template), self.line)

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
        return Problem((), f"{place}: {self.message}")


def shown_file(file: str) -> str:
    """Return a template's file as messages show it: ``shipped/NAME`` for a shipped one, as templates themselves say."""
    return file.replace(f"{shipped_templates()}/", f"{SHIPPED}/") if file.startswith("/") else file


def path_string(path: Sequence[str | int]) -> str:
    """Write a path as users type it: ``disks[0].driver.type``, and ``vcpu`` for its own text."""
    path = path[:-1] if path[-1:] == ("text",) else path
    parts = (f"[{part}]" if isinstance(part, int) else f".{brief(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def printable(text: str) -> str:
    """Return ``text`` with whatever can't stand in one line of UTF-8 written as an escape."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def visible(text: str) -> str:
    """Return ``text``, of any number of lines, with escapes for what terminals obey or don't show: control characters,
    marks that turn the direction of writing, marks without width."""
    return text.translate(HIDDEN)


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


def brief(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` as messages show it: in one line, and never a long one."""
    found = printable(text[: longest + 1])
    return found if len(found) <= longest else f"{found[: longest - 1]}…"


def nearest(word: object, known: Iterable[object]) -> str:
    """Return `` (did you mean 'x'?)`` for the known word that is nearest to ``word``, or nothing.

    Of the known words, so many are looked at as can be told apart in no time, and none that is longer than is shown.
    """
    words = (str(name) for name in islice(known, MOST_KNOWN))
    folded = {name.casefold(): name for name in words if len(name) <= LONGEST}
    text = str(word)[:LONGEST].casefold()
    from difflib import get_close_matches

    matches = get_close_matches(text, folded, cutoff=0.6)
    # A slip of one letter for another is likelier than one too many: qcow3 is qcow2, not qcow.
    matches.sort(key=lambda match: len(match) != len(text) or sum(map(str.__ne__, match, text)) > 1)
    return f" (did you mean {folded[matches[0]]!r}?)" if matches else ""


def listed(words: Sequence[str], last: str = "and") -> str:
    """Write words as sentences do: ``a, b and c``."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
