"""The schema of a guest, assembled from the parts next to the templates.

``templates/`` holds the parts: ``guest.schema.yaml``, which refers to the others, and one for each architecture.
They are JSON Schema (draft 2020-12) of the guest in full form, in YAML, with keywords of our own:

``shorthand``     short forms of a mapping: the key that a scalar sets, or such keys by pattern; ``true`` for an element
                  that is present or not, for which true and false are accepted; or a list of these
``defaults``      cases of the default; the first whose condition holds applies: see ``context.key_shapes``
``variants``      keys that depend on the value of another key: see ``_with_variants``
``only_on``       the architectures that support it; the parts of the others refuse it
``message``       what a ``pattern`` requires, why another keyword refuses a value, or why keys are ``required``
``rules``         combinations of values that are not allowed: see ``rules.rules``
``since``         the libvirt version that introduced it, if newer than 9.0, or those of single values: see
                  ``schema.versions``; ``until`` is the first that no longer supports it, ``instead`` the alternative
``anchor``        anchor in libvirt's reference
``extends``       the part, or parts, that this one is merged into: objects merge recursively, rules by
                  their IDs, everything else replaces
``facts``         facts for import, drift and the checks in Python. Of a device, its address types (``addresses``), by
                  its fields; of controllers, facts about their ``models``. Of a field, its path in the XML
                  (``written``), if that is not an attribute or element of its name (of a list: of its items'
                  ``title``), from the element of its mapping, ``model/@name``, ``../@firmware``; ``automatic``, values
                  that libvirt sets itself if it is omitted, in full form (see ``libvirt.tidying``); ``live``, parts of
                  an element that only a running guest has: elements, and attributes (``@id``), or values if a field has
                  that name.
                  At the top level of an architecture's part: its ``names``, the canonical one first; ``disk_buses``,
                  the default bus of each type of disk; ``machine_buses``, the buses of its machines, by patterns of
                  their names; ``machine_kinds``, their kinds (q35, virt) by patterns; ``machine_aliases``, the alias of
                  the newest version, by prefix; ``serial_models``, the models of its types of serial ports, the default
                  type first; ``usb_controller``, how a guest gets one; ``address_types`` and ``usual_addresses``, the
                  address types of its devices; ``like``, an architecture whose facts apply by default; ``acpi`` and
                  ``gic``, default features of known kinds of machines; ``without_balloon``, machines that do not
                  support one

A case of ``defaults`` has a ``value``, null for none, and the condition ``when``: a neighbor key, or a key in one, is
given (``{source.dev: true}``), is not given (``{firmware: false}``), or has one of some values (``{type: [vnc,
spice]}``); ``/type`` is that of the guest. Instead of a value, ``derived`` states what the default is derived from;
``from`` names the fields, ``without`` is the result if none of these is given (if omitted: one that violates no rule),
and ``shape`` the result with true for what may be any value (if omitted: any value).

Standard keywords are used for the rest: ``writeOnly`` marks a secret, which is shown only in the XML; ``format`` is
``xml`` for text that must be well-formed, ``memory`` for a memory size, ``architecture`` and ``check`` for the names of
these; the ``title`` of the items of a list of devices is their element name.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kvmrender.errors import Path, listed

if TYPE_CHECKING:
    import jsonschema_rs

    from kvmrender.schema.known_parts import KnownParts

Node = dict[str, Any]
ENDING = ".schema.yaml"
ROOT = "guest" + ENDING
NAMED = ("properties", "$defs", "patternProperties", "dependentSchemas")
"""Keywords that map names to nodes; the names may look like keywords."""
VALUES = frozenset(
    ["const", "enum", "default", "defaults", "examples", "facts", "instead", "rules", "shorthand", "since", "until"]
)
"""Keywords that hold values, which may look like nodes."""
FREE: dict[str, Any] = {}
"""The node of unrestricted values, such as those below ``vars``."""
DEEPEST = 3
"""Maximum depth of an element that only some architectures support."""


Steps = tuple["str | tuple[str, ...]", ...]
"""Keys of a path, with list items implied; a tuple holds keys that may be repeated or omitted."""
PlacedRule = tuple[Steps, Node, Node, "tuple[str | tuple[str, ...], ...]"]
"""The place of the mappings that a rule is for, the rule, one of its cases, and keys, one or all of which the guest
must contain for the case to find anything."""


class GuestSchema:
    """``root`` is the whole schema, self-contained; ``architectures`` maps canonical names to their parts; ``names``
    maps every name of an architecture to its canonical name. ``is_shipped`` means without custom parts. ``rules`` are
    those of all parts, if known already."""

    def __init__(
        self,
        root: Node,
        architectures: dict[str, Node],
        names: dict[str, str],
        is_shipped: bool = True,
        rules: list[PlacedRule] | None = None,
    ) -> None:
        self.root, self.architectures, self.names, self.is_shipped = root, architectures, names, is_shipped
        self.rules = rules

    @cached_property
    def validator(self) -> jsonschema_rs.Draft202012Validator:
        """The compiled schema. Raises ValueError if it is invalid."""
        return validator_of(self.root)

    def of_architecture(self, arch: str) -> Node:
        """Return the schema for guests of one architecture, in which keys with a default are optional."""
        properties, required = self.root["properties"], self.root["required"]
        needed = [key for key in required if "default" not in resolve(self.root, properties.get(key, {}))]
        rules = self.root["allOf"][: -len(self.architectures)]
        return {**self.root, "required": needed, "allOf": [*rules, self.architectures[arch]]}


def validator_of(schema: Node) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema. Raises ValueError if it is invalid."""
    import_module("decimal")  # jsonschema-rs does this when it is imported, and panics if it is interrupted
    from jsonschema_rs import Draft202012Validator, RegexOptions

    # Its own messages are not shown: without the mask, each would contain the whole invalid value as JSON.
    return Draft202012Validator(schema, mask="", pattern_options=RegexOptions())  # patterns can't backtrack


