"""Locations of the templates and example guests that the package includes."""

from __future__ import annotations

from pathlib import Path

SHIPPED = "shipped"
"""Prefix by which a custom template refers to a shipped file that it replaces, and by which messages show shipped
files."""


def shipped_templates() -> Path:
    """Return the folder of the shipped templates."""
    return _shipped("templates")


def shipped_fixtures() -> Path:
    """Return the folder of the shipped example guests, which use every field."""
    return _shipped("fixtures")


def _shipped(name: str) -> Path:
    """Return a folder inside the package, or next to it in a checkout."""
    package = Path(__file__).parent
    inside = package / name
    return inside if inside.is_dir() else package.parent / name
