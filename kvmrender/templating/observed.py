"""What is seen of templates as they render a guest."""

from __future__ import annotations

from typing import Any, NamedTuple

from kvmrender.errors import Path

Place = tuple[str, int]
"""A template's file and a line, from 1."""


class Observed(NamedTuple):
    """What comes of a guest, and which templates did it.

    ``context`` is its full form and ``xml`` its domain, well-formed or not; ``places`` has for each line of that the
    template and line that wrote it, or None before the first; ``unused`` are the values that the guest gives and no
    template reads, each by its path with the file of the template that could have.
    """

    context: dict[str, Any]
    xml: str
    places: list[Place | None]
    unused: list[tuple[Path, str]]
