"""From guest to XML, with a stack of template folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from pathlib import Path as FilePath
from typing import Any

from kvmrender.context import context_builder
from kvmrender.environment import Environment, finish
from kvmrender.errors import Path, Problem, TemplateError
from kvmrender.guard import GuardedEnvironment
from kvmrender.lines import Place, files, mark_lines, without_marks
from kvmrender.normalise import with_machine, without_nulls
from kvmrender.references import chain
from kvmrender.schema import ROOT, load_schema
from kvmrender.stack import SCHEMA, TEMPLATE, Stack
from kvmrender.template_errors import source_line, template_error
from kvmrender.usage import Seen, Watched, unused, watch
from kvmrender.xml import Fault, document_fault
from kvmrender.xml_path import guest_path


@cache
def default_renderer() -> Renderer:
    """Return the renderer of the shipped templates, made once."""
    return Renderer()


class Renderer:
    """Renders guests with a stack of template folders, of which the first that has a file wins.

    ``templates`` are folders that come before the shipped one. Building a Renderer reads the schema; each
    template is compiled when it is first used. A Renderer keeps nothing of the guests that it renders: threads
    may share it, and it can be pickled. ``schema`` is the schema of its guests, ``stack`` the folders.

    Templates of one's own run in a tighter sandbox, with limits of time and size (see ``kvmrender.guard``).

    Raises TemplateError for a folder that is missing and for a schema part that can't be read.
    """

    def __init__(self, templates: Iterable[str | os.PathLike[str]] = ()) -> None:
        self.stack = Stack(templates)
        self._environment = self.new_environment()
        try:
            self.schema = load_schema(self.stack.read, self.stack.names(SCHEMA))
            self._context = context_builder(self.schema)
        except (LookupError, TypeError, ValueError) as error:
            said = f"{error} is missing" if isinstance(error, KeyError) else str(error).partition("\n")[0]
            raise TemplateError(f"is not a schema of guests: {said}", str(self.stack.files(ROOT)[0])) from None

    def __reduce__(self) -> tuple[type[Renderer], tuple[tuple[FilePath, ...]]]:
        """Pickle by the folders."""
        return Renderer, (self.stack.own,)

    def context(self, guest: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a template sees of the guest: its full form, with every default and derived value.

        A null stands where the guest removes a default. The result is a guest too, and its own context.
        Raises GuestError with all that is wrong with the guest.
        """
        return self._context(guest)[0]

    def render(self, guest: Mapping[str, Any]) -> str:
        """Return the guest's domain XML (https://libvirt.org/formatdomain.html), with a newline at its end.

        Raises GuestError with all that is wrong with the guest, and TemplateError where a template is at fault.
        """
        return self.rendered(guest)[1]

    def rendered(self, guest: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """Return the guest's context and its domain XML. Raises what ``context`` and ``render`` do."""
        context, nulls = self._context(guest)
        values = without_nulls(context) if nulls else context
        xml = finish(self._written(self._environment, values))
        if self.stack.own and (fault := document_fault(xml)):
            raise self._not_well_formed(values, fault)
        return context, xml

    def _written(self, environment: Environment, values: Mapping[str, Any]) -> str:
        name = f"{values['arch']}{TEMPLATE}"
        environment.start()
        try:
            return environment.get_template(name).render(values, domain=values)
        except Exception as error:
            raise template_error(error, str(self.stack.files(name)[0]), values["name"], values) from error

    def traced(self, guest: Mapping[str, Any]) -> tuple[str, list[Place | None]]:
        """Return the guest's domain XML, well-formed or not, and for each of its lines the template and line that
        wrote it (None before the first). Raises what ``render`` does."""
        context, nulls = self._context(guest)
        return self._traced(without_nulls(context) if nulls else context)

    def _traced(self, values: Mapping[str, Any]) -> tuple[str, list[Place | None]]:
        return without_marks(self._marking, self._written(self._marking, values))

    def _not_well_formed(self, values: Mapping[str, Any], fault: Fault) -> TemplateError:
        xml, places = self._traced(values)
        file, number = places[min(fault.line, len(places)) - 1] or (None, None)
        wrote = xml.split("\n")[fault.line - 1].strip()
        message = f"makes XML that is not well-formed: {fault.message}, at {wrote!r}"
        above = chain(self._marking, self.stack, files(self._marking), file) if file else []
        field = guest_path(self.schema.root, fault.path)
        return TemplateError(message, file, number, values["name"], field, source_line(file, number), above)

    def unused(self, guest: Mapping[str, Any]) -> list[Problem]:
        """Return a problem for each value of a guest that no template reads. Raises what ``render`` does."""
        return [
            Problem(path, f"was given, but {self.stack.shown(file)} does not use it")
            for path, file in self.unused_fields(guest)
        ]

    def unused_fields(self, guest: Mapping[str, Any]) -> list[tuple[Path, str]]:
        """Return the path of each value of a guest that no template reads, and the file of the one that could have
        done it. Raises what ``render`` does."""
        context, nulls = self._context(guest)
        values = without_nulls(context) if nulls else context
        seen: Seen = {}
        self._written(self._watching, Watched(values, (), seen))
        first = str(self.stack.files(f"{values['arch']}{TEMPLATE}")[0])
        found = unused(self.schema.root, with_machine(guest), values, seen)
        return [(path, file or first) for path, file in found]

    def new_environment(self) -> Environment:
        """Return an environment that has read no template yet."""
        return GuardedEnvironment(self.stack) if self.stack.own else Environment(self.stack.loader)

    @cached_property
    def _marking(self) -> Environment:
        return mark_lines(self.new_environment())

    @cached_property
    def _watching(self) -> Environment:
        return watch(self.new_environment())
