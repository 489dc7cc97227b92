"""Conversion of the document of a running guest to that of the defined guest, by the keyword ``running`` of the schema.

Each entry is a path from the element, ``source/@index``, or a mapping: ``{at: source/@bridge, when: {'@type':
[network]}}`` applies to elements in which the values at the paths of ``when`` are listed, or have a listed prefix
(``{begins: [vnet]}``). An element without other content is removed too.
"""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

from kvmrender.errors import Path
from kvmrender.libvirt.field_places import Place
from kvmrender.libvirt.xml_tree import Element


class Defined(NamedTuple):
    """A document without the parts that only a running guest has: its ``root``, the original elements (``whole``) by
    reduced ones, and the paths of removed parts (``gone``)."""

    root: Element
    whole: dict[Element, Element]
    gone: list[Path]


def as_defined(root: Element, place: Place, devices: str) -> Defined:
    """Return the document of a guest, which is running if its domain has an ``id``, as it was defined."""
    if "id" not in root.attributes:
        return Defined(root, {}, [])
    found = Defined(copy(root), {}, [])
    found.root.children = _children(root, place, devices, (), found)
    return found


def _children(of: Element, place: Place, devices: str, path: Path, found: Defined) -> list[Element]:
    fields = place.lists if path else place.elements
    counts: dict[str, int] = {}
    result = []
    for child in of.children:
        counts[child.tag] = counts.get(child.tag, 0) + 1
        where, less = (*path, child.tag, counts[child.tag]), child
        if not path and child.name == devices:
            less = copy(child)
            less.children = _children(child, place, devices, where, found)
        elif (inside := fields.get(child.tag)) is not None:
            for rule in (inside.item if inside.is_list else inside).node.get("facts", {}).get("running", ()):
                at, when = (rule, {}) if isinstance(rule, str) else (rule["at"], rule.get("when", {}))
                if all(_has(child, there.split("/"), wanted) for there, wanted in when.items()):
                    less, gone = _without(less, at.split("/"))
                    found.gone.extend((*where, *one) for one in gone)
            if less is not child:
                found.whole[less] = child
        if less is child or not _is_empty(less):
            result.append(less)
        else:
            found.gone[:] = [*(one for one in found.gone if one[: len(where)] != where), where]
    return result


def _has(element: Element, steps: list[str], wanted: Any) -> bool:
    """Return whether the value at the end of these steps is one of the wanted texts."""
    *above, last = steps
    for step in above if last.startswith("@") else steps:
        if (below := next((child for child in element.children if child.tag == step), None)) is None:
            return False
        element = below
    text = element.attributes.get(last[1:]) if last.startswith("@") else element.text.strip()
    if text is None:
        return False
    return text.startswith(tuple(wanted["begins"])) if isinstance(wanted, dict) else text in wanted


def _without(element: Element, steps: list[str]) -> tuple[Element, list[Path]]:
    """Return an element without the value at the end of these steps, and its place."""
    less, step = copy(element), steps[0]
    if step.startswith("@"):
        name = step[1:]
        if name not in element.attributes:
            return element, []
        less.attributes = {key: text for key, text in element.attributes.items() if key != name}
        less.facts = {key: text for key, text in element.facts.items() if key != name}
        return less, [(step,)]
    for number, child in enumerate(element.children):
        if child.tag == step:
            below, gone = _without(child, steps[1:]) if steps[1:] else (child, [()])
            if not gone:
                break
            is_whole = not steps[1:] or _is_empty(below)
            less.children = [
                *element.children[:number],
                *(() if is_whole else (below,)),
                *element.children[number + 1 :],
            ]
            return less, [(step, 1) if is_whole else (step, 1, *one) for one in gone]
    return element, []


def _is_empty(element: Element) -> bool:
    return not (element.attributes or element.children or element.text.strip())
