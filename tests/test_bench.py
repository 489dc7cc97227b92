"""The benchmarks run, and measure what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT


def test_fleets() -> None:
    program = [sys.executable, str(ROOT / "tests/bench/fleet.py"), "--guests", "1,3", "--jobs", "1", "--json"]
    rows = json.loads(subprocess.run(program, check=True, capture_output=True, text=True, cwd=ROOT).stdout)
    assert [(row["kind"], row["guests"]) for row in rows] == [("yaml", 1), ("yaml", 3), ("jsonl", 1), ("jsonl", 3)]
    assert all(row["seconds"] > 0 and row["mb"] > 10 for row in rows)


def test_both_kinds_of_fleet_hold_the_same_guests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests/bench")
    import fleet

    from kvmrender.load import read

    found = []
    for name in ("f.yaml", "f.jsonl"):
        fleet.write(tmp_path / name, 3)
        found.append([document.guest for document in read(name, (tmp_path / name).read_bytes())])
    assert found[0] == found[1] == [fleet.guest(number) for number in range(3)]
