"""Conversion of a guest as written to full form: short forms, defaults, lists of one item, and types of scalars.

The schema is compiled once into nested functions. Values that can't be converted are left unchanged: validation refuses
them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kvmrender.context.key_shapes import MOST_NAMES, MOST_SHAPES, Convert, Notes, Rules, Shape, as_it_is, fill, of_text
from kvmrender.schema.guest_schema import GuestSchema, Node, resolve
from kvmrender.schema.shorthand import QUANTITIES, by_type, choices, expander, forms, texts

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_BOOLEANS = (("yes", "no"), ("on", "off"), ("true", "false"))
"""Strings for true and false, by the values that a field accepts."""
_TOO_LARGE = 10**20


def normaliser(schema: GuestSchema, arch: str | None, guest_type: str) -> Convert:
    """Compile the schema for guests of one architecture (None if unknown) and type (kvm, qemu or hvf).

    In the result of the function, nulls stand only for defaults and derived values that the guest removes;
    ``without_nulls`` removes them. Defaults in the result are shared: it must not be changed.
    """
    overlay = [schema.architectures[arch]] if arch in schema.architectures else []
    return _Compiler(schema.root, guest_type, []).object([schema.root, *overlay])


def converter(root: Node, node: Node, guest_type: str) -> Convert | None:
    """Compile one node of the schema; return None if its values need no conversion."""
    return _Compiler(root, guest_type, []).value([node])


def hypervisor(guest: Mapping[str, Any]) -> str:
    """Return the type of a guest if it is known, otherwise the default."""
    return str(said) if (said := guest.get("type")) in ("qemu", "hvf") else "kvm"


def rules_of(root: Node, nodes: list[Node], guest_type: str) -> Rules:
    """Return what schema nodes, that of a mapping and those that extend it, define for its keys."""
    return _Compiler(root, guest_type, []).rules(nodes)


def with_machine(guest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a guest with its ``machine`` also in ``os.type``, unless that has one."""
    if "machine" not in guest:
        return guest
    machine, os = guest["machine"], guest.get("os", {})
    kind = os.get("type") if isinstance(os, dict) else None
    if machine is None or not isinstance(os, dict) or (isinstance(kind, dict) and "machine" in kind):
        return guest
    kind = kind if isinstance(kind, dict) else {} if kind is None else {"text": kind}
    return {**guest, "os": {**os, "type": {**kind, "machine": machine}}}