def load_schema(
    read: Callable[[str], Node],
    names: Iterable[str],
    is_shipped: bool = True,
    vet: Callable[[dict[str, Node]], None] = lambda parts: None,
    checks: Mapping[str, str] | None = None,
    ready: KnownParts | None = None,
) -> GuestSchema:
    """Assemble the schema.

    ``read`` returns a part by name, ``names`` are all names. ``vet`` is called with the parts before they are
    assembled, with references already resolved to ``$defs`` of the whole, and may raise any exception. ``checks`` are
    descriptions of the checks that are not rules of these parts, by ID. ``ready`` has parts that are assembled already.
    """
    parts: dict[str, Node] = {}

    def add(name: str) -> Node:
        if name not in parts and ready and name in ready.parts:
            parts[name] = ready.parts[name]
            for other in ready.references[name].values():
                add(other)
        elif name not in parts:
            parts[name] = {}  # parts may refer to each other
            parts[name].update(_absolute(whole_part(name, read), name, add))
        return parts[name]

    add(ROOT)
    top = [name for name in sorted(names) if name.endswith(ENDING) and "/" not in name and _is_architecture(add(name))]
    vet(parts)
    architectures = {parts[name]["facts"]["names"][0]: parts[name] for name in top}
    root = dict(parts[ROOT])
    known = {name: first for first, part in architectures.items() for name in part["facts"]["names"]}
    root["properties"] = {**root["properties"], "arch": {**root["properties"]["arch"], "enum": list(known)}}
    if "ignore" in root["properties"]:
        rules = {rule["id"]: rule.get("description", "") for part in parts.values() for rule in _all_rules(part)}
        about = dict(sorted(({**(checks or {}), **rules}).items()))
        ignored = root["properties"]["ignore"]
        items = {**ignored["items"], "enum": [*about], "enumDescriptions": [*about.values()]}
        root["properties"]["ignore"] = {**ignored, "items": items}
    default = root["properties"]["arch"]["default"]
    root["allOf"] = [
        *root.get("allOf", ()),
        *(
            {
                "if": {
                    "properties": {"arch": {"enum": part["facts"]["names"]}},
                    "required": [] if default in part["facts"]["names"] else ["arch"],
                },
                "then": {"$ref": f"#/$defs/{key_of(first + ENDING)}"},
            }
            for first, part in architectures.items()
        ),
    ]
    root["$defs"] = all_defs(parts)
    devices = {key: resolve(root, node.get("items", node)).get("facts") for key, node in root["properties"].items()}
    for first, part in architectures.items():
        facts = part["facts"]
        like = known[facts.get("like", first)]
        others = architectures[like]["facts"]
        buses = {**others["disk_buses"], **facts.get("disk_buses", {})}
        part["facts"] = {**others, **facts, "disk_buses": buses, "devices": devices}
        for path, others in _of_others(root, root, like):
            inside, last = _inside(part, path)
            said = f"is only for {listed(others)} guests, not {first}"
            inside.setdefault("properties", {})[last] = {"not": {}, "message": said}
    return GuestSchema(root, architectures, known, is_shipped)


