"""A guest in full form as a person would write it: without what comes by itself, and in the short forms.

What comes by itself from neighbours is worked out for each mapping, by the rules of its defaults; what is derived from
other parts of the guest, by deriving it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from kvmrender.context.derivation import derive
from kvmrender.context.full_form import hypervisor, normaliser, rules_of, unshared, without_nulls
from kvmrender.context.key_shapes import Notes
from kvmrender.errors import Path
from kvmrender.schema.guest_schema import GuestSchema, Node, resolve, value_at
from kvmrender.schema.memory_units import KIB
from kvmrender.schema.shorthand import QUANTITIES, Text, expander, forms, texts

Guest = dict[str, Any]

MACHINE = "machine"
UNITS = ("EiB", "PiB", "TiB", "GiB", "MiB", "KiB")
MOST_STEPS = 6
"""How deep in a guest something may be that is derived: the deepest is the secret of a login to a disk's source."""
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_GONE = object()
_MISSING = (LookupError, TypeError, ValueError, AttributeError)
"""What is raised for a guest that lacks what is computed with."""


class Shorteners:
    """Those of a schema, made once for each architecture and type."""

    def __init__(self, schema: GuestSchema) -> None:
        self._schema, self._known = schema, dict[tuple[str, str], Shortener]()

    def of(self, guest: Guest) -> Shortener:
        """Return that of a guest in full form."""
        kinds = self._schema.root["properties"]
        kind = guest.get("arch", kinds["arch"]["default"]), hypervisor(guest)
        if kind not in self._known:
            self._known[kind] = Shortener(self._schema, *kind)
        return self._known[kind]


class Shortener:
    """Makes guests of an architecture and type (kvm or qemu) short. Threads may share it."""

    def __init__(self, schema: GuestSchema, arch: str, guest_type: str) -> None:
        nodes = [schema.root, schema.architectures[arch]]
        self._facts = schema.architectures[arch]["facts"]
        self._normalise = normaliser(schema, arch, guest_type)
        self._form = Form(schema.root, nodes, guest_type)
        self._order = tuple(schema.root["properties"])
        self._derived = list(_derived_places(schema.root, nodes))

    def context(self, guest: Guest) -> Guest:
        """Return the context of a guest that is known to be valid, or like one that is, without nulls."""
        notes = Notes(guest.keys())
        found: Guest = derive(self._normalise(guest, notes), self._facts)
        return without_nulls(found) if notes.nulls else found

    def default(self, guest: Guest, path: Path) -> Any:
        """Return what stands at a path where a guest does not say it, or None."""
        try:
            return value_at(self.context(guest), path)
        except _MISSING:
            return None

    def shortened(self, guest: Guest) -> Guest:
        """Return a guest, given as what it is to become, without what its defaults and derived values are, in the
        shortest forms, and with nulls and empty lists for those that it is not to have."""
        wanted = self._wanted(guest)
        bare = _set(unshared(guest), dict.fromkeys(wanted, _GONE))
        try:
            back = self._back(bare, wanted)
        except _MISSING:
            back = wanted
        return _with_machine(self._form.written(_set(bare, back)), self._order)

    def full(self, guest: Guest) -> Guest:
        """Return a guest, given as what it is to become, with all that it has, and nulls for what it is not to have."""
        whole: Guest = self._form.written(guest, drop=False, fold=False)
        try:
            context = self.context(whole)
        except _MISSING:
            return whole
        added = {path: value for path, value in self._wanted(whole).items() if not value and value_at(context, path)}
        return self._form.written(_set(whole, added), drop=False, fold=False) if added else whole

    def folded(self, guest: Guest) -> Guest:
        """Return a guest with all that it has, in the shortest forms."""
        found: Guest = self._form.written(guest, drop=False)
        return found

    def _wanted(self, guest: Guest) -> dict[Path, Any]:
        """Return what is derived for guests, by its paths in one, and what that has there, or what says that it has
        nothing."""
        return {
            path: value_at(guest, path, nothing) for place, nothing in self._derived for path in _paths(guest, place)
        }

    def _back(self, bare: Guest, wanted: dict[Path, Any]) -> dict[Path, Any]:
        """Return those of the derived values that a guest has to say, since they would be others."""
        full = unshared(self._normalise(self._form.written(bare, fold=False), Notes()))

        def settled(given: dict[Path, Any]) -> dict[Path, Any]:
            while True:
                before = {path: value_at(full, path, _GONE) for path in given}
                context = derive(_set(full, given), self._facts)
                others = {
                    path: value
                    for path, value in wanted.items()
                    if path not in given and value_at(context, path) != value
                }
                _set(full, before)
                if not others:
                    return given
                given = {**given, **others}

        back = settled({})
        groups: dict[Path, list[Path]] = {}
        for path in back:
            groups.setdefault(path[:-1], []).append(path)
        for number in range(
            max(map(len, groups.values()), default=0)
        ):  # of several in one, some follow from the others
            again = {paths[number] for paths in groups.values() if number < len(paths) > 1}
            if again:
                back = settled({path: value for path, value in back.items() if path not in again})
        return back


