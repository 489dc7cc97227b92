"""Guests just inside and just outside of each check of kvmrender.checks.numa."""

from __future__ import annotations

from typing import Any

from check_cases import Case, example

CACHE = {
    "level": 1,
    "associativity": "direct",
    "policy": "writeback",
    "size": {"value": 10, "unit": "KiB"},
    "line": {"value": 8, "unit": "B"},
}


def two(first: dict[str, Any] | None = None, second: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    cells = [{"cpus": "0", "memory": 262144, **(first or {})}, {"cpus": "1", "memory": 262144, **(second or {})}]
    return {"vcpu": 2, "cpu": {"mode": "host-model", "numa": {"cell": cells, **more}}}


def distance(number: int, value: int) -> dict[str, Any]:
    return {"distances": {"sibling": {"id": number, "value": value}}}


def latency(**more: int) -> dict[str, Any]:
    return {"latency": {"initiator": 0, "target": 1, "type": "access", "value": 5, **more}}


def tuned(cell: int, **more: Any) -> dict[str, Any]:
    return {"numatune": {"memnode": {"cellid": cell, "mode": "strict", "nodeset": "0"}, **more}}


def memnode(cell: int, mode: str = "strict") -> dict[str, Any]:
    return {"cellid": cell, "mode": mode, "nodeset": "0"}


CASES: list[Case] = [
    (
        "numa_nodeset",
        {"vcpu": {"text": 1, "placement": "auto"}, "numatune": {"memory": {"mode": "strict"}}},
        {"numatune": {"memory": {"mode": "strict"}}},
        "numatune.memory.nodeset: is missing (there is no placement)",
    ),
    ("numa_cells", *example("numa-cells"), "cpu.numa.cell[1].id: 1 is taken by cpu.numa.cell[0]"),
    (
        "numa_cells",
        two({"id": 1}, {"id": 0}),
        two({"id": 2}),
        "cpu.numa.cell[0].id: 2 is not a NUMA cell: they are 0 to 1",
    ),
    (
        "numa_distances",
        *example("numa-distances"),
        "cpu.numa.cell[0].distances.sibling[0].id: 2 is not a NUMA cell: they are 0 to 1",
    ),
    (
        "numa_distances",
        two(distance(0, 10)),
        two(distance(0, 11)),
        "cpu.numa.cell[0].distances.sibling[0].value: 11 is not a distance of cell 0 to 0: 10 is for the cell itself",
    ),
    (
        "one_distance",
        two({"distances": {"sibling": [{"id": 0, "value": 10}, {"id": 1, "value": 11}]}}),
        two({"distances": {"sibling": [{"id": 1, "value": 11}, {"id": 1, "value": 11}]}}),
        "cpu.numa.cell[0].distances.sibling[1].id: note: 1 is taken by cpu.numa.cell[0].distances.sibling[0]"
        " [one-distance]",
    ),
    (
        "numa_caches",
        two({"cache": [CACHE, {**CACHE, "level": 2}]}),
        two({"cache": [CACHE, CACHE]}),
        "cpu.numa.cell[0].cache[1].level: 1 is taken by cpu.numa.cell[0].cache[0]",
    ),
    (
        "cache_units",
        two({"cache": [CACHE]}),
        two({"cache": [{**CACHE, "size": {"value": 10, "unit": "MiB"}}]}),
        "cpu.numa.cell[0].cache[0].size.unit: note: MiB has no effect: libvirt takes the 10 for KiB [cache-units]",
    ),
    (
        "cache_units",
        two({"cache": [CACHE]}),
        two({"cache": [{**CACHE, "line": {"value": 1, "unit": "KiB"}}]}),
        "cpu.numa.cell[0].cache[0].line.unit: note: KiB has no effect: libvirt takes the 1 for bytes [cache-units]",
    ),
    (
        "link_ends",
        *example("link-ends"),
        "cpu.numa.interconnects.latency[0].target: 2 is not a NUMA cell: they are 0 to 1",
    ),
    (
        "link_ends",
        two(second={"cache": CACHE}, interconnects=latency(cache=1)),
        two(second={"cache": CACHE}, interconnects=latency(cache=2)),
        "cpu.numa.interconnects.latency[0].cache: cell 1 has no cache of level 2",
    ),
    (
        "link_ends",
        two({"cpus": "0-1"}, {"cpus": None}, interconnects=latency()),
        two({"cpus": "0-1"}, {"cpus": None}, interconnects=latency(initiator=1, target=0)),
        "cpu.numa.interconnects.latency[0].initiator: cell 1 has no CPUs",
    ),
    (
        "link_ends",
        two({"cpus": None}, interconnects=latency()),
        two({"cpus": None}, {"cpus": "0-1"}, interconnects=latency()),
        "cpu.numa.interconnects.latency[0].initiator: cell 0 has no CPUs",
    ),
    (
        "links_once",
        two(interconnects={"latency": [latency()["latency"], latency(cache=0, target=0)["latency"]]}),
        two(interconnects={"latency": [latency()["latency"], latency(cache=0)["latency"]]}),
        "cpu.numa.interconnects.latency[1]: this latency is taken by cpu.numa.interconnects.latency[0]",
    ),
    (
        "links_once",
        *example("links-once"),
        "cpu.numa.interconnects.latency[1]: 1 and 0 are linked in the other direction already",
    ),
    (
        "numa_tuning",
        *example("numa-tuning"),
        "numatune.memnode[0].cellid: 2 is not a NUMA cell: they are 0 to 1",
    ),
    (
        "numa_placement",
        two() | tuned(1, memory={"nodeset": "0"}),
        two() | tuned(1, memory={"placement": "auto"}),
        "numatune.memnode[0]: can't be combined with placement auto, which is for the whole guest",
    ),
    (
        "numa_placement",
        two() | tuned(1, memory={"nodeset": "0", "mode": "interleave"}),
        two() | tuned(1, memory={"nodeset": "0", "mode": "restrictive"}),
        "numatune.memnode[0].mode: 'strict' differs from restrictive, the mode of the whole guest",
    ),
    (
        "numa_placement",
        two() | {"numatune": {"memnode": [memnode(0), memnode(1)]}},
        two() | {"numatune": {"memnode": [memnode(0), memnode(0)]}},
        "numatune.memnode[1].cellid: 0 is taken by numatune.memnode[0]",
    ),
    (
        "numa_placement",
        two()
        | {"numatune": {"memory": {"nodeset": "0", "mode": "restrictive"}, "memnode": [memnode(1, "restrictive")]}},
        two() | {"numatune": {"memnode": [memnode(1, "restrictive")]}},
        "numatune.memnode[0].mode: restrictive differs from strict, the mode of the whole guest",
    ),
    (
        "advised_nodes",
        {"numatune": {"memory": {"nodeset": "0"}}},
        {"numatune": {"memory": {"placement": "auto", "nodeset": "0"}}},
        "numatune.memory.nodeset: note: has no effect with placement auto [advised-nodes]",
    ),
]
