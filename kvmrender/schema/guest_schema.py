"""The schema of a guest, put together from the parts beside the templates.

``templates/`` holds the parts: ``guest.schema.yaml``, which refers to the others, and one for each architecture.
They are JSON Schema (draft 2020-12) of the guest in full form, in YAML, with keywords of our own:

``shorthand``     what else may be written for a mapping: the key that a bare scalar stands for, or such keys by
                  patterns; ``true`` for an element that only exists or not, for which true and false will do; or a
                  list of these
``defaults``      cases, of which the first that holds gives the value of what is left out: see ``context.key_shapes``
``variants``      which keys go with which value of another: see ``_with_variants``
``only_on``       the architectures that have it; the parts of the others refuse it
``message``       what a ``pattern`` asks for, why something else refuses, or why keys are ``required``, in words
``rules``         what may not stand together: see ``checks.rules``
``since``         the libvirt that brought it, where that is newer than 9.0, or single values: see ``schema.versions``;
                  ``until`` the first that no longer has it, ``instead`` what there is where it is not, in words
``anchor``        the place in libvirt's reference
``extends``       the part, or parts, that this one is merged into: objects merge deeply, rules by
                  their ids, all else replaces
``facts``         what libvirt, import and the checks that are computed know of it. Of a device, the kinds of
                  ``addresses`` that it may have, by its fields; of controllers, what their ``models`` are. Of a field,
                  where it is ``written`` in the XML, if that is not an attribute or element of its name (of a list: of
                  its items' ``title``): a path from the element of its mapping, ``model/@name``, ``../@firmware``;
                  ``automatic``, values that libvirt gives by itself where it is left out, in full form (see
                  ``libvirt.tidying``); ``live``, what of an element only a running guest has: elements, and attributes
                  (``@id``); where there is a field of that name, the values that it refuses.
                  At the top of the part of an architecture, what that is: its ``names``, the canonical one first;
                  ``disk_buses``, the usual bus of each kind of disk; ``machine_buses``, the buses of its machines, by
                  patterns of their names; ``machine_kinds``, their kinds (q35, virt) by patterns;
                  ``machine_aliases``, which stands for the newest of those whose names begin so; ``serial_models``, the
                  models of its kinds of serial ports, the usual kind first; ``usb_controller``, who sees to one;
                  ``address_types`` and ``usual_addresses``, where its devices are; ``like``, an architecture that
                  it is like in all that its part does not say; ``acpi`` and ``gic``, features that known kinds of
                  machines have; ``without_balloon``, machines that have no place for one

A case of ``defaults`` has a ``value``, null for none, and says ``when``: a neighbour, or a key of one, is given
(``{source.dev: true}``), is not (``{firmware: false}``), or has one of some values (``{type: [vnc, spice]}``);
``/type`` is that of the guest. In place of a value stands, ``derived``, from what it is computed; ``from`` names the
fields, ``without`` is what is derived where none of these is given (left out: nothing that breaks a rule).

Standard keywords say the rest: ``writeOnly`` is a secret, which is shown nowhere but in the XML; ``format`` is ``xml``
for text that must be well-formed, ``memory`` for a size of memory, ``architecture`` and ``check`` for the names of
these; the ``title`` of the items of a list of devices is their element.
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

Node = dict[str, Any]
ENDING = ".schema.yaml"
ROOT = "guest" + ENDING
NAMED = ("properties", "$defs", "patternProperties", "dependentSchemas")
"""Keywords that hold nodes by names, which may look like keywords."""
VALUES = frozenset(
    ["const", "enum", "default", "defaults", "examples", "facts", "instead", "rules", "shorthand", "since", "until"]
)
"""Keywords that hold values, which may look like nodes."""
FREE: dict[str, Any] = {}
"""The node of what the schema leaves free, such as what is below ``vars``."""
DEEPEST = 3
"""How deep in a guest an element can be that only some architectures have."""


Steps = tuple["str | tuple[str, ...]", ...]
"""Keys, from which lists lead to all their items; those in a tuple may be repeated, or left out."""
PlacedRule = tuple[Steps, Node, Node, "tuple[str | tuple[str, ...], ...]"]
"""The place of the mappings that a rule is for, the rule, a case of it, and keys of which the guest must write one, or
all of several, for the case to find anything."""


class GuestSchema:
    """``root`` is the whole schema, self-contained; ``architectures`` maps canonical names to their parts;
    ``names`` maps every name of an architecture to the canonical one. ``is_shipped``: no part is of one's own.
    ``rules`` are those of all parts, if they are known already."""

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
        """The compiled schema. Raises ValueError for what is none."""
        return validator_of(self.root)

    def of_architecture(self, arch: str) -> Node:
        """Return the schema for guests of one architecture, in which keys that have a default may be missing."""
        properties, required = self.root["properties"], self.root["required"]
        needed = [key for key in required if "default" not in resolve(self.root, properties.get(key, {}))]
        rules = self.root["allOf"][: -len(self.architectures)]
        return {**self.root, "required": needed, "allOf": [*rules, self.architectures[arch]]}


def validator_of(schema: Node) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema. Raises ValueError for what is none."""
    import_module("decimal")  # jsonschema-rs does so too as it is imported, and panics if it is interrupted there
    from jsonschema_rs import Draft202012Validator, RegexOptions

    # Its own messages are not shown: without the mask each would hold the whole value that is wrong, written as JSON.
    return Draft202012Validator(schema, mask="", pattern_options=RegexOptions())  # patterns can't backtrack


