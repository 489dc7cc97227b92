"""The functions that ``kvmrender.compiler.generator`` has made of the templates, at work."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, NoReturn

from kvmrender.compiler.specialise import TABLE, Made, Table, Tables, Write, identifier
from kvmrender.templating.xml import attributes, escape, escape_text, indent, special, well_formed

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


class Functions(dict[str, "Function | None"]):
    """By the names of their templates, the functions that give a context's XML; None where only Jinja can.

    They raise an exception, whichever, where they can't: then Jinja is to render the guest. ``more`` makes the
    functions of a template, where ``made`` has none, and says whether it could. Python compiles each when it is first
    called, which a guest needs a few of.
    """

    def __init__(self, made: Made, more: Callable[[str], bool], include: Include, reread: Callable[[], Write]) -> None:
        super().__init__()
        self._made, self._more, self._lock = made, more, Lock()
        filters = {"A": _attributes, "E": escape, "S": special, "T": escape_text, "X": well_formed, "I": indent}
        others = {"M": MISSING, "J": _included(include), "G": _End(">\n"), "B": _End(">")}
        self._space: dict[str, Any] = {**filters, **others}
        self._tables = Tables(self._space, made, reread)

    def __missing__(self, root: str) -> Function | None:
        """Return the function of a template that is a whole document."""
        with self._lock:
            if root not in self:
                is_there = root in self._made.functions or self._more(root)
                self._add()
                self[root] = _entry(self._space[TABLE + identifier(root)]) if is_there else None
            return self[root]

    def _add(self) -> None:
        for name, source in self._made.functions.items():
            if (function := identifier(name)) not in self._space:
                self._space[function] = _later(self._space, function, source)
                if name in self._made.subjects:
                    self._tables.add(name)


def _later(space: dict[str, Any], name: str, source: str) -> Callable[..., Any]:
    """Return what puts a function in its own place, when it is called."""

    def first(*arguments: Any) -> Any:
        exec(compile(source, "<templates>", "exec"), space)
        return space[name](*arguments)

    return first


def _attributes(element: Any, names: tuple[str, ...]) -> str:
    if element.__class__ is not dict:
        raise TypeError
    return attributes(element, names)


def _included(include: Include) -> Callable[..., None]:
    def included(found: list[str], name: str, context: Context, names: Context) -> None:
        given = {key: value for key, value in names.items() if value is not MISSING}
        if text := include(name, {**context, "domain": context, **given}):
            found.append(text)

    return included


def _entry(table: Table) -> Function:
    return lambda context: table[tuple(context)](context)
