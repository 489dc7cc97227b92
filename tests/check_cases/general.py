"""Guests just inside and just outside of each check of kvmrender.checks.general."""

from __future__ import annotations

from typing import Any

from check_cases import Case, example

UUID = "2ac00355-aa38-5a2b-9e12-bd4f3f3ed0f2"


def system(uuid: str) -> dict[str, Any]:
    return {"uuid": UUID, "sysinfo": {"system": {"entry": {"name": "uuid", "text": uuid}}}}


SHMEM = {"shmems": [{"name": "a", "model": "ivshmem"}]}

CASES: list[Case] = [
    (
        "version",
        {"sounds": "virtio", "libvirt": "10.4.0"},
        {"sounds": "virtio", "libvirt": "10.3"},
        "sounds[0].model: 'virtio' needs libvirt 10.4.0, the guest is for 10.3 (for older versions, use ich9)",
    ),
    (
        "version",
        SHMEM | {"libvirt": "any"},
        SHMEM,
        "shmems[0].model.type: 'ivshmem' is not in libvirt 8.7.0 and newer, the guest is for the newest"
        " (for newer versions, use ivshmem-plain and ivshmem-doorbell)",
    ),
    (
        "oldest_libvirt",
        {"libvirt": "9"},
        {"libvirt": "8.10.0"},
        "libvirt: note: versions before 9.0 are not known: the guest is checked against libvirt 9.0 [oldest-libvirt]",
    ),
    (
        "power_actions",
        {"on_poweroff": "restart", "on_reboot": "restart"},
        {"on_poweroff": "restart", "on_reboot": "destroy"},
        "on_reboot: destroy can't be combined with on_poweroff restart",
    ),
    (
        "system_uuid",
        *example("system-uuid"),
        f"sysinfo[0].system.entry[0]: '1{UUID[1:]}' is not the guest's UUID, {UUID}",
    ),
    (
        "launch_security",
        {"arch": "s390x", "launchSecurity": "s390-pv"},
        {"launchSecurity": "s390-pv"},
        "launchSecurity.type: s390-pv is for s390x guests, not amd64",
    ),
    (
        "version",
        {"libvirt": "11.2", "os": {"firmware": "efi", "shim": "/shim.efi", "kernel": "/k"}},
        {"libvirt": "11.1", "os": {"firmware": "efi", "shim": "/shim.efi", "kernel": "/k"}},
        "os.shim: needs libvirt 11.2.0, the guest is for 11.1",
    ),
    (
        "version",
        {
            "libvirt": "any",
            "memoryBacking": {"access": "shared"},
            "disks": [{"type": "vhostvdpa", "source": "/dev/vhost-vdpa-0", "driver": {"cache": "none"}}],
        },
        {
            "libvirt": "9.7",
            "memoryBacking": {"access": "shared"},
            "disks": [{"type": "vhostvdpa", "source": "/dev/vhost-vdpa-0", "driver": {"cache": "none"}}],
        },
        "disks[0].type: 'vhostvdpa' needs libvirt 9.8.0, the guest is for 9.7",
    ),
    (
        "version",
        *example("version"),
        "arch: 'loongarch64' needs libvirt 10.2.0, the guest is for 10.1.0",
    ),
]
