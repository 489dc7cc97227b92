"""Conditions of rules (see ``rules.rules``) on the values of a field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from kvmrender.rules.check import Found, walk
from kvmrender.schema.memory_units import memory, to_bytes


class Scope(NamedTuple):
    """The context in which fields of a rule are looked up."""

    guest: Found
    mapping: Found
    item: Found


class Field(Protocol):
    """A field that a condition compares with."""

    def values(self, scope: Scope) -> list[Found]:
        """Return the values of the field."""


Holds = Callable[[list[Any], Scope], bool]
"""A test of the values of a field, which are empty if it isn't given."""
NOWHERE = Scope(((), {}), ((), {}), ((), {}))


def condition(wanted: Any, field: Callable[[str], Field]) -> Holds:
    """Compile a condition."""
    if isinstance(wanted, list):
        some = [condition(one, field) for one in wanted]
        return lambda values, scope: any(holds(values, scope) for holds in some)
    if isinstance(wanted, bool):
        return lambda values, scope: bool(values) is wanted
    if not isinstance(wanted, dict):
        text = str(wanted)
        return lambda values, scope: any(str(value) == text for value in values)
    ((operator, operand),) = wanted.items()
    if operator == "not":
        inner = condition(operand, field)
        return lambda values, scope: bool(values) and not inner(values, scope)
    if operator == "in":
        other = field(operand)
        return lambda values, scope: any(
            str(value) in [str(known) for _, known in other.values(scope)] for value in values
        )
    if operator == "contains":
        return lambda values, scope: any(operand in str(value) for value in values)
    if operator == "has":
        inside = [(tuple(name.split(".")), condition(one, field)) for name, one in operand.items()]
        return lambda values, scope: any(
            all(holds([found for _, found in walk(((), value), steps)], scope) for steps, holds in inside)
            for value in values
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
    "multiple_of": lambda number, other: other != 0 and number % other == 0,
    "power_of_two": lambda number, wanted: (number.bit_count() == 1) == wanted,
}


def _bound(operand: Any, field: Callable[[str], Field]) -> Callable[[Scope], int | None]:
    """Return a function for the number to compare with: a number, a size, or the value of a field."""
    if _is_field(operand):
        other = field(operand)
        return lambda scope: next((_number(value) for _, value in other.values(scope)), None)
    number = to_bytes(memory(operand)) if isinstance(operand, str) else int(operand)
    return lambda scope: number


def _number(value: Any) -> int | None:
    """Return a value as a number, a size in bytes; None for other values."""
    try:
        if isinstance(value, dict):
            return to_bytes(value)
        return value if isinstance(value, int) else int(value, 16 if value.startswith("0x") else 10)
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _operators(wanted: Any) -> Iterator[tuple[str, Any]]:
    """Yield the operators of a condition with their operands, including negated ones."""
    for one in listed(wanted):
        for operator, operand in one.items() if isinstance(one, dict) else ():
            if operator == "not":
                yield from _operators(operand)
            else:
                yield operator, operand


def others(wanted: Any) -> Iterator[str]:
    """Yield the fields that a condition compares with."""
    for operator, operand in _operators(wanted):
        if operator == "has":
            yield from (other for inner in operand.values() for other in others(inner))
        elif operator == "in" or (operator in _COMPARE and _is_field(operand)):
            yield operand


def compared(wanted: Any) -> list[str]:
    """Return the fields that must be given for a condition to hold."""
    return [*others(wanted)] if isinstance(wanted, dict) and not {"not", "has"} & {*wanted} else []


def inside(wanted: Any) -> Iterator[str]:
    """Yield the fields inside a value that a condition names."""
    for operator, operand in _operators(wanted):
        for name, inner in operand.items() if operator == "has" else ():
            yield from (name, *(f"{name}.{below}" for below in inside(inner)))


def _is_field(operand: Any) -> bool:
    return isinstance(operand, str) and not operand[:1].isdigit()


def listed(value: Any) -> list[Any]:
    """Return a list; a single value becomes a list of one."""
    return value if isinstance(value, list) else [value]


def as_python(wanted: Any, value: str, quick: Callable[[str], str]) -> str:
    """Return a Python expression that is true whenever a condition holds.

    ``value`` is the expression of the value, which is None if missing; ``quick`` returns those of fields.
    """
    if isinstance(wanted, list):
        if True in wanted and False in wanted:
            return "True"
        words = [one for one in wanted if not isinstance(one, (bool, dict, list))]
        none = [None] if any(one is False for one in wanted) else []
        others = [as_python(one, value, quick) for one in wanted if one is True or isinstance(one, (dict, list))]
        if none and f"{value} is not None" in others:
            return "True"
        tests = [f"{value} in {(*none, *_forms(words))}"] if none or words else []
        return f"({' or '.join(tests + others)})"
    if isinstance(wanted, bool):
        return f"{value} is not None" if wanted else f"{value} is None"
    if not isinstance(wanted, dict):
        return f"{value} in {_forms([wanted])}"
    ((operator, operand),) = wanted.items()
    if operator in ("above", "below") and _is_field(operand):  # a derived value is often the same object
        return f"{value} is not None is not {quick(operand)} is not {value}"
    if operator in ("above", "below") and str(operand).isdecimal():
        beyond = f"n {'>' if operator == 'above' else '<'} {int(operand)}"
        return f"((n := {value}).__class__ is not int or {beyond}) and n is not None"
    if operator == "has":
        tests = [as_python(one, f"dig({value}, *{name.split('.')})", quick) for name, one in operand.items()]
        return " and ".join([f"{value} is not None", *tests])
    refused = listed(operand) if operator == "not" else []
    if refused and not any(isinstance(one, (bool, dict)) for one in refused):
        return f"{value} not in {(None, *_forms(refused))}"
    if operator == "contains":
        return f"{value} is not None and {operand!r} in str({value})"
    if refused and isinstance(refused[0], dict) and "contains" in refused[0]:
        return f"{value} is not None and {refused[0]['contains']!r} not in str({value})"
    return f"{value} is not None"


def _forms(words: list[Any]) -> tuple[Any, ...]:
    """Return words together with the numbers that they represent."""
    texts = [*map(str, words)]
    return (*texts, *(int(text) for text in texts if text[:20].isdecimal() and str(int(text[:20])) == text))
