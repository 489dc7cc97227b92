"""Guests just inside and just outside of each check of kvmrender.checks.disks."""

from __future__ import annotations

from typing import Any

from check_cases import DISK, Case, example

SLOW = {"throttlegroups": {"throttlegroup": {"group_name": "slow", "total_iops_sec": 400}}}


def filtered(group: str, **more: object) -> dict[str, Any]:
    return {**SLOW, "disks": [DISK | {"throttlefilters": {"throttlefilter": group}} | more]}


CASES: list[Case] = [
    (
        "formats",
        {"disks": [{"source": "/a.img"}]},
        {"disks": [{"source": "/a.image"}]},
        "disks[0].driver.type: is missing: the format is derived only from the extensions"
        " .qcow2, .raw, .img, .iso, .vmdk, .vdi",
    ),
    (
        "nvme_serial",
        {"disks": [DISK | {"target": "nvme0n1"}], "controllers": [{"type": "nvme", "serial": "a"}]},
        {"disks": [DISK | {"target": "nvme0n1"}], "controllers": [{"type": "nvme"}]},
        "disks[0].serial: is missing: the serial number of the NVMe controller",
    ),
    *(
        ("throttle_groups", filtered("slow"), refused, f"disks[0].throttlefilters{line}")
        for refused, line in (
            (filtered("fast"), ".throttlefilter[0].group: 'fast' is not the group_name of one of throttlegroups"),
            (filtered("slow", device="cdrom"), ": is not for a cdrom"),
            (
                filtered("slow", iotune={"total_iops_sec": 400}),
                ": is not for a disk with iotune",
            ),
        )
    ),
    (
        "targets",
        {"disks": [DISK | {"target": "vda"}, DISK | {"target": "vdb"}]},
        {"disks": [DISK | {"target": "vda"}, DISK | {"target": "vda"}]},
        "disks[1].target.dev: 'vda' is taken by disks[0]",
    ),
    (
        "target_bus",
        {"disks": [DISK | {"target": {"dev": "sda", "bus": "sata"}}]},
        {"disks": [DISK | {"target": {"dev": "sda", "bus": "virtio"}}]},
        "disks[0].target.dev: note: 'sda' is not a name of bus virtio: those begin with vd [target-bus]",
    ),
    (
        "target_bus",
        *example("target-bus"),
        "disks[0].target.dev: note: 'xvda' is not a name of bus virtio: those begin with vd [target-bus]",
    ),
    (
        "target_names",
        {"disks": [{"device": "floppy", "target": "fda"}]},
        {"disks": [{"device": "floppy", "target": {"dev": "vda", "bus": "fdc"}}]},
        "disks[0].target.dev: 'vda' is not a name of a floppy: those begin with fd",
    ),
    (
        "target_names",
        {"disks": [DISK | {"target": {"dev": "hdb", "bus": "virtio"}, "alias": "ua-a"}], "ignore": ["target-bus"]},
        {"disks": [DISK | {"target": {"dev": "fdb", "bus": "virtio"}}]},
        "disks[0].target.dev: 'fdb' is a name of a floppy, and this is a disk",
    ),
    (
        "own_alias",
        {"disks": [DISK | {"alias": "ua-disk0"}]},
        {"disks": [DISK | {"alias": "virtio-disk0"}]},
        "disks[0].alias.name: note: 'virtio-disk0' does not begin with ua-: libvirt ignores it and assigns"
        " its own [own-alias]",
    ),
    (
        "buses",
        {"machine": "pc", "disks": [DISK | {"target": "hda"}]},
        {"machine": "q35", "disks": [DISK | {"target": "hda"}]},
        "disks[0].target.bus: 'ide' is not a bus of machine q35 (which has virtio, scsi, sata, usb, fdc, sd, nvme)",
    ),
    (
        "buses",
        *example("buses"),
        "disks[0].target.bus: 'ide' is not a bus of machine virt (which has virtio, scsi, sata, usb, sd, nvme)",
    ),
    (
        "device_buses",
        {"disks": [{"device": "floppy"}]},
        {"disks": [DISK | {"target": {"dev": "sda", "bus": "fdc"}}]},
        "disks[0].target.bus: 'fdc' is not a bus for a disk",
    ),
    (
        "target_names",
        *example("target-names"),
        "disks[0].target.dev: 'fdc' is not a name of bus fdc: the last one is fdb",
    ),
    (
        "target_names",
        {"machine": "pc", "disks": [{"source": "/a.raw", "target": "hdd"}]},
        {"machine": "pc", "disks": [{"source": "/a.raw", "target": "hdaa"}]},
        "disks[0].target.dev: 'hdaa' is not a name of bus ide: the last one is hdd",
    ),
    (
        "device_buses",
        {"disks": [{"device": "cdrom", "source": "/a.iso", "target": {"dev": "sda", "bus": "usb"}}]},
        {"disks": [{"device": "cdrom", "target": "vda"}]},
        "disks[0].target.bus: 'virtio' is not a bus for a cdrom",
    ),
    (
        "device_buses",
        {"disks": [{"device": "lun", "source": "/dev/a", "target": "sda"}]},
        {"disks": [{"device": "lun", "source": "/dev/a", "target": {"dev": "sda", "bus": "sata"}}]},
        "disks[0].target.bus: 'sata' is not a bus for a lun",
    ),
    (
        "bus_options",
        {"disks": [{"source": "/a.raw", "driver": {"type": "raw", "queues": 2}}]},
        {
            "disks": [
                {"source": "/a.raw", "driver": {"type": "raw", "queues": 2}, "target": {"dev": "sda", "bus": "sata"}}
            ]
        },
        "disks[0].driver.queues: is for bus virtio, not sata",
    ),
    (
        "bus_options",
        {"disks": [{"source": "/a.raw", "target": {"dev": "sda", "bus": "scsi"}, "vendor": "a"}]},
        {"disks": [{"source": "/a.raw", "target": {"dev": "sda", "bus": "sata"}, "vendor": "a"}]},
        "disks[0].vendor: is for bus scsi, not sata",
    ),
    (
        "bus_options",
        {
            "disks": [
                {
                    "source": "/a.raw",
                    "target": {"dev": "sda", "bus": "sata"},
                    "geometry": {"cyls": 1, "heads": 1, "secs": 1},
                }
            ]
        },
        {
            "disks": [
                {
                    "source": "/a.raw",
                    "target": {"dev": "sda", "bus": "sata"},
                    "geometry": {"cyls": 1, "heads": 1, "secs": 1, "trans": "lba"},
                }
            ]
        },
        "disks[0].geometry.trans: is for bus ide, not sata",
    ),
    (
        "device_options",
        {"disks": [{"device": "cdrom", "target": {"tray": "open"}}]},
        {"disks": [{"source": "/a.raw", "target": {"tray": "open"}}]},
        "disks[0].target.tray: is for device cdrom or floppy, not disk",
    ),
    (
        "device_options",
        {"disks": [{"device": "cdrom", "source": {"file": "/a.iso", "startupPolicy": "requisite"}}]},
        {"disks": [{"source": {"file": "/a.raw", "startupPolicy": "requisite"}}]},
        "disks[0].source.startupPolicy: requisite is for device cdrom or floppy, not disk",
    ),
    (
        "device_options",
        {"disks": [DISK | {"target": {"dev": "sda", "bus": "scsi"}, "serial": "a"}]},
        {"disks": [{"device": "lun", "source": "/dev/a", "target": {"dev": "sda", "bus": "scsi"}, "serial": "a"}]},
        "disks[0].serial: is not for a lun on bus scsi, which has its own",
    ),
    (
        "read_only",
        {"disks": [{"source": "/a.raw", "target": {"dev": "sda", "bus": "scsi"}, "readonly": True}]},
        {"disks": [{"source": "/a.raw", "target": {"dev": "sda", "bus": "sata"}, "readonly": True}]},
        "disks[0].readonly: a disk on bus sata can't be read-only",
    ),
    (
        "read_only",
        {"disks": [{"device": "cdrom", "source": {"dir": "/a"}}]},
        {"disks": [{"source": {"dir": "/a"}}]},
        "disks[0].readonly: is missing: a folder is always read-only",
    ),
    (
        "read_only",
        {"disks": [{"source": "/a.raw", "driver": {"type": "raw", "copy_on_read": "on"}}]},
        {"disks": [{"source": "/a.raw", "driver": {"type": "raw", "copy_on_read": "on"}, "readonly": True}]},
        "disks[0].driver.copy_on_read: is for a writable disk",
    ),
    (
        "transient",
        {"disks": [{"source": "/a.qcow2", "transient": True}]},
        {"disks": [{"source": "/dev/a", "transient": True}]},
        "disks[0].transient: is for a writable disk of type file",
    ),
    (
        "transient",
        {
            "disks": [
                {"source": "/a.qcow2", "transient": {"shareBacking": "no"}, "target": {"dev": "sda", "bus": "sata"}}
            ]
        },
        {
            "disks": [
                {"source": "/a.qcow2", "transient": {"shareBacking": "yes"}, "target": {"dev": "sda", "bus": "sata"}}
            ]
        },
        "disks[0].transient.shareBacking: is for bus usb, virtio or scsi, not sata",
    ),
    (
        "shareable",
        {"disks": [{"source": "/a.qcow2", "shareable": True, "readonly": True}]},
        {"disks": [{"source": "/a.qcow2", "shareable": True}]},
        "disks[0].shareable: is for a disk of format raw, or a readonly one",
    ),
    (
        "shareable",
        {"disks": [{"source": "/a.raw", "shareable": True}]},
        {"disks": [{"device": "cdrom"}, {"source": {"pool": "a", "volume": "b"}, "shareable": True}]},
        "disks[1].shareable: is for a disk of format raw, or a readonly one",
    ),
    (
        "caches",
        {"disks": [{"source": "/a.raw", "driver": {"type": "raw", "io": "native", "cache": "none"}}]},
        {"disks": [{"source": "/a.raw", "driver": {"type": "raw", "io": "native"}}]},
        "disks[0].driver.cache: must be none or directsync with io native",
    ),
    (
        "caches",
        {
            "memoryBacking": {"access": "shared"},
            "disks": [{"type": "vhostvdpa", "source": {"dev": "/dev/a"}, "driver": {"cache": "directsync"}}],
        },
        {"memoryBacking": {"access": "shared"}, "disks": [{"type": "vhostvdpa", "source": {"dev": "/dev/a"}}]},
        "disks[0].driver.cache: must be none or directsync with type vhostvdpa",
    ),
    (
        "iotune_groups",
        {
            "disks": [
                {"source": "/a.raw", "iotune": {"group_name": "a"}},
                {"source": "/a.raw", "iotune": {"group_name": "a", "read_bytes_sec": 1}},
            ]
        },
        {
            "disks": [
                {"source": "/a.raw", "iotune": {"group_name": "a", "read_bytes_sec": 2}},
                {"source": "/a.raw", "iotune": {"group_name": "a", "read_bytes_sec": 1}},
            ]
        },
        "disks[1].iotune: has other limits for group 'a' than disks[0]",
    ),
    (
        "iotune_groups",
        *example("iotune-groups"),
        "disks[0].iotune.group_name: group 'a' has no limits",
    ),
    (
        "vhost_user",
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a"}}],
        },
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a"}, "readonly": True}],
        },
        "disks[0].readonly: is not for type vhostuser",
    ),
    (
        "vhost_user",
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a"}, "driver": {"queues": 2}}],
        },
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [
                {
                    "type": "vhostuser",
                    "source": {"type": "unix", "path": "/a"},
                    "driver": {"queues": 2, "io": "threads"},
                }
            ],
        },
        "disks[0].driver.io: is not for type vhostuser",
    ),
    (
        "vhost_user",
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a"}, "snapshot": "no"}],
        },
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a"}, "snapshot": "manual"}],
        },
        "disks[0].snapshot: manual is not for type vhostuser",
    ),
    (
        "vhost_user",
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a"}, "target": "vda"}],
        },
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [
                {"type": "vhostuser", "source": {"type": "unix", "path": "/a"}, "target": {"dev": "sda", "bus": "scsi"}}
            ],
        },
        "disks[0].target.bus: scsi is not for type vhostuser: only virtio is",
    ),
    (
        "vhost_user",
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [{"type": "vhostuser", "source": {"type": "unix", "path": "/a"}, "device": "disk"}],
        },
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [
                {
                    "type": "vhostuser",
                    "source": {"type": "unix", "path": "/a"},
                    "device": "cdrom",
                    "target": {"dev": "vda", "bus": None},
                }
            ],
        },
        "disks[0].device: cdrom is not for type vhostuser",
    ),
    (
        "bus_options",
        {"disks": [{"source": "/a.raw", "target": {"dev": "sda", "bus": "scsi", "rotation_rate": 1}}]},
        {"disks": [{"source": "/a.raw", "target": {"dev": "vda", "bus": "virtio", "rotation_rate": 1}}]},
        "disks[0].target.rotation_rate: is for bus scsi, sata or ide, not virtio",
    ),
    (
        "bus_options",
        {"disks": [{"source": "/a.raw", "target": {"bus": "sd"}}]},
        {"disks": [{"source": "/a.raw", "target": {"bus": "sd"}, "serial": "a"}]},
        "disks[0].serial: is for bus virtio, scsi, sata, ide, usb, fdc or nvme, not sd",
    ),
    (
        "vhost_user",
        {"memoryBacking": {"access": {"mode": "shared"}}, "disks": [{"source": {"type": "unix", "path": "/a"}}]},
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "disks": [{"source": {"type": "unix", "path": "/a"}, "serial": "a"}],
        },
        "disks[0].serial: is not for type vhostuser",
    ),
    (
        "read_only",
        {"machine": "pc", "disks": [{"source": "/a.raw", "target": "hda"}]},
        {"machine": "pc", "disks": [{"source": "/a.raw", "target": "hda", "readonly": True}]},
        "disks[0].readonly: a disk on bus ide can't be read-only",
    ),
    (
        "shareable",
        {"disks": [{"source": "/dev/sdb", "shareable": True}]},
        {"disks": [DISK, {"type": "volume", "source": {"pool": "default", "volume": "a"}, "shareable": True}]},
        "disks[1].shareable: is for a disk of format raw, or a readonly one",
    ),
    (
        "virtio_lun",
        {"libvirt": "9.0.0", "disks": [{"device": "lun", "source": "/dev/sdb", "target": {"bus": "virtio"}}]},
        {"disks": [{"device": "lun", "source": "/dev/sdb", "target": {"bus": "virtio"}}]},
        "disks[0].target.bus: 'virtio' is not a bus for a lun: scsi is",
    ),
    (
        "same_addresses",
        {"machine": "q35", "disks": [DISK | {"target": {"dev": "sdb", "bus": "sata"}}, DISK | {"target": "sda"}]},
        {
            "disks": [
                DISK | {"target": "sdj"},
                DISK | {"target": "sda", "address": {"type": "drive", "controller": 1, "unit": 2}},
            ]
        },
        "disks[0].target.dev: drive address 1:0:0:2, that of sdj, is taken by disks[1]",
    ),
    (
        "same_addresses",
        {
            "disks": [
                DISK | {"target": "hdc"},
                DISK | {"target": "hda", "address": {"type": "drive", "bus": 0, "unit": 1}},
            ]
        },
        {
            "disks": [
                DISK | {"target": "hdc"},
                DISK | {"target": "hda", "address": {"type": "drive", "bus": 1, "unit": 0}},
            ]
        },
        "disks[0].target.dev: drive address 0:1:0:0, that of hdc, is taken by disks[1]",
    ),
    (
        "throttle_names",
        {"throttlegroups": {"throttlegroup": [{"group_name": "a"}, {"group_name": "b"}]}},
        {"throttlegroups": {"throttlegroup": [{"group_name": "a"}, {"group_name": "a"}]}},
        "throttlegroups.throttlegroup[1].group_name: 'a' is taken by throttlegroups.throttlegroup[0]",
    ),
    (
        "throttle_groups",
        {
            "throttlegroups": {"throttlegroup": [{"group_name": "a"}]},
            "disks": [{"source": "/a.raw", "throttlefilters": {"throttlefilter": ["a"]}}],
        },
        {
            "throttlegroups": {"throttlegroup": [{"group_name": "a"}]},
            "disks": [{"source": "/a.raw", "throttlefilters": {"throttlefilter": ["a", "a"]}}],
        },
        "disks[0].throttlefilters.throttlefilter[1].group: 'a' is taken by disks[0].throttlefilters.throttlefilter[0]",
    ),
    (
        "shared_memory",
        {
            "memoryBacking": {"access": "shared"},
            "disks": [{"type": "vhostvdpa", "source": "/dev/v", "driver": {"cache": "none"}}],
        },
        {"disks": [{"type": "vhostvdpa", "source": "/dev/v", "driver": {"cache": "none"}}]},
        "disks[0]: needs shared memory: memoryBacking with access mode shared",
    ),
]
