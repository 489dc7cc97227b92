"""Values that are shown nowhere but in the XML: what the schema marks ``secret``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kvmrender.errors import Path
from kvmrender.schema import Node, resolve
from kvmrender.xml_secrets import MASK as MASK
from kvmrender.xml_secrets import Names, XmlSecrets

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
    places = _secret_places(root, node, {}, set())
    return places is SECRET or bool(places)


def xml_secrets(root: Node) -> XmlSecrets:
    """Return what finds the secrets in domain XML, also in that of others and of other versions of libvirt."""
    return XmlSecrets(_names(root))


def xml_masker(root: Node) -> Callable[[str], str]:
    """Return a function that writes ``***`` for the secrets in domain XML; of what can't be parsed, it says so."""
    return xml_secrets(root).masked


def _names(root: Node) -> Names:
    """Return the elements and attributes that secret fields are written as.

    They have the names of the fields. One that is not the name of any other field is a secret wherever it is.
    """
    names: Names = {}
    others: set[str] = set()
    seen: set[tuple[str, str]] = set()

    def walk(node: Node, element: str) -> None:
        if "$ref" in node:
            if (node["$ref"], element) in seen:
                return
            seen.add((node["$ref"], element))
        node = resolve(root, node)
        if "items" in node:
            walk(node["items"], element)
        for key, child in node.get("properties", {}).items():
            field = resolve(root, child)
            inner = resolve(root, field.get("items", field))
            name = field.get("element", key).rpartition(":")[2]
            if key == "text":
                continue
            if field.get("secret") or inner.get("secret"):
                names[element, name] = True
            elif resolve(root, inner.get("properties", {}).get("text", {})).get("secret"):
                names[element, name] = False
            else:
                others.add(name)
            walk(child, name)

    walk(root, "domain")
    return {**names, **{("", name): whole for (_, name), whole in names.items() if name not in others}}
