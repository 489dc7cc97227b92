"""Checks of memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kvmrender.checks.common import Checks, Context, cpuset, dig, once
from kvmrender.checks.numa import CELLS, no_cell, numbered
from kvmrender.errors import Path, Problem
from kvmrender.schema.memory_units import KIB, MAX_BYTES, MIB, to_bytes

MEMORY: Path = ("memory",)
SIZED = ("memory", "currentMemory", "maxMemory", "memtune", "memoryBacking", "memory_devices", "features", "cpu")
"""Keys of a guest in which there are sizes."""
UNITS = {"tseg": "MiB", "maxpagesize": "b"}
"""The units of sizes that are not KiB where they are left out."""
LEAST_LABEL = 128 * KIB
BLOCK = 256 * MIB
"""What memory modules of ppc64le guests are made of; an nvdimm has labels beside it."""


def sizes(context: Context, architecture: Context) -> Iterator[Problem]:
    """No size is more than libvirt can hold, 8 EiB."""
    for path, size in _sizes((), {key: context[key] for key in SIZED if context.get(key)}, "KiB"):
        if to_bytes(size) > MAX_BYTES:
            yield Problem(path, f"{_size(size)} is not less than 8 EiB, more than libvirt can hold")


def _sizes(path: Path, value: Any, unit: str) -> Iterator[tuple[Path, Context]]:
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _sizes((*path, number), item, unit)
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                yield from _sizes((*path, key), item, UNITS.get(key, "KiB"))
            elif key in ("text", "size", "memory", "value") and isinstance(item, int):
                yield (*path, key), {"text": item, "unit": value.get("unit", unit)}


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
    """Memory is that of the NUMA cells, with or without that of memory modules; where there are no cells, it is more
    than the modules have."""
    cells = dig(context, "cpu", "numa", "cell", default=[])
    own = sum(to_bytes({"text": cell["memory"], "unit": cell.get("unit", "KiB")}) for cell in cells)
    memory, modules = to_bytes(context["memory"]), [device for device in context["memory_devices"] if _room(device)]
    if cells:
        plugged = sum(map(_room, modules))
        if memory not in (own, own + plugged):
            said = f"{_size(context['memory'])} is not what the NUMA cells add up to, {(own + plugged) // 1024} KiB"
            yield Problem(MEMORY, said, related=(("cpu", "numa"), ("memory_devices",)))
        return
    plugged = sum(_in_blocks(device) if context["arch"] == "ppc64le" else _room(device) for device in modules)
    if modules and plugged >= memory:
        said = f"{_size(context['memory'])} is not more than the memory modules have, {plugged // 1024} KiB"
        yield Problem(MEMORY, said, related=(("memory_devices",),))


def _room(module: Context) -> int:
    size = dig(module, "target", "size")
    return to_bytes(size) if size else 0


def _in_blocks(module: Context) -> int:
    """Return what libvirt makes of a module's size: whole blocks, and an nvdimm's labels."""
    if module["model"] != "nvdimm":
        return -(-_room(module) // BLOCK) * BLOCK
    label = dig(module, "target", "label", "size")
    labels = to_bytes(label) if label else 0
    return (_room(module) - labels) // BLOCK * BLOCK + labels


def module_cells(context: Context, architecture: Context) -> Iterator[Problem]:
    """A memory module is in a NUMA cell that there is."""
    cells = numbered(context)
    for number, module in enumerate(context["memory_devices"]):
        path: Path = ("memory_devices", number, "target", "node")
        node = dig(module, "target", "node")
        if node is not None and node not in (cells or (0,)):
            yield no_cell(path, node, len(cells))
        elif node is None and cells and module["model"] in ("dimm", "nvdimm", "virtio-mem"):
            yield Problem(path, "is missing: the NUMA cell that the module is in", related=(CELLS,))


def module_slots(context: Context, architecture: Context) -> Iterator[Problem]:
    """A memory module is in a slot that there is, and no two are in one."""
    count = dig(context, "maxMemory", "slots", default=0)
    modules = enumerate(context["memory_devices"])
    found = [(number, dig(module, "address", "slot")) for number, module in modules if module["model"].endswith("dimm")]
    slots = [(("memory_devices", number, "address", "slot"), int(slot, 0)) for number, slot in found if slot]
    yield from once((path, slot, str(slot)) for path, slot in slots)
    for path, slot in slots:
        if slot >= count:
            said = (
                f"{slot} is not a slot: they are 0 to {count - 1}" if count else f"{slot} is not a slot: there are none"
            )
            yield Problem(path, said, related=(("maxMemory", "slots"),))


def module_parts(context: Context, architecture: Context) -> Iterator[Problem]:
    """What a memory module is made of fits its size: blocks that are a power of two, and labels of an nvdimm."""
    for number, module in enumerate(context["memory_devices"]):
        path: Path = ("memory_devices", number, "target")
        target = {
            key: to_bytes(size) for key, size in module["target"].items() if key in ("size", "requested", "block")
        }
        size, requested, block = target["size"], target.get("requested", 0), target.get("block", 1)
        shown = {key: _size(module["target"][key]) for key in target}
        if requested > size:
            said = f"{shown['requested']} is more than size, {shown['size']}"
            yield Problem((*path, "requested"), said, related=((*path, "size"),))
        if block & (block - 1):
            yield Problem((*path, "block"), f"{shown['block']} is not a power of two")
        elif requested % block:
            said = f"{shown['requested']} is not a multiple of block, {shown['block']}"
            yield Problem((*path, "requested"), said, related=((*path, "block"),))
        if module["model"] == "nvdimm":
            yield from _nvdimm(("memory_devices", number), module, size, context["arch"])


def _nvdimm(path: Path, module: Context, size: int, arch: str) -> Iterator[Problem]:
    label = dig(module, "target", "label", "size")
    where: Path = (*path, "target", "label")
    room = to_bytes(label) if label else 0
    if label and not LEAST_LABEL <= room < size:
        said = f"{_size(label)} is not a size of labels: 128 KiB or more, and less than the module's"
        yield Problem((*where, "size"), said, related=((*path, "target", "size"),))
    if arch == "ppc64le" and not label:
        yield Problem(where, "is missing: an nvdimm of ppc64le guests has labels")
    elif arch == "ppc64le" and size < BLOCK + room:
        said = f"{_size(module['target']['size'])} is less than 256 MiB and the labels"
        yield Problem((*path, "target", "size"), said, related=(where,))
    if arch != "ppc64le" and "uuid" in module:
        yield Problem((*path, "uuid"), f"is only for ppc64le guests, not {arch}", related=(("arch",),))


def hugepages(context: Context, architecture: Context) -> Iterator[Problem]:
    """Huge pages are neither anonymous nor taken on demand, and a NUMA cell that there is has those of one size."""
    path: Path = ("memoryBacking", "hugepages")
    if (found := dig(context, *map(str, path))) is None:
        return
    for key, name, value in (("allocation", "mode", "ondemand"), ("source", "type", "anonymous")):
        if dig(context, "memoryBacking", key, name) == value:
            said = f"{value} is not for memory of huge pages"
            yield Problem(("memoryBacking", key, name), said, related=(path,))
    cells = numbered(context)
    taken: list[tuple[Path, object, str]] = []
    for number, page in enumerate(found.get("page", [])):
        nodes = cpuset(page.get("nodeset") or "^0")
        where: Path = (*path, "page", number)
        if "nodeset" not in page or (not cells and nodes == {0}):
            taken.append((where, None, "all memory without a nodeset of its own"))
        elif outside := nodes - cells.keys():
            yield no_cell((*where, "nodeset"), min(outside), len(cells))
        else:
            taken += [((*where, "nodeset"), node, f"NUMA cell {node}") for node in sorted(nodes)]
    yield from once(taken)


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
    sizes: ("memory.text", "currentMemory.text", *SIZED[2:]),
    current_memory: ("currentMemory",),
    max_memory: ("maxMemory",),
    memory_devices: ("memory_devices", "maxMemory"),
    module_cells: ("memory_devices",),
    module_slots: ("memory_devices",),
    module_parts: ("memory_devices",),
    hugepages: ("memoryBacking",),
    numa_memory: ("cpu", "memory_devices"),
    shared_memory: ("filesystems.driver", "disks.path", "interfaces.path"),
}
