"""A fleet in shards: on a real Dask cluster of two processes, it gives what one machine gives."""

from __future__ import annotations

import ast
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run
from tools import execute, files, lay_out, tool

from kvmrender import GuestError, TemplateError
from kvmrender.shards import Job, clashes, owners, rendered, suspects, written

PAGE = files(ROOT / "docs/integrations.md", "More than one machine")
SHARDS, EACH = 3, 40


def guest(number: int) -> dict[str, Any]:
    return {
        "name": f"guest-{number}",
        "disks": [{"source": f"/images/{number}.qcow2"}],
        "interfaces": [{"source": "br0", "mac": f"52:54:00:00:00:{number:02x}"}],
        "graphics": [{"type": "vnc", "passwd": "of-vault"}] if number % 2 else [],
    }


def fleet(folder: Path, **changes: dict[str, Any]) -> list[str]:
    """Write the shards, with changes to some guests, as ``n7={"name": "other"}``, and return their files."""
    (folder / "shards").mkdir()
    for shard in range(SHARDS):
        lines = [
            json.dumps(guest(number) | changes.get(f"n{number}", {})) for number in range(shard, SHARDS * EACH, SHARDS)
        ]
        (folder / f"shards/{'abc'[shard]}.jsonl").write_text("\n".join(lines) + "\n")
    return sorted(map(str, (folder / "shards").iterdir()))


def dask(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the example of the page."""
    lay_out(folder, PAGE)
    return execute(tool("dask"), "render_fleet.py", cwd=folder)


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*.xml")}


def test_dask_writes_what_one_machine_writes(tmp_path: Path, run: Run) -> None:
    shards = fleet(tmp_path)
    first = dask(tmp_path)
    assert first.returncode == 0, first.stderr
    assert ast.literal_eval(first.stdout) == {"created": SHARDS * EACH}
    assert run("render", "-o", tmp_path / "one", "--namespace", "north", *shards).exit_code == 0
    assert len(tree(tmp_path / "one")) == SHARDS * EACH
    assert tree(tmp_path / "domains") == tree(tmp_path / "one")
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "domains").rglob("guest-1.xml")} == {0o640}
    assert run("render", "-o", tmp_path / "domains/a", "--namespace", "north", "--check", shards[0]).exit_code == 0
    assert ast.literal_eval(dask(tmp_path).stdout) == {"unchanged": SHARDS * EACH}


def test_dask_tells_all_that_one_machine_tells_and_writes_nothing(tmp_path: Path, run: Run) -> None:
    shared = {"n1": {"disks": [{"source": "/images/3.qcow2"}]}, "n5": {"name": "guest-4"}, "n8": {"memroy": 1}}
    shards = fleet(tmp_path, **shared)
    done = dask(tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    alone = run("render", "-o", tmp_path / "one", "--namespace", "north", *shards).stderr.splitlines()
    told = [line.replace(f"{tmp_path}/", "") for line in alone]
    assert sorted(done.stderr.splitlines()) == sorted(told)
    assert len(told) == 3
    assert not (tmp_path / "domains").exists()


def problems(shards: list[str], job: Job) -> list[str]:
    """Do what a scheduler does, here: each part by itself, then all together."""
    summaries = [rendered(shard, job).summary for shard in shards]
    numbers = suspects(summaries)
    found = [owner for shard, some in zip(shards, numbers, strict=True) for owner in owners(shard, some, job)]
    return [str(problem) for problem in clashes(found)]


def test_what_guests_of_different_shards_share_is_told_with_both_places(tmp_path: Path) -> None:
    shards = fleet(tmp_path, n4={"disks": [{"source": "/images/3.qcow2"}]})
    (problem,) = problems(shards, Job())
    assert problem.startswith(f"{shards[1]}:2:")
    assert "'/images/3.qcow2', which guest 'guest-4' writes to, is written by 'guest-3' too" in problem
    assert f"{shards[0]}:2:" in problem
    assert problems(shards, Job(allow_shared=("/images/*",))) == []


def test_a_guest_that_names_one_disk_twice_is_not_at_odds_with_itself(tmp_path: Path) -> None:
    disk = {"source": "/images/0.qcow2"}
    assert problems(fleet(tmp_path, n0={"disks": [disk, disk]}), Job()) == []


def test_options_hold_for_all_shards(tmp_path: Path) -> None:
    shards = fleet(tmp_path)
    (tmp_path / "defaults.yaml").write_text("title: of all\n")
    job = Job(defaults=(str(tmp_path / "defaults.yaml"),), settings=("memory=1 GiB",), prune=True)
    assert written(rendered(shards[0], job), str(tmp_path / "out"), job) == {"created": EACH}
    text = (tmp_path / "out/guest-0.xml").read_text()
    assert "<title>of all</title>" in text
    assert '<memory unit="GiB">1</memory>' in text or '<memory unit="MiB">1024</memory>' in text
    Path(shards[0]).write_text(json.dumps(guest(0)) + "\n")
    assert written(rendered(shards[0], job), str(tmp_path / "out"), job) == {"unchanged": 1, "removed": EACH - 1}
    with pytest.raises(GuestError, match="is not a known key"):
        rendered(shards[0], Job(settings=("memroy=1",)))
    with pytest.raises(TemplateError):
        rendered(shards[0], Job(templates=("nowhere",)))
