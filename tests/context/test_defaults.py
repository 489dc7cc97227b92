"""Defaults and derived values, as the tables of docs/guest-file.md have them."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from conftest import find, parse

import kvmrender
from kvmrender import GuestError, Renderer
from kvmrender.context.device_names import device_name
from kvmrender.context.identity import ROOT, guest_uuid
from kvmrender.context.mac_address import mac_address
from kvmrender.schema.memory_units import memory, to_bytes

RENDERER = Renderer()


def context(**guest: Any) -> dict[str, Any]:
    return RENDERER.context({"name": "a", **guest})


def targets(*disks: Any, **guest: Any) -> list[str]:
    return [
        f"{disk['target'].get('bus')} {disk['target']['dev']}" for disk in context(disks=list(disks), **guest)["disks"]
    ]


@pytest.mark.parametrize(
    ("written", "element"),
    [
        (512, ("MiB", 512)),
        ("512", ("MiB", 512)),
        ("4 GiB", ("MiB", 4096)),
        ("4GiB", ("MiB", 4096)),
        ("4 G", ("MiB", 4096)),
        ("4 g", ("MiB", 4096)),
        ("1 TiB", ("MiB", 1 << 20)),
        ("1 EiB", ("MiB", 1 << 40)),
        ("1024 k", ("MiB", 1)),
        ("1025 KiB", ("KiB", 1025)),
        ("2048 b", ("KiB", 2)),
        ("2048 bytes", ("KiB", 2)),
        ("128 KB", ("KiB", 125)),
        ("4096 MB", ("KiB", 4_000_000)),
        ("1048576", ("MiB", 1 << 20)),
    ],
)
def test_memory_in_libvirts_units(written: int | str, element: tuple[str, int]) -> None:
    unit, text = element
    assert memory(written) == {"unit": unit, "text": text}
    assert context(memory=written)["memory"] == {"unit": unit, "text": text}


@pytest.mark.parametrize(
    "written", ["", "GiB", "-1", "1.5 GiB", "4 GiBs", "4 XB", "1 2", "16 EiB", "٤ GiB", "1 i", "4 iB"]
)
def test_memory_that_is_none(written: str) -> None:
    with pytest.raises(ValueError, match="is not a size of memory"):
        memory(written)


@pytest.mark.parametrize("written", ["1500 b", "1 KB", "1 MB"])
def test_memory_that_is_no_whole_number_of_kib(written: str) -> None:
    with pytest.raises(ValueError, match="is not a whole number of KiB"):
        memory(written)


def test_memory_as_a_mapping_is_written_as_given() -> None:
    found = context(memory={"unit": "b", "text": 1_500_000_000}, currentMemory={"text": "524288"})
    assert found["memory"] == {"unit": "b", "text": 1_500_000_000}
    assert found["currentMemory"] == {"text": 524288}
    assert to_bytes(found["currentMemory"]) == 512 << 20


def test_smallest_guest() -> None:
    found = context()
    assert (found["vcpu"], found["memory"]) == ({"text": 1}, {"unit": "MiB", "text": 512})
    assert found["currentMemory"] == found["memory"]


def test_uuid_is_version_5_of_namespace_and_name() -> None:
    assert guest_uuid("", "web-1") == str(uuid.uuid5(uuid.uuid5(uuid.UUID(bytes=ROOT), ""), "web-1"))
    assert guest_uuid("", "web-1") == "58052b0a-69cd-5324-bf4a-4fd200f1e503"
    found = {context(name=name, namespace=space)["uuid"] for name in ("a", "b", "ab") for space in ("x", "y", "ax")}
    assert len(found) == 9


def test_uuid_of_the_guests_own() -> None:
    assert context(uuid="6BA7B8129DAD11D180B400C04FD430C8")["uuid"] == "6ba7b812-9dad-11d1-80b4-00c04fd430c8"
    assert "<uuid>" not in kvmrender.render({"name": "a", "uuid": None})


def macs(*interfaces: Any, **guest: Any) -> list[str]:
    return [nic["mac"]["address"] for nic in context(interfaces=list(interfaces), **guest)["interfaces"]]


def test_mac_addresses_are_stable() -> None:
    assert macs({"source": "br0"}, name="web-1") == ["52:54:00:8f:16:c6"]
    assert macs({"source": "br0"}, {"source": "br1"})[0] == macs({"source": "br9", "model": "e1000"})[0]
    assert macs({"source": "br0"}) != macs({"source": "br0"}, namespace="x")
    assert macs({"source": "br0"}) != macs({"source": "br0"}, name="b")


def test_mac_address_follows_an_alias_wherever_it_stands() -> None:
    named = {"source": "br0", "alias": "ua-front"}
    assert macs(named)[0] == macs({"source": "br1"}, {"source": "br2"}, named)[2]


def test_mac_prefix() -> None:
    assert macs({"source": "br0"}, mac_prefix="02")[0].startswith("02:")
    assert macs({"source": "br0"}, mac_prefix="02:AA:bb:cc:dd")[0].startswith("02:aa:bb:cc:dd:")
    for prefix in ("", "01", "52:54:00:00:00:00", "5", "52-54", "52:"):
        with pytest.raises(GuestError, match=r"mac_prefix: .* is not 1 to 5 octets"):
            macs(mac_prefix=prefix)


def test_derived_mac_addresses_are_never_multicast_nor_zero() -> None:
    found = {mac_address("", f"guest-{number}", "interface 0", "00:00:00:00:00") for number in range(5000)}
    assert found == {f"00:00:00:00:00:{number:02x}" for number in range(1, 256)}
    for prefix in ("01", "53:54:00", "00:00:00:00:00:00", ""):
        with pytest.raises(ValueError, match="is not 1 to 5 octets with an even first one"):
            mac_address("", "a", "interface 0", prefix)


def test_own_mac_address_wins_and_null_leaves_it_to_libvirt() -> None:
    assert macs({"source": "br0", "mac": "52:54:00:AB:CD:EF"}) == ["52:54:00:ab:cd:ef"]
    assert "<mac" not in kvmrender.render({"name": "a", "interfaces": [{"source": "br0", "mac": None}]})


def test_device_names_count_as_libvirts() -> None:
    names = [device_name("vd", index) for index in (0, 25, 26, 27, 51, 52, 701, 702, 18277, 18278)]
    assert names == ["vda", "vdz", "vdaa", "vdab", "vdaz", "vdba", "vdzz", "vdaaa", "vdzzz", "vdaaaa"]
    with pytest.raises(ValueError, match="0 or more"):
        device_name("vd", -1)


def test_disks_take_the_first_free_name_of_their_bus() -> None:
    cdrom, floppy, lun = {"device": "cdrom"}, {"device": "floppy"}, {"device": "lun", "source": "/dev/a"}
    disk = {"source": "/a.qcow2"}
    assert targets(disk, disk, cdrom, floppy, lun) == ["virtio vda", "virtio vdb", "sata sda", "fdc fda", "scsi sdb"]
    assert targets(disk, cdrom, arch="arm64") == ["virtio vda", "scsi sda"]
    assert targets(disk, disk | {"target": "vda"}, disk) == ["virtio vdb", "virtio vda", "virtio vdc"]
    assert targets(disk | {"target": {"bus": "ide"}}, cdrom | {"target": {"bus": "usb"}}) == ["ide hda", "usb sda"]
    assert targets(*[disk] * 28)[-3:] == ["virtio vdz", "virtio vdaa", "virtio vdab"]


def test_bus_follows_from_the_name() -> None:
    disk, cdrom = {"source": "/a.qcow2"}, {"device": "cdrom"}
    assert targets(*[disk | {"target": name} for name in ("vdx", "sdx", "hdd")]) == [
        "virtio vdx",
        "scsi sdx",
        "ide hdd",
    ]
    assert targets({"device": "floppy", "target": "fdb"}) == ["fdc fdb"]
    assert targets(cdrom | {"target": "sdx"}, cdrom | {"target": "hdd"}) == ["sata sdx", "ide hdd"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/a.qcow2", "qcow2"),
        ("/a.QCOW2", "qcow2"),
        ("/d/..qcow2", "qcow2"),
        ("/a.raw", "raw"),
        ("/a.img", "raw"),
        ("/a.iso", "raw"),
        ("/a.vmdk", "vmdk"),
        ("/a.vdi", "vdi"),
        ("/dev/vg/a.qcow2", "raw"),
    ],
)
def test_format_follows_from_the_source(source: str, expected: str) -> None:
    (disk,) = context(disks=[{"source": source}])["disks"]
    assert disk["driver"] == {"name": "qemu", "type": expected}
    assert disk["type"] == ("block" if source.startswith("/dev/") else "file")


@pytest.mark.parametrize("source", ["/d/.qcow2", "/.qcow2", "/d/.img", "/d.qcow2/a", "/d/a."])
def test_a_file_without_an_ending_must_say_its_format(source: str) -> None:
    """A name that is nothing but a dot and a word is a hidden file's."""
    with pytest.raises(GuestError, match=r"^disks\[0\]\.driver\.type: is missing"):
        context(disks=[{"source": source}])


