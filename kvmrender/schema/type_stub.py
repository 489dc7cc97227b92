"""Type stub of guests for type checkers: a TypedDict for each mapping, generated from the schema for editors."""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword
from typing import Any

from kvmrender.schema.editor_schema import HasSchema, editor_schema
from kvmrender.schema.guest_schema import Node, node_at
from kvmrender.schema.versions import schema_of

_HEAD = '''"""What a guest may say, short forms included. Made by ``kvmrender schema --types``: do not edit."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict
'''
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def type_stub(engine: HasSchema, libvirt: str | None = None) -> str:
    """Return the text of a stub file in which ``Guest`` is the type of what users can write, for an engine and
    optionally a libvirt version."""
    root = editor_schema(schema_of(engine.schema, libvirt))
    types = _Types(root)
    types.mapping(root, "Guest")
    return "\n\n".join([_HEAD, *types.classes.values()])


Types = dict[str, None]
"""The members of a union, in order."""


class _Types:
    """Types of nodes; ``classes`` are the texts of TypedDicts by name."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self.classes: dict[str, str] = {}
        self._known: dict[str, Types] = {}
        self._names: dict[str, str] = {}

    def mapping(self, node: Node, name: str) -> str:
        """Return the name of the TypedDict for a mapping; equal mappings share one."""
        if (text := str(node)) in self._names:
            return self._names[text]
        name += next(number for number in ("", *map(str, range(2, 100))) if name + number not in self.classes)
        self.classes[name], self._names[text] = "", name
        fields = {key: _union(self._of(inside, name + _camel(key))) for key, inside in node["properties"].items()}
        if all(key.isidentifier() and not iskeyword(key) for key in fields):
            lines = [f"class {name}(TypedDict, total=False):", *(f"    {key}: {of}" for key, of in fields.items())]
        else:
            pairs = (f'    "{key}": {of},' for key, of in fields.items())
            lines = [f'{name} = TypedDict("{name}", {{', *pairs, "}, total=False)"]
        self.classes[name] = "\n".join(lines) + "\n"
        return name

    def _of(self, node: Node, name: str) -> Types:
        if "enum" in node:
            return {f"Literal[{', '.join(map(_literal, node['enum']))}]": None}
        if "$ref" in node:
            return self._referred(node["$ref"])
        if "anyOf" in node:
            return _all(self._of(one, name) for one in node["anyOf"])
        kinds = node.get("type", ())
        return _all(self._of_kind(kind, node, name) for kind in ([kinds] if isinstance(kinds, str) else kinds))

    def _of_kind(self, kind: str, node: Node, name: str) -> Types:
        if kind == "object":
            return {self.mapping(node, name) if "properties" in node else "Mapping[str, object]": None}
        return {f"Sequence[{_union(self._of(node['items'], name))}]" if kind == "array" else _SCALARS[kind]: None}

    def _referred(self, reference: str) -> Types:
        if reference not in self._known:
            words = re.split(r"[./]", reference.removeprefix("#/").replace("$defs/", ""))
            name = _camel("_".join(dict.fromkeys(word for word in words if word not in ("devices", "domain"))))
            self._known[reference] = {name: None}
            self._known[reference] = self._of(node_at(self._root, reference.removeprefix("#/").split("/")), name)
        return self._known[reference]


def _camel(name: str) -> str:
    return "".join(f"{word[:1].upper()}{word[1:]}" for word in re.split(r"[\W_]+", name))


def _all(types: Iterable[Types]) -> Types:
    return {member: None for of_one in types for member in of_one}


def _union(types: Types) -> str:
    """Return the expression of a union; an empty one accepts any value."""
    return " | ".join(sorted(types, key="None".__eq__)) or "object"


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
