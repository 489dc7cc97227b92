"""``import --fleet``: one file of many domains, which says once what they have in common."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES, Run
from guests import draws, guests
from hypothesis import given
from hypothesis import strategies as st

import kvmrender
from kvmrender import GuestError
from kvmrender.engine import default_engine
from kvmrender.libvirt.common_parts import fleet_of
from kvmrender.reading.load import read
from kvmrender.reading.parse import from_yaml

ENGINE = default_engine()
WEB = {"memory": "4 GiB", "vcpu": 2, "interfaces": [{"source": "br0"}]}
NAMES = ("web-1", "web-2", "web-3")


def merged(fleet: dict[str, Any]) -> list[dict[str, Any]]:
    return [document.guest for document in read("fleet.json", json.dumps(fleet).encode())]


def comes_back(guests: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the fleet of guests, of which each renders to the same bytes."""
    fleet = fleet_of(ENGINE, guests)
    found = {guest["name"]: ENGINE.render(guest) for guest in merged(fleet)}
    assert found == {guest["name"]: ENGINE.render(guest) for guest in guests}
    return fleet


def test_what_all_have_is_said_once() -> None:
    assert comes_back([{"name": name, **WEB} for name in NAMES]) == {
        "defaults": WEB,
        "guests": [{"name": name} for name in NAMES],
    }


def test_what_one_has_otherwise_stays_with_it_and_it_comes_last() -> None:
    other = {"name": "db", **WEB, "memory": "8 GiB", "interfaces": [], "sounds": "ich9"}
    assert comes_back([other, *({"name": name, **WEB} for name in NAMES)]) == {
        "defaults": WEB,
        "guests": [
            *({"name": name} for name in NAMES),
            {"name": "db", "memory": "8 GiB", "interfaces": [], "sounds": "ich9"},
        ],
    }


def test_what_one_does_not_have_is_taken_from_it() -> None:
    """With a null, or with the default that it has instead."""
    dog = {"watchdogs": "i6300esb", "on_crash": "restart", "machine": "q35"}
    fleet = comes_back([{"name": "a", "memory": "1 GiB"}, *({"name": name, **WEB, **dog} for name in NAMES)])
    assert fleet["defaults"] == {**WEB, **dog}
    assert fleet["guests"][-1] == {
        "name": "a",
        "memory": "1 GiB",
        "vcpu": 1,
        "on_crash": None,
        "interfaces": [],
        "watchdogs": [],
        "machine": None,
    }


def test_mappings_are_shared_in_part() -> None:
    tuned = {"features": {"acpi": True, "apic": True, "pae": True}, "cpu": {"mode": "host-model", "check": "none"}}
    fleet = comes_back(
        [
            *({"name": name, **tuned} for name in NAMES),
            {"name": "x", "features": {"acpi": True, "apic": True, "vmport": "off"}, "cpu": "host-passthrough"},
        ]
    )
    assert fleet["defaults"] == tuned
    assert fleet["guests"][-1] == {
        "name": "x",
        "features": {"vmport": "off", "pae": None},
        "cpu": "host-passthrough",
    }


def test_identity_is_never_shared() -> None:
    """Also where several have the same."""
    fleet = comes_back([{"name": name, "title": "of the web", "uuid": None} for name in NAMES])
    assert "defaults" not in fleet


def test_one_guest_has_nothing_in_common() -> None:
    assert comes_back([{"name": "a", **WEB}]) == {"guests": [{"name": "a", **WEB}]}
    assert fleet_of(ENGINE, []) == {"guests": []}


@pytest.mark.parametrize("folder", sorted({file.parent for file in FIXTURES}), ids=lambda folder: folder.name)
def test_fixtures_are_fleets(folder: Path) -> None:
    found = [
        document.guest for file in FIXTURES if file.parent == folder for document in read(file.name, file.read_bytes())
    ]
    imported = {guest["name"]: kvmrender.import_domain(ENGINE.render(guest)).guest for guest in found}
    comes_back(list(imported.values()))


@draws(50)
@given(found=st.lists(guests(ENGINE.schema), min_size=2, max_size=4))
def test_random_guests_are_a_fleet(found: list[dict[str, Any]]) -> None:
    imported = []
    for number, guest in enumerate(found):
        try:
            imported.append(kvmrender.import_domain(ENGINE.render({**guest, "name": f"g{number}"})).guest)
        except GuestError:
            continue
    comes_back(imported)


def domains(folder: Path, *others: str) -> Path:
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.xml").write_text(kvmrender.render({"name": name, **WEB}))
    for number, text in enumerate(others):
        (folder / f"x{number}.xml").write_text(text)
    return folder


FLEET = """\
defaults:
  memory: 4 GiB
  vcpu: 2
  interfaces:
    - {source: br0}
guests:
  - {name: web-1}
  - {name: web-2}
  - {name: web-3}
"""


def test_command_writes_one_file(run: Run, tmp_path: Path) -> None:
    source = domains(tmp_path / "xml")
    result = run("import", "--fleet", source)
    assert (from_yaml(result.stdout), result.stderr, result.exit_code) == (from_yaml(FLEET), "", 0)
    assert run("import", "--fleet", "--format", "json", source).stdout.count("\n") == 1
    out = tmp_path / "out"
    assert run("import", "--fleet", "-o", out, source).stderr == "1 fleet: 1 created, 0 changed, 0 unchanged\n"
    assert [file.name for file in out.iterdir()] == ["fleet.yaml"]
    assert (out / "fleet.yaml").read_text() == result.stdout
    rendered = run("render", out / "fleet.yaml").stdout
    assert rendered == "".join((source / f"{name}.xml").read_text() for name in NAMES)


def test_what_is_told_has_the_name_of_its_guest(run: Run, tmp_path: Path) -> None:
    one = kvmrender.render({"name": "a", **WEB}).replace("</devices>", "<gadget/></devices>")
    source = domains(tmp_path / "xml", one, one.replace("4096", "8192"), "<network/>")
    result = run("import", "--fleet", source)
    assert result.exit_code == 2
    assert result.stdout.startswith("# a: devices/gadget: went to extra: no field has it\ndefaults:\n")
    assert result.stderr.replace(f"{source}/", "").splitlines() == [
        "x0.xml:1: devices/gadget: note: went to extra: no field has it",
        "x1.xml:1: devices/gadget: note: went to extra: no field has it",
        "x2.xml:1: is no domain, but <network> [import]",
        "x1.xml:1: name: another guest is also called 'a' [import]",
    ]


def test_fleet_with_a_secret_is_for_the_runner_and_its_group(run: Run, tmp_path: Path) -> None:
    source = domains(tmp_path / "xml", kvmrender.render({"name": "a", "graphics": {"type": "vnc", "passwd": "hush"}}))
    run("import", "--fleet", "-o", tmp_path / "out", source)
    assert stat.S_IMODE((tmp_path / "out/fleet.yaml").stat().st_mode) & 0o007 == 0
