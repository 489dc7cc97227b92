"""Checks of disks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kvmrender.checks.common import Checks, Context, dig, once
from kvmrender.context.derivation import FORMAT_BY_ENDING, format_is_open
from kvmrender.context.device_names import PREFIX_BY_BUS
from kvmrender.errors import Path, Problem, listed

DRIVES = ("cdrom", "floppy")
BUSES_BY_DEVICE = {
    "disk": ("virtio", "scsi", "sata", "ide", "usb", "sd"),
    "lun": ("virtio", "scsi"),
    "cdrom": ("scsi", "sata", "ide", "usb"),
    "floppy": ("fdc",),
}
"""The buses that take each kind of device."""
LAST_BY_BUS = {"ide": "hdd", "fdc": "fdb"}
"""The last name of a bus of which a machine has one."""
DEVICES_BY_OPTION: dict[tuple[str, ...], tuple[str, ...]] = {
    ("source", "reservations"): ("lun",),
    ("target", "tray"): DRIVES,
    ("target", "rotation_rate"): ("disk",),
    ("wwn",): ("disk", *DRIVES),
    ("vendor",): ("disk", *DRIVES),
    ("product",): ("disk", *DRIVES),
    ("source", "slices"): ("disk", *DRIVES),
    ("source", "encryption"): ("disk", *DRIVES),
    ("encryption",): ("disk", *DRIVES),
}
"""The kinds of device that know an option."""
NOT_FOR_DEVICE = {
    device: {option: known for option, known in DEVICES_BY_OPTION.items() if device not in known}
    for device in BUSES_BY_DEVICE
}
NOT_FOR_VHOST_USER: tuple[tuple[str, ...], ...] = (
    *(("driver", name) for name in ("error_policy", "rerror_policy", "io", "ioeventfd", "copy_on_read", "discard")),
    *(("driver", name) for name in ("cache", "iothread", "detect_zeroes", "metadata_cache")),
    *((name,) for name in ("iotune", "backingStore", "encryption", "serial", "wwn", "vendor", "product", "auth")),
    *((name,) for name in ("geometry", "blockio")),
)
"""What a disk of type vhostuser can't have."""


def formats(context: Context, architecture: Context) -> Iterator[Problem]:
    """The format of each image file is known."""
    for number, disk in enumerate(context["disks"]):
        if format_is_open(disk):
            said = f"is missing: a file's name tells its format only if it ends in {', '.join(FORMAT_BY_ENDING)}"
            yield Problem(("disks", number, "driver", "type"), said)


