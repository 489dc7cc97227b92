"""Parse YAML and JSON without loss: scalars as written, and all positions.

YAML is read from the events of libyaml's parser, without the implicit types of YAML 1.1: ``true``, ``false``, ``null``
and plain decimal integers are special, everything else is a string. Keys are strings as written. Duplicate keys and
tags other than those of these types are errors, and the expansion of aliases is limited.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    StreamEndEvent,
)

from kvmrender.errors import Path, brief, nearest

Position = tuple[int, int]
"""Line and column, both from 1."""
Marks = dict[Path, tuple[Position, Position]]
"""Positions of keys and values, by document number and path."""

MAX_DEPTH = 64
"""Maximum nesting of mappings and lists; libvirt's deepest element needs fewer than 20."""
ALIAS_FACTOR, ALIAS_MINIMUM, ALIAS_MANY = 10, 10_000, 100_000
"""Aliases may stand for the minimum, or for this many times as many values as the text has characters: but for more
than many only if the text has as many characters."""
TEXT_MINIMUM, TEXT_MANY = 1 << 20, 1 << 24
"""The same for the characters of these values."""
MAX_DIRECTIVES = 8
"""Maximum number of directives before a document; a guest needs none."""

_Parser: Any = getattr(yaml, "CLoader", yaml.Loader)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,19})\Z")
_SPECIAL: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_TAG = "tag:yaml.org,2002:"
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BRACKET = re.compile(r'[\[\]{}]|"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
"""A bracket of a JSON text, or a string, which may contain brackets."""
_BREAK = "\r\n\x85\u2028\u2029"
_QUOTE = 'a value that begins with {{, or has it between [ ] or { }, must be in quotes: "{{ … }}"'
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|#.*")
_OPENED = re.compile(r"(?<!\{)\{\{(?!\{)")
_MARK = re.compile(f"(?<![^{_BREAK}])\ufeff")
"""A byte order mark at the start of a line."""
_DIRECTIVES = re.compile(
    f"(?:(?<![^{_BREAK}])%[^{_BREAK}]*(?:[{_BREAK}][ \t]*(?:#[^{_BREAK}]*)?)*){{{MAX_DIRECTIVES + 1}}}"
)
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


class RefusedError(Exception):
    """The text can't be read; says why and where. ``unquoted`` says so without a word of the text: what stands at
    ``path``, as a whole value or as a key in one, may be a secret."""

    def __init__(
        self,
        message: str,
        position: Position | None,
        path: Path = (),
        unquoted: str | None = None,
        is_value: bool = True,
    ) -> None:
        super().__init__(message)
        self.message, self.position = message, position
        self.path, self.unquoted, self.is_value = path, unquoted or message, is_value


def from_yaml(text: str, marks: Marks | None = None) -> list[Any]:
    """Return the value of each YAML document of a text; ``marks``, if given, gets all positions.

    Raises RefusedError.
    """
    return _Reader(text, marks).documents()


def positions(text: str) -> Marks:
    """Return the positions of keys and values of a YAML or JSON text, as far as it can be read."""
    marks: Marks = {}
    with suppress(RefusedError):
        # YAML reads JSON too, but for the surrogate pairs in its escapes.
        from_yaml(_SURROGATE.sub(r"\\u0041", text), marks)
    return marks


class _Reader:
    """One pass over the events of a YAML text; ``marks``, if given, gets each path's (key, value) positions.

    ``anchors`` have values, the number of values in each and of characters in those, and a scalar as it was written.
    """

    def __init__(self, text: str, marks: Marks | None = None) -> None:
        self.text, self.marks = text, marks
        self.anchors: dict[str, tuple[Any, int, int, str | None]] = {}
        self.values = self.characters = self.aliased_values = self.aliased_characters = 0
        self.most_values, self.most_characters = (
            max(least, min(ALIAS_FACTOR * len(text), max(many, len(text))))
            for least, many in ((ALIAS_MINIMUM, ALIAS_MANY), (TEXT_MINIMUM, TEXT_MANY))
        )

    def documents(self) -> list[Any]:
        """Return the value of each document. Raises RefusedError."""
        _refuse_marks(self.text)
        if "%" in self.text and (found := _DIRECTIVES.search(self.text)):
            raise RefusedError(f"has more than {MAX_DIRECTIVES} directives", _place(self.text, found.start()))
        try:
            return self._documents()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            if mark and mark.index < len(self.text):
                # The parser looks ahead: what is refused before that place is said instead.
                with suppress(yaml.YAMLError):
                    _Reader(self.text[: mark.index], self.marks)._documents()
            said = ", ".join(part for part in (error.context, error.problem) if part)
            if mark and self.text[mark.index : mark.index + 1] == "\t":
                said = "a tab, where lines may be indented by spaces alone"
            elif mark and _is_unquoted(self.text, error.context_mark or mark, mark):
                said = _QUOTE
            raise RefusedError(f"is not YAML: {said}", (mark.line + 1, mark.column + 1) if mark else None) from None
        except UnicodeEncodeError:  # from a command line that is not UTF-8, where the rest is
            raise RefusedError("has half of a surrogate pair, which is not a character", None) from None
        except yaml.YAMLError as error:  # a character that YAML does not allow
            if not (match := _UNREADABLE.search(self.text)):
                raise RefusedError(f"is not YAML: {error}", None) from None
            said = f"character U+{ord(match[0]):04X} is not allowed in a file"
            raise RefusedError(f"is not YAML: {said}", _place(self.text, match.start())) from None

    def _documents(self) -> list[Any]:
        found: list[Any] = []
        self.next = _Parser(self.text).get_event
        while (event := self.next()).__class__ is not StreamEndEvent:
            if event.__class__ is DocumentStartEvent:
                self.anchors = {}
                event = self.next()
                found.append(self.value(event, (len(found),), 0, event))
        return found

    def value(self, event: Any, path: Path, depth: int, key: Any) -> Any:
        """Return the value that starts with ``event``; ``key`` is the event of its key, or itself."""
        kind = event.__class__
        self.values += 1
        if self.marks is not None:
            self.marks[path] = (_position(key), _position(event))
        if kind is ScalarEvent:
            result = _scalar(event, path)
            self.characters += len(event.value)
            if event.anchor:
                self.anchors[event.anchor] = (result, 1, len(event.value), event.value)
            return result
        if kind is AliasEvent:
            return self.alias(event, path)[0]
        if depth >= MAX_DEPTH:
            raise RefusedError(f"is nested more than {MAX_DEPTH} deep", _position(event))
        is_mapping = kind is MappingStartEvent
        if event.tag not in (None, "!", _TAG + ("map" if is_mapping else "seq")):
            raise _bad_tag(event, path)
        values, characters = self.values + self.aliased_values, self.characters + self.aliased_characters
        result = self.mapping(path, depth) if is_mapping else self.sequence(path, depth)
        if event.anchor:
            values = self.values + self.aliased_values - values + 1
            characters = self.characters + self.aliased_characters - characters
            self.anchors[event.anchor] = (result, values, characters, None)
        return result

    def mapping(self, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while (key := self.next()).__class__ is not MappingEndEvent:
            name = self.key(key, path)
            if name in result:
                raise _twice(name, _position(key), path)
            result[name] = self.value(self.next(), (*path, name), depth + 1, key)
        return result

    def key(self, event: Any, path: Path) -> str:
        if event.__class__ is AliasEvent and (name := self.alias(event, path)[3]) is not None:
            return name
        if event.__class__ is not ScalarEvent:
            begin = event.start_mark
            is_expression = (
                _is_unquoted(self.text, begin, begin) and "{{" in self.text[max(begin.index - 1, 0) : begin.index + 2]
            )
            raise RefusedError(
                f"is not YAML: {_QUOTE}" if is_expression else "a key must be a string", _position(event)
            )
        name = str(event.value)
        self.characters += len(name)
        if event.tag not in (None, "!", f"{_TAG}str"):
            raise _bad_tag(event, path)
        if event.anchor:
            self.anchors[event.anchor] = (_scalar(event, path), 1, len(name), name)
        return name

    def sequence(self, path: Path, depth: int) -> list[Any]:
        result: list[Any] = []
        while (event := self.next()).__class__ is not SequenceEndEvent:
            result.append(self.value(event, (*path, len(result)), depth + 1, event))
        return result

    def alias(self, event: Any, path: Path) -> tuple[Any, int, int, str | None]:
        if event.anchor not in self.anchors:
            hint = nearest(event.anchor, self.anchors)
            said = f"alias *{brief(event.anchor)} has no anchor before it{hint}"
            raise RefusedError(said, _position(event), path, "is an alias that has no anchor before it")
        found = self.anchors[event.anchor]
        self.aliased_values += found[1]
        self.aliased_characters += found[2]
        if self.aliased_values > self.most_values:
            raise RefusedError(f"aliases stand for more than {self.most_values:,} values", _position(event))
        if self.aliased_characters > self.most_characters:
            raise RefusedError(f"aliases stand for more than {self.most_characters:,} characters", _position(event))
        return found


def _is_unquoted(text: str, begin: Any, end: Any) -> bool:
    """Return whether lines of a text that can't be parsed have an expression that isn't in quotes."""
    lines = text.split("\n")[begin.line : end.line + 1]
    return any(_OPENED.search(_QUOTED.sub("", line)) for line in lines)


def _position(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _refuse_marks(text: str) -> None:
    if "\ufeff" in text and (found := _MARK.search(text)):
        raise RefusedError("has a byte order mark in the wrong place", _place(text, found.start()))


def _place(text: str, at: int) -> Position:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _scalar(event: Any, path: Path) -> Any:
    text: str = event.value
    if event.tag is not None and event.tag != "!":
        typed = event.tag.removeprefix(_TAG)
        value = text if typed == "str" else _plain(text)
        if typed not in ("str", "int", "bool", "null") or value.__class__.__name__ not in (typed, "NoneType"):
            raise _bad_tag(event, path)
        return value
    return _plain(text) if event.implicit[0] and event.tag is None else text


def _plain(text: str) -> Any:
    if text in _SPECIAL:
        return _SPECIAL[text]
    if _INTEGER.match(text):
        return int(text)
    return text or None  # `key:` with nothing behind it is null, as everywhere in YAML


def _bad_tag(event: Any, path: Path) -> RefusedError:
    tag = event.tag.replace(_TAG, "!!")
    return RefusedError(f"tag {brief(tag)!r} is not allowed here", _position(event), path, "has a tag")


def _twice(name: str, position: Position | None, path: Path) -> RefusedError:
    return RefusedError(f"key {brief(name)!r} is given twice", position, path, "has a key twice", is_value=False)


class _TwiceError(Exception):
    """A mapping has a duplicate key, which is the argument."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _TwiceError(name)
            seen.add(name)
    return result


def _number(written: str) -> int | str:
    return int(written) if _INTEGER.match(written) else written


def _refuse(constant: str) -> None:
    raise RefusedError(f"is not JSON: {constant} is not a JSON number", None)


_JSON = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_number, parse_float=_number, parse_constant=_refuse
).decode


def from_json(text: str) -> Any:
    """Return the value of a JSON text, None for an empty one. Raises RefusedError."""
    if not text.strip():
        return None
    _refuse_marks(text)
    try:
        guest = _JSON(text)
    except _TwiceError as twice:
        second = _second_key(text)
        raise _twice(twice.args[0], second.position if second else None, second.path if second else ()) from None
    except json.JSONDecodeError as error:
        _refuse_depth(text[: error.pos])
        raise RefusedError(f"is not JSON: {error.msg}", (error.lineno, error.colno)) from None
    except RecursionError:
        _refuse_depth(text)
        raise
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(guest) > MAX_DEPTH:
        _refuse_depth(text)
    return guest


def _refuse_depth(text: str) -> None:
    """Raise RefusedError if the brackets of a JSON text are nested too deep."""
    depth = 0
    for token in _BRACKET.finditer(text):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            raise RefusedError(f"is nested more than {MAX_DEPTH} deep", _place(text, token.start()))


def _second_key(text: str) -> RefusedError | None:
    """Return the error of the YAML reader for a JSON text with a duplicate key, which has its position."""
    try:
        from_yaml(_SURROGATE.sub(r"\\u0041", text))
    except RefusedError as refused:
        return refused
    return None


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            child
            for parent in level
            if isinstance(parent, (dict, list))
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
    return depth - 1
