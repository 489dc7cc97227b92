"""Checks of machine and firmware."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Context, check, dig
from kvmrender.errors import Path, Problem


@check("os.feature")
def enrolled_keys(context: Context, architecture: Context) -> Iterator[Problem]:
    """Firmware with enrolled keys is not one without secure boot."""
    path: Path = ("os", "firmware", "feature")
    found = [(feature["name"], feature["enabled"]) for feature in dig(context, *map(str, path), default=[])]
    if ("enrolled-keys", "yes") in found and ("secure-boot", "no") in found:
        place = found.index(("enrolled-keys", "yes"))
        related = ((*path, found.index(("secure-boot", "no"))),)
        yield Problem((*path, place), "enrolled-keys needs secure-boot", related=related)


@check("os.bios")
def firmware_output(context: Context, architecture: Context) -> Iterator[Problem]:
    """There is a serial port for the BIOS's messages."""
    consoles = [dig(console, "target", "type", default="serial") for console in context.get("consoles") or []]
    serial = bool(context["serials"]) or consoles[:1] == ["serial"]
    if dig(context, "os", "bios", "useserial") == "yes" and not serial:
        yield Problem(("os", "bios", "useserial"), "needs a serial port", related=(("serials",),))
