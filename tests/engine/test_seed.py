"""The documents of juju's container/kvm/libvirt, element for element.

The deliberate differences: amd64 says arch="x86_64", a UUID and each disk's bus are written, and amd64 has the CPU
mode that juju came to use later on both architectures.
"""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import ROOT, parse

DELIBERATE = {
    "domain/uuid",
    "domain/devices/disk/target/@bus",
}

Flat = list[tuple[str, str]]

DISKS_AND_NIC: Flat = [
    ("domain/@type", "kvm"),
    ("domain/name", "juju-someid"),
    ("domain/vcpu", "2"),
    ("domain/currentMemory/@unit", "MiB"),
    ("domain/currentMemory", "1024"),
    ("domain/memory/@unit", "MiB"),
    ("domain/memory", "1024"),
    ("domain/os/type", "hvm"),
    ("domain/features/acpi", ""),
    ("domain/devices/disk/@device", "disk"),
    ("domain/devices/disk/@type", "file"),
    ("domain/devices/disk/driver/@type", "qcow2"),
    ("domain/devices/disk/driver/@name", "qemu"),
    ("domain/devices/disk/source/@file", "/some/path"),
    ("domain/devices/disk/target/@dev", "vda"),
    ("domain/devices/disk/@device", "disk"),
    ("domain/devices/disk/@type", "file"),
    ("domain/devices/disk/driver/@type", "raw"),
    ("domain/devices/disk/driver/@name", "qemu"),
    ("domain/devices/disk/source/@file", "/another/path"),
    ("domain/devices/disk/target/@dev", "vdb"),
    ("domain/devices/interface/@type", "bridge"),
    ("domain/devices/interface/mac/@address", "00:00:00:00:00:00"),
    ("domain/devices/interface/model/@type", "virtio"),
    ("domain/devices/interface/source/@bridge", "parent-dev"),
    ("domain/devices/interface/guest/@dev", "device-name"),
    ("domain/devices/serial/@type", "pty"),
    ("domain/devices/serial/source/@path", "/dev/pts/2"),
    ("domain/devices/serial/target/@port", "0"),
    ("domain/devices/console/@type", "pty"),
    ("domain/devices/console/@tty", "/dev/pts/2"),
    ("domain/devices/console/source/@path", "/dev/pts/2"),
    ("domain/devices/console/target/@port", "0"),
]
HOST_CPU = [("domain/cpu/@mode", "host-passthrough"), ("domain/cpu/@check", "none")]
CORTEX_A53 = [
    ("domain/cpu/@mode", "custom"),
    ("domain/cpu/@match", "exact"),
    ("domain/cpu/model/@fallback", "allow"),
    ("domain/cpu/model", "cortex-a53"),
]
AMD64 = [("domain/os/type/@arch", "x86_64")]
ARM64 = [
    ("domain/os/type/@arch", "aarch64"),
    ("domain/os/type/@machine", "virt"),
    ("domain/os/loader/@readonly", "yes"),
    ("domain/os/loader/@type", "pflash"),
    ("domain/os/loader", "/shared/readonly.fd"),
    ("domain/features/gic/@version", "host"),
]
OPENVSWITCH = [("domain/devices/interface/virtualport/@type", "openvswitch")]


def flat(element: ElementTree.Element, above: str = "") -> Flat:
    """Every attribute, and every element that has text or nothing at all, with its path."""
    path = f"{above}/{element.tag}".lstrip("/")
    text = (element.text or "").strip()
    found: Flat = [(f"{path}/@{name}", value) for name, value in element.attrib.items()]
    if text or not (len(element) or element.attrib):
        found.append((path, text))
    for child in element:
        found += flat(child, path)
    return found


@pytest.mark.parametrize(
    ("fixture", "particular"),
    [
        ("seed-amd64", AMD64 + HOST_CPU),
        ("seed-amd64-openvswitch", AMD64 + HOST_CPU + OPENVSWITCH),
        ("seed-arm64", ARM64 + HOST_CPU),
        ("seed-arm64-cortex-a53", ARM64 + CORTEX_A53),
    ],
)
def test_document_has_what_the_seed_has_and_nothing_else(fixture: str, particular: Any) -> None:
    xml = (ROOT / "fixtures/seed" / f"{fixture}.xml").read_text()
    ours = [(path, value) for path, value in flat(parse(xml)) if path not in DELIBERATE]
    assert sorted(ours) == sorted(DISKS_AND_NIC + particular)
