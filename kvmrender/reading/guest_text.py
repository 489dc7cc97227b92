"""Write guests as YAML or JSON that is read back unchanged; the inverse of ``parse``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import yaml

from kvmrender.errors import printable, visible

YAML, JSON = "yaml", "json"
WIDTH = 110
MOST_IN_A_LINE = 90
"""Maximum number of characters of a mapping or list that is written in one line."""
_TAG = "tag:yaml.org,2002:"


class _Guest(dict[str, Any]):
    """A mapping that is never written in one line."""


class _Dumper(yaml.SafeDumper):
    """Writes YAML in a common style: short mappings in one line, lists indented, and quotes only where this package's
    reader needs them."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


_Dumper.yaml_implicit_resolvers = {}
_Dumper.add_implicit_resolver(f"{_TAG}bool", re.compile(r"true\Z|false\Z"), list("tf"))
_Dumper.add_implicit_resolver(f"{_TAG}null", re.compile(r"(?:null)?\Z"), ["n", ""])
_Dumper.add_implicit_resolver(f"{_TAG}int", re.compile(r"-?(?:0|[1-9][0-9]{0,19})\Z"), list("-0123456789"))


def _collection(dumper: Any, value: Any) -> Any:
    is_mapping = isinstance(value, dict)
    node = (
        dumper.represent_mapping(f"{_TAG}map", value.items())
        if is_mapping
        else dumper.represent_sequence(f"{_TAG}seq", value)
    )
    inside = [item for pair in node.value for item in pair] if is_mapping else node.value
    is_short = sum(map(_length, inside)) < MOST_IN_A_LINE and (
        is_mapping or all(isinstance(item, yaml.ScalarNode) for item in inside)
    )
    node.flow_style = not inside or (is_short and not isinstance(value, _Guest))
    return node


def _length(node: Any) -> int:
    """Return the length of a node in one line; one that needs several lines is longer than any limit."""
    if isinstance(node, yaml.ScalarNode):
        return MOST_IN_A_LINE if "\n" in node.value else len(node.value) + 2
    if not node.flow_style:
        return MOST_IN_A_LINE
    return 2 + sum(_length(item) for pair in node.value for item in (pair if isinstance(pair, tuple) else (pair,)))


def _text(dumper: Any, value: str) -> Any:
    return dumper.represent_scalar(f"{_TAG}str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(dict, _collection)
_Dumper.add_representer(_Guest, _collection)
_Dumper.add_representer(list, _collection)
_Dumper.add_representer(str, _text)


def to_yaml(guest: dict[str, Any], comments: Iterable[str] = ()) -> str:
    """Return a guest as a YAML document, with comments before it, one per line."""

    def dumped(unicode: bool) -> str:
        return str(yaml.dump(_Guest(guest), Dumper=_Dumper, sort_keys=False, allow_unicode=unicode, width=WIDTH))

    text = dumped(unicode=True)
    if text != visible(text):
        text = dumped(unicode=False)  # with escapes
    return "".join(f"# {printable(comment)}\n" for comment in comments) + text


def to_json(guest: dict[str, Any], in_one_line: bool = False) -> str:
    """Return a guest as JSON, with a newline at its end."""
    return json.dumps(guest, indent=None if in_one_line else 2, ensure_ascii=False) + "\n"
