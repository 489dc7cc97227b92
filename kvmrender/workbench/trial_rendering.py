"""Trial rendering of guests to check templates: errors, invalid XML, and values that are never read."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from kvmrender.engine import Engine, default_engine
from kvmrender.errors import ERROR, GuestError, LimitError, Path, TemplateError, listed, path_string
from kvmrender.reading.documents import Document, Layer, Source
from kvmrender.reading.layers import ignoring, setting
from kvmrender.reading.load import read
from kvmrender.reading.profiles import APPENDED, USE, Profiles
from kvmrender.schema.guest_schema import Node, all_fields, parts
from kvmrender.schema.secrets import Secrets
from kvmrender.schema.xml_faults import document_fault, domain_fault
from kvmrender.shipped import shipped_fixtures
from kvmrender.templating.stack import TEMPLATE
from kvmrender.templating.used_fields import NOT_WRITTEN
from kvmrender.workbench.template_check import Finding

_POSITION = re.compile(r"\[\d+\]")

NAMED = 2
"""Maximum number of guests that a finding names."""


def fixtures() -> Iterator[Document]:
    """Yield the shipped example guests."""
    for file in sorted(shipped_fixtures().rglob("*.yaml")):
        yield from read(str(file), file.read_bytes())


def using(engine: Engine, documents: Iterable[Document], names: Sequence[str]) -> list[Document]:
    """Return documents whose guests also use these profiles. Raises GuestError."""
    root = engine.schema.root
    settings = [setting(root, f"{APPENDED}{name}") for name in names]
    profiles = Profiles(root)
    profiles.refuse_unknown(settings)
    found = [one._replace(profiles=profiles.layers) for one in documents]
    return [one._replace(under=(*one.under, *profiles.layers({}, settings))) for one in found] if names else found


def wrong_profiles(engine: Engine) -> Iterator[Finding]:
    """Yield the problems of custom profiles that the schema finds."""
    profiles = Profiles(engine.schema.root)
    for name, file in engine.stack.profiles().items():
        if engine.stack.is_shipped(str(file)):
            continue
        guest = {"name": "guest", USE: [name]}
        try:
            engine.context(guest)
        except GuestError as error:
            document = Document(Layer(guest, Source("", b"")), profiles=profiles.layers)
            for problem in document.located(error.problems):
                if problem.file and problem.id in ("schema", "file"):
                    said = ": ".join(filter(None, (path_string(problem.path), problem.message)))
                    yield Finding(problem.file, problem.line or 0, said, problem.id)


Faults = Callable[[bytes], Iterable[tuple[int, str]]]
"""Return the faults of a domain, each with its line, from 1."""


def findings(
    engine: Engine,
    names: Container[str],
    guests: Iterable[Document],
    faults: Faults = lambda xml: (),
    ignore: Iterable[str] = (),
    libvirt: str | None = None,
) -> list[Finding]:
    """Return the findings in the templates, as far as these guests show them, and fields that no template can write.

    ``names`` are those that occur in the templates. A template that exceeds a limit is the last finding. ``faults``
    validates XML against libvirt's schema; faults that the shipped templates' XML of the same guest has too, such as
    values newer than that schema, are not reported. The guests ignore the checks with the IDs in ``ignore``. They are
    for a ``libvirt`` version, if given; example guests that it does not support are omitted.
    """
    shipped, secrets = default_engine(), Secrets(engine.schema.root)
    found: dict[Finding, None] = {}
    met: dict[tuple[str, int, str], tuple[Finding, list[str]]] = {}
    unused: dict[tuple[str, str], list[str]] = {}
    given: set[Path] = set()

    def meet(file: str, line: int, message: str, check: str = "template") -> None:
        """Add a guest's finding, once, whichever device has it in other guests."""
        place = ("", 0) if file == about else (file, line)
        of = met.setdefault((*place, _POSITION.sub("", message)), (Finding(file, line, message, check), []))[1]
        if about not in of:
            of.append(about)

    policy = sorted(_ids(engine) - _ids(shipped))  # fields of a site, which the example guests do not use

    for document in guests:
        about = document.own.source.name
        is_example = about.startswith(str(shipped_fixtures()))
        try:
            ignored_too = (*ignore, *(policy if is_example else ()))
            guest = ignoring(document.guest, ignored_too) if ignored_too else document.guest
            if libvirt and isinstance(guest, dict):
                guest = {**guest, "libvirt": libvirt}
            values, xml, places, ignored = engine.observed(guest)
            if domain_fault(xml):
                engine.render(guest)  # reports the problems
        except GuestError as error:
            if is_example and libvirt and _is_well(engine, document.guest):
                continue
            for problem in document.located(one for one in error.problems if one.level == ERROR):
                said = f"{path_string(problem.path)}: {problem.message}"
                if is_example:
                    meet(about, problem.line or 0, said, problem.id)
                else:
                    found.setdefault(Finding(problem.file or about, problem.line or 0, said, problem.id))
            continue
        except TemplateError as error:
            name = error.template or f"{engine.schema.root['properties']['arch']['default']}{TEMPLATE}"
            meet(name, error.line or 0, error.message)
            if isinstance(error, LimitError):
                return [*found, *_by_guests(met.values())]  # each guest may take as long
            continue
        given |= set(_fields(engine.schema.root, engine.schema.root, values, ()))
        known = secrets.values(values)
        for line, message in _faults(xml, faults, shipped, document.guest):
            message = secrets.without(known, message)
            file, number = places[line - 1] or ("", 0)
            meet(file, number, message)
        for path, file in ignored:
            if path[0] == "vars" and is_example:
                continue  # an example for custom templates
            unused.setdefault((_field(path), file), []).append(about)
    for (field, file), guests_of_it in unused.items():
        found.setdefault(
            Finding(file, 0, f"{field} is given in {_few(sorted(set(guests_of_it)))}, but not used", follows=True)
        )
    found.update(dict.fromkeys(lost_fields(engine, names, given)))
    return [*_by_guests(met.values()), *found]


