"""Conversion rules for mappings with certain keys: which values are converted, and which defaults apply.

They are computed once for all mappings with the same keys at the same place, since most guests have the same few.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from copy import deepcopy
from typing import Any

from kvmrender.schema.guest_schema import Node


class Notes:
    """Notes taken during conversion: ``given``, the keys of the guest; ``shapes``, those of all mappings in it; whether
    all of these are ``kept``; ``nulls``, the keys whose default a null removes."""

    __slots__ = ("given", "kept", "nulls", "shapes")

    def __init__(self, given: Collection[str] = ()) -> None:
        self.given = given
        self.shapes: set[Shape] = set()
        self.kept = True
        self.nulls: list[str] = []


Convert = Callable[[Any, Notes], Any]
"""Convert a value as written to full form; return None to omit it."""
Step = tuple[str, "type | None", Convert]
"""A key, the type of its values that need no conversion, and the function that converts others."""
Condition = tuple[str, "str | None", "bool | frozenset[str]"]
"""A neighbor key, or a key of one, and whether it must be given or not, or which values it must have."""
Case = tuple[tuple[Condition, ...], Any]
"""Conditions of a default, and the default; None for no default."""

MOST_SHAPES, MOST_NAMES = 4096, 64
"""Maximum number of cached shapes, and of keys in each."""


class Shape:
    """The keys of a mapping in a guest, and the conversion that follows from them.

    ``place`` is the path of the mapping, ``/disks/driver``, or ``""`` for the guest itself; ``names`` are its keys.
    """

    __slots__ = ("begun", "cases", "constants", "names", "place", "steps")

    def __init__(self, place: str, names: tuple[str, ...]) -> None:
        self.place, self.names = place, names
        self.steps: list[Step] = []
        self.constants: dict[str, Any] = {}
        self.begun: dict[str, Any] = {}
        """All keys with the constants, if there are any: a copy that takes the values is made without growing."""
        self.cases: list[tuple[str, list[Case]]] = []
        """Keys with defaults that depend on neighbor keys; the first case whose conditions hold applies."""


class Rules:
    """Schema rules for the keys of a mapping: ``children`` are the nodes of each key; ``convert`` compiles those of
    one, or returns None if its values need no conversion. For ``place``, see ``Shape``."""

    def __init__(
        self,
        children: dict[str, list[Node]],
        convert: Callable[[str, list[Node]], Convert | None],
        guest_type: str,
        place: str,
    ) -> None:
        self.children, self._convert, self._guest_type, self._place = children, convert, guest_type, place
        self._converters: dict[str, Convert | None] = {}
        self._constants: dict[str, Any] = {}
        self.cases: dict[str, list[Case]] = {}
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self.filled: set[str] = set()
        """Keys with a default, for which a null must be recorded."""
        self.arrays = {name for name, nodes in children.items() if nodes[0].get("type") == "array"}
        for name in children:
            self._read(name)

    def _read(self, name: str) -> None:
        cases = [case for node in reversed(self.children[name]) for case in self._of(name, node)]
        if cases and cases[0][0]:
            self.cases[name] = cases
        elif cases and cases[0][1] is not None:
            self._constants[name] = cases[0][1]
        is_derived = any("derived" in entry for node in self.children[name] for entry in node.get("defaults", ()))
        if is_derived or name in self.cases or name in self._constants:
            self.filled.add(name)

    def _of(self, name: str, node: Node) -> Iterator[Case]:
        """Yield the cases of a node that apply to the guest's type."""
        entries = [*node.get("defaults", ()), *([{"value": node["default"]}] if "default" in node else [])]
        for entry in entries:
            when = dict(entry.get("when", {}))
            if ("value" in entry or when) and self._guest_type in _listed(when.pop("/type", self._guest_type)):
                yield tuple(_condition(*wanted) for wanted in when.items()), self._constant(name, entry.get("value"))

    def _constant(self, name: str, default: Any) -> Any:
        """Return a default in full form. Guests share it, since contexts are never changed."""
        return default if default is None else self._converter(name)(deepcopy(default), Notes())

    def _converter(self, name: str) -> Convert:
        if name not in self.children:
            return as_it_is
        if name not in self._converters:
            self._converters[name] = self._convert(name, self.children[name])
        return self._converters[name] or as_it_is

    def defaults(self, name: str) -> list[Any]:
        """Return the defaults that a key may have."""
        found = [self._constants[name]] if name in self._constants else []
        return found + [value for _, value in self.cases.get(name, ()) if value is not None]

    def is_decided(self, name: str, mapping: dict[str, Any]) -> bool:
        """Return whether a key's default, which depends on neighbor keys, is determined by those of a mapping."""
        cases = self.cases.get(name)
        return not cases or any(_holds(conditions, mapping) for conditions, _ in cases)

    def is_derived(self, name: str, mapping: dict[str, Any]) -> bool:
        """Say whether a key that may be derived is left to that, not to a default, with the neighbours it has."""
        for conditions, value in self.cases.get(name, ()):
            if _holds(conditions, mapping):
                return value is None
        return True

    def kind(self, name: Any) -> type | None:
        """Return the type of the values of a key that need no conversion."""
        node = self.children[name][0] if isinstance(name, str) and name in self.children else {}
        if node.get("type") == "integer":
            return int
        return str if node.get("type") == "string" or ("enum" in node and "type" not in node) else None

    def filled_in(self, mapping: dict[str, Any]) -> dict[str, Any]:
        """Return a mapping in full form with its defaults added."""
        shape = self._shape_of(tuple(mapping))
        result = {**mapping, **shape.constants}
        if shape.cases:
            fill(shape, result)
        return result

    def is_whole(self, names: tuple[str, ...], required: Collection[str]) -> bool:
        """Say whether mappings with these keys have no further defaults but empty lists, and ``required`` keys."""
        shape = self._shape_of(names)
        return not shape.cases and all(value == [] or key in required for key, value in shape.constants.items())

    def _shape_of(self, names: tuple[str, ...]) -> Shape:
        if (shape := self._shapes.get(names)) is None:
            shape = self._with_defaults(names)
            if len(self._shapes) < MOST_SHAPES:
                self._shapes[names] = shape
        return shape

    def shape(self, names: tuple[str, ...]) -> Shape:
        """Return the conversion for these keys, known or unknown."""
        shape = self._with_defaults(names)
        shape.steps = [(name, self.kind(name), self._converter(name)) for name in names]
        shape.begun = {**dict.fromkeys(names), **shape.constants} if shape.constants else {}
        return shape

    def _with_defaults(self, names: tuple[str, ...]) -> Shape:
        shape = Shape(self._place, names)
        shape.constants = {name: value for name, value in self._constants.items() if name not in names}
        there = {*names, *shape.constants, *self.cases}
        for name in [name for name in self.cases if name not in names]:
            left = [(_left(conditions, there), value) for conditions, value in self.cases[name]]
            cases = [(conditions, value) for conditions, value in left if conditions is not None]
            if cases and cases[0][0]:
                shape.cases.append((name, cases))
            elif cases and cases[0][1] is not None:
                shape.constants[name] = cases[0][1]
        return shape


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _condition(neighbour: str, wanted: Any) -> Condition:
    name, _, key = neighbour.partition(".")
    return name, key or None, wanted if isinstance(wanted, bool) else frozenset(_listed(wanted))


