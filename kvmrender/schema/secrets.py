"""Secrets: values that are shown only in the XML, marked ``writeOnly`` in the schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import Any, Protocol

from kvmrender.errors import Path
from kvmrender.schema.guest_schema import FREE, GuestSchema, Node, element_of, inner, parts, resolve
from kvmrender.schema.xml_secrets import FEW, Names, XmlSecrets
from kvmrender.schema.xml_secrets import MASK as MASK

Places = dict[str, "Places"]
SECRET: Places = {}
"""Stands for a secret in a tree of places."""

SHORT = 16
"""Number of characters by which a secret is recognized in messages, which may shorten it."""

FEW_FIELDS = 2
"""Maximum number of fields of an element that only holds a secret; an unknown key in it may be a secret too."""

_WORD = re.compile(rf"[^\W_]{{{FEW},}}")


class Secrets:
    """The secrets in guests, in their XML and in messages; ``root`` is the schema."""

    def __init__(self, root: Node) -> None:
        self._root = root

    @cached_property
    def xml(self) -> XmlSecrets:
        """The finder of secrets in domain XML, including that of other programs and libvirt versions."""
        return XmlSecrets(_names(self._root))

    def hides(self, path: Path, value: Any = None) -> bool:
        """Return whether the value at ``path`` must not be shown: it is a secret or raw XML, or may be a misplaced
        secret, because a secret's element belongs there or it contains the name of one."""
        nodes = list(_nodes(self._root, path))
        if any(node.get("writeOnly") or node.get("format") == "xml" for node in nodes):
            return True
        if value is None or isinstance(value, (bool, dict, list, tuple)):
            return False
        if not isinstance(value, (int, float)) and self.xml.may_be_in(str(value)):
            return True
        return len(nodes) > len(path) and (
            _is_for_secrets(self._root, nodes[-1]) or _is_for_raw_xml(self._root, nodes[-1])
        )

    def outside(self, path: Path) -> Path:
        """Return a path without the steps inside a secret."""
        nodes = _nodes(self._root, path)
        return next((path[:depth] for depth, node in enumerate(nodes) if node.get("writeOnly")), path)

    def hides_path(self, path: Path) -> bool:
        """Return whether a path given by the user may contain a secret: inside a secret, or next to its name."""
        return self.outside(path) != path or any(self.xml.may_be_in(str(step)) for step in path)

    def hides_key(self, path: Path, mapping: Any) -> bool:
        """Return whether an unknown key of a mapping may be a secret: ``{passwd=a}``, or ``{a}`` alone."""
        *_, node = _nodes(self._root, path[:-1])
        key = str(path[-1])
        if self.xml.may_be_in(key):
            return True
        if mapping[key] is not None and len(node.get("properties", {})) > FEW_FIELDS:
            return False
        return _is_for_secrets(self._root, node)

    def values(self, guest: Any) -> list[str]:
        """Return the secrets of a guest in full form, and of its raw XML."""
        return list(_values(self.xml, self._root, self._root, guest))

    def masker(self, context: Any, xml: str, is_shipped: bool) -> Callable[[str], str]:
        """Return a function that masks the secrets with ``***`` in current and earlier XML of a guest.

        ``context`` and ``xml`` are the current ones. ``is_shipped`` means without custom templates: secrets are then
        only at their own places.
        """
        return self.xml.masked if is_shipped else self.xml.masker(self.values(context), xml)

    def without(self, values: Iterable[str], message: str) -> str:
        """Return a message with ``***`` instead of each of these secrets and of their words."""
        for value in sorted(filter(None, values), key=len, reverse=True):
            if len(value) < FEW:
                message = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", MASK, message)
                continue
            message = message.replace(value, MASK).replace(repr(value)[1:-1], MASK)
            for word in _WORD.findall(value):
                message = re.sub(rf"{word[:SHORT]}\w*", MASK, message)
        return message


def is_secret(root: Node, path: Path) -> bool:
    """Return whether the field at ``path``, or one that contains it, is secret."""
    return any(node.get("writeOnly") for node in _nodes(root, path))


def _nodes(root: Node, path: Path) -> Iterator[Node]:
    """Yield the nodes of a field and of all that contain it, as far as they exist. A single item may stand for a
    list."""
    node: Node = root
    yield node
    for step in path:
        if "items" in node:
            node = inner(root, node, 0)
            if isinstance(step, int):
                yield node
                continue
        if (node := inner(root, node, step)) is FREE:
            return
        yield node


def _is_for_secrets(root: Node, node: Node) -> bool:
    """Return whether a secret may be misplaced for an element: one that has a secret among its own fields, or contains
    only such elements."""
    node = resolve(root, node)
    if "items" in node:
        return _is_for_secrets(root, node["items"])
    fields = [resolve(root, field) for field in node.get("properties", {}).values()]
    has_own = any(field.get("writeOnly") for field in fields)
    return has_own or (len(fields) == 1 and _is_for_secrets(root, fields[0]))


def _is_for_raw_xml(root: Node, node: Node) -> bool:
    fields = node.get("properties", {}).values()
    return bool(fields) and all(resolve(root, field).get("format") == "xml" for field in fields)


