"""Contenders take turns, so that a busy machine hurts all alike."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

Row = dict[str, Any]


def timed(contenders: dict[str, Callable[[], float]], rounds: int, ours: str) -> dict[str, Row]:
    """Time each contender once a round; return the median of each, its quartiles, and our time as a multiple of it.

    That is the median over the rounds of our time through its time in the same round. Who begins changes.
    """
    names = list(contenders)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        first = number % len(names) if names else 0
        for name in names[first:] + names[:first]:
            seconds[name].append(contenders[name]())
    return {name: summary(seconds[name]) | ratio(seconds.get(ours), seconds[name]) for name in names}


def summary(seconds: list[float]) -> Row:
    low, middle, high = quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return {"seconds": middle, "quartiles": [low, high], "least": min(seconds), "rounds": len(seconds)}


def ratio(ours: list[float] | None, theirs: list[float]) -> Row:
    return {"ours_is": median(a / b for a, b in zip(ours, theirs, strict=True))} if ours else {}
