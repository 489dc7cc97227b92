"""The right form of a value that was given in another: each that is shown is one that a guest is taken with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from kvmrender.errors import ERROR, Path, Problem
from kvmrender.schema.guest_schema import GuestSchema, Node, inner, resolve, value_at
from kvmrender.schema.near_fields import OTHER

MOST_ADDED = 6
"""Required fields that are added to a form, at most."""
_KEPT = ("arch", "type", "libvirt", "machine", "vcpu")
"""What the form of a field may depend on, beside what is around it."""
_MISSING = (LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError)

Full = Callable[[Mapping[str, Any]], dict[str, Any]]
Find = Callable[[dict[str, Any]], list[Problem]]


class Advice:
    """Holds forms against a schema and its checks. ``full`` turns a guest into its full form, ``find`` returns what
    checks find in that."""

    def __init__(self, schema: GuestSchema, full: Full, find: Find) -> None:
        self._schema, self._full, self._find = schema, full, find

    def fitting(self, guest: Any, path: Path, value: Any) -> list[Any]:
        """Return what may stand at a path of a guest, if there is such: a value with the fields that are required
        beside it, of which OTHER are those whose value only the user knows."""
        if not path or not isinstance(guest, dict):
            return []
        position = next((step for step in reversed(path) if isinstance(step, int)), 0)
        kept = {key: guest[key] for key in _KEPT if key in guest}
        for around in (kept, {}):  # what is kept may be wrong itself
            with suppress(*_MISSING):
                return self._completed({**around, "name": "guest", **_narrow(guest, path)}, path, value, position)
        return []

    def _completed(self, small: dict[str, Any], path: Path, value: Any, position: int) -> list[Any]:
        at = tuple(0 if isinstance(step, int) else step for step in path)
        others = set[Path]()
        for _ in range(MOST_ADDED):
            full = self._full(_with(small, at, value))
            missing, wrong = dict[Path, Node](), False
            for error in self._schema.validator.iter_errors(full):
                where = tuple(error.instance_path)
                found = error.kind.as_dict()
                name = found.get("property") if error.kind.name == "required" else None
                if where[: len(at)] != at:
                    if at[: len(where)] == where:  # what is said of a mapping may be said of its other keys
                        wrong |= at[len(where)] in found.get("unexpected", (name or at[len(where)],))
                elif name is not None:
                    missing[(*where, name)] = self._node((*where, name))
                elif not any(where[: len(other)] == other for other in others):
                    wrong = True
            if wrong:
                return []
            if not missing and not others:
                refused = self._refused(full, at)
                missing = {where: self._node(where) for where in refused if value_at(full, where) is None}
                if len(missing) < len(refused):
                    return []
            if not missing:
                return [self._ordered(path, value)]
            for where, node in missing.items():
                found = self._sample(node, position)
                if found == OTHER:
                    others.add(where)
                if (value := _with(value, where[len(at) :], found)) is None:
                    return []
        return []

    def _refused(self, full: dict[str, Any], at: Path) -> list[Path]:
        """Return the fields at a path of a guest, or above it, that checks refuse."""
        return [
            problem.path
            for problem in self._find(full)
            if problem.level == ERROR
            and problem.path[: min(len(problem.path), len(at))] == at[: min(len(problem.path), len(at))]
        ]

    def _ordered(self, path: Path, value: Any) -> Any:
        """Return a mapping with its keys in the order of the schema."""
        known = self._node(path).get("properties", {})
        return {key: value[key] for key in known if key in value} if isinstance(value, dict) else value

    def _node(self, path: Path) -> Node:
        node = self._schema.root
        for step in path:
            node = inner(self._schema.root, node, step)
        return node

    def _sample(self, node: Node, position: int) -> Any:
        """Return a value of a required field, if that is for anyone to say."""
        node = resolve(self._schema.root, node)
        if len(node.get("enum", ())) == 1:
            return node["enum"][0]
        if node.get("type") == "integer":
            return max(position, node.get("minimum", 0))
        return OTHER


def _narrow(guest: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return what is on the way to a path of a guest: of lists the one item, of other mappings all that is beside."""

    def narrowed(value: Any, rest: Path) -> Any:
        if not rest:
            return value
        if isinstance(value, list) and isinstance(rest[0], int):
            return [narrowed(value[rest[0]], rest[1:])]
        return {**value, rest[0]: narrowed(value[rest[0]], rest[1:])} if isinstance(value, dict) else value

    return {str(path[0]): narrowed(guest.get(str(path[0])), path[1:])}


def _with(value: Any, path: Path, new: Any) -> Any:
    """Return a copy of a value with another at a path, or None where there is no such place."""
    if not path:
        return new
    step, value = path[0], {} if value is None else value
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        inside = _with(value[step], path[1:], new)
        return None if inside is None and path[1:] else [*value[:step], inside, *value[step + 1 :]]
    if isinstance(value, dict):
        inside = _with(value.get(step), path[1:], new)
        return None if inside is None and path[1:] else {**value, step: inside}
    return None
