"""Jinja's loader of a stack of template folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, Environment, FileSystemLoader, PrefixLoader

from kvmrender.errors import TemplateError
from kvmrender.stack import SHIPPED, Stack, not_too_large


def loader(stack: Stack) -> BaseLoader:
    """Return the loader of a stack's templates."""
    shipped = _FolderLoader(stack.shipped)
    return ChoiceLoader([*map(_FolderLoader, stack.own), shipped, PrefixLoader({SHIPPED: shipped})])


class _FolderLoader(FileSystemLoader):
    """Loads the files of a folder, and none that a link leads to outside of it."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        if (found := Path(self.searchpath[0], template)).is_file():
            not_too_large(found)
        source, file, uptodate = super().get_source(environment, template)
        folder = Path(self.searchpath[0])
        if not Path(file).resolve().is_relative_to(folder.resolve()):
            raise TemplateError("is a link to something outside of its folder", file)
        return source, file, uptodate
