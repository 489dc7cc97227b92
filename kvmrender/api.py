"""Public API of the package, for Python callers and for the Ansible, Salt and Dask plugins.

All names are also available from ``kvmrender`` itself: ``kvmrender.render(guest)``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from io import BytesIO
from typing import Any, NamedTuple

from kvmrender.engine import Engine, current_engine, engine_of
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
from kvmrender.reading.documents import Document
from kvmrender.reading.inputs import Inputs
from kvmrender.reading.layers import Setting
from kvmrender.reading.size_limits import MAX_SIZE
from kvmrender.templating.stack import Paths, one_or_several

Guest = Mapping[str, object]
"""A guest as users write it: a mapping with the fields of docs/fields/, of which only ``name`` is required. For type
checkers, ``kvmrender.Guest`` (guest.pyi) declares the fields."""
Context = dict[str, Any]
"""The variables of a template: a guest in full form, with all defaults and derived values."""
Texts = str | Iterable[str]
"""A text, or several."""


class Result(NamedTuple):
    """Result of rendering a guest: XML and context, which are empty if a problem is an error.

    ``has_secret`` is true if the XML contains a secret, and must be protected.
    """

    xml: str
    context: Context
    problems: tuple[Problem, ...] = ()
    has_secret: bool = False


class LoadedGuest(NamedTuple):
    """A guest of a file: its value as written, merged from all layers, and the positions of its parts in the file."""

    guest: Any
    document: Document
    settings: tuple[Setting, ...] = ()

    def located(self, problems: Iterable[Problem]) -> list[Problem]:
        """Return problems of this guest with file, line and column, sorted by position."""
        return self.document.located(problems, self.settings)


class Renderer:
    """Render guests with a stack of template folders; the first folder that has a file wins.

    The constructor reads schema and templates, or their precompiled form. A Renderer keeps no data of rendered guests:
    threads can share it, and it can be pickled.

    Custom templates run in a stricter sandbox. It limits what they can do, but not their use of time and memory. If the
    Renderer is ``isolated``, custom templates and schema parts run in a separate process with limits of the operating
    system; the command line, Ansible and Salt set this.

    Raises TemplateError for a missing folder and for a schema part that can't be read.
    """

    def __init__(self, templates: Paths = (), isolated: bool = False) -> None:
        self._engine = Engine(templates, isolated)

    def context(self, guest: Guest) -> Context:
        """Return the context of a guest: what its templates see.

        A null stands for a default that the guest removes. The result is itself a guest, whose context is equal. Raises
        GuestError with all problems of the guest.
        """
        return self._engine.context(guest)

    def render(self, guest: Guest) -> str:
        """Return the guest's domain XML (https://libvirt.org/formatdomain.html), ending with a newline.

        Raises GuestError with all problems of the guest, and TemplateError for a fault in a template.
        """
        return self._engine.rendered(guest).xml

    def result(self, guest: Guest) -> Result:
        """Return the Result of a guest, with its problems instead of an exception. Raises TemplateError."""
        try:
            context, xml, notes = self._engine.rendered(guest)
        except GuestError as error:
            return Result("", {}, error.problems)
        return Result(xml, context, notes, self._engine.has_secret(context, xml))

    def masker(self, result: Result | None = None) -> Callable[[str], str]:
        """Return a function that replaces secrets in domain XML, of this package or another program, by ``***``.

        With the ``result`` of a guest, it is for the current and earlier XML of this guest: it also finds secrets that
        custom templates write elsewhere.
        """
        engine = self._engine
        if result is None:
            return engine.secrets.xml.masked
        return engine.secrets.masker(result.context, result.xml, not engine.stack.own)

    def masked_context(self, context: Context) -> Context:
        """Return a context with ``***`` instead of secrets, its keys in the schema's order."""
        from kvmrender.schema.secrets import masked

        root = self._engine.schema.root
        found: Context = masked(root, {key: context[key] for key in root["properties"] if key in context})
        return found

    def without_secrets(self, text: str, result: Result) -> str:
        """Return output of another program about a guest, such as a validator of its XML, with ``***`` instead of the
        guest's secrets, however they are quoted."""
        from kvmrender.templating.xml import escape, escape_text

        secrets = self._engine.secrets
        values = [*secrets.xml.values(result.xml), *secrets.values(result.context)]
        return secrets.without({f for value in values for f in (value, escape(value), escape_text(value))}, text)


