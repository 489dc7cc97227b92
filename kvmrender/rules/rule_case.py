"""A case of a rule (see ``rules.rules``): what it finds in a guest, and which keys trigger it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product, takewhile
from typing import Any

from kvmrender.errors import Path, Problem, brief, path_string
from kvmrender.rules.check import Context, Found, Test, item_of, once, walk
from kvmrender.rules.conditions import NOWHERE, Holds, Scope, as_python, compared, condition, inside, listed, others
from kvmrender.schema.guest_schema import GuestSchema, Node, Steps, resolve
from kvmrender.schema.shorthand import QUANTITIES, forms

ALWAYS = "/name"
"""A key that all guests contain."""
_IS_ONE = re.compile(r"(?<!not) in \(")
_PLACEHOLDER = re.compile(r"\{([^{}\s|]+(?:\|[^{}]+)?)\}")


class Field:
    """A field that a rule names, relative to mappings at a place.

    ``nodes`` are the schema nodes of each step from the guest on: the schema's, then those that architectures add,
    whose names are ``archs``. The first ``known`` steps lead to all such mappings.
    """

    def __init__(self, schema: GuestSchema, place: Steps, each: str, name: str) -> None:
        self.name, self.steps = name, tuple(name.removeprefix("/").split("."))
        here = () if name.startswith("/") else place
        self.way: Steps = (*here, *self.steps)
        self.full = tuple(step for step in self.way if isinstance(step, str))
        self.known = next((at for at, step in enumerate(here) if not isinstance(step, str)), len(self.full))
        self.of = 0 if name.startswith("/") else 1
        if each and f"{name}.".startswith(f"{each}."):
            self.of, self.steps = 2, self.steps[each.count(".") + 1 :]
        self.schema, (self.nodes, self.archs, self.has_shorthand) = schema, _nodes(schema, self.full)

    def exists(self, steps: int, refuses: Callable[[Any], bool] = lambda value: value == []) -> set[str]:
        """Return keys, one of which a guest must contain for a value to exist after so many steps that is not refused;
        empty if it may exist by default."""
        keys = self.full[:steps]
        found = {_written(keys[: self.known], self.has_shorthand)} if keys else set()
        for step, nodes in enumerate(self.nodes[:steps]):
            for arch, node in zip(self.archs[step], nodes, strict=True):
                for case in _defaults(node):
                    by: set[str] = set()
                    below = keys[step + 1 :]
                    if "shape" in case and all(
                        value is not True and refuses(value) for value in _given({}, case["shape"], below)
                    ):
                        continue
                    if "derived" in case:
                        if "without" not in case or all(map(refuses, _given(node, case["without"], below))):
                            by = {name.replace(".", "/") for name in case.get("from", ())}
                    elif all(map(refuses, _given(node, case["value"], below))):
                        continue
                    else:
                        for name, wanted in case.get("when", {}).items():
                            if wanted is not False and name != "/type" and step < self.known:
                                way = (*keys[:step], *name.split("."))
                                by.add(_written(way, _nodes(self.schema, way)[2]))
                    if not by and not arch:
                        return self.exists(step)
                    found |= by or {f"on {arch}"}
        return found

    def values(self, scope: Scope) -> list[Found]:
        """Return the values with their paths."""
        return list(walk(scope[self.of], self.steps))

    def listing(self, bases: list[str]) -> str:
        """Return a Python expression of the value, or of the list of values."""
        value, loops = self.listed(bases)
        return f"[x{loops} for x in ({value},) if x is not None]" if loops else value

    def listed(self, bases: list[str]) -> tuple[str, str]:
        """Return a Python expression of a value, and the loops for values in lists."""
        value, loops = bases[self.of], ""
        nodes = self.nodes[len(self.full) - len(self.steps) :]
        for number, (step, of) in enumerate(zip(self.steps, nodes, strict=True)):
            value = f"{value}.get({step!r})"
            if "items" in of[0]:
                loops, value = f"{loops} for x{number} in {value} or ()", f"x{number}"
            elif number < len(self.steps) - 1:
                value = f"({value} or E)"
        return value, loops

    def quick(self, wanted: Any, holds: Holds, bases: list[str], quick: Callable[[str], str]) -> str | None:
        """Return a condition on its values as a Python expression, or None if it can't be expressed."""
        if any(isinstance(node.get("type"), list) for nodes in self.nodes for node in nodes[:1]):
            return None  # a mapping or a text
        below = [_nodes(self.schema, (*self.full, *name.split(".")))[0] for name in inside(wanted)]
        if any("items" in nodes[0] for found in below for nodes in found[len(self.full) :]):
            return None
        value, loops = self.listed(bases)
        if not loops:
            return as_python(wanted, value, quick)
        test = as_python(wanted, "x", quick)
        if holds([], NOWHERE):
            return f"any({test} for x in {self.listing(bases)} or (None,))"
        return f"[1{loops} for x in ({value},) if {test}]"

    def path(self, scope: Scope, holds: Holds | None = None) -> Path:
        """Return the path of the field; of several values, that of the first for which a condition holds."""
        if found := self.values(scope):
            return next((path for path, value in found if holds and holds([value], scope)), found[0][0])
        path: Path = scope[self.of][0]
        for step, nodes in zip(self.steps, self.nodes[len(self.full) - len(self.steps) :], strict=True):
            path = (*path, step, 0) if "items" in nodes[0] else (*path, step)
        return path[:-1] if path[-1] == 0 else path

    def shown(self, value: Any, in_quotes: bool = False) -> str:
        """Return a value for a message, ``in_quotes`` if it can be any text."""
        if self.nodes[-1][0].get("writeOnly"):
            return "***"
        if isinstance(value, dict) and "text" in value:
            return brief(f"{value['text']} {value.get('unit', 'KiB')}")
        return brief(repr(value) if in_quotes and "enum" not in self.nodes[-1][0] else str(value))


