"""Drift: a fleet against the dumps of its guests, beside what rendering the fleet takes, by one command each."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from bench import fleet
from bench.contenders import RefusedError
from bench.rounds import Row, timed
from kvmrender.engine import default_engine

DUMP = Path(__file__).with_name("dump.xml")
"""What libvirt 9.0 made of a guest of the fleet."""
NUMBER = 7
"""Of that guest."""


def write(folder: Path, count: int) -> None:
    """Write what libvirt makes of each guest of a fleet."""
    engine, dump = default_engine(), DUMP.read_text()
    uuid, mac = engine.rendered(fleet.guest(NUMBER))[0]["uuid"], fleet.guest(NUMBER)["interfaces"][0]["mac"]
    pattern = re.compile("|".join(map(re.escape, (f"guest-{NUMBER}", uuid, mac))))
    folder.mkdir()
    for number in range(count):
        guest = fleet.guest(number)
        name, own = guest["name"], engine.rendered(guest)[0]["uuid"]
        new = {uuid: own, mac: guest["interfaces"][0]["mac"]}
        text = pattern.sub(lambda match, name=name, new=new: new.get(match[0], name), dump)
        (folder / f"{name}.xml").write_text(text)


def measure(folder: Path, count: int, jobs: int, rounds: int) -> list[Row]:
    """Run both commands in turn; nothing differs, and all is as it was in the end."""
    file, dumps, out = folder / "fleet.jsonl", folder / "dumps", folder / "out"
    fleet.write(file, count)
    write(dumps, count)
    peaks: dict[str, int] = {}

    def run(name: str, *arguments: str) -> float:
        command = [sys.executable, "-m", "kvmrender", name, "-q", "-j", str(jobs), *arguments, str(file)]
        launched = subprocess.run(
            [sys.executable, "-I", "-S", "-c", fleet.LAUNCHER, *command], check=True, stdout=subprocess.PIPE, text=True
        )
        shutil.rmtree(out, ignore_errors=True)
        *told, last = launched.stdout.splitlines()
        seconds, kib, status = json.loads(last)
        if status or told:
            raise RefusedError(f"{' '.join(command)} failed: {' '.join(told)[:200]}")
        peaks[name] = max(peaks.get(name, 0), kib * 1024)
        return float(seconds)

    commands = {
        "render": lambda: run("render", "-o", str(out)),
        "drift": lambda: run("drift", "--dumps", str(dumps)),
    }
    found = timed(commands, rounds, "drift")
    return [
        {"guest": f"{count:,} guests", "contender": f"kvmrender {name}", "peak_bytes": peaks[name], **row}
        for name, row in found.items()
    ]