def without_nulls(value: Any) -> Any:
    """Return a guest in full form without the nulls in its mappings; ``vars`` is unchanged."""
    if isinstance(value, dict):
        return {key: item if key == "vars" else without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def unshared(value: Any) -> Any:
    """Return a deep copy of a guest in full form, which shares nothing with other guests."""
    if isinstance(value, dict):
        found = dict(value)  # all at once instead of key by key
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                found[key] = unshared(item)
        return found
    return [unshared(item) for item in value] if isinstance(value, list) else value


class _Compiler:
    """Compile nodes of the schema to functions, for a place such as ``/disks/driver``; ``""`` is the guest itself.

    A place is a list of nodes: the first defines the value, the others (from the part of an architecture) may add
    defaults. ``kept`` are the cached shapes of all places.
    """

    def __init__(self, root: Node, guest_type: str, kept: list[Shape], place: str = "") -> None:
        self.root, self.guest_type, self.kept, self.place = root, guest_type, kept, place

    def value(self, nodes: list[Node]) -> Convert | None:
        """Return the function for a place, or None if values need no conversion."""
        node = nodes[0]
        if node.get("type") in ("object", ["string", "object"]):  # the latter: an attribute or element
            return self.object(nodes) if "properties" in node or forms(node)[0] else None
        if node.get("type") == "array":
            return self.array(nodes)
        if node.get("type") == "integer":
            return _integer
        if node.get("format") == "boolean":
            return _option(["true", "false"])
        if node.get("type") == "string":
            return _string
        if "enum" in node:
            return _option(node["enum"])
        return None

    def _below(self, name: str, nodes: list[Node]) -> Convert | None:
        return _Compiler(self.root, self.guest_type, self.kept, f"{self.place}/{name}").value(nodes)

    def array(self, nodes: list[Node]) -> Convert:
        items = [resolve(self.root, node["items"]) for node in nodes if "items" in node]
        convert = (self.value(items) if items else None) or as_it_is
        alone = (dict, str, int) if items and items[0].get("type") in ("string", "integer") else (dict,)

        def array(value: Any, notes: Notes) -> Any:
            if value.__class__ is list or isinstance(value, (list, tuple)):
                result = []  # a comprehension would add a call
                for item in value:
                    result.append(convert(item, notes))
                return result
            # A single item may be given without a list; other values are left for validation.
            item = convert(value, notes)
            return [item] if item.__class__ in alone else value

        return array

    def rules(self, nodes: list[Node]) -> Rules:
        children = {
            name: [resolve(self.root, node["properties"][name]) for node in nodes if name in node.get("properties", {})]
            for name in nodes[0].get("properties", {})
        }
        return Rules(children, self._below, self.guest_type, self.place)

    def object(self, nodes: list[Node]) -> Convert:
        rules = self.rules(nodes)
        expand, (presence, shorthand) = expander(nodes[0]), forms(nodes[0])
        shorthand = None if presence or nodes[0].get("format") in QUANTITIES else shorthand
        text = shorthand if isinstance(shorthand, str) and rules.kind(shorthand) is str else ""
        stands_for = None if nodes[0].get("format") in QUANTITIES else _choice(choices(nodes[0]), rules)
        of_type = by_type(self.root, nodes[0])
        has_texts = bool(texts(nodes[0]))
        shapes: dict[tuple[str, ...], Shape] = {}
        of_texts: dict[str, Shape] = {}

        def shape_of(names: tuple[str, ...], notes: Notes) -> Shape:
            shape = rules.shape(names)
            if len(self.kept) < MOST_SHAPES and len(names) < MOST_NAMES and rules.children.keys() >= {*names}:
                shapes[names] = shape
                self.kept.append(shape)
            else:
                notes.kept = False
            return shape

        def mapping(value: Any, notes: Notes) -> Any:
            kind = value.__class__
            if kind is dict or isinstance(value, dict):
                if of_type and "type" in value:
                    value = of_type(value)
                names = tuple(value)
                shape = shapes.get(names) or shape_of(names, notes)
                notes.shapes.add(shape)
            elif kind is str and (key := text or (stands_for and stands_for(value))):  # in full form except for its key
                shape = of_texts.get(key) or of_texts.setdefault(key, of_text(rules.shape((key,))))
                result = {key: value, **shape.constants}
                if shape.cases:
                    fill(shape, result)
                return result
            else:
                value = expand(value)
                if not isinstance(value, dict):
                    return value
                names = tuple(value)
                shape = shapes.get(names) or shape_of(names, notes)
                if has_texts:
                    notes.shapes.add(shape)
            result = {**shape.begun, **value}
            for key, whole, convert in shape.steps:
                item = value[key]
                if item.__class__ is whole:
                    continue
                if item is not None:
                    item = convert(item, notes)
                if item is not None:
                    result[key] = item
                elif key in rules.arrays and rules.is_decided(key, result):
                    result[key] = []
                elif key in rules.filled and key not in rules.arrays:
                    result[key] = None
                    notes.nulls.append(key)
                else:
                    del result[key]
            if shape.cases:
                fill(shape, result)
            return result

        return mapping


def _choice(known: list[tuple[Callable[[str], Any], Any]], rules: Rules) -> Callable[[str], str] | None:
    """Return a function that chooses the key that a short form sets, by patterns; ``""`` is the default."""
    if not known:
        return None
    choices = [(fits, key if rules.kind(key) is str else "") for fits, key in known]

    def stands_for(text: str) -> str:
        for fits, key in choices:
            if fits(text) is not None:
                return key
        return ""

    return stands_for


def _integer(value: Any, notes: Notes) -> Any:
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value


def _string(value: Any, notes: Notes) -> Any:
    if value.__class__ is int and -_TOO_LARGE < value < _TOO_LARGE:
        return str(value)
    # A subclass of str may be one that Jinja would not escape.
    return str(value) if isinstance(value, str) else value


def _option(options: list[str]) -> Convert:
    true, false = next((pair for pair in _BOOLEANS if pair[0] in options), _BOOLEANS[0])
    words, known = {True: true, False: false}, frozenset(options)

    def option(value: Any, notes: Notes) -> Any:
        if value.__class__ is bool and words[value] in known:
            return words[value]
        return _string(value, notes)

    return option