def _nodes(schema: GuestSchema, full: tuple[str, ...]) -> tuple[list[list[Node]], list[list[str]], list[bool]]:
    """Return the schema nodes of each step to a field, their architectures (none for all), and whether a short form may
    stand for it."""
    nodes = [("", schema.root), *schema.architectures.items()]
    found, archs, short = [], [], []
    for step in full:
        items = [(arch, resolve(schema.root, node["items"])) for arch, node in nodes if "items" in node]
        holders = [*nodes, *items]
        short.append(any(_stands_for(node, step) for _, node in holders))
        children = [(arch, node.get("properties", {}).get(step)) for arch, node in holders]
        nodes = [(arch, resolve(schema.root, child)) for arch, child in children if child is not None] or [("", {})]
        found.append([node for _, node in nodes])
        archs.append([arch for arch, _ in nodes])
    return found, archs, short


def _written(keys: tuple[str, ...], has_shorthand: list[bool]) -> str:
    """Return the key that a guest must contain to give a value here: the last one that no short form replaces."""
    last = len(keys)
    while last > 1 and has_shorthand[last - 1]:
        last -= 1
    return "".join(f"/{key}" for key in keys[:last])


def placeholders(message: str) -> list[tuple[str, str]]:
    """Return the fields in a message's placeholders, with their default words."""
    found = [text.partition("|") for text in _PLACEHOLDER.findall(message)]
    return [(name, words) for name, _, words in found if name not in ("value", "first")]


def _stands_for(node: Node, key: str) -> bool:
    """Return whether a scalar instead of a mapping may set this key of it."""
    shorthand = forms(node)[1]
    keys = shorthand.values() if isinstance(shorthand, dict) else (shorthand,)
    return key in keys or node.get("format") in QUANTITIES


