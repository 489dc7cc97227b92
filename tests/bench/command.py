"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench import cold, commands, fleet, growth, imports, inside, machine, report, warm

PARTS = ("warm", "inside", "import", "cold", "commands", "fleet", "growth")


@dataclass(frozen=True)
class Effort:
    """How much is measured: rounds of each part, seconds of one warm sample, sizes of fleets and of other inputs."""

    warm_rounds: int
    sample: float
    cold_rounds: int
    fleet_rounds: int
    sizes: dict[str, list[int]]
    inputs: tuple[int, ...] = growth.SIZES
    counts: tuple[int, ...] = (100, 1_000, 10_000)
    inside: int = 2_000


FULL = Effort(50, 0.02, 25, 5, {kind: [1_000, 10_000, 100_000] for kind in ("yaml", "jsonl")})
QUICK = Effort(3, 0.001, 2, 1, {"yaml": [20], "jsonl": [20, 40]}, (1 << 13, 1 << 14), (2, 4, 8), 20)


def measure(parts: Sequence[str], effort: Effort, jobs: int) -> dict[str, Any]:
    """Return the results of the parts, as a mapping that JSON can hold."""
    results: dict[str, Any] = {"machine": machine.facts()}
    with tempfile.TemporaryDirectory() as name:
        folders = {part: Path(name, part) for part in parts}
        for folder in folders.values():
            folder.mkdir()
        if "warm" in parts:
            results["warm"] = warm.measure(folders["warm"], effort.warm_rounds, effort.sample)
        if "inside" in parts:
            results["inside"] = inside.measure(effort.inside)
        if "import" in parts:
            results["import"] = imports.measure(effort.warm_rounds, effort.sample)
        if "cold" in parts:
            results["cold"] = cold.measure(folders["cold"], effort.cold_rounds)
        if "commands" in parts:
            results["commands"] = commands.measure(folders["commands"], effort.counts, effort.fleet_rounds)
        if "growth" in parts:
            results["stages"] = growth.measure(effort.inputs)
        if "fleet" in parts:
            results["fleet"] = fleet.measure(folders["fleet"], effort.sizes, jobs, effort.fleet_rounds)
            results["growth"] = fleet.growth(results["fleet"])
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, draw. Return 1 if a contender's document was not the one that it should be."""
    parser = argparse.ArgumentParser(prog="python tests/bench", description=__doc__)
    parser.add_argument("--only", default=",".join(PARTS), help="parts, with commas between (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a few seconds, to see that it runs: no figures to quote")
    parser.add_argument("--jobs", type=int, default=2, help="processes that render a fleet (default: %(default)s)")
    parser.add_argument("--yaml", type=_sizes, help="sizes of YAML fleets, with commas between")
    parser.add_argument("--jsonl", type=_sizes, help="sizes of JSON Lines fleets")
    parser.add_argument("--fleet-rounds", type=int, help="runs of each fleet")
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")
    parser.add_argument("--from", dest="saved", type=Path, metavar="FILE", help="show the results in a JSON file again")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the fleets' time and memory as SVG")
    options = parser.parse_args(arguments)
    parts = options.only.split(",")
    if wrong := set(parts) - set(PARTS):
        parser.error(f"--only: {', '.join(sorted(wrong))}: parts are {', '.join(PARTS)}")
    if options.plot and not options.saved and "fleet" not in parts:
        parser.error("--plot draws the fleets, which are not measured")
    if options.plot and not find_spec("matplotlib"):
        parser.error("--plot needs matplotlib: pip install '.[bench]'")
    effort = QUICK if options.quick else FULL
    given = {kind: sizes for kind in ("yaml", "jsonl") if (sizes := getattr(options, kind)) is not None}
    effort = replace(effort, sizes={**effort.sizes, **given}, fleet_rounds=options.fleet_rounds or effort.fleet_rounds)
    results = json.loads(options.saved.read_text()) if options.saved else measure(parts, effort, options.jobs)
    print(json.dumps(results, indent=2) if options.json else report.markdown(results), end="")
    if options.plot:
        from bench import plot

        plot.draw(results["fleet"], options.plot)
    return 1 if any("refused" in row for part in PARTS for row in results.get(part, [])) else 0


def _sizes(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]
