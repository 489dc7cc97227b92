"""Conversion of a guest in full form to the shortest form: without defaults and derived values, with short forms.

Defaults that depend on neighbor keys are found for each mapping by their rules; derived values by derivation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property, lru_cache
from itertools import zip_longest
from typing import Any, NamedTuple

from kvmrender.context.derivation import derive
from kvmrender.context.full_form import hypervisor, normaliser, rules_of, without_nulls
from kvmrender.context.key_shapes import MOST_SHAPES, Notes, Rules
from kvmrender.engine import MOST_ENGINES
from kvmrender.errors import Path
from kvmrender.schema.guest_schema import GuestSchema, Node, resolve, value_at
from kvmrender.schema.memory_units import KIB
from kvmrender.schema.shorthand import QUANTITIES, Text, choices, expander, forms, texts

Guest = dict[str, Any]
Places = dict[str, Any]
"""Keys of a mapping where something is derived, or with such keys in what they have."""

MACHINE = "machine"
UNITS = ("EiB", "PiB", "TiB", "GiB", "MiB", "KiB")
MOST_STEPS = 6
"""How deep in a guest something may be that is derived: the deepest is the secret of a login to a disk's source."""
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_GONE = object()
_MISSING = (LookupError, TypeError, ValueError, AttributeError)
"""Exceptions for a guest that lacks values that derivations need."""


@lru_cache(maxsize=MOST_ENGINES)
def shorteners_of(schema: GuestSchema) -> Shorteners:
    """Return the shorteners of a schema, which are kept for later documents."""
    return Shorteners(schema)


class Shorteners:
    """The shorteners of a schema, one for each architecture and type."""

    def __init__(self, schema: GuestSchema) -> None:
        self._schema, self._known = schema, dict[tuple[str, str], Shortener]()

    def of(self, guest: Guest) -> Shortener:
        """Return the shortener for a guest in full form."""
        kinds = self._schema.root["properties"]
        kind = guest.get("arch", kinds["arch"]["default"]), hypervisor(guest)
        if kind not in self._known:
            self._known[kind] = Shortener(self._schema, *kind)
        return self._known[kind]


class Shortener:
    """Shorten guests of an architecture and type (kvm or qemu). Threads can share it."""

    def __init__(self, schema: GuestSchema, arch: str, guest_type: str) -> None:
        nodes = [schema.root, schema.architectures[arch]]
        self._facts = schema.architectures[arch]["facts"]
        self._normalise = normaliser(schema, arch, guest_type)
        self._form = Form(schema.root, nodes, guest_type)
        self._order = tuple(schema.root["properties"])
        self._places = _derived_places(schema.root, nodes, guest_type)
        known = dict(_all_derived(self._places))
        self._leading = {
            path
            for path in known
            if any(
                other != path and path[: len(source)] == source for other in known for source in known[other].sources
            )
        }
        """Those from which others are derived."""
        self._following = {
            path
            for path, found in known.items()
            if any(other != path and other[: len(source)] == source for other in known for source in found.sources)
        }
        """Those that are derived from others that may be derived, too."""

    def context(self, guest: Guest) -> Guest:
        """Return the context, without nulls, of a guest that is known to be valid, or similar to one."""
        notes = Notes(guest.keys())
        found: Guest = derive(self._normalise(guest, notes), self._facts)
        return without_nulls(found) if notes.nulls else found

    def default(self, guest: Guest, path: Path) -> Any:
        """Return the value at a path that a guest has by default, or None."""
        try:
            return value_at(self.context(guest), path)
        except _MISSING:
            return None

    def shortened(self, guest: Guest) -> Guest:
        """Return the short form of a guest, given in full form: without defaults and derived values, and with nulls and
        empty lists for those that it does not have."""
        bare = _copy(guest, self._places, is_bare=True)
        try:
            full = self._form.filled(bare, self._places)
            back = dict(_others(guest, derive(full, self._facts), self._places))
            if any(_names(path) in self._leading for path in back):
                back = self._back(guest, full, back)
        except _MISSING:
            back = dict(_others(guest, _GONE, self._places))
        return _with_machine(self._form.written(_set(bare, back)), self._order)

    def full(self, guest: Guest) -> Guest:
        """Return the full form of a guest, with nulls for defaults that it does not have."""
        whole: Guest = self._form.written(guest, drop=False, fold=False)
        try:
            context = self.context(whole)
        except _MISSING:
            return whole
        added = {
            path: value
            for path, value in _others(whole, context, self._places)
            if not value and value_at(context, path)
        }
        return self._form.written(_set(whole, added), drop=False, fold=False) if added else whole

    def folded(self, guest: Guest) -> Guest:
        """Return a guest with all its values, in short forms."""
        found: Guest = self._form.written(guest, drop=False)
        return found

    def _back(self, guest: Guest, full: Guest, others: dict[Path, Any]) -> dict[Path, Any]:
        """Return those of the derived values that a guest has to say, since they would be others: at least ``others``.
        All that is not derived is in ``full``."""

        def settled(given: dict[Path, Any]) -> dict[Path, Any]:
            while True:
                before = {path: value_at(full, path, _GONE) for path in given}
                context = derive(_set(full, given), self._facts)
                others = {path: value for path, value in _others(guest, context, self._places) if path not in given}
                _set(full, before)
                if not others:
                    return given
                given = {**given, **others}
                if given.keys() == back.keys():
                    return back

        back: dict[Path, Any] = {}
        back = settled(others)
        groups: dict[Path, list[Path]] = {}
        for path in back if len(back) > 1 else ():  # of several, some follow from the others
            if _names(path) in self._following:
                groups.setdefault(path[:-1], []).append(path)
        of_guest = [{path} for path in groups.pop((), ())]
        for again in [*map(set, zip_longest(*groups.values())), *of_guest]:  # in devices, and then in the guest itself
            back = settled({path: value for path, value in back.items() if path not in again})
        return back


