"""The schema in a form that jsonschema-rs validates fast, to find out that many guests are valid.

It accepts exactly the guests that the schema accepts, but gives no messages: these come from the schema itself. It can
be made for guests with a limited set of keys: of some two thousand keys, a guest has about thirty, and validating the
others takes time too. Guests with other keys are found invalid, or judged as by the schema.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from kvmrender.context.quick_validation import ANNOTATIONS, UnknownError
from kvmrender.schema.guest_schema import Node, node_at, resolve

Values = tuple[frozenset[str | None], bool]
"""The values of a key that a condition is for (None if the key is missing); or, if true, all others."""

PLAIN = frozenset(
    """const enum exclusiveMaximum exclusiveMinimum maxContains maxItems maxLength maxProperties maximum
    minContains minItems minLength minProperties minimum multipleOf pattern required type uniqueItems""".split()  # noqa: SIM905 - a page, with one word a line
)
"""Keywords without schemas in their values."""


def condensed(schema: Node, names: Collection[str] | None = None) -> Node:
    """Return a schema without annotations, in which conditions on the value of one key are nested until one holds; for
    guests without other keys than ``names``, at the top or at any depth, if these are given.

    Raises UnknownError for keywords and references that the shipped schema does not use.
    """
    condenser = _Condenser(schema, names)
    small = condenser.node(schema)
    return {**small, "$defs": condenser.targets()} if isinstance(small, dict) else {"not": {}}


def names_in(value: Any, found: set[str] | None = None) -> set[str]:
    """Return the keys of a value and of its contents, together with those that are ``found`` already."""
    found = set() if found is None else found
    if isinstance(value, dict):
        found.update(value)
        value = value.values()
    for item in value:
        if isinstance(item, (dict, list)):
            names_in(item, found)
    return found


class _Condenser:
    """Condense the nodes of ``root``.

    What a node says of keys that guests do not have is left out if the mapping is known, from ``like``, to have only
    named keys: with other keys, it is invalid anyway. ``like`` is the node that says so of the same value.
    """

    def __init__(self, root: Node, names: Collection[str] | None) -> None:
        self._root, self._names = root, names
        self._wanted: set[tuple[str, bool]] = set()
        self._inside: list[str] = []

    def targets(self) -> dict[str, Any]:
        """Return the nodes that others refer to and that contain references."""
        found: dict[tuple[str, bool], Any] = {}
        while wanted := self._wanted - found.keys():
            found.update({(reference, sure): self.node(self._at(reference), sure=sure) for reference, sure in wanted})
        return {self._key(*wanted): node for wanted, node in sorted(found.items())}

    def _at(self, reference: str) -> Node:
        if not reference.startswith("#/"):
            raise UnknownError
        node: Node = node_at(self._root, reference.removeprefix("#/").split("/"))
        return node

    @staticmethod
    def _key(reference: str, sure: bool) -> str:
        return reference.removeprefix("#/").replace("/", ":") + ("" if sure else ":if")

    def node(self, node: Any, like: Node | None = None, sure: bool = True) -> Any:
        """Return a node condensed. ``sure`` means that a value that is invalid for ``node`` is invalid; in a condition,
        ``like`` can be omitted only then."""
        if not isinstance(node, dict):
            return node
        if like is None:
            like = resolve(self._root, node) if sure else {}
        is_closed = self._names is not None and _is_closed(like)
        if is_closed and like.get("type") == "object" and not set(node.get("required", ())) <= set(self._names or ()):
            return False
        found: Node = {}
        rules: list[Any] = []
        for key, value in node.items():
            if key == "properties":
                found[key] = self._properties(node, like, is_closed, sure)
            elif key == "items":
                found[key] = self.node(value, self._below(like.get(key)), sure)
            elif key == "contains":
                found[key] = self.node(value, self._below(like.get("items")), sure=False)
            elif key == "not":
                if (refused := self.node(value, like, sure=False)) == {}:
                    return False
                if refused is not False:
                    found[key] = refused
            elif key == "oneOf":
                found[key] = [self.node(item, like, sure=False) for item in value]
            elif key == "anyOf":
                found[key] = [self.node(item, like, sure) for item in value]
            elif key == "allOf":
                rules += _together([self.node(item, like, sure) for item in value])
            elif key == "if":
                test = self.node(value, like, sure=False)
                rules.append(_either(test, *(self.node(node.get(way, {}), like, sure) for way in ("then", "else"))))
            elif key == "$ref":
                rules.append(self._reference(value, like, is_closed, sure))
            elif key in PLAIN or (key == "additionalProperties" and value is False):
                found[key] = value
            elif key not in ANNOTATIONS and key not in ("then", "else"):
                raise UnknownError
        if found.get("properties") == {} and not _is_closed(node):
            del found["properties"]
        return _all([*rules, found])

    def _below(self, node: Any) -> Node | None:
        return None if node is None else resolve(self._root, node)

    def _properties(self, node: Node, like: Node, is_closed: bool, sure: bool) -> Node:
        found = {
            name: self.node(child, self._below(like.get("properties", {}).get(name)), sure)
            for name, child in node["properties"].items()
            if not is_closed or name in (self._names or ())
        }
        return {name: child for name, child in found.items() if child != {} or _is_closed(node)}

    def _reference(self, reference: str, like: Node, is_closed: bool, sure: bool) -> Any:
        """Return a reference, or the node that it refers to if less of that suffices here."""
        if is_closed and not _is_closed(target := self._at(reference)) and reference not in self._inside:
            self._inside.append(reference)
            node = self.node(target, like, sure)
            self._inside.pop()
            return node
        self._wanted.add((reference, sure))
        return {"$ref": f"#/$defs/{self._key(reference, sure)}"}


def _is_closed(node: Node) -> bool:
    """Return whether a node names all keys that a mapping may have."""
    return node.get("additionalProperties") is False


def _all(rules: Iterable[Any]) -> Any:
    """Return a node that requires all these nodes."""
    found: list[Any] = []
    for rule in rules:
        if rule is False:
            return False
        if rule not in ({}, True):
            found += rule["allOf"] if rule.keys() == {"allOf"} else [rule]
    alone = [rule for rule in found if rule.keys().isdisjoint(("allOf", "$ref", "if"))]
    if len(alone) == 1 and len(found) > 1:
        return {**alone[0], "allOf": [rule for rule in found if rule is not alone[0]]}
    return found[0] if len(found) == 1 else {"allOf": found} if found else {}


def _either(test: Any, then: Any, otherwise: Any) -> Any:
    """Return a node that applies one node if a test holds, and another if it does not."""
    if then == otherwise or test in (False, {}):
        return otherwise if test is False else then
    ways = {"then": then, "else": otherwise}
    return {"if": test, **{way: node for way, node in ways.items() if node not in ({}, True)}}


def _together(conditions: Iterable[Any]) -> list[Any]:
    """Return conditions, with those on the value of the same key merged."""
    by_key: dict[str, list[tuple[Values, Node]]] = {}
    found: list[Any] = []
    for node in conditions:
        if (case := _case(node)) is None:
            found.append(node)
        else:
            by_key.setdefault(case[0], []).append((case[1], node["then"]))
    return found + [_chain(key, cases) for key, cases in by_key.items()]


def _case(node: Any) -> tuple[str, Values] | None:
    """Return the key and its values that a condition tests, if it tests nothing else."""
    if not isinstance(node, dict) or node.keys() != {"if", "then"}:
        return None
    match node["if"]:
        case {"not": {"required": [str(key)]}} as test if _of(test, "not") and _of(test["not"], "required"):
            return key, (frozenset([None]), False)
        case {"properties": dict(properties), "required": [str(key)]} as test if _of(test, "properties", "required"):
            if [*properties] == [key]:
                match properties[key]:
                    case {"enum": [*values]} as rule if _of(rule, "enum") and _are_texts(values):
                        return key, (frozenset(values), False)
                    case {"const": str(value)} as rule if _of(rule, "const"):
                        return key, (frozenset([value]), False)
                    case {"not": {"enum": [*values]}} as rule if _of(rule, "not") and _of(rule["not"], "enum"):
                        if _are_texts(values):
                            return key, (frozenset([*values, None]), True)
    return None


def _of(node: Node, *keywords: str) -> bool:
    return node.keys() == {*keywords}


def _are_texts(values: Iterable[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _chain(key: str, cases: list[tuple[Values, Node]]) -> Any:
    """Return one condition for all that depend on a key."""

    def holds(value: str | None) -> tuple[int, ...]:
        return tuple(number for number, ((values, others), _) in enumerate(cases) if (value in values) is not others)

    def then(numbers: Iterable[int]) -> Any:
        return _all(cases[number][1] for number in numbers)

    alike: dict[tuple[int, ...], list[str]] = {}
    for value in sorted({value for (values, _), _ in cases for value in values if value is not None}):
        alike.setdefault(holds(value), []).append(value)
    chain = then(number for number, ((_, others), _) in enumerate(cases) if others)
    for numbers, values in reversed(alike.items()):
        chain = _either({"properties": {key: {"enum": values}}}, then(numbers), chain)
    return _either({"required": [key]}, chain, then(holds(None)))