def _derived_places(root: Node, nodes: list[Node], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield where something is derived, with 0 for any item of a list, and what says that there is nothing."""
    for key in nodes[0].get("properties", ()):
        inside = [resolve(root, node["properties"][key]) for node in nodes if key in node.get("properties", ())]
        if any("derived" in case for node in inside for case in node.get("defaults", ())):
            yield (*path, key), [] if inside[0].get("type") == "array" else None
        if len(path) < MOST_STEPS - 1:
            yield from _derived_places(root, inside, (*path, key))
    if "items" in nodes[0]:
        yield from _derived_places(
            root, [resolve(root, node["items"]) for node in nodes if "items" in node], (*path, 0)
        )


def _paths(value: Any, place: Path, path: Path = ()) -> Iterator[Path]:
    """Yield the paths in a value that a place stands for, where the mappings around it are there."""
    step, *rest = place
    if isinstance(step, int):
        for number in range(len(value) if isinstance(value, list) else 0):
            yield from _paths(value[number], tuple(rest), (*path, number))
    elif isinstance(value, dict):
        if rest:
            yield from _paths(value.get(step), tuple(rest), (*path, step))
        else:
            yield (*path, step)


def _set(guest: Guest, changes: dict[Path, Any]) -> Guest:
    """Return the guest with other values at paths, where the mappings that they are in are there."""
    for path, value in changes.items():
        if isinstance(mapping := value_at(guest, path[:-1]), dict):
            if value is _GONE:
                mapping.pop(path[-1], None)
            else:
                mapping[path[-1]] = value
    return guest


class Form:
    """What may be written at one place of guests, by what the schema says of it: ``nodes`` are its own and that of the
    part of the architecture."""

    def __init__(self, root: Node, nodes: list[Node], guest_type: str) -> None:
        self._root, self._nodes, self._guest_type = root, nodes, guest_type
        self._node = node = nodes[0]
        self._presence, shorthand = forms(node)
        self._keys = {*shorthand.values()} if isinstance(shorthand, dict) else {shorthand}
        self._expand, self._texts = expander(node), texts(node)
        self._inside: dict[str, Form] = {}
        self._is_mapping = "properties" in node or self._presence
        self._rules = rules_of(root, nodes, guest_type)

    def _of(self, key: str) -> Form:
        if (found := self._inside.get(key)) is None:
            found = self._inside[key] = Form(self._root, self._rules.children[key], self._guest_type)
        return found

    @cached_property
    def _item(self) -> Form:
        items = [resolve(self._root, node["items"]) for node in self._nodes if "items" in node]
        return Form(self._root, items, self._guest_type)

    def written(self, value: Any, drop: bool = True, fold: bool = True, depth: int = 0) -> Any:
        """Return a value in full form as it may be written, its keys in the order of the schema: with nulls for the
        defaults that it does not have, where they are to ``drop`` without those that it has, and in the short forms,
        where it is to ``fold``."""
        if value.__class__ is str:
            is_number = fold and self._node.get("type") == "string" and _NUMBER.fullmatch(value)
            return int(value) if is_number else value  # where a text belongs, a number will do
        if isinstance(value, list) and "items" in self._node:
            items = [self._item.written(item, drop, fold, depth + 1) for item in value]
            alone = fold and len(items) == 1 and self._item._node.get("type") == "object"
            return items[0] if alone and (depth > 1 or not isinstance(items[0], dict)) else items
        if not isinstance(value, dict) or not self._is_mapping:
            return value
        given = self._given(value, drop)
        inside = {
            key: self._of(key).written(given[key], drop, fold, depth + 1)
            for key in self._rules.children
            if key in given
        }
        if len(inside) < len(given):
            inside.update({key: item for key, item in given.items() if key not in inside})
        return self._scalar(given, inside) if fold else inside

    def _given(self, mapping: Guest, drop: bool) -> Guest:
        """Return what a mapping has to say to be what it is."""
        rules, given = self._rules, mapping
        if not rules.filled:
            return mapping
        required = self._node.get("required", ())
        while more := [
            key
            for key, value in rules.filled_in(given).items()
            if key not in given and value != [] and key not in required
        ]:
            given = {**given, **{key: [] if key in rules.arrays else None for key in more}}
        if not drop:
            return given
        filled = [key for key, value in mapping.items() if key in rules.filled and value is not None]
        out = set(filled)
        while back := self._others(given, out):
            out -= back
        kept = [key for key in filled if key not in out]
        for key in kept if len(kept) > 1 and rules.cases else ():  # one may follow from the others
            if not self._others(given, {*out, key}):
                out.add(key)
        return {key: value for key, value in given.items() if key not in out}

    def _others(self, given: Guest, out: set[str]) -> set[str]:
        """Return those of the keys of a mapping that would have another value if they were left out."""
        found = self._rules.filled_in({key: value for key, value in given.items() if key not in out})
        return {key for key in out if found.get(key) != given[key]}

    def _scalar(self, value: Guest, inside: Guest) -> Any:
        """Return the scalar that stands for a mapping, which is ``inside`` with all in it in short form; or
        ``inside``."""
        if not value:
            return True if self._presence else inside
        if self._node.get("format") in QUANTITIES:
            return next((size for size in _sizes(value) if self._expand(size) == value), inside)
        if len(value) == 1 and (key := next(iter(value))) in self._keys:
            scalar = inside[key]
            if (
                isinstance(scalar, (str, int))
                and scalar.__class__ is not bool
                and self._expand(scalar) == {key: scalar}
            ):
                return scalar
        return min(self._of_words(inside), key=lambda text: len(text.replace(" ", "")), default=inside)

    def _of_words(self, inside: Guest) -> Iterator[str]:
        """Yield the texts with several words that stand for a mapping."""
        for text in self._texts:
            words = dict[str, str]()
            if _found(text.mapping, inside, words) and _words(self._expand(text.text(words))) == _words(inside):
                yield text.text(words)


def _found(form: Any, value: Any, words: dict[str, str]) -> bool:
    """Say whether a value is one of a short form, and keep the words of that."""
    if isinstance(form, dict):
        return (
            isinstance(value, dict)
            and form.keys() == value.keys()
            and all(_found(item, value[key], words) for key, item in form.items())
        )
    if not isinstance(form, str) or not isinstance(value, (str, int)):
        return bool(form == value)
    found = Text(form, {}).words(str(value))
    words.update(found or {})
    return found is not None


def _words(value: Any) -> Any:
    """Return a value with the numbers in it as texts."""
    if isinstance(value, dict):
        return {key: _words(item) for key, item in value.items()}
    return str(value) if value.__class__ is int else value


def _with_machine(guest: Guest, order: Iterable[str]) -> Guest:
    """Return the guest with the machine as a key of its own, where nothing else is where it belongs."""
    os = guest.get("os")
    if not isinstance(os, dict) or not isinstance(kind := os.get("type"), dict) or set(kind) != {MACHINE}:
        return guest
    left = {key: value for key, value in os.items() if key != "type"}
    moved = {**guest, MACHINE: kind[MACHINE], "os": left}
    return {key: moved[key] for key in order if key in moved and (left or key != "os")}


def _sizes(value: Guest) -> Iterator[str]:
    """Yield the texts that a size of memory may be, the largest unit first."""
    number = value.get("text")
    if not isinstance(number, int) or value.get("unit") not in UNITS:
        return
    count = number * KIB ** (len(UNITS) - UNITS.index(value["unit"]))
    for power, unit in zip(range(len(UNITS), 0, -1), UNITS, strict=True):
        if count and count % KIB**power == 0:
            yield f"{count // KIB**power} {unit}"