class Derived(NamedTuple):
    """A key that may be derived, by the ``rules`` of its mapping, from what is at ``sources``; ``nothing`` says
    that it has no value."""

    rules: Rules
    nothing: Any
    sources: list[Path]


def _derived_places(root: Node, nodes: list[Node], guest_type: str, depth: int = 1) -> Places:
    """Return where something is derived in what nodes describe; what is in any item of a list is in the list."""
    found: Places = {}
    nodes = [resolve(root, node["items"]) for node in nodes if "items" in node] or nodes
    for key in nodes[0].get("properties", ()):
        inside = [resolve(root, node["properties"][key]) for node in nodes if key in node.get("properties", ())]
        cases = [case for node in inside for case in node.get("defaults", ()) if "derived" in case]
        if cases:
            nothing: Any = [] if inside[0].get("type") == "array" else None
            sources = [tuple(place[1:].split(".")) for case in cases for place in case.get("from", ())]
            found[key] = Derived(rules_of(root, nodes, guest_type), nothing, sources)
        elif depth < MOST_STEPS and (
            below := _derived_places(root, inside, guest_type, depth + 1 + ("items" in inside[0]))
        ):
            found[key] = below
    return found


def _all_derived(places: Places, path: Path = ()) -> Iterator[tuple[Path, Derived]]:
    for key, below in places.items():
        if below.__class__ is dict:
            yield from _all_derived(below, (*path, key))
        else:
            yield (*path, key), below


def _names(path: Path) -> Path:
    """Return the keys of a path, without positions."""
    return tuple(step for step in path if step.__class__ is str)


def _copy(guest: Any, places: Places, is_bare: bool = False) -> Any:
    """Return a copy of a guest in which what may be derived may be changed; all else is shared. If it is to be bare,
    nothing that may be derived is in it."""
    if guest.__class__ is list:
        return [_copy(item, places, is_bare) for item in guest]
    if guest.__class__ is not dict:
        return guest
    found = dict(guest)
    for key, below in places.items():
        if key in found:
            if below.__class__ is dict:
                found[key] = _copy(found[key], below, is_bare)
            elif is_bare and below.rules.is_derived(key, guest):
                del found[key]
    return found


