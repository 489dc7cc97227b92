"""What the keys of a mapping say of its full form: which values are to be converted, and which defaults come in.

That is worked out once for all mappings with the same keys at the same place, as guests mostly have the same few.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from copy import deepcopy
from typing import Any

from kvmrender.schema.guest_schema import Node


class Notes:
    """What is noted on the way: ``given``, the keys of the guest; ``shapes``, of all mappings that are written in it;
    whether these are all ``kept``; ``nulls``, the keys whose default a null removes."""

    __slots__ = ("given", "kept", "nulls", "shapes")

    def __init__(self, given: Collection[str] = ()) -> None:
        self.given = given
        self.shapes: set[Shape] = set()
        self.kept = True
        self.nulls: list[str] = []


Convert = Callable[[Any, Notes], Any]
"""Takes a value as written, gives it in full form, or None where it is to be left out."""
Step = tuple[str, "type | None", Convert]
"""A key, the type of the values that are in full form as they are written, and what brings others into it."""
Choice = tuple[str, str, dict[str, str]]
"""A key, its neighbour, and the value that follows from each key that this may have."""
When = tuple[str, Any, list[tuple[str, bool]]]
"""A key, its default, and the neighbours that have to be there or not."""
Decider = tuple[str, str, dict[str, Any]]
"""A key, its neighbour, and the default that follows from each value of this, or from any (``*``)."""

MOST_SHAPES, MOST_NAMES = 4096, 64
"""How many shapes are kept, and how many keys these may have."""


class Shape:
    """The keys that a mapping of a guest has, and what follows from them for its full form.

    ``place`` is where the mapping stands, ``/disks/driver``, and ``""`` for the guest itself; ``names`` are its keys.
    """

    __slots__ = ("choices", "constants", "deciders", "depends", "names", "place", "steps", "whens")

    def __init__(self, place: str, names: tuple[str, ...]) -> None:
        self.place, self.names = place, names
        self.steps: list[Step] = []
        self.constants: dict[str, Any] = {}
        self.choices: list[Choice] = []
        self.whens: list[When] = []
        self.deciders: list[Decider] = []
        self.depends = False


class Rules:
    """What the schema says of the keys of a mapping: ``children`` are its nodes for each, ``convert`` compiles those of
    one, or gives None where its values are taken as they are. For ``place``, see ``Shape``."""

    def __init__(
        self,
        children: dict[str, list[Node]],
        convert: Callable[[str, list[Node]], Convert | None],
        guest_type: str,
        place: str,
    ) -> None:
        self._children, self._convert, self._guest_type, self._place = children, convert, guest_type, place
        self._converters: dict[str, Convert | None] = {}
        self._constants: dict[str, Any] = {}
        self._choices: list[Choice] = []
        self._whens: list[When] = []
        self._deciders: list[Decider] = []
        self.filled: set[str] = set()
        """Keys that have a value where the guest gives none, so that a null is to be remembered."""
        self.arrays = {name for name, nodes in children.items() if nodes[0].get("type") == "array"}
        for name in children:
            self._read(name)

    def _read(self, name: str) -> None:
        default: Any = None
        when: dict[str, bool] = {}
        for node in self._children[name]:
            self._choices += [(name, other, keys) for other, keys in node.get("default_from", {}).items()]
            for other, by in node.get("default_by", {}).items():
                self._deciders.append((name, other, {key: self._constant(name, item) for key, item in by.items()}))
            default = node.get("default_by_type", {}).get(self._guest_type, node.get("default", default))
            when = node.get("default_when", when)
            if node.keys() & {"default_by", "derived"}:
                self.filled.add(name)
        if default is None:
            return
        self.filled.add(name)
        if when or any(name == chosen for chosen, _, _ in self._choices):
            self._whens.append((name, self._constant(name, default), [*when.items()]))
        else:
            self._constants[name] = self._constant(name, default)

    def _constant(self, name: str, default: Any) -> Any:
        """Return a default in full form. Guests share it: nothing that is in a context is ever changed."""
        return default if default is None else self._converter(name)(deepcopy(default), Notes())

    def _converter(self, name: str) -> Convert:
        if name not in self._children:
            return as_it_is
        if name not in self._converters:
            self._converters[name] = self._convert(name, self._children[name])
        return self._converters[name] or as_it_is

    def is_decided(self, name: str, mapping: dict[str, Any]) -> bool:
        """Say whether a key's default, if it depends on its neighbours' values, is there with those of a mapping."""
        found = [(mapping.get(other), options) for key, other, options in self._deciders if key == name]
        return not found or any(
            value is not None and ("*" in options or (isinstance(value, str) and value in options))
            for value, options in found
        )

    def kind(self, name: Any) -> type | None:
        """Return the type of the values of a key that are in full form as they are written."""
        node = self._children[name][0] if isinstance(name, str) and name in self._children else {}
        if node.get("type") == "integer":
            return int
        return str if node.get("type") == "string" or ("enum" in node and "type" not in node) else None

    def shape(self, names: tuple[str, ...]) -> Shape:
        """Return what follows from these keys, which need not be known."""
        shape = Shape(self._place, names)
        shape.steps = [(name, self.kind(name), self._converter(name)) for name in names]
        shape.constants = {name: value for name, value in self._constants.items() if name not in names}
        filled = {name for name, *_ in (*self._choices, *self._whens, *self._deciders) if name not in names}
        there = {*names, *shape.constants, *filled}
        shape.choices = [choice for choice in self._choices if choice[0] in filled and choice[1] in there]
        shape.whens = [when for when in self._whens if when[0] in filled]
        shape.deciders = [decider for decider in self._deciders if decider[0] in filled and decider[1] in there]
        shape.depends = bool(shape.choices or shape.whens or shape.deciders)
        return shape


def of_text(shape: Shape) -> Shape:
    """Return the shape of mappings whose one key has a text: of the defaults that depend on neighbours, those which are
    the same for any text are constants."""
    (key,) = shape.names
    if any(other == key for _, other, _ in shape.deciders):
        return shape
    result = {key: "", **shape.constants}
    fill(shape, result)
    found = Shape(shape.place, shape.names)
    found.constants = {name: value for name, value in result.items() if name != key}
    return found


def fill(shape: Shape, result: dict[str, Any]) -> None:
    """Fill in what depends on neighbours."""
    for name, other, keys in shape.choices:
        neighbour = result.get(other)
        if neighbour.__class__ is dict:
            for key in keys:
                if key in neighbour:
                    result[name] = keys[key]
                    break
    for name, default, when in shape.whens:
        if name not in result:
            for other, given in when:
                if (result.get(other) is not None) is not given:
                    break
            else:
                result[name] = default
    if shape.deciders:
        _decide(shape, result)


def _decide(shape: Shape, result: dict[str, Any]) -> None:
    decided = set()
    for name, other, options in shape.deciders:
        if name in decided or (found := result.get(other)) is None:
            continue
        key = found if isinstance(found, str) and found in options else "*"
        if key in options:
            decided.add(name)
            if (item := options[key]) is not None:
                result[name] = item


def as_it_is(value: Any, notes: Notes) -> Any:
    """Return the value."""
    return value
