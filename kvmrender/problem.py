"""What is wrong with a guest. To import this takes longer than to render one: ``errors`` makes problems without it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kvmrender.wording import Path, path_string, printable


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a guest.

    ``path`` is the field (empty for the guest as a whole), ``file``, ``line`` and ``column`` (both from 1)
    are known when the guest came from a file. ``at_key`` says that the field's name is at fault, not its value.
    ``related`` are other fields that the problem is about, such as the first of two equal addresses. ``id`` names the
    check that found it, ``schema`` where that is the schema; its ``level`` is ``error``, or ``note`` where libvirt
    takes the guest all the same.
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
        """Give the problem as one line, ``FILE:LINE:COLUMN: field: message``."""
        place = [printable(str(part)) for part in (self.file, self.line, self.column) if part is not None]
        field = path_string(self.path)
        note = f"note: {self.message} [{self.id}]" if self.level == "note" else self.message
        return ": ".join(part for part in (":".join(place), field, note) if part)

    def of(self, check: str, level: str) -> Problem:
        """Return the same problem as found by a check."""
        return replace(self, id=check, level=level)

    def at(self, file: str | None, position: tuple[int, int] | None) -> Problem:
        """Return the same problem with its place filled in."""
        line, column = position or (None, None)
        return replace(self, file=file, line=line, column=column)
