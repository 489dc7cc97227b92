"""Read guest files, YAML or JSON, losing nothing: scalars as written, every position, no surprises.

YAML is read from the events of libyaml's parser, without YAML 1.1's guesses: ``true``, ``false``, ``null`` and
plain decimal integers are special, all else is a string. Keys are strings as written, a key given twice is an
error, tags other than those of these types are errors, and aliases can't swell a file beyond a bound.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath
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

from kvmrender.errors import GuestError, Path, Problem, nearest, printable

Position = tuple[int, int]
"""Line and column, both from 1."""

MAX_DEPTH = 64
"""Mappings and lists inside one another; libvirt's deepest element needs fewer than 20."""
ALIAS_FACTOR, ALIAS_MINIMUM = 10, 10_000
"""Aliases may stand for this many times as many values as the file has characters, or for the minimum."""

_Parser: Any = getattr(yaml, "CLoader", yaml.Loader)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,18})\Z")
_SPECIAL: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_TAG = "tag:yaml.org,2002:"
_UNREADABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


@dataclass(frozen=True)
class Source:
    """The text that guests were read from, and its name as it stands in messages."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def marks(self) -> dict[Path, tuple[Position, Position]]:
        """Where each key and value stands, by document number and path; only looked up when there is a problem."""
        marks: dict[Path, tuple[Position, Position]] = {}
        with suppress(_RefusedError):
            # YAML reads JSON too, but for the surrogate pairs in its escapes.
            _Reader(_SURROGATE.sub(r"\\u0041", self.text), marks).documents()
        return marks


@dataclass(frozen=True)
class Document:
    """One guest as written (any value, not yet checked), and which document of which source it is."""

    guest: Any
    source: Source
    number: int = 0

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return the problems, each with its file and the place of the nearest part of its path, in this order."""
        found = [self._located(problem, self.source.marks) for problem in problems]
        return sorted(found, key=lambda problem: (problem.line or 0, problem.column or 0))

    def _located(self, problem: Problem, marks: dict[Path, tuple[Position, Position]]) -> Problem:
        if not marks:
            return problem.at(self.source.name, None)
        here: Path = (self.number,)
        for part in problem.path:
            if (*here, part) in marks:
                here = (*here, part)
            elif part != 0:  # an element alone may stand for a list of one: skip the [0]
                break
        of_key, of_value = marks.get(here, ((1, 1), (1, 1)))
        at_key = problem.at_key and here[-1] == problem.path[-1]
        return problem.at(self.source.name, of_key if at_key else of_value)


