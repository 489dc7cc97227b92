"""The RELAX NG schema of libvirt: loading, traversal, and validation of documents or single elements.

Requires lxml (the extra ``validate``). libvirt includes the schema: ``domain.rng`` in its ``schemas`` folder.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import cached_property
from pathlib import Path
from typing import Any

from lxml import etree

from kvmrender.errors import Error

RNG = "{http://relaxng.org/ns/structure/1.0}"
DATATYPES = "http://www.w3.org/2001/XMLSchema-datatypes"
WHERE = "libvirt/schemas/domain.rng"

MANY_ATTRIBUTES = 8
"""Number of attributes of an element from which independent ones are validated individually: the time that libxml2
takes doubles with each optional attribute."""

Pattern = Any
"""A node of the schema: ``<element>`` or ``<attribute>``."""


def installed_schema() -> Path:
    """Return the path of the installed libvirt's schema. Raises Error if there is none."""
    folders = (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    for folder in folders:
        if (path := Path(folder, WHERE)).is_file():
            return path
    tried = ", ".join(str(Path(folder, WHERE)) for folder in folders)
    raise Error(f"libvirt's schema is not installed ({tried}): install libvirt, or name it with --schema")


class Grammar:
    """The schema at ``path``. Raises Error if it can't be read."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).resolve()
        self._defines: dict[str, list[Any]] = {}
        # Compiled schemas and contents of patterns, with references to the patterns, which keep their ids valid.
        self._compiled: dict[tuple[int, ...], tuple[Any, list[Pattern]]] = {}
        self._kept: dict[tuple[Any, ...], tuple[Any, Any]] = {}
        if not self.path.is_file():
            raise Error(f"{path}: there is no such file")
        try:
            self._start = self._read(self.path, frozenset())
            self._whole = etree.RelaxNG(etree.parse(str(self.path)))
        except OSError as error:
            raise Error(f"{path}: {error.strerror or error}") from None
        except (etree.XMLSyntaxError, etree.RelaxNGParseError) as error:
            raise Error(f"{path}: is not a RELAX NG schema: {error}") from None

    def _read(self, path: Path, overridden: frozenset[str]) -> list[Any]:
        """Collect the definitions of a file and its includes; return the contents of its start."""
        start: list[Any] = []
        for node in etree.parse(str(path)).getroot():
            if node.tag == RNG + "define" and node.get("name") not in overridden:
                self._defines.setdefault(node.get("name"), []).extend(node)
            elif node.tag == RNG + "start":
                start += node
            elif node.tag == RNG + "include":
                own = {define.get("name"): define for define in node.iterfind(RNG + "define")}
                for name, define in own.items():
                    self._defines.setdefault(name, []).extend(define)
                start += self._read(path.parent / node.get("href"), overridden | own.keys())
        return start

    @cached_property
    def start(self) -> list[Pattern]:
        """The patterns of the document's element."""
        return [pattern for pattern in self._patterns(self._start) if pattern.tag == RNG + "element"]

    def children(self, patterns: Iterable[Pattern]) -> dict[str, list[Pattern]]:
        """Return the elements that may occur in an element of these patterns, by name ({namespace}name)."""
        return self._inside(patterns, "element")

    def attributes(self, patterns: Iterable[Pattern]) -> dict[str, list[Pattern]]:
        """Return the attributes that an element of these patterns may have, by name."""
        return self._inside(patterns, "attribute")

    def values(self, patterns: Iterable[Pattern]) -> list[str]:
        """Return the values that an attribute, or the text of an element, may have, if the schema lists them."""
        found = list(self._patterns([node for pattern in patterns for node in pattern]))
        if any(node.tag in (RNG + "data", RNG + "text") for node in found):
            return []
        return [node.text or "" for node in found if node.tag == RNG + "value"]

    def _inside(self, patterns: Iterable[Pattern], kind: str) -> dict[str, list[Pattern]]:
        patterns = list(patterns)
        key = (kind, *map(id, patterns))
        if key not in self._kept:
            self._kept[key] = patterns, self._found_inside(patterns, kind)
        found: dict[str, list[Pattern]] = self._kept[key][1]
        return found

    def _found_inside(self, patterns: list[Pattern], kind: str) -> dict[str, list[Pattern]]:
        result: dict[str, list[Pattern]] = {}
        for node in self._patterns([node for pattern in patterns for node in pattern]):
            if node.tag == RNG + kind and node not in result.setdefault(name := _name(node), []):
                result[name].append(node)
        return result

    def _patterns(self, nodes: Iterable[Any], seen: set[str] | None = None) -> Iterator[Any]:
        """Yield the elements, attributes and values among the nodes and their references, but not those inside."""
        seen = set() if seen is None else seen
        for node in nodes:
            if node.tag == RNG + "ref":
                if (name := node.get("name")) not in seen:
                    seen.add(name)
                    yield from self._patterns(self._defines.get(name, ()), seen)
            elif node.tag in (RNG + "element", RNG + "attribute", RNG + "value", RNG + "data", RNG + "text"):
                yield node
            elif isinstance(node.tag, str):
                yield from self._patterns(node, seen)

    def fault(self, element: Any, patterns: list[Pattern] | None = None) -> str | None:
        """Return why an element does not match these patterns (by default, the document's), or None if it does."""
        schema = self._whole if patterns is None else self._schema(patterns)
        if any(len(one.attrib) > MANY_ATTRIBUTES for one in element.iter(etree.Element)):
            element = deepcopy(element)
            self._slim(element, self.start if patterns is None else patterns)
        if schema.validate(element):
            return None
        return next((entry.message for entry in schema.error_log), "it is not valid")

    def _slim(self, element: Any, patterns: list[Pattern]) -> None:
        """Remove attributes, from an element of these patterns and its descendants, that do not affect its validity."""
        waiting = [(element, patterns)]
        while waiting:
            element, patterns = waiting.pop()
            known = self.children(patterns)
            waiting += [
                (child, known[child.tag]) for child in element.iterchildren(etree.Element) if child.tag in known
            ]
            if len(element.attrib) <= MANY_ATTRIBUTES:
                continue
            attributes, misfits = self.attributes(patterns), 0
            free = frozenset[str].intersection(*(self._free(pattern) for pattern in patterns))
            for name, value in element.attrib.items():
                fits = name in attributes and self.attribute_fits(name, value, attributes[name])
                misfits += not fits
                if (fits and name in free and len(attributes[name]) == 1) or (not fits and misfits > 1):
                    del element.attrib[name]

    def _free(self, pattern: Pattern) -> frozenset[str]:
        """Return the attributes that are optional in a pattern, independently of others."""
        key = ("free", id(pattern))
        if key not in self._kept:
            self._kept[key] = pattern, frozenset(map(_name, self._optional(pattern)))
        found: frozenset[str] = self._kept[key][1]
        return found

    def _optional(self, nodes: Iterable[Any], is_optional: bool = False) -> Iterator[Pattern]:
        for node in nodes:
            if node.tag == RNG + "ref":
                yield from self._optional(self._defines.get(node.get("name"), ()), is_optional)
            elif node.tag in (RNG + "interleave", RNG + "group") and not is_optional:
                yield from self._optional(node)
            elif node.tag == RNG + "optional" and len(node) == 1:
                yield from self._optional(node, is_optional=True)
            elif node.tag == RNG + "attribute" and is_optional:
                yield node

    def attribute_fits(self, name: str, value: str, patterns: list[Pattern]) -> bool:
        """Return whether an attribute may have a value."""
        return bool(self._schema(patterns, wrapped=True).validate(etree.Element("any", {name: value})))

    def _schema(self, patterns: list[Pattern], wrapped: bool = False) -> Any:
        """Return a schema whose document is one of the patterns, or an element with one of them."""
        key = tuple(map(id, patterns))
        if key not in self._compiled:
            grammar = etree.Element(RNG + "grammar", datatypeLibrary=DATATYPES)
            include = etree.SubElement(grammar, RNG + "include", href=self.path.as_uri())
            place = etree.SubElement(include, RNG + "start")
            if wrapped:
                place = etree.SubElement(place, RNG + "element", name="any")
            choice = etree.SubElement(place, RNG + "choice")
            for pattern in patterns:
                choice.append(copy := deepcopy(pattern))
                copy.tail = None
                copy.set("ns", _namespace(pattern))
            self._compiled[key] = etree.RelaxNG(grammar), patterns
        return self._compiled[key][0]


def _name(node: Any) -> str:
    """Return the name of an element or attribute pattern, ``{namespace}name``; ``*`` for any name."""
    if (name := node.get("name")) is None:
        named = node.find(RNG + "name")
        return "*" if named is None else named.text
    namespace = _namespace(node)
    return f"{{{namespace}}}{name}" if namespace else str(name)


def _namespace(node: Any) -> str:
    """Return the namespace of a pattern's name: an element inherits it, an attribute does not."""
    while node is not None and node.get("ns") is None:
        node = None if node.tag == RNG + "attribute" else node.getparent()
    return "" if node is None else str(node.get("ns"))
