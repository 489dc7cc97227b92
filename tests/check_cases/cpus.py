"""Guests just inside and just outside of each check of kvmrender.checks.cpus."""

from __future__ import annotations

from check_cases import DISK, Case, cells

CASES: list[Case] = [
    (
        "current_vcpus",
        {"vcpu": {"current": 2, "text": 2}},
        {"vcpu": {"current": 3, "text": 2}},
        "vcpu.current: 3 is more than 2, the number of vCPUs",
    ),
    (
        "topology",
        {"vcpu": 4, "cpu": {"topology": {"sockets": 1, "dies": 1, "cores": 2, "threads": 2}}},
        {"vcpu": 4, "cpu": {"topology": {"sockets": 1, "dies": 1, "cores": 3, "threads": 2}}},
        "cpu.topology: makes 6 vCPUs, not 4",
    ),
    (
        "numa_cpus",
        {"memory": "1 GiB", "vcpu": 4, "cpu": cells("0-1", "2-3")},
        {"memory": "1 GiB", "vcpu": 4, "cpu": cells("0-1", "2-5")},
        "cpu.numa.cell[1].cpus: 4 and 5 is not a vCPU: they are 0 to 3",
    ),
    (
        "numa_cpus",
        {"memory": "1 GiB", "vcpu": 4, "cpu": cells("0-1", "2-3")},
        {"memory": "1 GiB", "vcpu": 4, "cpu": cells("0-2", "2-3")},
        "cpu.numa.cell[1].cpus: 2 is taken by cell 0",
    ),
    (
        "pins",
        {"vcpu": 2, "cputune": {"vcpupin": {"vcpu": 1, "cpuset": "9"}}},
        {"vcpu": 2, "cputune": {"vcpupin": {"vcpu": 2, "cpuset": "9"}}},
        "cputune.vcpupin[0].vcpu: 2 is not a vCPU: they are 0 to 1",
    ),
    (
        "pins",
        {"vcpu": 2, "cputune": {"vcpusched": {"vcpus": "0-1", "scheduler": "batch"}}},
        {"vcpu": 2, "cputune": {"vcpusched": {"vcpus": "0-2", "scheduler": "batch"}}},
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
        {"iothreads": 1, "cputune": {"iothreadpin": {"iothread": 1, "cpuset": "0"}}},
        {"iothreads": 1, "cputune": {"iothreadpin": {"iothread": 2, "cpuset": "0"}}},
        "cputune.iothreadpin[0].iothread: 2 is not an iothread: there are 1",
    ),
    (
        "thread_pools",
        {"defaultiothread": {"thread_pool_min": 2, "thread_pool_max": 2}},
        {"defaultiothread": {"thread_pool_min": 3, "thread_pool_max": 2}},
        "defaultiothread.thread_pool_min: 3 is more than thread_pool_max, 2",
    ),
    (
        "features_once",
        {"cpu": {"feature": [{"name": "vmx"}, {"name": "svm"}]}},
        {"cpu": {"feature": [{"name": "vmx"}, {"name": "vmx"}]}},
        "cpu.feature[1].name: 'vmx' is taken by cpu.feature[0]",
    ),
]
