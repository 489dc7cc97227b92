"""Warm: a guest in a process that runs already."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import kvmrender
from bench.contenders import OURS, Contender, Contenders, admitted
from bench.guests import GUESTS
from bench.rounds import Row, timed
from kvmrender.compiler.specialise import SEEN

WARMING, LONGEST = SEEN + 1000, 5
"""Calls before the first that counts, and seconds that they may take: kvmrender brings in jsonschema-rs only after some
guests, and makes functions for keys that have come up often."""


def measure(folder: Path, rounds: int, sample: float) -> list[Row]:
    """Time each guest's contenders in turn, ``rounds`` times, each time for about ``sample`` seconds."""
    rows: list[Row] = []
    for name, guest in GUESTS.items():
        with ExitStack() as stack:
            rows += _guest(Contenders(folder, stack), name, guest, rounds, sample)
    return rows


def _guest(contenders: Contenders, name: str, guest: dict[str, Any], rounds: int, sample: float) -> list[Row]:
    expected = kvmrender.render(guest)
    kind = "large" if name == "large" else "small"
    rows: list[Row] = []
    ready: dict[str, Callable[[], float]] = {}
    for each in Contenders.NAMES:
        made, excuse = admitted(partial(contenders.make, each, kind, guest), expected)
        rows.append({"guest": name, "contender": each, **excuse})
        if made:
            ready[each] = sampler(made, sample)
    found = timed(ready, rounds, OURS)
    return [row | found.get(row["contender"], {}) for row in rows]


def sampler(contender: Contender, sample: float) -> Callable[[], float]:
    """A function that times a contender once, long enough for the clock, after calls that warm it up."""
    start = perf_counter()
    for _ in range(WARMING):
        contender.seconds(1)
        if perf_counter() - start > LONGEST:
            break
    times = 1
    while (seconds := contender.seconds(times)) < sample / 4:
        times *= 2
    times = max(1, round(times * sample / seconds))
    return lambda: contender.seconds(times) / times
