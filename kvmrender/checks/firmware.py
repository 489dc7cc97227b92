"""Checks of machine and firmware."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Path, Problem


def machine_given_once(context: Context, architecture: Context) -> Iterator[Problem]:
    """The machine isn't given twice, once this and once that."""
    given, inner = context.get("machine"), dig(context, "os", "type", "machine")
    if given and inner and given != inner:
        said = f"{given!r} is not the machine of os.type, {inner!r}"
        yield Problem(("machine",), said, related=(("os", "type", "machine"),))


def secure_boot(context: Context, architecture: Context) -> Iterator[Problem]:
    """Secure boot of amd64 has machine q35 and SMM (which libvirt turns on by itself with os.firmware)."""
    if context["arch"] != "amd64":
        return
    path: Path = ("os", "loader", "secure")
    wanted = dig(context, *map(str, path)) == "yes"
    chosen = False
    for number, feature in enumerate(dig(context, "os", "firmware", "feature", default=[])):
        if feature.get("name") == "secure-boot" and feature.get("enabled") == "yes":
            path, chosen = ("os", "firmware", "feature", number), True
    if not (wanted or chosen):
        return
    machine = dig(context, "os", "type", "machine", default="pc")
    if "q35" not in machine:
        yield Problem(path, f"secure boot is for machine q35, not {machine}", related=(("os", "type", "machine"),))
    smm = dig(context, "features", "smm")
    state = "off" if smm is None else smm.get("state", "on")
    if state == "off" and (wanted or smm is not None):
        yield Problem(path, "secure boot needs SMM: features.smm", related=(("features", "smm"),))


CHECKS: Checks = {
    machine_given_once: ("machine",),
    secure_boot: ("os",),
}
