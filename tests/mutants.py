"""Dumps in which one fact of a guest is another, or gone: attributes, texts and elements that its file wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree import ElementTree

from kvmrender.errors import Path

QEMU = "http://libvirt.org/schemas/domain/qemu/1.0"
ElementTree.register_namespace("qemu", QEMU)
Element = ElementTree.Element

UNITS = {"KiB": "MiB", "b": "KiB", "MiB": "GiB", "GiB": "MiB", "bytes": "KiB", "M": "G"}
OTHERS = {"yes": "no", "no": "yes", "on": "off", "off": "on", **UNITS}
MACHINES = {"pc-i440fx-": "pc-q35-", "pc-q35-": "pc-i440fx-", "virt-": "xenpv-", "pseries-": "powernv-"}


class Mutant(NamedTuple):
    path: Path
    """What is otherwise: ``("devices", "disk", 2, "driver", 1, "@cache")``."""
    what: str
    xml: str


def mutants(ours: str, theirs: str) -> Iterator[Mutant]:
    """Yield the dump ``theirs`` of what ``ours`` wrote, with each fact of that changed, and each taken away."""
    dump = ElementTree.fromstring(theirs)
    parents = {child: parent for parent in dump.iter() for child in parent}

    def mutant(path: Path, what: str) -> Mutant:
        named = (str(step).replace(f"{{{QEMU}}}", "qemu:") if isinstance(step, str) else step for step in path)
        return Mutant(tuple(named), what, ElementTree.tostring(dump, encoding="unicode"))

    for one, other, path in _pairs(ElementTree.fromstring(ours), dump, ()):
        for name in [name for name in one.attrib if name in other.attrib]:
            before = dict(other.attrib)
            other.attrib[name] = _another(before[name])
            yield mutant((*path, f"@{name}"), "changed")
            del other.attrib[name]
            if path and (name, before[name]) != ("unit", "MiB" if one.tag == "tseg" else "KiB"):  # as it is without
                yield mutant((*path, f"@{name}"), "gone")
            other.attrib.clear()
            other.attrib.update(before)
        if (text := one.text or "").strip() and not len(one):
            text, other.text = other.text or "", _another((other.text or text).strip())
            yield mutant(path, "changed")
            other.text = text
        if path and one.tag != "devices":
            parent = parents[other]
            position = list(parent).index(other)
            parent.remove(other)
            yield mutant(path, "gone")
            parent.insert(position, other)


def _pairs(one: Element, other: Element, path: Path) -> Iterator[tuple[Element, Element, Path]]:
    """Yield the elements of one document with those of the other that have most in common with them."""
    yield one, other, path
    taken = set[int]()
    counts = Counter[str]()
    for child in one:
        counts[child.tag] += 1
        found = [(_cost(child, like), place) for place, like in enumerate(other) if like.tag == child.tag]
        if found := [(cost, place) for cost, place in found if place not in taken]:
            _, place = min(found)
            taken.add(place)
            yield from _pairs(child, other[place], (*path, child.tag, counts[child.tag]))


def _cost(one: Element, other: Element) -> int:
    """Return how much of an element is not in the other."""
    own = sum(other.get(name) != value for name, value in one.attrib.items())
    own += (one.text or "").strip() != (other.text or "").strip()
    return own + sum(min((_cost(child, like) for like in other if like.tag == child.tag), default=2) for child in one)


def _another(value: str) -> str:
    if value in OTHERS:
        return OTHERS[value]
    if value.isdigit():
        return str(int(value) + 1)
    for begin, another in MACHINES.items():
        if value.startswith(begin):
            return another + value.removeprefix(begin)
    if value.startswith("0x"):
        return hex(int(value, 16) ^ 1)
    return value[:-1] + ("2" if value.endswith("1") else "1") if value[-1:] in "0123456789abcdef" else f"{value}x"
