"""What the figures were taken on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

DISTRIBUTIONS = ("kvmrender", "Jinja2", "MarkupSafe", "PyYAML", "jsonschema-rs")
PROGRAMS = {"Go": ("go", "version"), "virtinst": ("virt-install", "--version"), "libvirt": ("virsh", "--version")}


def facts() -> dict[str, str]:
    """Return the machine, its load before the run, and the versions of all that takes part."""
    found = {
        "CPU": _cpu_model(),
        "cores": str(len(os.sched_getaffinity(0))),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "system": f"{platform.system()} {platform.machine()}",
        platform.python_implementation(): platform.python_version(),
    }
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "missing"
    return found | {name: _said(*command) for name, command in PROGRAMS.items()}


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _said(program: str, argument: str) -> str:
    if not (path := shutil.which(program)):
        return "missing"
    said = subprocess.run([path, argument], capture_output=True, text=True).stdout.split()
    return said[2].removeprefix("go") if said[:2] == ["go", "version"] else " ".join(said)
