"""The rules of schema parts: what may not stand together in a guest, as data.

A rule stands in a part beside the fields that it is about, and holds for each mapping that the part describes::

    rules:
      - id: vnc-for-all
        description: No VNC display listens on all addresses.
        each: listen
        when: {type: vnc, listen.address: [0.0.0.0, '::']}
        at: listen.address
        message: is open to every network

Where all of ``when`` holds, the field ``at`` is wrong if it is given, and ``message`` says why, with ``{value}`` for
its value and ``{other}`` for that of another field. Fields are those of the mapping, or with a slash before them those
of the guest (``/arch``); where a field leads through a list, it has all values there. ``each`` names a list: the rule
holds for each of its items, in which are the fields that begin with its name. What is looked at is the context, so
that defaults and derived values count.

A condition is ``true`` for a field that is given, ``false`` for one that is not, a value that it has, or one of these:

``{not: condition}``        it is given, and this does not hold
``{in: field}``             it has a value that is there too
``{above: 3}``              it is more than a number, a size of memory, or the value of a field; ``below`` is less
``{multiple_of: 1 MiB}``    it is that, of a number, a size, or the value of a field
``{power_of_two: true}``    it is one
a list                      one of its conditions holds

A condition of ``at`` may stand in ``when`` too: with ``{size: false}`` it is missing. ``at`` may be a list of fields,
``cases`` hold several rules of one id, ``when`` may be a list, of which one has to hold, and with ``unique: true`` no
two items have one value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from kvmrender.checks.common import Check, Checks, Context, once
from kvmrender.errors import Path, Problem, brief
from kvmrender.schema.guest_schema import GuestSchema, Node, PlacedRule, Steps, resolve
from kvmrender.schema.memory_units import memory, to_bytes
from kvmrender.schema.shorthand import QUANTITIES, forms

Found = tuple[Path, Any]
"""A path, and the value there."""


class Scope(NamedTuple):
    """What the fields of a rule are looked up in."""

    guest: Found
    mapping: Found
    item: Found


Holds = Callable[[list[Any], Scope], bool]
"""Says whether a condition holds for the values of a field, of which there are none where it isn't given."""
NOWHERE = Scope(((), {}), ((), {}), ((), {}))
ALWAYS = "/name"
"""A key that all guests write."""
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


def rule_checks(schema: GuestSchema) -> Checks:
    """Return the rules of a schema as checks, with the keys without which they find nothing."""
    found = schema.rules if schema.rules is not None else placed_rules(schema)
    return {_check(schema, place, rule): triggers for place, rule, triggers in found}


def placed_rules(schema: GuestSchema) -> list[PlacedRule]:
    """Return the rules of a schema with the places of the mappings that they are for, and their triggers."""
    return [
        (place, rule, tuple({key: None for case in _cases(schema, place, rule) for key in case.triggers()}))
        for place, rule in _rules(schema.root, schema.root, (), {})
    ]


def _check(schema: GuestSchema, place: Steps, rule: Node) -> Check:
    compiled = cache(lambda: _cases(schema, place, rule))  # few are ever needed

    def check(context: Context, architecture: Context) -> Iterator[Problem]:
        guest: Found = ((), context)
        for mapping in _walk(guest, place):
            found: dict[tuple[Path, str], Problem] = {}
            for problem in (problem for case in compiled() for problem in case.problems(guest, mapping)):
                found.setdefault((problem.path, problem.message), problem)
            yield from found.values()

    check.__name__, check.__doc__ = rule["id"].replace("-", "_"), rule.get("description")
    return check


def _cases(schema: GuestSchema, place: Steps, rule: Node) -> list[_Case]:
    return [
        _Case(schema, place, {"each": rule.get("each", ""), **case, "when": when})
        for case in rule.get("cases", [rule])
        for when in _listed(case.get("when", {}))
    ]


def _rules(root: Node, node: Node, place: Steps, above: dict[str, Steps]) -> Iterator[tuple[Steps, Node]]:
    """Yield each rule of a schema with the place of the mappings that it is for."""
    reference = node.get("$ref", "")
    if reference in above:
        return
    if reference:
        above = {**above, reference: place}
    node = resolve(root, node)
    children = node.get("properties", {})
    repeated = [key for key, child in children.items() if above.get(child.get("$ref")) == place]
    here = (*place, *((key,) for key in repeated))
    for rule in node.get("rules", ()):
        yield here, rule
    if "items" in node:
        yield from _rules(root, node["items"], place, above)
    for key, child in children.items():
        yield from _rules(root, child, (*here, key), above)


def _walk(found: Found, steps: Steps) -> Iterator[Found]:
    """Yield what these steps lead to; lists on the way, and at the end, stand for their items."""
    path, value = found
    if value.__class__ is list:
        for number, item in enumerate(value):
            yield from _walk(((*path, number), item), steps)
    elif not steps:
        if value is not None:
            yield found
    elif isinstance(steps[0], tuple):
        yield from _walk(found, steps[1:])
        for again in _walk(found, steps[0]):
            yield from _walk(again, steps)
    elif value.__class__ is dict:
        yield from _walk(((*path, steps[0]), value.get(steps[0])), steps[1:])