def _values(secrets: XmlSecrets, root: Node, node: Node, value: Any, inside: bool = False) -> Iterator[str]:
    node = resolve(root, node)
    inside = inside or node.get("writeOnly", False)
    if isinstance(value, (dict, list)):
        for _, below, item in parts(root, node, value):
            yield from _values(secrets, root, below, item, inside)
    elif value is not None and inside:
        yield str(value)
    elif node.get("format") == "xml":
        yield from secrets.values(f"<x>{value}</x>")


def masked(root: Node, guest: Any) -> Any:
    """Return a guest in full form with its secrets masked by ``***``, including those in raw XML."""
    return _hidden(Secrets(root), root, root, guest)


def _hidden(secrets: Secrets, root: Node, node: Node, value: Any) -> Any:
    node = resolve(root, node)
    if node.get("writeOnly") and value is not None:
        return MASK
    if isinstance(value, (dict, list)):
        hidden = {step: _hidden(secrets, root, below, item) for step, below, item in parts(root, node, value)}
        return hidden if isinstance(value, dict) else [*hidden.values()]
    return secrets.xml.masked_fragment(value) if node.get("format") == "xml" and value is not None else value


def public(schema: GuestSchema) -> GuestSchema:
    """Return a schema without secrets: secret defaults of custom parts are masked by ``***``, and their lists of values
    removed."""
    if schema.is_shipped:
        return schema
    root = schema.root
    secrets = Secrets(root)

    def shown(entry: Node, field: Node) -> Node:
        """Return a case of a default; ``field`` is the node of its place in the whole schema."""
        return {**entry, "value": _hidden(secrets, root, field, entry["value"])} if "value" in entry else entry

    def copied(node: Any, field: Any) -> Any:
        if isinstance(node, list):
            return [copied(item, field) for item in node]
        if not isinstance(node, dict):
            return node
        field = resolve(root, field)
        found: Node = {}
        for key, item in node.items():
            if key == "properties":
                inside = field.get("properties", {})
                found[key] = {name: copied(child, inside.get(name, child)) for name, child in item.items()}
            elif key == "items":
                found[key] = copied(item, field.get("items", item))
            elif key == "$defs":
                found[key] = {name: copied(child, child) for name, child in item.items()}
            elif key == "default":
                found[key] = _hidden(secrets, root, field, item)
            elif key == "defaults":
                found[key] = [shown(entry, field) for entry in item]
            elif key == "variants":
                found[key] = {name: copied(each, field) for name, each in item.items()}
            elif key not in ("enum", "const"):
                found[key] = copied(item, field)
            elif not field.get("writeOnly"):
                found[key] = item
        return found

    architectures = {name: copied(part, root) for name, part in schema.architectures.items()}
    return GuestSchema(copied(root, root), architectures, schema.names, schema.is_shipped)


class HasSecret(Protocol):
    """Return whether a guest in full form, or its XML, contains a secret."""

    def __call__(self, guest: Any, xml: str = "") -> bool:
        """Say so."""


def secret_finder(root: Node, is_shipped: bool = False) -> HasSecret:
    """Return a function that returns whether a guest in full form, or its XML, contains a secret.

    XML of shipped templates has additional secrets only if the guest has raw XML: otherwise the XML is not examined.
    """
    places = _secret_places(root, root, {}, set())
    fields = {key: resolve(root, field) for key, field in root["properties"].items()}
    raw = [key for key, field in fields.items() if field.get("format") == "xml" or _is_for_raw_xml(root, field)]
    secrets = Secrets(root)

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

    def has_secret(guest: Any, xml: str = "") -> bool:
        if found(guest, places):
            return True
        if is_shipped:
            for key in raw:
                if guest.get(key):
                    break
            else:
                return False
        return secrets.xml.is_in(xml)

    return has_secret


def _secret_places(root: Node, node: Node, made: dict[str, Places], unfinished: set[int]) -> Places:
    """Return the keys of a place that may contain secrets, each with those inside; a list is treated like its items.
    Recursive references are kept."""
    reference = node.get("$ref")
    if reference in made:
        return made[reference]
    resolved = resolve(root, node)
    if resolved.get("writeOnly"):
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
    """Return whether a field contains secret fields."""
    places = _secret_places(root, node, {}, set())
    return places is SECRET or bool(places)


def xml_secrets(root: Node) -> XmlSecrets:
    """Return the finder of secrets in domain XML, including that of other programs and libvirt versions."""
    return Secrets(root).xml


def xml_masker(root: Node) -> Callable[[str], str]:
    """Return a function that masks the secrets in domain XML with ``***``; XML that can't be parsed is replaced by a
    note."""
    return xml_secrets(root).masked


def _names(root: Node) -> Names:
    """Return the elements and attributes that secret fields are written as.

    They have the names of the fields. A name that no other field has is secret everywhere.
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
            name = element_of(root, key, field).rpartition(":")[2]
            if key == "text":
                continue
            if field.get("writeOnly") or inner.get("writeOnly"):
                names[element, name] = True
            elif resolve(root, inner.get("properties", {}).get("text", {})).get("writeOnly"):
                names[element, name] = False
            else:
                others.add(name)
            walk(child, name)

    walk(root, "domain")
    return {**names, **{("", name): whole for (_, name), whole in names.items() if name not in others}}
