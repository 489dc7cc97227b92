"""Tracking of the values of a guest that templates read, so that none is silently ignored."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2.runtime import Context
from jinja2.utils import missing

from kvmrender.errors import Path
from kvmrender.schema.guest_schema import Node, inner
from kvmrender.schema.shorthand import by_type, expander
from kvmrender.templating.environment import Environment

NOT_WRITTEN = ("arch", "ignore", "libvirt", "machine", "mac_prefix", "namespace", "use")
"""Keys of a guest that control derivation, and occur in no template."""

Seen = dict[Path, str]
"""Paths of values that were read, with the file of the template."""


class Watched(dict[str, Any]):
    """A mapping of a context that records which of its values are read."""

    def __init__(self, values: Mapping[str, Any], path: Path, seen: Seen) -> None:
        super().__init__((key, _watched(value, (*path, key), seen)) for key, value in values.items())
        self._path, self._seen = path, seen

    def _read(self, key: str) -> None:
        """Record that a value was read."""
        path = (*self._path, key)
        self._seen[path] = _template()
        value = super().__getitem__(key)
        if isinstance(value, list):
            self._seen.update(
                ((*path, number), self._seen[path])
                for number, item in enumerate(value)
                if not isinstance(item, (dict, list))
            )

    def __getitem__(self, key: str) -> Any:
        """Return a value and record the access."""
        value = super().__getitem__(key)
        self._read(key)
        return value

    def __contains__(self, key: object) -> bool:
        """Return whether a value exists; for an element without content, this counts as reading it."""
        there = super().__contains__(key)
        if there and isinstance(key, str) and super().__getitem__(key) == {}:
            self._read(key)
        return there

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value and record the access."""
        try:
            return self[key]
        except KeyError:
            return default

    def items(self) -> Any:
        """Return all items and record the access."""
        return [(key, self[key]) for key in self]

    def values(self) -> Any:
        """Return all values and record the access."""
        return [self[key] for key in self]


def _watched(value: Any, path: Path, seen: Seen) -> Any:
    if isinstance(value, dict):
        return Watched(value, path, seen)
    if isinstance(value, list):
        return [_watched(item, (*path, number), seen) for number, item in enumerate(value)]
    return value


def _template() -> str:
    """Return the file of the template that is being rendered."""
    frame = sys._getframe(2)
    while frame.f_back and "__jinja_template__" not in frame.f_globals and not frame.f_code.co_filename.endswith(".j2"):
        frame = frame.f_back
    return frame.f_code.co_filename


class WatchingContext(Context):
    """Records which names of the context are read."""

    def resolve_or_missing(self, key: str) -> Any:
        """Return a name's value."""
        value = super().resolve_or_missing(key)
        root = self.parent.get("domain")
        if value is not missing and isinstance(root, Watched) and key in root:
            root._read(key)
        return value


def watch(environment: Environment) -> Environment:
    """Enable recording of Watched values in an environment without loaded templates."""
    environment.context_class = WatchingContext
    return environment


def unused(root: Node, written: Any, values: Mapping[str, Any], seen: Seen) -> Iterator[tuple[Path, str]]:
    """Yield the fields that a guest gives and no template has read, each with the nearest template.

    ``root`` is the schema, ``written`` the guest as written, ``values`` its context, ``seen`` the recorded accesses. Of
    nested unread values, only the outermost is reported.
    """
    inside = _inside(seen)
    for key, value in values.items():
        if key not in NOT_WRITTEN:
            for path in _unread(value, (key,), seen)[0]:
                if is_given(root, written, path):
                    yield path, _nearest(path, seen, inside)


def _inside(seen: Seen) -> dict[Path, Path]:
    """Return for each path with recorded accesses the shortest accessed path inside it."""
    found: dict[Path, Path] = {}
    for path in seen:
        for end in range(1, len(path)):
            if len(found.get(path[:end], (*path, ""))) > len(path):
                found[path[:end]] = path
    return found


def _nearest(path: Path, seen: Seen, inside: dict[Path, Path]) -> str:
    """Return the template whose access is nearest to a path: next to it, or around it."""
    for end in range(len(path) - 1, 0, -1):
        around = path[:end]
        if around in inside or around in seen:
            return seen[inside.get(around, around)]
    return ""


def _unread(value: Any, path: Path, seen: Seen) -> tuple[list[Path], bool]:
    """Return the unread parts of a value, and whether any part was read."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(dict.items(value))
    elif isinstance(value, list):
        inner = list(enumerate(value))
    if not inner:
        there = path in seen or (value == {} and path[:-1] in seen and isinstance(path[-1], int))
        return ([], True) if there else ([path], False)
    found = [_unread(item, (*path, key), seen) for key, item in inner]
    if not any(read for _, read in found):
        return [path], False
    return [unread for paths, _ in found for unread in paths], True


def is_given(root: Node, written: Any, path: Path) -> bool:
    """Return whether a guest itself gives a field of its context, in long or short form."""
    node, value = root, written
    for place, step in enumerate(path):
        if isinstance(step, int) and not isinstance(value, (list, tuple)):
            value = [value]  # a single item may be given without a list
        if isinstance(step, str) and not isinstance(value, Mapping):
            value = expander(node)(value)
            if not isinstance(value, Mapping):
                return place > 0 and value is not None
        if isinstance(value, dict) and place + 1 < len(path) and (expand := by_type(root, node)):
            value = expand(value)
        node = inner(root, node, step)
        try:
            value = value[step]
        except (LookupError, TypeError):
            return False
    return value is not None
