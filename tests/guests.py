"""Random guests generated from the schema, as strategies for hypothesis."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from contextlib import suppress
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from kvmrender.schema.guest_schema import GuestSchema, Node, resolve
from kvmrender.schema.versions import NEWEST, schema_of

CHARACTERS = st.characters(codec="utf-8")
FRAGMENTS = ["<a/>", "<x:a xmlns:x='urn:x' b='1'>t<x:c/></x:a>", "<a/><!-- b --><c>&lt;</c>"]
T = TypeVar("T")

VIRSH = shutil.which("virsh")
INSTALLED = tuple(
    map(int, subprocess.run([VIRSH, "--version"], capture_output=True, text=True, check=True).stdout.split("."))
    if VIRSH
    else ()
)
"""The installed libvirt's version."""
FOR = ".".join(map(str, INSTALLED)) or NEWEST
"""Default libvirt version of generated guests; fields that it does not support are not generated."""
NOT_DRAWN = {"name", "arch", "type", "vars", "extra", "machine", "namespace", "libvirt", "use"}
"""Top-level keys that are generated separately, or that do not concern libvirt."""

MOST_KEYS = 8
"""Maximum number of optional keys that are generated in a mapping: the time that libxml2 takes to validate an element
doubles with each optional attribute."""

with suppress(ImportError, AttributeError):  # older versions do not do this
    from hypothesis.internal.conjecture import providers

    # hypothesis draws constants from all loaded modules: guests would depend on the tests that ran before.
    providers._get_local_constants = providers.Constants


