"""The schema of a guest, put together from the parts beside the templates.

``templates/`` holds the parts: ``guest.schema.json``, which refers to the others, and one for each architecture.
They are JSON Schema (draft 2020-12) of the guest in full form, with annotations of our own:

``shorthand``        the property that a bare scalar stands for, or a mapping of patterns to properties
``presence``         an element that only exists or not: true and false will do
``quantity``         what kind of quantity a bare scalar is (``memory``)
``default_by_type``  default by the guest's type (kvm or qemu)
``default_from``     default by the keys that a neighbour has: ``{"source": {"dev": "block"}}``
``derived``          computed where it is left out; says from what
``expected``         what a pattern asks for, in words
``refusal``          why ``not`` refuses, in words
``xml``              a string that must be well-formed XML
``architecture``     at the top of a part: the names of an architecture, the canonical one first
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from kvmrender.errors import TemplateError

Node = dict[str, Any]
ENDING = ".schema.json"
ROOT = "guest" + ENDING


@dataclass(frozen=True)
class GuestSchema:
    """``root`` is the whole schema, self-contained; ``architectures`` maps canonical names to their parts;
    ``names`` maps every name of an architecture to the canonical one."""

    root: Node
    architectures: dict[str, Node]
    names: dict[str, str]


def load_schema(read: Callable[[str], str], names: Iterable[str]) -> GuestSchema:
    """Put the schema together. ``read`` gives the text of a part by its name, ``names`` are all the names there are.

    Raises TemplateError for a part that is missing or isn't JSON.
    """
    parts: dict[str, Node] = {}

    def add(name: str) -> Node:
        if name not in parts:
            parts[name] = {}  # parts may refer to each other
            try:
                parts[name].update(_absolute(json.loads(read(name)), name, add))
            except ValueError as error:
                line = error.lineno if isinstance(error, json.JSONDecodeError) else None
                raise TemplateError(f"is not JSON: {error}", name, line) from None
        return parts[name]

    root = dict(add(ROOT))
    architectures: dict[str, Node] = {}
    for name in sorted(names):
        if name.endswith(ENDING) and "/" not in name and "architecture" in (part := add(name)):
            architectures[part["architecture"][0]] = part
    known = {name: first for first, part in architectures.items() for name in part["architecture"]}
    root["properties"] = {**root["properties"], "arch": {**root["properties"]["arch"], "enum": list(known)}}
    root["allOf"] = [
        {
            "if": {
                "properties": {"arch": {"enum": part["architecture"]}},
                "required": [] if root["properties"]["arch"]["default"] in part["architecture"] else ["arch"],
            },
            "then": {"$ref": f"#/$defs/{_key(first + ENDING)}"},
        }
        for first, part in architectures.items()
    ]
    root["$defs"] = {_key(name): part for name, part in parts.items() if name != ROOT}
    return GuestSchema(root, architectures, known)


def _key(name: str) -> str:
    return name.removesuffix(ENDING).replace("/", ".")


def _absolute(node: Any, name: str, add: Callable[[str], Node]) -> Any:
    """Return the node with its references to other parts turned into references into ``$defs``."""
    if isinstance(node, list):
        return [_absolute(item, name, add) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _absolute(item, name, add) for key, item in node.items()}
    if isinstance(reference := node.get("$ref"), str):
        file, _, fragment = reference.partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
        add(target)
        result["$ref"] = f"#{fragment}" if target == ROOT else f"#/$defs/{_key(target)}{fragment}"
    return result


def resolve(root: Node, node: Any) -> Node:
    """Return a node with its ``$ref`` followed; what stands beside the reference wins."""
    while isinstance(node, dict) and "$ref" in node:
        target: Any = root
        for step in node["$ref"].removeprefix("#").split("/")[1:]:
            target = target[step]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
    return node if isinstance(node, dict) else {}


def node_at(root: Node, path: Iterable[str | int]) -> Any:
    """Return what stands in the schema at ``path``."""
    node: Any = root
    for step in path:
        node = node[step]
    return node
