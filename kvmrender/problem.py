"""What is wrong with a guest. To import this takes longer than to render one: ``errors`` makes problems without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from kvmrender.wording import Path, path_string, printable


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a guest.

    ``path`` is the field (empty for the guest as a whole), ``file``, ``line`` and ``column`` (both from 1)
    are known when the guest came from a file. ``at_key`` says that the field's name is at fault, not its value.
    ``related`` are other fields that the problem is about, such as the first of two equal addresses. ``id`` names the
    check that found it, or what else did (``checks/other_ids.yaml``): ``schema`` where that is the schema. Its
    ``level`` is ``error``, or ``note`` where libvirt takes the guest all the same.
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
        """Give the problem as one line, ``FILE:LINE:COLUMN: field: message [id]``."""
        place = (self.file, self.line, self.column)
        return line_of(place, path_string(self.path), self.level, self.message, self.id)

    def of(self, check: str, level: str) -> Problem:
        """Return the same problem as found by a check."""
        return replace(self, id=check, level=level)

    def about(self, related: Iterable[Path]) -> Problem:
        """Return the same problem with other related fields."""
        return replace(self, related=tuple(related))

    def at(self, file: str | None, position: tuple[int, int] | None) -> Problem:
        """Return the same problem with its place filled in."""
        line, column = position or (None, None)
        return replace(self, file=file, line=line, column=column)


def line_of(place: Iterable[str | int | None], field: str, level: str, message: str, check: str) -> str:
    """Write what is known of a problem as one line; ``place`` is its file, line and column."""
    at = ":".join(printable(str(part)) for part in place if part is not None)
    kind = "note" if level == "note" else ""
    return ": ".join(part for part in (at, field, kind, f"{message} [{check}]") if part)
