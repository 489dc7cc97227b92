"""Buses of a guest: which controllers provide them, with which numbers, and how many devices each takes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kvmrender.checks.common import dig
from kvmrender.rules.check import Context

EXPRESS = ("q35", "virt")
"""Kinds of machine with PCI Express; others have conventional PCI."""

MOST_LETTERS = 64
"""Maximum length of a machine name that is compared; kinds are recognized by prefix."""
MOST_ROOTS = 31
"""Number of PCI roots that a pseries machine supports; libvirt adds those of missing buses."""


def machine_kind(context: Context, architecture: Context) -> str:
    """Return the kind of a machine: pc, q35, pseries, s390, virt, or "" for others."""
    machine = str(dig(context, "os", "type", "machine", default="pc"))[:MOST_LETTERS]
    known = architecture.get("machine_kinds", {})
    return next((kind for pattern, kind in known.items() if re.search(pattern, machine)), "")


def model_facts(architecture: Context, model: str | None) -> Context:
    """Return the facts about controllers of a model, from their schema part."""
    found: Context = dig(architecture, "devices", "controllers", "models", model or "", default={})
    return found


def pci_root(kind: str) -> str | None:
    """Return the model of PCI bus 0 for a kind of machine, or None if unknown."""
    return ("pcie-root" if kind in EXPRESS else "pci-root") if kind else None


def is_companion(controller: Context) -> bool:
    """Return whether a USB controller is a companion of another."""
    return "master" in controller or controller.get("model", "").startswith("ich9-uhci")


def indexes(context: Context, kind: str) -> Iterator[tuple[int, int, Context]]:
    """Yield the controllers of a type with their positions and their indices, given or assigned by libvirt."""
    found = [(place, item) for place, item in enumerate(context["controllers"]) if item["type"] == kind]
    taken = {item["index"] for _, item in found if "index" in item}
    following = 0
    for place, controller in found:
        index = controller.get("index")
        if index is None:
            while following in taken:
                following += 1
            # A companion has the index of the controller before it.
            index = following - 1 if is_companion(controller) and following else following
            if not is_companion(controller):
                taken.add(following)
        yield index, place, controller


def pci_buses(context: Context, kind: str) -> dict[int, str | None]:
    """Return the models of PCI buses by number, for a kind of machine."""
    return {0: pci_root(kind)} | {index: controller["model"] for index, _, controller in indexes(context, "pci")}


def usb_ports(context: Context, architecture: Context) -> dict[int, int]:
    """Return the number of ports of the guest's USB buses by bus number, without hubs."""
    usual = 2 if machine_kind(context, architecture) == "pc" else 4
    found = {0: usual} if architecture.get("usb_controller") == "added" else {}
    for index, _, controller in indexes(context, "usb"):
        if not is_companion(controller):
            known: int = model_facts(architecture, controller.get("model")).get("ports", usual)
            found[index] = controller.get("ports", known)
    return found
