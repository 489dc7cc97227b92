"""Short forms: scalars that stand for mappings."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kvmrender.schema.guest_schema import Node, resolve, variants_of
from kvmrender.schema.memory_units import memory

QUANTITIES: dict[str, Callable[[int | str], Any]] = {"memory": memory}
"""Conversion of a scalar to a mapping with this ``format``; a ValueError states why it fails."""


PRESENCE = {True: True, False: False, "yes": True, "on": True, "no": False, "off": False}
"""Scalars for an element that is present or not."""
_PLACE = re.compile(r"\{([a-z]+)([*#]?)\}")
_DIGITS = frozenset("0123456789")


class Text:
    """A short form with placeholders, such as ``{host}:{port#}``, that stands for a mapping with their values.

    A placeholder matches up to the following literal text, or to the end. ``#`` matches decimal digits, ``*`` may
    contain a ``/``, others may not. Matching takes time linear in the text's length.
    """

    def __init__(self, form: str, mapping: dict[str, Any]) -> None:
        self.form, self.mapping = form, mapping
        first, *found = _PLACE.split(form)
        self._first = first
        self._places = list(zip(found[::3], found[1::3], found[2::3], strict=True))

    def words(self, text: str) -> dict[str, str] | None:
        """Return the values of the placeholders in a text, or None if it does not match."""
        if not text.startswith(self._first):
            return None
        rest, found = text[len(self._first) :], dict[str, str]()
        for name, kind, after in self._places:
            word, there, rest = rest.partition(after) if after else (rest, "", "")
            if not word or there != after or ("/" in word and kind != "*") or (kind == "#" and not {*word} <= _DIGITS):
                return None
            found[name] = word
        return found if not rest else None

    def text(self, words: dict[str, str]) -> str:
        """Return the text with these values."""
        return str(filled(self.form, words))

    def expanded(self, text: str) -> dict[str, Any] | None:
        """Return the mapping that a text stands for, or None if it does not match."""
        found = self.words(text)
        mapping: dict[str, Any] | None = None if found is None else filled(self.mapping, found)
        return mapping

    @property
    def shown(self) -> str:
        """The form for display, with placeholders in capitals: ``HOST:PORT``."""
        return _PLACE.sub(lambda place: place[1].upper(), self.form)

    @property
    def shown_mapping(self) -> str:
        """The mapping for display, likewise."""
        return _flow(filled(self.mapping, {name: name.upper() for name, _, _ in self._places}))

    @property
    def pattern(self) -> str:
        """A regular expression that matches such texts."""
        places = "".join(f"{'[0-9]+' if kind == '#' else '.+'}{_escaped(after)}" for _, kind, after in self._places)
        return f"^{_escaped(self._first)}{places}$"


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    return str(value).lower() if isinstance(value, bool) else str(value)


def filled(value: Any, words: dict[str, str]) -> Any:
    """Return a value with its placeholders replaced."""
    if isinstance(value, dict):
        return {key: filled(item, words) for key, item in value.items()}
    return _PLACE.sub(lambda place: words[place[1]], value) if isinstance(value, str) else value


def _escaped(text: str) -> str:
    return re.sub(r"[^\w/: -]", lambda found: f"[{found[0]}]" if found[0] != "[" else "\\[", text)


def _several(node: Node) -> list[Any]:
    shorthand = node.get("shorthand")
    return shorthand if isinstance(shorthand, list) else [shorthand]


def forms(node: Node) -> tuple[bool, str | dict[str, str] | None]:
    """Return the short forms of a mapping: whether true and false stand for presence, and the key that another scalar
    sets, or such keys by pattern. For forms with placeholders, see ``texts``."""
    stands_for = [form for form in _several(node) if isinstance(form, (str, dict))]
    found = stands_for[0] if stands_for else None
    if isinstance(found, dict):
        found = {pattern: key for pattern, key in found.items() if isinstance(key, str)} or None
    return any(form is True for form in _several(node)), found


def texts(node: Node) -> list[Text]:
    """Return the short forms of a mapping that have placeholders."""
    return [
        Text(form, mapping)
        for found in _several(node)
        if isinstance(found, dict)
        for form, mapping in found.items()
        if isinstance(mapping, dict)
    ]


def beginning(pattern: str) -> Callable[[str], Any]:
    """Return the search for a pattern. One that begins with ``^`` is matched: a search tries each character."""
    compiled = re.compile(pattern)
    return compiled.match if pattern.startswith("^") and "|" not in pattern else compiled.search


def choices(node: Node) -> list[tuple[Callable[[str], Any], str | Text]]:
    """Return the functions that match a text with the short forms of a mapping, in order."""
    found = next((form for form in _several(node) if isinstance(form, dict)), {})
    return [
        ((text := Text(form, key)).words, text)
        if isinstance(key, dict)
        else (beginning(form) if form else str, key)  # none at all fits any, which str tells sooner
        for form, key in found.items()
    ]


def expander(node: Node) -> Callable[[Any], Any]:
    """Return a function that converts a scalar to the mapping that it stands for, or returns it unchanged."""
    presence, shorthand = forms(node)
    quantity = QUANTITIES.get(node.get("format", ""))
    of_text = choices(node)

    def expand(value: Any) -> Any:
        if presence and (value.__class__ is bool or value.__class__ is str) and value in PRESENCE:
            return {} if PRESENCE[value] else None
        if not isinstance(value, (str, int)):
            return value
        if quantity and value.__class__ is not bool:
            try:
                return quantity(value)
            except ValueError:
                return value
        if isinstance(shorthand, str):
            return {shorthand: value}
        for fits, stands_for in of_text:
            with suppress(ValueError):  # more digits than Python converts
                if fits(str(value)) is not None:
                    return stands_for.expanded(str(value)) if isinstance(stands_for, Text) else {stands_for: value}
        return value

    return expand


def by_type(root: Node, node: Node) -> Callable[[dict[str, Any]], dict[str, Any]] | None:
    """Return a function that expands scalars of a mapping whose short form depends on its ``type``, as the ``variants``
    of a node define, or None if there are none."""
    known = dict[str, dict[str, Callable[[Any], Any]]]()
    for variant in variants_of(root, node).get("type", ()):
        for name, child in variant.get("properties", {}).items():
            if isinstance(child, dict) and "shorthand" in (described := resolve(root, child)):
                known.setdefault(name, {}).update(dict.fromkeys(variant["is"] or (), expander(described)))

    def expand(mapping: dict[str, Any]) -> dict[str, Any]:
        kind = mapping.get("type")
        for name, expanders in known.items():
            item = mapping.get(name)
            if item.__class__ is str and kind.__class__ is str and kind in expanders:
                mapping = {**mapping, name: expanders[kind](item)}
        return mapping

    return expand if known else None