def renderer_of(templates: Paths = ()) -> Renderer:
    """Return the isolated Renderer of these folders in their current state, for long-running processes.

    It is created again only if a file has changed. The check takes about as long as rendering a large guest: call this
    once for many guests. Raises TemplateError.
    """
    found = Renderer.__new__(Renderer)
    found._engine = current_engine(templates, isolated=True)
    return found


def render(guest: Guest, templates: Paths = ()) -> str:
    """Return the guest's domain XML. Raises GuestError and TemplateError."""
    return engine_of(templates, isolated=False).rendered(guest).xml


def load(
    path: str | os.PathLike[str],
    *,
    data: bytes | None = None,
    templates: Paths = (),
    defaults: Paths = (),
    settings: Texts = (),
    namespace: str | None = None,
    max_size: int = MAX_SIZE,
    ignore: Texts = (),
    values: Paths = (),
) -> list[LoadedGuest]:
    """Return the guests of a YAML, JSON or JSON Lines file as written, without validation.

    ``data``, if given, is used instead of the file's contents. ``templates`` are the folders whose schema defines which
    fields are secret, and which fields ``settings``, such as ``disks[0].driver.cache=none``, can set. ``defaults`` are
    files, ``values`` are files with values by guest name, and ``ignore`` are IDs of checks that the guests skip. Raises
    GuestError with all problems of the files.
    """
    root = engine_of(templates).schema.root
    file = os.fspath(path)
    inputs = Inputs(root, (file,), *_over(defaults, settings, namespace, max_size, ignore, values))
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
    files: Paths,
    output: str | os.PathLike[str] | None = None,
    *,
    templates: Paths = (),
    defaults: Paths = (),
    settings: Texts = (),
    namespace: str | None = None,
    max_size: int = MAX_SIZE,
    ignore: Texts = (),
    values: Paths = (),
    jobs: int | None = None,
    select: Texts = (),
    strict: bool = False,
    allow_shared: Texts | None = (),
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
    """Render the guests of files on all cores, and write them into the folder ``output``, either all or none.

    The options are those of ``kvmrender render``: ``settings`` are those of ``--set``; ``allow_shared`` None disables
    the checks between guests. Without ``output``, an outcome has the text that ``make`` returns, by default the XML.
    ``each`` is called with every outcome, in the order of the files; the outcomes are then not kept. ``noted`` is
    called with notes on the run itself, and ``waiting`` if another run has locked the folder.

    Raises GuestError with the problems of all guests, TemplateError, and Error for a folder that can't be written.
    """
    engine = engine_of(templates)
    of = _over(defaults, settings, namespace, max_size, ignore, values)
    inputs = Inputs(engine.schema.root, one_or_several(files), *of)
    allowed = None if allow_shared is None else one_or_several(allow_shared)
    options = Options(
        one_or_several(select), strict, allowed, cores() if jobs is None else jobs, check, diff, prune, prune_all
    )
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
    templates: Paths = (),
    allow_shared: Texts = (),
    place: Callable[[int, Problem], Problem] = lambda number, problem: problem,
) -> list[Problem]:
    """Return conflicts between guests: equal names, UUIDs and MAC addresses, and disks that several guests write to.

    ``allow_shared`` are patterns of disks; ``place`` sets the position of a problem, for the guest with this index
    (from 0). Raises GuestError for guests that are invalid themselves, with the positions of the problems, and
    TemplateError.
    """
    from kvmrender.fleet.shards import clashes_of

    engine = current_engine(templates, isolated=True)

    def contexts() -> Iterable[tuple[Context, Guest]]:
        for number, guest in enumerate(guests):
            try:
                yield engine.context(guest), guest
            except GuestError as error:
                raise GuestError([place(number, problem) for problem in error.problems]) from None

    return clashes_of(contexts(), place, one_or_several(allow_shared))


def file_mode(there: int | None, has_secret: bool) -> int | None:
    """Return the default mode of a guest's file, or None to keep the current one.

    ``there`` is the mode of an existing file, or None. A new file gets 0644, or 0640 if it contains a secret. An
    existing file keeps its mode, without the bits that 0640 does not have.
    """
    if there is None:
        return SECRET_MODE if has_secret else MODE
    return there & SECRET_MODE if has_secret and there & ~SECRET_MODE else None


def _over(
    defaults: Paths, settings: Texts, namespace: str | None, max_size: int, ignore: Texts, values: Paths
) -> tuple[tuple[str, ...], tuple[str, ...], str | None, int, tuple[str, ...], tuple[str, ...]]:
    over = one_or_several(defaults), one_or_several(settings)
    return *over, namespace, max_size, one_or_several(ignore), one_or_several(values)
