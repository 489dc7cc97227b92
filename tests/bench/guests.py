"""The guests that are timed: two small ones, which are fixtures too, and a large one."""

from __future__ import annotations

from typing import Any

Guest = dict[str, Any]

SEED: Guest = {
    "name": "juju-someid",
    "arch": "arm64",
    "vcpu": 2,
    "memory": 1024,
    "os": {"loader": "/shared/readonly.fd"},
    "disks": [{"source": "/some/path", "driver": "qcow2"}, {"source": "/another/path", "driver": "raw"}],
    "interfaces": [{"source": "parent-dev", "mac": "52:54:00:00:00:01", "guest": "device-name"}],
    "serials": [{"source": {"path": "/dev/pts/2"}, "target": {"port": 0}}],
    "consoles": [{"tty": "/dev/pts/2", "source": {"path": "/dev/pts/2"}, "target": {"port": 0}}],
}
"""The guest of the Go package that kvmrender follows: all is given but the UUID. fixtures/seed/seed-arm64.yaml,
but for its MAC address of zeros, of which there is a note."""


def web(images: str = "/var/lib/libvirt/images") -> Guest:
    """A guest in short form, of which most is a default or derived. fixtures/web-1.yaml"""
    return {
        "name": "web-1",
        "arch": "arm64",
        "vcpu": 2,
        "memory": "4 GiB",
        "disks": [{"source": f"{images}/web-1.qcow2"}, {"source": f"{images}/web-1-seed.img"}],
        "interfaces": [{"source": "br0", "virtualport": "openvswitch"}],
    }


def large() -> Guest:
    """A guest with 20 disks, 10 interfaces and 20 other devices."""
    controllers = range(4)
    return {
        "name": "store-1",
        "arch": "arm64",
        "vcpu": 32,
        "memory": "128 GiB",
        "disks": [
            {
                "source": f"/var/lib/libvirt/images/store-1-{number}.qcow2",
                "driver": {"type": "qcow2", "cache": "none", "io": "native", "discard": "unmap"},
                "serial": f"store-1-{number}",
            }
            for number in range(20)
        ],
        "controllers": [{"type": "scsi", "index": index, "model": "virtio-scsi"} for index in controllers],
        "filesystems": [
            {"accessmode": "mapped", "source": f"/srv/share-{number}", "target": f"share-{number}"}
            for number in range(3)
        ],
        "interfaces": [
            {"source": f"br{number}", "virtualport": "openvswitch", "mtu": {"size": 9000}, "boot": number + 1}
            for number in range(10)
        ],
        "channels": [
            {"type": "unix", "target": {"type": "virtio", "name": f"org.qemu.guest_agent.{number}"}}
            for number in range(3)
        ],
        "inputs": [{"type": "keyboard", "bus": "virtio"}, {"type": "tablet", "bus": "virtio"}],
        "graphics": [{"type": "vnc", "autoport": True}],
        "videos": [{"model": {"type": "virtio", "heads": 1}}],
        "hostdevs": [
            {
                "mode": "subsystem",
                "type": "pci",
                "managed": True,
                "source": {"address": {"domain": "0x0000", "bus": f"0x{bus:02x}", "slot": "0x00", "function": "0x0"}},
            }
            for bus in (3, 4)
        ],
        "memballoon": {"model": "virtio", "stats": {"period": 10}},
        "rngs": [{"model": "virtio", "backend": {"model": "random", "text": "/dev/urandom"}}],
    }


GUESTS = {"seed-arm64": SEED, "web-1": web(), "large": large()}
