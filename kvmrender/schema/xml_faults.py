"""Faults of XML as a whole: of raw XML in a guest, and of documents that templates write."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple
from xml.parsers import expat

from kvmrender.errors import Path


def elements_in(fragment: str) -> list[tuple[str, dict[str, str]]]:
    """Return the top-level elements of raw XML with their attributes; empty if it is not well-formed."""
    if not fragment:
        return []
    from xml.etree import ElementTree as ET

    try:
        return [(element.tag, element.attrib) for element in ET.fromstring(f"<x>{fragment}</x>")]
    except (ET.ParseError, ValueError):
        return []


def fragment_fault(fragment: str) -> str | None:
    """Return why ``fragment`` can't be inserted into an element, or None if it can.

    It must be well-formed by itself: matching tags, declared prefixes, no DTD, no custom entities.
    """
    parser = expat.ParserCreate("utf-8", namespace_separator=" ")
    try:
        # A parser needs a single root element: this one stands for the parent of the fragment, and is not written.
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
    """Parsing can stop: the argument is the fault, if any."""


class Fault(NamedTuple):
    """A fault of a guest's document: message, line (from 1), and path of the element."""

    message: str
    line: int
    path: Path


def document_fault(xml: str) -> Fault | None:
    """Return whether a document is not well-formed, has a DTD or a second name; None if it is correct. For an unclosed
    tag, the line is that of the tag."""
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
    """Return why a document is not a guest's ``<domain>`` with a name; None if it is one, or is not well-formed."""
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
