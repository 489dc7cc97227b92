"""What guests come to at this moment, for those who look on while they or their templates are edited."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from types import CodeType
from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from kvmrender.errors import Error, GuestError, Problem
from kvmrender.fleet import Fleet
from kvmrender.inputs import Inputs
from kvmrender.interpreter import Interpreter
from kvmrender.lines import Place, marks_lines
from kvmrender.load import Document
from kvmrender.outcome import Options, Outcome
from kvmrender.prepare import guest_schema
from kvmrender.renderer import Renderer
from kvmrender.schema import GuestSchema


@dataclass(frozen=True)
class Look:
    """What guests come to: the XML of each that is well, by name, and what is wrong.

    ``places`` are those of the XML's lines, where they were asked for. ``error`` is what kept all of them from being
    rendered, such as a template that can't be read.
    """

    xml: dict[str, str] = field(default_factory=dict)
    places: dict[str, list[Place | None]] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    more: int = 0
    error: Error | None = None

    @property
    def is_well(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems and self.error is None


class Looker:
    """Renders guests again and again: the same files, with what goes under and over them, as the templates are then.

    ``layers`` are ``defaults``, ``settings`` and what else Inputs takes. With ``trace``, the place of each line is
    found too.
    """

    def __init__(
        self, templates: tuple[str, ...], files: tuple[str, ...], layers: dict[str, Any], trace: bool = False
    ) -> None:
        self.files = files
        self.watched = (*files, *layers.get("defaults", ()))
        self._templates, self._layers, self._trace = templates, layers, trace
        self._compiled = _Compiled()
        self._renderer: Renderer | None = None

    @property
    def renderer(self) -> Renderer:
        """The renderer of the templates as they were when they were last read. Raises TemplateError."""
        if self._renderer is None:
            self._renderer = _Rereading(self._templates, self._compiled)
        return self._renderer

    def reread(self) -> None:
        """Read the templates and the schema again, when they are next asked for."""
        self._renderer = None

    def look(self, texts: dict[str, bytes] | None = None) -> Look:
        """Render the guests of the files, or of ``texts`` in place of what is in the files of these names."""
        made: list[tuple[str, str, list[Any]]] = []

        def add(outcome: Outcome) -> None:
            if not outcome.problems:
                made.append((outcome.name, *json.loads(outcome.text)))

        problems: tuple[Problem, ...] = ()
        more, error = 0, None
        try:
            inputs = _Texts(self.renderer, self.files, self._layers, texts or {})
            Fleet(self.renderer, inputs, Options(allow_shared=()), make=self._made(self.renderer)).run(add)
        except GuestError as found:
            problems, more = found.problems, found.more
        except Error as found:
            error = found
        xml = {name: text for name, text, _ in made}
        places = {name: [(file, line) if file else None for file, line in lines] for name, _, lines in made}
        return Look(xml, places, problems, more, error)

    def _made(self, renderer: Renderer) -> Callable[[dict[str, Any], str], str]:
        def made(context: dict[str, Any], xml: str) -> str:
            # A context is a guest, too.
            places = renderer.traced(context)[1] if self._trace else []
            return json.dumps([xml, [place or ("", 0) for place in places]])

        return made


class _Texts(Inputs):
    """Guest files of which some are not read, since their text is given."""

    def __init__(
        self, renderer: Renderer, files: tuple[str, ...], layers: dict[str, Any], texts: dict[str, bytes]
    ) -> None:
        super().__init__(renderer.schema.root, files, **layers)
        self._renderer, self._layers, self._texts = renderer, layers, texts
        self._names = files

    def documents(self, problems: list[Problem]) -> Iterator[Document]:
        for name in self._names:
            if name not in self._texts:
                yield from Inputs(self._renderer.schema.root, (name,), **self._layers).documents(problems)
                continue
            try:
                yield from self.read(name, BytesIO(self._texts[name]))
            except GuestError as error:
                problems += error.problems


class _Rereading(Renderer):
    """A renderer that leaves all to Jinja, which compiles a template only where none before it has done so."""

    def __init__(self, templates: tuple[str, ...], compiled: _Compiled) -> None:
        self._compiled = compiled
        super().__init__(templates)

    def _prepared(self) -> tuple[GuestSchema, None]:
        return guest_schema(self.stack), None

    @cached_property
    def _interpreter(self) -> Interpreter:
        return Interpreter(self.stack, self.schema.root, self._compiled)


class _Compiled(BytecodeCache):
    """Keeps what templates were compiled to, by what is in them."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill in what is known."""
        if not marks_lines(bucket.environment):  # it numbers the files that it compiles
            bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        if not marks_lines(bucket.environment):
            self._codes[bucket.key, bucket.checksum] = bucket.code
