"""Changes to guests in full form by path: adding and removing values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kvmrender.errors import Path
from kvmrender.schema.guest_schema import value_at

_GONE = object()


def fill_in(guest: Any, path: Path, value: Any) -> None:
    """Set a value at a path if its mapping exists and has none."""
    if (mapping := _mapping_at(guest, path[:-1])) is not None:
        mapping.setdefault(str(path[-1]), value)


def without(guest: dict[str, Any], paths: Iterable[Path]) -> dict[str, Any]:
    """Return the guest, modified, without the fields and list items at the paths."""
    has_gaps = False
    for path in paths:
        _remove(guest, path)
        has_gaps = has_gaps or isinstance(path[-1], int)
    found: dict[str, Any] = _without_gone(guest) if has_gaps else guest
    return found


def _mapping_at(guest: Any, path: Path) -> dict[str, Any] | None:
    found = value_at(guest, path)
    return found if isinstance(found, dict) else None


def _remove(guest: Any, path: Path) -> None:
    """Remove a field from a guest, or a list item, which is replaced by a gap so that the indices of others do not
    change."""
    *above, last = path
    if isinstance(last, str):
        if (mapping := _mapping_at(guest, tuple(above))) is not None:
            mapping.pop(last, None)
    elif (mapping := _mapping_at(guest, tuple(above[:-1]))) is not None:
        items = mapping.get(str(above[-1]))
        if isinstance(items, list) and last < len(items):
            items[last] = _GONE


def _without_gone(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_gone(item) for key, item in value.items()}
    return [_without_gone(item) for item in value if item is not _GONE] if isinstance(value, list) else value
