"""Guests just inside and just outside of each check of kvmrender.checks.disks."""

from __future__ import annotations

from check_cases import DISK, Case

CASES: list[Case] = [
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
]
