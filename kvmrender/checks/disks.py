"""Checks of disks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kvmrender.checks.common import check, dig
from kvmrender.context.device_names import PREFIX_BY_BUS, letters_of
from kvmrender.errors import NOTE, Problem
from kvmrender.rules.check import Context

LAST_BY_BUS = {"ide": "hdd", "fdc": "fdb"}
"""Last device name of buses of which a machine has one."""


@check("disks.target")
def target_names(context: Context, architecture: Context) -> Iterator[Problem]:
    """Floppies, and no other disks, have names that begin with fd; ide and fdc have a limited number of names."""
    for number, disk in enumerate(context["disks"]):
        name, bus, device = disk["target"]["dev"], disk["target"]["bus"], disk["device"]
        path, bus_path = ("disks", number, "target", "dev"), ("disks", number, "target", "bus")
        letters, last = letters_of(name), LAST_BY_BUS.get(bus, "")
        if device == "floppy" and not name.startswith("fd"):
            yield Problem(path, f"{name!r} is not a name of a floppy: those begin with fd", related=(bus_path,))
        elif device != "floppy" and name.startswith("fd"):
            yield Problem(path, f"{name!r} is a name of a floppy, and this is a {device}", related=(bus_path,))
        elif last and (len(letters), letters) > (len(last) - 2, last[2:]):
            yield Problem(path, f"{name!r} is not a name of bus {bus}: the last one is {last}", related=(bus_path,))


@check("disks.target", level=NOTE)
def target_bus(context: Context, architecture: Context) -> Iterator[Problem]:
    """The name of a disk matches its bus. libvirt accepts others, but guests see the names of their bus."""
    for number, disk in enumerate(context["disks"]):
        name, bus = disk["target"]["dev"], disk["target"]["bus"]
        if bus not in (None, "fdc") and not name.startswith((PREFIX_BY_BUS[bus], "fd")):
            said = f"{name!r} is not a name of bus {bus}: those begin with {PREFIX_BY_BUS[bus]}"
            yield Problem(("disks", number, "target", "dev"), said, related=(("disks", number, "target", "bus"),))


@check("disks.target", "disks.device", "machine", "os.type")
def buses(context: Context, architecture: Context) -> Iterator[Problem]:
    """The machine supports the buses of disks."""
    machine = str(dig(context, "os", "type", "machine", default=""))
    known: list[Any] = next(
        (found for pattern, found in architecture.get("machine_buses", {}).items() if re.search(pattern, machine)), []
    )
    for number, disk in enumerate(context["disks"]):
        bus, path = disk["target"]["bus"], ("disks", number, "target", "bus")
        if bus and known and bus not in known:
            name = f"machine {machine}" if machine else f"the default machine of {context['arch']}"
            yield Problem(path, f"{bus!r} is not a bus of {name} (which has {', '.join(known)})")


@check("disks.iotune")
def iotune_groups(context: Context, architecture: Context) -> Iterator[Problem]:
    """Disks of one group have the same limits, or omit them."""
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
