"""Traversal of the nodes of schema parts: children, circular references, and number of fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kvmrender.errors import Path
from kvmrender.schema.guest_schema import NAMED, Node, node_at

_LISTS, _SINGLE = (
    ("allOf", "anyOf", "oneOf", "prefixItems"),
    (*("items", "contains", "not", "if", "then", "else", "additionalProperties", "propertyNames"),),
)
_CONDITIONS = {"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "contains", "dependentSchemas", "variants"}
_SAME = _CONDITIONS - {"contains"} | {"items"}
"""Keywords whose nodes describe the same value, or all items of it."""


def children(node: Node) -> Iterator[tuple[Path, Any]]:
    """Yield the child nodes of a node, each with its path."""
    for key, value in node.items():
        if key in NAMED and isinstance(value, dict):
            for name, child in value.items():
                yield (key, name), child
        elif key in _LISTS and isinstance(value, list):
            for number, child in enumerate(value):
                yield (key, number), child
        elif key in _SINGLE:
            yield (key,), value
        elif key == "variants" and isinstance(value, dict):
            for name, variants in value.items():
                for number, variant in enumerate(variants if isinstance(variants, list) else ()):
                    inner = variant.get("properties") if isinstance(variant, dict) else None
                    for key_inside, child in inner.items() if isinstance(inner, dict) else ():
                        yield (key, name, number, "properties", key_inside), child


def nodes(node: Any, path: Path = (), is_condition: bool = False) -> Iterator[tuple[Path, Node, bool]]:
    """Yield a node and its descendants, each with its path, and whether it is part of a condition."""
    if isinstance(node, dict):
        yield path, node, is_condition
        for more, child in children(node):
            yield from nodes(child, (*path, *more), is_condition or more[0] in _CONDITIONS)


def target(whole: Node, reference: str) -> Any:
    """Return the target of a reference in the whole schema, or None."""
    try:
        return node_at(whole, reference.removeprefix("#").split("/")[1:])
    except (LookupError, TypeError):
        return None


def circle(whole: Node, nodes: Iterable[Node]) -> Node | None:
    """Return a node that refers to itself for the same value, if any."""
    finished: dict[int, bool] = {}

    def visit(node: Any) -> Node | None:
        if not isinstance(node, dict) or finished.get(id(node)):
            return None
        if id(node) in finished:
            return node
        finished[id(node)] = False
        inner = [child for path, child in children(node) if path[0] in _SAME]
        for child in [*inner, target(whole, node["$ref"])] if "$ref" in node else inner:
            if found := visit(child):
                return found
        finished[id(node)] = True
        return None

    return next(filter(None, map(visit, nodes)), None)


def measure(whole: Node, node: Any, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return the nesting depth of a node's fields, and their number. Recursive nodes count once."""
    if not isinstance(node, dict) or id(node) in known:
        return known.get(id(node), (0, 0))
    known[id(node)] = 0, 0
    depth = fields = 0
    if "$ref" in node:
        depth, fields = measure(whole, target(whole, node["$ref"]), known)
    for path, child in children(node):
        below, inside = measure(whole, child, known)
        if path[0] == "properties":
            depth, fields = max(depth, below + 1), fields + inside + 1
        elif path[0] != "$defs":
            depth, fields = max(depth, below + (path[0] == "items")), fields + (inside if path[0] == "items" else 0)
    known[id(node)] = depth, fields
    return depth, fields
