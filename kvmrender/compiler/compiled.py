"""The door of the compiler: templates as functions of Python, with their schema. Made once, then cached.

Jinja's own code looks each name up in several places, goes through a sandbox for each field, and renders each include
as a template of its own. The shipped templates need none of that: they look keys up in mappings, and write them. So
``generator`` reads the tree that Jinja makes of a template, and writes a function of Python; of
``devices/watchdog.xml.j2``,

    <watchdog model="{{ device.model }}"{{ device | attributes("action") }}>
    {% include "devices/info.xml.j2" %}
    </watchdog>

it is, with ``x if … else E(x)`` for what escapes a value that has something to escape,

    def t_devices_2f_watchdog_2e_xml_2e_j2(found, c, v_device):
        w = found.append
        w(f'    <watchdog model="{escaped v_device["model"]}"')
        if v_device.__class__ is not dict: raise TypeError
        if ("action" in v_device):
            w(f' action="{escaped v_device["action"]}"')
        w(G)
        S_t_devices_2f_info_2e_xml_2e_j2[tuple(v_device)](found, c, v_device)
        if found[-1] is G: found[-1] = '/>'
        else: w('    </watchdog>')
        w('\\n')

``expressions`` has written what stands in braces and after ``if``; ``writer`` has put texts together that stand side by
side, and closes an element that turns out empty in its tag: ``G`` is the end of an opening tag, told from others by
``is``. ``functions`` runs the module: ``E``, ``T``, ``X`` and ``I`` are its filters, ``S`` says whether a text is to be
escaped, ``M`` stands for a name that isn't there, ``J`` has Jinja render an include that is of one's own.

A function that asks a mapping for many keys, its subject, is called by way of a table (``S_…``), by the keys that the
mapping has. There, ``specialise`` puts one in for just these keys, when they have come up a thousand times: written by
the same generator, which knows them now. Of a watchdog without ``address`` and ``alias``, nothing is left to ask in
``info``, so the include is gone, and with it the question whether the element is empty.

What a function can't do raises, whatever it is: then Jinja renders the guest, and has the last word and the better
messages. A test holds both against each other, and fails where Jinja was needed for a guest that is well.

What each of the fast ways pays: how many times longer a whole guest takes where it is left out, by
``python tests/bench/left_out.py 110`` (two cores, Python 3.11.7; the others are for what is left of the compiler):

    left out                                       seed-arm64   web-1   large
    specialise                                           1.20    1.21    1.03
    the compiler: Jinja renders                           6.2     8.8     5.6
    condensed_schema: the whole one in jsonschema-rs     1.20    1.47    1.41
    jsonschema-rs: quick_validation for every guest       2.3     8.2     2.6
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import CodeType
from typing import Any

from kvmrender.compiler.functions import Function as Function
from kvmrender.compiler.functions import Include, functions
from kvmrender.compiler.specialise import Write
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
    return schema, functions(code, include, partial(_reread, stack)) if code else {}


def _reread(stack: Stack, known: Any) -> Write:
    """Read the templates again, to write functions for keys that have come up often."""
    from kvmrender.compiler.generator import Module
    from kvmrender.templating.environment import Environment
    from kvmrender.templating.loader import loader

    return Module(Environment(loader(stack)), stack.is_shipped).specialised(known)


def _prepared(stack: Stack) -> tuple[GuestSchema, CodeType | None]:
    folders = [str(folder.resolve()) for folder in (Path(__file__).parents[1], *stack.own, stack.shipped)]
    cache = Cache(folders, __version__)
    if (kept := _as_kept(cache.load())) is not None:
        return kept
    from kvmrender.checks.rules import placed_rules
    from kvmrender.templating.schema_parts import guest_schema

    schema, code = guest_schema(stack), _code(stack)
    schema.rules = placed_rules(schema)
    cache.store(((schema.root, schema.architectures, schema.names, schema.is_shipped, schema.rules), code))
    return schema, code


def _as_kept(value: Any) -> tuple[GuestSchema, CodeType | None] | None:
    """Return what ``_prepared`` had kept, or None for anything else."""
    try:
        (root, architectures, names, is_shipped, rules), code = value
    except (TypeError, ValueError):
        return None
    fits = all(isinstance(found, dict) and found for found in (root, architectures, names)) and isinstance(rules, list)
    if not (fits and isinstance(is_shipped, bool) and isinstance(code, (CodeType, type(None)))):
        return None
    return GuestSchema(root, architectures, names, is_shipped, rules), code


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
