"""Functions of templates specialised for mappings with certain keys, created when these occur often.

A template tests a disk for some fifty keys, of which most disks have about five. With known keys, the tests are decided
in advance, templates that are included for the same mapping are inlined, and the remaining texts are joined.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import cached_property, partial
from typing import Any, NamedTuple

Function = Callable[..., Any]
Keys = tuple[str, ...]
Write = Callable[[str, Keys, Mapping[str, Keys]], tuple[list[str], list[str]]]
"""Create the function of a template for the keys of its subject and of mappings directly in it; see
``generator.Module.specialised``."""

SEEN = 3000
"""How often keys come up before there is a function for them. To bring in Jinja and make those of a small guest takes
75 ms in each process, and they save 28 µs a guest: that pays after 2,700 guests."""
MOST = 64
"""Maximum number of functions per template; more than guests need, unless they are made to have many sets of keys."""
MOST_SEEN = 1000
"""Maximum number of sets of keys whose occurrences are counted."""
TABLE = "S_"
"""Prefix of the names of tables; the rest is the name of the function."""


class Made(NamedTuple):
    """The result of compiling templates, by name: checksums of their ``texts``, sources of their ``functions``, the
    templates that each ``refers`` to, the names that each has ``taken`` from templates that include it, and its subject
    (the parameter whose keys select the function), if any."""

    texts: dict[str, int]
    functions: dict[str, str]
    refers: dict[str, list[str]]
    taken: dict[str, list[str]]
    subjects: dict[str, str]

    def without(self, changed: Collection[str]) -> Made:
        """Return the remainder for a stack in which these templates differ."""
        gone = {*changed}
        while more := {name for name, others in self.refers.items() if not gone.isdisjoint(others)} - gone:
            gone |= more
        left: list[Any] = [{name: found for name, found in of.items() if name not in gone} for of in self[1:]]
        return Made({name: text for name, text in self.texts.items() if name not in changed}, *left)


def identifier(name: str) -> str:
    """Return the name of a template's function."""
    return "t_" + re.sub(r"\W", lambda match: f"_{ord(match[0]):x}_", name, flags=re.ASCII)


class Table(dict[tuple[Any, ...], Function]):
    """Functions by the keys of a mapping, or of several.

    A function is created when its keys have occurred as often as one in ``parts`` of ``SEEN``; before that, ``general``
    creates one.
    """

    def __init__(
        self, general: Callable[[], Function], make: Callable[[tuple[Any, ...]], Function], parts: int = 1
    ) -> None:
        super().__init__()
        self._general, self._make, self._parts = general, make, parts
        self._seen: dict[tuple[Any, ...], int] = {}

    def __missing__(self, keys: tuple[Any, ...]) -> Function:
        """Return the general function, or create that for these keys."""
        seen = self._seen.get(keys, 0) + 1
        if seen <= SEEN // self._parts or len(self) >= MOST:
            if len(self._seen) >= MOST_SEEN:
                self._seen.clear()
            self._seen[keys] = seen
            return self._general()
        self[keys] = made = self._make(keys)
        return made


class Tables:
    """Tables of the functions in ``space``, which ``made`` describes.

    They are inserted into it. ``reread`` reads the templates again when keys have first occurred often.
    """

    def __init__(self, space: dict[str, Any], made: Made, reread: Callable[[], Write]) -> None:
        self._space, self._made, self._reread = space, made, reread

    def add(self, name: str) -> None:
        """Add the table of a template's function next to it."""
        function = identifier(name)
        general = partial(self._space.__getitem__, function)
        self._space[TABLE + function] = Table(general, partial(self._function, name, general))

    @cached_property
    def _write(self) -> Write:
        return self._reread()

    def _function(self, name: str, general_now: Callable[[], Function], keys: Keys) -> Function:
        """Return the function for a mapping with these keys, which looks up functions for mappings directly in it if
        needed. If the templates have changed meanwhile, it is the general function."""
        general = general_now()
        try:
            lines, inside = self._write(name, keys, {})
        except Exception:  # whatever has changed: the Renderer continues with the templates that it has read
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
