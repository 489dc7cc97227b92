"""The benchmarks run, and measure what they say. No figure is judged here."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from bench import command, commands, contenders, documents, fleet, growth, guests, imports, inside, warm
from conftest import ROOT
from tools import program

import kvmrender
from kvmrender.reading.load import read

PEERS = {"go": "Go encoding/xml", "virt-install": "virtinst"}
README = (ROOT / "tests/bench/README.md").read_text()


def bench(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ if path is None else {**os.environ, "PATH": path}
    program = [sys.executable, str(ROOT / "tests/bench"), *arguments]
    return subprocess.run(program, capture_output=True, text=True, env=environment)


def test_every_contender_is_timed() -> None:
    if missing := [name for name in PEERS if not shutil.which(name)]:
        packages = (ROOT / "tests/bench/packages.txt").read_text().split()
        pytest.skip(f"needs {', '.join(missing)}: apt-get install {' '.join(packages)}")
    done = bench("--quick", "--only", "warm,import,cold,commands,fleet", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    results = json.loads(done.stdout)
    assert [(row["guest"], row["contender"]) for row in results["warm"]] == [
        (guest, name)
        for guest in ("seed-arm64", "web-1", "large")
        for name in ("kvmrender", *contenders.OWN, "bare Jinja", "f-strings", "xml.etree", *PEERS.values())
    ]
    assert [row["contender"] for row in results["cold"]] == [
        "kvmrender render one.yaml",
        'python -c "import kvmrender; kvmrender.render(guest)"',
        "kvmrender render --templates DIR one.yaml",
        "python -c pass",
        'python -c "import yaml, jinja2"',
        "virt-install --print-xml",
        "virt-install --print-xml --osinfo debian11",
    ]
    assert [(row["guest"], row["contender"]) for row in results["import"]] == [
        (guest, name) for guest in ("seed-arm64", "web-1", "large") for name in imports.NAMES
    ]
    for row in results["warm"] + results["import"] + results["cold"] + results["fleet"]:
        low, high = row["quartiles"]
        assert 0 < row["least"] <= low <= row["seconds"] <= high
    for row in results["warm"] + results["import"] + results["cold"]:
        assert row["ours_is"] > 0
    assert [(row["command"], row["contender"]) for row in results["commands"]] == [
        (name, contender) for name, contenders in commands.COMMANDS.items() for contender in contenders
    ]
    for row in results["commands"]:
        if "missing" in row:
            continue
        assert list(row["fleets"]) == (["2"] if row["contender"] in commands.A_PROCESS_EACH else ["2", "4", "8"])
        assert row["ours_is"] > 0
    assert [(row["kind"], row["guests"]) for row in results["fleet"]] == [
        *(("yaml", 1), ("yaml", 20)),
        *(("jsonl", 1), ("jsonl", 20), ("jsonl", 40)),
    ]
    assert all(row["peak_bytes"] > 10e6 and 0 < row["cpu"] < 100 for row in results["fleet"])
    assert {"CPU", "cores", "Jinja2", "Go", "virtinst", "libvirt"} <= results["machine"].keys()


def test_where_the_time_of_a_guest_goes_adds_up() -> None:
    rows = inside.measure(5)
    assert [(row["guest"], row["step"]) for row in rows] == [
        (guest, step) for guest in guests.GUESTS for step in (*inside.STEPS, inside.REST)
    ]
    assert all(row["seconds"] > 0 for row in rows)
    done = bench("--quick", "--only", "inside")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^\| XML \|( [\d.]+ \(\d+%\) \|){3}$", done.stdout, re.MULTILINE)


def test_growth_of_each_stage_is_measured() -> None:
    rows = growth.measure((1 << 10, 1 << 12), 1)
    assert {row["stage"] for row in rows} == set(growth.STAGES)
    assert {row["input"] for row in rows} == set(growth.SHAPES)
    assert all(set(row["seconds"]) == {"1024", "4096"} for row in rows)


def test_missing_peers_are_said_to_be_missing(tmp_path: Path) -> None:
    done = bench("--quick", "--only", "warm,cold", path=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if "|" in line]
    assert [cells[1:3] for cells in rows if cells[0] == "web-1" and cells[2].startswith("missing")] == [
        ["Go encoding/xml", "missing: no go (Debian: golang-go)"],
        ["virtinst", "missing: no virt-install (Debian: virtinst)"],
    ]
    assert [cells[:2] for cells in rows if cells[0].startswith("virt-install")] == [
        ["virt-install --print-xml", "missing: no virt-install (Debian: virtinst)"],
        ["virt-install --print-xml --osinfo debian11", "missing: no virt-install (Debian: virtinst)"],
    ]
    assert "Go missing, virtinst missing" in done.stdout


def test_who_writes_another_document_is_not_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    faulty = (ROOT / "tests/bench/peers/small.xml.j2").read_text().replace('bus="virtio"', 'bus="sata"')
    (tmp_path / "small.xml.j2").write_text(faulty)
    monkeypatch.setattr(contenders, "PEERS", tmp_path)
    monkeypatch.setattr(warm, "GUESTS", {"web-1": guests.web()})
    monkeypatch.setattr(contenders.Contenders, "NAMES", ("kvmrender", "bare Jinja", "f-strings"))
    assert command.main(["--quick", "--only", "warm"]) == 1
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| web-1")]
    assert rows[1] == (
        "| web-1 | bare Jinja | not timed: its document differs: "
        'has domain/devices/disk/target bus="sata" dev="vda" '
        'where domain/devices/disk/target bus="virtio" dev="vda" belongs |  |  |  |'
    )
    assert all(re.search(r"\| [\d.,]+ times \|$", rows[number]) for number in (0, 2))


def test_a_contender_that_fails_is_not_timed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, script in (
        ("python", "#!/bin/sh\necho out of order >&2\nexit 1\n"),
        ("virt-install", f"#!{tmp_path}/python\n"),
    ):
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(warm, "GUESTS", {"web-1": guests.web()})
    results = command.measure(["warm", "cold"], command.QUICK, jobs=1)
    (row,) = [row for row in results["warm"] if row["contender"] == "virtinst"]
    assert row["refused"] == f"{tmp_path}/python failed: out of order"
    (row,) = [row for row in results["cold"] if row["contender"] == "virt-install --print-xml"]
    assert row["refused"] == f"{tmp_path}/virt-install failed: out of order"


def test_a_fleet_that_is_not_all_written_is_not_timed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write = fleet.write
    monkeypatch.setattr(fleet, "write", lambda path, count: write(path, max(1, count - 1)))
    assert command.main(["--quick", "--only", "fleet", "--jobs", "1", "--yaml", "3", "--jsonl", ""]) == 1
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| yaml")]
    assert rows[1] == "| yaml | 3 | 1 | not timed: 2 files were written, of 3 | | | | | |"


ONE = (
    '<domain type="kvm"><memory unit="MiB">1</memory>'
    '<devices><disk dev="a" bus="b"/><disk dev="c"/><rng/></devices></domain>'
)


@pytest.mark.parametrize(
    ("other", "same", "loosely"),
    [
        (ONE.replace('dev="a" bus="b"', "bus='b' dev='a'").replace("<disk", "\n  <disk"), True, True),
        (ONE.replace("<rng/>", "<rng></rng>"), True, True),
        (ONE.replace(' unit="MiB">1<', ">1024<"), False, True),
        (ONE.replace("<rng/>", "").replace("<devices>", "<devices><rng/>"), False, True),
        (ONE.replace("<rng/>", "<rng/><clock/>"), False, False),
        (ONE.replace(">1<", ">2<"), False, False),
        (ONE.replace('bus="b"', 'bus="c"'), False, False),
        (ONE.replace(' bus="b"', ""), False, False),
        (ONE.replace("<rng/>", ""), False, False),
        (ONE.replace("<rng/>", "<rng>x</rng>"), False, False),
        (ONE.replace("<rng/>", "<rng/>x"), False, False),
        (ONE.replace('<disk dev="c"/>', "").replace("<devices>", '<devices><disk dev="c"/>'), False, False),
    ],
)
def test_what_makes_documents_the_same(other: str, same: bool, loosely: bool) -> None:
    assert (documents.difference(other, ONE) is None) is same
    assert (documents.loose_difference(other, ONE) is None) is loosely


def test_what_only_one_program_writes_is_taken_out_of_its_document_alone() -> None:
    more = ONE.replace("<rng/>", "<rng/><clock/><clock/>")
    assert documents.loose_difference(more, ONE, ["devices/clock", "os/boot"]) is None
    assert documents.loose_difference(ONE, more, ["devices/clock"]) is not None


def test_small_guests_are_fixtures() -> None:
    seed = (ROOT / "fixtures/seed/seed-arm64.xml").read_text()
    assert kvmrender.render(guests.SEED) == seed.replace("00:00:00:00:00:00", "52:54:00:00:00:01")
    assert kvmrender.render(guests.web()) == (ROOT / "fixtures/web-1.xml").read_text()


def test_large_guest_has_as_many_devices_as_it_says() -> None:
    devices = ElementTree.fromstring(kvmrender.render(guests.large())).find("devices")
    assert devices is not None
    tags = [device.tag for device in devices]
    assert (tags.count("disk"), tags.count("interface"), len(tags)) == (20, 10, 50)


def test_both_kinds_of_fleet_hold_the_same_guests(tmp_path: Path) -> None:
    found = []
    for name in ("f.yaml", "f.jsonl"):
        fleet.write(tmp_path / name, 3)
        found.append([document.guest for document in read(name, (tmp_path / name).read_bytes())])
    assert found[0] == found[1] == [fleet.guest(number) for number in range(3)]


def test_growth_is_from_the_smallest_fleet_to_the_largest() -> None:
    rows: list[dict[str, Any]] = [
        {"kind": "jsonl", "guests": 1, "peak_bytes": 500},
        {"kind": "jsonl", "guests": 10, "peak_bytes": 1000, "per_guest": 9.0},
        {"kind": "jsonl", "guests": 50, "peak_bytes": 1900, "per_guest": 2.0},
        {"kind": "jsonl", "guests": 100, "refused": "it failed"},
        {"kind": "jsonl", "guests": 110, "peak_bytes": 1300, "per_guest": 2.5},
        {"kind": "yaml", "guests": 10, "peak_bytes": 1000, "per_guest": 2.0},
    ]
    assert fleet.growth(rows) == {"jsonl": {"from": 10, "to": 110, "bytes_per_guest": 3.0, "time_per_guest": 1.25}}


def test_commands_of_the_readme_run(tmp_path: Path) -> None:
    """As they stand there, but in a hurry and on fleets alone."""
    if not find_spec("matplotlib"):
        pytest.skip("needs matplotlib: pip install '.[bench]'")
    (commands,) = re.findall(r"^```sh\n(python tests/bench.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert "--plot docs/fleet.svg" in commands
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    (tmp_path / "docs").mkdir()
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(
        [program("bash", "bash"), "-euc", commands.replace("tests/bench", "tests/bench --quick --only fleet")],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        check=True,
        capture_output=True,
    )
    svg = (tmp_path / "docs/fleet.svg").read_text()
    texts = {
        "".join(element.itertext()) for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    }
    assert {"YAML", "JSON Lines", "guests", "peak memory, MB", "20", "40"} <= texts
    assert "prefers-color-scheme: dark" in svg
    assert "fill: currentColor" in svg
