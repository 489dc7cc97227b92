"""The buses of a guest: which controllers make them, with what numbers, and what each has room for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmrender.checks.common import Context, dig

EXPRESS = ("q35", "virt")
"""The kinds of machine whose PCI is PCI Express; others have the older PCI."""

MOST_LETTERS = 64
"""Letters of a machine's name that are looked at: kinds are told by their beginnings."""
MOST_ROOTS = 31
"""PCI roots that a pseries machine can have; libvirt adds them for the buses that are missing."""


def machine_kind(context: Context, architecture: Context) -> str:
    """Return the kind of machine: pc, q35, pseries, s390, virt, or "" for others."""
    machine = str(dig(context, "os", "type", "machine", default="pc"))[:MOST_LETTERS]
    known = architecture.get("machine_kinds", {})
    return next((kind for pattern, kind in known.items() if re.search(pattern, machine)), "")


def model_facts(architecture: Context, model: str | None) -> Context:
    """Return what controllers of a model are, by the ``facts`` of their schema part."""
    found: Context = dig(architecture, "devices", "controllers", "models", model or "", default={})
    return found


def pci_root(kind: str) -> str | None:
    """Return the model of PCI bus 0 of a kind of machine, or None where it isn't known."""
    return ("pcie-root" if kind in EXPRESS else "pci-root") if kind else None


def is_companion(controller: Context) -> bool:
    """Say whether a USB controller serves ports of another."""
    return "master" in controller or controller.get("model", "").startswith("ich9-uhci")


def indexes(context: Context, kind: str) -> Iterator[tuple[int, int, Context]]:
    """Yield the controllers of a kind with their positions, and the numbers that they have or that libvirt gives."""
    found = [(place, item) for place, item in enumerate(context["controllers"]) if item["type"] == kind]
    taken = {item["index"] for _, item in found if "index" in item}
    following = 0
    for place, controller in found:
        index = controller.get("index")
        if index is None:
            while following in taken:
                following += 1
            # A companion has the number of the controller before it.
            index = following - 1 if is_companion(controller) and following else following
            if not is_companion(controller):
                taken.add(following)
        yield index, place, controller


def pci_buses(context: Context, kind: str) -> dict[int, str | None]:
    """Return the models of the PCI buses by their numbers, for a kind of machine."""
    return {0: pci_root(kind)} | {index: controller["model"] for index, _, controller in indexes(context, "pci")}


def usb_ports(context: Context, architecture: Context) -> dict[int, int]:
    """Return the ports of the guest's USB buses by their numbers, without what hubs add."""
    usual = 2 if machine_kind(context, architecture) == "pc" else 4
    found = {0: usual} if architecture.get("usb_controller") == "added" else {}
    for index, _, controller in indexes(context, "usb"):
        if not is_companion(controller):
            known: int = model_facts(architecture, controller.get("model")).get("ports", usual)
            found[index] = controller.get("ports", known)
    return found
