"""Address types: the types that each device supports, from the ``facts`` of its schema part."""

from __future__ import annotations

from typing import Any

from kvmrender.checks.common import dig
from kvmrender.rules.check import Context

Kinds = tuple[str, ...]
VIRTIO: Kinds = ("ccw", "pci", "virtio-mmio")
_KINDS = {"virtio": VIRTIO, "none": ()}
_OF_SOME = ("ccw", "spapr-vio", "isa", "virtio-mmio")
"""Address types that only some architectures support, by their ``address_types``."""


def place(key: str, device: Context, architecture: Context) -> Kinds | None:
    """Return the address types that a device can have on any machine, the default first, or None if unknown."""
    found: Any = dig(architecture, "devices", key, "addresses")
    usual = dig(architecture, "usual_addresses", key)
    while isinstance(found, dict):
        ((field, table),) = found.items()
        value = dig(device, *field.split("."), default="")
        found = table.get(value, table.get("else"))
        if usual and not value and not isinstance(found, dict):
            found = usual
    return None if found is None else _KINDS.get(found, (found,)) if isinstance(found, str) else tuple(found)


def kinds(key: str, device: Context, architecture: Context) -> Kinds | None:
    """Return the types that machines of an architecture support."""
    found = place(key, device, architecture)
    there = architecture.get("address_types", ())
    return None if found is None else tuple(kind for kind in found if kind in there or kind not in _OF_SOME)


def sits_on(key: str, device: Context, architecture: Context) -> str | None:
    """Return the address type of a device, given or chosen by libvirt; None for none or an unknown one."""
    given: str | None = dig(device, "address", "type")
    return given or next(iter(kinds(key, device, architecture) or ()), None)
