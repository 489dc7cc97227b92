"""Checks across fields: what a schema can't say. Each yields the problems that it finds in a context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kvmrender.derive import FORMAT_BY_ENDING
from kvmrender.errors import Problem, path_string
from kvmrender.memory import to_bytes
from kvmrender.xml import fragment_fault

Context = dict[str, Any]
Check = Callable[[Context], Iterator[Problem]]


def current_memory(context: Context) -> Iterator[Problem]:
    """Current memory is no more than memory."""
    memory, current = context.get("memory"), context.get("currentMemory")
    if memory and current and to_bytes(current) > to_bytes(memory):
        said = f"{_size(current)} is more than memory, {_size(memory)}"
        yield Problem(("currentMemory",), said, related=(("memory",),))


def machines(context: Context) -> Iterator[Problem]:
    """The machine isn't given twice, once this and once that."""
    given, inner = context.get("machine"), ((context.get("os") or {}).get("type") or {}).get("machine")
    if given and inner and given != inner:
        said = f"{given!r} is not the machine of os.type, {inner!r}"
        yield Problem(("machine",), said, related=(("os", "type", "machine"),))


def disk_formats(context: Context) -> Iterator[Problem]:
    """The format of each image is known."""
    for number, disk in enumerate(context["disks"]):
        if disk["driver"] is not None and "type" not in disk["driver"]:
            said = f"is missing: a file's name tells its format only if it ends in {', '.join(FORMAT_BY_ENDING)}"
            yield Problem(("disks", number, "driver", "type"), said)


def disk_targets(context: Context) -> Iterator[Problem]:
    """No two disks have one name."""
    names = (disk["target"]["dev"] for disk in context["disks"])
    yield from _twice("disks", ("target", "dev"), enumerate(names))


def mac_addresses(context: Context) -> Iterator[Problem]:
    """No two interfaces have one MAC address."""
    for_each = enumerate(context["interfaces"])
    addresses = ((number, interface["mac"]["address"]) for number, interface in for_each if interface["mac"])
    yield from _twice("interfaces", ("mac", "address"), addresses)


def extra_xml(context: Context) -> Iterator[Problem]:
    """Raw XML is well-formed, by itself."""
    for key, text in (context.get("extra") or {}).items():
        if fault := fragment_fault(text):
            yield Problem(("extra", key), f"is not well-formed XML: {fault}")


CHECKS: tuple[Check, ...] = (current_memory, machines, disk_formats, disk_targets, mac_addresses, extra_xml)


def _twice(devices: str, field: tuple[str, ...], values: Any) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for number, value in values:
        if value in first:
            owner = (devices, first[value])
            said = f"{value!r} is taken by {path_string(owner)}"
            yield Problem((devices, number, *field), said, related=((*owner, *field),))
        first.setdefault(value, number)


def _size(element: dict[str, Any]) -> str:
    return f"{element['text']} {element.get('unit', 'KiB')}"
