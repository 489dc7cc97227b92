"""Conversion of one document to a guest: it is read, rendered, compared, and adjusted until the XML is equivalent.

Each element becomes its field in the schema. Elements without a field, elements that the schema refuses, and those that
render differently are moved to ``extra`` unchanged: a device, or an element of the domain, as a whole. Checks that
refuse the guest are ignored in it. Remaining differences are reported.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from kvmrender.engine import Engine, Rendered
from kvmrender.errors import NOTE, GuestError, Path, Problem
from kvmrender.libvirt.field_places import NO_FIELD, Place, Unread, add_child, attributes_of, paths
from kvmrender.libvirt.guest_parts import fill_in, without
from kvmrender.libvirt.running import as_defined
from kvmrender.libvirt.short_form import Guest, Shortener, Shorteners
from kvmrender.libvirt.xml_facts import ADDED, differences, is_same_text
from kvmrender.libvirt.xml_tree import Element, documents, outdented
from kvmrender.schema.guest_schema import element_of, value_at
from kvmrender.schema.xml_path import xml_path
from kvmrender.wording import listed

DEVICES, DOMAIN, EXTRA, IGNORE, SCHEMA, IMPORT = "devices", "domain", "extra", "ignore", "schema", "import"
NO_DEVICES: tuple[Path, str] = (DEVICES, 1), ADDED
"""Reason for a domain without element devices: that of the guest is empty, which is equivalent."""
MOST_ROUNDS = 50
"""Maximum number of times that a guest is adjusted and rendered again."""
MANY = 100
"""Maximum number of devices that are moved to ``extra`` individually because of problems; beyond it, their whole lists
are."""

Told = tuple[str, str]
"""Path in a document, ``devices/disk[2]/@shade``, and the message about it."""


class Mended(NamedTuple):
    """``read`` is the document as a guest in full form; ``guest`` is the guest as written, with its context and XML;
    ``lost`` are the parts of the document that are missing or different in this XML; ``notes`` are parts that were
    moved to ``extra``, ignored checks (``ignore ID``), and parts that only a running guest has."""

    read: Guest
    guest: Guest
    rendered: Rendered
    lost: list[Told]
    notes: list[Told]


class Mending:
    """The conversion of the document ``root``; ``place`` is the schema of a guest."""

    def __init__(
        self, engine: Engine, shorteners: Shorteners, place: Place, root: Element, namespace: str | None = None
    ) -> None:
        self._engine, self._shorteners = engine, shorteners
        self._place, self._document, self._namespace = place, root, namespace
        self._root, self._whole, self._gone = as_defined(root, place, DEVICES)
        self._raw: dict[Element, str] = {}
        """The elements to move to ``extra``, with reasons."""
        self._ignored: dict[str, str] = {}
        self._dropped: dict[Path, str] = {}
        """Fields of the guest that can't be kept, with reasons."""
        self._live: dict[Path, Path] = {}
        """Fields that only a running guest has, with their paths in the document."""
        self._always: set[Path] = set()
        """Fields that every guest must have, also if the document does not."""
        self._holders: dict[tuple[str, int], Element] = {}
        """Elements of the domain and its devices, by field and list index."""
        self._like: dict[Element, dict[str, list[Element]]] = {}
        """Child elements by name, as far as looked up."""

    def done(self, full: bool, tidy: bool = False) -> Mended:
        """Convert the document, to ``full`` or short form; ``tidy`` omits parts that only a running guest has, also if
        nothing else shows that the document is of one. Raises GuestError if it can't be represented as a guest, and
        TemplateError."""
        self._refuse_strangers()
        for _ in range(MOST_ROUNDS):
            guest, unread = self._read()
            if self._to_extra(unread.found):
                continue
            shortener = self._shorteners.of(guest)
            for path in self._always:
                fill_in(guest, path, shortener.default(guest, path))
            live = [*unread.live, *self._live.values(), *self._gone]
            is_running = tidy or bool(live)
            try:
                written = shortener.full(guest) if full else shortener.shortened(guest)
                rendered, found = self._proved(written, live)
                if found and not full:  # it may be that of the short form
                    whole = shortener.full(guest)
                    again, others = self._proved(whole, live)
                    if again.xml != rendered.xml:
                        written, rendered, found = whole, again, others
            except GuestError as error:
                wrong = error.problems if is_running else [one for one in error.problems if one.level != NOTE]
                if not self._heed(wrong, guest):
                    raise
                continue
            if is_running and self._heed(rendered.notes, guest):
                continue
            if (found and self._causes_to_extra(shortener, guest, rendered.context)) or self._to_extra(found):
                continue
            lost = dict(found) | dict(unread.found)
            told = [(self._shown(path), why) for path, why in lost.items()]
            return Mended(guest, written, rendered, told, list(self._notes(live)))
        raise GuestError([Problem((), "is mended more often than any domain should be", id=IMPORT)])

    def _proved(self, guest: Guest, live: list[Path]) -> tuple[Rendered, list[tuple[Path, str]]]:
        """Return the result of a guest, and the parts of the document that are missing or different in it."""
        rendered = self._engine.rendered(guest)
        data = rendered.xml.encode()
        if is_same_text(self._document.source.document, data.strip()):
            return rendered, []
        again, _, fault = next(documents(data))
        if again is None:
            raise GuestError([Problem((), f"is too large to be proved: what comes of it {fault}", id=IMPORT)])
        raw = {self._whole.get(element, element) for element in self._raw}
        fields = {self._paths[element]: field for field, element in self._holders.items()}
        return rendered, [
            (path, why)
            for path, why in differences(self._document, again, raw)
            if not any(path[: len(one)] == one for one in live)
            and (path, why) != NO_DEVICES
            and (why != ADDED or not self._is_automatic(path, rendered.context, fields))
        ]

    def _is_automatic(self, path: Path, context: Guest, fields: dict[Path, tuple[str, int]]) -> bool:
        """Return whether an attribute that a device of the document lacks has the value that libvirt assumes then."""
        key, number = fields.get(path[:-1], ("", 0))
        if key not in self._place.properties or not self._place.inside(key).is_list:
            return False
        name = str(path[-1]).removeprefix("@")
        node = self._place.inside(key).item.properties.get(name, {})
        return context[key][number].get(name) in node.get("facts", {}).get("automatic", ())

    def _refuse_strangers(self) -> None:
        if self._root.name != DOMAIN:
            raise GuestError([Problem((), f"is no domain, but <{self._root.tag}>", id=IMPORT)])
        kinds = self._place.properties["type"]["enum"]
        if self._root.attributes.get("type") not in kinds:
            raise GuestError([Problem((), f"is no domain of {listed(kinds, 'or')}", id=IMPORT)])

    def _read(self) -> tuple[Guest, Unread]:
        """Return the guest of the document, without parts that are known to belong elsewhere or can't be kept."""
        unread = Unread(self._root)
        guest = attributes_of(self._root, self._place, unread)
        self._holders.clear()
        if self._namespace is not None:
            guest["namespace"] = self._namespace
        for child in self._root.children:
            if child.name == DEVICES:
                for name in child.attributes:
                    unread.add(child, NO_FIELD, f"@{name}")
                for device in child.children:
                    self._read_child(guest, device, unread, self._place.lists)
            else:
                self._read_child(guest, child, unread, self._place.elements)
        if extra := self._extra():
            guest[EXTRA] = extra
        if self._ignored:
            guest[IGNORE] = list(self._ignored)
        if (arch := self._architecture(guest)) is not None:
            guest["arch"] = arch
        return without(guest, (*self._dropped, *self._live)), unread

    def _read_child(self, guest: Guest, child: Element, unread: Unread, fields: dict[str, Place]) -> None:
        if child not in self._raw and (key := add_child(guest, child, self._place, unread, fields)) is not None:
            value = guest[key]
            self._holders[key, len(value) - 1 if value.__class__ is list else 0] = child

    @cached_property
    def _paths(self) -> dict[Element, Path]:
        """Where the elements of the domain and of its devices stand."""
        found = dict(paths(self._root, depth=1))
        for child in self._root.children:
            if child.name == DEVICES:
                found.update(paths(child, found[child], 1))
        del found[self._root]
        return found

    def _architecture(self, guest: Guest) -> str | None:
        """Return the name of an architecture in guests. Raises GuestError for an unknown one."""
        os = guest.get("os")
        kind = os.get("type") if isinstance(os, dict) else None
        named = kind.get("arch") if isinstance(kind, dict) else None
        names = self._engine.schema.names
        if named is not None and named not in names:
            said = f"is for the architecture {named}, which is not known"
            raise GuestError([Problem((), said, id=IMPORT)])
        return names[named] if named is not None else None

    def _extra(self) -> dict[str, str]:
        found: dict[str, list[str]] = {}
        for element in self._raw:
            kind = DEVICES if self._paths[element][0] == DEVICES else DOMAIN
            found.setdefault(kind, []).append(outdented(self._whole.get(element, element)))
        return {kind: "\n".join(pieces) for kind, pieces in found.items()}

    def _causes_to_extra(self, shortener: Shortener, guest: Guest, context: Guest) -> bool:
        """Move devices to ``extra`` that would add devices which the document does not have. Return whether there were
        any."""
        guest, more = shortener.full(guest), False
        lists = {key: value for key, value in guest.items() if isinstance(value, list) and key in context}
        for key in [key for key in context if isinstance(context[key], list) and key in self._place.properties]:
            own = guest.get(key, [])
            if key == IGNORE or len(context[key]) <= len(own):
                continue
            empty = {**guest, **{name: [] for name in lists if name != key}}
            for other, items in lists.items():
                for number, item in enumerate(items if other != key else ()):
                    holder = self._holders.get((other, number))
                    found = shortener.context({**empty, other: [item]})
                    if holder is not None and len(found[key]) > len(own):
                        self._raw[holder] = f"it would bring one of {key} that is not there"
                        more = True
        self._sort()
        return more

    def _to_extra(self, found: Collection[tuple[Path, str]]) -> bool:
        """Move the elements that contain these to ``extra``. Return whether any could be moved."""
        if not found:
            return False
        holders = {path: element for element, path in self._paths.items()}
        more = False
        for path, why in found:
            depth = 4 if path[:1] == (DEVICES,) else 2
            holder = holders.get(path[:depth])
            if holder is not None and holder not in self._raw and self._can_be_raw(holder):
                self._raw[holder] = f"{_few(path[depth:])} {why}".strip()
                more = True
        self._sort()
        return more

    def _sort(self) -> None:
        """Sort the elements in ``extra`` in the order of the document."""
        if len(self._raw) > 1:
            self._raw = {element: self._raw[element] for element in self._paths if element in self._raw}

    def _can_be_raw(self, element: Element) -> bool:
        if self._paths[element][0] == DEVICES:
            return len(self._paths[element]) > len((DEVICES, 1))
        return element.tag not in self._place.node["required"]

    def _heed(self, problems: Iterable[Problem], guest: Guest) -> bool:
        """Handle the problems of a guest. Return whether any could be handled. Notes are handled only for parts that
        only a running guest has."""
        before = len(self._raw) + len(self._ignored) + len(self._dropped) + len(self._live) + len(self._always)
        old = set(self._raw)
        for problem in problems:
            if problem.level == NOTE:
                self._heed_schema(problem.path, problem.message, guest, is_note=True)
            elif problem.id not in (SCHEMA, IMPORT):
                self._ignored.setdefault(problem.id, problem.message)
            elif problem.path:
                self._heed_schema(problem.path, problem.message, guest)
        if len(self._raw) > len(old) + MANY:
            new = self._raw.keys() - old
            keys = {key for (key, _), element in self._holders.items() if element in new}
            for (key, _), element in self._holders.items():
                if key in keys:
                    self._raw.setdefault(element, "it is one of many, of which too many are refused")
        self._sort()
        after = len(self._raw) + len(self._ignored) + len(self._dropped) + len(self._live) + len(self._always)
        return after > before

    def _heed_schema(self, path: Path, why: str, guest: Guest, is_note: bool = False) -> None:
        if not is_note and value_at(guest, path) is None:
            self._always.add(path)
        key = str(path[0])
        holder = self._holders.get((key, path[1] if len(path) > 1 and isinstance(path[1], int) else 0))
        if holder is None or key not in self._place.properties:
            return
        place, steps = self._place, list[str | int](self._paths[holder])
        for depth, step in enumerate(path):
            if isinstance(step, int):
                place = place.item
                steps[-1] = step + 1 if depth > 1 else steps[-1]
            elif step in place.properties:
                attribute, live = f"@{step}", place.live
                is_alone = set(place.properties) == {step}
                place = place.inside(step)
                if attribute in live:  # an element without other content is removed with it
                    field, where = (path[:depth], steps) if is_alone else (path[: depth + 1], [*steps, attribute])
                    self._live[field] = tuple(where)
                    return
                if step in live:
                    self._live[path[: depth + 1]] = (*steps, step, 1)
                    return
                if depth:
                    steps += [element_of(place.root, step, place.node), 1]
        if is_note:
            return
        if self._can_be_raw(holder):
            self._raw.setdefault(holder, why)
            return
        while len(path) > 1 and path in self._dropped:
            path = path[:-1]
        if len(path) > 1:
            self._dropped[path] = why

    def _shown(self, path: Path) -> str:
        """Return the path of an element or attribute, with positions if several have the same name."""
        shown: list[str | int] = []
        element: Element | None = self._root
        for step in path:
            if isinstance(step, str):
                shown.append(step)
                continue
            like = self._inside(element).get(str(shown[-1]), []) if element else []
            element = like[step - 1] if len(like) >= step else None
            shown += [step] if len(like) > 1 or step > 1 else []
        return xml_path(tuple(shown))

    def _inside(self, element: Element) -> dict[str, list[Element]]:
        if element not in self._like:
            found = self._like[element] = dict[str, list[Element]]()
            for child in element.children:
                found.setdefault(child.tag, []).append(child)
        return self._like[element]

    def _notes(self, live: list[Path]) -> Iterator[Told]:
        if live:
            few = ", ".join(
                sorted({str(next(step for step in reversed(path) if isinstance(step, str))) for path in live})
            )
            yield "domain", f"is that of a running guest: what only such a one has is left out ({few})"
        seen: set[str] = set()
        for element, path in self._paths.items() if self._raw else ():
            if element in self._raw:
                seen.add(element.name)
                yield self._shown(path), f"went to extra: {self._raw[element]}"
            elif element.name in seen:
                yield self._shown(path), "stands before its like that went to extra"
        for check, why in self._ignored.items():
            yield f"ignore {check}", why


def _few(path: Path) -> str:
    return "/".join(step for step in path if isinstance(step, str))
