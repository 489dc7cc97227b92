"""Guests just inside and just outside of each check of devices."""

from __future__ import annotations

from typing import Any

from check_cases import DISK, NIC, SHARED, VIRTIOFS, Case


def mdev(model: str, uuid: str, **more: Any) -> dict[str, Any]:
    return {"type": "mdev", "model": model, "source": {"address": uuid}, **more}


def on_usb(bus: str) -> dict[str, Any]:
    return {"type": "usb", "source": {"address": {"bus": bus, "device": "3"}}}


def zpci(uid: str, slot: int) -> dict[str, Any]:
    return {"backend": "/dev/urandom", "address": {"type": "pci", "bus": "0", "slot": str(slot), "zpci": {"uid": uid}}}


CASES: list[Case] = [
    (
        "iommu_acpi",
        {"machine": "q35", "iommu": "virtio"},
        {"machine": "q35", "iommu": "virtio", "features": {"acpi": False}},
        "iommu.model: virtio needs ACPI: features.acpi",
    ),
    (
        "zpci_uids",
        {"arch": "s390x", "rngs": [zpci("0x1", 1), zpci("0x2", 2)]},
        {"arch": "s390x", "rngs": [zpci("0x1", 1), zpci("0x1", 2)]},
        "rngs[1].address.zpci.uid: '0x1' is taken by rngs[0]",
    ),
    (
        "watchdogs",
        {"watchdogs": ["i6300esb", "ib700"]},
        {"watchdogs": ["i6300esb", "ib700", "ib700"]},
        "watchdogs[2].model: ib700 is taken by watchdogs[1]",
    ),
    (
        "one_watchdog",
        {"libvirt": "9.1.0", "watchdogs": ["i6300esb", "ib700"]},
        {"libvirt": "9.0.0", "watchdogs": ["i6300esb", "ib700"]},
        "watchdogs[1]: a guest has one watchdog, and that is watchdogs[0]",
    ),
    (
        "boot_orders",
        {"disks": [DISK | {"boot": 1}], "interfaces": [NIC | {"boot": 2}]},
        {"disks": [DISK | {"boot": 1}], "interfaces": [NIC | {"boot": 1}]},
        "interfaces[0].boot.order: 1 is taken by disks[0]",
    ),
    (
        "boot_orders",
        {"memoryBacking": SHARED, "disks": [DISK | {"boot": 2}], "filesystems": [VIRTIOFS | {"boot": 1}]},
        {"memoryBacking": SHARED, "disks": [DISK | {"boot": 1}], "filesystems": [VIRTIOFS | {"boot": 1}]},
        "filesystems[0].boot.order: 1 is taken by disks[0]",
    ),
    (
        "boot_orders",
        {"os": {"boot": "hd"}, "disks": [DISK]},
        {"os": {"boot": "hd"}, "disks": [DISK | {"boot": 1}]},
        "disks[0].boot: can't stand beside os.boot: order devices either by kind or one by one",
    ),
    (
        "aliases",
        {"disks": [DISK | {"alias": "ua-a"}], "interfaces": [NIC | {"alias": "ua-b"}]},
        {"disks": [DISK | {"alias": "ua-a"}], "interfaces": [NIC | {"alias": "ua-a"}]},
        "interfaces[0].alias.name: 'ua-a' is taken by disks[0]",
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
        "iommu_machine",
        {"arch": "arm64", "iommu": "virtio"},
        {"arch": "riscv64", "iommu": "virtio"},
        "iommu.model: virtio is for machine q35 and for arm64, not virt",
    ),
    (
        "device_machine",
        {"arch": "s390x", "watchdogs": "diag288"},
        {"watchdogs": "diag288"},
        "watchdogs[0].model: diag288 is for s390x, not amd64",
    ),
    (
        "device_machine",
        {"panics": "hyperv"},
        {"arch": "arm64", "panics": "hyperv"},
        "panics[0].model: hyperv is for amd64, not arm64",
    ),
    (
        "device_machine",
        {"arch": "s390x", "hostdevs": [mdev("vfio-ccw", "0" * 32)]},
        {"hostdevs": [mdev("vfio-ccw", "0" * 32)]},
        "hostdevs[0].model: vfio-ccw is for s390x, not amd64",
    ),
    (
        "panic_models",
        {"panics": [{}, "hyperv"]},
        {"panics": [{}, "isa"]},
        "panics[1].model: isa is taken by panics[0]",
    ),
    (
        "hostdevs_once",
        {"hostdevs": [{"source": {"vendor": "0x1", "product": n}} for n in ("0x1", "0x2")]},
        {"hostdevs": [{"source": {"vendor": "0x1", "product": n}} for n in ("0x1", "1")]},
        "hostdevs[1].source: this device of the host is taken by hostdevs[0]",
    ),
    (
        "hostdevs_once",
        {"hostdevs": [{"type": "pci", "source": {"address": {"bus": n}}} for n in ("0x1", "2")]},
        {"hostdevs": [{"type": "pci", "source": {"address": n}} for n in ({"bus": "0x01"}, {"bus": "1", "slot": "0"})]},
        "hostdevs[1].source: this device of the host is taken by hostdevs[0]",
    ),
    (
        "one_adjunct",
        {"arch": "s390x", "hostdevs": [mdev("vfio-ap", "0" * 32), mdev("vfio-ccw", "1" * 32)]},
        {"arch": "s390x", "hostdevs": [mdev("vfio-ap", "0" * 32), mdev("vfio-ap", "1" * 32)]},
        "hostdevs[1].model: a guest has one of model vfio-ap, and that is hostdevs[0]",
    ),
    (
        "hostdev_display",
        {"hostdevs": [mdev("vfio-pci", "0" * 32, display="on")], "graphics": "vnc"},
        {"hostdevs": [mdev("vfio-pci", "0" * 32, display="on")]},
        "hostdevs[0].display: needs graphics",
    ),
    (
        "panic_models",
        {"arch": "ppc64le", "panics": [{}]},
        {"arch": "ppc64le", "panics": [{}, {"model": "pseries"}]},
        "panics[1].model: pseries is taken by panics[0]",
    ),
    (
        "panic_models",
        {"arch": "arm64", "panics": [{}]},
        {"arch": "arm64", "panics": [{}, {}]},
        "panics[1].model: the usual is taken by panics[0]",
    ),
    (
        "hostdevs_once",
        {"hostdevs": [on_usb("10"), on_usb("0xb")]},
        {"hostdevs": [on_usb("10"), on_usb("0xa")]},
        "hostdevs[1].source: this device of the host is taken by hostdevs[0]",
    ),
]