@pytest.mark.parametrize(
    ("display", "written"),
    [
        ({"type": "sdl", "listen": None}, '<graphics type="sdl"/>'),
        ({"type": "dbus", "listen": None}, '<graphics type="dbus"/>'),
        ({"type": "vnc", "listen": None}, '<graphics type="vnc"/>'),
        ({"type": "vnc", "socket": "/s", "listen": None}, '<graphics type="vnc" socket="/s"/>'),
    ],
)
def test_null_leaves_out_where_a_display_listens(display: dict[str, Any], written: str) -> None:
    assert written in Renderer().render({"name": "a", "graphics": [display]})


def test_empty_drive_is_raw() -> None:
    assert context(disks=[{"device": "cdrom"}])["disks"][0]["driver"] == {"name": "qemu", "type": "raw"}


def test_scsi_disk_gets_a_controller_that_guests_know() -> None:
    assert context(disks=[{"source": "/a.qcow2"}])["controllers"] == []
    scsi = {"source": "/a.qcow2", "target": {"bus": "scsi"}}
    assert context(disks=[scsi])["controllers"] == [{"type": "scsi", "index": 0, "model": "virtio-scsi"}]
    own = [{"type": "usb"}, {"type": "scsi", "model": "lsilogic"}]
    assert context(disks=[scsi], controllers=own)["controllers"] == own


