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

from kvmrender import GuestError, Renderer, TemplateError
from kvmrender.errors import Problem
from kvmrender.fleet.shards import Job, clashes, clashes_of, owners, rendered, suspects, written

PAGE = files(ROOT / "docs/pipelines.md", "More than one machine")
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


def test_what_a_shard_becomes_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shard = fleet(tmp_path)[0]
    assert rendered(shard, Job()).texts
    monkeypatch.setattr("kvmrender.reading.inputs.growth", lambda read, most: 1 << 10)
    with pytest.raises(GuestError, match="the expanded data is more than "):
        rendered(shard, Job())


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
    line, other = (Path(shard).read_text().splitlines()[1] for shard in (shards[1], shards[0]))
    place, there = (text.index('"/images/3.qcow2"') + 1 for text in (line, other))
    assert problem.startswith(f"{shards[1]}:2:{place}: disks[0].source.file: ")
    assert "'/images/3.qcow2', which guest 'guest-4' writes to, is written by 'guest-3' too" in problem
    assert f"{shards[0]}:2:{there})" in problem
    assert problems(shards, Job(allow_shared=("/images/*",))) == []


def test_a_guest_that_names_one_disk_twice_is_told_of_it_once(tmp_path: Path) -> None:
    disk = {"source": "/images/0.qcow2"}
    shards = fleet(
        tmp_path, n0={"disks": [disk, disk]}, n1={"disks": [{**disk, "source": "/b.img", "readonly": True}] * 2}
    )
    (said,) = problems(shards, Job())
    assert "disks[1].source.file: '/images/0.qcow2' is written by disks[0] too" in said
    assert problems(shards, Job(allow_shared=("/images/*",))) == []


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
    (tmp_path / "values.yaml").write_text("guest-0: {title: of one}\nguest-1: {title: of another}\n")
    written(rendered(shards[0], Job(values=(str(tmp_path / "values.yaml"),))), str(tmp_path / "out"), job)
    assert "<title>of one</title>" in (tmp_path / "out/guest-0.xml").read_text()
    with pytest.raises(GuestError, match="is not a known key"):
        rendered(shards[0], Job(settings=("memroy=1",)))
    with pytest.raises(TemplateError):
        rendered(shards[0], Job(templates=("nowhere",)))


def test_fault_of_a_template_is_told_beside_all_else(tmp_path: Path) -> None:
    shard, *_ = fleet(tmp_path, n3={"memroy": 1})
    template = tmp_path / "site/devices/graphics.xml.j2"
    template.parent.mkdir(parents=True)
    template.write_text("\n{{ nothing }}")
    part = rendered(shard, Job(templates=(str(tmp_path / "site"),)))
    assert part.summary.count == EACH
    misspelt, fault = map(str, part.summary.problems)
    assert "memroy: is not a known key" in misspelt
    assert fault.startswith(f"{template}:2: graphics[0]: 'nothing' ")


def test_a_worker_renders_with_the_templates_of_now(tmp_path: Path) -> None:
    (shard, *_), template = fleet(tmp_path), tmp_path / "site/domain/vcpu.xml.j2"
    template.parent.mkdir(parents=True)
    for vcpu in ("<vcpu>1</vcpu>", "<vcpu>2</vcpu>"):
        template.write_text(f"  {vcpu}\n")
        assert vcpu in rendered(shard, Job(templates=(str(tmp_path / "site"),))).texts[0][1]


def test_all_that_is_wrong_with_a_part_is_told_with_its_place(tmp_path: Path) -> None:
    shards = fleet(tmp_path, n0={"memroy": 1}, n3={"title": 1 << 70, "vcpu": -1})
    summary = rendered(shards[0], Job()).summary
    assert summary.count == EACH
    told = [str(problem) for problem in summary.problems]
    assert told[0].startswith(f"{shards[0]}:1:")
    assert told[0].endswith("memroy: is not a known key (did you mean 'memory'?) [schema]")
    assert told[-1].startswith(f"{shards[0]}:2:")


def test_a_file_that_is_written_anew_keeps_its_mode(tmp_path: Path) -> None:
    (shard, *_), out = fleet(tmp_path), tmp_path / "out"
    assert written(rendered(shard, Job()), str(out), Job()) == {"created": EACH}
    (out / "guest-0.xml").chmod(0o600)
    job = Job(settings=("title=new",))
    assert written(rendered(shard, job), str(out), job) == {"changed": EACH}
    assert "<title>new</title>" in (out / "guest-0.xml").read_text()
    assert (out / "guest-0.xml").stat().st_mode & 0o777 == 0o600


def test_what_guests_in_memory_share_is_told_where_they_are() -> None:
    guests = [{"name": name, "disks": [{"source": "/a.qcow2"}]} for name in ("a", "b", "c")]
    given = [(Renderer().context(guest), guest) for guest in guests]

    def place(number: int, problem: Problem) -> Problem:
        return problem.at(f"guest-{number}", (number + 1, 1))

    first, second = map(str, clashes_of(given, place))
    assert first.startswith(
        "guest-1:2:1: disks[0].source.file: '/a.qcow2', which guest 'b' writes to, is written by 'a'"
    )
    assert second.startswith("guest-2:3:1: disks[0].source.file: '/a.qcow2', which guest 'c' writes to, is written by")
    assert "guest-0:1:1" in first
    assert [problem.file for problem in clashes_of(given)] == [None, None]
    assert clashes_of(given, allow_shared=["/a.*"]) == []
