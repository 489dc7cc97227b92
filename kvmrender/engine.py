"""Rendering of a guest to XML with a stack of template folders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache, cached_property
from pathlib import Path as FilePath
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from kvmrender.checks.checked_context import careful, context_builder
from kvmrender.compiler.compiled import Functions, compiled
from kvmrender.context.full_form import unshared, without_nulls
from kvmrender.errors import Problem, TemplateError
from kvmrender.reading.profiles import with_profiles
from kvmrender.schema.secrets import HasSecret, Secrets, secret_finder
from kvmrender.schema.xml_faults import document_fault, domain_fault
from kvmrender.shipped import shipped_templates
from kvmrender.templating.observed import Observed
from kvmrender.templating.stack import TEMPLATE, Paths, Stack, folders_state, one_or_several

if TYPE_CHECKING:
    from kvmrender.schema.guest_schema import GuestSchema
    from kvmrender.templating.environment import Environment
    from kvmrender.templating.interpreter import Interpreter
    from kvmrender.templating.isolated import Isolated

Result = TypeVar("Result")

MOST_ENGINES = 8
"""Maximum number of sets of folders whose engines are cached."""

needless = Counter[str]()
"""How often compiled templates raised an exception where Jinja found no fault, by exception type. Each is a bug in the
compiled functions; it costs only time."""


@cache
def default_engine() -> Engine:
    """Return the engine of the shipped templates, created once."""
    return Engine()


_current: dict[tuple[tuple[str, ...], bool], tuple[bytes, Engine]] = {}
_lock = Lock()


def current_engine(templates: Paths, isolated: bool = False) -> Engine:
    """Return the engine of these folders in their current state, for long-running processes.

    It is created again only if a file has changed. Raises TemplateError.
    """
    templates = one_or_several(templates)
    with _lock:
        state = folders_state((*templates, str(shipped_templates())))
        before, engine = _current.pop((templates, isolated), (None, None))
        if engine is None or before != state:
            engine = Engine(templates, isolated)
        while len(_current) >= MOST_ENGINES:
            del _current[next(iter(_current))]
        _current[templates, isolated] = state, engine
        return engine


def engine_of(templates: Paths, isolated: bool = True) -> Engine:
    """Return the engine of these folders in their current state, without any that of the shipped templates, created
    once. Raises TemplateError."""
    folders = one_or_several(templates)
    return current_engine(folders, isolated) if folders else default_engine()


class Rendered(NamedTuple):
    """Result of rendering a guest: its context, its domain XML, and notes."""

    context: dict[str, Any]
    xml: str
    notes: tuple[Problem, ...] = ()


class Engine:
    """Implementation of Renderer for the packages above: templates and schema of a stack of folders.

    ``templates`` are folders that are searched before the shipped one. The constructor reads schema and templates, or
    the precompiled form of the shipped ones (see ``compiler.prepared``). An Engine keeps no data of rendered guests:
    threads can share it, and it can be pickled. ``schema`` is the schema of its guests, ``stack`` the folders.

    If it is ``isolated``, custom templates and schema parts run in a separate process (see ``templating.isolated``);
    with only the shipped templates, there is no such process.

    Raises TemplateError for a missing folder and for a schema part that can't be read.
    """

    def __init__(self, templates: Paths = (), isolated: bool = False) -> None:
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

    def _compiled(self) -> tuple[GuestSchema, Functions]:
        return compiled(self.stack, self._include)

    def __reduce__(self) -> tuple[type[Engine], tuple[tuple[FilePath, ...], bool]]:
        """Pickle the folders only."""
        return Engine, (self.stack.own, self._isolated is not None)

    def context(self, guest: Mapping[str, Any]) -> dict[str, Any]:
        """Return the context of a guest: its full form, with all defaults and derived values.

        A null stands for a default that the guest removes. The result is itself a guest, whose context is equal. Raises
        GuestError with all problems of the guest.
        """
        if self._isolated:
            return self._isolated.context(guest)
        context: dict[str, Any] = unshared(self._context(guest)[0])
        return context

    def render(self, guest: Mapping[str, Any]) -> str:
        """Return the guest's domain XML. Raises GuestError and TemplateError."""
        return self.rendered(guest).xml

    def rendered(self, guest: Mapping[str, Any]) -> Rendered:
        """Return the guest's context (which must not be changed), domain XML and notes. Raises as ``render``."""
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
        """Return the guest's XML from the compiled functions, or from Jinja if these fail."""
        function = self._functions[f"{values['arch']}{TEMPLATE}"]
        if function is None:
            return self._interpreter.render(values)
        try:
            return function(values)
        except (TemplateError, MemoryError):  # a template that exceeded a limit is not rendered again
            raise
        except Exception as error:
            xml = self._interpreter.render(values)
            needless[type(error).__name__] += 1
            return xml

    def _include(self, name: str, names: Mapping[str, Any]) -> str:
        return self._interpreter.include(name, names)

    def observed(self, guest: Mapping[str, Any]) -> Observed:
        """Return the result of rendering a guest, and the templates that were used. Raises as ``render``."""
        if self._isolated:
            return self._isolated.observed(guest)
        context, nulls, _ = self._context(guest)
        values = without_nulls(context) if nulls else context
        return Observed(context, *self._interpreter.observed(guest, values))

    def unused(self, guest: Mapping[str, Any]) -> list[Problem]:
        """Return a problem for each value of a guest that no template reads. Raises as ``render``."""
        return [
            Problem(path, f"was given, but {self.stack.shown(file)} does not use it", id="unused")
            for path, file in self.observed(guest).unused
        ]

    def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return ``function(renderer, *arguments)``, run in the process where templates run.

        ``function`` is a module's function; ``arguments`` and result are JSON values.
        """
        return self._isolated.run(function, *arguments) if self._isolated else function(self, *arguments)

    def new_environment(self) -> Environment:
        """Return a new Jinja environment without loaded templates."""
        return self._interpreter.new_environment()

    @cached_property
    def has_secret(self) -> HasSecret:
        """Return whether a context, or its XML, contains a secret."""
        return secret_finder(self.schema.root, not self.stack.own)

    @cached_property
    def secrets(self) -> Secrets:
        """The secrets in guests and in their XML."""
        return Secrets(self.schema.root)

    @cached_property
    def _interpreter(self) -> Interpreter:
        from kvmrender.templating.interpreter import Interpreter

        return Interpreter(self.stack, self.schema.root, written=self._functions.written)