def test_interface_type_follows_from_the_source() -> None:
    sources: list[Any] = ["br0", {"bridge": "br0"}, {"network": "default"}, {"dev": "eth0"}]
    found = context(interfaces=[{"source": source} for source in sources])["interfaces"]
    assert [nic["type"] for nic in found] == ["bridge", "bridge", "network", "direct"]
    assert {nic["model"]["type"] for nic in found} == {"virtio"}


@pytest.mark.parametrize("arch", ["arm64", "aarch64"])
def test_arm64(arch: str) -> None:
    found = context(arch=arch)
    assert found["arch"] == "arm64"
    assert found["os"]["type"] == {"arch": "aarch64", "machine": "virt", "text": "hvm"}
    assert found["os"]["loader"] == {
        "readonly": "yes",
        "type": "pflash",
        "text": "/usr/share/AAVMF/AAVMF_CODE.fd",
    }
    assert found["features"] == {"acpi": {}, "gic": {"version": "host"}}
    assert context(arch=arch, type="qemu")["features"]["gic"] == {"version": "3"}


def test_arm64_board_that_is_no_virt_has_no_acpi_and_no_gic_of_its_own() -> None:
    assert context(arch="arm64", machine="raspi3b")["features"] == {}
    assert context(arch="arm64", machine="virt-9.2")["features"].keys() == {"acpi", "gic"}


@pytest.mark.parametrize("machine", ["isapc", "microvm"])
def test_machine_without_a_place_for_a_balloon_has_none(machine: str) -> None:
    assert context(machine=machine)["memballoon"] == {"model": "none"}
    assert context(os={"type": {"machine": machine}})["memballoon"] == {"model": "none"}
    assert context(machine=machine, memballoon=None)["memballoon"] is None
    assert "memballoon" not in context(machine="q35")


def test_arm64_loader_gives_way_to_firmware_that_libvirt_finds() -> None:
    def os(**given: Any) -> dict[str, Any]:
        return context(arch="arm64", os=given)["os"]

    loader = os()["loader"]
    assert "loader" not in os(firmware="efi")
    assert os(firmware="efi", loader={"secure": "no"})["loader"] == {"secure": "no"}
    assert os(firmware=None)["loader"] == os(loader={"text": loader["text"]})["loader"] == loader
    assert os(loader={"text": "/a", "readonly": "no"})["loader"] == {"readonly": "no", "type": "pflash", "text": "/a"}