class _Field:
    """A field that a rule names, for mappings at a place. ``nodes`` are those of each of its steps from the guest on:
    the schema's, then those that architectures add; of the steps, the first ``known`` lead to all such mappings."""

    def __init__(self, schema: GuestSchema, place: Steps, each: str, name: str) -> None:
        self.steps = tuple(name.removeprefix("/").split("."))
        here = () if name.startswith("/") else place
        self.full = (*(step for step in here if isinstance(step, str)), *self.steps)
        self.known = next((at for at, step in enumerate(here) if not isinstance(step, str)), len(self.full))
        self.of = 0 if name.startswith("/") else 1
        if each and f"{name}.".startswith(f"{each}."):
            self.of, self.steps = 2, self.steps[each.count(".") + 1 :]
        self.name, self.nodes = name, _nodes(schema, self.full)

    def values(self, scope: Scope) -> list[Found]:
        """Return what is there, with its path."""
        return list(_walk(scope[self.of], self.steps))

    def path(self, scope: Scope) -> Path:
        """Return where it is, or would be."""
        if found := self.values(scope):
            return found[0][0]
        path: Path = scope[self.of][0]
        for step, nodes in zip(self.steps, self.nodes[len(self.full) - len(self.steps) :], strict=True):
            path = (*path, step, 0) if "items" in nodes[0] else (*path, step)
        return path[:-1] if path[-1] == 0 else path

    def shown(self, value: Any, in_quotes: bool = False) -> str:
        """Return a value as messages show it, ``in_quotes`` if it may be any text."""
        if self.nodes[-1][0].get("writeOnly"):
            return "***"
        if isinstance(value, dict) and "text" in value:
            return brief(f"{value['text']} {value.get('unit', 'KiB')}")
        return brief(repr(value) if in_quotes and "enum" not in self.nodes[-1][0] else str(value))


def named_fields(rule: Node) -> Iterator[tuple[Path, str]]:
    """Yield the fields that a rule names, with the path in it where it does."""
    for number, case in enumerate(rule.get("cases", [rule])):
        inside: Path = ("cases", number) if "cases" in rule else ()
        for key in ("each", "at"):
            yield from (((*inside, key), name) for name in _listed(case.get(key, [])))
        when = case.get("when", {})
        for place, some in enumerate(when) if isinstance(when, list) else [(None, when)]:
            above = (*inside, "when") if place is None else (*inside, "when", place)
            for name, wanted in some.items():
                yield (*above, name), name
                yield from (((*above, name), other) for other in _others(wanted))
        placeholders = _PLACEHOLDER.findall(case.get("message", ""))
        yield from (((*inside, "message"), name) for name in placeholders if name != "value")


def _others(wanted: Any) -> Iterator[str]:
    """Yield the fields that a condition compares with."""
    for condition in _listed(wanted):
        for operator, operand in condition.items() if isinstance(condition, dict) else ():
            if operator == "not":
                yield from _others(operand)
            elif operator == "in" or _is_field(operand):
                yield operand


def _is_field(operand: Any) -> bool:
    return isinstance(operand, str) and not operand[:1].isdigit()


def _nodes(schema: GuestSchema, full: tuple[str, ...]) -> list[list[Node]]:
    nodes, found = [schema.root, *schema.architectures.values()], []
    for step in full:
        inside = [resolve(schema.root, node["items"]) if "items" in node else node for node in nodes]
        children = [node.get("properties", {}).get(step) for node in inside]
        nodes = [resolve(schema.root, child) for child in children if child is not None] or [{}]
        found.append(nodes)
    return found


