"""What a run into a folder tells, once it is known how it ends: diffs, objects of JSON, a line a file, a summary."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from kvmrender.errors import path_string, printable
from kvmrender.fleet.difference import coloured
from kvmrender.fleet.guest_result import CHANGED, CREATED, KEPT, REMOVED, UNCHANGED, Outcome, file_name
from kvmrender.terminal import may_colour, say

FAILED, SKIPPED = "failed", "skipped"
"""The status of guests that have problems, and of the good ones beside them."""

IN_MEMORY = 1 << 24
"""Bytes of a report that are kept in memory; the rest goes to a temporary file."""


class Report:
    """Collects the outcomes of a run into a folder.

    Standard output gets the diffs, or with ``as_json`` an object for each guest; standard error gets a line for each
    file where it is ``verbose``, and a summary unless it is ``quiet``.
    """

    def __init__(self, folder: str, as_json: bool, quiet: bool, verbose: bool) -> None:
        self._folder, self._as_json, self._quiet, self._verbose = folder, as_json, quiet, verbose
        self._counts: Counter[str] = Counter()
        self._coloured = may_colour(sys.stdout)
        from tempfile import SpooledTemporaryFile

        self._out: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - close() closes it
        self._lines: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - close() closes it

    def add(self, outcome: Outcome) -> None:
        """Take the outcome of one guest, or of a file that is removed."""
        status = FAILED if outcome.problems else outcome.status
        self._counts[status] += 1
        if self._as_json:
            place = self._place(outcome.name)
            self._out.write(json.dumps(self._object(outcome, status, place)).encode() + b"\n")
        elif outcome.diff:
            self._out.write(_encoded(coloured(outcome.diff) if self._coloured else outcome.diff))
        if status == KEPT and not self._quiet:
            place = printable(self._place(outcome.name))
            self._lines.write(_encoded(f"{place}: was changed since it was written, and is not removed\n"))
        elif self._verbose:
            self._lines.write(_encoded(f"{status} {printable(self._place(outcome.name))}\n"))

    @property
    def differs(self) -> bool:
        """Whether a file is, or would be, written or removed."""
        return any(self._counts[status] for status in (CREATED, CHANGED, REMOVED))

    def tell(self, failed: bool = False) -> None:
        """Write all of it; of a run that failed only the objects, of which those without problems are skipped."""
        from shutil import copyfileobj

        self._out.seek(0)
        if not failed:
            copyfileobj(self._out, sys.stdout.buffer)
            self._lines.seek(0)
            with suppress(OSError):  # what can't be told changes nothing
                copyfileobj(self._lines, sys.stderr.buffer)
            if not self._quiet:
                say(self.summary())
        elif self._as_json:
            for line in self._out:
                found = json.loads(line)
                if found["status"] != FAILED:
                    found.update(status=SKIPPED)
                sys.stdout.buffer.write(json.dumps(found).encode() + b"\n")
        sys.stdout.flush()

    def close(self) -> None:
        """Forget what was collected."""
        self._out.close()
        self._lines.close()

    def summary(self) -> str:
        """Return what became of all files, as ``3 guests: 1 created, 1 changed, 1 unchanged``."""
        guests = sum(self._counts[status] for status in (CREATED, CHANGED, UNCHANGED))
        always = [f"{self._counts[status]:,} {status}" for status in (CREATED, CHANGED, UNCHANGED)]
        others = [f"{self._counts[status]:,} {status}" for status in (REMOVED, KEPT) if self._counts[status]]
        return f"{guests:,} guest{'' if guests == 1 else 's'}: {', '.join(always + others)}"

    def _place(self, name: str) -> str:
        return str(Path(self._folder, os.fsdecode(file_name(name))))

    def _object(self, outcome: Outcome, status: str, place: str) -> dict[str, Any]:
        from dataclasses import asdict

        problems = [
            {**asdict(problem), "path": path_string(problem.path), "related": [*map(path_string, problem.related)]}
            for problem in (*outcome.problems, *outcome.notes)
        ]
        found: dict[str, Any] = {"name": outcome.name or None, "file": place if outcome.name else None}
        found |= {"status": status, "sha256": outcome.digest or None, "problems": problems}
        return found | ({"diff": outcome.diff} if outcome.diff else {})


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