@pytest.mark.parametrize("arch", ["amd64", "x86_64"])
def test_amd64(arch: str) -> None:
    found = context(arch=arch)
    assert (found["arch"], found["os"]) == ("amd64", {"type": {"arch": "x86_64", "text": "hvm"}})
    assert found["features"] == {"acpi": {}}


def test_default_architecture_is_not_the_machines() -> None:
    assert context()["arch"] == "amd64"


def test_cpu_by_type() -> None:
    assert context()["cpu"] == {"mode": "host-passthrough", "check": "none"}
    assert context(type="qemu")["cpu"] == {"mode": "maximum"}
    assert context(cpu="host-model")["cpu"] == {"mode": "host-model"}
    assert "<cpu" not in kvmrender.render({"name": "a", "cpu": None})


def test_machine_is_short_for_that_of_the_os() -> None:
    assert context(machine="q35")["os"]["type"]["machine"] == "q35"
    for os in ({}, {"type": {}}, {"type": "hvm"}, {"type": None}, {"type": {"machine": "virt-7.2"}}):
        found = context(machine="virt-7.2", arch="arm64", os=os)["os"]["type"]
        assert found == {"machine": "virt-7.2", "arch": "aarch64", "text": "hvm"}
    assert context(machine="virt-7.2", arch="arm64")["os"]["type"]["machine"] == "virt-7.2"


def test_null_and_false_remove_a_default() -> None:
    xml = kvmrender.render({"name": "a", "arch": "arm64", "features": {"acpi": False, "gic": None}, "uuid": None})
    assert find(xml, "features").attrib == {}
    assert list(find(xml, "features")) == []
    assert parse(xml).find("uuid") is None
    assert "<features" not in kvmrender.render({"name": "a", "features": None})


@pytest.mark.parametrize("key", ["vcpu", "currentMemory", "uuid", "cpu", "features", "serials", "consoles", "disks"])
def test_null_leaves_out_what_may_be_missing(key: str) -> None:
    xml = kvmrender.render({"name": "a", key: None})
    assert parse(xml).find(key.removesuffix("s") if key != "features" else key) is None
    assert RENDERER.context(context(**{key: None})) == context(**{key: None})


@pytest.mark.parametrize("part", ["driver", "source", "serial", "readonly"])
def test_null_leaves_out_a_part_of_a_disk(part: str) -> None:
    cdrom = {"device": "cdrom", "source": "/a.iso", part: None}
    disk = find(kvmrender.render({"name": "a", "disks": [cdrom]}), "devices/disk")
    assert disk.find(part) is None


def test_console_is_that_of_the_first_serial_port() -> None:
    pty = [{"type": "pty", "target": {"type": "serial", "port": 0}}]
    assert context()["consoles"] == pty
    log = {"type": "file", "source": [{"path": "/log"}]}
    assert context(serials=[log])["consoles"] == [{**log, "target": {"type": "serial", "port": 0}}]
    assert context(consoles=[])["serials"] == [{"type": "pty", "target": {"port": 0}}]


@pytest.mark.parametrize(("given", "left"), [({"serials": []}, 0), ({"consoles": []}, 1)])
def test_empty_list_means_none(given: dict[str, Any], left: int) -> None:
    devices = find(kvmrender.render({"name": "a", **given}), "devices")
    assert len(devices) == left


def test_contexts_share_nothing_that_can_change() -> None:
    first = context()
    first["serials"][0]["target"]["port"] = 9
    first["disks"].append("x")
    first["os"]["type"]["arch"] = "z"
    assert context()["serials"][0]["target"]["port"] == 0
    assert context()["disks"] == []
    assert context()["os"]["type"]["arch"] == "x86_64"


def test_guest_is_left_as_it_was() -> None:
    guest = {"name": "a", "disks": [{"source": "/a.qcow2", "target": {}}], "machine": "q35"}
    before = repr(guest)
    RENDERER.render(guest)
    assert repr(guest) == before


