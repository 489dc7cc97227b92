"""Guests just inside and just outside of each check of kvmrender.checks.cpus."""

from __future__ import annotations

from typing import Any

from check_cases import DISK, Case, cells, example


def plugged(number: int, hotpluggable: bool) -> dict[str, Any]:
    return {"id": number, "enabled": True, "hotpluggable": hotpluggable}


def scheduled(vcpus: str) -> dict[str, Any]:
    return {"vcpus": vcpus, "scheduler": "batch"}


def started(*enabled: int) -> dict[str, Any]:
    return {"vcpus": {"vcpu": [{"id": number, "enabled": number in enabled} for number in range(4)]}}


def ordered(*orders: int, last: dict[str, Any] | None = None) -> dict[str, Any]:
    states: list[dict[str, Any]] = [
        {"id": number, "enabled": True, "order": order} for number, order in enumerate(orders)
    ]
    states[-1] |= last or {}
    return {"vcpu": len(orders), "vcpus": {"vcpu": states}}


FOUR_ON_POWER: dict[str, Any] = {"arch": "ppc64le", "vcpu": 4, "cpu": {"topology": {"cores": 2, "threads": 2}}}


MANY = {"machine": "q35", "vcpu": 256, "features": {"ioapic": {"driver": "qemu"}}}

