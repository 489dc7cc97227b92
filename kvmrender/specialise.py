"""Functions of templates made anew for mappings that have just these keys, when they have come up often enough.

A template asks a disk for some fifty keys, of which it mostly has five. What its function asks of the keys is known
here before it runs: the questions go, templates that are included for the same mapping are put in, and what is left
of texts is written in one go.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ast

Function = Callable[..., Any]
Keys = tuple[str, ...]

SEEN = 2000
"""How often keys come up before there is a function for them: to make one takes some milliseconds, and it saves some
microseconds."""
MOST = 64
"""How many functions are made of one; more than guests have, if they aren't made to have many."""
MOST_SEEN = 1000
"""Of how many keys it is counted how often they come up."""
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

    @cached_property
    def _sources(self) -> dict[str, str]:
        texts = zlib.decompress(self._space["SOURCES"]).decode().split("\n\n")
        return {text.removeprefix("def ").partition("(")[0]: text for text in texts}

    def _parsed(self, name: str) -> ast.FunctionDef:
        import ast

        function = ast.parse(self._sources[name.removeprefix(TABLE)]).body[0]
        assert isinstance(function, ast.FunctionDef)
        return function

    def _left(self, name: str, keys: dict[Keys, Keys]) -> tuple[ast.FunctionDef, list[str]]:
        """Return what is left of a function where these keys are known, by the paths of their mappings, and the keys of
        the mappings right inside that it asks too."""
        from kvmrender.partial_evaluation import PartialEvaluator

        function = self._parsed(name)
        evaluator = PartialEvaluator(self._space["SUBJECTS"][name], keys, self._parsed)
        function.body = evaluator.statements(function.body)
        return function, [key for (key,) in evaluator.asked]

    def _compiled(self, function: ast.FunctionDef) -> Function:
        import ast

        from kvmrender.partial_evaluation import written_together

        function.body = written_together(function.body)
        made: dict[str, Function] = {}
        module = ast.fix_missing_locations(ast.Module([function], []))
        exec(compile(module, "<templates>", "exec"), self._space, made)
        return made[function.name]

    def function(self, name: str, keys: Keys) -> Function:
        """Return the function for a mapping with these keys: one that looks at the mappings right inside, if it asks
        these, and has functions for their keys too."""
        function, inside = self._left(name, {(): keys})

        def make(inner: tuple[Keys, ...]) -> Function:
            known: dict[Keys, Keys] = {(key,): of for key, of in zip(inside, inner, strict=True)}
            return self._compiled(self._left(name, {(): keys, **known})[0])

        subject, general = self._space["SUBJECTS"][name], self._space[name]
        mappings = [subject, *(f"{subject}[{key!r}]" for key in inside)]
        chosen = f"T[{''.join(f'tuple({mapping}), ' for mapping in mappings[1:])}]" if inside else "F"
        classes = " is ".join(f"{mapping}.__class__" for mapping in mappings)
        parameters = ", ".join(argument.arg for argument in function.args.args)
        source = f"lambda {parameters}: ({chosen} if {classes} is dict else G)({parameters})"
        found = {"T": Table(general, make, 10)} if inside else {"F": self._compiled(function)}
        choosing: Function = eval(source, {"G": general, **found})
        return choosing
