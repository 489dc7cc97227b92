"""Checks of memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Path, Problem
from kvmrender.memory import to_bytes

MEMORY: Path = ("memory",)


def current_memory(context: Context, architecture: Context) -> Iterator[Problem]:
    """Current memory is no more than memory."""
    memory, current = context.get("memory"), context.get("currentMemory")
    if memory and current and to_bytes(current) > to_bytes(memory):
        said = f"{_size(current)} is more than memory, {_size(memory)}"
        yield Problem(("currentMemory",), said, related=(MEMORY,))


def max_memory(context: Context, architecture: Context) -> Iterator[Problem]:
    """Memory is no more than maxMemory."""
    most = context.get("maxMemory")
    if most and to_bytes(context["memory"]) > to_bytes(most):
        said = f"{_size(context['memory'])} is more than maxMemory, {_size(most)}"
        yield Problem(MEMORY, said, related=(("maxMemory",),))


def memory_devices(context: Context, architecture: Context) -> Iterator[Problem]:
    """Memory modules have maxMemory, and a slot each."""
    modules = [number for number, device in enumerate(context["memory_devices"]) if device.get("model") != "sgx-epc"]
    most = context.get("maxMemory")
    if modules and not most:
        said = "needs maxMemory: the memory that there can be at most, and its slots"
        yield Problem(("memory_devices", modules[0]), said, related=(("maxMemory",),))
    elif most and len(modules) > int(most.get("slots", 0)):
        said = f"{most.get('slots', 0)} slots are not enough for {len(modules)} memory devices"
        yield Problem(("maxMemory", "slots"), said, related=(("memory_devices",),))


def numa_memory(context: Context, architecture: Context) -> Iterator[Problem]:
    """The memory of NUMA cells, with or without that of memory modules, adds up to memory."""
    cells = dig(context, "cpu", "numa", "cell", default=[])
    if not cells:
        return
    own = sum(to_bytes({"text": cell["memory"], "unit": cell.get("unit", "KiB")}) for cell in cells)
    sizes = [dig(device, "target", "size") for device in context["memory_devices"]]
    plugged = sum(to_bytes(size) for size in sizes if size)
    memory = to_bytes(context["memory"])
    if memory not in (own, own + plugged):
        said = f"{_size(context['memory'])} is not what the NUMA cells add up to, {(own + plugged) // 1024} KiB"
        yield Problem(MEMORY, said, related=(("cpu", "numa"), ("memory_devices",)))


def shared_memory(context: Context, architecture: Context) -> Iterator[Problem]:
    """virtiofs and vhost-user devices have memory that is shared with them."""
    cells = dig(context, "cpu", "numa", "cell", default=[])
    shared = dig(context, "memoryBacking", "access", "mode") == "shared" or (
        bool(cells) and all(cell.get("memAccess") == "shared" for cell in cells)
    )
    if shared:
        return
    wanting: list[tuple[Path, str]] = [
        (("filesystems", number), "virtiofs")
        for number, device in enumerate(context["filesystems"])
        if dig(device, "driver", "type") == "virtiofs"
    ]
    wanting += [
        ((key, number), "vhost-user")
        for key in ("disks", "interfaces")
        for number, device in enumerate(context[key])
        if device.get("type") == "vhostuser"
    ]
    for path, what in wanting:
        said = f"{what} needs shared memory: memoryBacking with access mode shared"
        yield Problem(path, said, related=(("memoryBacking",), ("cpu", "numa")))


def _size(element: dict[str, Any]) -> str:
    return f"{element['text']} {element.get('unit', 'KiB')}"


CHECKS: Checks = {
    current_memory: ("currentMemory",),
    max_memory: ("maxMemory",),
    memory_devices: ("memory_devices", "maxMemory"),
    numa_memory: ("cpu",),
    shared_memory: ("filesystems", "disks", "interfaces"),
}