def targets(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two disks have one target."""
    for_each = enumerate(context["disks"])
    names = ((("disks", number, "target", "dev"), disk["target"]["dev"]) for number, disk in for_each)
    yield from once((path, name, repr(name)) for path, name in names)


def target_names(context: Context, architecture: Context) -> Iterator[Problem]:
    """A disk's target is one of its bus's names, of which ide and fdc have few."""
    for number, disk in enumerate(context["disks"]):
        name, bus = disk["target"]["dev"], disk["target"]["bus"]
        path, bus_path = ("disks", number, "target", "dev"), ("disks", number, "target", "bus")
        last = LAST_BY_BUS.get(bus, "")
        if bus and not name.startswith(PREFIX_BY_BUS[bus]):
            said = f"{name!r} is not a name of bus {bus}: those begin with {PREFIX_BY_BUS[bus]}"
            yield Problem(path, said, related=(bus_path,))
        elif last and (len(name), name) > (len(last), last):
            yield Problem(path, f"{name!r} is not a name of bus {bus}: the last one is {last}", related=(bus_path,))


def buses(context: Context, architecture: Context) -> Iterator[Problem]:
    """The machine has the bus of each disk, and the bus takes its kind of device."""
    machine = str(dig(context, "os", "type", "machine", default=""))
    known: list[Any] = next(
        (found for pattern, found in architecture.get("machine_buses", {}).items() if re.search(pattern, machine)), []
    )
    for number, disk in enumerate(context["disks"]):
        bus, path = disk["target"]["bus"], ("disks", number, "target", "bus")
        if bus and known and bus not in known:
            name = f"machine {machine}" if machine else f"the usual machine of {context['arch']}"
            yield Problem(path, f"{bus!r} is not a bus of {name} (which has {', '.join(known)})")
        elif bus and bus not in BUSES_BY_DEVICE[disk["device"]]:
            yield Problem(path, f"{bus!r} is not a bus for a {disk['device']}")


def device_options(context: Context, architecture: Context) -> Iterator[Problem]:
    """A disk has what its kind of device knows: a tray is a drive's, reservations are a lun's."""
    for number, disk in enumerate(context["disks"]):
        device = disk["device"]
        for option, known in NOT_FOR_DEVICE[device].items():
            if option[0] in disk and _has(disk, *option):
                said = f"is for device {listed(known, 'or')}, not {device}"
                yield Problem(("disks", number, *option), said, related=(("disks", number, "device"),))
        if device not in DRIVES and (disk.get("source") or {}).get("startupPolicy") == "requisite":
            path = ("disks", number, "source", "startupPolicy")
            yield Problem(path, f"requisite is for device {listed(DRIVES, 'or')}, not {device}")
        if device == "lun" and "serial" in disk and disk["target"]["bus"] == "scsi":
            yield Problem(("disks", number, "serial"), "is not for a lun on bus scsi, which has its own")


def read_only(context: Context, architecture: Context) -> Iterator[Problem]:
    """Disks on ide and sata, and those with copy_on_read, can be written to; folders can't."""
    for number, disk in enumerate(context["disks"]):
        reading, bus, driver = is_read_only(disk), disk["target"]["bus"], disk["driver"] or {}
        if not reading and disk["type"] != "dir" and "copy_on_read" not in driver:
            continue
        path: Path = ("disks", number, "readonly")
        if reading and disk["device"] == "disk" and bus in ("ide", "sata"):
            yield Problem(path, f"a disk on bus {bus} can't be read-only")
        if disk["type"] == "dir" and not reading:
            yield Problem(path, "is missing: a folder can only be read")
        if driver.get("copy_on_read") == "on" and (reading or disk["device"] != "disk"):
            yield Problem(("disks", number, "driver", "copy_on_read"), "is for a disk that can be written to")


def transient(context: Context, architecture: Context) -> Iterator[Problem]:
    """A transient disk is a file that can be written to; others share it on usb, virtio and scsi."""
    for number, disk in enumerate(context["disks"]):
        if (found := disk.get("transient")) is None:
            continue
        path, bus = ("disks", number, "transient"), disk["target"]["bus"]
        if disk["device"] != "disk" or disk["type"] != "file" or is_read_only(disk):
            yield Problem(path, "is for a disk of type file that can be written to")
        if found.get("shareBacking") == "yes" and bus not in (None, "usb", "virtio", "scsi"):
            yield Problem((*path, "shareBacking"), f"is for bus usb, virtio or scsi, not {bus}")


def shareable(context: Context, architecture: Context) -> Iterator[Problem]:
    """Disks that guests share have format raw, or can't be written to."""
    for number, disk in enumerate(context["disks"]):
        if disk.get("shareable") is not None and not is_read_only(disk):
            usual = None if disk["type"] == "volume" else "raw"
            if dig(disk, "driver", "type", default=usual) != "raw":
                said = "is for a disk of format raw, or one that is readonly"
                yield Problem(("disks", number, "shareable"), said, related=(("disks", number, "driver", "type"),))


def caches(context: Context, architecture: Context) -> Iterator[Problem]:
    """Disks with io native, and those of type vhostvdpa, have cache none or directsync."""
    for number, disk in enumerate(context["disks"]):
        driver = disk["driver"] or {}
        wanted = "io native" if driver.get("io") == "native" else ""
        wanted = "type vhostvdpa" if disk["type"] == "vhostvdpa" else wanted
        if wanted and driver.get("cache") not in ("none", "directsync"):
            yield Problem(("disks", number, "driver", "cache"), f"is to be none or directsync with {wanted}")


def iotune_groups(context: Context, architecture: Context) -> Iterator[Problem]:
    """Disks of one group have the same limits, or leave them to the group's other disks."""
    limits: dict[str, tuple[int, Context]] = {}
    groups: list[tuple[int, str, Context]] = []
    for number, disk in enumerate(context["disks"]):
        if name := dig(disk, "iotune", "group_name"):
            groups.append((number, name, {key: value for key, value in disk["iotune"].items() if value}))
    for number, name, found in groups:
        if len(found) > 1 and limits.setdefault(name, (number, found))[1] != found:
            other = limits[name][0]
            said = f"has other limits for group {name!r} than disks[{other}]"
            yield Problem(("disks", number, "iotune"), said, related=(("disks", other, "iotune"),))
    for number, name, _ in groups:
        if name not in limits:
            yield Problem(("disks", number, "iotune", "group_name"), f"group {name!r} has no limits")


def vhost_user(context: Context, architecture: Context) -> Iterator[Problem]:
    """Disks of type vhostuser are on bus virtio, and have nothing that QEMU would do itself."""
    for number, disk in enumerate(context["disks"]):
        if disk["type"] != "vhostuser":
            continue
        for option in NOT_FOR_VHOST_USER:
            if dig(disk, *option) not in (None, {}):
                yield Problem(("disks", number, *option), "is not for type vhostuser")
        for name in ("readonly", "shareable", "transient"):
            if disk.get(name) is not None:
                yield Problem(("disks", number, name), "is not for type vhostuser")
        if disk["device"] != "disk":
            yield Problem(("disks", number, "device"), f"{disk['device']} is not for type vhostuser")
        if disk["target"]["bus"] not in (None, "virtio"):
            said = f"{disk['target']['bus']} is not for type vhostuser, which is on virtio"
            yield Problem(("disks", number, "target", "bus"), said)
        if disk.get("snapshot", "no") != "no":
            yield Problem(("disks", number, "snapshot"), f"{disk['snapshot']} is not for type vhostuser")


def _has(disk: Context, name: str, inside: str = "") -> bool:
    """Say whether a disk has a value, or one inside it, that is not empty."""
    found = disk[name]
    if inside:
        found = found and found.get(inside)
    return found not in (None, "")


def is_read_only(disk: Context) -> bool:
    """Say whether a guest can't write to a disk."""
    return disk["device"] == "cdrom" or disk.get("readonly") is not None


CHECKS: Checks = {
    formats: ("disks",),
    targets: ("disks.target",),
    target_names: ("disks.target",),
    buses: ("disks.target", "disks.device", "machine", "os.type"),
    device_options: (
        *(f"disks.{option[-1]}" for option in DEVICES_BY_OPTION),
        "disks.startupPolicy",
        ("disks.serial", "disks.device"),
    ),
    read_only: ("disks.readonly", "disks.copy_on_read", "disks.dir", "/disks/type"),
    transient: ("disks.transient",),
    shareable: ("disks.shareable",),
    caches: ("disks.io", "/disks/type"),
    iotune_groups: ("disks.iotune",),
    vhost_user: ("/disks/type", "disks.path"),
}
