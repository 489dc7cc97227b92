"""Jinja loader for the files of a stack of template folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, TemplateNotFound

from kvmrender.errors import TemplateError, nearest
from kvmrender.shipped import SHIPPED
from kvmrender.templating.stack import Stack, is_file, not_too_large


def loader(stack: Stack) -> BaseLoader:
    """Return the loader of a stack's templates."""
    shipped = _FolderLoader(stack.shipped)
    return ChoiceLoader([*map(_FolderLoader, stack.own), shipped, PrefixLoader({SHIPPED: shipped})])


def text_of(stack: Stack, name: str) -> str:
    """Return the text of a file. Raises TemplateError if it is missing or not text."""
    try:  # loaders require an environment, but do not use it
        return loader(stack).get_source(Environment(autoescape=True), name)[0]
    except (TemplateNotFound, ValueError):
        raise TemplateError(f"is not in any template folder{nearest(name, stack.names())}", name) from None


class _FolderLoader(FileSystemLoader):
    """Loads the files of a folder, but not those outside it that links lead to."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        if is_file(found := Path(self.searchpath[0], template)):
            not_too_large(found)
        try:
            source, file, uptodate = super().get_source(environment, template)
        except UnicodeDecodeError as error:
            said = f"is not UTF-8: byte 0x{error.object[error.start]:02x} at offset {error.start}"
            raise TemplateError(said, str(found), error.object.count(b"\n", 0, error.start) + 1) from None
        except OSError as error:
            if isinstance(error, TemplateNotFound):
                raise
            raise TemplateError(f"can't be read: {error.strerror}", str(found)) from None
        folder = Path(self.searchpath[0])
        if not Path(file).resolve().is_relative_to(folder.resolve()):
            raise TemplateError("is a link that leads outside its folder", file)
        return source.removeprefix("\ufeff"), file, uptodate  # as Windows editors write it
