"""A guest just inside and one just outside of each check, and of each rule of the schema parts, by subject."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

Case = tuple[str, dict[str, Any], dict[str, Any], str]
"""The check, a guest inside, a guest outside, and what is said of it."""

DISK = {"source": "/a.qcow2"}
SHARED = {"access": "shared"}
VIRTIOFS = {"driver": "virtiofs", "source": {"dir": "/srv"}, "target": "srv"}

NIC = {"source": "br0"}

Q35: dict[str, Any] = {"machine": "q35", "features": {"smm": {"state": True}}}

DIMM = {"model": "dimm", "target": {"size": "512 MiB", "node": 0}}


def cells(*cpus: str, memory: int = 524288, **more: Any) -> dict[str, Any]:
    return {"numa": {"cell": [{"cpus": found, "memory": memory, "unit": "KiB", **more} for found in cpus]}}


def all_cases() -> list[Case]:
    """The cases of all modules."""
    return [case for module in iter_modules(__path__) for case in import_module(f"{__name__}.{module.name}").CASES]
