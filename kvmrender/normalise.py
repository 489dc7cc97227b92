"""From what the user wrote to the full form: shorthands, defaults, lists of one, and scalars of the right type.

The schema is compiled once into nested functions, so that a guest is walked, not the schema. What can't be
brought into its form is left as it is, for the check to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import cache
from typing import Any

from kvmrender.memory import memory
from kvmrender.schema import GuestSchema, Node, resolve

Nulls = list[str]
"""Collects the keys whose default a null has removed."""

Convert = Callable[[Any, Nulls], Any]
"""Takes a value as written, gives it in full form, or None where it is to be left out."""

QUANTITIES: dict[str, Callable[[int | str], Any]] = {"memory": memory}
"""What a bare scalar of each kind of quantity becomes; ValueError says why it can't."""

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_TOO_LARGE = 10**20


def normaliser(schema: GuestSchema, arch: str | None, guest_type: str) -> Convert:
    """Compile the schema for guests of one architecture (None if it is unknown) and type (kvm or qemu).

    In what the function returns, a null stands where it removes a default or a derived value, and nowhere else;
    ``without_nulls`` gives the guest that is left.
    """
    overlay = [schema.architectures[arch]] if arch in schema.architectures else []
    return _Compiler(schema.root, guest_type).object([schema.root, *overlay])


