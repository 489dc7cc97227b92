"""Guests just inside and just outside of each check of kvmrender.checks.addresses."""

from __future__ import annotations

from typing import Any

from check_cases import DISK, NIC, Case, example


def rng(kind: str, **address: Any) -> dict[str, Any]:
    return {"backend": "builtin", "address": {"type": kind, **address}}


def hostdev(bus: int, slot: int) -> dict[str, Any]:
    address = {"type": "pci", "bus": bus, "slot": slot}
    return {"type": "pci", "driver": "vfio", "source": {"address": {"bus": 7}}, "address": address}


CCW = {"cssid": "0xfe", "ssid": "0x0", "devno": "0x0001"}
ROOT_PORT = {"type": "pci", "index": 1, "model": "pcie-root-port"}
NO_USB = {"type": "usb", "model": "none"}
HUB = {"type": "usb", "address": {"type": "usb", "bus": 0, "port": 1}}

PSTORE = {"backend": "acpi-erst", "path": "/a", "size": 65536}


def virtio_ports(*ports: str) -> dict[str, Any]:
    places = [{"type": "virtio-serial", "controller": "0", "port": port} for port in ports]
    return {"channels": [{"target": f"org.a.{number}", "address": place} for number, place in enumerate(places)]}


def scsi_host(bus: str) -> dict[str, Any]:
    source = {"adapter": "scsi_host0", "address": {"bus": "0", "target": "0", "unit": "0"}}
    return {"type": "scsi", "source": source, "address": {"type": "drive", "bus": bus}}


def usb_tree(hubs: list[str], *inputs: str) -> dict[str, Any]:
    def at(port: str) -> dict[str, Any]:
        return {"address": {"type": "usb", "bus": "0", "port": port}}

    return {
        "controllers": [{"type": "usb", "model": "qemu-xhci", "ports": 8}],
        "hubs": [{"type": "usb", **at(port)} for port in hubs],
        "inputs": [{"type": "tablet", "bus": "usb", **at(port)} for port in inputs],
    }