def read(name: str, data: bytes) -> list[Document]:
    """Return the guests of a file's contents, in order; ``name`` is used in messages and tells JSON by its ending.

    Raises GuestError where the contents aren't UTF-8, YAML or JSON, hold a key twice, or hold no guest.
    """
    try:
        source = Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = data[: error.start]
        position = (before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
        message = f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        raise GuestError([Problem((), message).at(name, position)]) from None
    try:
        guests = _guests(source)
    except _RefusedError as refused:
        raise GuestError([Problem((), refused.message).at(name, refused.position)]) from None
    documents = [Document(guest, source, number) for number, guest in enumerate(guests)]
    empty = Problem((), "is empty: a guest is a mapping with at least a name")
    problems = [where for document in documents if document.guest is None for where in document.located([empty])]
    if problems or not documents:
        raise GuestError(problems or [empty.at(name, (1, 1))])
    return documents


def _guests(source: Source) -> list[Any]:
    suffix = FilePath(source.name).suffix
    if suffix == ".json":
        return [_read_json(source.text)]
    if suffix not in (".yaml", ".yml") and source.text.lstrip().startswith("{"):
        try:
            return [_read_json(source.text)]
        except _RefusedError:  # YAML's flow style looks like JSON too, and its reader says what is wrong
            pass
    return _Reader(source.text).documents()


class _RefusedError(Exception):
    """The text can't be read; says why and where."""

    def __init__(self, message: str, position: Position | None) -> None:
        super().__init__(message)
        self.message, self.position = message, position


class _Reader:
    """One pass over the events of a YAML text; ``marks``, if given, gets each path's (key, value) positions."""

    def __init__(self, text: str, marks: dict[Path, tuple[Position, Position]] | None = None) -> None:
        self.text, self.marks = text, marks
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.size = self.aliased = 0
        self.limit = max(ALIAS_MINIMUM, ALIAS_FACTOR * len(text))

    def documents(self) -> list[Any]:
        """Return the value of each document. Raises _RefusedError."""
        found: list[Any] = []
        try:
            self.next = _Parser(self.text).get_event
            while (event := self.next()).__class__ is not StreamEndEvent:
                if event.__class__ is DocumentStartEvent:
                    self.anchors = {}
                    event = self.next()
                    found.append(self.value(event, (len(found),), 0, event))
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            said = ", ".join(part for part in (error.context, error.problem) if part)
            raise _RefusedError(f"is not YAML: {said}", (mark.line + 1, mark.column + 1) if mark else None) from None
        except yaml.YAMLError as error:  # a character that YAML does not allow
            if not (match := _UNREADABLE.search(self.text)):
                raise _RefusedError(f"is not YAML: {error}", None) from None
            line = self.text.count("\n", 0, match.start()) + 1
            column = match.start() - self.text.rfind("\n", 0, match.start())
            said = f"character U+{ord(match[0]):04X} is not allowed in a file"
            raise _RefusedError(f"is not YAML: {said}", (line, column)) from None
        return found

    def value(self, event: Any, path: Path, depth: int, key: Any) -> Any:
        """Return the value that starts with ``event``; ``key`` is the event of its key, or itself."""
        kind = event.__class__
        self.size += 1
        if self.marks is not None:
            self.marks[path] = (_position(key), _position(event))
        if kind is ScalarEvent:
            result = _scalar(event)
            if event.anchor:
                self.anchors[event.anchor] = (result, 1)
            return result
        if kind is AliasEvent:
            return self.alias(event)
        if depth >= MAX_DEPTH:
            raise _RefusedError(f"is nested more than {MAX_DEPTH} deep", _position(event))
        is_mapping = kind is MappingStartEvent
        if event.tag not in (None, "!", _TAG + ("map" if is_mapping else "seq")):
            raise _bad_tag(event)
        before = self.size + self.aliased
        result = self.mapping(path, depth) if is_mapping else self.sequence(path, depth)
        if event.anchor:
            self.anchors[event.anchor] = (result, self.size + self.aliased - before + 1)
        return result

    def mapping(self, path: Path, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while (key := self.next()).__class__ is not MappingEndEvent:
            if key.__class__ is not ScalarEvent:
                raise _RefusedError("a key must be a string", _position(key))
            name = key.value
            if name in result:
                raise _RefusedError(f"key {printable(name)!r} is given twice", _position(key))
            result[name] = self.value(self.next(), (*path, name), depth + 1, key)
        return result

    def sequence(self, path: Path, depth: int) -> list[Any]:
        result: list[Any] = []
        while (event := self.next()).__class__ is not SequenceEndEvent:
            result.append(self.value(event, (*path, len(result)), depth + 1, event))
        return result

    def alias(self, event: Any) -> Any:
        if event.anchor not in self.anchors:
            hint = nearest(event.anchor, self.anchors)
            raise _RefusedError(f"alias *{event.anchor} has no anchor before it{hint}", _position(event))
        result, size = self.anchors[event.anchor]
        self.aliased += size
        if self.aliased > self.limit:
            raise _RefusedError(f"aliases stand for more than {self.limit:,} values", _position(event))
        return result


def _position(event: Any) -> Position:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _scalar(event: Any) -> Any:
    text: str = event.value
    if event.tag is not None and event.tag != "!":
        typed = event.tag.removeprefix(_TAG)
        value = text if typed == "str" else _plain(text)
        if typed not in ("str", "int", "bool", "null") or value.__class__.__name__ not in (typed, "NoneType"):
            raise _bad_tag(event)
        return value
    return _plain(text) if event.implicit[0] and event.tag is None else text


def _plain(text: str) -> Any:
    if text in _SPECIAL:
        return _SPECIAL[text]
    if _INTEGER.match(text):
        return int(text)
    return text or None  # `key:` with nothing behind it is null, as everywhere in YAML


def _bad_tag(event: Any) -> _RefusedError:
    tag = event.tag.replace(_TAG, "!!")
    return _RefusedError(f"tag {printable(tag)!r} is not allowed here", _position(event))


def _read_json(text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(pairs)
        if len(result) < len(pairs):
            seen: set[str] = set()
            for name, _ in pairs:
                if name in seen:
                    raise _RefusedError(f"key {printable(name)!r} is given twice", _second_key(text))
                seen.add(name)
        return result

    def number(written: str) -> int | str:
        return int(written) if _INTEGER.match(written) else written

    def refuse(constant: str) -> None:
        raise _RefusedError(f"is not JSON: {constant} is not a JSON number", None)

    if not text.strip():
        return None
    try:
        guest = json.loads(text, object_pairs_hook=unique, parse_int=number, parse_float=number, parse_constant=refuse)
    except json.JSONDecodeError as error:
        raise _RefusedError(f"is not JSON: {error.msg}", (error.lineno, error.colno)) from None
    except RecursionError:
        raise _RefusedError(f"is nested more than {MAX_DEPTH} deep", None) from None
    if text.count("{") + text.count("[") > MAX_DEPTH and _depth(guest) > MAX_DEPTH:
        raise _RefusedError(f"is nested more than {MAX_DEPTH} deep", None)
    return guest


def _second_key(text: str) -> Position | None:
    """Return where a key of a JSON text is given for the second time: YAML's reader stops there too."""
    try:
        _Reader(_SURROGATE.sub(r"\\u0041", text)).documents()
    except _RefusedError as refused:
        return refused.position
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
