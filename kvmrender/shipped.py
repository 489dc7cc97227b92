"""Where the templates and the example guests are that come with the package."""

from __future__ import annotations

from pathlib import Path

SHIPPED = "shipped"
"""The prefix under which a file can name one that a folder before it replaces, and under which messages show it."""


def shipped_templates() -> Path:
    """Return the folder of the templates that come with the package."""
    return _shipped("templates")


def shipped_fixtures() -> Path:
    """Return the folder of the example guests that come with the package, which use every field."""
    return _shipped("fixtures")


def _shipped(name: str) -> Path:
    """Return a folder that is inside the package, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name