def draws(usual: int) -> settings:
    """Return how many guests to generate: a tenth of the number in CI, or ``KVMRENDER_EXAMPLES``, a number or "usual".
    They are the same in each run, unless there are more of them than usual."""
    asked = os.environ.get("KVMRENDER_EXAMPLES", str(usual // 10))
    examples = usual if asked == "usual" else int(asked)
    return settings(
        max_examples=examples,
        derandomize=examples <= usual,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def some(items: list[T]) -> list[T]:
    """Return every tenth item, or all if the usual number of guests is generated, for tests that take long for each."""
    return items if os.environ.get("KVMRENDER_EXAMPLES") == "usual" else items[::10]


def guests(
    schema: GuestSchema, keys: list[str] | None = None, most: int = 4, inside: int = MOST_KEYS, libvirt: str = FOR
) -> st.SearchStrategy[dict[str, Any]]:
    """Generate guests for a libvirt version in full form, with a maximum number of top-level keys (all if not given)
    and of optional keys in each mapping."""
    schema = schema_of(schema, libvirt)
    root = schema.root
    values = {
        key: _value(root, node, 0, inside)
        for key, node in root["properties"].items()
        if key not in NOT_DRAWN and (not keys or key in keys)
    }

    @st.composite
    def guest(draw: st.DrawFn) -> dict[str, Any]:
        drawn = {
            "name": "a",
            "arch": draw(st.sampled_from(list(schema.architectures))),
            "type": draw(st.sampled_from(["kvm", "qemu"])),
            "libvirt": libvirt,
        }
        for key in draw(st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=most, unique=True)):
            part = schema.architectures[drawn["arch"]]["properties"].get(key, {})
            if part.get("not") != {}:
                drawn[key] = _allowed(draw(values[key]), part)
        return drawn

    return guest()


def _allowed(value: Any, part: Node) -> Any:
    """Remove what the part of an architecture refuses."""
    if not isinstance(value, dict):
        return value
    inner = part.get("properties", {})
    return {
        key: _allowed(item, inner.get(key, {})) for key, item in value.items() if inner.get(key, {}).get("not") != {}
    }


def _value(root: Node, node: Node, depth: int, most: int) -> st.SearchStrategy[Any]:
    node = resolve(root, node)
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if "const" in node:
        return st.just(node["const"])
    kind = node.get("type")
    if isinstance(kind, list):
        return st.one_of([_value(root, {**node, "type": one}, depth, most) for one in kind])
    if kind == "integer":
        low, high = node.get("minimum", 0), node.get("maximum", 1 << 32)
        return st.integers(low, min(high, low + 64)) | st.integers(low, high)
    if kind == "string":
        if node.get("format") == "xml":
            return st.sampled_from(FRAGMENTS)
        pattern = re.sub(r"\$$", r"\\Z", node["pattern"])
        return st.from_regex(pattern, alphabet=CHARACTERS)
    if kind == "array":
        items = st.deferred(lambda: _value(root, node["items"], depth + 1, most))
        low = node.get("minItems", 0)
        return st.lists(items, min_size=low, max_size=max(low, min(3, node.get("maxItems", 3))))
    assert kind == "object", node
    return st.deferred(lambda: _mapping(root, node, depth, most))


def _variants(root: Node, node: Node) -> list[tuple[str, list[Node]]]:
    """Return the variants of a mapping, its own and those of parts that it includes."""
    parts = [node, *(resolve(root, part) for part in node.get("allOf", ()) if "$ref" in part)]
    return [found for part in parts for found in part.get("variants", {}).items()]


def _mapping(root: Node, node: Node, depth: int, most: int) -> st.SearchStrategy[dict[str, Any]]:
    properties: dict[str, Node] = node.get("properties", {})
    values = {name: _value(root, child, depth + 1, most) for name, child in properties.items()}

    @st.composite
    def mapping(draw: st.DrawFn) -> dict[str, Any]:
        required = set(node.get("required", ()))
        left_out: set[str] = set()
        drawn: dict[str, Any] = {}
        for by, every in _variants(root, node):
            if by in left_out:
                continue
            variants = every
            if by in drawn:
                named = [variant for variant in every if drawn[by] in (variant["is"] or ())]
                variants = named or [variant for variant in every if variant["is"] is None]
            elif by in required:
                variants = [variant for variant in every if variant["is"] != []]
            elif by not in properties:
                variants = [variant for variant in every if variant["is"] == []]
            variant = draw(st.sampled_from(variants))
            special = {name for other in every for name in other.get("allows", ())}
            left_out |= special - set(variant.get("allows", ()))
            required |= set(variant.get("requires", ()))
            if variant["is"]:
                drawn[by] = draw(st.sampled_from(variant["is"]))
            elif variant["is"] is None:
                required.add(by)
            else:
                left_out.add(by)
            for name, constraint in variant.get("properties", {}).items():
                if constraint.get("not") == {} or name not in properties:
                    left_out.add(name)
                if name not in left_out and (name in required or draw(st.booleans())):
                    narrow = _narrowed(root, properties[name], constraint)
                    drawn[name] = draw(_value(root, _without(root, narrow, name, left_out, required), depth + 1, most))
        free = [name for name in values if name not in drawn and name not in left_out and name not in required]
        few = draw(st.lists(st.sampled_from(free), unique=True, max_size=most)) if free and depth < 8 else []
        for name, value in values.items():
            if name not in drawn and name not in left_out and (name in required or name in few):
                if any(key.startswith(f"{name}.") for key in left_out | required):
                    value = _value(root, _without(root, properties[name], name, left_out, required), depth + 1, most)
                drawn[name] = draw(value)
        return drawn

    return mapping()


def _narrowed(root: Node, node: Node, constraint: Node) -> Node:
    """Return a node as narrowed by a variant, at any depth."""
    node, constraint = resolve(root, node), resolve(root, constraint)
    inner = {
        name: _narrowed(root, node.get("properties", {}).get(name, {}), child)
        for name, child in constraint.get("properties", {}).items()
    }
    rest = {} if constraint.get("additionalProperties") is False else node.get("properties", {})
    return {**node, **constraint, **({"properties": {**rest, **inner}} if inner else {})}


def _without(root: Node, node: Node, name: str, left_out: set[str], required: set[str]) -> Node:
    """Return the node of a key without the excluded keys inside it, and with required ones."""
    node = resolve(root, node)
    if node.get("type") != "object" or "properties" not in node:
        return node
    return {
        **node,
        "properties": {key: child for key, child in node["properties"].items() if f"{name}.{key}" not in left_out},
        "required": [
            *node.get("required", ()),
            *(key for key in node["properties"] if f"{name}.{key}" in required),
        ],
    }
