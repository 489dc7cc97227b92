"""What newer libvirts and other hypervisors have."""

from __future__ import annotations

from typing import Any

from check_cases import DISK, SHARED, Case

PASST: dict[str, Any] = {
    "memoryBacking": SHARED,
    "interfaces": [{"type": "vhostuser", "backend": "passt"}],
}
SOCKET = {"type": "unix", "path": "/run/a.sock", "mode": "client"}
SCREEN = {
    "graphics": "vnc",
    "hostdevs": [{"type": "pci", "display": "on", "source": {"address": {"bus": 6, "slot": 0, "function": 0}}}],
}
NFS = {"source": {"protocol": "nfs", "name": "a.qcow2", "host": "b"}}
RBD = {"protocol": "rbd", "name": "pool/image"}
SHARE = {"node": {"id": 0, "bandwidth": 20}}
FILE = {"source": {"file": "/a.qcow2", "dataStore": {"source": {"file": "/data.raw"}}}}


def vhost_user(source: dict[str, Any] | None, **more: Any) -> dict[str, Any]:
    return {
        "memoryBacking": SHARED,
        "interfaces": [{"type": "vhostuser"} | ({"source": source} if source is not None else {}) | more],
    }


def encrypted(*secrets: str, **more: Any) -> dict[str, Any]:
    encryption = {"format": "luks", "secret": [{"usage": secret} for secret in secrets]}
    return {"disks": [{"source": RBD | {"encryption": encryption | more}}]}


CASES: list[Case] = [
    (
        "hvf",
        {"type": "hvf", "arch": "arm64"},
        {"type": "hvf", "arch": "s390x"},
        "type: hvf is for amd64 and arm64, not s390x",
    ),
    *(
        ("hvf", {"type": "hvf"}, {"type": "hvf", **guest}, line)
        for guest, line in (
            ({"features": {"kvm": {"hidden": "on"}}}, "features.kvm: is for guests of type kvm, not hvf"),
            ({"features": {"hyperv": "passthrough"}}, "features.hyperv: is for guests of type kvm, not hvf"),
            ({"vsock": {"cid": {"address": 3}}}, "vsock: is for guests of type kvm, not hvf"),
            (
                {"arch": "arm64", "features": {"gic": {"version": "host"}}},
                "features.gic.version: host is for guests of type kvm, not hvf",
            ),
            (
                {"interfaces": [{"source": "br0"}]},
                "interfaces[0].type: bridge is for Linux hosts, and hvf is for macOS",
            ),
            (
                {"hostdevs": [{"type": "pci", "source": {"address": {"bus": 6, "slot": 0, "function": 0}}}]},
                "hostdevs[0].type: pci is for Linux hosts, and hvf is for macOS",
            ),
        )
    ),
    ("hostdev_screens", SCREEN, SCREEN | {"libvirt": "10.2.0"}, "hostdevs[0].display: is for type mdev, not pci"),
    ("passt_vhost_user", PASST, PASST | {"libvirt": "11.0.0"}, "interfaces[0].backend.type: passt is for type user"),
    *(
        ("vhost_user_source", vhost_user(SOCKET), outside, f"interfaces[0].source{line}")
        for outside, line in (
            (vhost_user(None), ": is missing"),
            (vhost_user(SOCKET | {"type": None}), ".type: is missing"),
            (vhost_user(SOCKET | {"path": None}), ".path: is missing"),
            (vhost_user(SOCKET | {"mode": None}), ".mode: is missing"),
            (vhost_user(SOCKET | {"dev": "eth0"}), ".dev: needs passt: backend"),
            (vhost_user({"path": "/run/a.sock"}, backend="passt"), ".path: is set by passt"),
        )
    ),
    (
        "interface_backend",
        {"interfaces": [{"type": "user", "backend": {"type": "passt", "hostname": "a"}}]},
        {"interfaces": [{"type": "user", "backend": {"hostname": "a"}}]},
        "interfaces[0].backend.hostname: needs type passt",
    ),
    (
        "idle_driver",
        {"interfaces": [{"type": "hostdev", "driver": {"model": "vfio-pci"}, "source": {"address": {"type": "pci"}}}]},
        {"interfaces": [{"source": "br0", "driver": {"model": "vfio-pci"}}]},
        "interfaces[0].driver.model: note: has no effect on type bridge: it is for hostdev [idle-driver]",
    ),
    *(
        (
            "resource_groups",
            {"libvirt": "12.8.0", "cputune": {kind: {**share, **monitor}}},
            {"libvirt": "12.7.0", "cputune": {kind: {**share, **monitor}}},
            f"cputune.{kind}[0].{field}: is missing before libvirt 12.8.0",
        )
        for kind, share, monitor, field in (
            ("memorytune", SHARE, {}, "vcpus"),
            ("cachetune", {"monitor": {"level": 3, "vcpus": "0"}}, {}, "vcpus"),
            ("memorytune", {"vcpus": "0"}, {"monitor": {}}, "monitor[0].vcpus"),
            ("cachetune", {"vcpus": "0"}, {"monitor": {"level": 3}}, "monitor[0].vcpus"),
        )
    ),
    (
        "nfs_identity",
        {"libvirt": "11.3.0", "disks": [NFS]},
        {"libvirt": "11.2.0", "disks": [NFS]},
        "disks[0].source.identity: is missing before libvirt 11.3.0 (protocol is nfs)",
    ),
    (
        "source_encryption",
        encrypted("first", "second", engine="librbd"),
        encrypted("first", "second"),
        "disks[0].source.encryption.secret[1]: several are for engine librbd, one for each layer",
    ),
    (
        "acpi_tables",
        {"os": {"acpi": {"table": [{"type": "raw", "text": "/a"}, {"type": "raw", "text": "/b"}]}}},
        {"os": {"acpi": {"table": [{"type": "msdm", "text": "/a"}, {"type": "msdm", "text": "/b"}]}}},
        "os.acpi.table[1].type: msdm is taken by os.acpi.table[0]",
    ),
    (
        "image_formats",
        {"disks": [FILE]},
        {"disks": [FILE | {"driver": "raw"}]},
        "disks[0].source.dataStore: is for format qcow2, not raw",
    ),
    *(
        ("bus_options", {"disks": [DISK]}, {"disks": [DISK | more]}, f"disks[0].{line}")
        for more, line in (
            ({"model": "usb-bot"}, "model: usb-bot is for bus usb, not virtio"),
            ({"model": "virtio", "target": "sda"}, "model: virtio is for bus virtio, not scsi"),
            ({"target": {"dpofua": "on"}}, "target.dpofua: is for bus scsi, not virtio"),
            (
                {"target": {"bus": "usb"}, "driver": {"statistics": {"statistic": 1}}},
                "driver.statistics: is for bus virtio, scsi or ide, not usb",
            ),
        )
    ),
]
