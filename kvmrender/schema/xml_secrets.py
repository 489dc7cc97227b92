"""Secrets in XML, found by parsing: in documents of kvmrender and of other programs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import pairwise
from typing import NamedTuple
from xml.parsers import expat

from kvmrender.errors import Path

MASK = "***"

Names = dict[tuple[str, str], bool]
"""Secret elements and attributes: the name of the parent element ("" for any) and their own name, without prefixes.
False is an element whose attributes are not secret."""

COMMENT = "", "<!--"
"""Stands for all comments and processing instructions among the names."""
FEW = 4
"""Length below which a secret is only found as a whole word."""
MANY = 1000
"""Maximum length of a template line that is examined in detail."""

_ATTRIBUTE = re.compile(rb"""\s+[^\s=]+\s*=\s*(?:"([^"]*)"|'([^']*)')""")
_EXPRESSION = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")
_LINE, _TEXT = re.compile(rb"[^\n]+"), re.compile(rb"\S(?:.*\S)?")


class Secret(NamedTuple):
    """A secret of a document: the bytes from ``start`` to ``end``, their replacement, and the value."""

    start: int
    end: int
    shown: bytes
    value: str


class XmlSecrets:
    """A finder of secrets with these names; ``words`` are the names without parents."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self.words = {name for _, name in names.keys() - {COMMENT}}
        known = "|".join(sorted(map(re.escape, self.words))) or r"(?!)"
        self._beside = re.compile(rf"(?<![\w.-])(?:{known})[\"']?[\s:=>]+\S")
        self._given = re.compile(rf"(?:{known})[\"']?\s*[=:]\s*[\"'][^\"'{{]")
        self._text = re.compile(rf"<[^<>]*(?:{known})[^<>]*>\s*[^<\s]")
        self._word = re.compile(rf"(?<![\w.-])(?:{known})(?![\w.-])")

    def masked(self, xml: str) -> str:
        """Return a document with ``***`` instead of its secrets; if it can't be parsed, a line that states why it isn't
        shown."""
        return self._shown(xml, None)

    def masker(self, known: Iterable[str], xml: str = "") -> Callable[[str], str]:
        """Return such a function for XML in which custom templates may write secrets anywhere.

        It also masks values that contain one of the ``known`` secrets, such as those of the guest, or one of the
        document's own secrets, and places where ``xml`` has one.
        """
        found, places = set(known), Names()
        with suppress(ValueError):
            data = xml.encode()
            self._found(data, self._pattern(data, found), places)
        whole = XmlSecrets({**places, **self._names}) if places else self
        return lambda text: whole._shown(text, found)

    def _shown(self, xml: str, known: set[str] | None) -> str:
        if not xml.strip():
            return xml
        try:
            data = xml.encode()
            return _masked(data, self._found(data, None if known is None else self._pattern(data, known)))
        except UnicodeEncodeError:
            return "# not shown: it is not UTF-8\n"
        except ValueError as error:
            return f"# not shown: {error}\n"

    def masked_fragment(self, xml: str) -> str:
        """Do the same for raw XML inside an element."""
        shown = self.masked(f"<x>{xml}</x>")
        return shown[3:-4] if shown.startswith("<x>") else shown.rstrip("\n")

    def values(self, xml: str) -> list[str]:
        """Return the secrets of a document; empty if it can't be parsed."""
        try:
            return [secret.value for secret in self._found(xml.encode())]
        except ValueError:
            return []

    def is_in(self, xml: str) -> bool:
        """Return whether a well-formed document contains a secret. This is fast if none of the names occur."""
        for word in self.words:  # a loop, for speed
            if word in xml:
                return bool(self.values(xml))
        return False

    def has(self, path: Path) -> bool:
        """Return whether an element or attribute of a document, ``("devices", "graphics", 2, "@passwd")``, is secret or
        inside a secret."""
        names = [_local(step.removeprefix("@")) for step in path if isinstance(step, str)]
        return any(self._kind(above, name) is not None for above, name in pairwise(["", *names]))

    def is_named(self, text: str) -> bool:
        """Return whether a text contains the name of a secret."""
        return self._word.search(text) is not None

    def may_be_in(self, text: str) -> bool:
        """Return whether a text contains the name of a secret followed by a value, as in ``passwd=a``."""
        return self._beside.search(text) is not None

    def are_written_in(self, line: str) -> bool:
        """Return whether a line of a template contains a secret itself, not one from the guest."""
        if len(line) > MANY:
            return self.is_named(line)
        written = _EXPRESSION.sub("", line)
        return any((self._given.search(line), self._given.search(written), self._text.search(written)))

    def _pattern(self, data: bytes, known: set[str]) -> re.Pattern[str] | None:
        """Return a function that finds known secrets, and those of a document, in texts. Raises ValueError if the
        document can't be parsed."""
        values = {*known, *(secret.value.strip() for secret in self._found(data))} - {""}
        found = (re.escape(value) if len(value) >= FEW else rf"(?<!\w){re.escape(value)}(?!\w)" for value in values)
        return re.compile("|".join(sorted(found, key=len, reverse=True))) if values else None

    def _found(self, data: bytes, known: re.Pattern[str] | None = None, places: Names | None = None) -> list[Secret]:
        """Return the secrets of a document, in order, including values that contain a ``known`` one, whose places are
        added to ``places``. Raises ValueError if the document can't be parsed."""
        found: list[Secret] = []
        above = [""]
        text: list[str] = []
        text_from = secret_from = secret_depth = 0
        parser = expat.ParserCreate("utf-8")
        parser.ordered_attributes = True

        def here() -> int:
            return int(parser.CurrentByteIndex)

        def is_hidden(value: str, place: tuple[str, str]) -> bool:
            """Return whether the text at a place contains a known secret, or is markup with a secret's name, such as
            XML in a CDATA section."""
            if known is None or not known.search(value):
                return self._is_markup(value)
            if places is not None:
                places[place] = False
            return True

        def end_text() -> None:
            if text and not secret_depth:
                if is_hidden(value := "".join(text), (above[-2], above[-1])):
                    found.append(_secret(data, text_from, here(), _TEXT, value))
                text.clear()

        def start(tag: str, attributes: list[str]) -> None:
            nonlocal secret_from, secret_depth
            end_text()
            name = _local(tag)
            above.append(name)
            if secret_depth:
                return
            kind = self._kind(above[-2], name)
            position = here() + 1 + len(tag.encode())
            for attribute, value in zip(attributes[::2], attributes[1::2], strict=True):
                match = _ATTRIBUTE.match(data, position)
                assert match is not None
                position = match.end()
                if (
                    kind
                    or self._kind(name, _local(attribute)) is not None
                    or is_hidden(value, (name, _local(attribute)))
                ):
                    found.append(_secret(data, *match.span(match.lastindex or 0), _LINE, value))
            if kind is not None:
                secret_from, secret_depth = data.index(b">", position) + 1, len(above)

        def end(_: str) -> None:
            nonlocal secret_depth
            if secret_depth == len(above):
                if secret_from < here():
                    found.append(_secret(data, secret_from, here(), _TEXT, "".join(text)))
                text.clear()
                secret_depth = 0
            end_text()
            above.pop()

        def begin_text() -> None:
            nonlocal text_from
            if not text:
                text_from = here()
                text.append("")

        def add_text(part: str) -> None:
            begin_text()
            text.append(part)

        def hide(content: str, begin: int, ending: bytes) -> None:
            end_text()
            if not secret_depth and (self.is_named(content) or COMMENT in self._names or is_hidden(content, COMMENT)):
                found.append(_secret(data, begin, data.index(ending, begin), _TEXT, content))

        def refuse(*_: object) -> None:
            raise ValueError("it has a DTD")

        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.StartCdataSectionHandler, parser.CharacterDataHandler = begin_text, add_text
        parser.CommentHandler = lambda content: hide(content, here() + 4, b"-->")
        parser.ProcessingInstructionHandler = lambda to, content: hide(content, here() + 2 + len(to.encode()), b"?>")
        parser.StartDoctypeDeclHandler = refuse
        try:
            parser.Parse(data, True)
        except expat.ExpatError as error:
            raise ValueError(f"it is not well-formed XML (line {error.lineno})") from None
        return found

    def _kind(self, above: str, name: str) -> bool | None:
        return self._names.get((above, name), self._names.get(("", name)))

    def _is_markup(self, text: str) -> bool:
        return "<" in text and self.is_named(text)


def _local(name: str) -> str:
    return name.rpartition(":")[2]


def _secret(data: bytes, start: int, end: int, part: re.Pattern[bytes], value: str) -> Secret:
    """Return the secret in these bytes, whose replacement keeps the number of lines."""
    shown = part.sub(MASK.encode(), data[start:end])
    return Secret(start, end, shown or MASK.encode(), value)


def _masked(data: bytes, secrets: list[Secret]) -> str:
    def parts() -> Iterator[bytes]:
        position = 0
        for secret in secrets:
            yield data[position : secret.start]
            yield secret.shown
            position = secret.end
        yield data[position:]

    return b"".join(parts()).decode()
