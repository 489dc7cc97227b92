"""Report of a run into a folder at its end: diffs or a report, a line for each file, and a summary."""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from kvmrender.errors import Error, Problem, printable
from kvmrender.fleet.difference import coloured
from kvmrender.fleet.guest_result import CHANGED, CREATED, KEPT, REMOVED, UNCHANGED, Outcome, file_name
from kvmrender.fleet.report_forms import (
    FAILED,
    IN_MEMORY,
    KnowAbout,
    Objects,
    as_object,
    of_guest,
    untold,
    written,
)
from kvmrender.terminal import say

WOULD = {CREATED: "would be created", CHANGED: "would change", REMOVED: "would be removed"}
"""Words for the status of files if nothing is written."""


class Report:
    """Collect the outcomes of a run into a folder.

    Standard output gets the diffs, or a report in this ``form``, if given (see ``report_forms``); standard error gets a
    line for each file if ``verbose``, and a summary unless ``quiet``. Diffs are colored if ``is_coloured``. With
    ``check``, nothing is written, and the words say what would be.
    """

    def __init__(
        self, folder: str, form: str | None, quiet: bool, verbose: bool, is_coloured: bool, check: bool = False
    ) -> None:
        self._folder, self._form, self._quiet, self._verbose = folder, form, quiet, verbose
        self._notes: list[Problem] = []
        self._objects = Objects()
        self._counts: Counter[str] = Counter()
        self._coloured = is_coloured
        self._words = WOULD if check else {}
        from tempfile import SpooledTemporaryFile

        self._out: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - close() closes it
        self._lines: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - close() closes it

    def add(self, outcome: Outcome) -> None:
        """Add the outcome of one guest, or of a file that is removed."""
        status = FAILED if outcome.problems else outcome.status
        self._counts[status] += 1
        if self._form:
            self._objects.add(self._object(outcome, status, self._place(outcome.name)))
        elif outcome.diff:
            self._out.write(_encoded(coloured(outcome.diff) if self._coloured else outcome.diff))
        if status == KEPT and not self._quiet:
            place = printable(self._place(outcome.name))
            self._lines.write(_encoded(f"{place}: was changed since it was written, and is not removed\n"))
        elif self._verbose:
            self._lines.write(_encoded(f"{self._words.get(status, status)} {printable(self._place(outcome.name))}\n"))

    @property
    def differs(self) -> bool:
        """Whether a file is, or would be, written or removed."""
        return any(self._counts[status] for status in (CREATED, CHANGED, REMOVED))

    def note(self, problem: Problem) -> None:
        """Add a note on the run itself."""
        self._notes.append(problem)

    def tell(self, about: KnowAbout, error: Error | None = None) -> None:
        """Write everything; of a run that failed with an error, only the report, in which guests without problems are
        skipped.

        ``about`` returns descriptions of IDs of problems.
        """
        from shutil import copyfileobj

        if self._form:
            if error:
                self._objects.fail()
            if more := untold(self._objects, self._notes, error):
                self._objects.add(of_guest(None, None, more))
            for text in written(self._form, "render", self._objects, about):
                sys.stdout.buffer.write(_encoded(text))
        if not error:
            self._out.seek(0)
            copyfileobj(self._out, sys.stdout.buffer)
            self._lines.seek(0)
            with suppress(OSError):  # a failure to report changes nothing
                copyfileobj(self._lines, sys.stderr.buffer)
            if not self._quiet:
                say(self.summary())
        sys.stdout.flush()

    def close(self) -> None:
        """Discard what was collected."""
        self._out.close()
        self._lines.close()
        self._objects.close()

    def summary(self) -> str:
        """Return the number of files by status, as in ``3 guests: 1 created, 1 changed, 1 unchanged``."""
        guests = sum(self._counts[status] for status in (CREATED, CHANGED, UNCHANGED))
        shown = [CREATED, CHANGED, UNCHANGED, *(status for status in (REMOVED, KEPT) if self._counts[status])]
        found = [f"{self._counts[status]:,} {self._words.get(status, status)}" for status in shown]
        return f"{guests:,} guest{'' if guests == 1 else 's'}: {', '.join(found)}"

    def _place(self, name: str) -> str:
        return str(Path(self._folder, os.fsdecode(file_name(name))))

    def _object(self, outcome: Outcome, status: str, place: str) -> dict[str, Any]:
        problems = [*map(as_object, (*outcome.problems, *outcome.notes))]
        found: dict[str, Any] = {"name": outcome.name or None, "file": place if outcome.name else None}
        found |= {"status": status, "sha256": outcome.digest or None, "problems": problems}
        return found | ({"diff": outcome.diff} if outcome.diff else {})


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
