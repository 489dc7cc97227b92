"""How the time of each stage grows with its input: twice the input is to take about twice the time."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any, NamedTuple

from kvmrender import Error, GuestError
from kvmrender.engine import Engine
from kvmrender.reading.parse import from_yaml, positions

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
    "many disks": lambda size: f"disks:\n{lines('- {source: /@.qcow2}' + chr(10))(size)}",
    "much raw XML": lambda size: (
        f"metadata: |\n{lines('  <a:b xmlns:a=' + repr('urn:a') + '>@</a:b>' + chr(10))(size)}"
    ),
    "many mistakes": lambda size: f"disks:\n{lines('- {source: @, x: 1}' + chr(10))(size)}",
    "many unknown keys": lines("k@: a\n"),
    "many comments": lambda size: lines("# a comment\n")(size),
}
"""The rest of a guest of about a size."""


class Tools(NamedTuple):
    """What stages work with: the shipped templates, others over them, and what validates XML where lxml and libvirt's
    schema are there."""

    shipped: Engine
    own: Engine
    faults: Callable[[bytes], object] | None


Stage = Callable[[Tools, str], Callable[[], object]]
STAGES: dict[str, Stage] = {
    "parse": lambda tools, text: lambda: from_yaml(text),
    "places": lambda tools, text: lambda: positions(text),
    "context": lambda tools, text: _of_guest(tools.shipped.context, text),
    "XML": lambda tools, text: _of_guest(tools.shipped.rendered, text),
    "own templates": lambda tools, text: _of_guest(tools.own.rendered, text),
    "unused": lambda tools, text: _of_guest(tools.own.unused, text),
    "validate": lambda tools, text: _of_xml(tools, text),
}
"""What prepares a stage for a guest's text: it returns what is measured."""


def _of_guest(work: Callable[[Any], object], text: str) -> Callable[[], object]:
    (guest,) = from_yaml(text)

    def measured() -> None:
        with suppress(GuestError):
            work(guest)

    return measured


def _of_xml(tools: Tools, text: str) -> Callable[[], object]:
    (guest,) = from_yaml(text)
    try:
        xml = tools.shipped.render(guest).encode()
    except GuestError:  # there is no XML then
        xml = b"<domain/>"
    return lambda: tools.faults and tools.faults(xml)


def _tools(folder: Path) -> Tools:
    (folder / "devices").mkdir()
    (folder / "devices/disk.xml.j2").write_text('{% include "shipped/devices/disk.xml.j2" %}\n')
    faults = None
    with suppress(ImportError, Error):
        from kvmrender.libvirt import validator as validate
        from kvmrender.libvirt.rng import Grammar, installed_schema

        grammar = Grammar(installed_schema())

        def faults(xml: bytes) -> object:
            return validate.faults(grammar, xml)

    return Tools(Engine(), Engine([folder]), faults)


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the line nearest to points, of which both coordinates are taken as logarithms."""
    logs = [(math.log(x), math.log(y)) for x, y in points]
    x0, y0 = (sum(values) / len(logs) for values in zip(*logs, strict=True))
    return sum((x - x0) * (y - y0) for x, y in logs) / sum((x - x0) ** 2 for x, _ in logs)


def measure(sizes: Sequence[int] = SIZES, rounds: int = 3) -> list[dict[str, Any]]:
    """Return the seconds of each stage for each shape and size, and their slope.

    Python's search for garbage is off meanwhile: how much of it a stage meets depends on what else is in memory.
    """
    rows = []
    with TemporaryDirectory() as folder:
        tools = _tools(Path(folder))
        for (stage, prepare), (shape, rest) in ((one, other) for one in STAGES.items() for other in SHAPES.items()):
            seconds = [_seconds(prepare(tools, f"name: a\n{rest(size)}"), rounds) for size in sizes]
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
