"""How the time of each stage grows with its input: twice the input is to take about twice the time."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

from kvmrender import Renderer
from kvmrender.parse import from_yaml, positions

SIZES = 1 << 20, 2 << 20, 4 << 20, 8 << 20
MOST = 1.1
"""The slope of a stage's time over the size of its input, both as logarithms: 1 is linear, 2 quadratic."""


def lines(line: str) -> Callable[[int], str]:
    """Return what repeats a line, with its number in place of ``@``, to a size."""

    def text(size: int) -> str:
        longest = line.replace("@", "0000000")
        return "".join(line.replace("@", f"{number:07}") for number in range(size // len(longest)))

    return text


SHAPES: dict[str, Callable[[int], str]] = {
    "long text": lambda size: f"description: {'x' * size}\n",
    "long block of text": lambda size: f"description: |\n{lines('  x & y' + chr(10))(size)}",
    "many keys": lambda size: f"vars:\n{lines('  k@: a' + chr(10))(size)}",
    "many anchors": lambda size: f"vars:\n  list:\n{lines('  - &a@ a' + chr(10))(size)}",
    "many lists": lambda size: f"vars: {{list: [{lines('[[@]], ')(size)}]}}\n",
    "many arguments": lambda size: f"qemu:commandline:\n  qemu:arg:\n{lines('  - value: -a@' + chr(10))(size)}",
    "many comments": lambda size: lines("# a comment\n")(size),
}
"""The rest of a guest of about a size."""

Stage = Callable[[Renderer, str], Callable[[], object]]
STAGES: dict[str, Stage] = {
    "parse": lambda renderer, text: lambda: from_yaml(text),
    "places": lambda renderer, text: lambda: positions(text),
    "context": lambda renderer, text: _of_guest(renderer.context, text),
    "XML": lambda renderer, text: _of_guest(renderer.rendered, text),
}
"""What prepares a stage for a guest's text: it returns what is measured."""


def _of_guest(work: Callable[[Any], object], text: str) -> Callable[[], object]:
    (guest,) = from_yaml(text)
    return lambda: work(guest)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line nearest to points, of which both coordinates are taken as logarithms."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    x0, y0 = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    return sum((x - x0) * (y - y0) for x, y in logs) / sum((x - x0) ** 2 for x, _ in logs)


def measure(sizes: Sequence[int] = SIZES, rounds: int = 3) -> list[dict[str, Any]]:
    """Return the seconds of each stage for each shape and size, and their slope.

    Python's search for garbage is off meanwhile: how much of it a stage meets depends on what else is in memory.
    """
    renderer, rows = Renderer(), []
    for (stage, prepare), (shape, rest) in ((one, other) for one in STAGES.items() for other in SHAPES.items()):
        seconds = [_seconds(prepare(renderer, f"name: a\n{rest(size)}"), rounds) for size in sizes]
        rows.append(
            {
                "stage": stage,
                "input": shape,
                "seconds": dict(zip(map(str, sizes), seconds, strict=True)),
                "slope": slope(list(zip(sizes, seconds, strict=True))),
            }
        )
    return rows


def _seconds(work: Callable[[], object], rounds: int) -> float:
    best = math.inf
    for _ in range(rounds):
        gc.collect()
        gc.disable()
        start = process_time()
        work()
        best = min(best, process_time() - start)
        gc.enable()
    return max(best, 1e-6)
