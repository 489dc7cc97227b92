"""Where devices sit: the kinds of bus that each may be on, as tables."""

from __future__ import annotations

from typing import Any

from kvmrender.checks.common import Context, dig

Kinds = tuple[str, ...]
Table = dict[Any, Kinds]

VIRTIO: Kinds = ("ccw", "pci", "virtio-mmio")
PCI: Kinds = ("pci",)
USB: Kinds = ("usb",)
DRIVE: Kinds = ("drive",)
ISA: Kinds = ("isa",)
VIO: Kinds = ("spapr-vio",)
SERIAL: Kinds = ("virtio-serial",)
NONE: Kinds = ()

_VIRTIO_MODELS = dict.fromkeys(("virtio", "virtio-transitional", "virtio-non-transitional"), VIRTIO)
_SOUNDS = dict.fromkeys(("ich6", "ich9", "ac97", "es1370"), PCI) | dict.fromkeys(("sb16", "pcspk"), ISA)
_VIDEOS = dict.fromkeys(("vga", "cirrus", "vmvga", "qxl", "bochs"), PCI) | dict.fromkeys(("ramfb", "none"), NONE)
_CARDS = ("e1000", "e1000e", "igb", "rtl8139", "ne2k_pci", "pcnet", "vmxnet3")
_SERIALS = {"isa-serial": ISA, "isa-debug": ISA, "usb-serial": USB, "pci-serial": PCI, "spapr-vio-serial": VIO}
_SCSI = dict.fromkeys(("lsilogic", "lsisas1068", "lsisas1078", "dc390", "am53c974"), ("ccw", "pci"))

PLACES: dict[str, tuple[tuple[str, ...], Table]] = {
    "disks": (
        ("target", "bus"),
        {"virtio": VIRTIO, "usb": USB, **dict.fromkeys(("ide", "scsi", "sata", "fdc"), DRIVE)},
    ),
    "controllers": (
        ("type",),
        {"ide": PCI, "sata": PCI, "usb": PCI, "pci": PCI, "virtio-serial": VIRTIO, "ccid": USB, "fdc": NONE},
    ),
    "filesystems": ((), {None: VIRTIO}),
    "interfaces": (
        ("model", "type"),
        {None: VIRTIO, **_VIRTIO_MODELS, **dict.fromkeys(_CARDS, PCI), "usb-net": USB, "spapr-vlan": VIO},
    ),
    "smartcards": ((), {None: ("ccid",)}),
    "serials": (("target", "type"), {**_SERIALS, **dict.fromkeys(("system-serial", "sclp-serial"), NONE)}),
    "parallels": ((), {None: ISA}),
    "consoles": (
        ("target", "type"),
        {None: (*ISA, *VIO), "serial": (*ISA, *VIO), "virtio": SERIAL, "sclp": NONE, "sclplm": NONE},
    ),
    "channels": (("target", "type"), {"virtio": SERIAL, "guestfwd": NONE}),
    "inputs": (("bus",), {"usb": USB, "virtio": VIRTIO, "ps2": NONE}),
    "tpms": (
        ("model",),
        {"tpm-tis": ISA, "tpm-crb": ISA, "tpm-spapr": VIO, "spapr-tpm-proxy": NONE},
    ),
    "sounds": (("model",), {**_SOUNDS, "usb": USB}),
    "videos": (("model", "type"), {**_VIDEOS, "virtio": VIRTIO}),
    "hostdevs": (
        ("type",),
        {"pci": (*PCI, "unassigned"), "usb": USB, "scsi": DRIVE, "scsi_host": ("ccw", "pci")},
    ),
    "redirdevs": ((), {None: USB}),
    "hubs": ((), {None: USB}),
    "watchdogs": (("model",), {"i6300esb": PCI, "ib700": NONE, "diag288": NONE}),
    "memballoon": ((), {None: VIRTIO}),
    "rngs": ((), {None: VIRTIO}),
    "nvram": ((), {None: VIO}),
    "panics": (("model",), {"isa": ISA, "hyperv": NONE, "pseries": NONE, "s390": NONE}),
    "shmems": ((), {None: PCI}),
    "memory_devices": (
        ("model",),
        {**dict.fromkeys(("dimm", "nvdimm"), ("dimm",)), "sgx-epc": NONE}
        | dict.fromkeys(("virtio-mem", "virtio-pmem"), ("ccw", "pci")),
    ),
    "cryptos": ((), {None: VIRTIO}),
    "iommu": (("model",), {"virtio": PCI}),
    "vsock": ((), {None: VIRTIO}),
}
"""By the key of a device: the field that decides, and the kinds of address by its value, the usual one first."""

_FINER: dict[tuple[str, str], tuple[tuple[str, ...], Table]] = {
    ("controllers", "scsi"): (
        ("model",),
        {
            **dict.fromkeys((None, "auto"), ("ccw", *VIO, "pci", "virtio-mmio")),
            **_SCSI,
            **_VIRTIO_MODELS,
            "virtio-scsi": VIRTIO,
            "ibmvscsi": VIO,
            "ncr53c90": NONE,
        },
    ),
    ("controllers", "usb"): (("model",), {"none": NONE}),
    ("controllers", "pci"): (("model",), {"pci-root": NONE, "pcie-root": NONE}),
    ("hostdevs", "mdev"): (("model",), {"vfio-pci": PCI, "vfio-ccw": ("ccw",), "vfio-ap": NONE}),
}
"""The same by the key of a device and the value that decides first, where another field says more."""

_INPUTS: dict[str, Kinds] = {"passthrough": VIRTIO, "evdev": NONE}
_OF_SOME = ("ccw", "spapr-vio", "isa", "virtio-mmio")
"""The kinds of address that only some architectures have: ``address_types`` of these says which."""
_KINDS = {"virtio": VIRTIO, "none": NONE}


def place(key: str, device: Context, architecture: Context) -> Kinds | None:
    """Return the kinds of address that a device may have on all machines, the usual one first, or None where it can't
    be said."""
    if key not in PLACES:
        return None
    field, table = PLACES[key]
    value = dig(device, *field) if field else None
    found = table.get(value)
    if finer := _FINER.get((key, value)) if value else None:
        return finer[1].get(dig(device, *finer[0]), found)
    if field and value is None:
        usual = architecture.get("usual_addresses", {}).get(key)
        return _INPUTS.get(device["type"], USB) if key == "inputs" else _KINDS.get(usual, (usual,)) if usual else found
    return found


def kinds(key: str, device: Context, architecture: Context) -> Kinds | None:
    """Return those that machines of an architecture have."""
    found = place(key, device, architecture)
    there = architecture.get("address_types", ())
    return None if found is None else tuple(kind for kind in found if kind in there or kind not in _OF_SOME)


def sits_on(key: str, device: Context, architecture: Context) -> str | None:
    """Return the kind of address that a device has, given or chosen by libvirt; None for none, or an unknown one."""
    given: str | None = dig(device, "address", "type")
    return given or next(iter(kinds(key, device, architecture) or ()), None)