def load_schema(
    read: Callable[[str], Node],
    names: Iterable[str],
    is_shipped: bool = True,
    vet: Callable[[dict[str, Node]], None] = lambda parts: None,
    checks: Mapping[str, str] | None = None,
) -> GuestSchema:
    """Put the schema together. ``read`` gives a part by its name, ``names`` are all the names there are; ``vet`` sees
    the parts before they are put together, with references into ``$defs`` of the whole, and may raise what it likes.
    ``checks`` are those that are no rules of these parts: by their ids, what holds where they find nothing.
    """
    parts: dict[str, Node] = {}

    def add(name: str) -> Node:
        if name not in parts:
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
    if isinstance(node, list):
        for item in node:
            yield from _all_rules(item)
    elif isinstance(node, dict):
        if isinstance(rules := node.get("rules"), list):
            yield from rules
        for key, item in node.items():
            if key not in VALUES:
                yield from _all_rules(item)


def _is_architecture(part: Node) -> bool:
    return "names" in part.get("facts", {})


def all_defs(parts: dict[str, Node]) -> dict[str, Node]:
    """Return the ``$defs`` of the whole: those of its root, and the other parts."""
    return {**parts[ROOT].get("$defs", {}), **{key_of(name): part for name, part in parts.items() if name != ROOT}}


def whole_part(name: str, read: Callable[[str], Node]) -> Node:
    """Return a part, merged into the one that it extends."""
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
    """Return the names of the parts that one is merged into, the lowest first."""
    names = part.get("extends", [])
    return [names] if isinstance(names, str) else names


def _of_others(root: Node, node: Node, arch: str, path: str = "", depth: int = 0) -> Iterator[tuple[str, list[str]]]:
    """Yield the keys (``features.gic``) that only other architectures have, and these architectures."""
    for name, place in node.get("properties", {}).items():
        child = resolve(root, place)
        if arch not in child.get("only_on", (arch,)):
            yield path + name, child["only_on"]
        elif depth < DEEPEST:
            yield from _of_others(root, child, arch, f"{path}{name}.", depth + 1)


def key_of(name: str) -> str:
    """Return the key of a part in the ``$defs`` of the whole."""
    return name.removesuffix(ENDING).replace("/", ".")


def _absolute(node: Any, name: str, add: Callable[[str], Node]) -> Any:
    """Return the node with its references to other parts turned into references into ``$defs``."""
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
    """Return the part that a reference in the part ``name`` leads to, and where in it."""
    file, _, fragment = reference.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name, fragment.rstrip("/")


def _with_variants(node: Node) -> Node:
    """Return a node with its ``variants`` written out as conditions of JSON Schema.

    ``{"type": [{"is": ["pci"], "allows": ["slot"], "requires": ["bus"], "properties": {…}}]}`` says of a mapping
    whose type is pci that it may have a slot, must have a bus, and what else holds of its properties. A key that
    any variant allows is only for those that do; other keys are for all. ``"is": []`` is a mapping without a type,
    ``"is": null`` one with a type that no other variant names. ``"source.dev"`` is the key dev of the mapping
    source, where that is given. A variant may have a ``since`` too.
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
                    continue  # the mapping that it is in is refused
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
    """Return the node that the last part of a key with dots is a property of, made where it is missing."""
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
    """Return a node with its ``$ref`` followed; what stands beside the reference wins."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = root
        for step in node["$ref"].removeprefix("#").split("/")[1:]:
            target = target[step]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node if isinstance(node, dict) else {}


def inner(root: Node, node: Node, step: str | int) -> Node:
    """Return the node of a key of what ``node`` describes, or of an item where it is a list; FREE if there is none."""
    child = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
    return FREE if child is None else resolve(root, child)


def parts(root: Node, node: Node, value: Any) -> Iterator[tuple[str | int, Node, Any]]:
    """Yield what is right inside a value that ``node`` describes: each key or position, its node, and the value."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inside:
        yield step, inner(root, node, step), item


def value_at(value: Any, path: Path, missing: Any = None) -> Any:
    """Return what stands at a path in a value, or what is given for where it is missing."""
    for step in path:
        try:
            value = value[step]
        except (LookupError, TypeError):
            return missing
    return value


def element_of(root: Node, name: str, node: Node) -> str:
    """Return the name of the element that a field is written as: that of a list is the ``title`` of its items."""
    return str(resolve(root, node["items"]).get("title", name)) if "items" in node else name


def variants_of(root: Node, node: Node) -> dict[str, list[Node]]:
    """Return the ``variants`` of a node, also of those that hold with it."""
    found: dict[str, list[Node]] = dict(node.get("variants", {}))
    for rule in node.get("allOf", ()):
        if "if" not in rule:
            for key, variants in variants_of(root, resolve(root, rule)).items():
                found[key] = [*found.get(key, ()), *variants]
    return found


def all_fields(root: Node, node: Node, path: Path = (), above: tuple[str, ...] = ()) -> Iterator[Path]:
    """Yield every field of a schema, without positions in lists."""
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
    """Return what stands in the schema at ``path``."""
    node: Any = root
    for step in path:
        node = node[step]
    return node
