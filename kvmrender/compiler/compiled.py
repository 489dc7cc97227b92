"""The door of the compiler: templates as functions of Python, with their schema. Made once, then cached."""

from __future__ import annotations

from pathlib import Path
from types import CodeType
from typing import Any

from kvmrender.compiler.functions import Function as Function
from kvmrender.compiler.functions import Include, functions
from kvmrender.errors import TemplateError
from kvmrender.schema.guest_schema import GuestSchema
from kvmrender.templating.cache import Cache
from kvmrender.templating.stack import TEMPLATE, Stack
from kvmrender.version import __version__


def compiled(stack: Stack, include: Include) -> tuple[GuestSchema, dict[str, Function]]:
    """Return the schema of a stack, and by the names of its templates the functions that these become.

    A function gives a context's XML, and raises an exception, whichever, where it can't: then Jinja is to render the
    guest. There is none of a template that only Jinja can render. ``include`` renders a template of this name with
    Jinja. Raises TemplateError for a schema part that can't be read.
    """
    schema, code = _prepared(stack)
    return schema, functions(code, include, stack) if code else {}


def _prepared(stack: Stack) -> tuple[GuestSchema, CodeType | None]:
    folders = [str(folder.resolve()) for folder in (Path(__file__).parents[1], *stack.own, stack.shipped)]
    cache = Cache(folders, __version__)
    if (kept := _as_kept(cache.load())) is not None:
        return kept
    from kvmrender.templating.schema_parts import guest_schema

    schema, code = guest_schema(stack), _code(stack)
    cache.store(((schema.root, schema.architectures, schema.names, schema.is_shipped), code))
    return schema, code


def _as_kept(value: Any) -> tuple[GuestSchema, CodeType | None] | None:
    """Return what ``_prepared`` had kept, or None for anything else."""
    try:
        (root, architectures, names, is_shipped), code = value
    except (TypeError, ValueError):
        return None
    fits = all(isinstance(found, dict) and found for found in (root, architectures, names))
    if not (fits and isinstance(is_shipped, bool) and isinstance(code, (CodeType, type(None)))):
        return None
    return GuestSchema(root, architectures, names, is_shipped), code


def _code(stack: Stack) -> CodeType | None:
    """Return the code of the functions of a stack's templates, or None where these can only be rendered by Jinja."""
    from jinja2 import TemplateError as JinjaError

    from kvmrender.compiler.generator import Module
    from kvmrender.compiler.writer import UnsupportedError
    from kvmrender.templating.environment import Environment
    from kvmrender.templating.loader import loader

    roots = [name for name in stack.names(TEMPLATE) if "/" not in name]
    try:
        source = Module(Environment(loader(stack)), stack.is_shipped, roots).source()
    except (UnsupportedError, JinjaError, TemplateError, RecursionError):
        return None  # what is wrong with them is told when they are used
    return compile(source, "<templates>", "exec")
