"""Rendering with Jinja itself: custom templates, and all templates if the lines that write or read values matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from jinja2 import BytecodeCache

from kvmrender.context.full_form import with_machine
from kvmrender.errors import Path, TemplateError, brief
from kvmrender.schema.guest_schema import Node
from kvmrender.schema.secrets import Secrets
from kvmrender.schema.xml_faults import Fault
from kvmrender.schema.xml_path import guest_path
from kvmrender.shipped import SHIPPED
from kvmrender.templating.environment import Environment, finish
from kvmrender.templating.guard import GuardedEnvironment, Written
from kvmrender.templating.lines import files, mark_lines, without_marks
from kvmrender.templating.loader import loader
from kvmrender.templating.observed import Place
from kvmrender.templating.references import chain, circle, extended
from kvmrender.templating.stack import TEMPLATE, Stack
from kvmrender.templating.template_errors import source_line, template_error, without_secrets
from kvmrender.templating.used_fields import Seen, Watched, unused, watch

Context = Mapping[str, Any]
"""The context of a guest, without nulls."""
Unused = list[tuple[Path, str]]
"""Paths of values of a guest, each with the file of a template."""


class Interpreter:
    """Render contexts with the templates of a stack; ``root`` is the schema, ``kept`` a cache of compiled templates.
    ``written`` says how to write shipped templates that custom ones include. Raises TemplateError, like all functions
    here."""

    def __init__(
        self,
        stack: Stack,
        root: Node,
        kept: BytecodeCache | None = None,
        written: Callable[[str], Written | None] = lambda name: None,
    ) -> None:
        self._stack, self._root, self._kept, self._how = stack, root, kept, written
        self._secrets = Secrets(root)

    def render(self, values: Context) -> str:
        """Return a guest's domain XML."""
        return finish(self._written(self._environment, values))

    def include(self, name: str, names: Mapping[str, Any]) -> str:
        """Return the output of a template with these names. Raises TemplateError if it runs out of memory or recurses
        without end, and otherwise the exceptions of Jinja."""
        try:
            return finish(self._including.get_template(name).render(names))
        except (MemoryError, RecursionError) as error:
            guest = names["domain"]
            raise self._error(error, name, guest) from error

    def observed(self, guest: Mapping[str, Any], values: Context) -> tuple[str, list[Place | None], Unused]:
        """Return a guest's domain XML, well-formed or not; for each of its lines the template and line that wrote it
        (None before the first); and the path of each value of the guest that no template reads, with the file of the
        nearest template."""
        seen: Seen = {}
        xml, places = self._observed(Watched(values, (), seen))
        first = self._file(f"{values['arch']}{TEMPLATE}")
        found = [(path, file or first) for path, file in unused(self._root, with_machine(guest), values, seen)]
        return xml, places, found

    def _observed(self, values: Context) -> tuple[str, list[Place | None]]:
        return without_marks(self._observing, self._written(self._observing, values))

    def faulty(self, values: Context, fault: Fault) -> TemplateError:
        """Return the error for XML that is faulty."""
        if not self.render(values).strip():
            return self.no_domain(values, "nothing")
        xml, places = self._observed(values)
        file, number = places[min(fault.line, len(places)) - 1] or (None, None)
        wrote = xml.split("\n")[fault.line - 1].strip()
        is_hidden = self._secrets.xml.is_named(wrote) or any(wrote in value for value in self._secrets.values(values))
        message = f"makes {fault.message}{'' if is_hidden else f', at {brief(wrote)!r}'}"
        above = chain(self._observing, self._stack, files(self._observing), file) if file else []
        field = guest_path(self._root, fault.path)
        error = TemplateError(message, file, number, values["name"], field, source_line(file, number), above)
        return without_secrets(error, self._secrets, values)

    def no_domain(self, values: Context, made: str) -> TemplateError:
        """Return the error for a document that is not a guest's; ``made`` describes it."""
        name, _ = extended(self._environment, self._stack, f"{values['arch']}{TEMPLATE}")[-1]
        file, original = self._file(name), f"{SHIPPED}/{name}"
        replaces = not self._stack.is_shipped(file) and bool(self._stack.files(original))
        cause = f': without {{% extends "{original}" %}}, it replaces all of that' if replaces else ""
        return TemplateError(f"makes {made}, not a <domain> with a <name>{cause}", file, None, values["name"])

    def new_environment(self) -> Environment:
        """Return an environment without loaded templates."""
        environment = GuardedEnvironment(self._stack) if self._stack.own else Environment(loader(self._stack))
        environment.bytecode_cache = self._kept
        return environment

    @cached_property
    def _environment(self) -> Environment:
        return self.new_environment()

    @cached_property
    def _including(self) -> Environment:
        return GuardedEnvironment(self._stack, self._how)

    @cached_property
    def _observing(self) -> Environment:
        return watch(mark_lines(self.new_environment()))

    def _file(self, name: str) -> str:
        """Return the file of a template, or its name if there is none."""
        return str([*self._stack.files(name), name][0])

    def _written(self, environment: Environment, values: Context) -> str:
        try:
            return environment.get_template(f"{values['arch']}{TEMPLATE}").render(values, domain=values)
        except Exception as error:
            raise self._error(error, f"{values['arch']}{TEMPLATE}", values) from error

    def _error(self, error: Exception, name: str, values: Context) -> TemplateError:
        """Return the user's error for an exception that was raised while rendering the template of this name."""
        found = circle(self.new_environment(), self._stack, name) if isinstance(error, RecursionError) else None
        found = found or template_error(error, self._file(name), values["name"], values)
        return without_secrets(found, self._secrets, values)
