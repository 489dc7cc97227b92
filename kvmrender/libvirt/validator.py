"""Validation of domain XML against libvirt's schema, with the element or attribute that is wrong.

For a mistake deep inside a device, libxml2 only reports an "Extra element devices in interleave". Therefore, each
element is validated against its own part of the schema, from the outside in, until one is found that is wrong by
itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from io import BytesIO
from itertools import count, islice
from typing import Any

from lxml import etree

from kvmrender.context.validation import shown
from kvmrender.engine import Engine, default_engine
from kvmrender.errors import NOTE, GuestError, LimitError, Path, Problem, TemplateError, nearest
from kvmrender.fleet.clashes import Key, keys, problems_of
from kvmrender.fleet.fleet import Faults, placer
from kvmrender.fleet.guest_result import needless, split
from kvmrender.libvirt.driver import Driver
from kvmrender.libvirt.rng import Grammar, Pattern, installed_schema
from kvmrender.reading.documents import Document
from kvmrender.reading.inputs import Inputs
from kvmrender.schema.secrets import MASK, Secrets
from kvmrender.schema.xml_path import guest_path, xml_path
from kvmrender.terminal import say

Step = tuple[str, int]
"""An element's name and its position among those with this name, from 1."""

SCHEMA = "libvirt-schema"
"""ID of the problems that libvirt's schema finds."""
MANY = 9
MOST_FAULTS = 100
"""Maximum number of problems of a domain."""
MOST_CHILDREN = 10_000
"""Maximum number of children of an element of a validated domain, or the equivalent for several elements: the time that
libxml2 takes is quadratic, so that the sum of the squares is limited."""
MOST_STEPS = 20_000
"""Maximum number of elements that are validated individually to find the wrong ones."""

_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
_BEGINS_LIKE_XML = re.compile(rb"(\xef\xbb\xbf)?\s*<")


class Validator:
    """Validate guest files and domain XML, from fast to strict checks.

    ``schema`` is the path of libvirt's domain.rng (default: the installed one), ``connect`` the URI of a driver to ask
    too. ``told`` is called for each guest with its name, if known, its file and its problems. Raises Error if one of
    them is not available.
    """

    def __init__(
        self,
        engine: Engine,
        schema: str | None = None,
        connect: str | None = None,
        allow_shared: Iterable[str] = (),
        told: Callable[[str | None, str, list[Problem]], None] = lambda name, file, problems: None,
    ) -> None:
        self._engine = engine
        self._secrets = Secrets(engine.schema.root)
        self._grammar = Grammar(schema or installed_schema())
        self._driver = Driver(connect) if connect else None
        self._allowed = tuple(allow_shared)
        self._size = 0
        self._told = told
        self._idle: set[str] | None = None
        self._keys: list[tuple[str, Key, Callable[[Problem], Problem]]] = []

    def is_valid(self, name: str, data: bytes, inputs: Inputs, faults: Faults) -> bool:
        """Return whether the contents of a file, a guest file or domain XML, are valid, and add faults to ``faults``.
        ``inputs`` has the layers under and over its guests."""
        if _BEGINS_LIKE_XML.match(data):
            problems = [
                replace(_by_path(problem, ()), file=name, column=problem.line and (problem.column or 1))
                for problem in self._of_xml(data)
            ]
            faults.add(problems)
            self._told(None, name, problems)
            return not problems
        valid = True
        try:
            for document in inputs.read(name, BytesIO(data)):
                try:
                    found = document.located(self._of_guest(document, inputs), inputs.over)
                except GuestError as error:
                    found = list(error.problems)
                except TemplateError as error:
                    faults.add_fault(error)
                    self._told(_name(document), name, [error.problem])
                    valid = False
                    continue
                self._told(_name(document), name, found)
                inputs.refuse_growth(self._size)
                notes = [problem for problem in found if problem.level == NOTE]
                for note in notes:
                    say(str(note))
                faults.add(problem for problem in found if problem not in notes)
                valid = valid and len(found) == len(notes)
        except GuestError as error:
            faults.add(error.problems, of_files=True)
            valid = False
        return valid

    def needless(self) -> list[Problem]:
        """Return notes for ignored checks that find nothing in any guest of these files."""
        return needless(sorted(self._idle or ()))

    def shared(self) -> list[Problem]:
        """Return the conflicts between guests of these files."""
        return problems_of(self._keys)

    def _of_guest(self, document: Document, inputs: Inputs) -> Iterator[Problem]:
        guest = inputs.guest(document)
        try:
            context, xml, notes = self._engine.rendered(guest)
        except GuestError as error:
            yield from split(guest, error.problems, inputs.ignored)[0]
            return
        except LimitError as error:
            yield error.problem
            return
        notes, idle = split(guest, notes, inputs.ignored)
        self._idle = set(idle) if self._idle is None else self._idle.intersection(idle)
        yield from notes
        self._size += len(xml)
        place = placer(document, inputs.over)
        self._keys += [(context["name"], key, place) for key in keys(context, guest, self._allowed)]
        known = self._secrets.values(context)
        for problem in self._of_xml(xml.encode()):
            path = guest_path(self._engine.schema.root, problem.path)
            found = _by_path(problem, path)
            yield replace(found, message=self._secrets.without(known, found.message), line=None, column=None)

    def _of_xml(self, xml: bytes) -> list[Problem]:
        try:
            found = faults(self._grammar, xml, self._secrets)
        except etree.XMLSyntaxError as error:
            said = f"is not well-formed XML: {self._fault(error, xml)}"
            return [Problem((), said, id="xml").at(None, error.position)]
        if not found and self._driver and (refusal := self._driver.refusal(text := xml.decode())):
            said = self._secrets.without(self._secrets.xml.values(text), refusal)
            return [Problem((), f"libvirt would not run it: {said}", id="libvirt-driver")]
        return found

    def _fault(self, error: etree.XMLSyntaxError, xml: bytes) -> str:
        """Return why a document is not well-formed; without quoting it if that may reveal a secret."""
        if b"\0" in xml or self._secrets.xml.is_named(xml.decode(errors="replace")):
            return "the parser stops here"
        return str(error.msg).partition(", line ")[0]


