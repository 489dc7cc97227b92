"""The schema in a form that jsonschema-rs is quick with, to say of many guests that they are valid.

It finds valid what the schema itself does, and has no words for what isn't: that is for the schema itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kvmrender.schema import Node
from kvmrender.valid import ANNOTATIONS

Values = tuple[frozenset[str | None], bool]
"""The values of a key that a condition is for (None where the key is missing); or, where true, all others."""

_NAMED = ("properties", "$defs")


def condensed(node: Any, named: bool = False) -> Any:
    """Return a schema without annotations, in which conditions on the value of one key are one after the other, until
    one holds. ``named`` says that it is a mapping of names to schemas."""
    if isinstance(node, list):
        return [condensed(item) for item in node]
    if not isinstance(node, dict):
        return node
    if named:
        return {key: condensed(item) for key, item in node.items()}
    small = {
        key: item if key in ("enum", "const") else condensed(item, key in _NAMED)
        for key, item in node.items()
        if key not in ANNOTATIONS or key == "$defs"
    }
    if "allOf" in small:
        small["allOf"] = _together(small["allOf"])
    return small


def _together(conditions: Iterable[Node]) -> list[Node]:
    """Return conditions with those on the value of the same key as one."""
    by_key: dict[str, list[tuple[Values, Node]]] = {}
    found: list[Node] = []
    for node in conditions:
        if (case := _case(node)) is None:
            found.append(node)
        else:
            by_key.setdefault(case[0], []).append((case[1], node["then"]))
    return found + [_chain(key, cases) for key, cases in by_key.items()]


def _case(node: Node) -> tuple[str, Values] | None:
    """Return the key and its values that a condition is for, where it is for nothing else."""
    if node.keys() != {"if", "then"}:
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


def _chain(key: str, cases: list[tuple[Values, Node]]) -> Node:
    """Return one condition for all that depend on a key."""

    def holds(value: str | None) -> tuple[int, ...]:
        return tuple(number for number, ((values, others), _) in enumerate(cases) if (value in values) is not others)

    def then(numbers: Iterable[int]) -> Node:
        return {"allOf": rules} if (rules := [cases[number][1] for number in numbers]) else {}

    alike: dict[tuple[int, ...], list[str]] = {}
    for value in sorted({value for (values, _), _ in cases for value in values if value is not None}):
        alike.setdefault(holds(value), []).append(value)
    chain = then(number for number, ((_, others), _) in enumerate(cases) if others)
    for numbers, values in reversed(alike.items()):
        chain = {"if": {"properties": {key: {"enum": values}}}, "then": then(numbers), "else": chain}
    return {"if": {"required": [key]}, "then": chain, "else": then(holds(None))}
