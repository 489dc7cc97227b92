"""What ``import --tidy`` leaves out, libvirt gives again: the same hardware, but for addresses."""

from __future__ import annotations

from typing import Any

import pytest
from drivers import Driver
from test_libvirt import RAW_IN_DUMPS, emulated, every_guest

from kvmrender import import_domain, render
from kvmrender.engine import default_engine
from kvmrender.libvirt.xml_facts import differences
from kvmrender.libvirt.xml_tree import Element, documents
from kvmrender.reading.profiles import Profiles

pytestmark = pytest.mark.libvirt

OTHERWISE = {
    "every-field": "the numbers of PCI controllers are others, since USB controllers of its own stay between them",
    "newer-host": "a PCI port less, since the one that it asks for stays and does for another device",
}


def hardware(xml: str) -> Element:
    """Return a domain without the addresses of its devices, its controllers by type and number."""
    root = next(documents(xml.encode())).root
    assert root is not None
    for devices in root.children:
        if devices.name == "devices":
            for device in devices.children:
                device.children = [child for child in device.children if child.name != "address"]
            devices.children.sort(key=lambda device: str(device.attributes) if device.name == "controller" else "")
    return root


@every_guest
def test_libvirt_makes_the_same_of_a_tidied_guest(guest: dict[str, Any], host: Driver) -> None:
    refusal, before = host.define(emulated(guest))
    # What is refused is for tests/real_libvirt/test_libvirt.py; the schema lacks what the driver itself adds to some.
    if refusal is None and guest["name"] not in RAW_IN_DUMPS:
        imported = import_domain(before, tidy=True)
        again, after = host.define(render(imported.guest))
        assert again is None
        found = list(differences(hardware(before), hardware(after)))
        if guest["name"] in OTHERWISE:
            assert found
            pytest.xfail(OTHERWISE[guest["name"]])
        assert found == []
        assert len(imported.tidied) > 3


def size(value: Any) -> int:
    """How much there is to write of a guest: its keys and scalars."""
    if isinstance(value, dict):
        return sum(1 + size(item) for item in value.values())
    return sum(map(size, value)) if isinstance(value, list) else 1


PROFILES = Profiles(default_engine().schema.root)
ADDRESSES = "controllers stay that libvirt would not make, and with them the addresses on their buses"
LONGER = {
    "chardev-addresses": ADDRESSES,
    "chardev-serial": ADDRESSES,
    "clock-local": "libvirt makes it a variable clock",
    "controllers": ADDRESSES,
    "controllers-i440fx": ADDRESSES,
    "controllers-ppc64le": ADDRESSES,
    "cpu-caches": "libvirt has monitors and units of its own",
    "filesystem-limits": "a document does not say that it is for an older libvirt: the check is ignored",
    "graphics-vnc-socket": "the listen of the socket is said once more",
    "guest-arm64-server": "the first console has the log of the serial port",
    "hostdevs-iscsi": "the SCSI controller is lsilogic, where kvmrender's is virtio-scsi",
    "hostdevs-target": "the SCSI controller is lsilogic, where kvmrender's is virtio-scsi",
    "inputs": "the model of the USB controller",
    "memory-max": "the number of the NUMA cell",
    "redirdev": "addresses of hubs",
    "screen-models-default": "the model of the card",
    "small-devices": ADDRESSES,
    "web-1": "the port of the switch",
}
"""Guests that are longer when they come back from libvirt, and what there is more."""


@every_guest
def test_what_comes_back_tidied_is_as_short_as_what_was_written(guest: dict[str, Any], host: Driver) -> None:
    xml = emulated(guest)
    refusal, dump = host.define(xml)
    if refusal is None:
        emulation = {key: value for key, value in import_domain(xml).guest.items() if key == "type"}
        if isinstance(guest.get("cpu"), dict) and guest["cpu"].get("mode") == "host-passthrough":
            emulation["cpu"] = import_domain(xml).guest.get("cpu")
        found = import_domain(dump, tidy=True, machine_alias=True).guest
        written = PROFILES.under(guest)
        assert (size(found) > size({**written, **emulation})) == (guest["name"] in LONGER), found


def test_most_are_as_short_as_what_was_written() -> None:
    assert len(LONGER) <= 0.1 * len(every_guest.args[1])
