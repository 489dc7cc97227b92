"""Equivalence of two documents: elements, attributes, texts, and the order of elements of one name.

Comments, white space around texts, prefixes, the order of different elements, and that of attributes do not matter.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from kvmrender.errors import Path
from kvmrender.libvirt.xml_tree import Element

MISSING, OTHER, ADDED = "is lost", "is another", "is added"


_QUOTE_IN_TEXT = re.compile(rb">[^<]*'")


def is_same_text(old: bytes, new: bytes) -> bool:
    """Say whether two elements are written the same, but for the quotes around attributes, which are one kind in each:
    then nothing differs. It is for what machines wrote, and quick; false says nothing."""
    if old == new:
        return True
    if len(old) != len(new) or b'"' in old or b"<!" in old:
        return False
    return old.replace(b"'", b'"') == new and not _QUOTE_IN_TEXT.search(old)


def differences(
    old: Element, new: Element, last: Container[Element] = (), path: Path = ()
) -> Iterator[tuple[Path, str]]:
    """Yield the parts of the element ``old`` that are missing or different in ``new``, and those that exist only there,
    each with its path: ``("devices", "disk", 2, "driver", 1, "@cache")``, with positions from 1 among those of one
    name, in ``old`` if it exists there. Elements in ``last`` must be after others of their names."""
    if old.facts != new.facts:
        for name, value in old.facts.items():
            if new.facts.get(name) != value:
                yield (*path, f"@{_local(name)}"), OTHER if name in new.facts else MISSING
        for name in new.facts:
            if name not in old.facts:
                yield (*path, f"@{_local(name)}"), ADDED
    if old.text != new.text and _said(old) != _said(new):
        yield path, f"its text {OTHER if new.text.strip() else MISSING}"
    if old.children or new.children:
        yield from _children(old, new, last, path)


def _children(old: Element, new: Element, last: Container[Element], path: Path) -> Iterator[tuple[Path, str]]:
    wanted, found = _by_name(old), _by_name(new)
    for name, elements in wanted.items():
        others = found.get(name, [])
        numbered = [(element, number + 1) for number, element in enumerate(elements)]
        if last:
            numbered.sort(key=lambda one: one[0] in last)
        for number, (element, position) in enumerate(numbered):
            place = (*path, element.tag, position)
            if number < len(others):
                yield from differences(element, others[number], last, place)
            else:
                yield place, MISSING
    for name, elements in found.items():
        for number in range(len(wanted.get(name, ())), len(elements)):
            yield (*path, elements[number].tag, number + 1), ADDED


def _by_name(element: Element) -> dict[str, list[Element]]:
    found: dict[str, list[Element]] = {}
    for child in element.children:
        found.setdefault(child.name, []).append(child)
    return found


def _said(element: Element) -> str:
    """Return the text of an element without white space that is layout."""
    return " ".join(element.text.split()) if element.children else element.text.strip()


def _local(name: str) -> str:
    return name.rpartition("}")[2]
