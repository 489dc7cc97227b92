"""Checks across fields: what a schema can't say. Each yields the problems that it finds in a context.

A check takes the context and the schema part of its architecture. It can rely on the schema, but not on values
that have no default. Its docstring is what holds when it finds nothing; the README lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from kvmrender.checks import cpus, devices, disks, firmware, memory, network, raw
from kvmrender.errors import Problem

Check = Callable[[dict[str, Any], dict[str, Any]], Iterator[Problem]]

CHECKS: tuple[Check, ...] = (
    firmware.machine_given_once,
    firmware.secure_boot,
    memory.current_memory,
    memory.max_memory,
    memory.memory_devices,
    memory.numa_memory,
    memory.shared_memory,
    cpus.current_vcpus,
    cpus.topology,
    cpus.numa_cpus,
    cpus.pins,
    cpus.features_once,
    cpus.iothreads,
    cpus.thread_pools,
    disks.formats,
    disks.targets,
    disks.target_names,
    disks.buses,
    network.mac_addresses,
    network.port_ranges,
    devices.boot_orders,
    devices.pci_addresses,
    devices.aliases,
    devices.audio_ids,
    devices.one_tpm,
    devices.iommu_machine,
    devices.shmem_server,
    raw.raw_xml,
)
"""All checks, in the order of the domain."""
