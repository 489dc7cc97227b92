"""A guest just inside and one just outside of each check, and of each rule of the schema parts, by subject."""

from __future__ import annotations

import re
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from kvmrender.look.checks import catalogue
from kvmrender.templating.schema_parts import guest_schema
from kvmrender.templating.stack import Stack

Case = tuple[str, dict[str, Any], dict[str, Any], str]
"""The check, a guest inside, a guest outside, and what is said of it; a line without an id has that of the check."""

ID = re.compile(r" \[[a-z0-9-]+\]$")
KNOWN = catalogue(guest_schema(Stack([])))

DISK = {"source": "/a.qcow2"}
SHARED = {"access": "shared"}
VIRTIOFS = {"driver": "virtiofs", "source": {"dir": "/srv"}, "target": "srv"}

NIC = {"source": "br0"}

Q35: dict[str, Any] = {"machine": "q35", "features": {"smm": {"state": True}}}

DIMM = {"model": "dimm", "target": {"size": "512 MiB", "node": 0}}


def cells(*cpus: str, memory: int = 524288, **more: Any) -> dict[str, Any]:
    found = [{"cpus": one, "memory": memory, "unit": "KiB", **more} for one in cpus]
    return {"mode": "host-model", "numa": {"cell": found}}


def example(check: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The guests that ``explain`` shows of a check, inside and outside."""
    about = KNOWN[check]
    assert about.inside is not None
    assert about.outside is not None
    return about.inside, about.outside


def all_cases() -> list[Case]:
    """The cases of all modules."""
    found = [case for module in iter_modules(__path__) for case in import_module(f"{__name__}.{module.name}").CASES]
    return [
        (
            check,
            *guests,
            "\n".join(line if ID.search(line) else f"{line} [{check.replace('_', '-')}]" for line in lines),
        )
        for check, *guests, said in found
        for lines in [said.split("\n")]
    ]
