"""Domain XML of unknown origin as a tree with the position of each element in the text.

Documents are not trusted: one with a DTD, too many elements, or elements nested too deeply is refused before a tree is
built.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import NamedTuple
from xml.parsers import expat

from kvmrender.templating.xml import escape

MOST_LEVELS = 64
"""Maximum nesting depth of elements; libvirt needs less than 20."""
MOST_FACTS = 200_000
"""Maximum number of elements and attributes of a document; the largest in libvirt's tests has 5,000."""

_START_TAG = re.compile(rb"""<[^\s/>]+(?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?>""")
_BETWEEN = re.compile(rb"(?:\s|<!--.*?-->)*", re.DOTALL)
_PREFIX = re.compile(rb":[^\s<>=\"']*[\s/>=]")
"""Continuation of names with a prefix, which also matches other text. It begins with the colon, which is found fast."""
NONE: dict[str, str] = {}
XML = "http://www.w3.org/XML/1998/namespace"


class RefusedXmlError(Exception):
    """XML that is refused: ``message`` is the reason in one line, without quoting the document; ``line`` counts from
    1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.message, self.line = message, line


class Source:
    """The text of a document, ``data`` from ``begin`` to ``end``. Where its elements stand there, by their numbers,
    which count elements and attributes, is looked for when it is first asked for: few documents need it."""

    def __init__(self, data: bytes, offset: int) -> None:
        self.data, self._offset = data, offset
        self.begin = self.end = offset

    @property
    def document(self) -> bytes:
        """The root as it stands there."""
        return self.data[self.begin : self.end]

    @cached_property
    def places(self) -> dict[int, tuple[int, int]]:
        """Where each element begins, and where its last tag."""
        found: dict[int, tuple[int, int]] = {}
        opened: list[tuple[int, int]] = []
        number, offset, parser = 0, self._offset, expat.ParserCreate("utf-8")

        def start(_: str, attributes: dict[str, str]) -> None:
            nonlocal number
            number += 1 + len(attributes)
            opened.append((number, offset + parser.CurrentByteIndex))

        def finish(_: str) -> None:
            number, begin = opened.pop()
            found[number] = begin, offset + parser.CurrentByteIndex

        parser.StartElementHandler, parser.EndElementHandler = start, finish
        parser.Parse(memoryview(self.data)[offset : self.end], True)
        parser.StartElementHandler = parser.EndElementHandler = None  # they refer to it
        return found


class Element:
    """An element. ``tag`` is its name as written, ``name`` with its namespace, ``{urn:a}b``; the keys of
    ``facts`` are those of its ``attributes``. ``text`` is all text right in it. It stands in its ``source`` under its
    ``number``; ``outer`` are the namespaces around it, by prefixes, ``declared`` its own."""

    __slots__ = (
        "attributes",
        "children",
        "declared",
        "facts",
        "name",
        "number",
        "outer",
        "source",
        "tag",
        "text",
    )

    def __init__(
        self, source: Source, number: int, tag: str, attributes: dict[str, str], outer: dict[str, str]
    ) -> None:
        self.source, self.number = source, number
        self.tag = self.name = tag
        self.attributes = self.facts = attributes
        self.outer, self.declared = outer, NONE
        self.children: list[Element] = []
        self.text = ""

    @property
    def data(self) -> bytes:
        """All that its document is in."""
        return self.source.data

    @property
    def start(self) -> int:
        """Where it begins in ``data``."""
        return self.source.places[self.number][0]

    @property
    def end(self) -> int:
        """End of the element in ``data``."""
        return self.end_from(self.source.places[self.number][1])

    def end_from(self, last: int) -> int:
        """Return where it ends, if its last tag begins there."""
        is_empty = not self.children and not self.text and self.data[last - 2 : last] == b"/>"
        return last if is_empty else self.data.index(b">", last) + 1

    @property
    def scope(self) -> dict[str, str]:
        """The namespaces in scope, by prefix."""
        return {**self.outer, **self.declared} if self.declared else self.outer


class Found(NamedTuple):
    """A document of a stream: its root, or why it was refused; ``line`` is that of its root, or of the fault."""

    root: Element | None
    line: int
    fault: str = ""


def documents(data: bytes) -> Iterator[Found]:
    """Yield the documents of a stream: consecutive, each with or without an XML declaration.

    Parsing stops after a document that is not well-formed, because the start of the next one is unknown.
    """
    if b"\0" in data:
        yield Found(None, data.count(b"\n", 0, data.index(b"\0")) + 1, "is not well-formed XML in UTF-8: it has a NUL")
        return
    position, line = 0, 1
    view = memoryview(data)
    has_prefixes = b"xmlns" in data or _PREFIX.search(data) is not None
    while True:
        begin = _BETWEEN.match(data, position)
        skipped = begin.end() if begin else position
        if skipped == len(data) and position:
            return
        line += data.count(b"\n", position, skipped)
        parser = _Parser(data, skipped, line, has_prefixes)
        try:
            position = parser.parse(view)
            if has_prefixes:
                parser.check_names(view[skipped:position])
        except RefusedXmlError as error:
            yield Found(None, error.line, error.message)
            return
        yield Found(parser.root, parser.root_line)
        line = parser.last_line


class _Parser:
    """Parse one document of ``data`` from ``offset``, which is in ``line``; names may have prefixes if ``has_prefixes``
    is true."""

    def __init__(self, data: bytes, offset: int, line: int, has_prefixes: bool) -> None:
        self.data, self.offset, self.line, self._has_prefixes = data, offset, line, has_prefixes
        self.root: Element | None = None
        self.root_line = self.last_line = line
        self._source = Source(data, offset)
        self._is_done = False
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = self._handlers()
        parser.StartDoctypeDeclHandler = self._refuse_dtd

    def parse(self, view: memoryview) -> int:
        """Parse the document and return its end. Raises RefusedXmlError."""
        try:
            self._parser.Parse(view[self.offset :], True)
        except expat.ExpatError as error:
            said = expat.ErrorString(error.code)
            if self._is_done and said == expat.errors.XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
                return self._source.end
            if said == expat.errors.XML_ERROR_NO_ELEMENTS and self.root is None:
                said = "there is nothing in it"
            raise RefusedXmlError(f"is not well-formed XML: {said}", self.line + error.lineno - 1) from None
        finally:
            del (
                self._parser
            )  # which refers to this object: the tree is freed with its last reference, not by the garbage collector
        return len(self.data)

    def check_names(self, read: memoryview) -> None:
        """Check the names with prefixes: ``<:a/>`` is well-formed if prefixes are not considered. Raises
        RefusedXmlError."""
        try:
            expat.ParserCreate("utf-8", namespace_separator=" ").Parse(read, True)
        except expat.ExpatError as error:
            said = f"is not well-formed XML: {expat.ErrorString(error.code)}"
            raise RefusedXmlError(said, self.line + error.lineno - 1) from None

    def _refuse(self, said: str) -> None:
        raise RefusedXmlError(said, self.line + self._parser.CurrentLineNumber - 1)

    def _refuse_dtd(self, *_: object) -> None:
        self._refuse("has a DTD, which domain XML never has")

    def _handlers(self) -> tuple[Callable[..., None], Callable[..., None], Callable[..., None]]:
        """Return what is called for each first tag, last tag, and text: functions, which are faster than methods."""
        source, expand = self._source, self._expand if self._has_prefixes else None
        opened: list[Element] = []
        facts = 0

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal facts
            facts += 1 + len(attributes)
            if facts > MOST_FACTS:
                self._refuse(f"has more than {MOST_FACTS:,} elements and attributes")
            if opened:
                above = opened[-1]
                outer = above.scope if above.declared else above.outer
                element = Element(source, facts, tag, attributes, outer)
                above.children.append(element)
                if len(opened) == MOST_LEVELS:
                    self._refuse(f"has more than {MOST_LEVELS} elements inside one another")
            else:
                element = self.root = Element(source, facts, tag, attributes, {"xml": XML})
                source.begin = self.offset + self._parser.CurrentByteIndex
                self.root_line = self.line + self._parser.CurrentLineNumber - 1
            if expand:
                expand(element)
            opened.append(element)

        def finish(_: str) -> None:
            element = opened.pop()
            if not opened:
                source.end = element.end_from(self.offset + self._parser.CurrentByteIndex)
                self.last_line = self.line + self._parser.CurrentLineNumber - 1
                self._is_done = True

        def add(text: str) -> None:
            opened[-1].text += text

        return start, finish, add

    def _expand(self, element: Element) -> None:
        """Separate the namespace declarations of an element from its attributes, and expand its names."""
        given = element.attributes
        declared = {name[6:]: value for name, value in given.items() if name == "xmlns" or name[:6] == "xmlns:"}
        if declared:
            element.declared = declared
            given = {name: value for name, value in given.items() if name != "xmlns" and name[:6] != "xmlns:"}
            element.attributes = element.facts = given
        scope = element.scope
        element.name = self._expanded(element.tag, scope, scope.get("", ""))
        if any(":" in name for name in given):
            element.facts = {self._expanded(name, scope, ""): value for name, value in given.items()}

    def _expanded(self, name: str, scope: dict[str, str], default: str) -> str:
        prefix, colon, local = name.rpartition(":")
        if not colon:
            return f"{{{default}}}{name}" if default else name
        if prefix not in scope:
            self._refuse(f"is not well-formed XML: {expat.errors.XML_ERROR_UNBOUND_PREFIX}")
        return f"{{{scope[prefix]}}}{local}"


def raw(element: Element) -> str:
    """Return an element as written in its document, with the namespaces that it inherits."""
    text = element.data[element.start : element.end].decode()
    around = element.outer.keys() - element.declared.keys() - {"xml"}
    if not around or not (missing := around.intersection(_prefixes(element))):
        return text
    given = (f' xmlns{":" * bool(prefix)}{prefix}="{escape(element.outer[prefix])}"' for prefix in sorted(missing))
    begin = len(element.tag) + 1
    return f"{text[:begin]}{''.join(given)}{text[begin:]}"


def outdented(element: Element) -> str:
    """Return an element as written, without the indentation of its lines in the document, if only white space precedes
    them."""
    text = raw(element)
    lines = text.split("\n")
    if len(lines) == 1 or _has_lines(element):
        return text
    least = min((len(line) - len(line.lstrip()) for line in lines[1:] if line.strip()), default=0)
    return "\n".join([lines[0], *(line[least:] for line in lines[1:])])


def _has_lines(element: Element) -> bool:
    """Return whether a text or attribute in an element contains line breaks."""
    if element.text.strip() and "\n" in element.text:
        return True
    return any("\n" in value for value in element.attributes.values()) or any(map(_has_lines, element.children))


def raw_inside(element: Element) -> str:
    """Return the contents of an element as written, each child with the inherited namespaces."""
    begin = element.start + _length(element)
    parts: list[str] = []
    for child in element.children:
        parts += [element.data[begin : child.start].decode(), raw(child)]
        begin = child.end
    last = element.data.rindex(b"</", 0, element.end) if element.data[begin : element.end].strip() else begin
    return "".join([*parts, element.data[begin:last].decode()])


def _length(element: Element) -> int:
    """Return the length of the start tag in bytes."""
    found = _START_TAG.match(element.data, element.start)
    assert found is not None
    return found.end() - element.start


def _prefixes(element: Element) -> Iterator[str]:
    """Yield the prefixes of names in an element, ``""`` for none."""
    yield element.tag.rpartition(":")[0]
    for name in element.attributes:
        if ":" in name:
            yield name.rpartition(":")[0]
    for child in element.children:
        yield from _prefixes(child)
