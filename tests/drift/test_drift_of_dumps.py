"""``kvmrender drift``: guest files against dumps, told at the field's place in the guest file."""

from __future__ import annotations

import fnmatch
import gc
import json
import re
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from conftest import ROOT, Run
from tools import blocks

import kvmrender
from kvmrender.engine import default_engine
from kvmrender.errors import path_string
from kvmrender.libvirt import field_places
from kvmrender.libvirt.rewriting import TABLE
from kvmrender.libvirt.xml_tree import Element, documents
from kvmrender.reading.parse import from_yaml
from kvmrender.schema.guest_schema import all_fields

FLEET = """\
guests:
  - name: web-1
    memory: 2 GiB
    disks:
      - {source: /srv/web-1.qcow2, driver: {cache: none}}
      - source: /srv/data.qcow2
    interfaces: [{source: br0}, {source: br1}]
    graphics: {type: vnc, passwd: birdsong}
"""
GUEST = from_yaml(FLEET)[0]["guests"][0]
WEB = kvmrender.render(GUEST)
MACS = re.findall(r'<mac address="(.*)"/>', WEB)
ADDED = (
    ("<os>", "<resource><partition>/machine</partition></resource>\n  <os>"),
    ("</devices>", "<memballoon model='virtio'><address type='pci' slot='0x05'/></memballoon>\n  </devices>"),
    ('<memory unit="MiB">2048</memory>', "<memory unit='KiB'>2097152</memory>"),
    ('arch="x86_64"', "arch='x86_64' machine='pc-i440fx-7.2'"),
)
"""What libvirt makes of a document, as far as these tests need it."""


def dumped(xml: str = WEB) -> str:
    for old, new in ADDED[1:]:
        assert old in xml
        xml = xml.replace(old, new)
    return xml


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dumps").mkdir()
    (tmp_path / "fleet.yaml").write_text(FLEET)
    (tmp_path / "dumps/web-1.xml").write_text(dumped())
    return tmp_path


@pytest.fixture
def drift(site: Path, run: Run) -> Any:
    def drift(*changes: tuple[str, str], options: tuple[str, ...] = ("-q",)) -> tuple[str, int]:
        xml = dumped()
        for old, new in changes:
            assert old in xml
            xml = xml.replace(old, new)
        (site / "dumps/web-1.xml").write_text(xml)
        result = run("drift", "--dumps", "dumps", *options, "fleet.yaml")
        return result.stdout, result.exit_code

    return drift


def test_nothing_differs_after_what_libvirt_does(site: Path, run: Run) -> None:
    result = run("drift", "--dumps", "dumps", "fleet.yaml")
    assert (result.stdout, result.stderr, result.exit_code) == ("", "1 guest: 1 the same\n", 0)


