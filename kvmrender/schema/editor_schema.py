"""The JSON Schema for editors: what users can write, including short forms."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from kvmrender.schema.guest_schema import GuestSchema, Node, resolve
from kvmrender.schema.secrets import public
from kvmrender.schema.shorthand import PRESENCE, QUANTITIES, forms, texts
from kvmrender.schema.versions import schema_of

PART_SCHEMA = Path(__file__).with_name("part_schema.json")
"""The file that describes schema parts."""
_FILLED = {"default", "defaults"}
_LEFT_ALONE = {"enum", "const", "default"}
_SHOWN = ("title", "description", "default")
_OWN = {"anchor", "defaults", "facts", "instead", "message", "only_on", "rules", "shorthand"}
_OWN |= {"since", "until", "variants"}
"""Keywords that editors do not know."""
_MAPS = {"properties", "$defs", "patternProperties"}
_SHORT = 40
"""Maximum length of a schema that is not longer than a reference to it."""


class HasSchema(Protocol):
    """An object with a schema of guests, such as an engine."""

    schema: GuestSchema


def editor_schema_text(engine: HasSchema, libvirt: str | None = None) -> str:
    """Return the schema for editors as JSON, for an engine's guests or for those of one libvirt version."""
    schema = schema_of(engine.schema, libvirt)
    return _text(_once(editor_schema(schema))) + "\n"


def _text(node: Any) -> str:
    return json.dumps(node, separators=(",", ":"), ensure_ascii=False)


def _once(schema: Node) -> Node:
    """Return a schema in which repeated subschemas occur once, in ``$defs``."""
    texts = {id(node): text for node in _nodes(schema) if len(text := _text(node)) > _SHORT}
    times = Counter(texts.values())
    names = {text: str(number) for number, text in enumerate(text for text in times if times[text] > 1)}
    shared: Node = {}

    def put(node: Any, is_node: bool = True) -> Any:
        if not isinstance(node, dict):
            return [put(item, is_node) for item in node] if isinstance(node, list) else node
        name = names.get(texts.get(id(node), ""), "") if is_node else ""
        if name in shared:
            return {"$ref": f"#/$defs/{name}"}
        if name:
            shared[name] = {}
        found = {key: item if key in _LEFT_ALONE else put(item, key not in _MAPS) for key, item in node.items()}
        if not name:
            return found
        shared[name] = found
        return {"$ref": f"#/$defs/{name}"}

    found: Node = put(schema)
    return {**found, "$defs": {**found["$defs"], **shared}}


def _nodes(node: Any, is_node: bool = True) -> Iterator[Node]:
    """Yield all nodes of a schema."""
    if isinstance(node, list):
        for item in node:
            yield from _nodes(item, is_node)
    elif isinstance(node, dict):
        if is_node:
            yield node
        for key, item in node.items():
            if key not in _LEFT_ALONE:
                yield from _nodes(item, key not in _MAPS)


def editor_schema(schema: GuestSchema) -> Node:
    """Return one self-contained JSON Schema (draft 2020-12) of what users can write, including short forms."""
    schema = public(schema)
    root = schema.root
    loose = _inside(root, root)
    filled = [name for part in schema.architectures.values() for name in part["properties"]]
    loose["required"] = [name for name in loose["required"] if name not in filled]
    loose["$defs"] = {name: _bare(_inside(part, root)) for name, part in root["$defs"].items()}
    return loose


def _inside(node: Node, root: Node) -> Node:
    """Return a node in which every value inside is extended by short forms, but not the node itself."""
    result: Node = {}
    for key, item in node.items():
        if key in _OWN:
            continue
        if key == "properties":
            result[key] = {name: _written(child, root) for name, child in item.items()}
        elif key == "$defs":
            result[key] = {name: _bare(_written(child, root)) for name, child in item.items()}
        elif key == "items":
            result[key] = _written(item, root)
        elif key == "required":
            result[key] = [name for name in item if not _is_filled(node.get("properties", {}).get(name), root)]
        elif key in _LEFT_ALONE:
            result[key] = item
        elif key == "allOf":
            result[key] = [_inside(child, root) for child in item if not _is_of_what_is_filled(child, node, root)]
        elif isinstance(item, list):
            result[key] = [_inside(child, root) if isinstance(child, dict) else child for child in item]
        else:
            result[key] = _inside(item, root) if isinstance(item, dict) else item
    return result


def _is_filled(node: Node | None, root: Node) -> bool:
    return bool(_FILLED & resolve(root, node).keys())


def _is_of_what_is_filled(condition: Node, node: Node, root: Node) -> bool:
    """Return whether a condition tests that a key with a default is missing."""
    missing = condition.get("if", {}).get("not", {}).get("required", ())
    return any(_is_filled(node.get("properties", {}).get(name), root) for name in missing)


def _written(node: Any, root: Node) -> Any:
    """Return the schema of what users can write for the full form of ``node``: this form, its short forms, and null."""
    if not isinstance(node, dict):
        return node
    target = resolve(root, node)
    if target.get("not") == {}:
        return {"description": target.get("message", "May not be given."), "type": "null"}
    full = _inside(node, root)
    if not target.keys() & {"type", "enum", "const"}:
        return full
    written: list[Any] = [_bare(full)]
    presence, shorthand = forms(target)
    if presence:
        written += [{"type": "boolean"}, {"enum": [word for word in PRESENCE if isinstance(word, str)]}]
    if target.get("format") in QUANTITIES:
        written.append({"type": ["integer", "string"]})
    if shorthand:
        keys = [shorthand] if isinstance(shorthand, str) else list(dict.fromkeys(shorthand.values()))
        written += [_written(target["properties"][key], root) for key in keys if key in target["properties"]]
    written += [{"type": "string", "pattern": text.pattern} for text in texts(target)]
    if target.get("type") == "array" and "items" in target:
        written.append(_written(target["items"], root))
    written += _scalars(target)
    keep = {key: target[key] for key in _SHOWN if key in target}
    return {**keep, "anyOf": [*written, {"type": "null"}]}


def _bare(node: Node) -> Node:
    """Return a node without annotations. They are given where it is used, since an editor shows those of both."""
    return {key: item for key, item in node.items() if key not in _SHOWN}


def _scalars(target: Node) -> list[Node]:
    """Return further scalars that the reader accepts: decimal strings, integers, true and false."""
    if target.get("type") == "integer":
        return [{"type": "string", "pattern": "^-?[0-9]+$"}]
    if target.get("type") == "string":
        return [{"type": ["integer", "boolean"] if target.get("format") == "boolean" else "integer"}]
    options = target.get("enum", ())
    booleans: list[Node] = [{"type": "boolean"}] if "yes" in options or "on" in options else []
    numbers = [int(option) for option in options if isinstance(option, str) and option.isdigit()]
    return booleans + ([{"enum": numbers}] if numbers else [])
