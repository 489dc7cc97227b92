"""Problems of guests. Importing this module takes longer than rendering a guest: ``errors`` creates problems without
it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kvmrender.wording import Path, path_string, printable


@dataclass(frozen=True)
class Problem:
    """A problem of a guest.

    ``path`` is the field (empty for the guest as a whole). ``file``, ``line`` and ``column`` (both from 1) are set if
    the guest came from a file. ``at_key`` means that the field's name is wrong, not its value. ``related`` are other
    fields that the problem concerns, such as the first of two equal addresses. ``id`` is the ID of the check that found
    it, or one of ``checks/other_ids.yaml``, such as ``schema``. ``level`` is ``error``, or ``note`` if libvirt accepts
    the guest.
    """

    path: Path
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    at_key: bool = False
    related: tuple[Path, ...] = ()
    id: str = "schema"
    level: str = "error"

    def __str__(self) -> str:
        """Return the problem as one line, ``FILE:LINE:COLUMN: field: message [id]``."""
        place = (self.file, self.line, self.column)
        return line_of(place, path_string(self.path), self.level, self.message, self.id)

    def of(self, check: str, level: str) -> Problem:
        """Return a copy of the problem with the ID and level of a check."""
        return replace(self, id=check, level=level)

    def about(self, related: Iterable[Path]) -> Problem:
        """Return a copy of the problem with these related fields."""
        return replace(self, related=tuple(related))

    def at(self, file: str | None, position: tuple[int, int] | None) -> Problem:
        """Return a copy of the problem with its position."""
        line, column = position or (None, None)
        return replace(self, file=file, line=line, column=column)


def line_of(place: Iterable[str | int | None], field: str, level: str, message: str, check: str) -> str:
    """Format a problem as one line; ``place`` is its file, line and column, as far as known."""
    at = ":".join(printable(str(part)) for part in place if part is not None)
    kind = "note" if level == "note" else ""
    return ": ".join(part for part in (at, field, kind, f"{message} [{check}]") if part)
