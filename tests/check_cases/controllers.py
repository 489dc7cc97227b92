"""Guests just inside and just outside of each check of kvmrender.checks.controllers."""

from __future__ import annotations

from typing import Any

from check_cases import Case, cells


def pci(model: str, index: int | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "pci", "model": model, **({} if index is None else {"index": index}), **more}


def usb(**more: Any) -> dict[str, Any]:
    return {"type": "usb", **more}


def usbs(*controllers: dict[str, Any]) -> dict[str, Any]:
    return {"controllers": [{"type": "usb", **controller} for controller in controllers]}


CASES: list[Case] = [
    (
        "controller_machine",
        {"machine": "pc", "controllers": ["ide"]},
        {"machine": "q35", "controllers": ["ide"]},
        "controllers[0].type: ide is for pc machines, not q35",
    ),
    (
        "controller_machine",
        {"machine": "q35", "controllers": [pci("pcie-root-port", 1)]},
        {"arch": "ppc64le", "controllers": [pci("pcie-root-port", 1)]},
        "controllers[0].model: pcie-root-port is for q35 or virt machines, not pseries",
    ),
    (
        "controller_machine",
        {"controllers": [pci("pci-root", 0, pcihole64={"text": 0})]},
        {"arch": "s390x", "controllers": [pci("pci-root", 0, pcihole64={"text": 0})]},
        "controllers[0].pcihole64: is for pc machines, not s390",
    ),
    (
        "controller_nodes",
        {
            "vcpu": 1,
            "cpu": cells("0"),
            "controllers": [pci("pci-expander-bus", 1, target={"node": 0})],
        },
        {
            "vcpu": 1,
            "cpu": cells("0"),
            "controllers": [pci("pci-expander-bus", 1, target={"node": 1})],
        },
        "controllers[0].target.node: 1 is not a NUMA node of the guest",
    ),
    (
        "controller_indexes",
        {"controllers": [{"type": "scsi", "index": 0}, {"type": "scsi", "index": 1}]},
        {"controllers": [{"type": "scsi", "index": 1}, {"type": "scsi", "index": 1}]},
        "controllers[1].index: 1 is taken by controllers[0]",
    ),
    (
        "controller_indexes",
        {"machine": "pc", "controllers": [{"type": "ide", "index": 0}]},
        {"machine": "pc", "controllers": [{"type": "ide", "index": 1}]},
        "controllers[0].index: 1 is not 0: a machine has one IDE controller",
    ),
    (
        "pci_roots",
        {"machine": "q35", "controllers": [pci("pcie-root"), pci("pcie-root-port")]},
        {"machine": "q35", "controllers": [pci("pcie-root-port")]},
        "controllers[0].index: 0 is the machine's pcie-root, not a pcie-root-port",
    ),
    (
        "pci_roots",
        {"arch": "ppc64le", "controllers": [pci("pci-root", 1)]},
        {"controllers": [pci("pci-root", 1)]},
        "controllers[0].index: 1 is not 0, as it is for a pci-root",
    ),
    (
        "pseries_roots",
        {"arch": "ppc64le", "controllers": [pci("pci-root", 1, target={"index": 1})]},
        {"arch": "ppc64le", "controllers": [pci("pci-root", 1, target={"index": 0})]},
        "controllers[0].target.index: 0 is not for index 1: index 0 has target 0, and it alone",
    ),
    (
        "pseries_roots",
        {"arch": "ppc64le", "controllers": [pci("pci-root", 30)]},
        {"arch": "ppc64le", "controllers": [pci("pci-root", 31)]},
        "controllers[0].index: 31 is too high: there would be more than 31 PCI roots",
    ),
    (
        "pci_parents",
        {"controllers": [pci("pci-bridge", 1), pci("pci-bridge", 2, address={"type": "pci", "bus": 1, "slot": 1})]},
        {"controllers": [pci("pci-bridge", 1, address={"type": "pci", "bus": 1, "slot": 1})]},
        "controllers[0].address.bus: 1 is not a lower index of a pci-root or pci-bridge or pci-expander-bus"
        " or dmi-to-pci-bridge or pcie-to-pci-bridge, which a pci-bridge is plugged into",
    ),
    (
        "pci_parents",
        {"machine": "q35", "controllers": [pci("dmi-to-pci-bridge", 1), pci("pci-bridge", 2)]},
        {"machine": "q35", "controllers": [pci("pci-bridge", 1)]},
        "controllers[0].model: pci-bridge needs a controller with a lower index to be plugged into:"
        " dmi-to-pci-bridge or pcie-to-pci-bridge",
    ),
    (
        "pci_parents",
        {"arch": "arm64", "controllers": [pci("pcie-to-pci-bridge", 2)]},
        {"arch": "arm64", "controllers": [pci("pcie-to-pci-bridge", 1)]},
        "controllers[0].model: pcie-to-pci-bridge needs a controller with a lower index to be plugged into:"
        " pcie-root-port or pcie-switch-downstream-port",
    ),
    (
        "usb_controllers",
        {"controllers": [usb(model="ich9-ehci1"), usb(model="ich9-uhci1", master=0)]},
        {"controllers": [usb(model="ich9-ehci1", index=0), usb(model="ich9-uhci1", index=1, master=0)]},
        "controllers[1]: there is no USB controller with index 1 that could be the master",
    ),
    (
        "no_usb",
        {"controllers": [usb(model="none")]},
        {"controllers": [usb(model="none"), usb(model="qemu-xhci")]},
        "controllers[0].model: none is for guests without other USB controllers",
    ),
    (
        "usb_ports",
        {"controllers": [usb(model="qemu-xhci", ports=15)]},
        {"controllers": [usb(model="piix3-uhci", ports=2)]},
        "controllers[0].ports: is for model nec-xhci or qemu-xhci, not piix3-uhci",
    ),
    (
        "usb_devices",
        {"arch": "arm64", "hubs": "usb", "controllers": [usb(model="qemu-xhci")]},
        {"arch": "arm64", "hubs": "usb"},
        "hubs[0]: is on USB, and the guest has none: it needs a controller, such as {type: usb, model: qemu-xhci}",
    ),
    (
        "usb_devices",
        {"inputs": "tablet"},
        {"inputs": "tablet", "controllers": [usb(model="none")]},
        "inputs[0]: is on USB, and the guest has none: it needs a controller, such as {type: usb, model: qemu-xhci}",
    ),
    (
        "scsi_queues",
        {"controllers": [{"type": "scsi", "model": "virtio-scsi", "driver": {"queues": 2}}]},
        {"controllers": [{"type": "scsi", "model": "lsilogic", "driver": {"queues": 2}}]},
        "controllers[0].driver.queues: is for model virtio-scsi, not lsilogic",
    ),
    (
        "usb_controllers",
        usbs({"model": "ehci", "index": 1}, {"model": "piix3-uhci", "index": 1, "master": {"startport": 0}}),
        usbs({"model": "piix3-uhci", "index": 1, "master": {"startport": 0}}),
        "controllers[0]: there is no USB controller with index 1 that could be the master",
    ),
    (
        "usb_controllers",
        usbs({"model": "ich9-ehci1", "index": 1}, {"model": "ich9-uhci1", "index": 1}),
        usbs({"model": "ich9-uhci1", "index": 1}),
        "controllers[0]: there is no USB controller with index 1 that could be the master",
    ),
    (
        "scsi_queues",
        {"arch": "s390x", "controllers": [{"type": "scsi", "driver": {"queues": 2}}]},
        {"arch": "amd64", "controllers": [{"type": "scsi", "driver": {"queues": 2}}]},
        "controllers[0].driver.queues: is for model virtio-scsi",
    ),
]
