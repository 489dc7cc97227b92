"""From guest to XML, with a stack of template folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, TemplateNotFound

from kvmrender.context import context_builder
from kvmrender.environment import Environment, finish
from kvmrender.errors import TemplateError
from kvmrender.normalise import without_nulls
from kvmrender.schema import GuestSchema, load_schema
from kvmrender.template_errors import template_error

SHIPPED = "shipped"
"""The prefix under which a template can name one that a folder before it replaces."""


def shipped_templates() -> Path:
    """Return the folder of the templates that come with the package: inside it, or beside it in a checkout."""
    package = Path(__file__).parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


@cache
def default_renderer() -> Renderer:
    """Return the renderer of the shipped templates, made once."""
    return Renderer()


class Renderer:
    """Renders guests with a stack of template folders, of which the first that has a file wins.

    ``templates`` are folders that come before the shipped one. Building a Renderer reads the schema; each
    template is compiled when it is first used. A Renderer keeps nothing of the guests that it renders: threads
    may share it, and it can be pickled. ``schema`` is the schema of its guests.

    Raises TemplateError for a folder that is missing and for a schema part that can't be read.
    """

    schema: GuestSchema

    def __init__(self, templates: Iterable[str | os.PathLike[str]] = ()) -> None:
        self.templates = tuple(Path(folder) for folder in templates)
        for folder in self.templates:
            if not folder.is_dir():
                raise TemplateError("is not a folder of templates", str(folder))
        shipped = FileSystemLoader(shipped_templates())
        loader = ChoiceLoader([*map(FileSystemLoader, self.templates), shipped, PrefixLoader({SHIPPED: shipped})])
        self._environment = Environment(loader)

        def read(name: str) -> str:
            try:
                return loader.get_source(self._environment, name)[0]
            except TemplateNotFound:
                raise TemplateError("is not in any folder of templates", name) from None

        self.schema = load_schema(read, loader.list_templates())
        self._context = context_builder(self.schema)

    def __reduce__(self) -> tuple[type[Renderer], tuple[tuple[Path, ...]]]:
        """Pickle by the folders."""
        return Renderer, (self.templates,)

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
        name = f"{context['arch']}.xml.j2"
        try:
            template = self._environment.get_template(name)
            return context, finish(template.render(values, domain=values))
        except Exception as error:
            raise template_error(error, name, context["name"], values) from error
