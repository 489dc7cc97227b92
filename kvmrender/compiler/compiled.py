"""Entry point of the compiler: templates as Python functions, with their schema.

Jinja's generated code looks up each name in several places, checks each field in a sandbox, and renders each include as
a separate template. The shipped templates do not need this: they look up keys in mappings, and write them. Therefore,
``generator`` converts the syntax tree of a template to a Python function. For example, ``devices/watchdog.xml.j2``,

    <watchdog model="{{ device.model }}"{{ device | attributes("action") }}>
    {% include "devices/info.xml.j2" %}
    </watchdog>

becomes

    def t_devices_2f_watchdog_2e_xml_2e_j2(found, c, v_device):
        w = found.append
        w(f'    <watchdog model="{E(v_device["model"])}"{A(v_device, ("action", ))}')
        w(G)
        S_t_devices_2f_info_2e_xml_2e_j2[tuple(v_device)](found, c, v_device)
        if found[-1] is G: found[-1] = '/>'
        else: w('    </watchdog>')
        w('\\n')

``expressions`` converts expressions in braces and after ``if``; ``writer`` joins adjacent texts, and closes empty
elements in their tag: ``G`` is the end of an opening tag, distinguished by ``is``. ``functions`` runs the result:
``A``, ``E``, ``T``, ``X`` and ``I`` are its filters, ``M`` stands for an undefined name, ``J`` renders an included
custom template with Jinja. ``prepared`` has the functions of the shipped templates.

A function that asks a mapping for many keys, its subject, is called by way of a table (``S_…``), by the keys that the
mapping has. There, ``specialise`` puts one in for just these keys, when they have come up often: written by the same
generator, which knows them now. Of a watchdog without ``address`` and ``alias``, nothing is left to ask in ``info``, so
the include is gone, and with it the question whether the element is empty.

A function that fails raises any exception: then Jinja renders the guest, with better messages. A test compares both,
and fails if Jinja was needed for a valid guest.

The effect of each optimization, as the factor by which rendering a whole guest is slower without it, measured by
``python tests/bench/left_out.py 110`` (two cores, Python 3.11.7; the other rows are with the compiler):

    left out                                       seed-arm64   web-1   large
    specialise                                           1.20    1.21    1.03
    the compiler: Jinja renders                           6.2     8.8     5.6
    condensed_schema: the whole one in jsonschema-rs     1.20    1.47    1.41
    jsonschema-rs: quick_validation for every guest       2.3     8.2     2.6
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kvmrender.compiler.functions import Functions as Functions
from kvmrender.compiler.functions import Include
from kvmrender.compiler.prepared import prepared
from kvmrender.compiler.specialise import Made
from kvmrender.errors import TemplateError
from kvmrender.schema.guest_schema import GuestSchema
from kvmrender.templating.stack import TEMPLATE, Stack

if TYPE_CHECKING:
    from kvmrender.compiler.generator import Module


def compiled(stack: Stack, include: Include) -> tuple[GuestSchema, Functions]:
    """Return the schema of a stack, and the functions that its templates become.

    ``include`` renders a template of this name with Jinja. Raises TemplateError for a schema part that can't be read.
    """
    schema, made = prepared(stack)
    if own := stack.own_names(TEMPLATE):
        made = _module(stack, made).replaced(own)
    reread = partial(_module, stack, made)
    return schema, Functions(made, partial(_make, stack, made), include, lambda: reread().specialised())


def _module(stack: Stack, made: Made) -> Module:
    from kvmrender.compiler.generator import Module
    from kvmrender.templating.environment import Environment
    from kvmrender.templating.loader import loader

    return Module(Environment(loader(stack)), stack.is_shipped, made)


def _make(stack: Stack, made: Made, root: str) -> bool:
    """Make the functions of a template, and say whether that can be done: what can't is rendered by Jinja."""
    from jinja2 import TemplateError as JinjaError

    from kvmrender.compiler.writer import UnsupportedError

    try:
        _module(stack, made).make(root)
    except (UnsupportedError, JinjaError, TemplateError, RecursionError):
        return False  # their faults are reported when they are used
    return True
