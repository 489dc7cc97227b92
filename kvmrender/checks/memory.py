"""Checks of memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kvmrender.checks.common import check, dig, mappings
from kvmrender.checks.numa import no_cell, numbered
from kvmrender.errors import NOTE, Path, Problem, path_string
from kvmrender.rules.check import Context, once
from kvmrender.schema.memory_units import MAX_BYTES, MIB, to_bytes
from kvmrender.schema.text_values import cpuset, number

MEMORY: Path = ("memory",)
SIZED = ("memory", "currentMemory", "maxMemory", "memtune", "memoryBacking", "memory_devices", "features", "cpu")
"""Keys of a guest that contain sizes."""
UNITS = {"tseg": "MiB", "maxpagesize": "b"}
"""Default units of sizes for which it is not KiB."""
PAGE = 4096
"""Alignment in bytes of the label area of a persistent module, unless it sets another."""
BLOCK = 256 * MIB
"""Granularity of memory modules of ppc64le guests, without the label area of an nvdimm."""


@check("memory.text", "currentMemory.text", *SIZED[2:])
def sizes(context: Context, architecture: Context) -> Iterator[Problem]:
    """No size exceeds the maximum of libvirt, 8 EiB."""
    for path, found in mappings((), {key: context[key] for key in SIZED if context.get(key)}):
        unit = found.get("unit", UNITS.get(str(path[-1]), "KiB") if path else "KiB")
        for key, text in found.items():
            is_size = key in ("text", "size", "memory", "value") and isinstance(text, int)
            if is_size and to_bytes(size := {"text": text, "unit": unit}) > MAX_BYTES:
                yield Problem((*path, key), f"{_size(size)} is not less than 8 EiB, the maximum of libvirt")


@check("memory_devices", "maxMemory")
def memory_devices(context: Context, architecture: Context) -> Iterator[Problem]:
    """Memory modules need maxMemory, and those that are plugged in need a slot each."""
    most, plugged = context.get("maxMemory"), sum(map(_is_plugged, context["memory_devices"]))
    if context["memory_devices"] and not most:
        said = "needs maxMemory: the maximum memory and its slots"
        yield Problem(("memory_devices", 0), said, related=(("maxMemory",),))
    elif most and plugged > int(most.get("slots") or 0):
        said = f"{most.get('slots') or 0} slots are not enough for {plugged} memory devices"
        yield Problem(("maxMemory", "slots"), said, related=(("memory_devices",),))


@check("cpu", "memory_devices", level=NOTE)
def numa_memory(context: Context, architecture: Context) -> Iterator[Problem]:
    """Memory is the sum of the NUMA cells, with or without that of memory modules: libvirt accepts both."""
    cells = dig(context, "cpu", "numa", "cell", default=[])
    own = sum(to_bytes({"text": cell["memory"], "unit": cell.get("unit", "KiB")}) for cell in cells)
    plugged = sum(map(_room, context["memory_devices"]))
    if cells and to_bytes(context["memory"]) not in (own, own + plugged):
        said = f"{_size(context['memory'])} is not the sum of the NUMA cells, {(own + plugged) // 1024} KiB"
        yield Problem(MEMORY, said, related=(("cpu", "numa"), ("memory_devices",)))


@check("memory_devices")
def module_memory(context: Context, architecture: Context) -> Iterator[Problem]:
    """Without NUMA cells, memory exceeds the sum of the memory modules."""
    memory, modules = to_bytes(context["memory"]), [device for device in context["memory_devices"] if _room(device)]
    if dig(context, "cpu", "numa", "cell"):
        return
    plugged = sum(_in_blocks(device) if context["arch"] == "ppc64le" else _room(device) for device in modules)
    if modules and plugged >= memory:
        said = f"{_size(context['memory'])} is not more than the sum of the memory modules, {plugged // 1024} KiB"
        yield Problem(MEMORY, said, related=(("memory_devices",),))


def _is_plugged(module: Context) -> bool:
    return str(module["model"]).endswith("dimm")


def _room(module: Context) -> int:
    size = dig(module, "target", "size")
    return to_bytes(size) if size else 0


def _labels(module: Context) -> int:
    """Return the size of a persistent module's label area, which is not part of guest memory."""
    label = dig(module, "target", "label", "size")
    return to_bytes(label) if label else 0


