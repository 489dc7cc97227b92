"""Write guests as YAML or JSON that is read back unchanged; the inverse of ``parse``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

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


_PLAIN = re.compile(
    r"(?!\.\.\.)[A-Za-z0-9_/.](?:[A-Za-z0-9_/.+@%=-]|:(?=[A-Za-z0-9_/.+@%=-])|(?<![ :]) (?=[A-Za-z0-9_/.]))*", re.ASCII
)
"""Texts that are one line of safe characters, which need quotes only for what they could be mistaken for."""
_MISTAKEN = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]{0,19})", re.ASCII)


class _UnusualError(Exception):
    """A value that is left to PyYAML."""


class _Written(NamedTuple):
    """A value as YAML: its ``length`` as ``_length`` counts it, its text in a line of its own and ``within`` another
    (None if it needs several lines), and what a collection has ``inside``."""

    length: int
    alone: str | None
    within: str
    inside: list[tuple[str, _Written]] | None = None


def _scalar(value: Any) -> _Written:
    if value.__class__ is str:
        if not value or (_PLAIN.fullmatch(value) and _MISTAKEN.fullmatch(value)):
            return _Written(len(value) + 2, f"'{value}'", f"'{value}'")
        if not _PLAIN.fullmatch(value):
            return _unusual(value)
        return _Written(len(value) + 2, value, f"'{value}'" if ":" in value else value)
    if value.__class__ is bool:
        text = "true" if value else "false"
    elif value is None:
        text = "null"
    elif value.__class__ is int:
        text = str(value)
    else:
        raise _UnusualError
    return _Written(len(text) + 2, text, text)


@lru_cache(maxsize=1024)
def _unusual(value: str) -> _Written:
    alone = by_pyyaml({"x": value})
    if "\n" in alone[:-1] or not alone.isascii():
        raise _UnusualError
    within = by_pyyaml({"x": [value]}) if len(value) + 2 < MOST_IN_A_LINE else ""
    return _Written(len(value) + 2, alone.removeprefix("x: ")[:-1], within.removeprefix("x: [")[:-2])


def _written(value: Any, is_guest: bool = False) -> _Written:
    """Return a value in the form that ``_collection`` chooses. Raises _UnusualError."""
    if value.__class__ is dict:
        inside = [(_key(key), _written(item)) for key, item in value.items()]
        length = sum(len(key) + 2 + item.length for key, item in inside)
        if length < MOST_IN_A_LINE and not (is_guest and inside):
            text = f"{{{', '.join([f'{key}: {item.within}' for key, item in inside])}}}"
            return _Written(length + 2, text, text, inside)
        return _Written(MOST_IN_A_LINE, None, "", inside)
    if value.__class__ is list:
        inside = [("-", _written(item)) for item in value]
        length = sum([item.length for _, item in inside])
        if not inside or (length < MOST_IN_A_LINE and all(item.inside is None for _, item in inside)):
            text = f"[{', '.join([item.within for _, item in inside])}]"
            return _Written(length + 2, text, text, inside)
        return _Written(MOST_IN_A_LINE, None, "", inside)
    return _scalar(value)


def _key(key: Any) -> str:
    if key.__class__ is not str or ":" in key or not _PLAIN.fullmatch(key) or _MISTAKEN.fullmatch(key):
        raise _UnusualError
    return str(key)


def _lines(inside: list[tuple[str, _Written]], indent: str, lines: list[str], begun: str = "") -> None:
    """Add the lines of a collection, the first of which may be ``begun``. Raises _UnusualError."""
    for key, item in inside:
        start = begun or indent
        begun = ""
        name = key if key == "-" else f"{key}:"
        if item.alone is not None:
            line = f"{start}{name} {item.alone}"
            if len(line) > WIDTH:  # which may be broken
                raise _UnusualError
            lines.append(line)
        elif item.inside is not None and key == "-":
            _lines(item.inside, f"{indent}  ", lines, f"{start}- ")
        elif item.inside is not None:
            lines.append(f"{start}{name}")
            _lines(item.inside, f"{indent}  ", lines)


def to_yaml(guest: dict[str, Any], comments: Iterable[str] = ()) -> str:
    """Return a guest as a YAML document, with comments before it, one per line."""

    try:
        lines: list[str] = []
        of_guest = _written(guest, is_guest=True)
        _lines(of_guest.inside or [], "", lines)
        text = "\n".join([*lines, ""]) or f"{of_guest.alone}\n"
    except _UnusualError:
        text = by_pyyaml(guest)
    return "".join(f"# {printable(comment)}\n" for comment in comments) + text


def by_pyyaml(guest: dict[str, Any]) -> str:
    """Return a guest as PyYAML writes it, which ``to_yaml`` does faster for most."""

    def dumped(unicode: bool) -> str:
        return str(yaml.dump(_Guest(guest), Dumper=_Dumper, sort_keys=False, allow_unicode=unicode, width=WIDTH))

    text = dumped(unicode=True)
    return text if text == visible(text) else dumped(unicode=False)  # with escapes


def to_json(guest: dict[str, Any], in_one_line: bool = False) -> str:
    """Return a guest as JSON, with a newline at its end."""
    return json.dumps(guest, indent=None if in_one_line else 2, ensure_ascii=False) + "\n"
