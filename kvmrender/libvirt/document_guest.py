"""A document as a guest in full form, and what of it is in no field: for what looks at documents and makes none."""

from __future__ import annotations

from typing import Any, NamedTuple

from kvmrender.libvirt.field_places import NO_FIELD, Place, Unread, add_child, scalar
from kvmrender.libvirt.xml_tree import Element, documents
from kvmrender.schema.xml_path import xml_path

DEVICES = "devices"
Facts = tuple[Any, ...]
"""What an element says: its name, attributes, text and children."""


class Read(NamedTuple):
    """``guest`` is what a document is in full form; ``strangers`` are what no field has, by their paths in it."""

    guest: dict[str, Any]
    strangers: dict[str, list[Facts | str]]


def read(root: Element, place: Place) -> Read:
    """Return what a document is; ``place`` is what the schema says of a guest."""
    guest: dict[str, Any] = {}
    unread = Unread()
    for name, text in root.attributes.items():
        if name in place.properties and place.inside(name).is_scalar:
            guest[name] = scalar(text, place.inside(name))
        else:
            unread.add((f"@{name}",), NO_FIELD, f"@{name}", place)
    _read_children(guest, root, (), place, unread)
    strangers: dict[str, list[Facts | str]] = {}
    for path, _ in unread.found:
        names = tuple(step for step in path if isinstance(step, str))
        strangers.setdefault(xml_path(names), []).append(_said_at(root, path))
    return Read(guest, strangers)


def _read_children(guest: dict[str, Any], of: Element, path: tuple[Any, ...], place: Place, unread: Unread) -> None:
    keys = place.lists if path else place.elements
    counts: dict[str, int] = {}
    for child in of.children:
        number = counts[child.tag] = counts.get(child.tag, 0) + 1
        where = (*path, child.tag, number)
        if not path and child.name == DEVICES:
            _read_children(guest, child, where, place, unread)
        else:
            add_child(guest, child, place, where, unread, keys)


def _said_at(root: Element, path: tuple[str | int, ...]) -> Facts | str:
    """Return what an element or attribute says; positions that are left out are the first."""
    element = root
    steps = list(path)
    while steps:
        name = str(steps.pop(0))
        if name.startswith("@"):
            return element.attributes[name[1:]]
        number = int(steps.pop(0)) if steps and isinstance(steps[0], int) else 1
        element = [child for child in element.children if child.tag == name][number - 1]
    return facts(element)


def facts(element: Element) -> Facts:
    """Return what an element says, but for layout, comments and prefixes."""
    children = tuple(facts(child) for child in element.children)
    return element.name, tuple(sorted(element.facts.items())), element.text.strip(), children


def facts_of_raw(text: str) -> Facts:
    """Return what raw XML says, which may be several elements."""
    found = next(documents(f"<x>{text}</x>".encode())).root
    return facts(found) if found else (text,)
