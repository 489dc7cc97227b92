"""``kvmrender drift`` and a real libvirt: no difference in what it has defined, and none missed that somebody made."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, embedded_root
from drivers import Driver
from guests import draws, guests, some
from hypothesis import given, reject
from mutants import mutants
from refusals import release
from test_libvirt import GUESTS, SECURE, emulated, every_guest

from kvmrender import GuestError, render
from kvmrender.engine import default_engine
from kvmrender.libvirt.drift import Drift
from kvmrender.libvirt.dumps import Dumps
from kvmrender.libvirt.rewriting import TABLE, Rewriting
from kvmrender.libvirt.scratch import Scratch, version_text
from kvmrender.libvirt.xml_tree import documents
from kvmrender.reading.parse import from_yaml
from kvmrender.schema.xml_path import guest_path

pytestmark = pytest.mark.libvirt

ENGINE = default_engine()
MISSES = from_yaml((ROOT / "tests/drift_misses.yaml").read_text())[0]
ELSEWHERE = {("controllers", "model"): ("controllers",), ("graphics", "listen"): ("graphics",)}
"""Fields that stand in elements and attributes of other names."""
FEWEST_FOUND = 0.995
MANY_FIELDS = ["blkiotune", "cpu", "features", "graphics", "interfaces", "os", "serials", "videos"]
"""Keys that are drawn on their own too: of all keys, each is drawn too seldom for the fields in it."""
MOST_IOTHREADS = 1000
"""Those that libvirt can list in time."""
PAUSED = 1  # VIR_DOMAIN_START_PAUSED
SMALL = {"name": "web-1", "type": "qemu", "memory": "64 MiB", "vcpu": 1}


@pytest.fixture(scope="module")
def drift() -> Any:
    with Dumps([]) as nothing:
        yield Drift(ENGINE, nothing)


def differences(drift: Drift, xml: str, dump: str, made: str = "", is_running: bool = False) -> list[tuple[str, ...]]:
    """Return the fields that differ, without positions; ``made`` is what libvirt makes of the document."""
    root = next(documents(dump.encode())).root
    assert root is not None
    wanted = drift.wanted(xml)
    found = list(drift.differences(wanted, root, is_running, has_secrets=True))
    if made:
        found = drift.settled(wanted, drift.wanted(made), found, root)
    return [tuple(step for step in one.path if isinstance(step, str)) for one in found]


@every_guest
def test_nothing_differs_in_what_libvirt_has_defined(guest: dict[str, Any], driver: Driver, drift: Drift) -> None:
    xml = emulated(guest)
    refusal, dump = driver.define(xml)
    if refusal is None:  # what is refused is for tests/real_libvirt/test_libvirt.py
        again = driver.define(xml).text
        assert differences(drift, xml, dump) == []
        assert differences(drift, xml, dump, again) == []


def test_nothing_differs_in_random_guests_that_libvirt_has_defined(driver: Driver, drift: Drift) -> None:
    libvirt = release(driver)

    @draws(500)
    @given(
        guest=guests(ENGINE.schema, libvirt=libvirt) | guests(ENGINE.schema, keys=MANY_FIELDS, most=2, libvirt=libvirt)
    )
    def nothing_differs(guest: dict[str, Any]) -> None:
        guest = {key: value for key, value in guest.items() if key != "emulator"} | {"type": "qemu"}
        if guest.get("iothreads", 0) > MOST_IOTHREADS:
            reject()
        try:
            xml = render(guest)
        except GuestError:
            reject()
        refusal, dump = driver.define(xml)
        if refusal is None and not is_unescaped(guest):
            taken.append(dump)
            found.extend((one, xml) for made in ("", dump) for one in differences(drift, xml, dump, made))

    taken: list[str] = []
    found: list[tuple[tuple[str, ...], str]] = []
    # These are told at the end, as Hypothesis takes minutes to find the smallest guest of them.
    nothing_differs()
    assert taken
    assert found == []


WITHOUT_UNIT: dict[str, dict[str, Any]] = {
    "bytes": {
        "disks": [{"source": "/a.qcow2", "driver": {"type": "qcow2", "metadata_cache": {"max_size": {"text": 4096}}}}],
        "shmems": [{"name": "a", "model": "ivshmem-plain", "size": {"text": 4194304}}],
    },
    "bytes, before 11.3": {
        "filesystems": [{"source": "/a", "target": "a", "space_hard_limit": {"text": 4096}}],
        "libvirt": "9.0",
    },
    "MiB": {"machine": "q35", "features": {"smm": {"state": "on", "tseg": {"text": 48}}}},
    "KiB": {"features": {"tcg": {"tb-cache": {"text": 131072}}}, "memory": {"text": 65536}},
}
"""Sizes that have none, by what libvirt takes them for."""


@pytest.mark.parametrize("name", WITHOUT_UNIT)
def test_a_size_without_a_unit_is_as_libvirt_reads_it(name: str, driver: Driver, drift: Drift) -> None:
    guest = {"libvirt": release(driver), **SMALL, **WITHOUT_UNIT[name]}
    xml = render(guest)
    refusal, dump = driver.define(xml)
    if guest["libvirt"] != release(driver):
        assert refusal is not None
        return
    assert refusal is None
    assert differences(drift, xml, dump) == []
    assert differences(drift, xml, re.sub("(4096|4|48|131072|65536)(?=</)", "7", dump)) != []


def is_unescaped(guest: dict[str, Any]) -> bool:
    """Say whether a guest has an apostrophe where libvirt writes it as it is: its dump is no XML."""
    return any("'" in entry["name"] for one in guest.get("sysinfo", ()) for entry in one.get("entry", ()))


def test_what_somebody_changed_is_found(driver: Driver, drift: Drift) -> None:
    missed: list[str] = []
    tried = 0
    for guest in GUESTS.values():
        xml = emulated(guest)
        refusal, dump = driver.define(xml)
        for one in some(list(mutants(xml, dump))) if refusal is None else ():
            tried += 1
            found = [missed_of(drift, xml, one.path, one.what, one.xml, made) for made in ("", dump)]
            missed += list(filter(None, found))[:1]
    assert sorted({*missed} - MISSES.keys()) == []
    assert len(missed) <= (1 - FEWEST_FOUND) * tried


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for folders in which guests have files and sockets")
def test_nothing_differs_in_what_libvirt_runs(driver: Driver, drift: Drift) -> None:
    """Of the fixtures that start with an emulated processor, and with what there is on the machine."""
    found = {}
    for name, guest in some(list(GUESTS.items())):
        xml = emulated(guest).replace('type="qcow2"', 'type="raw"')  # the images that it starts with are empty
        refusal, dump = driver.start(xml)
        if refusal is None:
            found[name] = differences(drift, xml, dump, is_running=True)
    assert {name: differ for name, differ in found.items() if differ} == {}
    assert found


RUNNING = {
    "plain": {},
    "of many devices": {
        "machine": "q35",
        "vcpu": {"current": 1, "text": 2},
        "channels": [{"type": "unix", "target": {"type": "virtio", "name": "org.qemu.guest_agent.0"}}],
        "serials": [{"type": "pty"}, {"type": "null"}],
        "graphics": [{"type": "vnc", "passwd": "s3cret"}],
        "inputs": [{"type": "tablet", "bus": "usb"}],
        "rngs": [{"model": "virtio", "backend": {"model": "random", "text": "/dev/urandom"}}],
        "watchdogs": [{"model": "i6300esb", "action": "reset"}],
    },
    "of disks": {
        "disks": [
            {"source": "{folder}/a.raw", "driver": "raw"},
            {"source": "{folder}/b.raw", "driver": "raw", "target": {"bus": "scsi"}},
            {"device": "cdrom", "driver": "raw", "target": {"bus": "ide"}},
        ],
    },
}
"""Guests that start with an emulated processor, and no network."""


@pytest.mark.parametrize("name", RUNNING)
def test_nothing_differs_in_a_running_guest_until_somebody_changes_something(
    name: str, connection: Any, drift: Drift, tmp_path: Path
) -> None:
    for image in ("a.raw", "b.raw"):
        (tmp_path / image).write_bytes(bytes(1 << 20))
    guest = from_yaml(str({**SMALL, **RUNNING[name]}).replace("{folder}", str(tmp_path)))[0]
    xml = render(guest)
    domain = connection.createXML(xml, PAUSED)
    try:
        dump = domain.XMLDesc(SECURE)
        assert differences(drift, xml, dump, is_running=True) == []
        other = render({**guest, "on_crash": "preserve", "description": "another"})
        assert differences(drift, other, dump, is_running=True) == [("description",), ("on_crash",)]
    finally:
        domain.destroy()


def missed_of(drift: Drift, xml: str, path: tuple[str | int, ...], what: str, dump: str, made: str) -> str:
    """Say which change was not found, or not named by its field, or one that it is in."""
    names = tuple(str(step) for step in guest_path(ENGINE.schema.root, path) if isinstance(step, str))
    place = ELSEWHERE.get(names[:2], names)
    if place[-1:] == ("unit",):
        place = place[:-1]
    for found in differences(drift, xml, dump, made):
        if found[: len(place)] == place or place[: len(found)] == found:
            return ""
    return f"{'.'.join(names)} {what}"


def test_what_the_table_does_not_know_is_no_difference_where_libvirt_is_asked(
    host: Driver, drift: Drift, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = from_yaml(TABLE.read_text())[0]
    monkeypatch.setattr("kvmrender.libvirt.drift.rewriting", lambda: Rewriting({**table, "rules": []}))
    xml = render({**SMALL, "machine": "q35", "inputs": [{"type": "tablet"}]})
    dump = host.define(xml).text
    assert differences(drift, xml, dump)
    assert differences(drift, xml, dump, dump) == []


def test_what_the_file_says_is_exact_where_libvirt_is_asked(
    host: Driver, drift: Drift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it leaves to libvirt is not; and another machine may have been the newest when the guest was defined."""
    xml = render({**SMALL, "machine": "q35"})
    made = host.define(xml).text
    table = from_yaml(TABLE.read_text())[0]
    lax = {"fields": ["vcpu"], "reason": "none", "here": True}
    monkeypatch.setattr(
        "kvmrender.libvirt.drift.rewriting", lambda: Rewriting({**table, "rules": [*table["rules"], lax]})
    )
    for old, new, found in (
        (r"machine='pc-q35-[\d.]+'", "machine='pc-q35-4.2'", []),
        (r"bus='0x01' slot='0x00'", "bus='0x01' slot='0x02'", []),
        (r">1</vcpu>", ">2</vcpu>", [("vcpu", "text")]),
    ):
        changed = re.sub(old, new, made)
        assert changed != made
        assert differences(drift, xml, changed) == []
        assert differences(drift, xml, changed, made) == found


