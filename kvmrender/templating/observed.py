"""Results of rendering a guest with tracing of templates."""

from __future__ import annotations

from typing import Any, NamedTuple

from kvmrender.errors import Path

Place = tuple[str, int]
"""File of a template and line, from 1."""


class Observed(NamedTuple):
    """Result of rendering a guest, with the templates that were used.

    ``context`` is its full form and ``xml`` its domain, well-formed or not. ``places`` has for each line of the XML the
    template and line that wrote it, or None before the first; ``unused`` are the paths of values that the guest gives
    and no template reads, with the file of the nearest template.
    """

    context: dict[str, Any]
    xml: str
    places: list[Place | None]
    unused: list[tuple[Path, str]]