CASES: list[Case] = [
    (
        "cpu_model",
        {"arch": "s390x", "cpu": {"mode": "host-model", "feature": {"name": "a", "policy": "disable"}}},
        {"arch": "s390x", "cpu": {"mode": "host-model", "feature": {"name": "a", "policy": "optional"}}},
        "cpu.feature[0].policy: optional is not for s390x: only require and disable are",
    ),
    (
        "vcpus_at_start",
        {"vcpu": {"current": 2, "text": 2}},
        {"vcpu": {"current": 3, "text": 2}},
        "vcpu.current: 3 is more than 2, the number of vCPUs",
    ),
    (
        "topology",
        *example("topology"),
        "cpu.topology: makes 6 vCPUs, not 4",
    ),
    (
        "numa_cpus",
        *example("numa-cpus"),
        "cpu.numa.cell[1].cpus: 4 and 5 is not a vCPU: they are 0 to 3",
    ),
    (
        "numa_cpus",
        {"memory": "1 GiB", "vcpu": 4, "cpu": cells("0-1", "2-3")},
        {"memory": "1 GiB", "vcpu": 4, "cpu": cells("0-2", "2-3")},
        "cpu.numa.cell[1].cpus: 2 is taken by cell 0",
    ),
    (
        "idle_pins",
        *example("idle-pins"),
        "cputune.vcpupin[0].vcpu: note: 2 is not a vCPU: they are 0 to 1 [idle-pins]",
    ),
    (
        "pins",
        *example("pins"),
        "cputune.vcpusched[0].vcpus: 2 is not a vCPU: they are 0 to 1",
    ),
    (
        "iothreads",
        {"iothreads": 2, "disks": [DISK | {"driver": {"iothread": 2}}]},
        {"iothreads": 2, "disks": [DISK | {"driver": {"iothread": 3}}]},
        "disks[0].driver.iothread: 3 is not an iothread: there are 2",
    ),
    (
        "iothreads",
        {"iothreadids": {"iothread": {"id": 7}}, "disks": [DISK | {"driver": {"iothread": 7}}]},
        {"disks": [DISK | {"driver": {"iothread": 7}}]},
        "disks[0].driver.iothread: 7 is not an iothread: there are none",
    ),
    (
        "iothreads",
        *example("iothreads"),
        "cputune.iothreadpin[0].iothread: 2 is not an iothread: there are 1",
    ),
    (
        "thread_pools",
        {"defaultiothread": {"thread_pool_min": 2, "thread_pool_max": 2}},
        {"defaultiothread": {"thread_pool_min": 3, "thread_pool_max": 2}},
        "defaultiothread.thread_pool_min: 3 is more than thread_pool_max, 2",
    ),
    (
        "current_vcpus",
        *example("current-vcpus"),
        "vcpu.current: 3 is not a multiple of 2, the threads per core",
    ),
    (
        "said_once",
        {"cpu": {"mode": "host-model", "feature": [{"name": "vmx"}, {"name": "svm"}]}},
        {"cpu": {"mode": "host-model", "feature": [{"name": "vmx"}, {"name": "vmx"}]}},
        "cpu.feature[1].name: 'vmx' is taken by cpu.feature[0]",
    ),
    (
        "said_once",
        {"iothreadids": {"iothread": [1, 2]}},
        {"iothreadids": {"iothread": [1, 1]}},
        "iothreadids.iothread[1].id: 1 is taken by iothreadids.iothread[0]",
    ),
    (
        "said_once",
        {"blkiotune": {"device": [{"path": "/dev/sda"}, {"path": "/dev/sdb"}]}},
        {"blkiotune": {"device": [{"path": "/dev/sda"}, {"path": "/dev/sda"}]}},
        "blkiotune.device[1].path: '/dev/sda' is taken by blkiotune.device[0]",
    ),
    (
        "vcpu_limit",
        {"vcpu": 255},
        {"vcpu": 256},
        "vcpu: 256 is more than 255, the maximum of machine pc: q35 supports more",
    ),
    *(
        (
            "vcpu_limit",
            {**guest, "vcpu": most},
            {**guest, "vcpu": most + 1},
            f"vcpu: {most + 1} is more than {most}, {of}",
        )
        for guest, most, of in (
            ({"machine": "q35"}, 4096, "the maximum of machine q35"),
            ({"arch": "ppc64le"}, 4096, "the maximum of machine pseries"),
            ({"arch": "arm64"}, 512, "the maximum of machine virt"),
            ({"arch": "riscv64"}, 512, "the maximum of machine virt"),
            ({"arch": "loongarch64"}, 256, "the maximum of machine virt"),
            ({"arch": "s390x"}, 248, "the maximum of machine s390-ccw-virtio"),
        )
    ),
    (
        "vcpu_interrupts",
        *example("vcpu-interrupts"),
        "vcpu: 256 is more than 255, which needs an iommu of model intel with intremap and eim",
    ),
    (
        "vcpu_interrupts",
        {"libvirt": "9.0.0", **MANY, "iommu": {"model": "intel", "driver": {"intremap": "on", "eim": "on"}}},
        {"libvirt": "9.0.0", **MANY, "iommu": {"model": "intel", "driver": {"intremap": "on"}}},
        "vcpu: 256 is more than 255, which needs eim of the iommu",
    ),
    *(
        (
            "iommu_interrupts",
            {"libvirt": "11.3.0", **MANY, "iommu": {"model": "intel", "driver": {"intremap": "on"}}},
            {"libvirt": "11.3.0", **MANY, "iommu": iommu},
            "vcpu: 256 is more than 255, which needs an iommu of model intel with intremap and eim",
        )
        for iommu in ({"model": "virtio"}, {"model": "intel", "driver": {"intremap": "on", "eim": "off"}})
    ),
    (
        "cpu_model",
        {"type": "qemu", "arch": "riscv64", "cpu": "maximum"},
        {"type": "qemu", "arch": "ppc64le", "cpu": "maximum"},
        "cpu.mode: maximum is not for ppc64le",
    ),
    (
        "check_without_model",
        *example("check-without-model"),
        "cpu.check: needs a CPU model",
    ),
    (
        "vcpu_states",
        *example("vcpu-states"),
        "vcpus.vcpu: vCPU 0 must be enabled, the first in order, and not hotpluggable",
    ),
    (
        "vcpu_states",
        {"vcpu": 2, "vcpus": {"vcpu": [{"id": 0, "enabled": True, "hotpluggable": False}]}},
        {"vcpu": 2, "vcpus": {"vcpu": [{"id": 0, "enabled": True, "hotpluggable": True}]}},
        "vcpus.vcpu[0]: vCPU 0 must be enabled, the first in order, and not hotpluggable",
    ),
    (
        "vcpu_states",
        {"vcpu": 2, "vcpus": {"vcpu": [{"id": 0, "enabled": True, "order": 1}, {"id": 1, "enabled": False}]}},
        {"vcpu": 2, "vcpus": {"vcpu": [{"id": 0, "enabled": True, "order": 1}, {"id": 1, "enabled": True}]}},
        "vcpus.vcpu[1].order: either all vCPUs that are enabled have an order, or none has one",
    ),
    (
        "vcpu_states",
        {"vcpu": 3, "vcpus": {"vcpu": [plugged(0, False), plugged(1, False), plugged(2, True)]}},
        {"vcpu": 3, "vcpus": {"vcpu": [plugged(0, False), plugged(1, True), plugged(2, False)]}},
        "vcpus.vcpu[2].hotpluggable: 'no' is for vCPUs that are enabled, and in order before all that are hotpluggable",
    ),
    (
        "cpu_sets",
        {"vcpu": {"text": 1, "cpuset": "3-3"}},
        {"vcpu": {"text": 1, "cpuset": "3-2"}},
        "vcpu.cpuset: 3-2 is not a range: it ends before it begins",
    ),
    (
        "cpu_sets",
        *example("cpu-sets"),
        "cputune.emulatorpin.cpuset: 1,^1 is an empty set",
    ),
    (
        "groups",
        *example("groups"),
        "cputune.vcpusched[1].vcpus: 2 is taken by cputune.vcpusched[0]",
    ),
    (
        "resource_tuning",
        {"type": "kvm", "cputune": {"memorytune": {"vcpus": "0", "node": {"id": 0, "bandwidth": 20}}}},
        {"type": "qemu", "cputune": {"memorytune": {"vcpus": "0", "node": {"id": 0, "bandwidth": 20}}}},
        "cputune.memorytune[0]: is for guests of type kvm, not qemu",
    ),
    (
        "cpu_model",
        {"type": "qemu", "cpu": "maximum"},
        {"type": "qemu", "cpu": "host-passthrough"},
        "cpu.mode: host-passthrough is for guests of type kvm or hvf, not qemu: use mode maximum",
    ),
    (
        "cpu_model",
        {"cpu": {"model": "qemu64", "vendor": "Intel"}},
        {"cpu": {"mode": "host-model", "vendor": "Intel"}},
        "cpu.vendor: needs a CPU model",
    ),
    (
        "cpu_features",
        {"cpu": {"mode": "host-model", "feature": "vmx"}},
        {"cpu": {"mode": "custom", "feature": "vmx"}},
        "cpu.feature[0]: needs a CPU model",
    ),
    (
        "current_vcpus",
        FOUR_ON_POWER | started(0, 1),
        FOUR_ON_POWER | started(0, 1, 2),
        "vcpus.vcpu: 3 is not a multiple of 2, the threads per core",
    ),
    (
        "idle_pins",
        {"vcpu": 2, "cputune": {"memorytune": {"vcpus": "1", "node": {"id": 0, "bandwidth": 20}}}},
        {"vcpu": 2, "cputune": {"memorytune": {"vcpus": "2", "node": {"id": 0, "bandwidth": 20}}}},
        "cputune.memorytune[0].vcpus: note: 2 is not a vCPU: they are 0 to 1 [idle-pins]",
    ),
    (
        "iothreads",
        {"iothreads": 1, "cputune": {"iothreadsched": {"iothreads": "1", "scheduler": "batch"}}},
        {"iothreads": 1, "cputune": {"iothreadsched": {"iothreads": "1-2", "scheduler": "batch"}}},
        "cputune.iothreadsched[0].iothreads: 2 is not an iothread: there are 1",
    ),
    (
        "iothreads",
        {"iothreads": 2, "cputune": {"iothreadsched": {"iothreads": "1-2", "scheduler": "batch"}}},
        {"iothreads": 2, "cputune": {"iothreadsched": {"iothreads": "0-2", "scheduler": "batch"}}},
        "cputune.iothreadsched[0].iothreads: 0 is not an iothread: there are 2",
    ),
    (
        "thread_pools",
        {"iothreadids": {"iothread": [1, {"id": 2, "thread_pool_min": 2, "thread_pool_max": 2}]}},
        {"iothreadids": {"iothread": [1, {"id": 2, "thread_pool_min": 3, "thread_pool_max": 2}]}},
        "iothreadids.iothread[1].thread_pool_min: 3 is more than thread_pool_max, 2",
    ),
    (
        "vcpu_states",
        ordered(1, 2),
        ordered(2, 1),
        "vcpus.vcpu[0]: vCPU 0 must be enabled, the first in order, and not hotpluggable",
    ),
    (
        "vcpu_states",
        ordered(1, 2, 3, last={"hotpluggable": False}),
        ordered(1, 3, 2, last={"hotpluggable": False}),
        "vcpus.vcpu[2].hotpluggable: 'no' is for vCPUs that are enabled, and in order before all that are hotpluggable",
    ),
    (
        "cpu_features",
        {"cpu": {"model": "qemu64", "feature": "vmx"}},
        {"cpu": {"feature": "vmx"}},
        "cpu.feature[0]: needs a CPU model",
    ),
    (
        "address_width",
        {"cpu": {"mode": "host-model", "maxphysaddr": "emulate"}},
        {"libvirt": "9.1.0", "cpu": {"mode": "host-model", "maxphysaddr": "emulate"}},
        "cpu.maxphysaddr.bits: is missing before libvirt 9.2.0 (mode is emulate)",
    ),
    (
        "vector_lengths",
        {"arch": "arm64", "cpu": {"model": "max", "feature": ["sve", "sve128"]}},
        {"arch": "arm64", "cpu": {"model": "max", "feature": [{"name": "sve", "policy": "disable"}, "sve128"]}},
        "cpu.feature[1].name: sve128 needs sve, which is disabled",
    ),
    (
        "cpu_without_mode",
        *example("cpu-without-mode"),
        "cpu.topology: note: is set without mode, so the guest has QEMU's default CPU; add mode, such as"
        " host-passthrough (type kvm) or maximum (type qemu)",
    ),
    (
        "cpu_without_mode",
        {"cpu": {"mode": "maximum", "numa": {"cell": [{"memory": 524288}]}}},
        {"cpu": {"numa": {"cell": [{"memory": 524288}]}}},
        "cpu.numa: note: is set without mode, so the guest has QEMU's default CPU; add mode, such as"
        " host-passthrough (type kvm) or maximum (type qemu)",
    ),
    (
        "cpu_without_mode",
        {"type": "qemu", "cpu": {"model": "qemu64", "cache": "disable"}},
        {"type": "qemu", "cpu": {"cache": "disable"}},
        "cpu.cache: note: is set without mode, so the guest has QEMU's default CPU; add mode, such as"
        " host-passthrough (type kvm) or maximum (type qemu)",
    ),
]
