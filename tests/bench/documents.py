"""Whether two documents are the same: parsed, with attributes in any order and whitespace around text of no account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from xml.etree import ElementTree

KIB = {"b": 1 / 1024, "KiB": 1, "k": 1, "MiB": 1024, "GiB": 1024**2}


def difference(xml: str, expected: str) -> str | None:
    """Return the first line in which the documents differ, or None if they are the same."""
    return _first_difference(ElementTree.fromstring(xml), ElementTree.fromstring(expected))


def loose_difference(xml: str, expected: str, without: Iterable[str] = ()) -> str | None:
    """The same for a program that writes things in its own way.

    Sizes of memory are compared in KiB, whatever their unit; elements with different names may stand in any order
    beside each other, those of one name may not; and the elements at the paths ``without`` are taken out of ``xml``.
    """
    root, other = ElementTree.fromstring(xml), ElementTree.fromstring(expected)
    for path in without:
        parent, _, name = path.rpartition("/")
        above = root.find(parent) if parent else root
        if above is not None:
            for element in above.findall(name):
                above.remove(element)
    return _first_difference(_loosened(root), _loosened(other))


def _loosened(root: ElementTree.Element) -> ElementTree.Element:
    for name in ("memory", "currentMemory"):
        for element in root.findall(name):
            element.text = str(round(int(element.text or 0) * KIB[element.attrib.pop("unit", "KiB")]))
    for element in list(root.iter()):
        element[:] = sorted(element, key=lambda child: child.tag)
    return root


def _first_difference(one: ElementTree.Element, other: ElementTree.Element) -> str | None:
    for line, wanted in zip_longest(_lines(one, ""), _lines(other, ""), fillvalue="nothing"):
        if line != wanted:
            return f"has {line} where {wanted} belongs"
    return None


def _lines(element: ElementTree.Element, above: str) -> Iterator[str]:
    path = f"{above}/{element.tag}".lstrip("/")
    attributes = "".join(f' {name}="{value}"' for name, value in sorted(element.attrib.items()))
    text = (element.text or "").strip()
    yield f"{path}{attributes}" + (f" {text!r}" if text else "")
    for child in element:
        yield from _lines(child, path)
        if child.tail and child.tail.strip():
            yield f"{path} {child.tail.strip()!r}"
