"""Checks of disks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kvmrender.checks.common import Checks, Context, dig, once
from kvmrender.derive import FORMAT_BY_ENDING, format_is_open
from kvmrender.device_names import PREFIX_BY_BUS
from kvmrender.errors import Problem


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
    """A disk's target begins as the names of its bus do."""
    for number, disk in enumerate(context["disks"]):
        name, bus = disk["target"]["dev"], disk["target"]["bus"]
        if bus and not name.startswith(PREFIX_BY_BUS[bus]):
            said = f"{name!r} is not a name of bus {bus}: those begin with {PREFIX_BY_BUS[bus]}"
            yield Problem(("disks", number, "target", "dev"), said, related=(("disks", number, "target", "bus"),))


def buses(context: Context, architecture: Context) -> Iterator[Problem]:
    """The machine has the bus of each disk; the floppy's bus is for floppies."""
    machine = str(dig(context, "os", "type", "machine", default=""))
    known: list[Any] = next(
        (found for pattern, found in architecture.get("machine_buses", {}).items() if re.search(pattern, machine)), []
    )
    for number, disk in enumerate(context["disks"]):
        bus, path = disk["target"]["bus"], ("disks", number, "target", "bus")
        if bus and known and bus not in known:
            name = f"machine {machine}" if machine else f"the usual machine of {context['arch']}"
            yield Problem(path, f"{bus!r} is not a bus of {name} (which has {', '.join(known)})")
        elif bus and (bus == "fdc") != (disk["device"] == "floppy"):
            yield Problem(path, f"{bus!r} is not a bus for a {disk['device']}")


CHECKS: Checks = {
    formats: ("disks",),
    targets: ("disks",),
    target_names: ("disks",),
    buses: ("disks",),
}