DIFFERENCES = {
    "a value": (
        ('cache="none"', "cache='writeback'"),
        "fleet.yaml:5:52: web-1: disks[0].driver.cache: none here, writeback on the host",
    ),
    "not there": (
        (' cache="none"', ""),
        "fleet.yaml:5:52: web-1: disks[0].driver.cache: none here, nothing on the host",
    ),
    "not here": (
        ('type="qcow2" cache="none"', "type='qcow2' cache='none' io='native'"),
        "fleet.yaml:5:44: web-1: disks[0].driver.io: nothing here, native on the host",
    ),
    "a size": (
        ("2097152", "2097153"),
        "fleet.yaml:3:13: web-1: memory: 2048 MiB here, 2097153 KiB on the host",
    ),
    "another device": (
        ("</devices>", "<rng model='virtio'><backend model='random'>/dev/random</backend></rng></devices>"),
        "fleet.yaml:2:5: web-1: rngs: only on the host: model: virtio, backend: {model: random, text: /dev/random}",
    ),
    "a secret": (
        ("birdsong", "nightowl"),
        "fleet.yaml:8:35: web-1: graphics[0].passwd: another one on the host: it is a secret",
    ),
    "an element that no field has": (
        ("<devices>", "<shade/><devices>"),
        "fleet.yaml:2:5: web-1: extra: shade: only on the host",
    ),
    "a MAC address, by which interfaces are matched": (
        (MACS[1], "52:54:00:00:00:01"),
        f"fleet.yaml:7:33: web-1: interfaces[1].mac.address: {MACS[1]} here, 52:54:00:00:00:01 on the host",
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_told_at_its_field(name: str, drift: Any) -> None:
    change, said = DIFFERENCES[name]
    stdout, code = drift(change)
    assert (stdout.splitlines(), code) == ([said, "web-1: takes a define"], 1)
    assert "nightowl" not in stdout
    assert "birdsong" not in stdout


def test_a_device_that_is_gone(drift: Any) -> None:
    disk = re.findall(r"    <disk .*?</disk>\n", WEB, re.DOTALL)[1]
    stdout, _ = drift((disk, ""))
    assert stdout.splitlines()[0].startswith("fleet.yaml:6:9: web-1: disks[1]: only here: type: file, device: disk")


def test_the_order_of_devices_says_nothing(drift: Any) -> None:
    first, second = re.findall(r"    <disk .*?</disk>\n", WEB, re.DOTALL)
    assert drift((first + second, second + first)) == ("", 0)


def test_passwords_are_left_out_of_usual_dumps(drift: Any) -> None:
    assert drift((' passwd="birdsong"', "")) == ("", 0)


def test_what_is_only_on_one_side(site: Path, run: Run) -> None:
    (site / "dumps/other.xml").write_text(kvmrender.render({"name": "old"}))
    (site / "dumps/web-1.xml").unlink()
    result = run("drift", "--dumps", "dumps", "--complete", "fleet.yaml")
    assert result.stdout.splitlines() == [
        "fleet.yaml:2:5: web-1: is not defined on the host",
        "web-1: takes a define",
        "dumps/other.xml:1: old: is in no guest file",
    ]
    assert result.stderr == "2 guests: 0 the same, 1 not defined on the host, 1 in no guest file\n"
    assert result.exit_code == 1
    assert run("drift", "--dumps", "dumps", "--complete", "--select", "x*", "fleet.yaml").exit_code == 2


def test_what_runs_is_held_against_the_file_too(site: Path, run: Run) -> None:
    running = dumped().replace("<domain ", "<domain id='3' ").replace(*ADDED[0])
    (site / "dumps/web-1.live.xml").write_text(running)
    assert run("drift", "-q", "--dumps", "dumps", "fleet.yaml").exit_code == 0
    (site / "dumps/web-1.live.xml").write_text(running.replace('cache="none"', "cache='writeback'"))
    assert run("drift", "-q", "--dumps", "dumps", "fleet.yaml").stdout.splitlines() == [
        "fleet.yaml:5:52: web-1: disks[0].driver.cache: none here, writeback in the running guest",
        "web-1: takes a restart",
    ]


def test_a_uuid_that_is_in_the_way(site: Path, run: Run, drift: Any) -> None:
    uuid = re.findall("<uuid>(.*)</uuid>", WEB)[0]
    stdout, _ = drift((uuid, "1" + uuid[1:] if uuid[0] != "1" else "2" + uuid[1:]))
    assert stdout.splitlines()[-1] == "web-1: takes a new definition"
    (site / "dumps/web-1.xml").write_text(dumped().replace(">web-1<", ">before<"))
    assert run("drift", "-q", "--dumps", "dumps", "fleet.yaml").stdout.splitlines() == [
        "fleet.yaml:2:5: web-1: is not defined on the host, where 'before' has its UUID",
        "web-1: takes a new definition",
    ]


def test_a_later_dump_needs_nothing_compiled_again() -> None:
    kvmrender.drift(GUEST, [dumped()])
    with mock.patch.object(field_places, "Place", side_effect=AssertionError):
        assert kvmrender.drift(GUEST, [dumped()]).status == "same"


def test_a_guest_is_held_against_dumps_in_python() -> None:
    assert kvmrender.drift(GUEST, []).status == "not-defined"
    assert kvmrender.drift(GUEST, [dumped(), dumped().replace("<domain ", "<domain id='3' ").encode()]).status == "same"
    found = kvmrender.drift(GUEST, [dumped().replace('cache="none"', "cache='unsafe'")], diff=True)
    assert (found.status, found.takes) == ("differs", ("a define",))
    assert [str(one) for one in found.differences] == ["disks[0].driver.cache: none here, unsafe on the host [drift]"]
    assert '+      <driver name="qemu" type="qcow2" cache="none"/>' in found.diff
    without = dumped().replace(' passwd="birdsong"', "")
    assert kvmrender.drift(GUEST, [without]).status == "same"
    assert kvmrender.drift(GUEST, [without], has_secrets=True).status == "differs"
    with pytest.raises(kvmrender.GuestError, match="dump:1: is no domain"):
        kvmrender.drift(GUEST, ["<network/>"])
    with pytest.raises(kvmrender.GuestError, match="memroy"):
        kvmrender.drift({"name": "a", "memroy": 1}, [])


def test_secrets_that_own_templates_write_are_hidden_in_the_diff(tmp_path: Path) -> None:
    title = "{% block name %}{{ super() }}<title>{{ graphics[0].passwd }}</title>{% endblock %}"
    (tmp_path / "amd64.xml.j2").write_text('{% extends "domain.xml.j2" %}' + title)
    xml = kvmrender.render(GUEST, [tmp_path])
    assert "<title>birdsong</title>" in xml
    for dumps in ([], [xml.replace("<vcpu>1<", "<vcpu>2<").replace("birdsong</title>", "nightowl</title>")]):
        found = kvmrender.drift(GUEST, dumps, [tmp_path], diff=True)
        assert found.diff
        assert "birdsong" not in found.diff


def test_diff_shows_nothing_but_what_differs(drift: Any) -> None:
    stdout, _ = drift(('cache="none"', "cache='writeback'"), options=("-q", "--diff"))
    changed = [line for line in stdout.splitlines() if line[:1] in "-+"]
    assert changed == [
        "--- web-1",
        "+++ web-1",
        '-      <driver name="qemu" type="qcow2" cache="writeback"/>',
        '+      <driver name="qemu" type="qcow2" cache="none"/>',
    ]
    assert "birdsong" not in stdout


def test_report(drift: Any) -> None:
    stdout, code = drift(('cache="none"', "cache='writeback'"), options=("-q", "--report", "json"))
    (found,) = map(json.loads, stdout.splitlines())
    assert (found["name"], found["status"], found["takes"], found["file"]) == (
        "web-1",
        "differs",
        ["a define"],
        "fleet.yaml",
    )
    (problem,) = found["problems"]
    assert (problem["path"], problem["line"], problem["id"]) == ("disks[0].driver.cache", 5, "drift")
    assert code == 1
    for form in ("junit", "sarif", "github"):
        stdout, code = drift(('cache="none"', "cache='writeback'"), options=("-q", "--report", form))
        assert "writeback" in stdout
        assert code == 1


def test_what_is_wrong_is_told_beside_what_differs(site: Path, run: Run) -> None:
    (site / "fleet.yaml").write_text(f"{FLEET}  - {{name: bad, memroy: 1}}\n  - name: web-2\n")
    result = run("drift", "--dumps", "dumps", "fleet.yaml")
    assert result.stdout.splitlines()[0] == "fleet.yaml:10:5: web-2: is not defined on the host"
    assert "fleet.yaml:9:17: memroy" in result.stderr
    assert result.exit_code == 2


BAD_DUMPS = {
    "<domain><name>a": "dumps/bad.xml:1: is not well-formed XML: no element found [dump]",
    "<network><name>a</name></network>": "dumps/bad.xml:1: is no domain, but <network> [dump]",
    WEB: "dumps/web-1.xml:1: there is another dump of 'web-1': dumps/bad.xml:1 [dump]",
}


@pytest.mark.parametrize("text", BAD_DUMPS)
def test_dumps_that_are_none(text: str, site: Path, run: Run) -> None:
    (site / "dumps/bad.xml").write_text(text)
    result = run("drift", "--dumps", "dumps", "fleet.yaml")
    assert (result.stderr, result.exit_code) == (f"{BAD_DUMPS[text]}\n", 2)


def test_several_documents_in_a_file(site: Path, run: Run) -> None:
    (site / "all.xml").write_text(kvmrender.render({"name": "a"}) + dumped())
    assert run("drift", "--dumps", "all.xml", "fleet.yaml").exit_code == 0


def test_one_of_dumps_and_connect(site: Path, run: Run) -> None:
    assert run("drift", "fleet.yaml").exit_code == 2
    assert run("drift", "--dumps", "none", "fleet.yaml").stderr == "none: No such file or directory [file]\n"


def test_every_guest_is_what_its_own_xml_says() -> None:
    """The XML of a fixture, taken for a dump, is the same, and so are the places of its devices in the guest."""
    from kvmrender.libvirt.document_guest import read
    from kvmrender.libvirt.field_places import Place
    from kvmrender.libvirt.xml_tree import documents
    from kvmrender.reading.load import read as read_guests

    engine = default_engine()
    place = Place(engine.schema.root, engine.schema.root)
    for file in sorted((ROOT / "fixtures").rglob("*.yaml")):
        for document in read_guests(file.name, file.read_bytes()):
            context, xml, _ = engine.rendered(document.guest)
            root = next(documents(xml.encode())).root
            assert root is not None
            found = read(root, place).guest
            for key, items in context.items():
                if isinstance(items, list) and key not in ("ignore", "use") and "extra" not in context:
                    assert len(found.get(key, [])) == len(items), (file, key)


def test_page_shows_what_is_told(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "docs/drift.md").read_text()
    fleet, _ = blocks(ROOT / "docs/drift.md", "yaml")
    command, *told = re.findall("^```console\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)[0].splitlines()
    (tmp_path / "fleet.yaml").write_text(fleet)
    (tmp_path / "dumps").mkdir()
    for name in ("web-1", "web-2"):
        xml = run("render", "--select", name, "fleet.yaml").stdout.replace('cache="none"', 'cache="writeback"')
        (tmp_path / f"dumps/{name}.xml").write_text(xml)
    (tmp_path / "dumps/old.xml").write_text(kvmrender.render({"name": "old"}))
    result = run(*command.split()[2:])
    assert (result.stdout + result.stderr).splitlines() == told
    assert "virsh dumpxml --inactive" in page


PINS = {"vcpu": 2, "cputune": {"vcpupin": [{"vcpu": 2, "cpuset": "3"}, {"vcpu": 1, "cpuset": "3"}]}}
MEMORY = {"memory": "1 GiB", "currentMemory": "2 GiB"}
DATES = {"entry": [{"name": "date", "text": "1/11/2026"}, {"name": "date", "text": "2/11/2026"}]}
BIOS = {"sysinfo": [{"type": "smbios", "bios": DATES}]}
MENU = {"os": {"bootmenu": {"enable": "no", "timeout": 9}}}
CARD = {"videos": [{"driver": {"vgaconf": "io"}}]}
VGA = {"videos": [{"driver": {"vgaconf": "on"}, "model": "vga"}]}
LIMITS = {"blkiotune": {"device": [{"path": "/a", "read_iops_sec": 0}, {"path": "/b", "weight": 900}]}}
SECURE_BOOT = [{"enabled": "no", "name": "secure-boot"}, {"enabled": "yes", "name": "secure-boot"}]
KEYS = {
    "machine": "q35",
    "os": {
        "firmware": {
            "type": "efi",
            "feature": [{"name": "secure-boot", "enabled": "yes"}, {"name": "enrolled-keys", "enabled": "no"}],
        }
    },
}
FIRMWARE = {"machine": "q35", "os": {"firmware": {"type": "efi", "feature": SECURE_BOOT}}}
E1000 = {"interfaces": [{"type": "user", "model": "e1000", "driver": {"queues": 2}}]}
EMPTY = {"disks": [{"type": "volume", "device": "cdrom", "driver": {"name": "qemu"}}]}

LEFT_OUT: list[tuple[dict[str, Any], str, str, list[str]]] = [
    (PINS, ' *<vcpupin vcpu="2".*\n', "", []),
    (PINS, r' *<vcpupin vcpu="2".*\n( *<vcpupin vcpu="1" cpuset=)"3"', r'\1"3,3"', []),
    (PINS, r' *<vcpupin vcpu="2".*\n( *<vcpupin vcpu="1" cpuset=)"3"', r'\1"4"', ["cputune.vcpupin[1].cpuset"]),
    (LIMITS, " *<device>\n *<path>/a(.*\n)*? *</device>\n", "", []),
    (LIMITS, ">900<", ">800<", ["blkiotune.device[1].weight"]),
    (FIRMWARE, '.*enabled="no" name="secure-boot".*\n', "", []),
    (FIRMWARE, '.*enabled="yes" name="secure-boot".*\n', "", ["os.firmware.feature[1].enabled"]),
    (KEYS, r"( *<feature .*\n)( *<feature .*\n)", r"\2\1", []),
    (KEYS, r'( *<feature .*\n)( *<feature .*"no".*\n)', r"\2", ["os.firmware.feature[0]"]),
    (E1000, "<driver .*/>", "", []),
    ({"interfaces": [{**E1000["interfaces"][0], "model": "virtio"}]}, "<driver .*/>", "", ["interfaces[0].driver"]),
    (EMPTY, 'type="volume"', 'type="file"', []),
    (MEMORY, "2048(?=</currentMemory>)", "1024", []),
    (MEMORY, "2048(?=</currentMemory>)", "512", ["currentMemory"]),
    (BIOS, ".*2/11/2026.*\n", "", []),
    (BIOS, ".*1/11/2026.*\n", "", ["sysinfo[0].bios.entry[0]"]),
    (MENU, ' timeout="9"', "", []),
    (MENU, ' enable="no"', ' enable="yes"', ["os.bootmenu.enable"]),
    (CARD, "<driver .*/>", '<model type="vga" vram="16384" heads="1" primary="yes"/>', []),
    (VGA, "<driver .*/>", "", ["videos[0].driver"]),
]
"""Guests, what a dump has in place of what is in their XML, and what differs: libvirt leaves out the rest."""


@pytest.mark.parametrize(("guest", "old", "new", "fields"), LEFT_OUT)
def test_what_libvirt_leaves_out_is_no_difference(guest: dict[str, Any], old: str, new: str, fields: list[str]) -> None:
    guest = {"name": "a", **guest}
    dump, count = re.subn(old, new, kvmrender.render(guest))
    assert count == 1
    assert [path_string(one.path) for one in kvmrender.drift(guest, [dump]).differences] == fields


def test_a_document_that_is_read_is_gone_with_its_last_use() -> None:
    """A run of many dumps stays as small as one of few, though Python looks for garbage seldom."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            next(documents(WEB.encode()))
        assert not [one for one in gc.get_objects() if isinstance(one, Element)]
    finally:
        gc.enable()


def test_table_is_of_fields_and_has_reasons() -> None:
    table = from_yaml(TABLE.read_text())[0]
    root = default_engine().schema.root
    fields = {".".join(step for step in path if isinstance(step, str)) for path in all_fields(root, root)}
    for rule in table["rules"]:
        assert rule["reason"]
    named = [field for rule in table["rules"] for field in rule["fields"] if not field.startswith("extra.")]
    for field in [*named, *table["unordered"], *table["first"], *table["last"]]:
        assert field in fields if "*" not in field else fnmatch.filter(fields, field), field
    tables = [table[name] for name in ("sizes", "units", "sums", "most", "counts")]
    assert {field for one in tables for field in one} | {*table["most"].values()} <= fields
