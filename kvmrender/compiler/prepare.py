"""What rendering needs of the folders of templates: the schema, and the templates' code. Made once, then cached."""

from __future__ import annotations

import json
from pathlib import Path
from types import CodeType
from typing import Any

from kvmrender.compiler.cache import Cache
from kvmrender.errors import TemplateError
from kvmrender.schema.guest_schema import GuestSchema, load_schema
from kvmrender.templating.stack import SCHEMA, TEMPLATE, Stack
from kvmrender.version import __version__


def prepared(stack: Stack) -> tuple[GuestSchema, CodeType | None]:
    """Return the schema of a stack, and the code of the functions that its templates become (see ``compiled``).

    The code is None where the templates can only be rendered by Jinja. Raises TemplateError for a schema part that
    can't be read.
    """
    folders = [str(folder.resolve()) for folder in (Path(__file__).parents[1], *stack.own, stack.shipped)]
    cache = Cache(folders, __version__)
    if (kept := _as_kept(cache.load())) is not None:
        return kept
    schema, code = guest_schema(stack), _code(stack)
    cache.store(((schema.root, schema.architectures, schema.names, schema.is_shipped), code))
    return schema, code


def _as_kept(value: Any) -> tuple[GuestSchema, CodeType | None] | None:
    """Return what ``prepared`` had kept, or None for anything else."""
    try:
        (root, architectures, names, is_shipped), code = value
    except (TypeError, ValueError):
        return None
    fits = all(isinstance(found, dict) and found for found in (root, architectures, names))
    if not (fits and isinstance(is_shipped, bool) and isinstance(code, (CodeType, type(None)))):
        return None
    return GuestSchema(root, architectures, names, is_shipped), code


def guest_schema(stack: Stack) -> GuestSchema:
    """Return the schema of a stack. Raises TemplateError."""
    if not stack.own_parts():
        from kvmrender.templating.loader import text_of

        return load_schema(lambda name: json.loads(text_of(stack, name)), stack.names(SCHEMA))
    from kvmrender.templating.schema_parts import checked, error_of

    schema, faults = checked(stack)
    if error := error_of(faults):
        raise error
    assert schema is not None
    return schema


def _code(stack: Stack) -> CodeType | None:
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
