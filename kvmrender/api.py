"""The public face of the package: what Python callers use, and Ansible, Salt and Dask.

All of it is also to be had from ``kvmrender`` itself: ``kvmrender.render(guest)``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from io import BytesIO
from typing import Any, NamedTuple

from kvmrender.engine import Engine, current_engine, default_engine
from kvmrender.errors import GuestError, Problem
from kvmrender.fleet.difference import difference as difference
from kvmrender.fleet.fleet import Fleet
from kvmrender.fleet.folder import MODE, PATIENCE, SECRET_MODE, Folder
from kvmrender.fleet.guest_result import DEFINE as DEFINE
from kvmrender.fleet.guest_result import REPLACE as REPLACE
from kvmrender.fleet.guest_result import Options, Outcome
from kvmrender.fleet.output import MOST_SHOWN as MOST_SHOWN
from kvmrender.fleet.output import Output
from kvmrender.fleet.processes import cores
from kvmrender.reading.inputs import Inputs
from kvmrender.reading.layers import Setting
from kvmrender.reading.load import Document
from kvmrender.reading.size_limits import MAX_SIZE

Guest = Mapping[str, object]
"""A guest as users write it: a mapping (see docs/fields/), of which ``name`` alone must be there. Type checkers know
more of ``kvmrender.Guest``: its fields (guest.pyi)."""
Context = dict[str, Any]
"""What a template sees: a guest in full form, with every default and derived value."""
Folders = Iterable[str | os.PathLike[str]]
"""Folders of templates that come before the shipped one: the first that has a file wins."""


class Result(NamedTuple):
    """What becomes of a guest: XML and context, empty where one of its problems is an error.

    ``has_secret`` says whether the XML holds a secret, and is to be kept from others.
    """

    xml: str
    context: Context
    problems: tuple[Problem, ...] = ()
    has_secret: bool = False


class LoadedGuest(NamedTuple):
    """A guest of a file: the value as written, in all its layers, and what knows the places of its parts."""

    guest: Any
    document: Document
    settings: tuple[Setting, ...] = ()

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return problems of this guest with file, line and column, in their order there."""
        return self.document.located(problems, self.settings)


class Renderer:
    """Renders guests with a stack of template folders, of which the first that has a file wins.

    To build one reads schema and templates, or what was kept of them. It keeps nothing of the guests that it renders:
    threads may share it, and it can be pickled.

    Templates of one's own run in a tighter sandbox. It bounds what they can do, not how much: a template may take for
    ever, take all memory, or crash Python. Where the Renderer is ``isolated``, what is of one's own, templates and
    schema parts alike, is at work in a process of its own, with limits that the kernel holds; the command line, Ansible
    and Salt have it so.

    Raises TemplateError for a folder that is missing and for a schema part that can't be read.
    """

    def __init__(self, templates: Folders = (), isolated: bool = False) -> None:
        self._engine = Engine(templates, isolated)

    def context(self, guest: Guest) -> Context:
        """Return what a template sees of the guest.

        A null stands where the guest removes a default. The result is a guest too, and its own context.
        Raises GuestError with all that is wrong with the guest.
        """
        return self._engine.context(guest)

    def render(self, guest: Guest) -> str:
        """Return the guest's domain XML (https://libvirt.org/formatdomain.html), with a newline at its end.

        Raises GuestError with all that is wrong with the guest, and TemplateError where a template is at fault.
        """
        return self._engine.rendered(guest).xml

    def result(self, guest: Guest) -> Result:
        """Return what becomes of the guest: its problems are no exception. Raises TemplateError."""
        try:
            context, xml, notes = self._engine.rendered(guest)
        except GuestError as error:
            return Result("", {}, error.problems)
        return Result(xml, context, notes, self._engine.has_secret(context, xml))

    def masker(self, result: Result | None = None) -> Callable[[str], str]:
        """Return what writes ``***`` for the secrets in domain XML, of this package or of another's.

        Where the ``result`` of a guest is given, that is for its XML, of now and of before: templates of one's own may
        write its secrets anywhere.
        """
        engine = self._engine
        if result is None:
            return engine.secrets.xml.masked
        return engine.secrets.masker(result.context, result.xml, not engine.stack.own)

    def masked_context(self, context: Context) -> Context:
        """Return a context with ``***`` for its secrets, its keys in the schema's order."""
        from kvmrender.schema.secrets import masked

        root = self._engine.schema.root
        found: Context = masked(root, {key: context[key] for key in root["properties"] if key in context})
        return found

    def without_secrets(self, text: str, result: Result) -> str:
        """Return what another program has said of a guest, such as one that has looked at its XML, with ``***`` for the
        secrets in it, however it quotes them."""
        from kvmrender.templating.xml import escape, escape_text

        secrets = self._engine.secrets
        values = [*secrets.xml.values(result.xml), *secrets.values(result.context)]
        return secrets.without({f for value in values for f in (value, escape(value), escape_text(value))}, text)


def renderer_of(templates: Folders = ()) -> Renderer:
    """Return the isolated Renderer of these folders as they are now, made anew only where a file has changed: for
    processes that live long.

    To look at the states of all files takes about as long as to render a large guest: for many guests, ask once.
    Raises TemplateError.
    """
    found = Renderer.__new__(Renderer)
    found._engine = current_engine(_paths(templates), isolated=True)
    return found


def render(guest: Guest, templates: Folders = ()) -> str:
    """Return the guest's domain XML. Raises GuestError and TemplateError."""
    return _engine(templates, isolated=False).rendered(guest).xml


