"""A run over guests as the command line has it: to standard output, and with a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from typing import IO

from kvmrender.cli.program import renderer_of
from kvmrender.fleet.fleet import Fleet
from kvmrender.fleet.guest_result import Options, Outcome
from kvmrender.fleet.processes import cores
from kvmrender.reading.inputs import Inputs
from kvmrender.terminal import is_terminal

IN_MEMORY = 1 << 24
"""Bytes of output that are kept in memory; the rest waits in a temporary file."""


def render(files: tuple[str, ...]) -> None:
    """Be ``kvmrender render FILE...``, without options."""
    renderer = renderer_of(())
    inputs = Inputs(renderer.schema.root, files)
    to_standard_output(Fleet(renderer, inputs, Options(allow_shared=(), jobs=cores())))


def to_standard_output(fleet: Fleet, quiet: bool = False, between: str = "") -> None:
    """Write the texts of a fleet to standard output, when all are there."""
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

        run(fleet, add, quiet)
        spool.seek(0)
        while data := spool.read(IN_MEMORY):
            sys.stdout.buffer.write(data)


def run(fleet: Fleet, each: Callable[[Outcome], None], quiet: bool) -> None:
    """Run a fleet, with a progress bar on a terminal if it takes more than a second."""
    if quiet or not is_terminal(sys.stderr):
        fleet.run(each)
        return
    from tqdm import tqdm

    with tqdm(delay=1, unit=" guests", leave=False) as bar:

        def step(outcome: Outcome) -> None:
            each(outcome)
            bar.update()

        fleet.run(step)
