"""From guest to XML, with a stack of template folders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path as FilePath
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kvmrender.checks.checked_context import careful, context_builder
from kvmrender.compiler.compiled import Function, compiled
from kvmrender.context.full_form import unshared, without_nulls
from kvmrender.errors import Problem, TemplateError
from kvmrender.reading.profiles import with_profiles
from kvmrender.schema.secrets import HasSecret, Secrets, secret_finder
from kvmrender.schema.xml_faults import document_fault, domain_fault
from kvmrender.shipped import shipped_templates
from kvmrender.templating.observed import Observed
from kvmrender.templating.stack import TEMPLATE, Stack, folders_state

if TYPE_CHECKING:
    from kvmrender.schema.guest_schema import GuestSchema
    from kvmrender.templating.environment import Environment
    from kvmrender.templating.interpreter import Interpreter
    from kvmrender.templating.isolated import Isolated

Result = TypeVar("Result")

MOST_ENGINES = 8
"""Sets of folders whose engines are kept."""

needless = Counter[str]()
"""How often the templates' functions raised an exception, by its type, where Jinja found no fault: each is a mistake in
the functions, which takes nothing but time."""


@cache
def default_engine() -> Engine:
    """Return the engine of the shipped templates, made once."""
    return Engine()


_current: dict[tuple[tuple[str, ...], bool], tuple[bytes, Engine]] = {}
_lock = Lock()


def current_engine(templates: tuple[str, ...], isolated: bool = False) -> Engine:
    """Return the engine of these folders as they are now, made anew only where a file has changed: for processes that
    live long. Raises TemplateError.
    """
    with _lock:
        state = folders_state((*templates, str(shipped_templates())))
        before, engine = _current.pop((templates, isolated), (None, None))
        if engine is None or before != state:
            engine = Engine(templates, isolated)
        while len(_current) >= MOST_ENGINES:
            del _current[next(iter(_current))]
        _current[templates, isolated] = state, engine
        return engine


class Rendered(NamedTuple):
    """What becomes of a guest: its context, its domain XML, and what there is to note of it."""

    context: dict[str, Any]
    xml: str
    notes: tuple[Problem, ...] = ()


class Engine:
    """What a Renderer does, for the rooms above: templates and schema of a stack of folders, at work.

    ``templates`` are folders that come before the shipped one. To build an Engine reads schema and templates, or what
    is made of the shipped ones already (see ``compiler.prepared``). It keeps nothing of the guests that it renders:
    threads may share it, and it can be pickled. ``schema`` is the schema of its guests, ``stack`` the folders.

    Where it is ``isolated``, what is of one's own, templates and schema parts alike, is at work in a process of its own
    (see ``templating.isolated``); with the shipped templates alone there is no such process.

    Raises TemplateError for a folder that is missing and for a schema part that can't be read.
    """

    def __init__(self, templates: Iterable[str | os.PathLike[str]] = (), isolated: bool = False) -> None:
        self.stack = Stack(templates)
        self._isolated: Isolated | None = None
        if isolated and self.stack.own:
            from kvmrender.templating.isolated import Isolated

            self._isolated = Isolated(self.stack, type(self))
            self.schema = self._isolated.schema
            return
        self.schema, self._functions = self._compiled()
        with_profiles(self.schema.root, self.stack.profiles())
        self._context = context_builder(self.schema)
        if not self.schema.is_shipped:
            self._context = careful(self._context, lambda: str(next(iter(self.stack.own_parts().values()))))

    def _compiled(self) -> tuple[GuestSchema, Mapping[str, Function | None]]:
        return compiled(self.stack, self._include)

    def __reduce__(self) -> tuple[type[Engine], tuple[tuple[FilePath, ...], bool]]:
        """Pickle by the folders."""
        return Engine, (self.stack.own, self._isolated is not None)

    def context(self, guest: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a template sees of the guest: its full form, with every default and derived value.

        A null stands where the guest removes a default. The result is a guest too, and its own context.
        Raises GuestError with all that is wrong with the guest.
        """
        if self._isolated:
            return self._isolated.context(guest)
        context: dict[str, Any] = unshared(self._context(guest)[0])
        return context

    def render(self, guest: Mapping[str, Any]) -> str:
        """Return the guest's domain XML. Raises GuestError and TemplateError."""
        return self.rendered(guest).xml

    def rendered(self, guest: Mapping[str, Any]) -> Rendered:
        """Return the guest's context, which is not to be changed, its domain XML, and what there is to note of it.
        Raises what ``render`` does."""
        if self._isolated:
            return Rendered(*self._isolated.rendered(guest))
        context, nulls, notes = self._context(guest)
        values = without_nulls(context) if nulls else context
        xml = self._written(values)
        if self.stack.own and (fault := document_fault(xml)):
            raise self._interpreter.faulty(values, fault)
        if self.stack.own and (made := domain_fault(xml)):
            raise self._interpreter.no_domain(values, made)
        return Rendered(context, xml, tuple(notes))

    def _written(self, values: dict[str, Any]) -> str:
        """Return the guest's XML from the templates' functions, or from Jinja where these can't give it."""
        function = self._functions[f"{values['arch']}{TEMPLATE}"]
        if function is None:
            return self._interpreter.render(values)
        try:
            return function(values)
        except (TemplateError, MemoryError):  # what went beyond a limit does not go there twice
            raise
        except Exception as error:
            xml = self._interpreter.render(values)
            needless[type(error).__name__] += 1
            return xml

    def _include(self, name: str, names: Mapping[str, Any]) -> str:
        return self._interpreter.include(name, names)

    def observed(self, guest: Mapping[str, Any]) -> Observed:
        """Return what comes of a guest, and which templates did it. Raises what ``render`` does."""
        if self._isolated:
            return self._isolated.observed(guest)
        context, nulls, _ = self._context(guest)
        values = without_nulls(context) if nulls else context
        return Observed(context, *self._interpreter.observed(guest, values))

    def unused(self, guest: Mapping[str, Any]) -> list[Problem]:
        """Return a problem for each value of a guest that no template reads. Raises what ``render`` does."""
        return [
            Problem(path, f"was given, but {self.stack.shown(file)} does not use it", id="unused")
            for path, file in self.observed(guest).unused
        ]

    def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return ``function(renderer, *arguments)``, where templates are at work: for what reads these and the schema.

        ``function`` is one of a module; ``arguments`` and result are such as JSON has."""
        return self._isolated.run(function, *arguments) if self._isolated else function(self, *arguments)

    def new_environment(self) -> Environment:
        """Return an environment of Jinja's that has read no template yet."""
        return self._interpreter.new_environment()

    @cached_property
    def has_secret(self) -> HasSecret:
        """Says whether a context, or its XML, holds a secret."""
        return secret_finder(self.schema.root, not self.stack.own)

    @cached_property
    def secrets(self) -> Secrets:
        """Knows what is secret in guests and in their XML."""
        return Secrets(self.schema.root)

    @cached_property
    def _interpreter(self) -> Interpreter:
        from kvmrender.templating.interpreter import Interpreter

        return Interpreter(self.stack, self.schema.root)
