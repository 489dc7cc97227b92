"""XML as text: escaping, and layout of raw XML. Only templates write elements."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from markupsafe import Markup

from kvmrender.schema.xml_faults import fragment_fault

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
    """Return a value escaped for use in an attribute or element.

    Tabs, newlines and carriage returns become character references, which parsers restore. Markup is not changed.
    Raises ValueError for a character that XML 1.0 can't represent (section 2.2), and TypeError for a list or mapping.
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


def attributes(element: Mapping[str, Any], names: Iterable[str]) -> str:
    """Return those of the names that a mapping has as attributes, in this order, each after a space."""
    return "".join([f' {name}="{escape(element[name])}"' for name in names if name in element])


def escape_text(value: Any) -> str:
    """Return a value escaped for use between tags, with tabs and newlines unchanged for readability.

    A value of only white space is written as references; otherwise, it would look like indentation.
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
    """Return a text with its lines indented, except the first one and blank ones."""
    space = " " * width
    begins = first and (blank or text[:1] not in ("", "\n"))
    found = (space if begins else "") + (_NEWLINE if blank else _LINE).sub(f"\n{space}", text)
    return Markup(found) if isinstance(text, Markup) else found


def well_formed(fragment: str) -> str:
    """Return raw XML for use in an element. Raises ValueError if it is not well-formed by itself."""
    if fault := fragment_fault(fragment):
        raise ValueError(f"xml: not well-formed: {fault}")
    return fragment.strip()