def _others(guest: Any, context: Any, places: Places, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield what may be derived and is not the same in a context, by its path in a guest where the mappings around it
    are there, with what that has there, or what says that it has nothing."""
    if guest.__class__ is list:
        for number, item in enumerate(guest):
            yield from _others(item, value_at(context, (number,), _GONE), places, (*path, number))
    elif guest.__class__ is dict:
        for key, below in places.items():
            there = context.get(key) if context.__class__ is dict else _GONE
            if below.__class__ is dict:
                yield from _others(guest.get(key), there, below, (*path, key))
            elif (value := guest.get(key, below.nothing)) != there and below.rules.is_derived(key, guest):
                yield (*path, key), value


def _set(guest: Guest, changes: dict[Path, Any]) -> Guest:
    """Return the guest with other values at paths, if their mappings exist."""
    for path, value in changes.items():
        if isinstance(mapping := value_at(guest, path[:-1]), dict):
            if value is _GONE:
                mapping.pop(path[-1], None)
            else:
                mapping[path[-1]] = value
    return guest


Order = list[tuple[str, "Form | None"]]
"""Keys as they are written, each with the form of what it has."""


class Keys(NamedTuple):
    """What is known of mappings that have the same keys: their ``order``; whether all that they have is written, and
    no other key (``is_whole``); else ``told``, by what tells apart what is to be written, as ``_signs`` finds it."""

    order: Order
    filled: list[str]
    is_whole: bool
    signs: list[tuple[str, Sign]]
    told: dict[tuple[Any, ...], tuple[Order, Guest]]


class Sign(NamedTuple):
    """What matters of the value of a key to what is to be written of its mapping: which of ``words`` or other
    ``values`` it is, defaults or such that they depend on; and of a mapping, which ``inside`` its keys are."""

    words: set[Any]
    values: list[Any]
    inside: dict[str, set[str]]

    def of(self, value: Any) -> tuple[Any, ...]:
        """Return what matters of a value that is no scalar."""
        number = self.values.index(value) if value in self.values else -1
        if value.__class__ is not dict:
            return value.__class__, number
        if not self.inside:
            return dict, number
        found = [dict, number]
        for name, words in self.inside.items():
            word = value.get(name)
            found.append(word if word is None or (word.__class__ is str and word in words) else ...)
        return tuple(found)


class Form:
    """The forms that a place of guests accepts, by schema: ``nodes`` are its own and that of the architecture's
    part."""

    def __init__(self, root: Node, nodes: list[Node], guest_type: str) -> None:
        self._root, self._nodes, self._guest_type = root, nodes, guest_type
        self._node = node = nodes[0]
        self._presence, shorthand = forms(node)
        self._keys = {*shorthand.values()} if isinstance(shorthand, dict) else {shorthand}
        self._expand, self._texts = expander(node), texts(node)
        self._is_mapping, self._is_list = "properties" in node or self._presence, "items" in node
        self._is_quantity, self._is_text = node.get("format") in QUANTITIES, node.get("type") == "string"
        self._is_any = isinstance(shorthand, str) and not self._presence and not self._is_quantity
        self._rules, self._required = rules_of(root, nodes, guest_type), node.get("required", ())
        self._known: dict[tuple[str, ...], Keys] = {}
        self._signs = _signs(self._rules)
        self._choices = choices(node)

    @cached_property
    def _inside(self) -> dict[str, Form]:
        return {}

    def _of(self, key: str) -> Form:
        if (found := self._inside.get(key)) is None:
            found = self._inside[key] = Form(self._root, self._rules.children[key], self._guest_type)
        return found

    @cached_property
    def _item(self) -> Form:
        items = [resolve(self._root, node["items"]) for node in self._nodes if "items" in node]
        return Form(self._root, items, self._guest_type)

    def filled(self, value: Any, places: Places) -> Any:
        """Return what a value becomes that is written as it is: with nulls for the defaults that it does not have, in
        mappings where something is derived. These are new, all else is shared."""
        if value.__class__ is list:
            return [self._item.filled(item, places) for item in value]
        if value.__class__ is not dict:
            return value
        rules = self._rules
        found = rules.filled_in(value)
        if len(found) > len(value):
            for key, default in found.items():
                if key not in value and default != [] and key not in self._required:
                    found[key] = [] if key in rules.arrays else None
        for key, below in places.items():
            if below.__class__ is dict and key in value:
                found[key] = self._of(key).filled(value[key], below)
        return found

    def written(self, value: Any, drop: bool = True, fold: bool = True, depth: int = 0) -> Any:
        """Return a value in full form as it may be written, its keys in the order of the schema: with nulls for the
        defaults that it does not have, where they are to ``drop`` without those that it has, and in the short forms,
        where it is to ``fold``."""
        kind = value.__class__
        if kind is str:
            is_number = fold and self._is_text and value[:1].isdecimal() and _NUMBER.fullmatch(value)
            return int(value) if is_number else value  # a number may be written for a text
        if kind is list and self._is_list:
            items = [self._item.written(item, drop, fold, depth + 1) for item in value]
            alone = fold and len(items) == 1 and self._item._node.get("type") == "object"
            return items[0] if alone and (depth > 1 or not isinstance(items[0], dict)) else items
        if kind is not dict or not self._is_mapping:
            return value
        keys = self._keys_of(value)
        order, given = keys.order, value
        if not keys.is_whole or (drop and keys.filled):
            order, more = self._told(value, keys, drop)
            given = {**value, **more} if more else value
        inside = {}
        for key, form in order:
            item = given[key]
            if item.__class__ is str and not (form and form._is_text):
                inside[key] = item
            else:
                inside[key] = item if form is None or item is None else form.written(item, drop, fold, depth + 1)
        return self._scalar(given, inside) if fold else inside

    def _keys_of(self, mapping: Guest) -> Keys:
        """Return what is known of the keys that a mapping has."""
        names = tuple(mapping)
        if (found := self._known.get(names)) is None:
            found = Keys(
                self._order(mapping),
                [key for key in names if key in self._rules.filled],
                self._rules.is_whole(names, self._required),
                [(key, sign) for key, sign in self._signs.items() if key in mapping],
                {},
            )
            if len(self._known) < MOST_SHAPES:
                self._known[names] = found
        return found

    def _order(self, mapping: Guest) -> Order:
        known = [(key, self._of(key)) for key in self._rules.children if key in mapping]
        return known + [(key, None) for key in mapping if key not in self._rules.children]

    def _told(self, mapping: Guest, keys: Keys, drop: bool) -> tuple[Order, Guest]:
        """Return the keys that are written of a mapping, which has these keys, and what they have that it has not."""
        signs: list[Any] = [drop]
        for key, sign in keys.signs:
            value = mapping[key]
            kind = value.__class__
            if kind is str or kind is int:
                signs.append(value if value in sign.words else ...)
            else:
                signs.append(None if value is None else sign.of(value))
        if (found := keys.told.get(told := tuple(signs))) is None:
            given = self._given(mapping, keys, drop)
            found = self._order(given), {key: value for key, value in given.items() if key not in mapping}
            if len(keys.told) < MOST_SHAPES:
                keys.told[told] = found
        return found

    def _given(self, mapping: Guest, keys: Keys, drop: bool) -> Guest:
        """Return what a mapping, which has these keys, has to say to be what it is."""
        rules, given, filled = self._rules, mapping, keys.filled
        while not keys.is_whole and (more := self._more(given)):
            given = {**given, **{key: [] if key in rules.arrays else None for key in more}}
            keys = self._keys_of(given)
        if not drop or not filled:
            return given
        out = {key for key in filled if mapping[key] is not None}
        while True:
            left = {key: value for key, value in given.items() if key not in out}
            found = rules.filled_in(left)
            if not (back := {key for key in out if found.get(key) != given[key]}):
                break
            out -= back
        if len(out) == len(filled):
            return left
        if rules.cases and len(kept := [key for key in filled if key in left and mapping[key] is not None]) > 1:
            for key in kept:  # one may follow from the others
                less = {name: value for name, value in left.items() if name != key}
                found = rules.filled_in(less)
                if found.get(key) == given[key] and all(found.get(name) == given[name] for name in out):
                    left = less
                    out.add(key)
        return left

    def _more(self, given: Guest) -> list[str]:
        """Return the keys of what is filled in that a mapping does not have, and would not be without."""
        filled = self._rules.filled_in(given)
        if len(filled) == len(given):
            return []
        return [key for key, value in filled.items() if key not in given and value != [] and key not in self._required]

    def _scalar(self, value: Guest, inside: Guest) -> Any:
        """Return the scalar that stands for a mapping, which is ``inside`` with those of its values that are written,
        in short form; or ``inside``."""
        if not inside:
            return True if self._presence else inside
        if self._is_quantity:
            value = {key: value[key] for key in inside}
            return next((size for size in _sizes(value) if self._expand(size) == value), inside)
        if len(inside) == 1 and (key := next(iter(inside))) in self._keys:
            scalar = inside[key]
            if scalar.__class__ in (str, int) and (self._is_any or self._stands_for(scalar) == key):
                return scalar
        words = self._of_words(inside) if self._texts else ()
        return min(words, key=lambda text: len(text.replace(" ", "")), default=inside)

    def _stands_for(self, scalar: str | int) -> str | Text | None:
        """Return the key that a scalar is the value of, if it stands for a mapping."""
        if scalar.__class__ is str and not self._presence:
            return next((key for fits, key in self._choices if fits(scalar) is not None), None)
        mapping = self._expand(scalar)
        return next((key for key in mapping if mapping == {key: scalar}), None) if mapping.__class__ is dict else None

    def _of_words(self, inside: Guest) -> Iterator[str]:
        """Yield the texts with placeholders that stand for a mapping."""
        for text in self._texts:
            words = dict[str, str]()
            if _found(text.mapping, inside, words) and _words(self._expand(text.text(words))) == _words(inside):
                yield text.text(words)


def _signs(rules: Rules) -> dict[str, Sign]:
    """Return what the defaults of a mapping depend on, or are, by keys."""
    found: dict[str, Sign] = {}

    def sign(key: str) -> Sign:
        return found.setdefault(key, Sign(set(), [], {}))

    for key in rules.filled:
        for value in rules.defaults(key):
            (sign(key).words.add if isinstance(value, (str, int)) else sign(key).values.append)(value)
    for cases in rules.cases.values():
        for conditions, _ in cases:
            for name, inside, wanted in conditions:
                words = sign(name).words if inside is None else sign(name).inside.setdefault(inside, set())
                words.update(() if isinstance(wanted, bool) else wanted)
    return found


def _found(form: Any, value: Any, words: dict[str, str]) -> bool:
    """Return whether a value matches a short form, and keep the values of its placeholders."""
    if isinstance(form, dict):
        return (
            isinstance(value, dict)
            and form.keys() == value.keys()
            and all(_found(item, value[key], words) for key, item in form.items())
        )
    if not isinstance(form, str) or not isinstance(value, (str, int)):
        return bool(form == value)
    found = _text(form).words(str(value))
    words.update(found or {})
    return found is not None


@cache
def _text(form: str) -> Text:
    return Text(form, {})


def _words(value: Any) -> Any:
    """Return a value with its numbers as texts."""
    if isinstance(value, dict):
        return {key: _words(item) for key, item in value.items()}
    return str(value) if value.__class__ is int else value


def _with_machine(guest: Guest, order: Iterable[str]) -> Guest:
    """Return the guest with the machine as a top-level key, if its other place has no other values."""
    os = guest.get("os")
    if not isinstance(os, dict) or not isinstance(kind := os.get("type"), dict) or set(kind) != {MACHINE}:
        return guest
    left = {key: value for key, value in os.items() if key != "type"}
    moved = {**guest, MACHINE: kind[MACHINE], "os": left}
    return {key: moved[key] for key in order if key in moved and (left or key != "os")}


def _sizes(value: Guest) -> Iterator[str]:
    """Yield the texts for a memory size, largest unit first."""
    number = value.get("text")
    if not isinstance(number, int) or value.get("unit") not in UNITS:
        return
    count = number * KIB ** (len(UNITS) - UNITS.index(value["unit"]))
    for power, unit in zip(range(len(UNITS), 0, -1), UNITS, strict=True):
        if count and count % KIB**power == 0:
            yield f"{count // KIB**power} {unit}"
