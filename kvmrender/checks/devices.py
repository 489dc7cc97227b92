"""Checks of devices: what each may have, and what there may be one of."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import ALWAYS, Checks, Context, devices, dig, once
from kvmrender.errors import Path, Problem


def boot_orders(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two devices have one place in the boot order, and none has one beside os.boot."""
    found = [(path, order) for path, device in devices(context) if (order := dig(device, "boot", "order")) is not None]
    yield from once(((*path, "boot", "order"), order, str(order)) for path, order in found)
    if dig(context, "os", "boot"):
        for path, _ in found:
            said = "can't stand beside os.boot: order devices either by kind or one by one"
            yield Problem((*path, "boot"), said, related=(("os", "boot"),))


def pci_addresses(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two devices have one PCI address."""
    found: list[tuple[Path, tuple[int, ...], str]] = []
    for path, device in devices(context):
        address = device.get("address")
        if isinstance(address, dict) and address.get("type") == "pci" and "slot" in address:
            keys = ("domain", "bus", "slot", "function")
            number = tuple(
                int(text, 16 if text.startswith("0x") else 10) for text in (address.get(k, "0") for k in keys)
            )
            found.append(((*path, "address"), number, "{:04x}:{:02x}:{:02x}.{:x}".format(*number)))
    yield from once(found)


def aliases(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two devices have one alias."""
    named = ((path, dig(device, "alias", "name")) for path, device in devices(context))
    yield from once(((*path, "alias", "name"), name, repr(name)) for path, name in named if name)


def iommu_machine(context: Context, architecture: Context) -> Iterator[Problem]:
    """The IOMMU is one that the machine can have: intel with q35, smmuv3 on arm64."""
    model = dig(context, "iommu", "model")
    machine = str(dig(context, "os", "type", "machine", default="pc"))
    if model == "intel" and not (context["arch"] == "amd64" and "q35" in machine):
        yield Problem(("iommu", "model"), f"intel is for machine q35, not {machine}", related=(("machine",),))
    if model == "smmuv3" and context["arch"] != "arm64":
        yield Problem(("iommu", "model"), f"smmuv3 is for arm64, not {context['arch']}", related=(("arch",),))


CHECKS: Checks = {
    boot_orders: ALWAYS,
    pci_addresses: ALWAYS,
    aliases: ALWAYS,
    iommu_machine: ("iommu",),
}
