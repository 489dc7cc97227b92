"""Libvirt versions of fields: the keywords ``since``, ``until`` and ``instead`` of schema parts.

``since`` is the version that introduced a field (``10.1.0``), or those of single values (``{nvme: 11.5.0}``), or both
in a list (``[9.1.0, {nvme: 11.5.0}]``). ``until``, in the same form, is the first version that no longer supports it.
``instead`` is the alternative for versions without it, in words, also by value. In a variant, they apply to all its
values.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from kvmrender.schema.guest_schema import NAMED, VALUES, GuestSchema, Node, resolve, variants_of
from kvmrender.schema.text_values import version

OLDEST, NEWEST = "9.0", "12.8"
"""The oldest known libvirt, which supports all fields without ``since``, and the newest."""
ANY = "any"
"""Value of ``libvirt`` for guests that are not checked against a version."""


class Fact(NamedTuple):
    """Versions that introduced and removed something, if given; ``instead`` is the alternative for other versions."""

    since: str = ""
    until: str = ""
    instead: str = ""

    def is_in(self, libvirt: str) -> bool:
        """Return whether a libvirt version supports it."""
        return not (
            (self.since and version(libvirt) < version(self.since))
            or (self.until and version(libvirt) >= version(self.until))
        )


NOTHING = Fact()


def facts(node: Node) -> tuple[Fact, dict[str, Fact]]:
    """Return the facts about the field of a node, and about single values of it."""
    (since, of_since), (until, of_until), (instead, of_instead) = (
        _both(node.get(key, "")) for key in ("since", "until", "instead")
    )
    values = {
        value: Fact(of_since.get(value, ""), of_until.get(value, ""), of_instead.get(value, ""))
        for value in (*of_since, *of_until)
    }
    return Fact(since, until, instead), values


def of_values(variants: list[Node]) -> Iterator[tuple[str, Fact]]:
    """Yield the facts that variants state about their values."""
    for variant in variants:
        if "since" in variant or "until" in variant:
            fact = facts(variant)[0]
            yield from ((value, fact) for value in variant["is"] or ())


def schema_of(schema: GuestSchema, libvirt: str | None) -> GuestSchema:
    """Return a schema without the fields, values and architectures that a libvirt version does not support. None keeps
    all."""
    if libvirt is None or libvirt == ANY:
        return schema
    gone = {arch for arch, part in schema.architectures.items() if not facts(part)[0].is_in(libvirt)}
    root: Node = _of_libvirt(schema.root, schema.root, libvirt)
    names = {name: first for name, first in schema.names.items() if first not in gone}
    root["properties"]["arch"] = {**root["properties"]["arch"], "enum": [*names]}
    architectures = {name: root["$defs"][name] for name in schema.architectures if name not in gone}
    root["allOf"] = [part for part in root["allOf"] if part.get("then", {}).get("$ref", "")[8:] not in gone]
    return GuestSchema(root, architectures, names, schema.is_shipped, schema.rules)


def _of_libvirt(root: Node, node: Any, libvirt: str) -> Any:
    if isinstance(node, list):
        return [_of_libvirt(root, item, libvirt) for item in node]
    if not isinstance(node, dict):
        return node
    result: Node = {}
    for key, item in node.items():
        if key == "properties":
            result[key] = dict(_properties(root, node, libvirt))
        elif key == "variants":
            result[key] = {name: list(_variants(root, node, name, libvirt)) for name in item}
        elif key in NAMED:
            result[key] = {name: _of_libvirt(root, child, libvirt) for name, child in item.items()}
        else:
            result[key] = item if key in VALUES else _of_libvirt(root, item, libvirt)
    return _without(root, result, _gone(facts(node)[1], libvirt))


def _properties(root: Node, node: Node, libvirt: str) -> Iterator[tuple[str, Node]]:
    """Yield the keys of a mapping that a libvirt version supports; nodes that are only conditions refuse the others."""
    for name, child in node["properties"].items():
        left = _without(root, _of_libvirt(root, child, libvirt), _values(root, node, name, libvirt))
        whole = resolve(root, child)
        item = resolve(root, whole.get("items", {}))
        if all(facts(one)[0].is_in(libvirt) for one in (whole, item)) and left.get("enum") != []:
            yield name, left
        elif node.get("additionalProperties") is not False:
            yield name, {"not": {}}


def _variants(root: Node, node: Node, key: str, libvirt: str) -> Iterator[Node]:
    """Yield the variants of a mapping for the supported values of a key."""
    gone = _values(root, node, key, libvirt)
    for variant in node["variants"][key]:
        values = variant["is"]
        left = values and [value for value in values if value not in gone]
        if left or not values:
            yield _of_libvirt(root, {**variant, "is": left}, libvirt)


def _values(root: Node, node: Node, key: str, libvirt: str) -> set[str]:
    """Return the values of a key that a libvirt version does not support."""
    own = facts(resolve(root, node.get("properties", {}).get(key, {})))[1]
    return _gone({**own, **dict(of_values(variants_of(root, node).get(key, [])))}, libvirt)


def _gone(values: dict[str, Fact], libvirt: str) -> set[str]:
    return {value for value, fact in values.items() if not fact.is_in(libvirt)}


def _without(root: Node, node: Node, values: set[str]) -> Node:
    """Return a node without some of its values."""
    known = resolve(root, node).get("enum") if values else None
    return {**node, "enum": [value for value in known if value not in values]} if known else node


def _both(said: str | Node | list[str | Node]) -> tuple[str, dict[str, str]]:
    """Return the facts about a field, and about its values."""
    own, values = "", dict[str, str]()
    for one in said if isinstance(said, list) else [said]:
        if isinstance(one, dict):
            values = one
        else:
            own = one
    return own, values
