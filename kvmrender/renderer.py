"""From guest to XML, with a stack of template folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from kvmrender.context import context_builder
from kvmrender.environment import Environment, finish
from kvmrender.normalise import without_nulls
from kvmrender.schema import load_schema
from kvmrender.stack import SCHEMA, TEMPLATE, Stack
from kvmrender.template_errors import template_error


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
        if self.stack.own:
            from kvmrender.guard import GuardedEnvironment

            self._environment: Environment = GuardedEnvironment(self.stack)
        else:
            self._environment = Environment(self.stack.loader)
        self.schema = load_schema(self.stack.read, self.stack.names(SCHEMA))
        self._context = context_builder(self.schema)

    def __reduce__(self) -> tuple[type[Renderer], tuple[tuple[Path, ...]]]:
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
        name = f"{context['arch']}{TEMPLATE}"
        self._environment.start()
        try:
            template = self._environment.get_template(name)
            return context, finish(template.render(values, domain=values))
        except Exception as error:
            raise template_error(error, name, context["name"], values) from error
