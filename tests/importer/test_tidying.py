"""``import --tidy``: what libvirt gives by itself is left out, as the schema says."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Run
from test_importer import domain

from kvmrender import import_domain

ADDRESS = "<address type='pci' domain='0x0000' bus='0x{0:02x}' slot='0x00' function='0x0'/>"
PORT = (
    "<controller type='pci' index='{0}' model='pcie-root-port'><model name='pcie-root-port'/>"
    "<target chassis='{0}' port='0x{0:02x}'/></controller>"
)
DUMP = domain(
    "<vcpu placement='static'>1</vcpu><clock offset='utc'/><on_poweroff>destroy</on_poweroff>",
    f"""<emulator>/usr/bin/qemu-system-x86_64</emulator>
<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/a.qcow2'/>
<target dev='vda' bus='virtio'/>{ADDRESS.format(1)}</disk>
<controller type='usb' index='0' model='qemu-xhci'>{ADDRESS.format(2)}</controller>
<controller type='pci' index='0' model='pcie-root'/>{PORT.format(1)}{PORT.format(2)}
<input type='tablet' bus='usb'><address type='usb' bus='0' port='1'/></input>
<input type='mouse' bus='ps2'/><input type='keyboard' bus='ps2'/>
<audio id='1' type='none'/><memballoon model='virtio'>{ADDRESS.format(3)}</memballoon>""",
)
SHORT = {
    "name": "a",
    "machine": "q35",
    "uuid": None,
    "currentMemory": None,
    "features": None,
    "cpu": None,
    "disks": [{"source": "/a.qcow2"}],
    "serials": [],
    "inputs": [{"type": "tablet", "bus": "usb"}],
}


def test_what_libvirt_gives_is_left_out() -> None:
    found = import_domain(DUMP, tidy=True)
    assert found.guest == SHORT
    assert (found.lost, found.notes) == ([], [])
    assert ("disks", 0, "address") in found.tidied
    assert import_domain(DUMP).tidied == ()


def test_controller_that_libvirt_would_not_make_keeps_its_like_and_their_addresses() -> None:
    other = "<controller type='pci' index='9' model='pcie-to-pci-bridge'/>"
    found = import_domain(DUMP.replace(PORT.format(2), PORT.format(2) + other), tidy=True).guest
    assert len(found["controllers"]) == 5
    assert found["disks"][0]["address"]["bus"] == "0x01"
    assert found["inputs"] == SHORT["inputs"]


@pytest.mark.parametrize(
    ("device", "is_there"),
    [
        ("<watchdog model='i6300esb' action='reset'>{0}</watchdog>", False),
        ("<interface type='user'><model type='rtl8139'/>{0}</interface>", False),
        ("<interface type='user'><model type='virtio'/>{0}</interface>", True),
        ("<vsock model='virtio'><cid auto='yes'/>{0}</vsock>", True),
        ("", True),
    ],
)
def test_bridge_is_left_out_where_something_sits_on_it_that_has_to(device: str, is_there: bool) -> None:
    """What can be plugged into a port, libvirt puts into one, and then it makes no bridge."""
    bridge = "<controller type='pci' index='4' model='pcie-to-pci-bridge'><model name='pcie-pci-bridge'/></controller>"
    dump = DUMP.replace(PORT.format(2), PORT.format(2) + bridge + device.format(ADDRESS.format(4)))
    assert ("controllers" in import_domain(dump, tidy=True).guest) == is_there


def test_watchdog_of_the_chipset_is_left_out() -> None:
    dogs = "<watchdog model='i6300esb' action='reset'/><watchdog model='itco' action='reset'/>"
    found = import_domain(domain(devices=dogs), tidy=True)
    assert found.guest["watchdogs"] == "i6300esb"
    assert ("watchdogs", 1) in found.tidied
    found = import_domain(domain(devices=dogs.replace("'itco' action='reset'", "'itco' action='pause'")), tidy=True)
    assert len(found.guest["watchdogs"]) == 2


def test_processor_that_a_guest_has_by_default_is_not_said() -> None:
    assert "cpu" not in import_domain(domain("<cpu mode='host-passthrough' check='none'/>"), tidy=True).guest


def test_what_follows_from_a_neighbour_is_left_out() -> None:
    disk = "<disk type='file' device='{}'><source file='/a'/><target dev='sda' bus='sata'/><readonly/></disk>"
    assert "readonly" not in import_domain(domain(devices=disk.format("cdrom")), tidy=True).guest["disks"][0]
    assert "readonly" in import_domain(domain(devices=disk.format("disk")), tidy=True).guest["disks"][0]


@pytest.mark.parametrize(("machine", "is_there"), [("q35", False), ("pc", True)])
def test_controller_of_another_kind_of_machine_stays(machine: str, is_there: bool) -> None:
    xml = domain(devices="<controller type='usb' index='0' model='qemu-xhci'/>").replace("q35", machine)
    assert ("controllers" in import_domain(xml, tidy=True).guest) == is_there


def test_what_others_need_stays() -> None:
    vnc = "<graphics type='vnc' port='-1'><listen type='address'/><audio id='1'/></graphics>"
    found = import_domain(DUMP.replace("<audio ", f"{vnc}<audio "), tidy=True)
    assert found.guest["audios"] == "none"
    assert "controllers" not in found.guest


def test_items_of_lists_are_left_out_only_at_the_end() -> None:
    inputs = "<input type='mouse' bus='ps2'/><input type='tablet' bus='usb'/><input type='keyboard' bus='ps2'/>"
    found = import_domain(domain(devices=inputs), tidy=True).guest
    assert found["inputs"] == [{"type": "mouse", "bus": "ps2"}, {"type": "tablet", "bus": "usb"}]


def test_command(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text(DUMP)
    result = run("import", "--tidy", "-v", file)
    assert result.exit_code == 0
    assert "  - {source: /a.qcow2}\n" in result.stdout
    assert f"{file}:1: disks[0].address: left out: libvirt adds it\n" in result.stderr
    assert run("import", "--tidy", file).stderr == ""
    file.write_text(DUMP.replace("q35", "pc-q35-7.2"))
    assert "machine: pc-q35-7.2\n" in run("import", "--tidy", file).stdout
    assert "machine: q35\n" in run("import", "--tidy", "--machine-alias", file).stdout


@pytest.mark.parametrize(
    ("arch", "machine", "alias"),
    [
        ("x86_64", "pc-q35-7.2", "q35"),
        ("x86_64", "pc-q35-rhel8.6.0", "q35"),
        ("x86_64", "pc-i440fx-7.2", "pc"),
        ("x86_64", "microvm", "microvm"),
        ("aarch64", "virt-9.0", None),  # the default
        ("s390x", "s390-ccw-virtio-7.2", None),
        ("ppc64le", "pseries-7.2", None),
    ],
)
def test_machine_of_a_version_is_the_one_that_stands_for_the_newest(arch: str, machine: str, alias: str | None) -> None:
    xml = domain().replace("arch='x86_64' machine='q35'", f"arch='{arch}' machine='{machine}'")
    assert import_domain(xml).guest["machine"] == machine
    assert import_domain(xml, machine_alias=True).guest.get("machine") == alias
