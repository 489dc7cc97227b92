"""Fields of a guest by elements and attributes of its XML: the schema in reverse.

A field is an attribute or element of the same name; a list is elements with the ``title`` of its items; ``text`` is an
element's text. Exceptions are given in the schema by ``written``, a path from the element of the mapping that contains
the field: ``model/@name``, ``../@firmware``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cached_property, lru_cache
from typing import Any

from kvmrender.engine import MOST_ENGINES
from kvmrender.errors import Path
from kvmrender.libvirt.xml_tree import MOST_LEVELS, Element, raw_inside
from kvmrender.schema.guest_schema import GuestSchema, Node, element_of, resolve

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,19})", re.ASCII)
UP, TEXT = "../", "text"

NO_FIELD, SECOND, NO_TEXT = "no field has it", "there is a field for one alone", "there is no field for its text"
"""Reasons why a part of a document is in no field."""


class Unread:
    """What of a document is in no field: ``found`` are the paths in it, and why; ``live`` those of what only a running
    guest has. The paths are looked for when there is something to tell."""

    def __init__(self, root: Element) -> None:
        self._root = root
        self.found: list[tuple[Path, str]] = []
        self.live: list[Path] = []

    @cached_property
    def _paths(self) -> dict[Element, Path]:
        return dict(paths(self._root))

    def add(self, element: Element, why: str, step: str = "", live: Collection[str] = ()) -> None:
        """Note an element, or what is in it after one more ``step`` (``@id``); ``live`` are the names of those that
        only a running guest has there."""
        path = (*self._paths[element], step) if step else self._paths[element]
        if (step or element.tag) in live:
            self.live.append(path)
        else:
            self.found.append((path, why))


def paths(root: Element, path: Path = (), depth: int = MOST_LEVELS) -> Iterator[tuple[Element, Path]]:
    """Yield an element, and those in it as deep as that, with their paths from the root."""
    yield root, path
    counts: dict[str, int] = {}
    for child in root.children if depth else ():
        counts[child.tag] = counts.get(child.tag, 0) + 1
        yield from paths(child, (*path, child.tag, counts[child.tag]), depth - 1)


def written(node: Node) -> str:
    """Return the path of a field in the XML, if it differs from its name."""
    return str(node.get("facts", {}).get("written", ""))


@lru_cache(maxsize=MOST_ENGINES)
def place_of(schema: GuestSchema) -> Place:
    """Return the place of the guest in a schema, which is kept for later documents."""
    return Place(schema.root, schema.root)


class Place:
    """What the schema says of an element: ``node`` is what describes it, ``root`` the whole; ``name`` is that of its
    field, without positions, ``disks.driver.cache``, and ``key`` the last of it."""

    def __init__(self, root: Node, node: Node, name: str = "") -> None:
        self.root, self.node, self.name = root, resolve(root, node), name
        self.key = name.rpartition(".")[2]
        self.properties: dict[str, Node] = self.node.get("properties", {})
        self._inside: dict[str, Place] = {}
        kind = self.node.get("type")
        self.is_list = "items" in self.node
        self.is_mapping = kind == "object" or (isinstance(kind, list) and "object" in kind)
        self.is_scalar = not self.is_list and kind != "object"
        self.is_text, self.is_integer = kind == "string", kind == "integer"
        self.is_raw = self.node.get("format") == "xml"
        self.is_elsewhere = written(self.node) != ""
        self.automatic: tuple[Any, ...] = tuple(self.node.get("facts", {}).get("automatic", ()))
        self.live: tuple[str, ...] = tuple(self.node.get("facts", {}).get("live", ()))

    def inside(self, key: str) -> Place:
        """Return the place of a property."""
        if key not in self._inside:
            name = f"{self.name}.{key}" if self.name else key
            self._inside[key] = Place(self.root, self.properties[key], name)
        return self._inside[key]

    @cached_property
    def item(self) -> Place:
        """The place of the list items."""
        return Place(self.root, self.node["items"], self.name)

    @cached_property
    def attributes(self) -> dict[str, Place]:
        """The properties that are attributes of the same name."""
        named = {key: self.inside(key) for key in self.properties if key != TEXT and (f"@{key}",) not in self.written}
        return {key: inside for key, inside in named.items() if inside.is_scalar}

    @cached_property
    def elements(self) -> dict[str, Place]:
        """The properties by element name; of two with the same one, that with the same field name."""
        named = {**self._by_title, **{key: self.inside(key) for key in self.properties if not self.inside(key).is_list}}
        return _elements(named)

    @cached_property
    def lists(self) -> dict[str, Place]:
        """The same, but of two with the same element name, the list."""
        return _elements({**self.elements, **{name: one for name, one in self._by_title.items() if one.is_list}})

    @property
    def _by_title(self) -> dict[str, Place]:
        return {element_of(self.root, key, self.inside(key).node): self.inside(key) for key in self.properties}

    @cached_property
    def written(self) -> dict[tuple[str, ...], Path]:
        """The properties, also nested ones, with a different path in the XML, by this path."""
        found: dict[tuple[str, ...], Path] = {}
        for key in self.properties:
            inside = self.inside(key)
            if where := written(inside.node):
                if not where.startswith(UP):
                    found[tuple(where.split("/"))] = (key,)
            elif inside.is_mapping:
                for below in inside.properties:
                    where = written(inside.inside(below).node)
                    if where.startswith(UP):
                        found[tuple(where.removeprefix(UP).split("/"))] = (key, below)
        return found


def _elements(named: dict[str, Place]) -> dict[str, Place]:
    return {name: one for name, one in named.items() if one.key != TEXT and not one.is_elsewhere}


def value_of(element: Element, place: Place, unread: Unread) -> Any:
    """Return the value of an element in a guest in full form; parts in no field are added to ``unread``."""
    if place.is_mapping and not place.is_raw:
        return _mapping(element, place, unread)
    for name in element.attributes:
        unread.add(element, NO_FIELD, f"@{name}", place.live)
    if place.is_raw:
        return raw_inside(element)
    for child in element.children:
        unread.add(element, NO_FIELD, child.tag)
    return scalar(element.text, place)


def scalar(text: str, place: Place) -> Any:
    """Return a text as a value of a guest."""
    if place.is_text or (short := text.strip()) == "":
        return text
    return int(short) if place.is_integer and _INTEGER.fullmatch(short) else short


def attributes_of(element: Element, place: Place, unread: Unread) -> dict[str, Any]:
    """Return what the attributes of an element are, which begins the mapping that it is."""
    found: dict[str, Any] = {}
    known = place.attributes
    for name, text in element.attributes.items():
        if (inside := known.get(name)) is not None:
            found[name] = text if inside.is_text else scalar(text, inside)
        elif (where := (f"@{name}",)) in place.written:
            _set(found, place, place.written[where], text)
        else:
            unread.add(element, NO_FIELD, f"@{name}", place.live)
    return found


def _mapping(element: Element, place: Place, unread: Unread) -> dict[str, Any]:
    found = attributes_of(element, place, unread) if element.attributes else {}
    for child in element.children:
        add_child(found, child, place, unread, place.elements)
    if element.text.strip():
        if TEXT in place.properties:
            found[TEXT] = scalar(element.text, place.inside(TEXT))
        else:
            unread.add(element, NO_TEXT)
    return found


def add_child(
    found: dict[str, Any], child: Element, place: Place, unread: Unread, fields: dict[str, Place]
) -> str | None:
    """Add a child element to the mapping ``found`` of its parent, and return the key of its field."""
    if place.written and _is_written_elsewhere(found, child, place):
        return None
    if (inside := fields.get(child.tag)) is None:
        unread.add(child, NO_FIELD, live=place.live)
        return None
    key = inside.key
    if inside.is_list:
        found.setdefault(key, []).append(value_of(child, inside.item, unread))
        return key
    value = value_of(child, inside, unread)
    if key not in found:
        found[key] = value
    elif isinstance(found[key], dict) and isinstance(value, dict) and not found[key].keys() & value.keys():
        found[key].update(value)  # a part of it has a different path
    else:
        unread.add(child, SECOND)
    return key


def _is_written_elsewhere(found: dict[str, Any], child: Element, place: Place) -> bool:
    """Return whether an element contains only fields that are there by ``written``, and add these."""
    if child.text.strip():
        return False
    names = [*(f"@{name}" for name in child.attributes), *(inner.tag for inner in child.children)]
    if not names or any((child.tag, name) not in place.written for name in names):
        return False
    if any(inner.attributes or inner.children for inner in child.children):
        return False
    for name, text in child.attributes.items():
        _set(found, place, place.written[child.tag, f"@{name}"], text)
    for inner in child.children:
        _set(found, place, place.written[child.tag, inner.tag], inner.text)
    return True


def _set(found: dict[str, Any], place: Place, keys: Path, text: str) -> None:
    *above, last = map(str, keys)
    for key in above:
        found, place = found.setdefault(key, {}), place.inside(key)
    found[last] = scalar(text, place.inside(last))
