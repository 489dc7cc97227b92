"""The types of guests that Python's type checkers know: those of what is read, no others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Run

import kvmrender

SITE_PART = """\
extends: shipped/guest.schema.yaml
properties:
  owner: {description: Who pays., type: string, enum: [web, db]}
"""


def told(tmp_path: Path, *guests: object, stub: str = "import kvmrender as k") -> list[str]:
    """Return what mypy says of guests that stand in a program."""
    pytest.importorskip("mypy", reason="needs mypy: pip install mypy")
    lines = [stub, *(f"g{number}: k.Guest = {guest!r}" for number, guest in enumerate(guests))]
    (tmp_path / "program.py").write_text("\n".join(lines) + "\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", "cache", "program.py"]
    environment = {"MYPYPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin"}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert not ended.stderr
    return ended.stdout.splitlines()


def test_stub_is_that_of_the_schema(run: Run) -> None:
    text = run("schema", "--types").stdout
    assert (ROOT / "kvmrender/guest.pyi").read_text() == text, "kvmrender schema --types > kvmrender/guest.pyi"


def test_fixtures_are_of_the_type(tmp_path: Path) -> None:
    loaded = [found.guest for file in sorted(ROOT.glob("fixtures/**/*.yaml")) for found in kvmrender.load(file)]
    assert len(loaded) > 100
    assert told(tmp_path, *loaded) == []


def test_wrong_guests_are_not(tmp_path: Path) -> None:
    disk = {"source": "/a.qcow2", "driver": {"type": "qcow2", "cahce": "none"}}
    found = told(tmp_path, {"name": "a", "disks": [disk]}, {"name": "a", "on_crash": "explode"}, {"memroy": 1})
    assert len(found) == 3
    assert '"Disk | None"' in found[0]
    assert "explode" in found[1]
    assert '"memroy"' in found[2]


def test_fields_of_ones_own_are_in_a_stub_of_ones_own(tmp_path: Path, run: Run) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/guest.schema.yaml").write_text(SITE_PART)
    (tmp_path / "mine.pyi").write_text(run("schema", "--types", "--templates", str(tmp_path / "site")).stdout)
    assert told(tmp_path, {"name": "a", "owner": "web"}, stub="import mine as k") == []
    (found,) = told(tmp_path, {"name": "a", "owner": "me"}, stub="import mine as k")
    assert '"owner"' in found
    assert run("schema", "--types", "--parts").exit_code == 2