def load(
    path: str | os.PathLike[str],
    *,
    data: bytes | None = None,
    templates: Folders = (),
    defaults: Iterable[str] = (),
    settings: Iterable[str] = (),
    namespace: str | None = None,
    max_size: int = MAX_SIZE,
    ignore: Iterable[str] = (),
    values: Iterable[str] = (),
) -> list[LoadedGuest]:
    """Return the guests of a file in YAML, JSON or JSON Lines, as written: they are not checked yet.

    ``data`` stands for what is in the file, where it is given. ``templates`` are the folders whose schema tells what is
    a secret, and what ``settings``, such as ``disks[0].driver.cache=none``, can set; ``defaults`` are files, and
    ``values`` those with what goes over guests by their names; ``ignore`` are ids of checks that the guests ignore.
    Raises GuestError with all that is wrong with the files.
    """
    root = _engine(templates).schema.root
    file = os.fspath(path)
    of = tuple(defaults), tuple(settings), namespace, max_size, tuple(ignore), tuple(values)
    inputs = Inputs(root, (file,), *of)
    problems: list[Problem] = []
    found = inputs.documents(problems) if data is None else inputs.read(file, BytesIO(data))
    documents = list(found)
    if problems:
        raise GuestError(problems)
    guests = [LoadedGuest(inputs.guest(document), document, inputs.over) for document in documents]
    if unmet := inputs.unmet():
        raise GuestError(unmet)
    return guests


def render_fleet(
    files: Iterable[str],
    output: str | os.PathLike[str] | None = None,
    *,
    templates: Folders = (),
    defaults: Iterable[str] = (),
    settings: Iterable[str] = (),
    namespace: str | None = None,
    max_size: int = MAX_SIZE,
    ignore: Iterable[str] = (),
    values: Iterable[str] = (),
    jobs: int | None = None,
    select: Iterable[str] = (),
    strict: bool = False,
    allow_shared: Iterable[str] | None = (),
    check: bool = False,
    diff: bool = False,
    prune: bool = False,
    prune_all: bool = False,
    fsync: bool = False,
    lock_timeout: float = PATIENCE,
    waiting: Callable[[], None] = lambda: None,
    make: Callable[[Context, str], str] = lambda context, xml: xml,
    each: Callable[[Outcome], None] | None = None,
    noted: Callable[[Problem], None] = lambda note: None,
) -> list[Outcome]:
    """Render the guests of files, over all cores, and write them into the folder ``output``, all or none.

    The options are those of ``kvmrender render``: ``settings`` are ``--set``, and ``allow_shared`` None is for guests
    that are not held against each other. Without ``output``, an outcome has the text that ``make`` gives, XML by
    default. ``each`` is called for every outcome as it comes, in the order of the files, and then none is kept;
    ``noted`` for what there is to note of the run itself, and ``waiting`` when another run is at work in the folder.

    Raises GuestError with the problems of all guests, TemplateError, and Error for a folder that can't be written.
    """
    engine = _engine(templates)
    of = tuple(defaults), tuple(settings), namespace, max_size, tuple(ignore), tuple(values)
    inputs = Inputs(engine.schema.root, tuple(files), *of)
    allowed = None if allow_shared is None else tuple(allow_shared)
    options = Options(tuple(select), strict, allowed, cores() if jobs is None else jobs, check, diff, prune, prune_all)
    outcomes: list[Outcome] = []
    add = each or outcomes.append
    if output is None:
        Fleet(engine, inputs, options, make=make).run(add, noted)
        return outcomes
    with closing(Folder(os.fspath(output), check, fsync, waiting, lock_timeout)) as folder:
        Fleet(engine, inputs, options, Output(folder, engine.schema.root, options, not engine.stack.own)).run(
            add, noted
        )
    return outcomes


def clashes(
    guests: Iterable[Guest],
    templates: Folders = (),
    allow_shared: Iterable[str] = (),
    place: Callable[[int, Problem], Problem] = lambda number, problem: problem,
) -> list[Problem]:
    """Return what guests share by mistake: names, UUIDs, MAC addresses, disks that both write to.

    ``allow_shared`` are patterns of disks; ``place`` gives a problem of the guest of this number, from 0, its place.
    Raises GuestError for a guest that is wrong in itself, with its problems placed, and TemplateError.
    """
    from kvmrender.fleet.shards import clashes_of

    engine = current_engine(_paths(templates), isolated=True)

    def contexts() -> Iterable[tuple[Context, Guest]]:
        for number, guest in enumerate(guests):
            try:
                yield engine.context(guest), guest
            except GuestError as error:
                raise GuestError([place(number, problem) for problem in error.problems]) from None

    return clashes_of(contexts(), place, allow_shared)


def file_mode(there: int | None, has_secret: bool) -> int | None:
    """Return the mode that a guest's file is to have where nobody says it, or None where it is well as it is.

    ``there`` is the mode of the file that is there, None where there is none. A new one has 0644, or 0640 where it
    holds a secret; one that is there keeps its own, less what 0640 does not have.
    """
    if there is None:
        return SECRET_MODE if has_secret else MODE
    return there & SECRET_MODE if has_secret and there & ~SECRET_MODE else None


def _paths(templates: Folders) -> tuple[str, ...]:
    return tuple(str(folder) for folder in templates)


def _engine(templates: Folders, isolated: bool = True) -> Engine:
    folders = _paths(templates)
    return current_engine(folders, isolated) if folders else default_engine()
