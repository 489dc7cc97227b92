"""XML as text: escaping, and whether a piece of it is well-formed. Elements are written by the templates alone."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, NamedTuple
from xml.parsers import expat

from markupsafe import Markup

from kvmrender.errors import Path

special = re.compile("[&<>\"'\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]").search
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NEWLINE, _LINE = re.compile("\n"), re.compile("\n(?=[^\n])")
_REFERENCES = {
    ord("&"): "&amp;",
    ord("<"): "&lt;",
    ord(">"): "&gt;",
    ord('"'): "&quot;",
    ord("'"): "&apos;",
    ord("\t"): "&#9;",
    ord("\n"): "&#10;",
    ord("\r"): "&#13;",
}
_IN_TEXT = {char: reference for char, reference in _REFERENCES.items() if chr(char) not in "\t\n"}


def escape(value: Any) -> str:
    """Return a value as it can stand in an attribute or an element, whatever it holds.

    Tabs, newlines and carriage returns become references, which parsers give back as they were. What is Markup
    already stays as it is. Raises ValueError for a character that XML 1.0 has no form for (section 2.2), and TypeError
    for a list or mapping.
    """
    if value.__class__ is str:
        return _escaped(value, _REFERENCES) if special(value) else value
    if value.__class__ is int:
        return str(value)
    if hasattr(value, "__html__"):
        return str(value.__html__())
    if isinstance(value, (dict, list, tuple)):
        raise TypeError(f"a {'mapping' if isinstance(value, dict) else 'list'} can't be written: write what is in it")
    return _escaped(str(value), _REFERENCES)


def escape_text(value: Any) -> str:
    """Return a value as it can stand between tags, its tabs and newlines bare, for people to read.

    Where it is nothing but white space they are references, or else it would look like the layout around it.
    """
    text = str(value)
    return _escaped(text, _REFERENCES if text.isspace() else _IN_TEXT)


def _escaped(text: str, references: dict[int, str]) -> str:
    if not special(text):
        return text
    if forbidden := _FORBIDDEN.search(text):
        raise ValueError(f"character U+{ord(forbidden[0]):04X} is not allowed in XML")
    return text.translate(references)


def indent(text: str, width: int = 4, first: bool = False, blank: bool = False) -> str:
    """Return a text with its lines indented, but for the first one and blank ones."""
    space = " " * width
    begins = first and (blank or text[:1] not in ("", "\n"))
    found = (space if begins else "") + (_NEWLINE if blank else _LINE).sub(f"\n{space}", text)
    return Markup(found) if isinstance(text, Markup) else found


def well_formed(fragment: str) -> str:
    """Return raw XML as it can stand in an element. Raises ValueError where it is not well-formed by itself."""
    if fault := fragment_fault(fragment):
        raise ValueError(f"xml: not well-formed: {fault}")
    return fragment.strip()


def fragment_fault(fragment: str) -> str | None:
    """Say why ``fragment`` can't stand inside an element, or return None if it can.

    It has to be well-formed by itself: tags that match, prefixes declared, no DTD, no entities of its own.
    """
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    try:
        # A parser wants one element: this one stands for that which the fragment will be in. It is written nowhere.
        parser.Parse(b"<x>\n", False)
        parser.Parse(fragment.encode(), False)
        parser.Parse(b"\n</x>", True)
    except UnicodeEncodeError:
        return "half of a surrogate pair is not a character"
    except expat.ExpatError as error:
        lines = fragment.count("\n") + 1
        line, column = error.lineno - 1, error.offset + 1
        said = "it has a DTD" if "<!DOCTYPE" in fragment else expat.ErrorString(error.code)
        return f"{said} at line {line}, column {column}" if 0 < line <= lines else f"{said} at its end"
    return None


class _DoneError(Exception):
    """What was looked for is found: the argument says what is wrong with it, or nothing."""


class Fault(NamedTuple):
    """What a document is that can't be a guest's, in which line that shows (from 1), and the path of the element."""

    message: str
    line: int
    path: Path


def document_fault(xml: str) -> Fault | None:
    """Say whether a document is not well-formed, has a DTD or a second name, or return None where all is well. Of a tag
    that isn't closed, the line is its."""
    parser = expat.ParserCreate(namespace_separator=" ")
    opened: list[tuple[str, int, Counter[str]]] = [("", 1, Counter())]
    path: list[str | int] = []
    names: list[int] = []

    def start(name: str, _: object) -> None:
        local = name.rpartition(" ")[2]
        opened[-1][2][local] += 1
        path.extend([local, opened[-1][2][local]])
        if name == "name" and len(opened) == 2:
            names.append(parser.CurrentLineNumber)
            if len(names) > 1:
                raise _DoneError(Fault("a second <name>", names[1], tuple(path[2:])))
        opened.append((local, parser.CurrentLineNumber, Counter()))

    def end(_: str) -> None:
        opened.pop()
        del path[-2:]

    def refuse(*_: object) -> None:
        raise _DoneError(Fault("XML with a DTD", parser.CurrentLineNumber, ()))

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(xml.encode(), True)
    except _DoneError as done:
        found: Fault = done.args[0]
        return found
    except expat.ExpatError as error:
        said, line = expat.ErrorString(error.code), error.lineno
        if path and said in (expat.errors.XML_ERROR_TAG_MISMATCH, expat.errors.XML_ERROR_NO_ELEMENTS):
            said, line = f"{said}: <{opened[-1][0]}> is not closed", opened[-1][1]
        return Fault(f"XML that is not well-formed: {said}", line, tuple(path[2:]))
    return None


def domain_fault(xml: str) -> str | None:
    """Say what a document is that is not one of a guest, ``<domain>`` with a name; None for one that is, and for one
    that isn't well-formed."""
    parser = expat.ParserCreate(namespace_separator=" ")
    path: list[str] = []
    name: list[str] = []

    def start(tag: str, _: object) -> None:
        if not path and tag != "domain":
            raise _DoneError(f"<{tag.rpartition(' ')[2]}>")
        path.append(tag)

    def text(data: str) -> None:
        if path == ["domain", "name"] and data.strip():
            name.append(data)

    def end(_: str) -> None:
        path.pop()
        if name:
            raise _DoneError(None)

    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, text, end
    try:
        parser.Parse(xml.encode(), True)
    except _DoneError as done:
        found: str | None = done.args[0]
        return found
    except expat.ExpatError:
        return None if xml.strip() else "nothing"
    return "<domain> without a name"
