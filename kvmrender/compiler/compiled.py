"""The door of the compiler: templates as functions of Python, with their schema.

Jinja's own code looks each name up in several places, goes through a sandbox for each field, and renders each include
as a template of its own. The shipped templates need none of that: they look keys up in mappings, and write them. So
``generator`` reads the tree that Jinja makes of a template, and writes a function of Python; of
``devices/watchdog.xml.j2``,

    <watchdog model="{{ device.model }}"{{ device | attributes("action") }}>
    {% include "devices/info.xml.j2" %}
    </watchdog>

it is

    def t_devices_2f_watchdog_2e_xml_2e_j2(found, c, v_device):
        w = found.append
        w(f'    <watchdog model="{E(v_device["model"])}"{A(v_device, ("action", ))}')
        w(G)
        S_t_devices_2f_info_2e_xml_2e_j2[tuple(v_device)](found, c, v_device)
        if found[-1] is G: found[-1] = '/>'
        else: w('    </watchdog>')
        w('\\n')

``expressions`` has written what stands in braces and after ``if``; ``writer`` has put texts together that stand side by
side, and closes an element that turns out empty in its tag: ``G`` is the end of an opening tag, told from others by
``is``. ``functions`` runs it: ``A``, ``E``, ``T``, ``X`` and ``I`` are its filters, ``M`` stands for a name that isn't
there, ``J`` has Jinja render an include that is of one's own. ``prepared`` has the functions of the shipped templates.

A function that asks a mapping for many keys, its subject, is called by way of a table (``S_…``), by the keys that the
mapping has. There, ``specialise`` puts one in for just these keys, when they have come up often: written by the same
generator, which knows them now. Of a watchdog without ``address`` and ``alias``, nothing is left to ask in ``info``, so
the include is gone, and with it the question whether the element is empty.

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
from typing import TYPE_CHECKING

from kvmrender.compiler.functions import Function as Function
from kvmrender.compiler.functions import Functions, Include
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
        return False  # what is wrong with them is told when they are used
    return True
