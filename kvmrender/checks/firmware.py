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
    """Secure boot has machine q35 of amd64 and SMM (which libvirt turns on by itself with os.firmware)."""
    path: Path = ("os", "loader", "secure")
    wanted = dig(context, *map(str, path)) == "yes"
    if context["arch"] != "amd64" and not wanted:
        return
    chosen = False
    for number, feature in enumerate(dig(context, "os", "firmware", "feature", default=[])):
        if feature.get("name") == "secure-boot" and feature.get("enabled") == "yes":
            path, chosen = ("os", "firmware", "feature", number), True
    if not (wanted or chosen):
        return
    machine = dig(context, "os", "type", "machine", default="pc")
    if "q35" not in machine:
        yield Problem(path, f"secure boot is for machine q35, not {machine}", related=(("os", "type", "machine"),))
    if context["arch"] != "amd64":
        return
    smm = dig(context, "features", "smm")
    state = "off" if smm is None else smm.get("state", "on")
    if state == "off" and (wanted or smm is not None):
        yield Problem(path, "secure boot needs SMM: features.smm", related=(("features", "smm"),))


def loader(context: Context, architecture: Context) -> Iterator[Problem]:
    """A loader that libvirt does not choose is given, and only firmware that keeps variables has NVRAM."""
    os = context["os"]
    firmware, given, nvram = dig(os, "firmware", "type"), os.get("loader"), os.get("nvram")
    if firmware is None and (given is not None or nvram is not None) and dig(given, "text") is None:
        yield Problem(("os", "loader", "text"), "is missing: the firmware's image, unless there is os.firmware")
    stateless = dig(given, "stateless")
    if nvram is not None and (firmware == "bios" or stateless == "yes"):
        because = "firmware bios" if firmware == "bios" else "a stateless loader"
        yield Problem(("os", "nvram"), f"is not for {because}, which keeps no variables", related=(("os", "loader"),))
    if stateless == "no" and (firmware == "bios" or (firmware is None and dig(given, "type") != "pflash")):
        said = "can't be no: only firmware efi and loaders of type pflash keep variables"
        yield Problem(("os", "loader", "stateless"), said, related=(("os", "loader", "type"),))


def enrolled_keys(context: Context, architecture: Context) -> Iterator[Problem]:
    """Firmware with enrolled keys is not one without secure boot."""
    path: Path = ("os", "firmware", "feature")
    found = [(feature["name"], feature["enabled"]) for feature in dig(context, *map(str, path), default=[])]
    if ("enrolled-keys", "yes") in found and ("secure-boot", "no") in found:
        place = found.index(("enrolled-keys", "yes"))
        related = ((*path, found.index(("secure-boot", "no"))),)
        yield Problem((*path, place), "enrolled-keys needs secure-boot", related=related)


def uefi_and_acpi(context: Context, architecture: Context) -> Iterator[Problem]:
    """UEFI of amd64 has ACPI, and ACPI of arm64 has UEFI."""
    os = context["os"]
    uefi = dig(os, "loader", "type") == "pflash" or dig(os, "firmware", "type") == "efi"
    acpi = dig(context, "features", "acpi") is not None
    if uefi and not acpi and context["arch"] == "amd64":
        yield Problem(("features", "acpi"), "is missing: UEFI needs it", related=(("os",),))
    elif acpi and not uefi and context["arch"] == "arm64":
        said = "needs UEFI: os.firmware efi, or a loader of type pflash"
        yield Problem(("features", "acpi"), said, related=(("os",),))


def firmware_output(context: Context, architecture: Context) -> Iterator[Problem]:
    """What the firmware tells is there: sysinfo for SMBIOS, a serial port for the BIOS's messages."""
    path: Path = ("os", "smbios", "mode")
    told = any(info["type"] == "smbios" for info in context.get("sysinfo") or [])
    if dig(context, *map(str, path)) == "sysinfo" and not told:
        yield Problem(path, "needs sysinfo of type smbios", related=(("sysinfo",),))
    consoles = [dig(console, "target", "type", default="serial") for console in context.get("consoles") or []]
    serial = bool(context["serials"]) or consoles[:1] == ["serial"]
    if dig(context, "os", "bios", "useserial") == "yes" and not serial:
        yield Problem(("os", "bios", "useserial"), "needs a serial port", related=(("serials",),))


CHECKS: Checks = {
    machine_given_once: ("machine",),
    secure_boot: ("os.secure", "os.feature"),
    loader: ("os",),
    enrolled_keys: ("os.feature",),
    uefi_and_acpi: (("os", "on amd64"), ("os", "on arm64")),
    firmware_output: ("os.smbios", "os.bios"),
}
