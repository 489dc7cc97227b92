"""Descriptions of fields from the schema, for ``explain`` and the field pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from kvmrender.errors import Error, Path, listed
from kvmrender.schema.guest_schema import GuestSchema, Node, resolve, variants_of
from kvmrender.schema.near_fields import key_hint
from kvmrender.schema.secrets import public
from kvmrender.schema.shorthand import QUANTITIES, forms, texts
from kvmrender.schema.versions import OLDEST, Fact, facts, of_values

BOOLEANS = ({"yes", "no"}, {"on", "off"})

_STEP = re.compile(r"\[[0-9]*\]")


@dataclass(frozen=True)
class Field:
    """A field of a guest: its path without list indices, and the schema nodes from the root to it.

    ``anchor`` is its anchor in libvirt's reference, or the nearest known one; ``reference`` is the shared definition of
    its fields, if any; ``overlays`` are the nodes of the field in the parts of architectures.
    """

    path: Path
    nodes: tuple[Node, ...]
    anchor: str
    reference: str | None
    overlays: tuple[tuple[str, Node], ...]
    root: Node

    @property
    def node(self) -> Node:
        """The schema node of the field."""
        return self.nodes[-1]

    @cached_property
    def item(self) -> Node:
        """The node of an item, if the field is a list, otherwise of the field."""
        return _item(self.root, self.node)

    @property
    def name(self) -> str:
        """The field as users write it, with brackets for lists: ``disks[].driver.cache``."""
        parts = [
            f"{step}[]" if node.get("type") == "array" and step is not self.path[-1] else str(step)
            for step, node in zip(self.path, self.nodes[1:], strict=True)
        ]
        return ".".join(parts)

    def children(self) -> Iterator[Field]:
        """Yield the fields inside this one."""
        for name, place in self.item.get("properties", {}).items():
            yield self.child(name, place)

    def child(self, name: str, place: Node) -> Field:
        """Return a field inside this one; ``place`` is its step in the schema."""
        overlays = [
            (arch, resolve(self.root, node["properties"][name]))
            for arch, node in self.overlays
            if name in node.get("properties", {})
        ]
        node, inner = resolve(self.root, place), _item(self.root, place)
        reference = place.get("$ref") or node.get("items", {}).get("$ref")
        place_of_part = (reference or "").split("/")[2:3]  # no path for "#", a guest inside a guest
        part = self.root["$defs"].get(place_of_part[0], {}) if place_of_part else {}
        anchor = next((found["anchor"] for found in (node, inner, part) if "anchor" in found), self.anchor)
        shared = reference if "properties" in inner else None
        return Field((*self.path, name), (*self.nodes, node), anchor, shared, tuple(overlays), self.root)

    @property
    def description(self) -> str:
        """The description."""
        return str(self.node.get("description") or self.item.get("description") or self.item.get("title", ""))

    @property
    def kind(self) -> str:
        """The type of its values."""
        return f"list of {_kind(self.item)}s" if self.node.get("type") == "array" else _kind(self.node)

    @property
    def values(self) -> str:
        """The accepted values."""
        said = _values(self.item)
        limits = [
            f"{word} {self.node[key]}"
            for key, word in (("minItems", "at least"), ("maxItems", "at most"))
            if key in self.node
        ]
        return f"{said} ({listed(limits)} of them)" if limits else said

    @property
    def words(self) -> list[str]:
        """The words that it takes, also beside other values of its neighbours."""
        if "check" in (self.item.get("format"), self.node.get("format")):
            return []
        above = _item(self.root, self.nodes[-2]) if len(self.nodes) > 1 else {}
        more = [
            resolve(self.root, variant.get("properties", {}).get(self.path[-1], {}))
            for variants in variants_of(self.root, above).values()
            for variant in variants
        ]
        return [*map(str, (word for node in (self.item, *more) for word in node.get("enum", ())))]

    @property
    def default(self) -> list[str]:
        """The default; empty if there is none."""
        said: dict[str, list[str]] = {}
        for arch, node in self.overlays:
            for default in _defaults(node):
                said.setdefault(default, []).append(arch)
        return [*_defaults(self.node), *(f"{default} on {listed(archs)}" for default, archs in said.items())]

    @property
    def shorthand(self) -> list[str]:
        """The short forms of the field, and those of which it is the main value."""
        name, (presence, short) = self.path[-1] if self.path else "", forms(self.item)
        found = []
        if isinstance(short, str):
            found.append(f"{name}: VALUE means {name}: {{{short}: VALUE}}")
        elif short:
            found += (
                f"{name}: VALUE means {name}: {{{key}: VALUE}} if VALUE matches {pattern}"
                for pattern, key in short.items()
                if pattern
            )
        found += (f"{name}: {text.shown} means {name}: {text.shown_mapping}" for text in texts(self.item))
        if isinstance(short, dict) and "" in short:
            found.append(f"any other means {name}: {{{short['']}: VALUE}}")
        if presence:
            found.append(f"{name}: true means {name}: {{}}, and false leaves it out")
        if self.item.get("format") in QUANTITIES:
            found.append(f"{name}: 512 and {name}: 512 MiB mean {name}: {{unit: MiB, text: 512}}")
        if self.node.get("type") == "array":
            found.append("one alone may stand without the list")
        above = forms(_item(self.root, self.nodes[-2]))[1] if len(self.nodes) > 1 else None
        if len(self.path) > 1 and name in (above.values() if isinstance(above, dict) else [above]):
            found.append(f"{self.path[-2]}: VALUE means {self.path[-2]}: {{{name}: VALUE}}")
        return found

    @property
    def since(self) -> str:
        """The libvirt versions that support it, and those of single values that differ."""
        own = next((fact.since for fact, _ in map(facts, reversed(self.nodes)) if fact.since), "")
        dropped = next((fact.until for fact, _ in map(facts, reversed(self.nodes)) if fact.until), "")
        said = f"libvirt {own}" if own else f"libvirt {OLDEST} or earlier"
        said += f", until {dropped}" if dropped else ""
        same: dict[str, list[str]] = {}
        for value, fact in self.versions_of_values().items():
            words = [fact.since] if fact.since else []
            words += [f"until {fact.until}"] if fact.until else []
            same.setdefault(", ".join(words), []).append(value)
        of_values = [f"{listed(values)}: {words}" for words, values in same.items()]
        return f"{said} ({', '.join(of_values)})" if of_values else said

    def versions_of_values(self) -> dict[str, Fact]:
        """Return the versions of single values."""
        above = _item(self.root, self.nodes[-2]) if len(self.nodes) > 1 else {}
        named = variants_of(self.root, above).get(str(self.path[-1]), []) if self.path else []
        return {**facts(self.item)[1], **facts(self.node)[1], **dict(of_values(named))}

    @property
    def only(self) -> list[str]:
        """Conditions under which the field is allowed."""
        found = []
        architectures = next(
            (
                node["only_on"]
                for above in reversed(self.nodes)
                for node in (above, _item(self.root, above))
                if "only_on" in node
            ),
            None,
        )
        if architectures:
            found.append(f"on {listed(architectures, 'or')}")
        for depth, above in enumerate(self.nodes[:-1]):
            name = ".".join(map(str, self.path[depth:]))
            for key, variants in variants_of(self.root, _item(self.root, above)).items():
                owners = [variant["is"] for variant in variants if name in variant.get("allows", ())]
                if owners:
                    of = f"{'.'.join(map(str, self.path[:depth]))}." if depth < len(self.path) - 1 else ""
                    found.append(f"where {of}{key} {_one_of(owners)}")
        return found

    @property
    def is_required(self) -> bool:
        """Whether the field must be given: it is required and has no default."""
        required = self.path[-1] in _item(self.root, self.nodes[-2]).get("required", ())
        return required and not self.default

    @property
    def required_where(self) -> list[str]:
        """Where it must be given: by values of its neighbours, or of those of what it is in."""
        found = []
        for depth, above in enumerate(self.nodes[:-1]):
            name = ".".join(map(str, self.path[depth:]))
            for key, variants in variants_of(self.root, _item(self.root, above)).items():
                if owners := [variant["is"] for variant in variants if name in variant.get("requires", ())]:
                    of = f"{'.'.join(map(str, self.path[:depth]))}." if depth < len(self.path) - 1 else ""
                    found.append(f"where {of}{key} {_one_of(owners)}")
        return found

    @property
    def is_secret(self) -> bool:
        """Whether the value is secret, that is, shown only in the XML."""
        return any("writeOnly" in node for node in self.nodes)


def whole(schema: GuestSchema) -> Field:
    """Return the field of the guest itself, whose children are all fields at the top level."""
    schema = public(schema)
    overlays = tuple((arch, part) for arch, part in schema.architectures.items())
    return Field((), (schema.root,), "", None, overlays, schema.root)


def field_at(schema: GuestSchema, written: str) -> Field:
    """Return the field for a path such as ``disks[0].driver.cache``; indices are optional. Raises Error."""
    found = whole(schema)
    for step in filter(None, _STEP.sub("", written).split(".")):
        children = {str(child.path[-1]): child for child in found.children()}
        if step not in children:
            raise Error(f"{written}: {_no_such(step, found, children)}")
        found = children[step]
    return found


def _no_such(step: str, above: Field, children: dict[str, Field]) -> str:
    where = above.name or "a guest"
    if not children:
        return f"{where} has no fields in it"
    return f"{step!r} is not a field of {where}{key_hint(above.root, above.path, step, children)}"


def _item(root: Node, place: Node) -> Node:
    node = resolve(root, place)
    while node.get("type") == "array":
        node = resolve(root, node.get("items", {}))
    return node


def _kind(node: Node) -> str:
    if node.get("format") in QUANTITIES:
        return "size of memory"
    if node.get("type") == "object":
        return "presence" if forms(node)[0] and "properties" not in node else "mapping"
    if node.get("type") == ["string", "object"]:
        return "text or mapping"
    if "enum" in node or "const" in node:
        return "boolean" if set(node.get("enum", ())) in BOOLEANS else "word"
    return {"integer": "number", "string": "XML" if node.get("format") == "xml" else "text"}.get(
        str(node.get("type")), "anything"
    )


def _values(node: Node) -> str:
    if node.get("format") in QUANTITIES:
        return "a whole number of MiB, or a number with a unit, such as 4 GiB; or a mapping"
    if "const" in node:
        return str(node["const"])
    if node.get("format") == "check":
        return "ids of checks"
    if "enum" in node:
        known = set(node["enum"])
        return ", ".join(map(str, node["enum"])) + (" (or true, false)" if known in BOOLEANS else "")
    if node.get("type") == "integer":
        lowest, highest = node.get("minimum"), node.get("maximum")
        return (
            " ".join(
                [
                    *([f"from {lowest}"] if lowest is not None else []),
                    *([f"to {highest}"] if highest is not None else []),
                ]
            )
            or "any"
        )
    if "properties" in node:
        return "its fields"
    if forms(node)[0]:
        return "true, false"
    if "message" in node:
        return str(node["message"])
    return "well-formed XML" if node.get("format") == "xml" else "any"


def _defaults(node: Node) -> Iterator[str]:
    """Yield what a node defines for an omitted value."""
    cases = [*node.get("defaults", ()), *([{"value": node["default"]}] if "default" in node else [])]
    by_keys: dict[tuple[str, str], list[str]] = {}
    """Neighbor keys from which a value is derived."""
    for case in cases:
        for neighbour in case.get("when", ()):
            name, _, key = neighbour.partition(".")
            if key:
                value = f"derived from {case['derived']}" if "derived" in case else _flow(case["value"])
                by_keys.setdefault((name, value), []).append(key)
    for (name, value), keys in by_keys.items():
        yield f"{value} where {name} has {listed(keys, 'or')}"
    for case in cases:
        when = case.get("when", {})
        if "derived" in case and not when:
            yield f"derived from {case['derived']}"
        elif case.get("value") is not None and not any("." in name for name in when):
            kinds = "".join(f" with type {_either(kind)}" for name, kind in when.items() if name == "/type")
            wanted = [f"{name} is {_either(value)}" for name, value in when.items() if name != "/type"]
            other = "else " if by_keys else ""
            yield f"{other}{_flow(case['value'])}{kinds}" + (f" where {listed(wanted)}" if wanted else "")


def _either(wanted: Any) -> str:
    if isinstance(wanted, bool):
        return "given" if wanted else "not given"
    return listed(wanted, "or") if isinstance(wanted, list) else str(wanted)


def _flow(value: Any) -> str:
    """Format a value as in a guest file, where yes and 3 are also accepted as text."""
    if not isinstance(value, (dict, list)):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False).strip()


def _one_of(owners: list[list[str] | None]) -> str:
    """Describe values of a key: ``is a or b``, ``is not given``."""
    values = [value for owner in owners for value in owner or ()]
    said = [f"is {listed(values, 'or')}"] if values else []
    said += ["is not given"] if [] in owners else []
    said += ["is another"] if None in owners else []
    return " or ".join(said)
