"""virt-manager's virtinst: its Guest built property by property, and ``get_xml()``. Run by the Python that has it.

Reads the values as a line of JSON and answers with the document, then reads numbers and answers with the seconds
that so many documents took. Neither a host is asked nor a default looked for: ``set_defaults`` is not called.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter
from typing import Any

sys.path.insert(0, "/usr/share/virt-manager")  # where Debian and Fedora have it, and virt-install looks for it

import virtinst

Values = dict[str, Any]
KIB = {"KiB": 1, "MiB": 1024, "GiB": 1024**2}


class Builder:
    def __init__(self, values: Values) -> None:
        self._values = values
        self._connection = virtinst.VirtinstConnection("test:///default")

    def xml(self) -> str:
        values = self._values
        guest = virtinst.Guest(self._connection)
        guest.type = "kvm"
        guest.name, guest.uuid = values["name"], values["uuid"]
        guest.memory = values["memory"]["text"] * KIB[values["memory"]["unit"]]
        guest.currentMemory = values["currentMemory"]["text"] * KIB[values["currentMemory"]["unit"]]
        guest.vcpus = values["vcpu"]["text"]
        guest.os.os_type, guest.os.arch, guest.os.machine = "hvm", "aarch64", "virt"
        guest.os.loader, guest.os.loader_ro, guest.os.loader_type = values["os"]["loader"]["text"], True, "pflash"
        guest.features.acpi, guest.features.gic_version = True, "host"
        guest.cpu.mode, guest.cpu.check = "host-passthrough", "none"
        for make, devices in (
            (self._disk, values["disks"]),
            (self._controller, values["controllers"]),
            (self._filesystem, values["filesystems"]),
            (self._interface, values["interfaces"]),
            (self._serial, values["serials"]),
            (self._console, values["consoles"]),
            (self._channel, values["channels"]),
            (self._input, values["inputs"]),
            (self._graphics, values["graphics"]),
            (self._video, values["videos"]),
            (self._hostdev, values["hostdevs"]),
            (self._memballoon, [values["memballoon"]] if "memballoon" in values else []),
            (self._rng, values["rngs"]),
        ):
            for device in devices:
                guest.add_device(make(device))
        return guest.get_xml()

    def _disk(self, disk: Values) -> Any:
        device = virtinst.DeviceDisk(self._connection)
        device.type, device.device = "file", "disk"
        device.driver_name, device.driver_type = "qemu", disk["driver"]["type"]
        if "cache" in disk["driver"]:
            device.driver_cache, device.driver_io = disk["driver"]["cache"], disk["driver"]["io"]
            device.driver_discard = disk["driver"]["discard"]
        device.source.file = disk["source"]["file"]
        device.target, device.bus = disk["target"]["dev"], "virtio"
        if "serial" in disk:
            device.serial = disk["serial"]["text"]
        return device

    def _controller(self, controller: Values) -> Any:
        device = virtinst.DeviceController(self._connection)
        device.type, device.index, device.model = "scsi", controller["index"], controller["model"]
        return device

    def _filesystem(self, filesystem: Values) -> Any:
        device = virtinst.DeviceFilesystem(self._connection)
        device.type, device.accessmode = "mount", filesystem["accessmode"]
        device.source_dir, device.target_dir = filesystem["source"]["dir"], filesystem["target"]["dir"]
        return device

    def _interface(self, nic: Values) -> Any:
        device = virtinst.DeviceInterface(self._connection)
        device.type = "bridge"
        device.macaddr, device.bridge, device.model = nic["mac"]["address"], nic["source"]["bridge"], "virtio"
        if "virtualport" in nic:
            device.virtualport.type = nic["virtualport"]["type"]
        if "guest" in nic:
            self._set(device, "./guest/@dev", nic["guest"]["dev"])
        if "mtu" in nic:
            device.mtu_size = nic["mtu"]["size"]
        if "boot" in nic:
            device.boot.order = nic["boot"]["order"]
        return device

    def _set(self, device: Any, path: str, value: str) -> None:
        """What virtinst has no property for is set by its path, as its ``xpath.set`` does."""
        action = device.xml_actions.new()
        action.xpath_set, action.xpath_value = path, value
        device.xml_actions.append(action)

    def _serial(self, serial: Values) -> Any:
        device = virtinst.DeviceSerial(self._connection)
        device.type = "pty"
        if "source" in serial:
            device.source.path = serial["source"][0]["path"]
        device.target_port = serial["target"]["port"]
        return device

    def _console(self, console: Values) -> Any:
        device = virtinst.DeviceConsole(self._connection)
        device.type = "pty"
        if "tty" in console:
            self._set(device, "./@tty", console["tty"])
        if "source" in console:
            device.source.path = console["source"][0]["path"]
        device.target_type, device.target_port = console["target"].get("type"), console["target"]["port"]
        return device

    def _channel(self, channel: Values) -> Any:
        device = virtinst.DeviceChannel(self._connection)
        device.type, device.target_type, device.target_name = "unix", "virtio", channel["target"]["name"]
        return device

    def _input(self, values: Values) -> Any:
        device = virtinst.DeviceInput(self._connection)
        device.type, device.bus = values["type"], values["bus"]
        return device

    def _graphics(self, screen: Values) -> Any:
        device = virtinst.DeviceGraphics(self._connection)
        device.type, device.autoport = "vnc", screen["autoport"] == "yes"
        listen = device.listens.add_new()
        listen.type, listen.address = "address", screen["listen"][0]["address"]
        return device

    def _video(self, video: Values) -> Any:
        device = virtinst.DeviceVideo(self._connection)
        device.model, device.heads = video["model"]["type"], video["model"]["heads"]
        return device

    def _hostdev(self, hostdev: Values) -> Any:
        device = virtinst.DeviceHostdev(self._connection)
        address = hostdev["source"]["address"]
        device.mode, device.type, device.managed = "subsystem", "pci", hostdev["managed"] == "yes"
        device.domain, device.bus = address["domain"], address["bus"]
        device.slot, device.function = address["slot"], address["function"]
        return device

    def _memballoon(self, balloon: Values) -> Any:
        device = virtinst.DeviceMemballoon(self._connection)
        device.model, device.stats_period = "virtio", balloon["stats"]["period"]
        return device

    def _rng(self, rng: Values) -> Any:
        device = virtinst.DeviceRng(self._connection)
        device.model, device.backend_model, device.device = "virtio", "random", rng["backend"]["text"]
        return device


def main() -> None:
    builder = Builder(json.loads(sys.stdin.readline()))
    print(json.dumps(builder.xml()), flush=True)
    for line in sys.stdin:
        start = perf_counter()
        for _ in range(int(line)):
            builder.xml()
        print(perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
