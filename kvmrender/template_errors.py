"""What a template did wrong, in one line: which file, which line, what, for which guest."""

from __future__ import annotations

import re
from collections.abc import Iterable
from traceback import walk_tb

from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError

from kvmrender.errors import TemplateError, nearest

UNKNOWN_NAME = "is not a name of the context"

_UNKNOWN = re.compile(rf"'(\w+)' {UNKNOWN_NAME}")


def template_error(error: Exception, template: str, guest: str, names: Iterable[str]) -> TemplateError:
    """Return the error that users see for ``error``, raised while ``template`` rendered ``guest``.

    ``names`` are those of the context, for a hint.
    """
    if isinstance(error, TemplateSyntaxError):
        return TemplateError(str(error.message), error.filename or error.name, error.lineno, guest)
    file, line = template, None
    for frame, number in walk_tb(error.__traceback__):
        if "__jinja_template__" in frame.f_globals or frame.f_code.co_filename.endswith(".j2"):
            file, line = frame.f_code.co_filename, number
    said = str(error) or type(error).__name__
    if isinstance(error, TemplateNotFound):
        said = f"template {error.name!r} is not in any folder of templates"
    elif isinstance(error, UndefinedError) and (unknown := _UNKNOWN.fullmatch(said)):
        said += nearest(unknown[1], names)
    return TemplateError(said, file, line, guest)
