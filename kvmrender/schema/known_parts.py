"""What is known of the shipped schema beforehand, for a schema with custom parts.

A custom part changes itself, the parts that extend it, and the fields that lead to these by references. All else is as
in the shipped schema: other parts are assembled already, and their rules have places and triggers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from kvmrender.schema.guest_schema import ENDING, ROOT, GuestSchema, Node, PlacedRule, key_of, resolve


class About(NamedTuple):
    """Names of the parts that a shipped part extends, directly or not, its references, the depth of its fields, and
    their number."""

    extends: list[str]
    references: list[str]
    depth: int
    fields: int


def references_of(node: Any) -> list[str]:
    """Return the references of a node, in no particular order."""
    found: list[str] = []
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node.__class__ is dict:
            if (reference := node.get("$ref")).__class__ is str:
                found.append(reference)
            waiting += node.values()
        elif node.__class__ is list:
            waiting += node
    return found


class KnownParts:
    """The shipped schema beside custom parts, whose names are ``own``. ``about`` are the parts of ``schema``, ``tops``
    the keys of a guest that the triggers of each of its rules depend on."""

    def __init__(
        self, schema: GuestSchema, about: dict[str, About], tops: list[list[str]], own: Collection[str]
    ) -> None:
        self._schema = schema
        self.rules: list[tuple[PlacedRule, list[str]]] = [*zip(schema.rules or (), tops, strict=True)]
        own, names = (
            {*own, ROOT, *(arch + ENDING for arch in schema.architectures)},
            {key_of(one): one for one in about},
        )
        self.references: dict[str, dict[str, str]] = {
            name: {one: names.get(_key(one), ROOT) for one in references}
            for name, (extends, references, *_) in about.items()
            if own.isdisjoint((name, *extends))
        }
        """References of the parts that are the same, by name, each with the name of the part that it leads to."""
        self.parts: dict[str, Node] = {name: schema.root["$defs"][key_of(name)] for name in self.references}
        """The parts that are the same, assembled."""
        whole = self.references
        while more := {name for name in whole if not whole.keys() >= {*whole[name].values()}}:
            whole = {name: whole[name] for name in whole.keys() - more}
        self.sizes: dict[int, tuple[int, int]] = {id(self.parts[name]): about[name][-2:] for name in whole}
        """Depth and number of the fields of those parts that lead only to parts that are the same, by identity."""
        self._same = {key_of(name) for name in whole}

    def same_keys(self, schema: GuestSchema) -> set[str]:
        """Return the keys of a guest below which a schema with these parts has the same fields on all architectures."""
        before, now = {"": self._schema.root, **self._schema.architectures}, {"": schema.root, **schema.architectures}
        pairs = [(before.get(arch, {}), now.get(arch, {})) for arch in before.keys() | now.keys()]
        if any(_forms(old) != _forms(new) for old, new in pairs):
            return set()
        found: dict[str, list[Node]] = {}
        for key in self._schema.root["properties"].keys() & schema.root["properties"].keys():
            nodes = [[of.get("properties", {}).get(key) for of in pair] for pair in pairs]
            if all(old == new and self._same.issuperset(map(_key, references_of(new))) for old, new in nodes):
                found[key] = [resolve(schema.root, node) for node, _ in nodes]
        return {key for key, nodes in found.items() if found.keys() >= {*_neighbours(nodes)}}


def _key(reference: str) -> str:
    """Return the key of the part that a reference leads to; empty for the whole guest."""
    return reference.removeprefix("#/$defs/").partition("/")[0] if reference.startswith("#/$defs/") else ""


def _forms(whole: Node) -> list[Any]:
    """Return what decides, besides the properties of a whole guest, what its fields are and how they are written."""
    rules = [rule for rule in whole.get("allOf", ()) if "if" not in rule]
    return [rules, *map(whole.get, ("$ref", "format", "items", "shorthand", "variants"))]


def _neighbours(nodes: Iterable[Node]) -> Iterator[str]:
    """Yield the keys of a guest on which the defaults of a key depend."""
    for node in nodes:
        for case in node.get("defaults", ()):
            yield from (name.partition(".")[0] for name in case.get("when", {}) if name != "/type")
