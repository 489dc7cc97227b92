"""Guests just inside and just outside of each check of folders that guests mount."""

from __future__ import annotations

from check_cases import SHARED, VIRTIOFS, Case

MAPPED = {"driver": "virtiofs", "accessmode": "mapped", "source": {"socket": "/run/a"}, "target": "a"}


CASES: list[Case] = [
    (
        "file_modes",
        {"filesystems": [{"source": "/a", "target": "a", "fmode": "0644", "accessmode": "mapped"}]},
        {"filesystems": [{"source": "/a", "target": "a", "fmode": "0644"}]},
        "filesystems[0].fmode: is for accessmode mapped",
    ),
    (
        "file_modes",
        {"filesystems": [{"source": "/a", "target": "a", "dmode": "0", "driver": "path"}]},
        {"filesystems": [{"source": "/a", "target": "a", "dmode": "1", "driver": "path"}]},
        "filesystems[0].dmode: is for accessmode mapped",
    ),
    (
        "file_modes",
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "filesystems": [{"source": {"socket": "/a"}, "target": "a", "driver": "virtiofs", "accessmode": "mapped"}],
        },
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "filesystems": [{"source": "/a", "target": "a", "driver": "virtiofs", "accessmode": "mapped"}],
        },
        "filesystems[0].accessmode: mapped is not for driver virtiofs: only passthrough is",
    ),
    (
        "file_modes",
        {"filesystems": [{"source": "/a", "target": "a", "driver": "handle"}]},
        {"filesystems": [{"source": "/a", "target": "a", "driver": "handle", "accessmode": "squash"}]},
        "filesystems[0].accessmode: squash is not for driver handle: only passthrough is",
    ),
    (
        "virtiofs",
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "filesystems": [{"source": "/a", "target": "a", "driver": "virtiofs", "boot": 1}],
        },
        {"filesystems": [{"source": "/a", "target": "a", "boot": 1}]},
        "filesystems[0].boot: is for driver virtiofs",
    ),
    (
        "virtiofs",
        {"filesystems": [{"source": "/a", "target": "a", "model": "virtio"}]},
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "filesystems": [{"source": "/a", "target": "a", "driver": "virtiofs", "model": "virtio"}],
        },
        "filesystems[0].model: is not for driver virtiofs",
    ),
    (
        "virtiofs",
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "filesystems": [{"source": "/a", "target": "a", "driver": "virtiofs", "multidevs": "default"}],
        },
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "filesystems": [{"source": "/a", "target": "a", "driver": "virtiofs", "multidevs": "remap"}],
        },
        "filesystems[0].multidevs: remap is not for driver virtiofs",
    ),
    (
        "file_modes",
        {"memoryBacking": {"access": "shared"}, "filesystems": [MAPPED]},
        {"memoryBacking": {"access": "shared"}, "filesystems": [MAPPED, MAPPED | {"fmode": "600"}]},
        "filesystems[1].fmode: is for accessmode mapped",
    ),
    (
        "virtiofs",
        {"arch": "s390x", "memoryBacking": SHARED, "filesystems": [VIRTIOFS | {"boot": 1, "address": {"type": "pci"}}]},
        {"arch": "s390x", "memoryBacking": SHARED, "filesystems": [VIRTIOFS | {"boot": 1}]},
        "filesystems[0].boot: is for devices on PCI; on s390x, this one is on ccw",
    ),
    (
        "readonly_virtiofs",
        {"memoryBacking": SHARED, "filesystems": [VIRTIOFS | {"readonly": True}]},
        {"libvirt": "10.9.0", "memoryBacking": SHARED, "filesystems": [VIRTIOFS | {"readonly": True}]},
        "filesystems[0].readonly: is not for driver virtiofs before libvirt 11.0.0",
    ),
]
