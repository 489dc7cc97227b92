"""What a bare scalar stands for, where a mapping belongs."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from kvmrender.schema.guest_schema import Node
from kvmrender.schema.memory_units import memory

QUANTITIES: dict[str, Callable[[int | str], Any]] = {"memory": memory}
"""What a bare scalar becomes where a mapping has this ``format``; ValueError says why it can't."""


def forms(node: Node) -> tuple[bool, str | dict[str, str] | None]:
    """Return which short forms a mapping has: whether true and false will do, for an element that only exists or not,
    and the key that another scalar stands for, or such keys by patterns."""
    shorthand = node.get("shorthand")
    several = shorthand if isinstance(shorthand, list) else [shorthand]
    stands_for = [form for form in several if isinstance(form, (str, dict))]
    return any(form is True for form in several), stands_for[0] if stands_for else None


def expander(node: Node) -> Callable[[Any], Any]:
    """Return what turns a scalar into the mapping that it stands for, or leaves it as it is."""
    presence, shorthand = forms(node)
    quantity = QUANTITIES.get(node.get("format", ""))
    patterns = [(re.compile(pattern), key) for pattern, key in shorthand.items()] if isinstance(shorthand, dict) else []

    def expand(value: Any) -> Any:
        if value.__class__ is bool and presence:
            return {} if value else None
        if not isinstance(value, (str, int)):
            return value
        if quantity and value.__class__ is not bool:
            try:
                return quantity(value)
            except ValueError:
                return value
        if isinstance(shorthand, str):
            return {shorthand: value}
        for pattern, key in patterns:
            with suppress(ValueError):  # more digits than Python writes
                if pattern.search(str(value)):
                    return {key: value}
        return value

    return expand