def test_domain_says_the_derived_values() -> None:
    xml = kvmrender.render({"name": "a", "interfaces": [{"source": "br0"}]})
    assert re.fullmatch(r"52:54:00(:[0-9a-f]{2}){3}", find(xml, "devices/interface/mac").attrib["address"])
    assert uuid.UUID(find(xml, "uuid").text or "").version == 5


LOCAL = [{"type": "address", "address": "127.0.0.1"}]


@pytest.mark.parametrize(
    ("written", "listen"),
    [
        ("vnc", LOCAL),
        ("spice", LOCAL),
        ({"type": "rdp"}, LOCAL),
        ({"type": "vnc", "listen": "::"}, [{"type": "address", "address": "::"}]),
        ({"type": "vnc", "listen": {"network": "default"}}, [{"type": "network", "network": "default"}]),
        ({"type": "vnc", "listen": "/run/a"}, [{"type": "socket", "socket": "/run/a"}]),
        ({"type": "vnc", "listen": "none"}, [{"type": "none"}]),
        ({"type": "vnc", "listen": None}, []),
        ({"type": "vnc", "listen": []}, []),
        ({"type": "vnc", "socket": "/run/a"}, None),
        ("sdl", None),
        ("egl-headless", None),
        ("dbus", None),
    ],
)
def test_default_by_a_neighbours_value(written: Any, listen: Any) -> None:
    """Displays that listen on the network listen on this machine alone."""
    found = context(graphics=written)
    assert found["graphics"][0].get("listen") == listen
    assert RENDERER.context(found) == found


def test_first_neighbour_that_decides_wins() -> None:
    (found,) = context(graphics={"type": "spice"})["graphics"]
    assert found["autoport"] == "yes"
    for given in ({"port": 5900}, {"tlsPort": 5901}, {"autoport": None}, {"type": "vnc"}):
        (found,) = context(graphics={"type": "spice", **given})["graphics"]
        assert found.get("autoport") is None
    (found,) = context(graphics={"type": "spice", "port": None})["graphics"]
    assert found["autoport"] == "yes"


def test_defaults_by_a_neighbour_are_not_shared() -> None:
    first = context(graphics="vnc")
    first["graphics"][0]["listen"][0]["address"] = "0.0.0.0"
    assert context(graphics="vnc")["graphics"][0]["listen"] == LOCAL


def test_derived_name_keeps_off_the_place_of_a_disk_that_is_named_after_another_bus() -> None:
    """libvirt counts places on a bus by the letters, whatever stands before them."""
    disks = [{"source": "/a.raw", "target": {"dev": "hda", "bus": "sata"}}, {"device": "cdrom"}]
    assert [disk["target"]["dev"] for disk in context(ignore=["target-bus"], disks=disks)["disks"]] == ["hda", "sdb"]


def test_scsi_controller_in_raw_xml_is_the_one() -> None:
    disks = [{"source": "/a.raw", "target": "sda"}]
    raw = {"devices": '<controller type="scsi" index="0" model="lsilogic"/>'}
    assert context(disks=disks, extra=raw)["controllers"] == []
    assert [one["type"] for one in context(disks=disks)["controllers"]] == ["scsi"]


def test_first_console_may_repeat_its_serial_port() -> None:
    address = {"type": "pci", "bus": "0x00", "slot": "0x05"}
    port = {"type": "pty", "target": {"type": "pci-serial"}, "alias": "ua-a", "address": address}
    context(serials=[port], consoles=[{**port, "target": {"type": "serial"}}])


@pytest.mark.parametrize(
    ("written", "cpu"),
    [
        ("host-model", {"mode": "host-model"}),
        ("custom", {"mode": "custom"}),
        ("maximum", {"mode": "maximum"}),
        ("cortex-a72", {"model": {"text": "cortex-a72"}}),
        ("Skylake-Client-noTSX-IBRS", {"model": {"text": "Skylake-Client-noTSX-IBRS"}}),
    ],
)
def test_cpu_is_a_mode_or_else_a_model(written: str, cpu: dict[str, object]) -> None:
    found = Renderer().context({"name": "a", "cpu": written})["cpu"]
    assert {key: found.get(key) for key in cpu} == cpu
    assert {"mode", "model"} & found.keys() == cpu.keys()
    with pytest.raises(GuestError, match="did you mean 'host-model'"):
        Renderer().context({"name": "a", "cpu": "hots-model"})
