"""What guests come to at this moment, for those who look on while they or their templates are edited."""

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
from kvmrender.reading.inputs import Inputs
from kvmrender.reading.load import Document
from kvmrender.schema.guest_schema import GuestSchema
from kvmrender.schema.secrets import Secrets
from kvmrender.templating.interpreter import Interpreter
from kvmrender.templating.lines import marks_lines
from kvmrender.templating.observed import Place
from kvmrender.templating.schema_parts import guest_schema


@dataclass(frozen=True)
class Look:
    """What guests come to: the XML of each that is well, by name, what is wrong, and what there is to note.

    ``files`` are the files that they are in, in the same order. ``traced`` is one of them, if that was asked for, and
    ``places`` are those of the templates that wrote its lines. ``error`` is what kept all of them from being rendered,
    such as a template that can't be read. ``secrets`` are those of the guests, by name, where templates of one's own
    may write them anywhere.
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
        """Whether nothing is wrong."""
        return not self.problems and self.error is None


class Looker:
    """Renders guests again and again: the same files, with what goes under and over them, as the templates are then.

    ``layers`` are ``defaults``, ``settings`` and what else Inputs takes.
    """

    def __init__(self, templates: tuple[str, ...], files: tuple[str, ...], layers: dict[str, Any]) -> None:
        self.files = files
        self.watched = (*files, *layers.get("defaults", ()), *layers.get("values", ()))
        self._templates, self._layers = templates, layers
        self._compiled = _Compiled()
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine of the templates as they were when they were last read. Raises TemplateError."""
        if self._engine is None:
            self._engine = _Rereading(self._templates, isolated=True, compiled=self._compiled)
        return self._engine

    def reread(self) -> None:
        """Read the templates and the schema again, when they are next asked for."""
        self._engine = None

    def look(self, texts: dict[str, bytes] | None = None, most: int | None = None) -> Look:
        """Render the guests of the files, or of ``texts`` in place of what is in the files of these names; ``most`` is
        how many guests there may be."""
        return self._look(texts or {}, most, lambda context: None)

    def trace(self, texts: dict[str, bytes], wanted: str | None, most: int) -> Look:
        """Do what ``look`` does, and find the templates of the lines of one guest: the wanted one, or the first."""
        contexts: dict[str, dict[str, Any]] = {}

        def keep(context: dict[str, Any]) -> None:
            if not contexts or context["name"] == wanted:
                contexts[context["name"]] = context

        look = self._look(texts, most, keep)
        name = next((name for name in (wanted, *contexts) if name in contexts and name in look.xml), None)
        if name is None:
            return look
        # A context is a guest, too.
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
    """Guest files of which some are not read, since their text is given."""

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
        """The file of each guest that has been yielded."""

    def documents(self, problems: list[Problem], again: bool = False) -> Iterator[Document]:
        """Yield each guest; what is wrong with whole files is added to ``problems``."""
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
    """An engine that leaves all to Jinja, which compiles a template only where none before it has done so."""

    def __init__(
        self, templates: Iterable[str | os.PathLike[str]], isolated: bool = False, compiled: _Compiled | None = None
    ) -> None:
        self._codes = compiled or _Compiled()
        super().__init__(templates, isolated)

    def _compiled(self) -> tuple[GuestSchema, Mapping[str, None]]:
        return guest_schema(self.stack), defaultdict(lambda: None)

    @cached_property
    def _interpreter(self) -> Interpreter:
        return Interpreter(self.stack, self.schema.root, self._codes)


class _Compiled(BytecodeCache):
    """Keeps what templates were compiled to, by what is in them."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, CodeType | None]] = {}  # of each template the newest, with its checksum

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in what is known."""
        if not marks_lines(bucket.environment):  # it numbers the files that it compiles
            checksum, code = self._codes.get(bucket.key, ("", None))
            bucket.code = code if checksum == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if not marks_lines(bucket.environment):
            self._codes[bucket.key] = bucket.checksum, bucket.code