def test_a_scratch_driver_survives_what_ends_it_and_leaves_nothing() -> None:
    xml = render(SMALL)
    with Scratch() as scratch:
        assert scratch.version == libvirt_version()
        assert scratch.dump("<domain/>") is None
        dump = scratch.dump(xml)
        assert dump
        assert "<name>web-1</name>" in dump
        assert scratch.dump(xml) == dump
        assert scratch._process
        scratch._process.kill()
        assert scratch.dump(xml) is None
        assert scratch.dump(xml) == dump
    assert not Path(scratch.root).exists()


def libvirt_version() -> int:
    import libvirt

    return int(libvirt.getVersion())


def test_a_driver_is_asked(tmp_path: Path) -> None:
    ways: list[str] = []
    uri, guest, domain = embedded_root(), tmp_path / "web-1.yaml", tmp_path / "web-1.xml"
    guest.write_text("name: web-1\ntype: qemu\nmemory: 64 MiB\nvcpu: 1\n")

    def drift(uri: str = uri) -> list[str]:
        command = [sys.executable, "-m", "kvmrender", "drift", "--connect", uri, guest]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        ways.append(done.stderr.splitlines()[-1])
        return done.stdout.splitlines()

    def define(old: str = "", new: str = "") -> None:
        domain.write_text(render(from_yaml(guest.read_text())[0]).replace(old, new))
        subprocess.run(["virsh", "-q", "-c", uri, "define", domain], check=True, capture_output=True)

    assert drift() == [f"{guest}:1:1: web-1: is not defined on the host", "web-1: takes a define"]
    define()
    assert drift() == []
    define("<vcpu>1<", "<vcpu>2<")
    assert drift() == [f"{guest}:4:7: web-1: vcpu: 1 here, 2 on the host", "web-1: takes a define"]
    listed = subprocess.run(["virsh", "-q", "-c", uri, "list", "--all", "--name"], capture_output=True, check=True)
    assert listed.stdout.split() == [b"web-1"]
    version = version_text(libvirt_version())
    assert set(ways) == {f"compared with what libvirt {version} makes of a guest"}
    drift("test:///default")
    assert ways[-1] == f"compared by the table of what libvirt rewrites: no QEMU there, {version} here"
