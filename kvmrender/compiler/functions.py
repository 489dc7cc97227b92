"""The functions that ``kvmrender.compiler.generator`` has made of the templates, at work."""

from __future__ import annotations

from collections.abc import Callable
from types import CodeType
from typing import Any, NoReturn

from kvmrender.compiler.specialise import TABLE, Table, Tables, Write
from kvmrender.templating.xml import escape, escape_text, indent, special, well_formed

Context = dict[str, Any]
Function = Callable[[Context], str]
Include = Callable[[str, Context], str]
"""Renders a template of this name with Jinja."""


class _Missing:
    """Stands for a name that the context doesn't have. Whatever is done with it fails."""

    def _fail(self, *_: object) -> NoReturn:
        raise LookupError

    __bool__ = __eq__ = __ne__ = __hash__ = __str__ = __iter__ = __contains__ = __getitem__ = _fail


MISSING = _Missing()


class _End(str):
    """The end of an opening tag, told from other texts by ``is``."""

    __slots__ = ()


def functions(code: CodeType, include: Include, reread: Callable[[Any], Write]) -> dict[str, Function]:
    """Return the functions, by the names of their templates, that give a context's XML.

    They raise an exception, whichever, where they can't: then Jinja is to render the guest.
    """

    def included(found: list[str], name: str, context: Context, names: Context) -> None:
        given = {key: value for key, value in names.items() if value is not MISSING}
        if text := include(name, {**context, "domain": context, **given}):
            found.append(text)

    names = {"E": escape, "S": special, "T": escape_text, "X": well_formed, "I": indent, "M": MISSING, "J": included}
    space: dict[str, Any] = {**names, "G": _End(">\n"), "B": _End(">")}
    exec(code, space)
    Tables(space, reread)
    return {name: _entry(space[TABLE + function]) for name, function in space["ROOTS"].items()}


def _entry(table: Table) -> Function:
    return lambda context: table[tuple(context)](context)
