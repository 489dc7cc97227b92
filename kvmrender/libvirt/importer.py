"""Import of domain XML: conversion to a guest that renders to an equivalent document, which is verified."""

from __future__ import annotations

from typing import NamedTuple

from kvmrender.checks.buses import machine_kind
from kvmrender.context.full_form import without_nulls
from kvmrender.engine import Engine, Rendered, default_engine, engine_of
from kvmrender.errors import GuestError, Path, Problem
from kvmrender.libvirt.field_places import place_of
from kvmrender.libvirt.mending import Mending, Told
from kvmrender.libvirt.short_form import MACHINE, Guest, shorteners_of
from kvmrender.libvirt.tidying import tidied
from kvmrender.libvirt.xml_tree import Element, documents
from kvmrender.templating.stack import Paths


class Imported(NamedTuple):
    """A guest imported from a document, as users write it, with its keys in the order of the schema.

    ``lost`` are the parts that it does not reproduce, each with its path (``devices/disk[2]/@shade``) and the reason.
    ``notes`` are parts that were moved to ``extra``, checks that the guest ignores (``ignore ID``) with the reason, and
    parts that only a running guest has. ``has_secret`` is true if the guest contains a secret.
    """

    guest: Guest
    lost: list[Told]
    notes: list[Told]
    has_secret: bool = False
    tidied: tuple[Path, ...] = ()
    """The fields that were omitted because libvirt sets them itself."""


class Importer:
    """Convert documents to guests with schema and templates of ``engine``; ``namespace`` is used for derivation. With
    ``machine_alias``, a versioned machine is replaced by its alias for the newest version. Threads can share it."""

    def __init__(self, engine: Engine | None = None, namespace: str | None = None, machine_alias: bool = False) -> None:
        self._engine = engine or default_engine()
        self._namespace, self._machine_alias = namespace, machine_alias
        self._shorteners, self._place = shorteners_of(self._engine.schema), place_of(self._engine.schema)

    def imported(self, root: Element, full: bool = False, tidy: bool = False) -> Imported:
        """Return the guest of a document; ``full`` keeps defaults and derived values; ``tidy`` omits values that
        libvirt sets itself, without verification.

        Raises GuestError if it is not a domain of KVM or QEMU, or can't be represented as a guest, and TemplateError.
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
        """Return a guest in full form with fewer values, its result, and the fields that were omitted. Values that
        others need, such as the audio of a display, are kept."""
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
    """Return a guest with the alias of its machine, if known."""
    kind = guest["os"]["type"]
    for begin, alias in aliases.items():
        if str(kind.get(MACHINE)).startswith(begin):
            return {**guest, "os": {**guest["os"], "type": {**kind, MACHINE: alias}}}
    return guest


def import_domain(
    xml: str | bytes,
    templates: Paths = (),
    *,
    full: bool = False,
    tidy: bool = False,
    machine_alias: bool = False,
    namespace: str | None = None,
) -> Imported:
    """Return the guest of a domain's XML (https://libvirt.org/formatdomain.html), and the parts that it could not
    represent.

    Values equal to defaults and derived values, with ``namespace`` if given, are omitted unless ``full`` is true; with
    ``tidy``, values that libvirt sets itself are omitted too. With ``machine_alias``, a machine such as pc-q35-7.2 is
    replaced by the alias of the newest version, q35. ``templates`` are folders that are searched before the shipped
    one.

    Raises GuestError for XML that is not well-formed or not a domain of KVM or QEMU, and TemplateError.
    """
    engine = engine_of(templates)
    found = list(documents(xml.encode() if isinstance(xml, str) else xml))
    for document in found:
        if document.root is None:
            raise GuestError([Problem((), document.fault, line=document.line, id="xml")])
    if len(found) > 1 or found[0].root is None:
        raise GuestError([Problem((), f"there are {len(found)} documents where one is wanted", id="import")])
    return Importer(engine, namespace, machine_alias).imported(found[0].root, full, tidy)
