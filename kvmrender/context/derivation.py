"""Derivation of UUID, addresses, names and other values: from a validated guest to the context of its templates."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from kvmrender.context.device_names import BUS_BY_PREFIX, PREFIX_BY_BUS, device_name, letters_of
from kvmrender.context.identity import dashed, guest_uuid
from kvmrender.context.mac_address import mac_address
from kvmrender.schema.memory_units import KIB, to_bytes
from kvmrender.schema.xml_faults import elements_in

Guest = dict[str, Any]

FORMAT_BY_ENDING = {
    "qcow2": "qcow2",
    "raw": "raw",
    "img": "raw",
    "iso": "raw",
    "vmdk": "vmdk",
    "vdi": "vdi",
}
"""Formats by extension of an image's name. Contents are never probed, because a guest could then choose the format."""


def derive(guest: Guest, architecture: dict[str, Any]) -> Guest:
    """Return the context: the guest with all derived values, as a new mapping that shares unchanged parts.

    ``guest`` is in full form and valid; ``architecture`` has the facts about its architecture. Values that the guest
    sets, including nulls, take precedence. Nothing is derived from the host on which this runs.
    """
    context = dict(guest)
    namespace = guest.get("namespace", "")
    if "uuid" not in guest:
        context["uuid"] = guest_uuid(namespace, guest["name"])
    elif guest["uuid"]:
        context["uuid"] = dashed(guest["uuid"].replace("-", "").lower())
    machine = guest["os"]["type"].get("machine") or ""
    if guest.get("features") is not None and ("gic" in architecture or "acpi" in architecture):
        context["features"] = _features(guest, architecture, machine)
    if machine in architecture.get("without_balloon", ()) and "memballoon" not in guest:
        context["memballoon"] = {"model": "none"}
    if guest.get("memory") is None:
        context["memory"] = memory_of_cells(guest)
    if "currentMemory" not in guest:
        size = context["memory"]
        context["currentMemory"] = (
            size if "dumpCore" not in size else {key: size[key] for key in size if key != "dumpCore"}
        )
    context["disks"] = _disks(guest["disks"], architecture["disk_buses"])
    context["controllers"] = _controllers(guest, context["disks"])
    context["interfaces"] = _interfaces(guest, namespace)
    if "consoles" not in guest:
        context["consoles"] = _consoles(guest["serials"])
    return context


def _features(guest: Guest, architecture: dict[str, Any], machine: str) -> Guest:
    """Return the features of a guest with the defaults of its machine, if its kind is known."""
    found: Guest = guest["features"]
    wants_acpi = "acpi" in architecture and "acpi" not in found and has_uefi(guest["os"])
    gic = None if "gic" in found else architecture.get("gic", {}).get(guest["type"])
    if (gic or wants_acpi) and _is_of_kind(machine, tuple(architecture["machine_kinds"])):
        added: Guest = {"gic": {"version": gic}} if gic else {}
        if wants_acpi:
            added["acpi"] = {}
        return added | found
    return found


@lru_cache(maxsize=64)
def _is_of_kind(machine: str, patterns: tuple[str, ...]) -> bool:
    return any(re.search(pattern, machine) for pattern in patterns)


def has_uefi(os: Guest) -> bool:
    """Return whether a guest boots with UEFI."""
    return (os.get("loader") or {}).get("type") == "pflash" or (os.get("firmware") or {}).get("type") == "efi"


