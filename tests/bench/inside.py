"""Inside: where the time of a guest goes, in a process that runs already.

Each step is timed within whole guests, as it is called there; the two looks at the clock count as the step's own.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any
from unittest import mock

from bench.guests import GUESTS
from bench.rounds import Row
from bench.warm import WARMING
from kvmrender.checks import all_checks, checked_context
from kvmrender.engine import Engine

STEPS = ("full form", "validity", "derivation", "checks", "XML")
REST = "the rest"


class _Clock:
    """Times functions: ``took`` are the seconds of each step within the guest of now."""

    def __init__(self) -> None:
        self.took = dict.fromkeys(STEPS, 0.0)

    def timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            start = perf_counter()
            try:
                return function(*arguments)
            finally:
                self.took[step] += perf_counter() - start

        return run

    def made(self, step: str, maker: Callable[..., Any]) -> Callable[..., Any]:
        """What makes a function of this step."""
        return lambda *arguments: self.timed(step, maker(*arguments))


def measure(times: int) -> list[Row]:
    """Render each guest so many times, once all is warm; seconds are medians, ``share`` that of the whole guest."""
    clock = _Clock()
    with (
        mock.patch.object(checked_context, "normaliser", clock.made("full form", checked_context.normaliser)),
        mock.patch.object(checked_context, "checker", clock.made("validity", checked_context.checker)),
        mock.patch.object(checked_context, "derive", clock.timed("derivation", checked_context.derive)),
        mock.patch.object(all_checks, "problems", clock.timed("checks", all_checks.problems)),
    ):
        engine = Engine()
        engine._written = clock.timed("XML", engine._written)  # type: ignore[method-assign]
        return [row for name, guest in GUESTS.items() for row in _rows(engine, clock, name, guest, times)]


def _rows(engine: Engine, clock: _Clock, name: str, guest: dict[str, Any], times: int) -> list[Row]:
    for _ in range(min(WARMING, 10 * times)):
        engine.rendered(guest)
    found: dict[str, list[float]] = {step: [] for step in (*STEPS, REST)}
    wholes = []
    for _ in range(times):
        clock.took = dict.fromkeys(STEPS, 0.0)
        start = perf_counter()
        engine.rendered(guest)
        wholes.append(perf_counter() - start)
        for step, seconds in clock.took.items():
            found[step].append(seconds)
        found[REST].append(wholes[-1] - sum(clock.took.values()))
    whole = median(wholes)
    return [
        {"guest": name, "step": step, "seconds": median(took), "share": median(took) / whole}
        for step, took in found.items()
    ]
