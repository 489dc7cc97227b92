"""``kvmrender drift`` and a real libvirt: no difference in what it has defined, and none missed that somebody made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, embedded_root
from guests import some
from mutants import mutants
from test_libvirt import INACTIVE, SECURE, define, emulated, every_guest, step

from kvmrender import render
from kvmrender.engine import default_engine
from kvmrender.libvirt.drift import Drift
from kvmrender.libvirt.dumps import Dumps
from kvmrender.libvirt.xml_tree import documents
from kvmrender.reading.parse import from_yaml
from kvmrender.schema.xml_path import guest_path

pytestmark = pytest.mark.libvirt

__all__ = ["define"]
ENGINE = default_engine()
MISSES = from_yaml((ROOT / "tests/drift_misses.yaml").read_text())[0]
ELSEWHERE = {("controllers", "model"): ("controllers",), ("graphics", "listen"): ("graphics",)}
"""Fields that stand in elements and attributes of other names."""
FEWEST_FOUND = 0.995


@pytest.fixture(scope="module")
def drift() -> Any:
    with Dumps([]) as nothing:
        yield Drift(ENGINE, nothing)


def differences(drift: Drift, xml: str, dump: str) -> list[tuple[str, ...]]:
    """Return the fields that differ, without positions."""
    root = next(documents(dump.encode())).root
    assert root is not None
    found = drift.differences(drift.wanted(xml), root, has_secrets=True)
    return [tuple(step for step in one.path if isinstance(step, str)) for one in found]


@every_guest
def test_nothing_differs_in_what_libvirt_has_defined(guest: dict[str, Any], define: Any, drift: Drift) -> None:
    with step(guest, "define"):
        xml = emulated(guest)
        assert differences(drift, xml, define(xml).XMLDesc(INACTIVE | SECURE)) == []


@every_guest
def test_what_somebody_changed_is_found(guest: dict[str, Any], define: Any, drift: Drift) -> None:
    with step(guest, "define"):
        xml = emulated(guest)
        dump = define(xml).XMLDesc(INACTIVE | SECURE)
        every = some(list(mutants(xml, dump)))
        missed = [said for one in every if (said := missed_of(drift, xml, one.path, one.what, one.xml))]
        assert [one for one in missed if one not in MISSES] == []


def missed_of(drift: Drift, xml: str, path: tuple[str | int, ...], what: str, dump: str) -> str:
    """Say which change was not found, or not named by its field, or one that it is in."""
    names = tuple(str(step) for step in guest_path(ENGINE.schema.root, path) if isinstance(step, str))
    place = ELSEWHERE.get(names[:2], names)
    if place[-1:] == ("unit",):
        place = place[:-1]
    for found in differences(drift, xml, dump):
        if found[: len(place)] == place or place[: len(found)] == found:
            return ""
    return f"{'.'.join(names)} {what}"


def test_a_driver_is_asked(tmp_path: Path) -> None:
    uri, guest, domain = embedded_root(), tmp_path / "web-1.yaml", tmp_path / "web-1.xml"
    guest.write_text("name: web-1\ntype: qemu\nmemory: 64 MiB\nvcpu: 1\n")

    def drift() -> list[str]:
        command = [sys.executable, "-m", "kvmrender", "drift", "-q", "--connect", uri, guest]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()

    def define(old: str = "", new: str = "") -> None:
        domain.write_text(render(from_yaml(guest.read_text())[0]).replace(old, new))
        subprocess.run(["virsh", "-q", "-c", uri, "define", domain], check=True, capture_output=True)

    assert drift() == [f"{guest}:1:1: web-1: is not defined on the host", "web-1: takes a define"]
    define()
    assert drift() == []
    define("<vcpu>1<", "<vcpu>2<")
    assert drift() == [f"{guest}:4:7: web-1: vcpu: 1 here, 2 on the host", "web-1: takes a define"]
