"""Functions of templates made anew for mappings that have just these keys, when they have come up often enough.

A template asks a disk for some fifty keys, of which it mostly has five. What its function asks of the keys is known
here before it runs: the questions go, templates that are included for the same mapping are put in, and what is left
of texts is written in one go.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast

Function = Callable[..., Any]

SEEN = 100
"""How often keys come up before there is a function for them: to make one takes as long as to use it some 500 times."""
MOST = 64
"""How many functions are made of one; more than guests have, if they aren't made to have many."""
TABLE = "S_"
"""How the names of tables begin, which are those of their functions."""


def escaped(expression: str) -> str:
    """Return the expression for a value as ``escape`` gives it; most need none, which is seen here already."""
    return f"(x if (x := {expression}).__class__ is str and (x.isalnum() or not S(x)) else E(x))"


class Table(dict[tuple[str, ...], Function]):
    """By the keys that a mapping has, the function that is to be called with it."""

    def __init__(self, general: Function, make: Callable[[tuple[str, ...]], Function]) -> None:
        super().__init__()
        self._general, self._make = general, make
        self._seen: dict[tuple[str, ...], int] = {}

    def __missing__(self, keys: tuple[str, ...]) -> Function:
        """Return the function for any keys, or make that for these."""
        seen = self._seen.get(keys, 0) + 1
        if seen <= SEEN or len(self) == MOST:
            if len(self._seen) == MOST * SEEN:
                self._seen.clear()
            self._seen[keys] = seen
            return self._general
        self[keys] = made = self._make(keys)
        return made


class Attributes(Table):
    """The functions that write a mapping as attributes of these names, in their order."""

    def __init__(self, names: Collection[str], space: dict[str, Any]) -> None:
        super().__init__(self._write, self._writer)
        self.names, self._space = names, space

    def _write(self, element: dict[str, Any]) -> str:
        escape = self._space["E"]
        return "".join([f' {name}="{escape(element[name])}"' for name in self.names if name in element])

    def _writer(self, keys: tuple[str, ...]) -> Function:
        written = "".join(f' {name}="{{{escaped(f"e[{name!r}]")}}}"' for name in self.names if name in keys)
        writer: Function = eval(f"lambda e: f'''{written}'''", self._space)
        return writer


def add_tables(space: dict[str, Any]) -> None:
    """Put the tables of functions into the module ``space``, which has their names and what they ask (``SUBJECTS``)
    and their source (``SOURCES``)."""
    special = _Special(space)
    for name in space["SUBJECTS"]:
        space[TABLE + name] = Table(space[name], partial(special.function, name))


class _Special:
    """Makes functions for mappings with certain keys, and then for those in which the mappings right inside have
    certain keys too."""

    def __init__(self, space: dict[str, Any]) -> None:
        self._space = space

    @cached_property
    def _sources(self) -> dict[str, str]:
        texts = zlib.decompress(self._space["SOURCES"]).decode().split("\n\n")
        return {text.removeprefix("def ").partition("(")[0]: text for text in texts}

    def _parsed(self, name: str) -> ast.FunctionDef:
        import ast

        function = ast.parse(self._sources[name]).body[0]
        assert isinstance(function, ast.FunctionDef)
        return function

    def _made(self, name: str, keys: dict[tuple[str, ...], tuple[str, ...]]) -> tuple[Function, list[str]]:
        """Return a function, and the keys of the mappings right inside the one that it is for, which it asks too."""
        import ast

        from kvmrender.known import Known, written_together

        function = self._parsed(name)
        known = Known(self._space["SUBJECTS"][name], keys, self._parsed, lambda table: self._space[table].names)
        function.body = written_together(known.statements(function.body))
        made: dict[str, Any] = {}
        module = ast.fix_missing_locations(ast.Module([function], []))
        exec(compile(module, "<templates>", "exec"), self._space, made)
        return made[name], [key for (key,) in known.asked]

    def function(self, name: str, keys: tuple[str, ...]) -> Function:
        """Return the function for a mapping with these keys."""
        made, inside = self._made(name, {(): keys})

        def make(inner: tuple[Any, ...]) -> Function:
            return self._made(name, {(): keys, **{(key,): of for key, of in zip(inside, inner, strict=True)}})[0]

        subject = self._space["SUBJECTS"][name]
        parameters = self._sources[name].partition("(")[2].partition(")")[0]
        mappings = [subject, *(f"{subject}[{key!r}]" for key in inside)]
        table = f"T[{''.join(f'tuple({mapping}), ' for mapping in mappings[1:])}]" if inside else "F"
        classes = " is ".join(f"{mapping}.__class__" for mapping in mappings)
        source = f"lambda {parameters}: ({table} if {classes} is dict else G)({parameters})"
        chosen: Function = eval(source, {"T": Table(made, make), "F": made, "G": self._space[name]})
        return chosen
