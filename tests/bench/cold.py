"""Cold: a command, from its start to its end."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import kvmrender
from bench.contenders import OURS, Contender, MissingError, RefusedError, admitted, here, last_line
from bench.documents import difference, loose_difference
from bench.guests import web
from bench.rounds import Row, timed

KVMRENDER = f"{OURS} render one.yaml"
LIBRARY = 'python -c "import kvmrender; kvmrender.render(guest)"'
OWN = f"{OURS} render --templates DIR one.yaml"
ONLY_VIRT_INSTALL = (
    "metadata",
    "os/boot",
    "clock",
    "devices/emulator",
    "devices/controller",
    "devices/memballoon",
)
"""What virt-install adds to this guest, and kvmrender leaves to libvirt."""

CAPABILITIES = """\
<capabilities>
  <host><cpu><arch>aarch64</arch></cpu></host>
  <guest>
    <os_type>hvm</os_type>
    <arch name="aarch64">
      <wordsize>64</wordsize>
      <emulator>/usr/bin/qemu-system-aarch64</emulator>
      <machine maxCpus="512">virt</machine>
      <domain type="kvm"/>
    </arch>
  </guest>
</capabilities>
"""
"""The host that virt-install is told of, so that it asks none: no daemon and no QEMU takes time."""

Values = dict[str, Any]
Differs = Callable[[str, str], "str | None"]
Command = Callable[[Path, Values], tuple[list[str], Differs]]


def measure(folder: Path, rounds: int) -> list[Row]:
    """Run each command in turn, ``rounds`` times, after one run that isn't counted."""
    guest = web(str(folder))
    for disk in guest["disks"]:
        Path(disk["source"]).touch()  # virt-install wants its disks to be there
    (folder / "one.yaml").write_text(json.dumps(guest))  # JSON is YAML
    expected = kvmrender.render(guest)
    environment = {**os.environ, "XDG_CACHE_HOME": str(folder / "cache")}  # virtinst has one
    rows: list[Row] = []
    ready: dict[str, Callable[[], float]] = {}
    for name, command in COMMANDS.items():
        made, excuse = admitted(partial(_contender, command, folder, guest, environment), expected)
        rows.append({"contender": name, **excuse})
        if made:
            ready[name] = partial(made.seconds, 1)
    found = timed(ready, rounds, KVMRENDER)
    return [row | found.get(row["contender"], {}) for row in rows]


def _contender(command: Command, folder: Path, guest: Values, environment: dict[str, str]) -> Contender:
    arguments, differs = command(folder, guest)

    def run() -> str:
        done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment)
        if done.returncode:
            raise RefusedError(f"{arguments[0]} failed: {last_line(done.stderr)}")
        return done.stdout

    return replace(here(run), differs=differs)


def _kvmrender(folder: Path, guest: Values) -> tuple[list[str], Differs]:
    beside = Path(sys.executable).with_name(OURS)
    program = [str(beside)] if beside.exists() else [sys.executable, "-m", OURS]
    return [*program, "render", str(folder / "one.yaml")], difference


def _own_templates(folder: Path, guest: Values) -> tuple[list[str], Differs]:
    own = folder / "own/devices/disk.xml.j2"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text('{% include "shipped/devices/disk.xml.j2" %}\n')
    (program, *arguments), differs = _kvmrender(folder, guest)
    return [program, *arguments[:-1], "--templates", str(folder / "own"), arguments[-1]], differs


def _library(folder: Path, guest: Values) -> tuple[list[str], Differs]:
    program = f"import kvmrender; print(kvmrender.render({guest!r}), end='')"
    return [sys.executable, "-c", program], difference


def _virt_install(system: str, folder: Path, guest: Values) -> tuple[list[str], Differs]:
    program = shutil.which("virt-install")
    if not program:
        raise MissingError("no virt-install (Debian: virtinst)")
    (folder / "capabilities.xml").write_text(CAPABILITIES)
    values = kvmrender.Renderer().context(guest)
    command = [program, "--print-xml", "--dry-run", "--import", "--check", "all=off", "--osinfo", system]
    uri = f"__virtinst_test__test:///default,caps={folder / 'capabilities.xml'},fakeuri=qemu:///system"
    loader = f"loader={values['os']['loader']['text']},loader.readonly=yes,loader.type=pflash"
    options = {
        "connect": uri,
        "name": values["name"],
        "uuid": values["uuid"],
        "arch": "aarch64",
        "machine": "virt",
        "virt-type": "kvm",
        "vcpus": values["vcpu"]["text"],
        "memory": values["memory"]["text"],
        "boot": loader,
        "features": "acpi=on,gic.version=host",
        "cpu": "mode=host-passthrough,check=none",
        "serial": "type=pty,target.port=0",
        "console": "type=pty,target.type=serial,target.port=0",
        "graphics": "none",
        "channel": "none",
        "controller": "none",
        "memballoon": "none",
        "rng": "none",
    }
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    for disk in values["disks"]:
        driver, target = disk["driver"], disk["target"]
        command += [
            "--disk",
            f"type=file,device=disk,driver.name=qemu,driver.type={driver['type']},source.file={disk['source']['file']},"
            f"target.dev={target['dev']},target.bus={target['bus']}",
        ]
    for nic in values["interfaces"]:
        command += [
            "--network",
            f"type=bridge,source={nic['source']['bridge']},mac.address={nic['mac']['address']},model.type=virtio,"
            f"virtualport.type={nic['virtualport']['type']}",
        ]
    return command, lambda xml, expected: loose_difference(xml, expected, ONLY_VIRT_INSTALL)


def _python(program: str, folder: Path, guest: Values) -> tuple[list[str], Differs]:
    return [sys.executable, "-c", program], lambda xml, expected: None  # it makes none


COMMANDS: dict[str, Command] = {
    KVMRENDER: _kvmrender,
    LIBRARY: _library,
    OWN: _own_templates,
    "python -c pass": partial(_python, "pass"),
    'python -c "import yaml, jinja2"': partial(_python, "import yaml, jinja2"),
    "virt-install --print-xml": partial(_virt_install, "detect=off,require=off"),
    "virt-install --print-xml --osinfo debian11": partial(_virt_install, "debian11"),
}
