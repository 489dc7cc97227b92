"""Checks of the guest's NUMA cells, and of references to them."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import check, dig
from kvmrender.errors import Path, Problem
from kvmrender.rules.check import Context, once
from kvmrender.schema.text_values import cpuset

CELLS: Path = ("cpu", "numa", "cell")
NEAREST = 10
"""Distance of a cell to itself."""


def numbered(context: Context) -> dict[int, tuple[Path, Context]]:
    """Return the NUMA cells with their paths by ID, the first of those with the same ID."""
    found: dict[int, tuple[Path, Context]] = {}
    for place, cell in enumerate(dig(context, *map(str, CELLS), default=[])):
        found.setdefault(cell.get("id", place), ((*CELLS, place), cell))
    return found


def no_cell(path: Path, number: int, count: int) -> Problem:
    """Return the problem for the ID of a cell that does not exist."""
    there = f"they are 0 to {count - 1}" if count else "there are none"
    return Problem(path, f"{number} is not a NUMA cell: {there}", related=(CELLS,))


@check("cpu")
def numa_cells(context: Context, architecture: Context) -> Iterator[Problem]:
    """NUMA cells are numbered from 0 without gaps."""
    cells = dig(context, *map(str, CELLS), default=[])
    ids = [((*CELLS, place, "id"), cell.get("id", place)) for place, cell in enumerate(cells)]
    yield from once((path, number, str(number)) for path, number in ids)
    for path, number in ids:
        if number >= len(cells):
            yield no_cell(path, number, len(cells))


@check("cpu")
def numa_distances(context: Context, architecture: Context) -> Iterator[Problem]:
    """Distances of a NUMA cell are to existing cells, and 10 only to itself."""
    cells = numbered(context)
    for number, (path, cell) in cells.items():
        siblings = dig(cell, "distances", "sibling", default=[])
        places = [((*path, "distances", "sibling", place), sibling) for place, sibling in enumerate(siblings)]
        for inside, sibling in places:
            other, value = sibling["id"], sibling["value"]
            if other not in cells:
                yield no_cell((*inside, "id"), other, len(cells))
            elif (value == NEAREST) != (other == number):
                said = f"{value} is not a distance of cell {number} to {other}: {NEAREST} is for the cell itself"
                yield Problem((*inside, "value"), said, related=((*inside, "id"),))


@check("cpu")
def link_ends(context: Context, architecture: Context) -> Iterator[Problem]:
    """Interconnects are from NUMA cells with CPUs to existing cells and caches."""
    cells = numbered(context)
    cpus = {number: len(cpuset(cell.get("cpus") or "^0")) for number, (_, cell) in cells.items()}
    # Cell 0 gets the vCPUs that are in no cell.
    cpus[0] = cpus.get(0, 0) + dig(context, "vcpu", "text", default=1) - sum(cpus.values())
    for path, link in _links(context):
        start, end, level = link["initiator"], link["target"], link.get("cache", 0)
        missing = [key for key in ("initiator", "target") if link[key] not in cells]
        yield from (no_cell((*path, key), link[key], len(cells)) for key in missing)
        if not missing and not cpus[start]:
            yield Problem((*path, "initiator"), f"cell {start} has no CPUs", related=(cells[start][0],))
        if not missing and level and level not in [cache["level"] for cache in cells[end][1].get("cache", [])]:
            yield Problem((*path, "cache"), f"cell {end} has no cache of level {level}", related=(cells[end][0],))


@check("cpu")
def links_once(context: Context, architecture: Context) -> Iterator[Problem]:
    """Each interconnect is given once, in one direction."""
    found = list(_links(context))
    yield from once(
        (path, (path[-2], *sorted({"cache": 0, **link, "value": 0, "unit": ""}.items())), f"this {path[-2]}")
        for path, link in found
    )
    seen: dict[tuple[int, int], Path] = {}
    for path, link in found:
        start, end = link["initiator"], link["target"]
        if start != end and (other := seen.get((end, start))):
            yield Problem(path, f"{start} and {end} are linked in the other direction already", related=(other,))
        seen.setdefault((start, end), path)


def _links(context: Context) -> Iterator[tuple[Path, Context]]:
    where = ("cpu", "numa", "interconnects")
    for kind in ("latency", "bandwidth"):
        for place, link in enumerate(dig(context, *where, kind, default=[])):
            yield (*where, kind, place), link


@check("numatune")
def numa_tuning(context: Context, architecture: Context) -> Iterator[Problem]:
    """The NUMA cells in numatune exist."""
    cells = numbered(context)
    for place, node in enumerate(dig(context, "numatune", "memnode", default=[])):
        if node["cellid"] not in cells:
            yield no_cell(("numatune", "memnode", place, "cellid"), node["cellid"], len(cells))