class _Case:
    """A case of a rule, for mappings at a place."""

    def __init__(self, schema: GuestSchema, place: Steps, case: Node) -> None:
        each, names, self.wanted = case["each"], _listed(case["at"]), case.get("when", {})

        def field(name: str) -> _Field:
            return _Field(schema, place, each, name)

        self.each = tuple(each.split(".")) if each else ()
        self.is_unique = case.get("unique", False)
        self.message = case.get("message", "")
        self.when = [
            (field(name), _condition(wanted, field)) for name, wanted in self.wanted.items() if name not in names
        ]
        self.about = [(field(name), _condition(self.wanted.get(name, True), field)) for name in names]
        self.fields = {name: field(name) for name in _PLACEHOLDER.findall(self.message) if name != "value"}

    def triggers(self) -> list[str | tuple[str, ...]]:
        """Return keys of which a guest must write one, or all of several, for the case to find anything."""
        needed = {self._written(*wanted) for wanted in self.when}
        keys = [sorted(needed | {self._written(*wanted)}) for wanted in self.about]
        return [tuple(key for key in some if key) or ALWAYS for some in keys]

    def _written(self, field: _Field, holds: Holds) -> str:
        """Return a key that a guest must write for a field to be as a condition wants it, or "" if there may be none.

        It is the last one that comes neither by a default nor by a shorthand.
        """
        if holds([], NOWHERE):
            return ""
        compares = any(True for _ in _others(self.wanted.get(field.name)))
        keys, last = field.full, len(field.full) - 1
        for step in range(last, -1, -1):
            defaults = [value for node in field.nodes[step] for value in _defaults(node)]
            stands = bool(step) and any(_stands_for(node, keys[step]) for node in field.nodes[step - 1])
            filled = any(
                value != [] and (step < last or compares or value is DERIVED or holds([value], NOWHERE))
                for value in defaults
            )
            above = [value for nodes in field.nodes[:step] for node in nodes for value in _defaults(node)]
            if not (stands or filled or any(value not in (DERIVED, {}, []) for value in above)):
                return "/" + "/".join(keys[: min(step + 1, field.known)])
        return ""

    def problems(self, guest: Found, mapping: Found) -> Iterator[Problem]:
        """Yield what is wrong with a mapping of a guest."""
        items = _walk(mapping, self.each) if self.each else (mapping,)
        wrong = [found for item in items for found in self._wrong(Scope(guest, mapping, item))]
        if self.is_unique:
            yield from once((path, str(value), field.shown(value, True)) for _, field, path, value in wrong)
            return
        for scope, field, path, value in wrong:
            shown = {"value": field.shown(value)}
            for name, other in self.fields.items():
                shown[name] = other.shown(next((value for _, value in other.values(scope)), ""))
            said = _PLACEHOLDER.sub(lambda name: shown[name[1]], self.message)  # noqa: B023 - called at once
            yield Problem(path, said, related=tuple(other.path(scope) for other, _ in self.when))

    def _wrong(self, scope: Scope) -> Iterator[tuple[Scope, _Field, Path, Any]]:
        if all(holds([value for _, value in field.values(scope)], scope) for field, holds in self.when):
            for field, holds in self.about:
                found = field.values(scope)
                if not found and holds([], scope):
                    yield scope, field, field.path(scope), ""
                yield from ((scope, field, path, value) for path, value in found if holds([value], scope))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _condition(wanted: Any, field: Callable[[str], _Field]) -> Holds:
    """Compile a condition."""
    if isinstance(wanted, list):
        some = [_condition(one, field) for one in wanted]
        return lambda values, scope: any(holds(values, scope) for holds in some)
    if isinstance(wanted, bool):
        return lambda values, scope: bool(values) is wanted
    if not isinstance(wanted, dict):
        text = str(wanted)
        return lambda values, scope: any(str(value) == text for value in values)
    ((operator, operand),) = wanted.items()
    if operator == "not":
        inner = _condition(operand, field)
        return lambda values, scope: bool(values) and not inner(values, scope)
    if operator == "in":
        other = field(operand)
        return lambda values, scope: any(
            str(value) in [str(known) for _, known in other.values(scope)] for value in values
        )
    bound, compare = _bound(operand, field), _COMPARE[operator]

    def holds(values: list[Any], scope: Scope) -> bool:
        known = bound(scope)
        return known is not None and any(
            (number := _number(value)) is not None and compare(number, known) for value in values
        )

    return holds


_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "above": int.__gt__,
    "below": int.__lt__,
    "multiple_of": lambda number, other: number % other == 0,
    "power_of_two": lambda number, wanted: (number.bit_count() == 1) == wanted,
}


def _bound(operand: Any, field: Callable[[str], _Field]) -> Callable[[Scope], int | None]:
    """Return what gives the number to compare with: a number, a size, or what a field has."""
    if _is_field(operand):
        other = field(operand)
        return lambda scope: next((_number(value) for _, value in other.values(scope)), None)
    number = to_bytes(memory(operand)) if isinstance(operand, str) else int(operand)
    return lambda scope: number


def _number(value: Any) -> int | None:
    """Return a value as a number: of a size, its bytes; None for what is none."""
    try:
        if isinstance(value, dict):
            return to_bytes(value)
        return value if isinstance(value, int) else int(value, 16 if value.startswith("0x") else 10)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _stands_for(node: Node, key: str) -> bool:
    """Say whether a scalar in place of a mapping may stand for this key of it."""
    if node.get("format", "") in QUANTITIES:
        return True
    shorthand = forms(node)[1]
    return key in (shorthand.values() if isinstance(shorthand, dict) else (shorthand,))


DERIVED = object()
"""Stands for a default that is computed."""


def _defaults(node: Node) -> list[Any]:
    """Return what may come in where a guest gives nothing."""
    cases = [*node.get("defaults", ()), *([{"value": node["default"]}] if "default" in node else [])]
    values = [DERIVED if "derived" in case else case["value"] for case in cases]
    return [value for value in values if value is not None]
