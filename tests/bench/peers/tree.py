"""The document as a tree of xml.etree, indented and written."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

Values = dict[str, Any]


def domain(values: Values) -> str:
    root = Element("domain", type="kvm")
    SubElement(root, "name").text = values["name"]
    SubElement(root, "uuid").text = values["uuid"]
    for name in ("memory", "currentMemory"):
        SubElement(root, name, unit=values[name]["unit"]).text = str(values[name]["text"])
    SubElement(root, "vcpu").text = str(values["vcpu"]["text"])
    os = SubElement(root, "os")
    SubElement(os, "type", arch="aarch64", machine="virt").text = "hvm"
    SubElement(os, "loader", readonly="yes", type="pflash").text = values["os"]["loader"]["text"]
    features = SubElement(root, "features")
    SubElement(features, "acpi")
    SubElement(features, "gic", version="host")
    SubElement(root, "cpu", mode="host-passthrough", check="none")
    _devices(SubElement(root, "devices"), values)
    indent(root)
    return tostring(root, encoding="unicode")


def _devices(devices: Element, values: Values) -> None:
    for disk in values["disks"]:
        _disk(SubElement(devices, "disk", type="file", device="disk"), disk)
    for controller in values["controllers"]:
        SubElement(devices, "controller", type="scsi", index=str(controller["index"]), model=controller["model"])
    for filesystem in values["filesystems"]:
        element = SubElement(devices, "filesystem", type="mount", accessmode=filesystem["accessmode"])
        SubElement(element, "source", dir=filesystem["source"]["dir"])
        SubElement(element, "target", dir=filesystem["target"]["dir"])
    for nic in values["interfaces"]:
        _interface(SubElement(devices, "interface", type="bridge"), nic)
    for serial in values["serials"]:
        element = SubElement(devices, "serial", type="pty")
        if "source" in serial:
            SubElement(element, "source", path=serial["source"][0]["path"])
        SubElement(element, "target", port=str(serial["target"]["port"]))
    for console in values["consoles"]:
        _console(SubElement(devices, "console", type="pty"), console)
    for channel in values["channels"]:
        element = SubElement(devices, "channel", type="unix")
        SubElement(element, "target", type="virtio", name=channel["target"]["name"])
    for device in values["inputs"]:
        SubElement(devices, "input", type=device["type"], bus=device["bus"])
    for screen in values["graphics"]:
        element = SubElement(devices, "graphics", type="vnc", autoport=screen["autoport"])
        SubElement(element, "listen", type="address", address=screen["listen"][0]["address"])
    for video in values["videos"]:
        model = video["model"]
        SubElement(SubElement(devices, "video"), "model", type=model["type"], heads=str(model["heads"]))
    for hostdev in values["hostdevs"]:
        element = SubElement(devices, "hostdev", mode="subsystem", type="pci", managed=hostdev["managed"])
        SubElement(SubElement(element, "source"), "address", hostdev["source"]["address"])
    if "memballoon" in values:
        element = SubElement(devices, "memballoon", model="virtio")
        SubElement(element, "stats", period=str(values["memballoon"]["stats"]["period"]))
    for rng in values["rngs"]:
        element = SubElement(devices, "rng", model="virtio")
        SubElement(element, "backend", model="random").text = rng["backend"]["text"]


def _disk(element: Element, disk: Values) -> None:
    driver = disk["driver"]
    written = SubElement(element, "driver", name="qemu", type=driver["type"])
    for name in ("cache", "io", "discard"):
        if name in driver:
            written.set(name, driver[name])
    SubElement(element, "source", file=disk["source"]["file"])
    SubElement(element, "target", dev=disk["target"]["dev"], bus="virtio")
    if "serial" in disk:
        SubElement(element, "serial").text = disk["serial"]["text"]


def _interface(element: Element, nic: Values) -> None:
    SubElement(element, "mac", address=nic["mac"]["address"])
    SubElement(element, "source", bridge=nic["source"]["bridge"])
    if "virtualport" in nic:
        SubElement(element, "virtualport", type=nic["virtualport"]["type"])
    if "guest" in nic:
        SubElement(element, "guest", dev=nic["guest"]["dev"])
    SubElement(element, "model", type="virtio")
    if "mtu" in nic:
        SubElement(element, "mtu", size=str(nic["mtu"]["size"]))
    if "boot" in nic:
        SubElement(element, "boot", order=str(nic["boot"]["order"]))


def _console(element: Element, console: Values) -> None:
    if "tty" in console:
        element.set("tty", console["tty"])
    if "source" in console:
        SubElement(element, "source", path=console["source"][0]["path"])
    target = SubElement(element, "target")
    if "type" in console["target"]:
        target.set("type", console["target"]["type"])
    target.set("port", str(console["target"]["port"]))
