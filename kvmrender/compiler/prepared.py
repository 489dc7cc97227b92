"""Precompiled form of the shipped schema and templates, created when a wheel is built or the package is installed.

It is data that all Python versions read, and does not depend on where it is created. Files that have changed since are
not used from it, so that an edited template takes effect. Custom templates are not precompiled.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

from kvmrender.compiler.specialise import Made
from kvmrender.schema.guest_schema import GuestSchema, Node
from kvmrender.templating.stack import SCHEMA, TEMPLATE, Stack, files_in

PACKAGE = Path(__file__).parents[1]
FILE = PACKAGE / "prepared.json"
_OF_RULE, _VERSIONS = ("id", "description", "level", "inside", "outside"), ("since", "until")
"""Keys of a rule that do not belong to its cases; and those of both."""


def prepared(stack: Stack) -> tuple[GuestSchema, Made]:
    """Return the schema of a stack and its precompiled templates. Raises TemplateError."""
    data = _data(stack.shipped)
    changed = {name for name, _ in data["files"].items() ^ dict(_checksums(stack.shipped)).items()}
    made = Made(*data["made"]).without(changed)
    is_same, own = not any(name.endswith(SCHEMA) for name in changed), stack.own_parts()
    if is_same and not own:
        return _schema(data), made
    from kvmrender.templating.schema_parts import guest_schema

    if not is_same:
        return guest_schema(stack), made
    from kvmrender.schema.known_parts import About, KnownParts

    parts, tops = json.loads(data["beside_own"])
    about = {name: About(*of) for name, of in parts.items()}
    return guest_schema(stack, KnownParts(_schema(data), about, tops, own)), made


def write() -> None:
    """Create the file."""
    from kvmrender.compiler.generator import Module
    from kvmrender.rules.rules import placed_rules, tops
    from kvmrender.templating.environment import Environment
    from kvmrender.templating.loader import loader
    from kvmrender.templating.schema_parts import about_shipped, guest_schema

    stack, made = Stack(), Made({}, {}, {}, {}, {})
    schema, module = guest_schema(stack), Module(Environment(loader(stack)), stack.is_shipped, made)
    for arch in schema.architectures:
        module.make(f"{arch}{TEMPLATE}")
    rules: Node = {}
    cases, about = [], []
    for place, rule, case, keys in placed_rules(schema):
        rules[rule["id"]] = {key: rule[key] for key in (*_OF_RULE, *_VERSIONS) if key in rule}
        about.append(tops(place, case))
        cases.append((place, rule["id"], {key: case[key] for key in case if key not in _OF_RULE}, keys))
    data = {
        "code": _code(),
        "files": dict(_checksums(stack.shipped)),
        "made": made,
        "root": schema.root,
        "architectures": [*schema.architectures],
        "rules": rules,
        "cases": cases,
        "beside_own": json.dumps([about_shipped(stack, schema), about]),  # a text: most starts don't need it
    }
    FILE.write_text(json.dumps(data, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _data(shipped: Path) -> dict[str, Any]:
    """Return the precompiled data, unless other code created it: in a checkout, the code may be edited too."""
    try:
        data: dict[str, Any] = json.loads(FILE.read_bytes())
    except (OSError, ValueError):
        data = {"code": None}
    if "root" in data and (shipped.is_relative_to(PACKAGE) or data["code"] == _code()):
        return data
    return {"files": {}, "made": [{}] * 5}


def _schema(data: dict[str, Any]) -> GuestSchema:
    root, rules = data["root"], data["rules"]
    cases = [(_steps(place), rules[rule], case, _steps(keys)) for place, rule, case, keys in data["cases"]]
    architectures = {arch: root["$defs"][arch] for arch in data["architectures"]}
    names = {name: arch for arch, part in architectures.items() for name in part["facts"]["names"]}
    return GuestSchema(root, architectures, names, rules=cases)


def _steps(found: list[Any]) -> tuple[Any, ...]:
    return tuple(tuple(step) if step.__class__ is list else step for step in found)


def _code() -> int:
    return crc32(repr([*_checksums(PACKAGE, (".py", ".yaml"))]).encode())


def _checksums(folder: Path, endings: tuple[str, ...] = (TEMPLATE, SCHEMA)) -> Iterator[tuple[str, int]]:
    for name, entry in files_in(str(folder)):
        if name.endswith(endings):
            with open(entry.path, "rb", buffering=0) as file:
                yield name, crc32(file.read())
