"""Conversion of a document to a guest in full form, and the parts that no field has; for callers that only read
documents."""

from __future__ import annotations

from typing import Any, NamedTuple

from kvmrender.libvirt.field_places import Place, Unread, add_child, attributes_of
from kvmrender.libvirt.xml_tree import Element, documents
from kvmrender.schema.xml_path import xml_path

DEVICES = "devices"
Facts = tuple[Any, ...]
"""The content of an element: name, attributes, text and children."""


class Read(NamedTuple):
    """``guest`` is the document in full form; ``strangers`` are the parts that no field has, by path."""

    guest: dict[str, Any]
    strangers: dict[str, list[Facts | str]]


def read(root: Element, place: Place) -> Read:
    """Return the content of a document; ``place`` is the schema of a guest."""
    unread = Unread(root)
    guest = attributes_of(root, place, unread)
    for child in root.children:
        if child.name == DEVICES:
            for device in child.children:
                add_child(guest, device, place, unread, place.lists)
        else:
            add_child(guest, child, place, unread, place.elements)
    strangers: dict[str, list[Facts | str]] = {}
    for path, _ in unread.found:
        names = tuple(step for step in path if isinstance(step, str))
        strangers.setdefault(xml_path(names), []).append(_said_at(root, path))
    return Read(guest, strangers)


def _said_at(root: Element, path: tuple[str | int, ...]) -> Facts | str:
    """Return the content of an element or attribute; omitted indices mean the first."""
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
    """Return the content of an element, without layout, comments and prefixes."""
    children = tuple(facts(child) for child in element.children)
    return element.name, tuple(sorted(element.facts.items())), element.text.strip(), children


def facts_of_raw(text: str) -> Facts:
    """Return the content of raw XML, which may have several elements."""
    found = next(documents(f"<x>{text}</x>".encode())).root
    return facts(found) if found else (text,)
