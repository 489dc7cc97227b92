"""What a bare scalar stands for, where a mapping belongs."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kvmrender.schema.guest_schema import Node
from kvmrender.schema.memory_units import memory

QUANTITIES: dict[str, Callable[[int | str], Any]] = {"memory": memory}
"""What a bare scalar of each kind of quantity becomes; ValueError says why it can't."""


def expander(node: Node) -> Callable[[Any], Any]:
    """Return what turns a scalar into the mapping that it stands for, or leaves it as it is."""
    quantity, presence, shorthand = node.get("quantity"), node.get("presence"), node.get("shorthand")
    patterns = [(re.compile(pattern), key) for pattern, key in shorthand.items()] if isinstance(shorthand, dict) else []

    def expand(value: Any) -> Any:
        if value.__class__ is bool and presence:
            return {} if value else None
        if not isinstance(value, (str, int)):
            return value
        if quantity and value.__class__ is not bool:
            try:
                return QUANTITIES[quantity](value)
            except ValueError:
                return value
        if isinstance(shorthand, str):
            return {shorthand: value}
        for pattern, key in patterns:
            if pattern.search(str(value)):
                return {key: value}
        return value

    return expand