def _mapped(module: Context) -> int:
    """Return the size of a module in guest memory: without the label area, rounded up."""
    align = dig(module, "source", "alignsize")
    whole = to_bytes(align) if align else PAGE
    return _room(module) - -(-_labels(module) // whole) * whole


def _in_blocks(module: Context) -> int:
    """Return the size that libvirt makes of a module's: whole blocks, plus the label area of an nvdimm."""
    if module["model"] != "nvdimm":
        return -(-_room(module) // BLOCK) * BLOCK
    labels = _labels(module)
    return (_room(module) - labels) // BLOCK * BLOCK + labels


@check("memory_devices")
def module_cells(context: Context, architecture: Context) -> Iterator[Problem]:
    """The NUMA cell of a memory module exists."""
    cells = numbered(context)
    for position, module in enumerate(context["memory_devices"]):
        path: Path = ("memory_devices", position, "target", "node")
        node = dig(module, "target", "node")
        if node is not None and node not in (cells or (0,)):
            yield no_cell(path, node, len(cells))


@check("memory_devices")
def module_slots(context: Context, architecture: Context) -> Iterator[Problem]:
    """The slot of a memory module exists, and is not used by another."""
    count = dig(context, "maxMemory", "slots", default=0)
    modules = enumerate(context["memory_devices"])
    found = [(number, dig(module, "address", "slot")) for number, module in modules if _is_plugged(module)]
    slots = [(("memory_devices", number, "address", "slot"), int(slot, 0)) for number, slot in found if slot]
    yield from once((path, slot, str(slot)) for path, slot in slots)
    for path, slot in slots:
        if slot >= count:
            there = f"they are 0 to {count - 1}" if count else "there are none"
            yield Problem(path, f"{slot} is not a slot: {there}", related=(("maxMemory", "slots"),))


@check("memory_devices.address", "memory_devices.target.address", since="9.8.0")
def module_addresses(context: Context, architecture: Context) -> Iterator[Problem]:
    """Addresses of memory modules do not overlap."""
    placed: list[tuple[int, int, Path]] = []
    for position, module in enumerate(context["memory_devices"]):
        for steps in (("address", "base"), ("target", "address", "base")):
            if start := number(dig(module, *steps, default="0")):
                placed.append((start, start + _mapped(module), ("memory_devices", position, *steps)))
    for later, (start, end, path) in enumerate(placed):
        for other, other_end, first in placed[:later]:
            if start < other_end and other < end:
                said = f"{start:#x} is not free: {path_string(first[:2])} has {other:#x} to {other_end - 1:#x}"
                yield Problem(path, said, related=(first,))
                break


@check(("memory_devices.label", "on ppc64le"))
def module_labels(context: Context, architecture: Context) -> Iterator[Problem]:
    """An nvdimm of a ppc64le guest has 256 MiB besides its label area."""
    for position, module in enumerate(context["memory_devices"]):
        label = dig(module, "target", "label", "size")
        if context["arch"] == "ppc64le" and label and _room(module) < BLOCK + to_bytes(label):
            path: Path = ("memory_devices", position, "target")
            said = f"{_size(module['target']['size'])} is less than 256 MiB and the labels"
            yield Problem((*path, "size"), said, related=((*path, "label"),))


@check("memoryBacking")
def hugepages(context: Context, architecture: Context) -> Iterator[Problem]:
    """Each NUMA cell has huge pages of one size, and the cells in nodeset exist."""
    path: Path = ("memoryBacking", "hugepages")
    if (found := dig(context, *map(str, path))) is None:
        return
    cells = numbered(context)
    taken: list[tuple[Path, object, str]] = []
    for position, page in enumerate(found.get("page", [])):
        nodes = cpuset(page.get("nodeset") or "^0")
        where: Path = (*path, "page", position)
        if "nodeset" not in page or (not cells and nodes == {0}):
            taken.append((where, None, "all memory without a nodeset"))
        elif outside := nodes - cells.keys():
            yield no_cell((*where, "nodeset"), min(outside), len(cells))
        else:
            taken += [((*where, "nodeset"), node, f"NUMA cell {node}") for node in sorted(nodes)]
    yield from once(taken)


def _size(element: dict[str, Any]) -> str:
    return f"{element['text']} {element.get('unit', 'KiB')}"