def with_machine(guest: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a guest as written with its ``machine`` also where it belongs, in ``os.type``, if that has none."""
    machine, os = guest.get("machine"), guest.get("os", {})
    kind = os.get("type") if isinstance(os, dict) else None
    if machine is None or not isinstance(os, dict) or (isinstance(kind, dict) and "machine" in kind):
        return guest
    kind = kind if isinstance(kind, dict) else {} if kind is None else {"text": kind}
    return {**guest, "os": {**os, "type": {**kind, "machine": machine}}}


def without_nulls(value: Any) -> Any:
    """Return a guest in full form without the nulls in its mappings; ``vars`` stays as it is."""
    if isinstance(value, dict):
        return {key: item if key == "vars" else without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


class _Compiler:
    """Turns nodes of the schema into functions. A place is a list of nodes: the first says what the value is,
    the others (from the part of an architecture) may add defaults."""

    def __init__(self, root: Node, guest_type: str) -> None:
        self.root, self.guest_type = root, guest_type
        self.above: list[str] = []

    def value(self, nodes: list[Node]) -> Convert | None:
        """Return the function for a place, or None where values are taken as they are."""
        node = nodes[0]
        if node.get("type") in ("object", ["string", "object"]):  # the latter: an attribute or an element
            return self.object(nodes) if "properties" in node or "presence" in node else None
        if node.get("type") == "array":
            return self.array(nodes)
        if node.get("type") == "integer":
            return _integer
        if node.get("type") == "string":
            return _string
        if "enum" in node:
            return _option(node["enum"])
        return None

    def place(self, reference: str | None, nodes: list[Node]) -> Convert | None:
        """Return the function for a place with this reference; what is inside itself is compiled when it's needed."""
        if reference is None:
            return self.value(nodes)
        if reference in self.above:
            later = cache(lambda: _Compiler(self.root, self.guest_type).value(nodes))
            return lambda value, nulls: value if (convert := later()) is None else convert(value, nulls)
        self.above.append(reference)
        convert = self.value(nodes)
        self.above.pop()
        return convert

    def array(self, nodes: list[Node]) -> Convert:
        convert = self.value([resolve(self.root, node["items"]) for node in nodes if "items" in node])

        def array(value: Any, nulls: Nulls) -> Any:
            if isinstance(value, (list, tuple)):
                return [item if item is None or convert is None else convert(item, nulls) for item in value]
            # One element may stand without the list; what isn't one is left for the check.
            item = value if convert is None else convert(value, nulls)
            return [item] if isinstance(item, dict) else value

        return array

    def object(self, nodes: list[Node]) -> Convert:
        converters: dict[str, Convert | None] = {}
        defaults: list[tuple[str, Callable[[], Any], dict[str, bool]]] = []
        choices: list[tuple[str, str, dict[str, str]]] = []
        deciders: list[tuple[str, str, dict[str, Callable[[], Any]]]] = []
        filled: set[str] = set()
        empty: set[str] = set()
        for name in nodes[0].get("properties", {}):
            places = [node["properties"][name] for node in nodes if name in node.get("properties", {})]
            children = [resolve(self.root, place) for place in places]
            converters[name] = convert = self.place(places[0].get("$ref"), children)
            default: Any = None
            when: dict[str, bool] = {}
            for child in children:
                if "default_from" in child:
                    choices += [(name, other, keys) for other, keys in child["default_from"].items()]
                for other, by in child.get("default_by", {}).items():
                    options = {key: convert(item, []) if convert else item for key, item in by.items()}
                    deciders.append((name, other, {key: _fresh(item) for key, item in options.items()}))
                    filled.add(name)
                default = child.get("default_by_type", {}).get(self.guest_type, child.get("default", default))
                when = child.get("default_when", when)
            if default is not None:
                defaults.append((name, _fresh(convert(default, []) if convert else default), when))
            if default is not None or any("derived" in child for child in children):
                filled.add(name)
            if children[0].get("type") == "array":
                empty.add(name)
        expand = expander(nodes[0])

        def mapping(value: Any, nulls: Nulls) -> Any:
            if not isinstance(value, dict):
                value = expand(value)
                if not isinstance(value, dict):
                    return value
            result = {}
            for key, item in value.items():
                if item is not None and (convert := converters.get(key)) is not None:
                    item = convert(item, nulls)
                if item is not None:
                    result[key] = item
                elif key in empty:
                    result[key] = []
                elif key in filled:
                    result[key] = None
                    nulls.append(key)
            for name, other, keys in choices:
                if name not in value and isinstance(neighbour := result.get(other), dict):
                    for key, choice in keys.items():
                        if key in neighbour:
                            result[name] = choice
                            break
            for name, default, when in defaults:
                wanted = name not in value and name not in result
                if wanted and all((result.get(other) is not None) is given for other, given in when.items()):
                    result[name] = default()
            decided = set()
            for name, other, options in deciders:
                if name in value or name in decided or (found := result.get(other)) is None:
                    continue
                if option := options.get(found if isinstance(found, str) else "*", options.get("*")):
                    decided.add(name)
                    if (item := option()) is not None:
                        result[name] = item
            return result

        return mapping


def expander(node: Node) -> Callable[[Any], Any]:
    """Return what turns a scalar into the mapping that it stands for, or leaves it as it is."""
    quantity, presence, shorthand = node.get("quantity"), node.get("presence"), node.get("shorthand")
    patterns = [(re.compile(pattern), key) for pattern, key in shorthand.items()] if isinstance(shorthand, dict) else []

    def expand(value: Any) -> Any:
        if value.__class__ is bool and presence:
            return {} if value else None
        if not isinstance(value, (str, int)):
            return value
        if quantity and value.__class__ is not bool:
            try:
                return QUANTITIES[quantity](value)
            except ValueError:
                return value
        if isinstance(shorthand, str):
            return {shorthand: value}
        for pattern, key in patterns:
            if pattern.search(str(value)):
                return {key: value}
        return value

    return expand


def _integer(value: Any, nulls: Nulls) -> Any:
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value


def _string(value: Any, nulls: Nulls) -> Any:
    if value.__class__ is str:
        return value
    if value.__class__ is int and -_TOO_LARGE < value < _TOO_LARGE:
        return str(value)
    # A subclass of str may be one that Jinja would not escape.
    return str(value) if isinstance(value, str) else value


def _option(options: list[str]) -> Convert:
    words = {True: "yes", False: "no"} if "yes" in options else {True: "on", False: "off"}
    known = frozenset(options)

    def option(value: Any, nulls: Nulls) -> Any:
        if value.__class__ is bool and words[value] in known:
            return words[value]
        return _string(value, nulls)

    return option


def _fresh(default: Any) -> Callable[[], Any]:
    """Return a function that gives a default anew, so that no two contexts share one."""
    if not isinstance(default, (dict, list)):
        return lambda: default
    if not any(isinstance(item, (dict, list)) for item in (default.values() if isinstance(default, dict) else default)):
        return default.copy
    return lambda: deepcopy(default)
