"""Each check across fields, with a guest just inside and one just outside."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import ROOT

from kvmrender import GuestError, Renderer
from kvmrender.checks import CHECKS

RENDERER = Renderer()

DISK = {"source": "/a.qcow2"}
NIC = {"source": "br0"}
Q35: dict[str, Any] = {"machine": "q35", "features": {"smm": {"state": True}}}
SECURE = {"loader": {"secure": True, "type": "pflash", "readonly": True, "text": "/OVMF.fd"}}
ENROLLED = {"firmware": {"type": "efi", "feature": [{"name": "secure-boot", "enabled": True}]}}
DIMM = {"model": "dimm", "target": {"size": "512 MiB", "node": 0}}
VIRTIOFS = {"driver": "virtiofs", "source": {"dir": "/srv"}, "target": "srv"}
SHARED = {"access": "shared"}


def cells(*cpus: str, memory: int = 524288, **more: Any) -> dict[str, Any]:
    return {"numa": {"cell": [{"cpus": found, "memory": memory, "unit": "KiB", **more} for found in cpus]}}


def forward(start: int, end: int) -> dict[str, Any]:
    forwarded = {"proto": "tcp", "range": [{"start": start, "end": end}]}
    return {"interfaces": [{"type": "user", "backend": {"type": "passt"}, "portForward": [forwarded]}]}


# The check, a guest inside, a guest outside, and what is said of it.
CASES: list[tuple[str, dict[str, Any], dict[str, Any], str]] = [
    (
        "machine_given_once",
        {"machine": "q35", "os": {"type": {"machine": "q35"}}},
        {"machine": "q35", "os": {"type": {"machine": "pc"}}},
        "machine: 'q35' is not the machine of os.type, 'pc'",
    ),
    (
        "secure_boot",
        {**Q35, "os": SECURE},
        {**Q35, "machine": "pc", "os": SECURE},
        "os.loader.secure: secure boot is for machine q35, not pc",
    ),
    (
        "secure_boot",
        {**Q35, "os": SECURE},
        {"machine": "pc-q35-7.2", "os": SECURE},
        "os.loader.secure: secure boot needs SMM: features.smm",
    ),
    (
        "secure_boot",
        {"machine": "q35", "os": ENROLLED},
        {"os": ENROLLED},
        "os.firmware.feature[0]: secure boot is for machine q35, not pc",
    ),
    (
        "secure_boot",
        {"machine": "q35", "os": ENROLLED},
        {"machine": "q35", "os": ENROLLED, "features": {"smm": False}},
        "os.firmware.feature[0]: secure boot needs SMM: features.smm",
    ),
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
        "formats",
        {"disks": [{"source": "/a.img"}]},
        {"disks": [{"source": "/a.image"}]},
        "disks[0].driver.type: is missing: a file's name tells its format only if it ends in"
        " .qcow2, .raw, .img, .iso, .vmdk, .vdi",
    ),
    (
        "targets",
        {"disks": [DISK | {"target": "vda"}, DISK | {"target": "vdb"}]},
        {"disks": [DISK | {"target": "vda"}, DISK | {"target": "vda"}]},
        "disks[1].target.dev: 'vda' is taken by disks[0]",
    ),
    (
        "target_names",
        {"disks": [DISK | {"target": {"dev": "sda", "bus": "sata"}}]},
        {"disks": [DISK | {"target": {"dev": "sda", "bus": "virtio"}}]},
        "disks[0].target.dev: 'sda' is not a name of bus virtio: those begin with vd",
    ),
    (
        "buses",
        {"machine": "pc", "disks": [DISK | {"target": "hda"}]},
        {"machine": "q35", "disks": [DISK | {"target": "hda"}]},
        "disks[0].target.bus: 'ide' is not a bus of machine q35 (which has virtio, scsi, sata, usb, fdc, sd)",
    ),
    (
        "buses",
        {"arch": "arm64", "disks": [DISK | {"target": "sda"}]},
        {"arch": "arm64", "disks": [DISK | {"target": "hda"}]},
        "disks[0].target.bus: 'ide' is not a bus of machine virt (which has virtio, scsi, sata, usb, sd)",
    ),
    (
        "buses",
        {"disks": [{"device": "floppy"}]},
        {"disks": [DISK | {"target": "fda"}]},
        "disks[0].target.bus: 'fdc' is not a bus for a disk",
    ),
    (
        "mac_addresses",
        {"interfaces": [NIC | {"mac": "52:54:00:00:00:01"}, NIC | {"mac": "52:54:00:00:00:02"}]},
        {"interfaces": [NIC | {"mac": "52:54:00:00:00:0a"}, NIC | {"mac": "52:54:00:00:00:0A"}]},
        "interfaces[1].mac.address: '52:54:00:00:00:0a' is taken by interfaces[0]",
    ),
    (
        "port_ranges",
        forward(2022, 2022),
        forward(2022, 2021),
        "interfaces[0].portForward[0].range[0].end: 2021 is less than start, 2022",
    ),
    (
        "port_ranges",
        {"graphics": [{"type": "vnc", "port": 5900}]},
        {"graphics": [{"type": "vnc", "port": 5899}]},
        "graphics[0].port: 5899 is not a port for VNC, which has them from 5900",
    ),
    (
        "boot_orders",
        {"disks": [DISK | {"boot": 1}], "interfaces": [NIC | {"boot": 2}]},
        {"disks": [DISK | {"boot": 1}], "interfaces": [NIC | {"boot": 1}]},
        "interfaces[0].boot.order: 1 is taken by disks[0]",
    ),
    (
        "boot_orders",
        {"os": {"boot": "hd"}, "disks": [DISK]},
        {"os": {"boot": "hd"}, "disks": [DISK | {"boot": 1}]},
        "disks[0].boot: can't stand beside os.boot: order devices either by kind or one by one",
    ),
    (
        "pci_addresses",
        {
            "disks": [DISK | {"address": {"type": "pci", "slot": "0x05"}}],
            "interfaces": [NIC | {"address": {"type": "pci", "slot": "0x05", "function": "0x1"}}],
        },
        {
            "disks": [DISK | {"address": {"type": "pci", "slot": "0x05"}}],
            "interfaces": [NIC | {"address": {"type": "pci", "domain": "0x0000", "bus": "0", "slot": "5"}}],
        },
        "interfaces[0].address: 0000:00:05.0 is taken by disks[0]",
    ),
    (
        "aliases",
        {"disks": [DISK | {"alias": "ua-a"}], "interfaces": [NIC | {"alias": "ua-b"}]},
        {"disks": [DISK | {"alias": "ua-a"}], "interfaces": [NIC | {"alias": "ua-a"}]},
        "interfaces[0].alias.name: 'ua-a' is taken by disks[0]",
    ),
    (
        "audio_ids",
        {"audios": [{"type": "none"}, {"id": 2, "type": "none"}]},
        {"audios": [{"type": "none"}, {"id": 1, "type": "none"}]},
        "audios[1].id: 1 is taken by audios[0]",
    ),
    (
        "audio_ids",
        {"audios": "none", "sounds": {"model": "ich9", "audio": 1}},
        {"audios": "none", "sounds": {"model": "ich9", "audio": 2}},
        "sounds[0].audio.id: 2 is not the number of an audio",
    ),
    (
        "one_tpm",
        {"tpms": ["emulator"]},
        {"tpms": ["emulator", "emulator"]},
        "tpms[1]: a guest has one TPM, and that is tpms[0]",
    ),
    (
        "iommu_machine",
        {"machine": "q35", "iommu": "intel"},
        {"iommu": "intel"},
        "iommu.model: intel is for machine q35, not pc",
    ),
    (
        "iommu_machine",
        {"arch": "arm64", "iommu": "smmuv3"},
        {"arch": "amd64", "iommu": "smmuv3"},
        "iommu.model: smmuv3 is for arm64, not amd64",
    ),
    (
        "shmem_server",
        {"shmems": [{"name": "a", "model": "ivshmem-doorbell", "msi": {"vectors": 2}, "server": {"path": "/s"}}]},
        {"shmems": [{"name": "a", "model": "ivshmem-doorbell", "msi": {"vectors": 2}}]},
        "shmems[0].msi: needs a server",
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
    (
        "raw_xml",
        {"metadata": "<a:b xmlns:a='urn:a'/>"},
        {"metadata": "<a:b/>"},
        "metadata: is not well-formed XML: unbound prefix at line 1, column 1",
    ),
]


@pytest.mark.parametrize(("check", "inside", "outside", "said"), CASES, ids=[case[0] for case in CASES])
def test_guest_just_outside_is_refused(check: str, inside: dict[str, Any], outside: dict[str, Any], said: str) -> None:
    RENDERER.render({"name": "a", **inside})
    with pytest.raises(GuestError) as raised:
        RENDERER.render({"name": "a", **outside})
    assert str(raised.value) == said


def test_every_check_has_a_case() -> None:
    assert {check.__name__ for check in CHECKS} == {case[0] for case in CASES}


def test_readme_lists_every_check() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    checks = [(check.__name__, " ".join((check.__doc__ or "").split())) for check in CHECKS]
    assert [row for row in rows if row[0] in dict(checks)] == checks


@pytest.mark.parametrize(
    ("arch", "features", "said"),
    [
        ("amd64", {"gic": 3}, "features.gic: amd64 has no GIC; it is part of arm64 machines"),
        ("s390x", {"acpi": True}, "features.acpi: s390x has no ACPI"),
        ("ppc64le", {"acpi": True}, "features.acpi: ppc64le has no ACPI"),
    ],
)
def test_feature_of_another_architecture(arch: str, features: dict[str, Any], said: str) -> None:
    with pytest.raises(GuestError) as raised:
        RENDERER.render({"name": "a", "arch": arch, "features": features})
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("arch", "guest", "said"),
    [
        ("amd64", {"nvram": {}}, "nvram: amd64 has no NVRAM device; it is part of ppc64le machines"),
        ("arm64", {"keywrap": {"cipher": {"name": "aes", "state": True}}}, "keywrap: arm64 wraps no keys; s390x does"),
    ],
)
def test_device_of_another_architecture(arch: str, guest: dict[str, Any], said: str) -> None:
    with pytest.raises(GuestError) as raised:
        RENDERER.render({"name": "a", "arch": arch, **guest})
    assert str(raised.value) == said
