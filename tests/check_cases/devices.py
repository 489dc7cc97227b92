"""Guests just inside and just outside of each check of kvmrender.checks.devices."""

from __future__ import annotations

from check_cases import DISK, NIC, Case

CASES: list[Case] = [
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
]
