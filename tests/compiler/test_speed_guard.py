"""Rendering doesn't become many times slower without anybody noticing.

No time is judged, but a ratio in one process, on any machine: see tests/bench/README.md.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import pytest
from bench.contenders import bare_template
from bench.guests import GUESTS

import kvmrender

MOST = 8
"""Times that ``Renderer.render`` may take as long as a bare template with values that are ready. Measured were 2 for
small guests and 2 for the large one."""


@pytest.mark.parametrize("name", GUESTS)
def test_rendering_is_not_many_times_slower_than_a_bare_template(name: str) -> None:
    renderer, guest = kvmrender.Renderer(), GUESTS[name]
    template, values = bare_template("large" if name == "large" else "small"), renderer.context(guest)
    ratio = least_ratio(lambda: renderer.render(guest), lambda: template.render(values))
    assert ratio < MOST, f"{ratio:.1f} times as long as a bare template"


def least_ratio(ours: Callable[[], object], other: Callable[[], object]) -> float:
    """The shortest time of the one through that of the other, of many turns; more turns while it seems too much."""
    shortest = [float("inf"), float("inf")]
    for _ in range(4):
        for _ in range(25):
            for number, (make, times) in enumerate(((ours, 1), (other, 5))):
                start = perf_counter()
                for _ in range(times):
                    make()
                shortest[number] = min(shortest[number], (perf_counter() - start) / times)
        if shortest[0] / shortest[1] < MOST:
            break
    return shortest[0] / shortest[1]
