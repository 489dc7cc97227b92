"""Values that are shown nowhere but in the XML: what the schema marks ``secret``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from kvmrender.errors import Path
from kvmrender.schema import Node, resolve

MASK = "***"

Places = dict[str, "Places"]
SECRET: Places = {}
"""Stands for a secret in a tree of places."""


def is_secret(root: Node, path: Path) -> bool:
    """Say whether the field at ``path``, or one that it is inside of, is secret."""
    node: Node = root
    for step in path:
        child = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        if child is None:
            return False
        node = resolve(root, child)
        if node.get("secret"):
            return True
    return False


def masked(root: Node, value: Any, node: Node | None = None) -> Any:
    """Return a guest in full form with ``***`` for its secrets."""
    node = resolve(root, root if node is None else node)
    if node.get("secret") and value is not None:
        return MASK
    if isinstance(value, dict):
        properties = node.get("properties", {})
        return {key: masked(root, item, properties[key]) if key in properties else item for key, item in value.items()}
    if isinstance(value, list):
        return [masked(root, item, node.get("items", {})) for item in value]
    return value


def secret_finder(root: Node) -> Callable[[Any], bool]:
    """Return a function that says whether a guest in full form holds a secret."""
    places = _secret_places(root, root, {}, set())

    def found(value: Any, inside: Places) -> bool:
        if inside is SECRET:
            return value is not None
        if isinstance(value, list):
            for item in value:
                if found(item, inside):
                    return True
        elif isinstance(value, dict):
            for key, inner in inside.items():
                if key in value and found(value[key], inner):
                    return True
        return False

    return lambda guest: found(guest, places)


def _secret_places(root: Node, node: Node, made: dict[str, Places], unfinished: set[int]) -> Places:
    """Return the keys of a place in which there may be secrets, each with those inside; lists are what their items
    are. What is inside itself is so here too."""
    reference = node.get("$ref")
    if reference in made:
        return made[reference]
    resolved = resolve(root, node)
    if resolved.get("secret"):
        return SECRET
    if "items" in resolved:
        return _secret_places(root, resolved["items"], made, unfinished)
    places: Places = {}
    unfinished.add(id(places))
    if reference:
        made[reference] = places
    for key, child in resolved.get("properties", {}).items():
        inner = _secret_places(root, child, made, unfinished)
        if inner or inner is SECRET or id(inner) in unfinished:
            places[key] = inner
    unfinished.discard(id(places))
    return places


def holds_secrets(root: Node, node: Node) -> bool:
    """Say whether a field that a node describes has secret ones inside."""
    return any(True for _ in _secret_names(root, node))


def xml_masker(root: Node) -> Callable[[str], str]:
    """Return a function that writes ``***`` for the secrets in domain XML, also in that of another version.

    A secret is known by the name of its attribute or element, which is that of the field in the schema.
    """
    names = "|".join(sorted(map(re.escape, _secret_names(root, root))))
    pattern = re.compile(rf'(?<=\s)((?:{names})=")[^"]*(?=")|(<(?:{names})(?:\s[^<>]*[^/])?>)[^<]+(?=</)')
    return lambda xml: pattern.sub(lambda match: f"{match[1] or match[2]}{MASK}", xml)


def _secret_names(root: Node, node: Node, element: str = "", above: tuple[str, ...] = ()) -> Iterator[str]:
    if "$ref" in node:
        if node["$ref"] in above:
            return
        above = (*above, node["$ref"])
    node = resolve(root, node)
    for name, child in node.get("properties", {}).items():
        if resolve(root, child).get("secret"):
            yield element if name == "text" else name
        else:
            yield from _secret_names(root, child, name, above)
    if "items" in node:
        yield from _secret_names(root, node["items"], element, above)
