"""Memory sizes in libvirt's units (https://libvirt.org/formatdomain.html#memory-allocation)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}
_SIZE = re.compile(r"([0-9]{1,30})\s*(?:[kKmMgGtTpPeE](?:[iI]?[bB])?|[bB](?:[yY][tT][eE][sS]?)?)?", re.ASCII)
MOST_LETTERS = 100
KIB, MIB = 1 << 10, 1 << 20
MAX_BYTES = (1 << 63) - KIB
"""The largest size in bytes that libvirt supports."""


def unit_bytes(unit: str) -> int:
    """Return the number of bytes of a libvirt unit: ``b``, ``KB`` (1000), ``KiB`` or ``k`` (1024) to ``EiB``."""
    folded = unit.lower()
    if folded in ("b", "byte", "bytes"):
        return 1
    base = 1000 if len(folded) == 2 else 1024
    return int(base ** _POWERS[folded[0]])


@lru_cache(maxsize=256)
def memory(size: int | str) -> dict[str, Any]:
    """Return a size as a libvirt element, ``{"unit": "MiB", "text": 4096}``, which must not be changed.

    A whole number is MiB; a string takes libvirt's units (``4 GiB``). The result is in MiB if that is exact, otherwise
    in KiB. Raises ValueError, whose message states what is expected.
    """
    text = str(size)
    match = _SIZE.fullmatch(text := text.strip()) if len(text) <= MOST_LETTERS else None
    if not match:
        raise ValueError("is not a size of memory: a whole number of MiB, or one with a unit, such as 4 GiB")
    number, rest = int(match[1]), text[len(match[1]) :].strip()
    count = number * (unit_bytes(rest) if rest else MIB)
    if count % KIB:
        raise ValueError("is not a whole number of KiB")
    if count > MAX_BYTES:
        raise ValueError("is not a size of memory: it must be less than 8 EiB")
    return {"unit": "KiB", "text": count // KIB} if count % MIB else {"unit": "MiB", "text": count // MIB}


def to_bytes(element: dict[str, Any]) -> int:
    """Return the size of a memory element in bytes; libvirt's default unit is KiB."""
    return int(element["text"]) * unit_bytes(element.get("unit", "KiB"))