def _is_well(engine: Engine, guest: Any) -> bool:
    """Return whether a guest has no problems for its libvirt version."""
    try:
        return bool(engine.context(guest))
    except GuestError:
        return False


def _ids(engine: Engine) -> set[str]:
    """Return the IDs of an engine's checks."""
    return set(engine.schema.root["properties"].get("ignore", {}).get("items", {}).get("enum", ()))


def _by_guests(met: Iterable[tuple[Finding, list[str]]]) -> Iterator[Finding]:
    yield from (replace(one, message=f"{one.message} ({_few(guests)})") for one, guests in met)


def _few(guests: list[str]) -> str:
    """Return the names of a few guests, and the number of others."""
    return listed(guests if len(guests) <= NAMED else [*guests[:NAMED], f"{len(guests) - NAMED} more"])


def _faults(xml: str, faults: Faults, shipped: Engine, guest: Any) -> Iterator[tuple[int, str]]:
    if fault := document_fault(xml):
        yield fault.line, f"makes {fault.message}"
    elif found := list(faults(xml.encode())):
        try:
            known = {message for _, message in faults(shipped.render(guest).encode())}
        except GuestError:  # a custom field
            known = set()
        yield from ((line, message) for line, message in found if message not in known)


def _field(path: Path) -> str:
    """Format a field of any guest: ``disks[].driver.cache``."""
    return "".join("[]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _fields(root: Node, node: Node, value: Any, path: Path) -> Iterator[Path]:
    """Yield the fields of the schema, without list indices, that a guest gives."""
    for step, below, item in parts(root, node, value):
        if isinstance(step, int):
            yield from _fields(root, below, item, path)
        elif step in node.get("properties", {}):
            yield (*path, step)
            yield from _fields(root, below, item, (*path, step))


def lost_fields(engine: Engine, names: Container[str], given: Container[Path] = ()) -> Iterator[Finding]:
    """Yield the fields of the schema that were not ``given`` in any guest, and whose names are in no template."""
    lost: set[Path] = set()
    for path in all_fields(engine.schema.root, engine.schema.root):
        if path[:-1] in lost:
            lost.add(path)
        elif path not in given and path[-1] not in names and path[0] not in (*NOT_WRITTEN, "vars"):
            lost.add(path)
            file = engine.stack.files(_template(engine, path) or "guest.schema.yaml")[0]
            said = f"{'.'.join(map(str, path))} is a field that no template can write"
            yield Finding(str(file), 0, said, follows=True)


def _template(engine: Engine, path: Path) -> str:
    """Return the name of the shipped template that writes a field, if a file of one's own stands in its place."""
    from kvmrender.engine import default_engine
    from kvmrender.workbench.field_templates import writers

    for file, _ in writers(default_engine()).get(path, ()) if engine.stack.own else ():
        name = FilePath(file).relative_to(engine.stack.shipped).as_posix()
        if not engine.stack.is_shipped(str(engine.stack.files(name)[0])):
            return name
    return ""
