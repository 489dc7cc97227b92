"""Current results of guests while they or their templates are edited, for ``watch`` and ``preview``."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from types import CodeType
from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from kvmrender.engine import Engine
from kvmrender.errors import Error, GuestError, Problem
from kvmrender.fleet.fleet import Fleet
from kvmrender.fleet.guest_result import Options, Outcome
from kvmrender.reading.documents import Document
from kvmrender.reading.inputs import Inputs
from kvmrender.schema.guest_schema import GuestSchema
from kvmrender.schema.secrets import Secrets
from kvmrender.templating.interpreter import Interpreter
from kvmrender.templating.lines import marks_lines
from kvmrender.templating.observed import Place
from kvmrender.templating.schema_parts import guest_schema


@dataclass(frozen=True)
class Look:
    """Results of guests: the XML of each valid one by name, problems, and notes.

    ``files`` are the files of the guests, in the same order. ``traced`` is one of the guests, if requested, and
    ``places`` are the template lines that wrote its XML. ``error`` is the error that prevented rendering, such as a
    template that can't be parsed. ``secrets`` are those of the guests, by name, if custom templates may write them
    anywhere.
    """

    xml: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    traced: str | None = None
    places: list[Place | None] = field(default_factory=list)
    problems: tuple[Problem, ...] = ()
    notes: list[Problem] = field(default_factory=list)
    more: int = 0
    error: Error | None = None
    secrets: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_well(self) -> bool:
        """Whether there are no problems."""
        return not self.problems and self.error is None


class Looker:
    """Render guests repeatedly: the same files and layers, with the templates as they are at that time.

    ``layers`` are ``defaults``, ``settings`` and other arguments of Inputs.
    """

    def __init__(self, templates: tuple[str, ...], files: tuple[str, ...], layers: dict[str, Any]) -> None:
        self.files = files
        self.watched = (*files, *layers.get("defaults", ()), *layers.get("values", ()))
        self._templates, self._layers = templates, layers
        self._compiled = _Compiled()
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine with the templates as last read. Raises TemplateError."""
        if self._engine is None:
            self._engine = _Rereading(self._templates, isolated=True, compiled=self._compiled)
        return self._engine

    def reread(self) -> None:
        """Read the templates and the schema again when they are next needed."""
        self._engine = None

    def look(self, texts: dict[str, bytes] | None = None, most: int | None = None) -> Look:
        """Render the guests of the files, or of ``texts`` instead of the contents of the files with these names;
        ``most`` is the maximum number of guests."""
        return self._look(texts or {}, most, lambda context: None)

    def trace(self, texts: dict[str, bytes], wanted: str | None, most: int) -> Look:
        """As ``look``, and trace the template lines of one guest: the given one, or the first."""
        contexts: dict[str, dict[str, Any]] = {}

        def keep(context: dict[str, Any]) -> None:
            if not contexts or context["name"] == wanted:
                contexts[context["name"]] = context

        look = self._look(texts, most, keep)
        name = next((name for name in (wanted, *contexts) if name in contexts and name in look.xml), None)
        if name is None:
            return look
        # A context is a valid guest.
        try:
            return replace(look, traced=name, places=self.engine.observed(contexts[name]).places)
        except Error as error:
            return replace(look, error=error)

    def _look(self, texts: dict[str, bytes], most: int | None, each: Callable[[dict[str, Any]], None]) -> Look:
        xml: dict[str, str] = {}
        files: dict[str, str] = {}
        number = 0
        problems: tuple[Problem, ...] = ()
        notes: list[Problem] = []
        more = 0
        error: Error | None = None

        secrets: dict[str, list[str]] = {}

        def make(context: dict[str, Any], text: str) -> str:
            each(context)
            if known is not None:
                secrets[context["name"]] = known.values(context)
            return text

        def add(outcome: Outcome) -> None:
            nonlocal number
            if not outcome.problems:
                xml[outcome.name], files[outcome.name] = outcome.text, inputs.sources[number]
                notes.extend(outcome.notes)
            number += 1

        try:
            known = Secrets(self.engine.schema.root) if self.engine.stack.own else None
            inputs = _Texts(self.engine, self.files, self._layers, texts, most)
            Fleet(self.engine, inputs, Options(allow_shared=()), make=make).run(add, notes.append)
        except GuestError as found:
            problems, more, error = found.problems, found.more, found.faults[0] if found.faults else None
        except Error as found:
            error = found
        return Look(xml, list(files.values()), problems=problems, notes=notes, more=more, error=error, secrets=secrets)


class _Texts(Inputs):
    """Guest files, some of which have a given text instead of their contents."""

    def __init__(
        self,
        engine: Engine,
        files: tuple[str, ...],
        layers: dict[str, Any],
        texts: dict[str, bytes],
        most: int | None,
    ) -> None:
        super().__init__(engine.schema.root, files, **layers)
        self._others = {name: Inputs(engine.schema.root, (name,), **layers) for name in files if name not in texts}
        self._names, self._texts, self._most = files, texts, most
        self.sources: list[str] = []
        """The file of each yielded guest."""

    def documents(self, problems: list[Problem], again: bool = False) -> Iterator[Document]:
        """Yield each guest; problems of whole files are added to ``problems``."""
        self.sources = []
        for number, (name, document) in enumerate(self._all(problems)):
            if number == self._most:
                problems.append(
                    Problem(
                        (),
                        f"here and after it, guests are left out: these are {number} already",
                        document.own.source.name,
                        id="file",
                    )
                )
                return
            self.sources.append(name)
            yield document

    def _all(self, problems: list[Problem]) -> Iterator[tuple[str, Document]]:
        for name in self._names:
            if name in self._others:
                yield from ((name, document) for document in self._others[name].documents(problems))
                continue
            try:
                yield from ((name, document) for document in self.read(name, BytesIO(self._texts[name])))
            except GuestError as error:
                problems += error.problems


class _Rereading(Engine):
    """An engine that only uses Jinja, which compiles a template only if none before it has."""

    def __init__(
        self, templates: Iterable[str | os.PathLike[str]], isolated: bool = False, compiled: _Compiled | None = None
    ) -> None:
        self._codes = compiled or _Compiled()
        super().__init__(templates, isolated)

    def _compiled(self) -> tuple[GuestSchema, Mapping[str, None]]:  # type: ignore[override] # its interpreter has none
        return guest_schema(self.stack), defaultdict(lambda: None)

    @cached_property
    def _interpreter(self) -> Interpreter:
        return Interpreter(self.stack, self.schema.root, self._codes)


class _Compiled(BytecodeCache):
    """Cache of compiled templates, by contents."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, CodeType | None]] = {}  # the newest of each template, with its checksum

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load a compiled template if it is cached."""
        if not marks_lines(bucket.environment):  # it numbers the files that it compiles
            checksum, code = self._codes.get(bucket.key, ("", None))
            bucket.code = code if checksum == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Add a compiled template to the cache."""
        if not marks_lines(bucket.environment):
            self._codes[bucket.key] = bucket.checksum, bucket.code