def _left(conditions: tuple[Condition, ...], there: Collection[str]) -> tuple[Condition, ...] | None:
    """Return the conditions that remain if there can be no other neighbor keys, or None if they can't hold."""
    if any(name not in there and wanted is not False for name, _, wanted in conditions):
        return None
    return tuple(condition for condition in conditions if condition[0] in there)


def of_text(shape: Shape) -> Shape:
    """Return the shape of mappings with one key whose value is a text. Defaults that are equal for any text become
    constants."""
    (key,) = shape.names
    conditions = [condition for _, cases in shape.cases for all_of, _ in cases for condition in all_of]
    if any(name == key and not isinstance(wanted, bool) for name, _, wanted in conditions):
        return shape
    result = {key: "", **shape.constants}
    fill(shape, result)
    found = Shape(shape.place, shape.names)
    found.constants = {name: value for name, value in result.items() if name != key}
    return found


def fill(shape: Shape, result: dict[str, Any]) -> None:
    """Add defaults that depend on neighbor keys."""
    for name, cases in shape.cases:
        for conditions, value in cases:
            if not conditions or _holds(conditions, result):
                if value is not None:
                    result[name] = value
                break


def _holds(conditions: tuple[Condition, ...], mapping: dict[str, Any]) -> bool:
    for name, key, wanted in conditions:
        found = mapping.get(name)
        if key is not None:
            found = found.get(key) if found.__class__ is dict else None
        if wanted is True:
            if found is None:
                return False
        elif wanted is False:
            if found is not None:
                return False
        elif found.__class__ is not str or found not in wanted:
            return False
    return True


def as_it_is(value: Any, notes: Notes) -> Any:
    """Return the value unchanged."""
    return value
