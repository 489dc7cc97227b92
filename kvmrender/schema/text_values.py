"""Values that libvirt writes as text: CPU sets, numbers, versions."""

from __future__ import annotations


def cpuset(text: str) -> set[int]:
    """Return the CPUs of a set such as ``0-3,^2,8`` (https://libvirt.org/formatdomain.html#cpu-allocation)."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.lstrip("^").partition("-")
        span = range(int(first), min(int(last or first), int(first) + 65536) + 1)
        if part.startswith("^"):
            found.difference_update(span)
        else:
            found.update(span)
    return found


def number(text: str, base: int = 0) -> int:
    """Return a number of an address; ``base`` 0 accepts decimal, and hexadecimal with the prefix 0x."""
    return int(text, base or (16 if text.startswith("0x") else 10))


def version(text: str) -> tuple[int, ...]:
    """Return a libvirt version as numbers, such that 10.0 equals 10.0.0."""
    found = [int(part) for part in text.split(".")]
    return (*found, *[0] * (3 - len(found)))
