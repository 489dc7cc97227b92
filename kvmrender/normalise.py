"""From what the user wrote to the full form: shorthands, defaults, lists of one, and scalars of the right type.

The schema is compiled once into nested functions, so that a guest is walked, not the schema. What can't be
brought into its form is left as it is, for the check to refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from kvmrender.memory import memory
from kvmrender.schema import GuestSchema, Node, resolve


class Notes:
    """What is noted on the way: ``given``, for each key of the guest the keys that are written inside, at any depth;
    ``nulls``, the keys whose default a null removes."""

    __slots__ = ("given", "keys", "nulls")

    def __init__(self) -> None:
        self.given: dict[str, set[str]] = {}
        self.keys: set[str] = set()
        self.nulls: list[str] = []


Convert = Callable[[Any, Notes], Any]
"""Takes a value as written, gives it in full form, or None where it is to be left out."""

QUANTITIES: dict[str, Callable[[int | str], Any]] = {"memory": memory}
"""What a bare scalar of each kind of quantity becomes; ValueError says why it can't."""

_INTEGER = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_TOO_LARGE = 10**20


def normaliser(schema: GuestSchema, arch: str | None, guest_type: str) -> Convert:
    """Compile the schema for guests of one architecture (None if it is unknown) and type (kvm or qemu).

    In what the function returns, a null stands where it removes a default or a derived value, and nowhere else;
    ``without_nulls`` gives the guest that is left. Defaults in it are shared: it is not to be changed.
    """
    overlay = [schema.architectures[arch]] if arch in schema.architectures else []
    return _Compiler(schema.root, guest_type).object([schema.root, *overlay], is_guest=True)


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


def unshared(value: Any) -> Any:
    """Return a copy of a guest in full form that shares nothing with other guests."""
    if isinstance(value, dict):
        return {key: unshared(item) for key, item in value.items()}
    return [unshared(item) for item in value] if isinstance(value, list) else value


class _Compiler:
    """Turns nodes of the schema into functions. A place is a list of nodes: the first says what the value is,
    the others (from the part of an architecture) may add defaults."""

    def __init__(self, root: Node, guest_type: str) -> None:
        self.root, self.guest_type = root, guest_type

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

    def later(self, name: str, nodes: list[Node], *tables: dict[str, Convert]) -> Convert:
        """Return a function that compiles that of a place when it is first needed, and puts it into ``tables``."""

        def first(value: Any, notes: Notes) -> Any:
            convert = self.value(nodes)
            for table in tables:
                if convert is None:
                    table.pop(name, None)
                else:
                    table[name] = convert
            return value if convert is None else convert(value, notes)

        return first

    def array(self, nodes: list[Node]) -> Convert:
        convert = self.value([resolve(self.root, node["items"]) for node in nodes if "items" in node])

        def array(value: Any, notes: Notes) -> Any:
            if isinstance(value, (list, tuple)):
                return [item if item is None or convert is None else convert(item, notes) for item in value]
            # One element may stand without the list; what isn't one is left for the check.
            item = value if convert is None else convert(value, notes)
            return [item] if isinstance(item, dict) else value

        return array

    def object(self, nodes: list[Node], is_guest: bool = False) -> Convert:
        converters: dict[str, Convert] = {}
        of_texts: dict[str, Convert] = {}
        base: dict[str, Any] = {}
        defaults: list[tuple[str, Any, list[tuple[str, bool]]]] = []
        choices: list[tuple[str, str, dict[str, str]]] = []
        deciders: list[tuple[str, str, dict[str, Any]]] = []
        filled: set[str] = set()
        empty: set[str] = set()
        for name in nodes[0].get("properties", {}):
            children = [
                resolve(self.root, node["properties"][name]) for node in nodes if name in node.get("properties", {})
            ]
            first = children[0]
            if first.get("type") == "string" or ("enum" in first and "type" not in first):
                converters[name] = self.value(children) or _string
            else:
                converters[name] = of_texts[name] = self.later(name, children, converters, of_texts)
            default: Any = None
            when: dict[str, bool] = {}
            for child in children:
                if "default_from" in child:
                    choices += [(name, other, keys) for other, keys in child["default_from"].items()]
                for other, by in child.get("default_by", {}).items():
                    deciders.append(
                        (name, other, {key: self.constant(name, converters, item) for key, item in by.items()})
                    )
                    filled.add(name)
                default = child.get("default_by_type", {}).get(self.guest_type, child.get("default", default))
                when = child.get("default_when", when)
            if default is not None:
                constant = self.constant(name, converters, default)
                if when or any(name == chosen for chosen, _, _ in choices):
                    defaults.append((name, constant, [*when.items()]))
                else:
                    base[name] = constant
            if default is not None or any("derived" in child for child in children):
                filled.add(name)
            if first.get("type") == "array":
                empty.add(name)
        expand = expander(nodes[0])
        fallbacks = tuple(base.items())
        given_by_others = bool(choices or defaults or deciders)

        def mapping(value: Any, notes: Notes) -> Any:
            if not isinstance(value, dict):
                value = expand(value)
                if not isinstance(value, dict):
                    return value
            else:
                notes.keys.update(value)
            result: dict[str, Any] = {}
            for key, item in value.items():
                if is_guest:
                    notes.given[key] = notes.keys = set()
                if item.__class__ is str:
                    if (convert := of_texts.get(key)) is None:
                        result[key] = item
                        continue
                    item = convert(item, notes)
                elif item is not None and (convert := converters.get(key)) is not None:
                    item = convert(item, notes)
                if item is not None:
                    result[key] = item
                elif key in empty:
                    result[key] = []
                elif key in filled:
                    result[key] = None
                    notes.nulls.append(key)
            for key, constant in fallbacks:  # what is written comes first, and wins
                if key not in result:
                    result[key] = constant
            if given_by_others:
                _fill(value, result)
            return result

        def _fill(value: dict[str, Any], result: dict[str, Any]) -> None:
            """Fill in what depends on neighbours."""
            for name, other, keys in choices:
                if name not in value and isinstance(neighbour := result.get(other), dict):
                    for key, choice in keys.items():
                        if key in neighbour:
                            result[name] = choice
                            break
            for name, default, when in defaults:
                if name not in value and name not in result:
                    for other, given in when:
                        if (result.get(other) is not None) is not given:
                            break
                    else:
                        result[name] = default
            decided = set()
            for name, other, options in deciders:
                if name in value or name in decided or (found := result.get(other)) is None:
                    continue
                key = found if isinstance(found, str) and found in options else "*"
                if key in options:
                    decided.add(name)
                    if (item := options[key]) is not None:
                        result[name] = item

        return mapping

    def constant(self, name: str, converters: dict[str, Convert], default: Any) -> Any:
        """Return a default in full form. Guests share it: nothing that is in a context is ever changed."""
        if default is None or (convert := converters.get(name)) is None:
            return default
        return convert(deepcopy(default), Notes())


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


def _integer(value: Any, notes: Notes) -> Any:
    return int(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value


def _string(value: Any, notes: Notes) -> Any:
    if value.__class__ is int and -_TOO_LARGE < value < _TOO_LARGE:
        return str(value)
    # A subclass of str may be one that Jinja would not escape.
    return str(value) if isinstance(value, str) else value


def _option(options: list[str]) -> Convert:
    words = {True: "yes", False: "no"} if "yes" in options else {True: "on", False: "off"}
    known = frozenset(options)

    def option(value: Any, notes: Notes) -> Any:
        if value.__class__ is bool and words[value] in known:
            return words[value]
        return _string(value, notes)

    return option