def memory_of_cells(guest: Guest) -> Guest:
    """Return the sum of the guest's NUMA cells and memory modules, as libvirt computes it."""
    cells = ((guest.get("cpu") or {}).get("numa") or {}).get("cell") or []
    sizes = [{"text": cell["memory"], "unit": cell.get("unit", "KiB")} for cell in cells]
    modules = [module.get("target") or {} for module in guest["memory_devices"]]
    sizes += [target["size"] for target in modules if "size" in target]
    kib = -(-sum(map(to_bytes, sizes)) // KIB)
    return {"unit": "KiB", "text": kib} if kib % KIB else {"unit": "MiB", "text": kib // KIB}


def _disks(disks: list[Guest], disk_buses: dict[str, str]) -> list[Guest]:
    taken = set()
    for disk in disks:
        if name := disk["target"].get("dev"):
            taken.add(name)
            prefix = PREFIX_BY_BUS.get(disk["target"].get("bus"), "")
            if not name.startswith(prefix):  # its address on the bus is that of this name
                taken.add(prefix + letters_of(name))
    free: dict[str, int] = {}
    result = []
    for disk in disks:
        target, driver, usual = disk["target"], disk["driver"], disk_buses[disk["device"]]
        if not (name := target.get("dev")):
            bus = target.get("bus", usual)
            prefix = PREFIX_BY_BUS[bus or usual]
            index = free.get(prefix, 0)
            while (name := device_name(prefix, index)) in taken:
                index += 1
            free[prefix] = index + 1
            target = {**target, "dev": name, "bus": bus}
        elif "bus" not in target:
            target = {**target, "bus": _bus(name, usual)}
        if driver is not None and "type" not in driver and (found := disk_format(disk)):
            driver = {**driver, "type": found}
        if disk["type"] == "network" or "backingStore" in disk:
            disk = _with_login(disk, None)
        result.append({**disk, "driver": driver, "target": target})
    return result


def _with_login(image: Guest, protocol: str | None) -> Guest:
    """Return a disk, a backing image or a source with the kinds of the secrets in it, which follow from protocols."""
    source = image.get("source") or {}
    protocol = source.get("protocol", protocol)
    changed: Guest = {}
    if (auth := image.get("auth")) and "type" not in auth["secret"]:
        kind = "ceph" if protocol == "rbd" else "iscsi"
        changed["auth"] = {**auth, "secret": {"type": kind, **auth["secret"]}}
    if "auth" in source:
        changed["source"] = _with_login(source, protocol)
    if below := image.get("backingStore"):
        changed["backingStore"] = _with_login(below, None)
    return {**image, **changed} if changed else image


def _bus(name: str, usual: str) -> str:
    """Return the bus of a disk: the default, or that of its name."""
    prefix = "nvme" if name[:4] == "nvme" else name[:2]
    return usual if prefix == PREFIX_BY_BUS[usual] else BUS_BY_PREFIX.get(prefix, usual)


def disk_format(disk: Guest) -> str | None:
    """Return the format derived from a disk's source; None if the guest or libvirt must set it."""
    if (kind := disk["type"]) != "file":  # libvirt gets the format of a volume from its pool
        return {"volume": None, "dir": "fat"}.get(kind, "raw")
    if not (file := (disk.get("source") or {}).get("file")):
        return "raw"
    stem, _, ending = file.rpartition(".")
    return FORMAT_BY_ENDING.get(ending.lower()) if stem and stem[-1] != "/" else None


def _controllers(guest: Guest, disks: list[Guest]) -> list[Guest]:
    """Add a virtio-scsi controller if disks need one: libvirt's default model may be one that few guests support."""
    controllers: list[Guest] = guest["controllers"]
    for disk in disks:
        if disk["target"]["bus"] == "scsi":
            raw = elements_in((guest.get("extra") or {}).get("devices") or "")
            others = [attributes for name, attributes in raw if name == "controller"]
            if any(controller.get("type") == "scsi" for controller in (*controllers, *others)):
                break
            return [*controllers, {"type": "scsi", "index": 0, "model": "virtio-scsi"}]
    return controllers


def _interfaces(guest: Guest, namespace: str) -> list[Guest]:
    result = []
    for position, interface in enumerate(guest["interfaces"]):
        if "mac" not in interface:
            alias = interface.get("alias")
            device = f"alias {alias['name']}" if alias else f"interface {position}"
            address = mac_address(namespace, guest["name"], device, guest["mac_prefix"])
            interface = {**interface, "mac": {"address": address}}
        elif (mac := interface["mac"]) and (address := mac["address"].lower()) != mac["address"]:
            interface = {**interface, "mac": {**mac, "address": address}}
        result.append(interface)
    return result


def _consoles(serials: list[Guest]) -> list[Guest]:
    """Return the console that libvirt creates for the first serial port."""
    if not serials:
        return []
    first, target = serials[0], {"type": "serial", "port": 0}
    if "source" not in first:
        return [{"type": first["type"], "target": target}]
    return [{"type": first["type"], "source": first["source"], "target": target}]