def _all_rules(node: Any) -> Iterator[Node]:
    """Yield the rules of all nodes of a part."""
    if isinstance(node, dict):
        if isinstance(rules := node.get("rules"), list):
            yield from rules
        node = [item for key, item in node.items() if key not in VALUES]
    for item in node:
        if isinstance(item, (dict, list)):
            yield from _all_rules(item)


def _is_architecture(part: Node) -> bool:
    return "names" in part.get("facts", {})


def all_defs(parts: dict[str, Node]) -> dict[str, Node]:
    """Return the ``$defs`` of the whole schema: those of its root, and the other parts."""
    return {**parts[ROOT].get("$defs", {}), **{key_of(name): part for name, part in parts.items() if name != ROOT}}


def whole_part(name: str, read: Callable[[str], Node]) -> Node:
    """Return a part merged into the one that it extends."""
    part = dict(read(name))
    if not (names := extended(part)):
        return part
    del part["extends"]
    whole: Node = {}
    for other in names:
        _merge(whole, whole_part(other, read))
    _merge(whole, part)
    return whole


def extended(part: Node) -> list[str]:
    """Return the names of the parts that a part extends, the lowest first."""
    names = part.get("extends", [])
    return [names] if isinstance(names, str) else names


def _of_others(root: Node, node: Node, arch: str, path: str = "", depth: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Yield the keys (``features.gic``) that only other architectures support, with these architectures."""
    for name, place in node.get("properties", {}).items():
        child = resolve(root, place)
        if arch not in child.get("only_on", (arch,)):
            yield path + name, child["only_on"]
        elif depth < DEEPEST:
            yield from _of_others(root, child, arch, f"{path}{name}.", depth + 1)


def key_of(name: str) -> str:
    """Return the key of a part in the ``$defs`` of the whole schema."""
    return name.removesuffix(ENDING).replace("/", ".")


def _absolute(node: Any, name: str, add: Callable[[str], Node]) -> Any:
    """Return a node with its references to other parts resolved to ``$defs``."""
    if isinstance(node, list):
        return [_absolute(item, name, add) for item in node]
    if not isinstance(node, dict):
        return node
    if "variants" in node and "properties" in node:
        node = _with_variants(node)
    result: Node = {}
    for key, item in node.items():
        if key in NAMED and isinstance(item, dict):
            result[key] = {inner: _absolute(child, name, add) for inner, child in item.items()}
        else:
            result[key] = item if key in VALUES else _absolute(item, name, add)
    if isinstance(reference := node.get("$ref"), str):
        target, fragment = target_of(name, reference)
        add(target)
        result["$ref"] = f"#{fragment}" if target == ROOT else f"#/$defs/{key_of(target)}{fragment}"
    return result


def target_of(name: str, reference: str) -> tuple[str, str]:
    """Return the part that a reference in the part ``name`` refers to, and the path in it."""
    file, _, fragment = reference.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name, fragment.rstrip("/")


def _with_variants(node: Node) -> Node:
    """Return a node with its ``variants`` converted to conditions of JSON Schema.

    ``{"type": [{"is": ["pci"], "allows": ["slot"], "requires": ["bus"], "properties": {…}}]}`` means: a mapping with
    type pci may have a slot, must have a bus, and its properties must match. A key that any variant allows is allowed
    only in those that list it; other keys are allowed in all. ``"is": []`` is a mapping without a type, ``"is": null``
    one with a type that no other variant names. ``"source.dev"`` is the key dev of the mapping source, if given. A
    variant may have a ``since`` too.
    """
    conditions = []
    for key, variants in node["variants"].items():
        special = {name for variant in variants for name in variant.get("allows", ())}
        owners = {
            name: " or ".join(
                words
                for variant in variants
                if name in variant.get("allows", ())
                for words in _owners(key, variant["is"])
            )
            for name in sorted(special)
        }
        every = [value for variant in variants for value in variant["is"] or ()]
        others: list[Node] = [] if any(variant["is"] is None for variant in variants) else [{"is": None}]
        for variant in [*variants, *others]:
            values = variant["is"]
            if values:
                when: Node = {"properties": {key: {"enum": values}}, "required": [key]}
            elif values is not None:
                when = {"not": {"required": [key]}}
            else:  # a value that no variant names
                when = {"properties": {key: {"not": {"enum": every}}}, "required": [key]}
            refused = {
                name: {"not": {}, "message": f"is only for {owners[name]}"}
                for name in sorted(special - set(variant.get("allows", ())))
            }
            then: Node = {"properties": {}}
            because = f"{key} is {' or '.join(values)}" if values else f"there is {'no ' if values == [] else ''}{key}"
            for name, refusal in refused.items():
                if name.partition(".")[0] in refused and "." in name:
                    continue  # the mapping that contains it is refused
                inside, last = _inside(then, name)
                inside.setdefault("properties", {})[last] = refusal
            for name in variant.get("requires", ()):
                inside, last = _inside(then, name)
                inside.setdefault("required", []).append(last)
                inside["message"] = because
            if "properties" in variant:
                _merge(then["properties"], variant["properties"])
            conditions.append({"if": when, "then": then})
    return {**node, "allOf": [*node.get("allOf", ()), *conditions]}


def _owners(key: str, values: list[str] | None) -> list[str]:
    if values is None:
        return [f"a mapping with {key}"]
    return [f"{key} {value}" for value in values] or [f"no {key}"]


def _inside(node: Node, name: str) -> tuple[Node, str]:
    """Return the node of the property named by the last part of a dotted key, created if missing."""
    *above, last = name.split(".")
    for step in above:
        node = node.setdefault("properties", {}).setdefault(step, {})
    return node, last


def _merge(into: Node, other: Node) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        elif key == "rules" and isinstance(value, list):
            into[key] = [*{rule["id"]: rule for rule in [*into.get(key, ()), *value]}.values()]
        else:
            into[key] = deepcopy(value)


def resolve(root: Node, node: Any) -> Node:
    """Return a node with its ``$ref`` resolved; keys next to the reference take precedence."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = root
        for step in node["$ref"].removeprefix("#").split("/")[1:]:
            target = target[step]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node if isinstance(node, dict) else {}


def inner(root: Node, node: Node, step: str | int) -> Node:
    """Return the node of a key, or of a list item, of the value that ``node`` describes; FREE if there is none."""
    child = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
    return FREE if child is None else resolve(root, child)


def parts(root: Node, node: Node, value: Any) -> Iterator[tuple[str | int, Node, Any]]:
    """Yield the children of a value that ``node`` describes: key or index, node, and value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inside:
        yield step, inner(root, node, step), item


def value_at(value: Any, path: Path, missing: Any = None) -> Any:
    """Return the value at a path, or the default that is given."""
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return missing
    return value


def element_of(root: Node, name: str, node: Node) -> str:
    """Return the element name of a field; that of a list is the ``title`` of its items."""
    return str(resolve(root, node["items"]).get("title", name)) if "items" in node else name


def variants_of(root: Node, node: Node) -> dict[str, list[Node]]:
    """Return the ``variants`` of a node, including those of nodes that it includes."""
    found: dict[str, list[Node]] = dict(node.get("variants", {}))
    for rule in node.get("allOf", ()):
        if "if" not in rule:
            for key, variants in variants_of(root, resolve(root, rule)).items():
                found[key] = [*found.get(key, ()), *variants]
    return found


def all_fields(root: Node, node: Node, path: Path = (), above: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield all fields of a schema, without list indices."""
    reference = node.get("$ref")
    if reference is not None:
        if reference in above:
            return
        above = (*above, reference)
    node = resolve(root, node)
    if "items" in node:
        yield from all_fields(root, node["items"], path, above)
    for key, child in node.get("properties", {}).items():
        yield (*path, key)
        yield from all_fields(root, child, (*path, key), above)


def node_at(root: Node, path: Iterable[str | int]) -> Any:
    """Return the schema's content at ``path``."""
    node: Any = root
    for step in path:
        node = node[step]
    return node
