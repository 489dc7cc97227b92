"""Functions of templates made anew for mappings that have just these keys, when they have come up often enough.

A template asks a disk for some fifty keys, of which it mostly has five. What its function asks of the keys is known
here before it runs: the questions go, templates that are included for the same mapping are put in, and what is left
of texts is written in one go.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from copy import copy
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast

Function = Callable[..., Any]
Keys = tuple[str, ...]

SEEN = 1000
"""How often keys come up before there is a function for them: to make one takes some milliseconds, and it saves some
microseconds."""
MOST = 64
"""How many functions are made of one; more than guests have, if they aren't made to have many."""
MOST_SEEN = 1000
"""Of how many keys it is counted how often they come up."""
MOST_TREES = 32
"""How many of the functions of templates are kept parsed: some 200 kB each."""
TABLE = "S_"
"""How the names of tables begin, which are those of their functions."""


class Table(dict[tuple[Any, ...], Function]):
    """By the keys that a mapping has, or several have, the function that is to be called with it.

    It is made when they have come up as often as one in ``parts`` of ``SEEN``; before that it is ``general``.
    """

    def __init__(self, general: Function, make: Callable[[tuple[Any, ...]], Function], parts: int = 1) -> None:
        super().__init__()
        self._general, self._make, self._parts = general, make, parts
        self._seen: dict[tuple[Any, ...], int] = {}

    def __missing__(self, keys: tuple[Any, ...]) -> Function:
        """Return the function for any keys, or make that for these."""
        seen = self._seen.get(keys, 0) + 1
        if seen <= SEEN // self._parts or len(self) >= MOST:
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen[keys] = seen
            return self._general
        self[keys] = made = self._make(keys)
        return made


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
        self._trees: dict[str, ast.FunctionDef] = {}

    @cached_property
    def _sources(self) -> dict[str, str]:
        texts = zlib.decompress(self._space["SOURCES"]).decode().split("\n\n")
        return {text.removeprefix("def ").partition("(")[0]: text for text in texts}

    def _parsed(self, name: str) -> ast.FunctionDef:
        import ast

        if (name := name.removeprefix(TABLE)) not in self._trees:
            if len(self._trees) >= MOST_TREES:
                self._trees.clear()
            function = ast.parse(self._sources[name]).body[0]
            assert isinstance(function, ast.FunctionDef)
            self._trees[name] = function
        return self._trees[name]

    def _compiled(self, function: ast.FunctionDef, body: list[ast.stmt]) -> Function:
        import ast

        from kvmrender.compile_expressions import escaped
        from kvmrender.residual import Escaping, written_together

        made: dict[str, Function] = {}
        left = copy(function)
        left.body = [*map(Escaping(escaped("y")).visit, written_together(body))]
        module = ast.fix_missing_locations(ast.Module([left], []))
        exec(compile(module, "<templates>", "exec"), self._space, made)
        return made[function.name]

    def function(self, name: str, keys: Keys) -> Function:
        """Return the function for a mapping with these keys: one that looks at the mappings right inside, if it asks
        these, and has functions for their keys too."""
        from kvmrender.partial_evaluation import PartialEvaluator

        function, subject = self._parsed(name), self._space["SUBJECTS"][name]
        outer = PartialEvaluator(subject, {(): keys}, self._parsed)
        body = outer.statements(function.body)
        inside = [key for (key,) in outer.asked]

        def make(inner: tuple[Keys, ...]) -> Function:
            known: dict[Keys, Keys] = {(key,): of for key, of in zip(inside, inner, strict=True)}
            evaluator = PartialEvaluator(subject, {(): keys, **known}, self._parsed, outer.count)
            return self._compiled(function, evaluator.statements(body))

        general = self._space[name]
        mappings = [subject, *(f"{subject}[{key!r}]" for key in inside)]
        chosen = f"T[{''.join(f'tuple({mapping}), ' for mapping in mappings[1:])}]" if inside else "F"
        classes = " is ".join(f"{mapping}.__class__" for mapping in mappings)
        parameters = ", ".join(argument.arg for argument in function.args.args)
        source = f"lambda {parameters}: ({chosen} if {classes} is dict else G)({parameters})"
        found = {"T": Table(general, make, 10)} if inside else {"F": self._compiled(function, body)}
        choosing: Function = eval(source, {"G": general, **found})
        return choosing
