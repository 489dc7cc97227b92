"""Guests per second and peak memory of ``kvmrender render -o DIR``, for growing fleets, as a table.

    python tests/bench/fleet.py [--guests 100,1000,10000,100000] [--jobs 1,2] [--json]

Each figure is one run of the command in a process of its own, its start included, into an empty folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def guest(number: int) -> dict[str, Any]:
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


def write(path: Path, count: int) -> None:
    """Write a fleet, as JSON Lines or as one YAML file."""
    with path.open("w") as file:
        if path.suffix == ".jsonl":
            file.writelines(json.dumps(guest(number)) + "\n" for number in range(count))
        else:
            file.write("guests:\n")
            file.writelines(BLOCK.format(**guest(number)) for number in range(count))


def measure(fleet: Path, jobs: int, folder: Path) -> dict[str, Any]:
    """Return seconds and peak memory (of the largest process, in MB) of one run."""
    out = folder / "out"
    command = [sys.executable, "-m", "kvmrender", "render", "-q", "-j", str(jobs), "-o", str(out), str(fleet)]
    start = time.perf_counter()
    process = subprocess.Popen(command)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    written = sum(1 for path in out.iterdir() if path.suffix == ".xml")
    shutil.rmtree(out)
    return {"seconds": seconds, "per_second": written / seconds, "mb": usage.ru_maxrss / 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--guests", default="100,1000,10000,100000")
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--kinds", default="yaml,jsonl")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in options.kinds.split(","):
            for count in map(int, options.guests.split(",")):
                fleet = folder / f"fleet.{kind}"
                write(fleet, count)
                for jobs in map(int, options.jobs.split(",")):
                    rows.append({"kind": kind, "guests": count, "jobs": jobs, **measure(fleet, jobs, folder)})
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    print("| fleet | guests | jobs | seconds | guests/s | peak MB |\n| --- | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        print("| {kind} | {guests:,} | {jobs} | {seconds:.2f} | {per_second:,.0f} | {mb:.0f} |".format(**row))


if __name__ == "__main__":
    main()
