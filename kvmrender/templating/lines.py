"""Mapping of lines of XML to the template lines that wrote them.

Lines of templates are marked when they are read; the marks are part of the output and are then removed. A mark is
``\\1FILE:LINE\\2``, with the number of the file; these characters can't occur in XML.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

import jinja2
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from markupsafe import Markup

from kvmrender.templating.environment import Environment, closed
from kvmrender.templating.observed import Place

AnyEnvironment = TypeVar("AnyEnvironment", bound=Environment)

_ONE = "\1[0-9:]*\2"
_MARK = re.compile("\1([0-9]+):([0-9]+)\2")
_BEGINS = re.compile(f"(?:{_ONE})*[^\n\1]")
_INDENTED = re.compile(f"\n(?=(?:{_ONE})*[^\n\1])")
# As in ``finish``, with marks in between.
_OPENING = re.compile(f"<([^\\s<>/\1]+)((?:[\\s\1][^<>]*)?)(?<![]/?-])>(?:{_ONE})*(?:\n(?:{_ONE}| )*)?")
_CLOSES = re.compile(f"</(?:{_ONE})*([^\\s<>/\1]+)(?:{_ONE})*>")
_BEFORE = re.compile(f"(?:{_ONE}|\\s)*")


class _MarkLines(Extension):
    """Insert a mark before each line of text in a template."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.files: list[str] = []

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        """Yield the tokens of a template, with marks in those of text."""
        file = stream.filename or stream.name or ""
        if file not in self.files:
            self.files.append(file)
        number = self.files.index(file)
        for token in stream:
            if token.type == "data":
                lines = token.value.split("\n")
                marked = [f"\1{number}:{token.lineno + offset}\2{line}" for offset, line in enumerate(lines)]
                yield Token(token.lineno, "data", "\n".join(marked))
            else:
                yield token


def mark_lines(environment: AnyEnvironment) -> AnyEnvironment:
    """Enable line marks in an environment without loaded templates."""
    environment.add_extension(_MarkLines)
    environment.filters["indent"] = _indent
    return environment


def marks_lines(environment: jinja2.Environment) -> bool:
    """Return whether an environment marks lines."""
    return any(isinstance(one, _MarkLines) for one in environment.extensions.values())


def _extension(environment: Environment) -> _MarkLines:
    (found,) = (one for one in environment.extensions.values() if isinstance(one, _MarkLines))
    return found


def files(environment: Environment) -> list[str]:
    """Return the files of the templates that a marking environment has read."""
    return _extension(environment).files


def _indent(text: str, width: int = 4, first: bool = False) -> Markup:
    """Indent as Jinja's filter does, but leave lines with only marks blank."""
    space = " " * width
    return Markup(space if first and _BEGINS.match(text) else "") + Markup(_INDENTED.sub(f"\n{space}", text))


def without_marks(environment: Environment, written: str) -> tuple[str, list[Place | None]]:
    """Return the XML without marks, and for each of its lines the template and line that wrote it."""
    extension = _extension(environment)

    def place(mark: re.Match[str]) -> Place:
        return extension.files[int(mark[1])], int(mark[2])

    text = closed(written, _OPENING, _CLOSES)
    places: list[Place | None] = []
    last: Place | None = None
    for line in text.split("\n"):
        marks = list(_MARK.finditer(line))
        # A line is attributed to its first character.
        begins = _BEFORE.match(line)
        before = [mark for mark in marks if begins and mark.end() <= begins.end()]
        places.append(place(before[-1]) if before else last)
        last = place(marks[-1]) if marks else last
    return _MARK.sub("", text), places
