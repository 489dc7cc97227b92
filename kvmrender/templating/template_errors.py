"""Conversion of template exceptions: file, line, message, guest, field, and include chain."""

from __future__ import annotations

import linecache
import re
from collections.abc import Iterator, Mapping
from itertools import takewhile
from pathlib import Path as FilePath
from traceback import walk_tb
from types import FrameType
from typing import Any

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError

from kvmrender.errors import TOO_MUCH_MEMORY, LimitError, Path, TemplateError, nearest
from kvmrender.schema.secrets import Secrets

UNKNOWN_NAME = "is not a name of the context"

_UNKNOWN = re.compile(rf"'(\w+)' {UNKNOWN_NAME}")


def template_error(error: Exception, template: str, guest: str, values: Mapping[str, Any]) -> TemplateError:
    """Return the user's error for ``error``, raised while ``template`` rendered ``guest``.

    ``values`` are those of the context, for hints and to find the field.
    """
    if isinstance(error, TemplateError):
        return error
    if isinstance(error, TemplateSyntaxError):
        file = error.filename or error.name
        return TemplateError(str(error.message), file, error.lineno, guest, source=source_line(file, error.lineno))
    frames = [(frame, line) for frame, line in walk_tb(error.__traceback__) if _is_template(frame)]
    places: dict[str, int] = {}
    for frame, line in reversed(frames):
        places.setdefault(frame.f_code.co_filename, line)
    found: list[tuple[str, int | None]] = [*places.items()] or [(template, None)]
    (file, last), *chain = found
    said = str(error) or type(error).__name__
    if isinstance(error, TemplateNotFound):
        said = f"template {error.name!r} is not in any template folder"
    elif isinstance(error, RecursionError):
        said = "includes or calls itself endlessly"
    elif isinstance(error, UndefinedError) and (unknown := _UNKNOWN.fullmatch(said)):
        said += nearest(unknown[1], values)
    field = next((path for frame, _ in reversed(frames) for path in _fields(frame, values)), ())
    above = [f"{name}:{number}" for name, number in chain]
    if isinstance(error, MemoryError):
        return LimitError(TOO_MUCH_MEMORY, file, last, guest, field, source_line(file, last), above)
    return TemplateError(said, file, last, guest, field, source_line(file, last), above)


def without_secrets(error: TemplateError, secrets: Secrets, values: Mapping[str, Any]) -> TemplateError:
    """Return an error without the guest's secrets, and without a template line that contains a secret itself."""
    known = secrets.values(values)
    message = secrets.without(known, error.message)
    field = tuple(
        takewhile(lambda step: isinstance(step, int) or not any(step in value for value in known), error.field)
    )
    source = None if error.source and secrets.xml.are_written_in(error.source) else error.source
    return type(error)(message, error.template, error.line, error.guest, field, source, error.chain)


def _is_template(frame: FrameType) -> bool:
    return "__jinja_template__" in frame.f_globals or frame.f_code.co_filename.endswith(".j2")


def source_line(file: str | None, line: int | None) -> str | None:
    """Return a line of a template, if it exists."""
    if file is None or line is None or not FilePath(file).is_file():
        return None
    linecache.checkcache(file)
    return linecache.getline(file, line)


def _fields(frame: FrameType, values: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the fields that a template's own variables refer to, such as ``device`` in a partial."""
    for name, value in frame.f_locals.items():
        if isinstance(value, dict) and value and value is not values and values.get(name) is not value:
            yield from _paths(value, values, ())


def _paths(wanted: Any, value: Any, path: Path) -> Iterator[Path]:
    """Yield the paths at which a value contains an object itself, not an equal one."""
    if value is wanted:
        yield path
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _paths(wanted, item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _paths(wanted, item, (*path, number))
