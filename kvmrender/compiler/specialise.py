"""Functions of templates made anew for mappings that have just these keys, when they have come up often enough.

A template asks a disk for some fifty keys, of which it mostly has five. What its function asks of the keys is known
here before it runs: the questions go, templates that are included for the same mapping are put in, and what is left
of texts is written in one go.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cached_property, partial
from typing import Any, NamedTuple

Function = Callable[..., Any]
Keys = tuple[str, ...]
Write = Callable[[str, Keys, Mapping[str, Keys]], tuple[list[str], list[str]]]
"""Writes the function of a template, for the keys of its subject and of mappings right inside that: see
``generator.Module.specialised``."""

SEEN = 3000
"""How often keys come up before there is a function for them. To bring in Jinja and make those of a small guest takes
75 ms in each process, and they save 28 µs a guest: that pays after 2,700 guests."""
MOST = 64
"""How many functions are made of one; more than guests have, if they aren't made to have many."""
MOST_SEEN = 1000
"""Of how many keys it is counted how often they come up."""
TABLE = "S_"
"""How the names of tables begin, which are those of their functions."""


class Made(NamedTuple):
    """What has been made of templates, by their names: checksums of their ``texts``; the sources of their
    ``functions``; to which templates these ``refers``; the names that each has ``taken`` from what includes it; and its
    subject, the parameter whose keys decide which function is called, where there is one."""

    texts: dict[str, int]
    functions: dict[str, str]
    refers: dict[str, list[str]]
    taken: dict[str, list[str]]
    subjects: dict[str, str]

    def without(self, changed: Collection[str]) -> Made:
        """Return what is left of it where these templates are others."""
        gone = {*changed}
        while more := {name for name, others in self.refers.items() if not gone.isdisjoint(others)} - gone:
            gone |= more
        left: list[Any] = [{name: found for name, found in of.items() if name not in gone} for of in self[1:]]
        return Made({name: text for name, text in self.texts.items() if name not in changed}, *left)


def identifier(name: str) -> str:
    """Return the name of a template's function."""
    return "t_" + re.sub(r"\W", lambda match: f"_{ord(match[0]):x}_", name, flags=re.ASCII)


class Table(dict[tuple[Any, ...], Function]):
    """By the keys that a mapping has, or several have, the function that is to be called with it.

    It is made when they have come up as often as one in ``parts`` of ``SEEN``; before that it is what ``general``
    gives.
    """

    def __init__(
        self, general: Callable[[], Function], make: Callable[[tuple[Any, ...]], Function], parts: int = 1
    ) -> None:
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
            return self._general()
        self[keys] = made = self._make(keys)
        return made


class Tables:
    """The tables of the functions in ``space``, which ``made`` says more of.

    They are put into it. ``reread`` reads the templates again, when the first keys have come up often.
    """

    def __init__(self, space: dict[str, Any], made: Made, reread: Callable[[], Write]) -> None:
        self._space, self._made, self._reread = space, made, reread

    def add(self, name: str) -> None:
        """Put the table of a template's function beside that."""
        function = identifier(name)
        general = partial(self._space.__getitem__, function)
        self._space[TABLE + function] = Table(general, partial(self._function, name, general))

    @cached_property
    def _write(self) -> Write:
        return self._reread()

    def _function(self, name: str, general_now: Callable[[], Function], keys: Keys) -> Function:
        """Return the function for a mapping with these keys: one that looks at the mappings right inside, if it asks
        these, and has functions for their keys too. Where the templates have changed meanwhile, it is that for any."""
        general = general_now()
        try:
            lines, inside = self._write(name, keys, {})
        except Exception:  # whatever has become of them: the Renderer goes on with what they were
            return general
        subject = self._made.subjects[name]

        def make(of_inside: tuple[Keys, ...]) -> Function:
            return self._compiled(name, self._write(name, keys, dict(zip(inside, of_inside, strict=True)))[0])

        mappings = [subject, *(f"{subject}[{key!r}]" for key in inside)]
        chosen = f"T[{''.join(f'tuple({mapping}), ' for mapping in mappings[1:])}]" if inside else "F"
        classes = " is ".join(f"{mapping}.__class__" for mapping in mappings)
        parameters = lines[0].partition("(")[2].removesuffix("):")
        source = f"lambda {parameters}: ({chosen} if {classes} is dict else G)({parameters})"
        found = {"T": Table(lambda: general, make, 10)} if inside else {"F": self._compiled(name, lines)}
        choosing: Function = eval(source, {"G": general, **found})
        return choosing

    def _compiled(self, name: str, lines: list[str]) -> Function:
        made: dict[str, Function] = {}
        exec("\n".join(lines), self._space, made)
        return made[identifier(name)]