CASES: list[Case] = [
    (
        "address_types",
        {"arch": "arm64", "tpms": [{"backend": "emulator"}]},
        {"arch": "arm64", "tpms": [{"backend": "emulator", "address": {"type": "drive"}}]},
        "tpms[0].address.type: 'drive' is not an address type of this device: it has none",
    ),
    (
        "address_types",
        {"smartcards": [{"mode": "host", "address": {"type": "ccid", "controller": 0, "slot": 0}}]},
        {"pstore": PSTORE | {"address": {"type": "ccid", "controller": 0, "slot": 0}}},
        "pstore.address.type: 'ccid' is the address type of smartcards",
    ),
    (
        "address_types",
        {"serials": [{"target": "pci-serial", "address": {"type": "pci", "slot": "5"}}]},
        {"serials": [{"address": {"type": "pci", "slot": "5"}}]},
        "serials[0].address.type: 'pci' is not an address type of this device: it is isa",
    ),
    (
        "address_types",
        {"serials": [], "consoles": [{"address": {"type": "isa"}}]},
        {"arch": "arm64", "serials": [], "consoles": [{"address": {"type": "isa"}}]},
        "consoles[0].address.type: 'isa' is not an address type of this device: it has none",
    ),
    (
        "address_types",
        {"rngs": [rng("pci", slot=5)]},
        {"rngs": [rng("usb", bus=0)]},
        "rngs[0].address.type: 'usb' is not an address type of this device: it is pci or virtio-mmio",
    ),
    (
        "address_types",
        {"arch": "s390x", "rngs": [rng("ccw", **CCW)]},
        {"arch": "arm64", "rngs": [rng("ccw", **CCW)]},
        "rngs[0].address.type: 'ccw' is not an address type of this device: it is pci or virtio-mmio",
    ),
    (
        "address_types",
        *example("address-types"),
        "inputs[0].address.type: 'isa' is not an address type of this device: it is usb",
    ),
    (
        "on_pci",
        {"arch": "s390x", "rngs": [rng("pci", slot=5) | {"acpi": 5}]},
        {"arch": "s390x", "rngs": [{"backend": "builtin", "acpi": 5}]},
        "rngs[0].acpi: is for devices on PCI: this one is on ccw",
    ),
    (
        "on_pci",
        {"interfaces": [NIC | {"model": "e1000", "rom": {"bar": "on"}}]},
        {"interfaces": [NIC | {"model": "usb-net", "rom": {"bar": "on"}}]},
        "interfaces[0].rom: is for devices on PCI: this one is on usb",
    ),
    (
        "same_addresses",
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
        "same_addresses",
        {"rngs": [rng("pci", slot=0), rng("pci", slot=0)]},
        {"arch": "s390x", "rngs": [rng("ccw", **CCW), rng("ccw", **CCW)]},
        "rngs[1].address: ccw address fe:0:1 is taken by rngs[0]",
    ),
    (
        "same_addresses",
        *example("same-addresses"),
        "disks[1].address: drive address 0:0:0:0 is taken by disks[0]",
    ),
    (
        "pci_slots",
        {"rngs": [rng("pci", bus=5, slot=1)], "controllers": [{"type": "pci", "index": 5, "model": "pci-bridge"}]},
        {"rngs": [rng("pci", bus=5, slot=0)], "controllers": [{"type": "pci", "index": 5, "model": "pci-bridge"}]},
        "rngs[0].address.slot: 0 is not a slot of bus 5, a pci-bridge: it has 1 to 31",
    ),
    (
        "pci_slots",
        {"machine": "q35", "rngs": [rng("pci", bus=1, slot=0)], "controllers": [ROOT_PORT]},
        {"machine": "q35", "rngs": [rng("pci", bus=1, slot=1)], "controllers": [ROOT_PORT]},
        "rngs[0].address.slot: 1 is not a slot of bus 1, a pcie-root-port: it has 0 alone",
    ),
    (
        "pci_slots",
        {"arch": "arm64", "rngs": [rng("pci", bus=5, slot=0)]},
        {"arch": "arm64", "rngs": [rng("pci", bus=5, slot=1)]},
        "rngs[0].address.slot: 1 is not a slot of bus 5, a bus that is added: it has 0 alone",
    ),
    (
        "pci_slots",
        {"arch": "arm64", "sounds": [{"model": "ac97", "address": {"type": "pci", "bus": 5, "slot": 1}}]},
        {"arch": "arm64", "sounds": [{"model": "ac97", "address": {"type": "pci", "bus": 5, "slot": 0}}]},
        "sounds[0].address.slot: 0 is not a slot of bus 5, a bus that is added: it has 1 to 31",
    ),
    (
        "pci_slots",
        {"machine": "q35", "hostdevs": [hostdev(5, 0)]},
        {"machine": "q35", "hostdevs": [hostdev(5, 1)]},
        "hostdevs[0].address.slot: 1 is not a slot of bus 5, a bus that is added: it has 0 alone",
    ),
    (
        "pci_slots",
        {"arch": "ppc64le", "rngs": [rng("pci", bus=30, slot=1)]},
        {"arch": "ppc64le", "rngs": [rng("pci", bus=31, slot=1)]},
        "rngs[0].address.bus: 31 is not a bus of a pseries machine: they are 0 to 30",
    ),
    (
        "pci_machine",
        {"machine": "pc-i440fx-8.2", "rngs": [rng("pci", slot=1, function=2)], "controllers": [NO_USB]},
        {"machine": "pc-i440fx-8.2", "rngs": [rng("pci", slot=1, function=2)], "controllers": [{"type": "usb"}]},
        "rngs[0].address: 01.2 is taken by the machine's own USB",
    ),
    (
        "pci_machine",
        *example("pci-machine"),
        "rngs[0].address: 01.3 is taken by the machine's own ACPI",
    ),
    (
        "pci_machine",
        {"machine": "q35", "rngs": [rng("pci", slot=31, function=1)]},
        {"machine": "q35", "rngs": [rng("pci", slot=31, function=2)]},
        "rngs[0].address: 1f.2 is taken by the machine's own SATA",
    ),
    (
        "pci_machine",
        {"arch": "s390x", "rngs": [rng("pci", slot=1, zpci={"uid": 1})]},
        {"arch": "arm64", "rngs": [rng("pci", slot=1, zpci={"uid": 1})]},
        "rngs[0].address.zpci: is for s390x, not arm64",
    ),
    (
        "usb_addresses",
        {"hubs": [HUB, {"type": "usb", "address": {"type": "usb", "bus": 0, "port": "1.8"}}]},
        {"hubs": [HUB, {"type": "usb", "address": {"type": "usb", "bus": 0, "port": "1.9"}}]},
        "hubs[1].address.port: 1.9 is not a port of USB bus 0: they are 1 to 8 there",
    ),
    (
        "usb_addresses",
        *example("usb-addresses"),
        "inputs[0].address.port: 3 is not a port of USB bus 0: they are 1 to 2 there",
    ),
    (
        "usb_addresses",
        {
            "controllers": [{"type": "usb", "index": 1, "model": "qemu-xhci", "ports": 9}],
            "inputs": [{"type": "tablet", "address": {"type": "usb", "bus": 1, "port": 9}}],
        },
        {
            "controllers": [{"type": "usb", "index": 1, "model": "qemu-xhci"}],
            "inputs": [{"type": "tablet", "address": {"type": "usb", "bus": 2}}],
        },
        "inputs[0].address.bus: 2 is not a USB bus: those are 0 and 1",
    ),
    (
        "usb_addresses",
        {"hubs": [HUB, {"type": "usb", "address": {"type": "usb", "bus": 0, "port": "1.2"}}]},
        {"hubs": [HUB, {"type": "usb", "address": {"type": "usb", "bus": 0, "port": "2.2"}}]},
        "hubs[1].address.port: there is no hub at port 2 of bus 0",
    ),
    (
        "usb_addresses",
        {"hubs": [HUB, {"type": "usb", "address": {"type": "usb", "bus": 0, "port": 2}}]},
        {"hubs": [HUB, {"type": "usb", "address": {"type": "usb", "bus": 0, "port": 1}}]},
        "hubs[1].address: USB port 1 of bus 0 is taken by hubs[0]",
    ),
    (
        "drive_addresses",
        {"disks": [DISK | {"target": "sda", "address": {"type": "drive", "target": 1}}]},
        {"disks": [DISK | {"target": "sda", "address": {"type": "drive", "bus": 1}}]},
        "disks[0].address.bus: 1 is not 0, which drives on bus scsi must have",
    ),
    (
        "virtio_serial_ports",
        *example("virtio-serial-ports"),
        "channels[0].address.port: 31 is not a port of virtio-serial controller 0: they are 0 to 30",
    ),
    (
        "on_pci",
        *example("on-pci"),
        "inputs[0].acpi: is for devices on PCI: this one is on usb",
    ),
    (
        "same_addresses",
        virtio_ports("0", "0") | {"title": "libvirt chooses both"},
        virtio_ports("1", "1"),
        "channels[1].address: virtio-serial address 0:1 is taken by channels[0]",
    ),
    (
        "virtio_serial_ports",
        virtio_ports("3") | {"controllers": [{"type": "virtio-serial", "index": 0, "ports": 4}]},
        virtio_ports("4") | {"controllers": [{"type": "virtio-serial", "index": 0, "ports": 4}]},
        "channels[0].address.port: 4 is not a port of virtio-serial controller 0: they are 0 to 3",
    ),
    (
        "pci_slots",
        *example("pci-slots"),
        "videos[0].address.slot: 1 is not a slot of bus 5, a bus that is added: it has 0 alone",
    ),
    (
        "drive_addresses",
        {"hostdevs": [scsi_host("0")]},
        {"hostdevs": [scsi_host("1")]},
        "hostdevs[0].address.bus: 1 is not 0, which drives on bus scsi must have",
    ),
    (
        "usb_addresses",
        usb_tree(["1"], "1.1", "2"),
        usb_tree([], "1", "1.1"),
        "inputs[1].address.port: there is no hub at port 1 of bus 0",
    ),
    (
        "usb_addresses",
        usb_tree(["1", "1.1"], "1.1.1"),
        usb_tree(["1"], "1.1.1"),
        "inputs[0].address.port: there is no hub at port 1.1 of bus 0",
    ),
    (
        "pci_slots",
        {"machine": "q35", "cryptos": [{"address": {"type": "pci", "bus": 1, "slot": 1}}]},
        {"machine": "q35", "cryptos": [{"address": {"type": "pci", "bus": 1, "slot": 0}}]},
        "cryptos[0].address.slot: 0 is not a slot of bus 1, a bus that is added: it has 1 to 31",
    ),
]
