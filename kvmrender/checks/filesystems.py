"""Checks of folders that guests mount."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Path, Problem


def file_modes(context: Context, architecture: Context) -> Iterator[Problem]:
    """Modes of files and folders are for accessmode mapped, which only driver path has."""
    for number, device in enumerate(context["filesystems"]):
        path, mode = ("filesystems", number), device.get("accessmode", "passthrough")
        driver = dig(device, "driver", "type")
        for key in ("fmode", "dmode"):
            if key in device and int(device[key], 8) and (mode != "mapped" or driver == "virtiofs"):
                yield Problem((*path, key), "is for accessmode mapped", related=((*path, "accessmode"),))
        started = driver == "virtiofs" and dig(device, "source", "socket") is None
        if mode != "passthrough" and (started or driver == "handle"):
            said = f"{mode} is not for driver {driver}: only passthrough is"
            yield Problem((*path, "accessmode"), said, related=((*path, "driver"),))


def virtiofs(context: Context, architecture: Context) -> Iterator[Problem]:
    """A place in the boot order is for virtiofs; a model, and several devices of the host, are for 9p."""
    for number, device in enumerate(context["filesystems"]):
        path: Path = ("filesystems", number)
        related: tuple[Path, ...] = ((*path, "driver"),)
        if dig(device, "driver", "type") != "virtiofs":
            if "boot" in device:
                yield Problem((*path, "boot"), "is for driver virtiofs", related=related)
        elif "model" in device:
            yield Problem((*path, "model"), "is not for driver virtiofs", related=related)
        elif device.get("multidevs", "default") != "default":
            said = f"{device['multidevs']} is not for driver virtiofs"
            yield Problem((*path, "multidevs"), said, related=related)


CHECKS: Checks = {
    file_modes: (
        "filesystems.fmode",
        "filesystems.dmode",
        ("filesystems.accessmode", "filesystems.driver"),
    ),
    virtiofs: (
        "filesystems.boot",
        ("filesystems.driver", "filesystems.model"),
        ("filesystems.driver", "filesystems.multidevs"),
    ),
}