def _name(document: Document) -> str | None:
    """Return the name of a guest as written, if it has one."""
    guest = document.own.value
    named = guest.get("name") if isinstance(guest, dict) else None
    return str(named) if isinstance(named, (str, int)) else None


def _by_path(problem: Problem, path: Path) -> Problem:
    """Return a problem of an element as one of a field, with the element's path in its message."""
    said = f"{xml_path(problem.path)}: {problem.message}" if problem.path else problem.message
    return replace(problem, path=path, message=said)


def faults(grammar: Grammar, xml: bytes, secrets: Secrets | None = None) -> list[Problem]:
    """Return the faults that libvirt's schema finds in a domain, without its ``secrets`` (default: those of the shipped
    schema). The path of each problem is that of the XML: ``("devices", "disk", 2, "driver", "@cache")``, with positions
    from 1 if there are several.

    Raises lxml.etree.XMLSyntaxError if it is not XML.
    """
    root = etree.fromstring(xml, _PARSER)
    if root.getroottree().docinfo.doctype:
        return [Problem((), "has a DTD, which domain XML never has", id="xml")]
    if sum(len(element) ** 2 for element in root.iter(etree.Element)) > MOST_CHILDREN**2:
        said_of_all = f"has more elements beside each other than {MOST_CHILDREN:,} in one: they are not validated"
        return [Problem((), said_of_all, id=SCHEMA)]
    if (whole := grammar.fault(root)) is None:
        return []
    secrets = secrets or Secrets(default_engine().schema.root)
    values = secrets.xml.values(etree.tostring(root, encoding="unicode"))

    def said(problem: Problem) -> str:
        if secrets.xml.has(problem.path):
            return f"{MASK} is not a value that libvirt takes"
        return secrets.without(values, problem.message)

    found = list(islice(_faults(grammar, root, grammar.start, (), count()), MOST_FAULTS + 1))
    problems = [
        replace(problem, message=said(problem), id=SCHEMA).at(None, (element.sourceline, 1))
        for problem, element in found or [(Problem((), whole), root)]
    ]
    if len(problems) > MOST_FAULTS:
        problems[-1] = Problem((), f"has {MOST_FAULTS} or more problems: only the first are listed", id=SCHEMA)
    return problems


def _faults(
    grammar: Grammar, element: Any, patterns: list[Pattern], path: Path, steps: Iterator[int]
) -> Iterator[tuple[Problem, Any]]:
    if next(steps) > MOST_STEPS:
        return
    alone = etree.fromstring(etree.tostring(element, with_tail=False), _PARSER)
    said = grammar.fault(alone, patterns)
    if said is None:
        return
    is_told = False
    for problem in _attribute_faults(grammar, element, patterns, path):
        is_told = True
        yield problem, element
    known = grammar.children(patterns)
    for child, place in _children(element):
        if child.tag in known:
            for fault in _faults(grammar, child, known[child.tag], (*path, *place), steps):
                is_told = True
                yield fault
        elif "*" not in known:
            names = [_prefixed(name, child) for name in known]
            hint = nearest(_prefixed(child.tag, child), names) or f" (known elements: {_listed(names)})"
            is_told = True
            yield Problem((*path, *place), f"is not an element that libvirt knows here{hint}"), child
    if not is_told:
        values = grammar.values(patterns) if not len(element) and element.text else []
        if values and element.text not in values:
            said = f"{shown(element.text)} is not one of {_listed(values)}{nearest(element.text, values)}"
        yield Problem(path, said), element


def _attribute_faults(grammar: Grammar, element: Any, patterns: list[Pattern], path: Path) -> Iterator[Problem]:
    known = grammar.attributes(patterns)
    for name, value in element.attrib.items():
        if name not in known:
            hint = nearest(name, known) or f" (known attributes: {_listed(known)})"
            yield Problem((*path, f"@{name}"), f"is not an attribute that libvirt knows here{hint}")
        elif not grammar.attribute_fits(name, value, known[name]):
            values = grammar.values(known[name])
            wanted = f"one of {_listed(values)}{nearest(value, values)}" if values else "a value that libvirt takes"
            yield Problem((*path, f"@{name}"), f"{shown(value)} is not {wanted}")


def _children(element: Any) -> Iterator[tuple[Any, Path]]:
    """Yield each child with its name, and its position if there are several of that name."""
    many = Counter(child.tag for child in element.iterchildren(etree.Element))
    seen: Counter[str] = Counter()
    for child in element.iterchildren(etree.Element):
        seen[child.tag] += 1
        local = etree.QName(child).localname
        name = f"{child.prefix}:{local}" if child.prefix else local
        yield child, (name, seen[child.tag]) if many[child.tag] > 1 else (name,)


def _prefixed(name: str, element: Any) -> str:
    """Return a name ``{namespace}name`` with the prefix of the namespace at an element."""
    namespace, _, local = name.rpartition("}")
    prefixes = [prefix for prefix, uri in element.nsmap.items() if uri == namespace[1:] and prefix]
    return f"{prefixes[0]}:{local}" if prefixes else local if namespace else name


def _listed(names: Any) -> str:
    words = sorted(map(str, names)) or ["none"]
    return ", ".join(words if len(words) <= MANY else [*words[:MANY], "…"])
