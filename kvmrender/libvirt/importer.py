"""Domain XML back to a guest, from which kvmrender makes the same document again, which is proved."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from kvmrender.checks.buses import machine_kind
from kvmrender.context.full_form import without_nulls
from kvmrender.engine import Engine, Rendered, current_engine, default_engine
from kvmrender.errors import GuestError, Path, Problem
from kvmrender.libvirt.field_places import Place
from kvmrender.libvirt.mending import Mending, Told
from kvmrender.libvirt.short_form import MACHINE, Guest, Shorteners
from kvmrender.libvirt.tidying import tidied
from kvmrender.libvirt.xml_tree import Element, documents


class Imported(NamedTuple):
    """A guest of a document, as users write it, its keys in the order of the schema.

    ``lost`` is what it does not say again, each with its path (``devices/disk[2]/@shade``) and why. ``notes`` are what
    is good to know: what went to ``extra``, which checks the guest ignores (``ignore ID``), and why, and what only a
    running guest has. ``has_secret`` says whether there is a secret in it.
    """

    guest: Guest
    lost: list[Told]
    notes: list[Told]
    has_secret: bool = False
    tidied: tuple[Path, ...] = ()
    """The fields that were left out because libvirt gives them by itself."""


class Importer:
    """Makes guests of documents with schema and templates of ``engine``; ``namespace`` is what they are derived with.
    With ``machine_alias``, a machine of one version is the one that stands for the newest. Threads may share it."""

    def __init__(self, engine: Engine | None = None, namespace: str | None = None, machine_alias: bool = False) -> None:
        self._engine = engine or default_engine()
        self._namespace, self._machine_alias = namespace, machine_alias
        self._shorteners = Shorteners(self._engine.schema)
        self._place = Place(self._engine.schema.root, self._engine.schema.root)

    def imported(self, root: Element, full: bool = False, tidy: bool = False) -> Imported:
        """Return the guest of a document, with all that it says where it is to be ``full``; ``tidy``, it is without
        what libvirt gives by itself, for which nothing is proved.

        Raises GuestError where it is no domain of KVM or QEMU, or no guest can be like it, and TemplateError.
        """
        mended = Mending(self._engine, self._shorteners, self._place, root, self._namespace).done(full, tidy)
        has_secret = self._engine.has_secret(mended.rendered.context, mended.rendered.xml)
        if not tidy and not self._machine_alias:
            return Imported(mended.guest, mended.lost, mended.notes, has_secret)
        shortener = self._shorteners.of(mended.read)
        guest, rendered, out = self._less(shortener.full(mended.read), mended.rendered, tidy)
        if not full:
            short = shortener.shortened(without_nulls(rendered.context))
            guest = short if self._engine.render(short) == rendered.xml else shortener.folded(guest)
        return Imported(guest, mended.lost, mended.notes, has_secret, out)

    def _less(self, guest: Guest, rendered: Rendered, tidy: bool) -> tuple[Guest, Rendered, tuple[Path, ...]]:
        """Return a guest in full form with less in it, what becomes of that, and the fields that were left out. Where
        something else needs those, such as a display its audio, as much as can be."""
        schema = self._engine.schema
        facts = schema.architectures[rendered.context["arch"]]["facts"]
        if self._machine_alias:
            guest = _with_alias(guest, facts.get("machine_aliases", {}))
        if not tidy:
            return guest, self._engine.rendered(guest), ()
        machine = machine_kind(rendered.context, facts)
        less, out = tidied(self._place, guest, machine)
        for stays in ((), *((key,) for key in dict.fromkeys(path[0] for path in out))):
            less, out = tidied(self._place, guest, machine, stays)
            try:
                return less, self._engine.rendered(less), tuple(out)
            except GuestError:
                continue
        return guest, self._engine.rendered(guest), ()


def _with_alias(guest: Guest, aliases: dict[str, str]) -> Guest:
    """Return a guest whose machine stands for the newest of its kind, where one is known."""
    kind = guest["os"]["type"]
    for begin, alias in aliases.items():
        if str(kind.get(MACHINE)).startswith(begin):
            return {**guest, "os": {**guest["os"], "type": {**kind, MACHINE: alias}}}
    return guest


def import_domain(
    xml: str | bytes,
    templates: Iterable[str | os.PathLike[str]] = (),
    *,
    full: bool = False,
    tidy: bool = False,
    machine_alias: bool = False,
    namespace: str | None = None,
) -> Imported:
    """Return the guest of a domain's XML (https://libvirt.org/formatdomain.html), and what it could not keep of it.

    What defaults and derived values would be is left out, those of ``namespace`` where it is given, unless the guest is
    to be ``full``; where it is to be ``tidy``, what libvirt gives by itself is left out, too. With ``machine_alias``, a
    machine such as pc-q35-7.2 is the one that stands for the newest, q35. ``templates`` are folders that come before
    the shipped one.

    Raises GuestError for what is no domain of KVM or QEMU, or not well-formed, and TemplateError.
    """
    folders = tuple(str(folder) for folder in templates)
    engine = current_engine(folders, isolated=True) if folders else default_engine()
    found = list(documents(xml.encode() if isinstance(xml, str) else xml))
    for document in found:
        if document.root is None:
            raise GuestError([Problem((), document.fault, line=document.line, id="xml")])
    if len(found) > 1 or found[0].root is None:
        raise GuestError([Problem((), f"there are {len(found)} documents where one is wanted", id="import")])
    return Importer(engine, namespace, machine_alias).imported(found[0].root, full, tidy)
