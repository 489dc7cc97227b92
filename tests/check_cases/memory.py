"""Guests just inside and just outside of each check of kvmrender.checks.memory."""

from __future__ import annotations

from typing import Any

from check_cases import DIMM, SHARED, VIRTIOFS, Case, cells, example

UUID = "2ac00355-aa38-5a2b-9e12-bd4f3f3ed0f2"


def plugged(*modules: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "memory": f"{512 * (len(modules) + 1)} MiB",
        "maxMemory": "4 GiB",
        "cpu": cells("0"),
        "memory_devices": [{**DIMM, **module} for module in modules],
        **more,
    }


def growing(requested: str, block: str) -> dict[str, Any]:
    return {"model": "virtio-mem", "target": {"size": 512, "node": 0, "requested": requested, "block": block}}


def labelled(label: str | None, size: int = 512) -> dict[str, Any]:
    return {"model": "nvdimm", "source": "/nvdimm", "target": {"size": size, "node": 0, "label": label}}


def pages(*page: dict[str, Any]) -> dict[str, Any]:
    return {"memory": 512, "memoryBacking": {"hugepages": {"page": list(page)}}}


EPC = {"model": "sgx-epc", "target": {"size": "64 MiB"}}
SMALL = {"model": "dimm", "target": {"size": "1 MiB"}}
ON_PPC64LE = {"arch": "ppc64le", "maxMemory": {"slots": 2, "text": 4194304}, "memory_devices": [SMALL, SMALL]}

SGX = {"model": "sgx-epc", "target": {"size": 16}}

ROOM: dict[str, Any] = {"memory": "1 GiB", "maxMemory": {"text": 4194304, "slots": 2}}


def nvdimm(**target: int) -> dict[str, Any]:
    return {"memory_devices": [{"model": "nvdimm", "source": "/dev/pmem0", "target": {"size": "512 MiB", **target}}]}


CELL = {"mode": "host-model", "numa": {"cell": [{"cpus": "0", "memory": 524288}]}}
LARGE = {"mode": "host-model", "numa": {"cell": [{"memory": 1 << 53}]}}

