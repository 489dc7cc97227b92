"""The fleets' time and memory against the number of guests, as SVG."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

Row = dict[str, Any]

KINDS = {"yaml": ("YAML", "#d9730d", "o"), "jsonl": ("JSON Lines", "#2f81f7", "s")}
INK = "#0a0b0c"
"""What text and axes are drawn in, until a style takes its place: dark on light, light on dark."""
STYLE = """\
<style>
   svg {color: #1f2328}
   @media (prefers-color-scheme: dark) {svg {color: #e6edf3}}
  </style>
"""


def draw(rows: Iterable[Row], path: Path) -> None:
    """Write the plot: left the time of a guest, right the peak memory, over the number of guests."""
    timed = [row for row in rows if "per_guest" in row]
    figure = Figure(figsize=(9, 3.6), layout="constrained", facecolor="none")
    time, memory = figure.subplots(1, 2)
    _lines(time, timed, "CPU time of a further guest, µs", lambda row: row["per_guest"] * 1e6)
    _lines(memory, timed, "peak memory, MB", lambda row: row["peak_bytes"] / 1e6)
    time.legend(frameon=False, labelcolor=INK)
    settings = {"svg.fonttype": "none", "svg.hashsalt": "kvmrender", "font.family": "sans-serif"}
    with mpl.rc_context(settings):
        FigureCanvasSVG(figure).print_svg(path, metadata={"Date": None, "Creator": None})
    svg = path.read_text().replace(INK, "currentColor")
    path.write_text(svg.replace(" <defs>\n", f"  {STYLE} <defs>\n", 1))


def _lines(axes: Axes, rows: list[Row], label: str, value: Any) -> None:
    counts = sorted({row["guests"] for row in rows})
    for kind, (name, color, marker) in KINDS.items():
        points = [(row["guests"], value(row)) for row in rows if row["kind"] == kind]
        if points:
            axes.plot(*zip(*points, strict=True), marker=marker, color=color, label=name)
    axes.set_xscale("log")
    axes.set_xticks(counts, [f"{count:,}" for count in counts], minor=False)
    axes.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    axes.set_ylim(0, 1.1 * max((value(row) for row in rows), default=1))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("guests", color=INK)
    axes.set_title(label, color=INK, fontsize="medium")
    axes.tick_params(colors=INK)
    axes.set_facecolor("none")
    axes.grid(color="#808080", alpha=0.3, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["bottom", "left"]].set_color(INK)
