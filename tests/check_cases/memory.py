"""Guests just inside and just outside of each check of kvmrender.checks.memory."""

from __future__ import annotations

from check_cases import DIMM, Case, cells

VIRTIOFS = {"driver": "virtiofs", "source": {"dir": "/srv"}, "target": "srv"}

SHARED = {"access": "shared"}

CASES: list[Case] = [
    (
        "current_memory",
        {"memory": "1 GiB", "currentMemory": "1024 MiB"},
        {"memory": "1 GiB", "currentMemory": "1025 MiB"},
        "currentMemory: 1025 MiB is more than memory, 1024 MiB",
    ),
    (
        "max_memory",
        {"memory": "1 GiB", "maxMemory": "1 GiB"},
        {"memory": "1025 MiB", "maxMemory": "1 GiB"},
        "memory: 1025 MiB is more than maxMemory, 1024 MiB",
    ),
    (
        "memory_devices",
        {
            "memory": "1 GiB",
            "maxMemory": {"slots": 1, "text": 1048576},
            "cpu": cells("0"),
            "memory_devices": [DIMM],
        },
        {"memory": "1 GiB", "cpu": cells("0"), "memory_devices": [DIMM]},
        "memory_devices[0]: needs maxMemory: the memory that there can be at most, and its slots",
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
        "numa_memory",
        {"memory": "1 GiB", "vcpu": 2, "cpu": cells("0", "1")},
        {"memory": "1 GiB", "cpu": cells("0")},
        "memory: 1024 MiB is not what the NUMA cells add up to, 524288 KiB",
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
        "shared_memory",
        {
            "memoryBacking": SHARED,
            "interfaces": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a", "mode": "client"}}],
        },
        {"interfaces": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a", "mode": "client"}}]},
        "interfaces[0]: vhost-user needs shared memory: memoryBacking with access mode shared",
    ),
]
