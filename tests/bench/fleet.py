"""Fleet: all guests of one file, rendered into a folder by one command, for growing fleets."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

import kvmrender
from bench.contenders import RefusedError
from bench.documents import difference
from bench.guests import Guest
from bench.rounds import Row, summary

BLOCK = """\
- name: {name}
  arch: {arch}
  vcpu: {vcpu}
  memory: {memory}
  disks:
  - source: {disks[0][source]}
  - source: {disks[1][source]}
  interfaces:
  - source: {interfaces[0][source]}
    virtualport: {interfaces[0][virtualport]}
    mac: {interfaces[0][mac]}
"""
"""A guest of a YAML fleet, in block style as people write it."""

LAUNCHER = """\
import json, os, sys, time
start = time.perf_counter()
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(pid, 0)
print(json.dumps([time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status]))
"""
"""A small process starts the command, since Linux counts the memory of who starts it as the command's own."""


def guest(number: int) -> Guest:
    octets = number.to_bytes(4, "big").hex(":")
    return {
        "name": f"guest-{number}",
        "arch": "arm64",
        "vcpu": 2,
        "memory": "4 GiB",
        "disks": [
            {"source": f"/var/lib/libvirt/images/guest-{number}.qcow2"},
            {"source": f"/var/lib/libvirt/images/guest-{number}-seed.img"},
        ],
        "interfaces": [{"source": "br0", "virtualport": "openvswitch", "mac": f"52:54:{octets}"}],
    }


def write(path: Path, count: int) -> None:
    """Write a fleet, as JSON Lines or as one YAML file."""
    with path.open("w") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(guest(number)) + "\n" for number in range(count))
        else:
            file.write("guests:\n")
            file.writelines(BLOCK.format(**guest(number)) for number in range(count))


def measure(folder: Path, sizes: dict[str, list[int]], jobs: int, rounds: int) -> list[Row]:
    """Run every size of every kind of fleet in turn, ``rounds`` times.

    A row's ``per_guest`` is the processors' time for each guest that the fleet before it, the next smaller one, doesn't
    have.
    """
    cases = [(kind, count) for kind, counts in sizes.items() for count in sorted({1, *counts})]
    seconds: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
    cpu: dict[tuple[str, int], list[float]] = {case: [] for case in cases}
    peaks: dict[tuple[str, int], list[int]] = {case: [] for case in cases}
    refused: dict[tuple[str, int], str] = {}
    for _ in range(rounds):
        for kind, count in cases:
            try:
                took, worked, peak = _run(folder, kind, count, jobs)
            except RefusedError as error:
                refused[kind, count] = str(error)
            else:
                seconds[kind, count].append(took)
                cpu[kind, count].append(worked)
                peaks[kind, count].append(peak)
    rows: list[Row] = []
    for kind, count in cases:
        row: Row = {"kind": kind, "guests": count, "jobs": jobs}
        if (kind, count) in refused:
            row["refused"] = refused[kind, count]
        else:
            row |= summary(seconds[kind, count]) | {"peak_bytes": median(peaks[kind, count])}
            row |= {"per_second": count / row["seconds"], "cpu": median(cpu[kind, count])}
            before = rows[-1] if rows else {}
            if before.get("kind") == kind and "cpu" in before:
                row["per_guest"] = (row["cpu"] - before["cpu"]) / (count - before["guests"])
        rows.append(row)
    return rows


def _run(folder: Path, kind: str, count: int, jobs: int) -> tuple[float, float, int]:
    """Return the seconds of one run, those of all its processes on a processor, and the peak memory of the largest in
    bytes."""
    fleet, out = folder / f"fleet-{count}.{kind}", folder / "out"
    if not fleet.exists():
        write(fleet, count)
    command = [sys.executable, "-m", "kvmrender", "render", "-q", "-j", str(jobs), "-o", str(out), str(fleet)]
    launched = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LAUNCHER, *command], check=True, stdout=subprocess.PIPE, text=True
    )
    try:
        seconds, cpu, kib, status = json.loads(launched.stdout)
        if status:
            raise RefusedError(f"{' '.join(command)} failed")
        written = sum(1 for path in out.iterdir() if path.suffix == ".xml")
        if written != count:
            raise RefusedError(f"{written} files were written, of {count}")
        last = guest(count - 1)
        if fault := difference((out / f"{last['name']}.xml").read_text(), kvmrender.render(last)):
            raise RefusedError(f"the document of {last['name']} differs: {fault}")
    finally:
        shutil.rmtree(out, ignore_errors=True)
    return seconds, cpu, kib * 1024


def growth(rows: Iterable[Row]) -> dict[str, Any]:
    """What a guest more costs, from the smallest fleet (of more than one) to the largest: bytes, and how many times as
    long the last guests take as the first of those that the smallest doesn't have."""
    found = {}
    timed = [row for row in rows if "per_guest" in row]
    for kind in dict.fromkeys(row["kind"] for row in timed):
        few, *others = sorted((row for row in timed if row["kind"] == kind), key=lambda row: row["guests"])
        if others:
            many = others[-1]
            found[kind] = {
                "from": few["guests"],
                "to": many["guests"],
                "bytes_per_guest": (many["peak_bytes"] - few["peak_bytes"]) / (many["guests"] - few["guests"]),
                "time_per_guest": many["per_guest"] / others[0]["per_guest"],
            }
    return found
