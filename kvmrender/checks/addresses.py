"""Checks of device addresses."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.buses import MOST_ROOTS, indexes, machine_kind, model_facts, pci_buses, usb_ports
from kvmrender.checks.common import addressed, check, devices, dig
from kvmrender.checks.places import VIRTIO, kinds, place, sits_on
from kvmrender.context.device_names import position
from kvmrender.errors import Path, Problem, listed
from kvmrender.rules.check import Context, once
from kvmrender.schema.text_values import number
from kvmrender.wording import numbers

HUB_PORTS = 8

RESERVED = {
    "pc": {(1, 0): "ISA", (1, 1): "IDE", (1, 3): "ACPI"},
    "q35": {(31, 0): "ISA", (31, 2): "SATA", (31, 3): "SMBus"},
}
"""Devices that are part of the machine on PCI bus 0, by slot and function."""
PIIX3 = "piix3-uhci"
"""The USB controller that a machine pc has at 01.2, also if its model is omitted."""

PARTS: dict[str, tuple[str, ...]] = {
    "pci": ("domain", "bus", "slot", "function"),
    "ccw": ("cssid", "ssid", "devno"),
    "drive": ("controller", "bus", "target", "unit"),
    "virtio-serial": ("controller", "port"),
    "ccid": ("controller", "slot"),
    "spapr-vio": ("reg",),
}
"""Attributes that form an address, by type; USB ports are written with dots."""

OWNERS = {
    "drive": ("disks", "hostdevs"),
    "ccid": ("smartcards",),
    "dimm": ("memory_devices",),
    "virtio-serial": ("consoles", "channels"),
}
"""Devices that exclusively use an address type."""

NEEDED = {"pci": "slot", "virtio-serial": "port", "ccid": "slot", "spapr-vio": "reg"}
"""Attribute without which libvirt assigns the address, by type."""


DRIVES = {"ide": (2, 2), "scsi": (1, 7), "sata": (1, 6), "fdc": (1, 2)}
"""Number of buses per controller and units per bus, by which libvirt assigns the addresses of disks."""


@check("/*/address")
def address_types(context: Context, architecture: Context) -> Iterator[Problem]:
    """Each device has an address of a type that it supports on its machine."""
    for path, device in devices(context, "address"):
        given, known = dig(device, "address", "type"), kinds(str(path[0]), device, architecture)
        owners = OWNERS.get(given, (str(path[0]),))
        if given and known is not None and given not in known:
            said = f"it is {' or '.join(known)}" if known else "it has none"
            yield Problem((*path, "address", "type"), f"{given!r} is not an address type of this device: {said}")
        elif path[0] not in owners:
            said = f"{given!r} is the address type of {listed(owners)}"
            yield Problem((*path, "address", "type"), said)


@check("acpi", "rom")
def on_pci(context: Context, architecture: Context) -> Iterator[Problem]:
    """Devices with acpi.index or a ROM are on PCI."""
    for name in ("acpi", "rom"):
        for path, device in devices(context, name):
            key = str(path[0])
            if device[name]:
                there = sits_on(key, device, architecture) or "pci"
                # libvirt accepts it for ISA devices without an address.
                if there not in ("pci", "unassigned") and (there != "isa" or "address" in device):
                    yield Problem((*path, name), f"is for devices on PCI: this one is on {there}")


@check("/*/address", "/disks/target/bus")
def same_addresses(context: Context, architecture: Context) -> Iterator[Problem]:
    """Device addresses are unique. A disk without an address has that of its name, which is the same for hda and
    sda."""
    found = ((path, _address(str(path[0]), device)) for path, device in devices(context, "address"))
    given = (((*path, "address"), address, address[1]) for path, address in found if address)
    yield from once((*given, *_drives_by_name(context)))


def _drives_by_name(context: Context) -> Iterator[tuple[Path, tuple[str, str], str]]:
    """Yield the disks whose address follows from their name, with that address."""
    for at, disk in enumerate(context["disks"]):
        target = disk["target"]
        if "address" not in disk and (sizes := DRIVES.get(target["bus"])):
            place = position(target["dev"])
            controller, rest = divmod(place, sizes[0] * sizes[1])
            bus, unit = divmod(rest, sizes[1])
            text = f"drive address {controller}:{bus}:0:{unit}"
            yield ("disks", at, "target", "dev"), (target["bus"], text), f"{text}, that of {target['dev']},"


def _address(key: str, device: Context) -> tuple[str, str] | None:
    """Return the bus of a device and its address there as text, or None if libvirt assigns it."""
    address = device.get("address")
    kind = address.get("type") if isinstance(address, dict) else None
    if not isinstance(address, dict) or kind not in PARTS or NEEDED.get(kind, "type") not in address:
        return None
    base = 16 if kind == "spapr-vio" else 0 if kind in ("pci", "ccw") else 10
    numbers = [number(address.get(part, "0"), base) for part in PARTS[kind]]
    if kind == "pci":
        chosen = not any(numbers[:3])
        return None if chosen else (kind, "{:04x}:{:02x}:{:02x}.{:x}".format(*numbers))
    if kind == "virtio-serial" and not numbers[1]:
        return None
    bus = dig(device, "target", "bus", default="scsi") if kind == "drive" else kind
    return bus, f"{kind} address {':'.join(f'{part:x}' if base != 10 else str(part) for part in numbers)}"


@check("/*/address")
def pci_slots(context: Context, architecture: Context) -> Iterator[Problem]:
    """PCI addresses are on buses and slots that exist or that libvirt can add."""
    placed, machine = list(_on_pci(context)), machine_kind(context, architecture)
    buses = pci_buses(context, machine) if placed else {}
    for path, device, (bus, slot, _) in placed:
        usual = _missing_slots(buses[0], _is_old(str(path[0]), device, architecture))
        least, most = model_facts(architecture, buses[bus]).get("slots", (0, 31)) if bus in buses else usual
        if (bus or slot) and not least <= slot <= most:
            slots = f"{least} to {most}" if most else "0 alone"
            said = f"{slot} is not a slot of bus {bus}, a {buses.get(bus) or 'bus that is added'}: it has {slots}"
            yield Problem((*path, "address", "slot"), said)
        if bus >= MOST_ROOTS and bus not in buses and machine == "pseries":
            yield Problem((*path, "address", "bus"), f"{bus} is not a bus of a pseries machine: they are 0 to 30")


@check("/*/address")
def pci_machine(context: Context, architecture: Context) -> Iterator[Problem]:
    """No device uses the PCI address of a device that is part of the machine; zpci is for s390x."""
    machine = machine_kind(context, architecture)
    taken = RESERVED.get(machine, {})
    usb = [found for found in context["controllers"] if found["type"] == "usb" and not int(found.get("index", 0))]
    if machine == "pc" and all(found.get("model", PIIX3) == PIIX3 for found in usb):
        taken = taken | {(1, 2): "USB"}
    for path, device, (bus, slot, function) in _on_pci(context):
        if not bus and path[0] != "controllers" and (owner := taken.get((slot, function))):
            yield Problem((*path, "address"), f"{slot:02x}.{function} is taken by the machine's own {owner}")
        if "zpci" in device["address"] and "ccw" not in architecture.get("address_types", ()):
            said = f"is for s390x, not {context['arch']}"
            yield Problem((*path, "address", "zpci"), said, related=(("arch",),))


def _on_pci(context: Context) -> Iterator[tuple[Path, Context, tuple[int, ...]]]:
    """Yield the devices with PCI addresses, with their bus, slot and function."""
    for path, device, address in addressed(context, "pci"):
        yield path, device, tuple(number(address.get(part, "0")) for part in ("bus", "slot", "function"))


def _missing_slots(root: str | None, legacy: bool | None) -> tuple[int, int]:
    """Return the first and last slot of a bus that libvirt adds for a device: conventional PCI, PCI Express, or any."""
    express = root == "pcie-root"
    if root is None or (express and legacy is None):
        return 0, 31
    return (0, 0) if express and not legacy else (1, 31)


def _is_old(key: str, device: Context, architecture: Context) -> bool | None:
    """Return whether a device is conventional PCI, for which libvirt adds a bridge, or None if unknown."""
    if key in ("sounds", "watchdogs", "shmems", "cryptos", "hostdevs"):
        return key != "hostdevs"
    return device.get("model") == "virtio-transitional" if place(key, device, architecture) == VIRTIO else None


@check("/consoles/address", "/channels/address")
def virtio_serial_ports(context: Context, architecture: Context) -> Iterator[Problem]:
    """Ports of consoles and channels exist on their virtio-serial controllers."""
    ports = {index: controller.get("ports", 31) for index, _, controller in indexes(context, "virtio-serial")}
    for path, _, address in addressed(context, "virtio-serial"):
        most = ports.get(int(address["controller"]), 31)
        if path[0] in OWNERS["virtio-serial"] and int(address.get("port", "0")) >= most:
            said = f"{address['port']} is not a port of virtio-serial controller {address['controller']}"
            yield Problem((*path, "address", "port"), f"{said}: they are 0 to {most - 1}")


@check("/*/address")
def usb_addresses(context: Context, architecture: Context) -> Iterator[Problem]:
    """USB devices are on ports of the guest's controllers and hubs, one on each."""
    given = addressed(context, "usb")
    placed = [(path, int(address["bus"]), _port(address)) for path, _, address in given]
    ports = usb_ports(context, architecture) if placed else {}
    hubs = {(bus, port) for path, bus, port in placed if path[0] == "hubs" and port}
    yield from once(
        ((*path, "address"), (bus, port), f"USB port {_dotted(port)} of bus {bus}")
        for path, bus, port in placed
        if port
    )
    for path, bus, port in placed:
        if bus not in ports:
            said = f"{bus} is not a USB bus: those are {numbers(ports) or 'none'}"
            yield Problem((*path, "address", "bus"), said, related=(("controllers",),))
        elif len(port) > 1 and (bus, port[:-1]) not in hubs:
            said = f"there is no hub at port {_dotted(port[:-1])} of bus {bus}"
            yield Problem((*path, "address", "port"), said, related=(("hubs",),))
        elif port and port[-1] > (most := HUB_PORTS if len(port) > 1 else ports[bus]):
            said = f"{_dotted(port)} is not a port of USB bus {bus}: they are 1 to {most} there"
            yield Problem((*path, "address", "port"), said, related=(("controllers",),))


def _port(address: Context) -> tuple[int, ...]:
    """Return the numbers of a USB port; empty if libvirt assigns it."""
    found = tuple(map(int, address.get("port", "0").split(".")))
    return found if any(found) else ()


def _dotted(port: tuple[int, ...]) -> str:
    return ".".join(map(str, port))
