"""What the fast ways pay: whole guests with one of them left out, turn by turn with all of them.

    python tests/bench/left_out.py [ROUNDS]

A table in Markdown, in microseconds; the modules say what they pay in their docstrings, from here.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest import mock

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.guests import GUESTS
from bench.rounds import timed
from kvmrender.compiler.specialise import SEEN, Table
from kvmrender.context import validation
from kvmrender.engine import Engine

WARMING = SEEN + 1000
SAMPLE = 0.02
"""Calls before the first that counts, and seconds that a sample takes."""


class _General(Table):
    """A table that makes nothing for keys that come up often."""

    def __missing__(self, keys: tuple[Any, ...]) -> Any:
        return self._general()


class _Whole:
    """Holds guests against the whole schema of their architecture."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self.is_valid = validation.validator_of(schema).is_valid


def _left_out(name: str) -> AbstractContextManager[object]:
    patches = {
        "specialise": mock.patch("kvmrender.compiler.specialise.Table", _General),
        "condensed_schema": mock.patch.object(validation, "Later", _Whole),
        "jsonschema-rs": mock.patch.object(validation, "FIRST", sys.maxsize),
    }
    return patches.get(name, nullcontext())


def _engine(name: str) -> Engine:
    with _left_out(name):
        engine = Engine()
        if name == "compiler":
            engine._functions = defaultdict(lambda: None)
        for guest in GUESTS.values():
            for _ in range(WARMING if name != "compiler" else 60):
                engine.render(guest)
    return engine


def _sampler(name: str, engine: Engine, guest: dict[str, Any]) -> Callable[[], float]:
    start = perf_counter()
    engine.render(guest)
    times = max(1, round(SAMPLE / (perf_counter() - start)))

    def seconds() -> float:
        with _left_out(name):
            begun = perf_counter()
            for _ in range(times):
                engine.render(guest)
            return (perf_counter() - begun) / times

    return seconds


def main(rounds: int) -> None:
    names = ("all", "specialise", "compiler", "condensed_schema", "jsonschema-rs")
    engines = {name: _engine(name) for name in names}
    found = {
        guest: timed({name: _sampler(name, engine, value) for name, engine in engines.items()}, rounds, "all")
        for guest, value in GUESTS.items()
    }
    print("| left out |", " | ".join(GUESTS), "|\n| --- |", " --- | " * len(GUESTS))
    for name in names:
        rows = [found[guest][name] for guest in GUESTS]
        cells = [f"{row['seconds'] * 1e6:.0f} ({1 / row['ours_is']:.2f})" for row in rows]
        print("|", "nothing" if name == "all" else name, "|", " | ".join(cells), "|")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