CASES: list[Case] = [
    (
        "module_addresses",
        *example("module-addresses"),
        "memory_devices[1].address.base: 0x14ff00000 is not free: memory_devices[0] has 0x140000000 to 0x14fffffff",
    ),
    (
        "module_bases",
        *example("module-bases"),
        "memory_devices[1].address.base: '0x140000000' is taken by memory_devices[0]",
    ),
    ("no_memory", *example("no-memory"), "memory: is 0: a guest needs memory, its own or that of NUMA cells"),
    (
        "memory_devices",
        {"maxMemory": "4 GiB", "machine": "q35", "cpu": cells("0"), "memory_devices": [SGX]},
        {"machine": "q35", "cpu": cells("0"), "memory_devices": [SGX]},
        "memory_devices[0]: needs maxMemory: the maximum memory and its slots",
    ),
    (
        "maximum_cells",
        {"maxMemory": {"slots": 1, "text": 1048576}},
        {"libvirt": "9.5.0", "maxMemory": {"slots": 1, "text": 1048576}},
        "maxMemory: needs a NUMA cell before libvirt 9.6.0: cpu.numa",
    ),
    (
        "memory_slots",
        {"libvirt": "9.6", "maxMemory": {"slots": None, "text": 1048576}},
        {"libvirt": "9.4", "maxMemory": {"slots": None, "text": 1048576}, "cpu": CELL},
        "maxMemory.slots: is missing before libvirt 9.5.0",
    ),
    (
        "current_memory",
        {"memory": "1 GiB", "currentMemory": "1024 MiB"},
        {"memory": "1 GiB", "currentMemory": "1025 MiB"},
        "currentMemory: note: 1025 MiB is more than memory, 1024 MiB [current-memory]",
    ),
    (
        "max_memory",
        {"memory": "1 GiB", "maxMemory": "1 GiB"},
        {"memory": "1025 MiB", "maxMemory": "1 GiB"},
        "memory: 1025 MiB is more than maxMemory, 1024 MiB",
    ),
    (
        "memory_devices",
        *example("memory-devices"),
        "memory_devices[0]: needs maxMemory: the maximum memory and its slots",
    ),
    (
        "memory_devices",
        {
            "memory": "1 GiB",
            "maxMemory": {"slots": 1, "text": 1048576},
            "cpu": cells("0"),
            "memory_devices": [DIMM],
        },
        {
            "memory": "1536 MiB",
            "maxMemory": {"slots": 1, "text": 2097152},
            "cpu": cells("0"),
            "memory_devices": [DIMM, DIMM],
        },
        "maxMemory.slots: 1 slots are not enough for 2 memory devices",
    ),
    (
        "memory_devices",
        {
            "memory": "2 GiB",
            "maxMemory": {"slots": 1, "text": 4194304},
            "cpu": cells("0"),
            "memory_devices": [DIMM, {"model": "virtio-mem", "target": {"size": 1024, "node": 0, "requested": 512}}],
        },
        {"memory": "1 GiB", "cpu": cells("0"), "memory_devices": [DIMM]},
        "memory_devices[0]: needs maxMemory: the maximum memory and its slots",
    ),
    (
        "numa_memory",
        *example("numa-memory"),
        "memory: note: 1024 MiB is not the sum of the NUMA cells, 524288 KiB [numa-memory]",
    ),
    (
        "module_memory",
        *example("module-memory"),
        "memory: 64 MiB is not more than the sum of the memory modules, 65536 KiB",
    ),
    (
        "module_memory",
        {"memory": "513 MiB", **ON_PPC64LE},
        {"memory": "512 MiB", **ON_PPC64LE},
        "memory: 512 MiB is not more than the sum of the memory modules, 524288 KiB",
    ),
    (
        "module_memory",
        {"memory": "257 MiB", **ON_PPC64LE, "memory_devices": [labelled("128 KiB", 300)]},
        {"memory": "256 MiB", **ON_PPC64LE, "memory_devices": [labelled("128 KiB", 300)]},
        "memory: 256 MiB is not more than the sum of the memory modules, 262272 KiB",
    ),
    (
        "vhost_memory",
        {
            "memoryBacking": SHARED,
            "interfaces": [{"source": {"type": "unix", "path": "/a", "mode": "client"}}],
        },
        {"interfaces": [{"source": {"type": "unix", "path": "/a", "mode": "client"}}]},
        "interfaces[0]: vhost-user needs shared memory: memoryBacking with access mode shared",
    ),
    (
        "shared_memory",
        {"filesystems": [VIRTIOFS], "memoryBacking": SHARED},
        {"filesystems": [VIRTIOFS]},
        "filesystems[0]: virtiofs needs shared memory: memoryBacking with access mode shared",
    ),
    (
        "shared_memory",
        {"filesystems": [VIRTIOFS], "cpu": cells("0", memAccess="shared")},
        {"filesystems": [VIRTIOFS], "cpu": cells("0", memAccess="private")},
        "filesystems[0]: virtiofs needs shared memory: memoryBacking with access mode shared",
    ),
    (
        "vhost_memory",
        {
            "memoryBacking": SHARED,
            "interfaces": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a", "mode": "client"}}],
        },
        {"interfaces": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a", "mode": "client"}}]},
        "interfaces[0]: vhost-user needs shared memory: memoryBacking with access mode shared",
    ),
    (
        "sizes",
        *example("sizes"),
        "memtune.hard_limit: 8 EiB is not less than 8 EiB, the maximum of libvirt",
    ),
    (
        "sizes",
        {"cpu": {"mode": "host-model", "numa": {"cell": [{"memory": 512, "unit": "MiB"}]}}, "memory": 512},
        {"cpu": LARGE, "memory": {"text": 1 << 53}, "currentMemory": 512},
        "memory: 9007199254740992 KiB is not less than 8 EiB, the maximum of libvirt\n"
        "cpu.numa.cell[0].memory: 9007199254740992 KiB is not less than 8 EiB, the maximum of libvirt",
    ),
    (
        "module_cells",
        plugged({"target": {"size": 512, "node": 0}}),
        plugged({"target": {"size": 512, "node": 1}}),
        "memory_devices[0].target.node: 1 is not a NUMA cell: they are 0 to 0",
    ),
    (
        "module_node",
        plugged({"target": {"size": 512, "node": 0}}),
        plugged({"target": {"size": 512}}),
        "memory_devices[0].target.node: is missing: the NUMA cell that the module belongs to",
    ),
    (
        "module_slots",
        *example("module-slots"),
        "memory_devices[0].address.slot: 16 is not a slot: they are 0 to 15",
    ),
    (
        "module_slots",
        plugged({"address": {"type": "dimm", "slot": 1}}, {"address": {"type": "dimm", "slot": 2}}),
        plugged({"address": {"type": "dimm", "slot": 1}}, {"address": {"type": "dimm", "slot": 1}}),
        "memory_devices[1].address.slot: 1 is taken by memory_devices[0]",
    ),
    (
        "module_parts",
        plugged(growing("512 MiB", "2 MiB")),
        plugged(growing("514 MiB", "2 MiB")),
        "memory_devices[0].target.requested: 514 MiB is more than size, 512 MiB",
    ),
    (
        "module_parts",
        plugged(growing("510 MiB", "2 MiB")),
        plugged(growing("510 MiB", "3 MiB")),
        "memory_devices[0].target.block: 3 MiB is not a power of two",
    ),
    (
        "module_parts",
        plugged(growing("510 MiB", "2 MiB")),
        plugged(growing("510 MiB", "4 MiB")),
        "memory_devices[0].target.requested: 510 MiB is not a multiple of block, 4 MiB",
    ),
    (
        "module_parts",
        plugged(labelled("128 KiB")),
        plugged(labelled("127 KiB")),
        "memory_devices[0].target.label.size: 127 KiB is not a valid size: "
        "it must be 128 KiB or more, and less than the module's",
    ),
    (
        "module_parts",
        plugged(labelled("128 KiB") | {"uuid": UUID}, arch="ppc64le"),
        plugged(labelled("128 KiB") | {"uuid": UUID}),
        "memory_devices[0].uuid: is only for ppc64le guests, not amd64",
    ),
    (
        "module_parts",
        plugged(labelled("128 KiB"), arch="ppc64le"),
        plugged(labelled(None), arch="ppc64le"),
        "memory_devices[0].target.label: is missing: an nvdimm of ppc64le guests needs a label area",
    ),
    (
        "module_labels",
        *example("module-labels"),
        "memory_devices[0].target.size: 512 MiB is less than 256 MiB and the labels",
    ),
    (
        "hugepages_source",
        {"memoryBacking": {"hugepages": True, "source": "memfd", "allocation": "immediate"}},
        {"memoryBacking": {"hugepages": True, "source": "anonymous", "allocation": "immediate"}},
        "memoryBacking.source.type: anonymous is not for huge pages",
    ),
    (
        "hugepages_source",
        {"memoryBacking": {"hugepages": True, "source": "memfd", "allocation": "immediate"}},
        {"memoryBacking": {"hugepages": True, "source": "memfd", "allocation": "ondemand"}},
        "memoryBacking.allocation.mode: ondemand is not for huge pages",
    ),
    (
        "hugepages",
        *example("hugepages"),
        "memoryBacking.hugepages.page[1]: all memory without a nodeset is taken by memoryBacking.hugepages.page[0]",
    ),
    (
        "hugepages",
        {"cpu": cells("0"), **pages({"size": 4, "nodeset": "0"})},
        {"cpu": cells("0"), **pages({"size": 4, "nodeset": "0-1"})},
        "memoryBacking.hugepages.page[0].nodeset: 1 is not a NUMA cell: they are 0 to 0",
    ),
    (
        "hugepages",
        {"cpu": cells("0"), **pages({"size": 4, "nodeset": "0"})},
        {"cpu": cells("0"), **pages({"size": 4, "nodeset": "0"}, {"size": 2048, "nodeset": "0"})},
        "memoryBacking.hugepages.page[1].nodeset: NUMA cell 0 is taken by memoryBacking.hugepages.page[0]",
    ),
    (
        "module_cells",
        *example("module-cells"),
        "memory_devices[0].target.node: 1 is not a NUMA cell: there are none",
    ),
    (
        "module_node",
        ROOM | {"memory": "512 MiB", "cpu": cells("0")} | nvdimm(node=0),
        ROOM | {"memory": "512 MiB", "cpu": cells("0")} | nvdimm(),
        "memory_devices[0].target.node: is missing: the NUMA cell that the module belongs to",
    ),
    (
        "module_slots",
        ROOM | {"memory_devices": [DIMM | {"address": {"type": "dimm", "slot": "0"}}]},
        {"memory": "1 GiB", "memory_devices": [DIMM | {"address": {"type": "dimm", "slot": "0"}}]},
        "memory_devices[0]: needs maxMemory: the maximum memory and its slots [memory-devices]\n"
        "memory_devices[0].address.slot: 0 is not a slot: there are none",
    ),
    (
        "memory_devices",
        {"cpu": cells("0"), "memory": 1024, "maxMemory": "4 GiB", "memory_devices": [DIMM]},
        {"cpu": cells("0"), "memory": 1024, "maxMemory": {"slots": None, "text": 4194304}, "memory_devices": [DIMM]},
        "maxMemory.slots: 0 slots are not enough for 1 memory devices",
    ),
]
