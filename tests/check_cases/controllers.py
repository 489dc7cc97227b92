"""Guests just inside and just outside of each check of kvmrender.checks.controllers."""

from __future__ import annotations

from typing import Any

from check_cases import Case, example


def pci(model: str, index: int | None = None, **more: Any) -> dict[str, Any]:
    return {"type": "pci", "model": model, **({} if index is None else {"index": index}), **more}


def usb(**more: Any) -> dict[str, Any]:
    return {"type": "usb", **more}


def usbs(*controllers: dict[str, Any]) -> dict[str, Any]:
    return {"controllers": [{"type": "usb", **controller} for controller in controllers]}


def shared(driver: dict[str, Any], *iothreads: Any) -> dict[str, Any]:
    """Return a SCSI controller whose iothreads share its queues."""
    return {"type": "scsi", "model": "virtio-scsi", "driver": {**driver, "iothreads": {"iothread": [*iothreads]}}}


CASES: list[Case] = [
    *(
        (
            "iothread_queues",
            {"iothreads": 2, "controllers": [shared({"queues": 2}, {"id": 1, "queue": [0, 1]})]},
            *refused,
        )
        for refused in (
            (
                {"iothreads": 2, "controllers": [shared({"queues": 2}, 1, 1)]},
                "controllers[0].driver.iothreads.iothread[1].id: 1 is taken by"
                " controllers[0].driver.iothreads.iothread[0]",
            ),
            (
                {"iothreads": 2, "controllers": [shared({}, {"id": 1, "queue": [0]})]},
                "controllers[0].driver.queues: is missing: the number of queues is required if iothreads list theirs",
            ),
            (
                {"iothreads": 2, "controllers": [shared({"iothread": 1}, 2)]},
                "controllers[0].driver.iothread: is not for a device with driver.iothreads",
            ),
        )
    ),
    (
        "iothreads",
        {"iothreads": 2, "controllers": [shared({}, 2)]},
        {"iothreads": 2, "controllers": [shared({}, 3)]},
        "controllers[0].driver.iothreads.iothread[0].id: 3 is not an iothread: there are 2",
    ),
    (
        "controller_machine",
        *example("controller-machine"),
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
        *example("controller-nodes"),
        "controllers[0].target.node: 1 is not a NUMA node of the guest",
    ),
    (
        "controller_indexes",
        *example("controller-indexes"),
        "controllers[1].index: 1 is taken by controllers[0]",
    ),
    (
        "ide_index",
        {"machine": "pc", "controllers": [{"type": "ide", "index": 0}]},
        {"machine": "pc", "controllers": [{"type": "ide", "index": 1}]},
        "controllers[0].index: 1 is not 0: a machine has only one IDE controller",
    ),
    (
        "pci_roots",
        {"machine": "q35", "controllers": [pci("pcie-root"), pci("pcie-root-port")]},
        {"machine": "q35", "controllers": [pci("pcie-root-port")]},
        "controllers[0].index: 0 is the machine's pcie-root, not a pcie-root-port",
    ),
    (
        "pci_roots",
        *example("pci-roots"),
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
        *example("pseries-roots"),
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
        *example("pci-parents"),
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
        "no_usb",
        {"controllers": [usb(model="qemu-xhci")]},
        {"controllers": [usb(model="qemu-xhci")], "extra": {"devices": "<controller type='usb' model='none'/>"}},
        "controllers[0].type: is not for a guest with a USB controller of model none",
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
        "hubs[0]: needs a USB controller: add one to controllers, such as {type: usb, model: qemu-xhci}",
    ),
    (
        "usb_devices",
        {"inputs": "tablet"},
        {"inputs": "tablet", "controllers": [usb(model="none")]},
        "inputs[0]: needs a USB controller: add one to controllers, such as {type: usb, model: qemu-xhci}",
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
        *example("usb-controllers"),
        "controllers[0]: there is no USB controller with index 1 that could be the master",
    ),
    (
        "scsi_queues",
        {"arch": "s390x", "controllers": [{"type": "scsi", "driver": {"queues": 2}}]},
        {"arch": "amd64", "controllers": [{"type": "scsi", "driver": {"queues": 2}}]},
        "controllers[0].driver.queues: is for model virtio-scsi",
    ),
    (
        "scsi_queues",
        {"arch": "arm64", "controllers": [{"type": "scsi", "driver": {"queues": 2}}]},
        {"arch": "arm64", "libvirt": "11.5", "controllers": [{"type": "scsi", "driver": {"queues": 2}}]},
        "controllers[0].driver.queues: needs model virtio-scsi before libvirt 11.6.0",
    ),
    (
        "usb_ports",
        {"arch": "arm64", "libvirt": "9.0", "controllers": [usb(ports=4)]},
        {"machine": "q35", "controllers": [usb(ports=4)]},
        "controllers[0].ports: is for model nec-xhci or qemu-xhci",
    ),
    (
        "usb_ports",
        {"arch": "riscv64", "libvirt": "11.9", "controllers": [usb(ports=4)]},
        {"arch": "riscv64", "libvirt": "11.8", "controllers": [usb(ports=4)]},
        "controllers[0].ports: needs model nec-xhci or qemu-xhci before libvirt 11.9.0",
    ),
]
