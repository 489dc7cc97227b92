"""Rendering for the command line: to standard output, and with a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from typing import IO, Any

from kvmrender.api import render_fleet
from kvmrender.errors import Problem
from kvmrender.fleet.guest_result import Outcome
from kvmrender.terminal import is_terminal, say

MOST_NOTES = 100
"""Maximum number of notes that a run shows; the rest are counted."""
IN_MEMORY = 1 << 24
"""Maximum number of bytes of output in memory; more are kept in a temporary file."""


def render(files: tuple[str, ...]) -> None:
    """Run ``kvmrender render FILE...``, without options."""
    to_standard_output(files)


def to_standard_output(files: tuple[str, ...], quiet: bool = False, between: str = "", **options: Any) -> None:
    """Write the texts of a fleet to standard output when all are complete; ``options`` are those of
    ``render_fleet``."""
    with ExitStack() as opened:
        spool: IO[bytes] = BytesIO()

        def add(outcome: Outcome) -> None:
            nonlocal spool
            spool.write(f"{between if spool.tell() else ''}{outcome.text}".encode())
            if isinstance(spool, BytesIO) and spool.tell() > IN_MEMORY:
                from tempfile import TemporaryFile

                file = opened.enter_context(TemporaryFile())
                file.write(spool.getbuffer())
                spool = file

        run(files, add, quiet, **options)
        spool.seek(0)
        while data := spool.read(IN_MEMORY):
            sys.stdout.buffer.write(data)


def run(
    files: tuple[str, ...],
    each: Callable[[Outcome], None],
    quiet: bool,
    noted: Callable[[Problem], None] = lambda note: None,
    **options: Any,
) -> None:
    """Render a fleet, with a progress bar on a terminal if it takes more than a second, and show the notes; ``noted``
    is called with those about the run itself."""
    notes = 0

    def tell(note: Problem) -> None:
        nonlocal notes
        notes += 1
        if notes <= MOST_NOTES:
            say(str(note))

    def told(outcome: Outcome) -> None:
        for note in outcome.notes:
            tell(note)
        each(outcome)

    def told_of_run(note: Problem) -> None:
        tell(note)
        noted(note)

    options["noted"] = told_of_run
    if quiet or not is_terminal(sys.stderr):
        render_fleet(files, each=told, **options)
    else:
        _with_bar(files, told, options)
    if notes > MOST_NOTES:
        say(f"and {notes - MOST_NOTES:,} more notes")


def _with_bar(files: tuple[str, ...], each: Callable[[Outcome], None], options: dict[str, Any]) -> None:
    from threading import RLock

    from tqdm import tqdm

    tqdm.set_lock(RLock())  # its own is one of processes, of which Python 3.14 tells at the end of an interrupted run
    with tqdm(delay=1, unit=" guests", leave=False) as bar:

        def step(outcome: Outcome) -> None:
            each(outcome)
            bar.update()

        render_fleet(files, each=step, **options)
