"""How the time of each stage grows with its input: twice the input is to take about twice the time."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
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
ENOUGH = 5.0
"""Seconds after which a stage is not measured again."""


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


class Input(NamedTuple):
    """A guest: its text, what is read of that, and its XML, where it has one."""

    text: str
    guest: Any
    xml: bytes


STAGES: dict[str, Callable[[Tools, Input], object]] = {
    "parse": lambda tools, of: from_yaml(of.text),
    "places": lambda tools, of: positions(of.text),
    "context": lambda tools, of: tools.shipped.context(of.guest),
    "XML": lambda tools, of: tools.shipped.rendered(of.guest),
    "own templates": lambda tools, of: tools.own.rendered(of.guest),
    "unused": lambda tools, of: tools.own.unused(of.guest),
    "validate": lambda tools, of: tools.faults and tools.faults(of.xml),
}
"""What is measured."""


def _input(tools: Tools, text: str) -> Input:
    (guest,) = from_yaml(text)
    xml = "<domain/>"
    with suppress(GuestError):
        xml = tools.shipped.render(guest)
    return Input(text, guest, xml.encode())


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
    """Return the seconds of each stage for each shape and size, the least of some rounds, and their slope.

    Python's search for garbage is off meanwhile: how much of it a stage meets depends on what else is in memory.
    """
    rows = []
    gc.freeze()  # what is there already is not looked through before each measurement
    with TemporaryDirectory() as folder:
        tools = _tools(Path(folder))
        for shape, rest in SHAPES.items():
            seconds: dict[str, dict[str, float]] = {stage: {} for stage in STAGES}
            for size in sizes:
                of = _input(tools, f"name: a\n{rest(size)}")
                for stage, work in STAGES.items():
                    seconds[stage][str(size)] = _seconds(partial(work, tools, of), rounds)
            rows += [
                {
                    "stage": stage,
                    "input": shape,
                    "seconds": found,
                    "slope": slope([(int(size), took) for size, took in found.items()]),
                }
                for stage, found in seconds.items()
            ]
    gc.unfreeze()
    return rows


def _seconds(work: Callable[[], object], rounds: int) -> float:
    """Return the least time of some rounds; what takes long is steady, and needs fewer of them."""
    best: float = math.inf
    spent = 0.0
    while rounds and spent < ENOUGH:
        gc.collect()
        gc.disable()
        start = process_time()
        with suppress(GuestError):
            work()
        took = process_time() - start
        gc.enable()
        best, spent, rounds = min(best, took), spent + took, rounds - 1
    return max(best, 1e-6)