class Case:
    """A case of a rule, for mappings at a place."""

    def __init__(self, schema: GuestSchema, place: Steps, case: Node) -> None:
        each, names, self.wanted = case.get("each", ""), listed(case["at"]), case.get("when", {})
        self.schema, self.field = schema, partial(Field, schema, place, each)
        field = self.field
        self.place, self.each = place, tuple(each.split(".")) if each else ()
        self.is_unique, self.is_single = case.get("unique", False), case.get("single", False)
        self.message: str = case.get("message", "")
        self.when = [
            (field(name), condition(wanted, field)) for name, wanted in self.wanted.items() if name not in names
        ]
        self.about = [(field(name), condition(self.wanted.get(name, True), field)) for name in names]
        self.compared = [field(name) for wanted in self.wanted.values() for name in others(wanted)]
        self.shown = [(field(name), words) for name, words in placeholders(self.message)]

    def filter(self, arch: str | None) -> Test:
        """Return a test for contexts of an architecture, or of all, which is true if the case finds something."""
        of_arch = [(field, holds([arch], NOWHERE)) for field, holds in self.when if arch and field.full == ("arch",)]
        if not all(holds for _, holds in of_arch):
            return "", "False"
        if not all(isinstance(step, str) for step in self.place):
            return "", "True"
        loops: list[str] = []
        bases, nodes = ["c"], _nodes(self.schema, (*map(str, self.place), *self.each))[0]
        for steps, name in ((self.place, "m"), (self.each, "i")):
            base = bases[-1]
            for step in steps:
                if "items" in nodes.pop(0)[0]:
                    loops.append(f"for {name} in {base}.get({step!r}) or ()")
                    base = name
                else:
                    base = f"({base}.get({step!r}) or E)"
            bases.append(base)

        def quick(name: str) -> str:
            return next(field.listing(bases) for field in self.compared if field.name == name)

        tests = [
            field.quick(self.wanted[field.name], holds, bases, quick)
            for field, holds in self.when
            if field not in dict(of_arch)
        ]
        given = [f"{field.name}." for field, holds in self.when if not holds([], NOWHERE)]
        if not any(name.startswith(f"{field.name}.") for field, _ in self.about for name in given):
            about = [field.quick(self.wanted.get(field.name, True), holds, bases, quick) for field, holds in self.about]
            if None not in about and "True" not in about:
                tests.append(f"({' or '.join(map(str, about))})")
        # Slow tests come last; tests for one of several values, which rarely hold, come first.
        known = [test for test in tests if test and test != "True"]
        known.sort(key=lambda test: (" for x" in test, " in str(" in test, not _IS_ONE.search(test)))
        test = " and ".join(known) or "True"
        values = [field.listing(bases) for field, _ in self.about]
        if not loops:
            some = [value if value.startswith("[") else f"[x for x in ({value},) if x is not None]" for value in values]
            return "", f"twice([{', '.join(f'*{value}' for value in some)}])" if self.is_unique else test
        loop = " ".join(loops)
        if not self.is_unique:
            return loop, test
        several = f"len(c.get({self.each[0]!r}) or ()) > 1 and " if not self.place and len(self.each) == 1 else ""
        return "", f"{several}twice([{values[0]} {loop} if {test}])"

    def found(self, context: Context) -> Iterator[Problem]:
        """Yield the problems in a context."""
        guest: Found = ((), context)
        for mapping in walk(guest, self.place):
            yield from self.problems(guest, mapping)

    def triggers(self) -> list[tuple[str, ...]]:
        """Return sets of keys, one of which a guest must contain for the case to find anything."""
        needed = [keys for field, _ in self.when for keys in self._keys(field, self.wanted[field.name])]
        above = [*takewhile(lambda step: isinstance(step, str), self.place)]
        for place, names in ((), above), (self.place, self.each):
            if names:
                items = Field(self.schema, place, "", ".".join(map(str, names)))
                needed.append(items.exists(len(items.full)))
        for wanted in self.wanted.values():
            needed += [field.exists(len(field.full)) for field in self.compared if field.name in compared(wanted)]
        about = [self._keys(field, self.wanted.get(field.name, True)) for field, _ in self.about]
        some = [[keys for keys in (*needed, *one) if keys] for one in about]
        found = {frozenset(one) for alternatives in some for one in product(*alternatives)}
        of_one = [keys for keys in found if sum(key.startswith("on ") for key in keys) < 2]
        least = [keys for keys in of_one if not any(other < keys for other in of_one)]
        return sorted(tuple(sorted(keys)) or (ALWAYS,) for keys in least)

    def _keys(self, field: Field, wanted: Any) -> list[set[str]]:
        """Return sets of keys, of each of which a guest must contain one for a condition on a field to hold; empty, or
        with an empty set, if it may hold by default."""
        holds = condition(wanted, self.field)
        if holds([], NOWHERE):
            return []
        is_known = not [*others(wanted), *inside(wanted)]
        found = [field.exists(len(field.full), lambda value: value == [] or (is_known and not holds([value], NOWHERE)))]
        for name, one in wanted.get("has", {}).items() if isinstance(wanted, dict) else ():
            found += self._keys(Field(self.schema, field.way, "", name), one)
        return found

    def problems(self, guest: Found, mapping: Found) -> Iterator[Problem]:
        """Yield the problems of a mapping of a guest."""
        items = walk(mapping, self.each) if self.each else (mapping,)
        wrong = [found for item in items for found in self._wrong(Scope(guest, mapping, item))]
        if self.is_unique:
            texts = [self._said(scope, field, value) or field.shown(value, True) for scope, field, _, value in wrong]
            yield from once((path, str(value), text) for (_, _, path, value), text in zip(wrong, texts, strict=True))
            return
        first = wrong[0][2] if wrong else ()
        for scope, field, path, value in wrong[1:] if self.is_single else wrong:
            about = [first] if self.is_single else []
            about += [other.path(scope, holds) for other, holds in self.when]
            about += [other.path(scope) for other in self.compared]
            yield Problem(path, self._said(scope, field, value, first), related=tuple(dict.fromkeys(about)))

    def _said(self, scope: Scope, field: Field, value: Any, first: Path = ()) -> str:
        """Return the message with its placeholders replaced."""
        if "{" not in self.message:
            return self.message
        shown = {"value": field.shown(value), "first": path_string(item_of(first))}
        for other, words in self.shown:
            shown[other.name] = next((other.shown(value) for _, value in other.values(scope)), words)
        return _PLACEHOLDER.sub(lambda found: shown[found[1].partition("|")[0]], self.message)

    def _wrong(self, scope: Scope) -> Iterator[tuple[Scope, Field, Path, Any]]:
        if all(holds([value for _, value in field.values(scope)], scope) for field, holds in self.when):
            for field, holds in self.about:
                found = field.values(scope)
                if not found and holds([], scope):
                    yield scope, field, field.path(scope), ""
                yield from ((scope, field, path, value) for path, value in found if holds([value], scope))


def _defaults(node: Node) -> list[Node]:
    """Return the cases for defaults that apply if a guest gives no value."""
    cases = [*node.get("defaults", ()), *([{"value": node["default"]}] if "default" in node else [])]
    return [case for case in cases if case.get("value", True) is not None]


def _given(node: Node, default: Any, keys: tuple[str, ...]) -> list[Any]:
    """Return the values that a default of a node sets for these keys."""
    if not keys:
        return [default]
    if isinstance(default, list):
        return [value for item in default for value in _given({}, item, keys)]
    if not isinstance(default, dict):
        shorthand = forms(node)[1]
        if isinstance(shorthand, str) and node.get("format") not in QUANTITIES:
            return [default] if keys == (shorthand,) else []
        return [default]  # whichever key it sets
    return _given({}, default[keys[0]], keys[1:]) if keys[0] in default else []
