"""Checks of features of the machine."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Problem
from kvmrender.schema.memory_units import MIB, to_bytes


def smm_memory(context: Context, architecture: Context) -> Iterator[Problem]:
    """The memory that only SMM sees is a number of MiB, and of machine q35."""
    smm = dig(context, "features", "smm", default={})
    if "tseg" not in smm or smm["state"] == "off":
        return
    machine = dig(context, "os", "type", "machine", default="pc")
    if "q35" not in machine:
        said = f"is for machine q35, not {machine}"
        yield Problem(("features", "smm", "tseg"), said, related=(("os", "type", "machine"),))
    elif to_bytes({"unit": "MiB", **smm["tseg"]}) % MIB:
        yield Problem(("features", "smm", "tseg"), "is not a whole number of MiB")


def emulation(context: Context, architecture: Context) -> Iterator[Problem]:
    """The cache of translated code is a number of MiB, and of guests of type qemu."""
    tcg = dig(context, "features", "tcg")
    if tcg is None:
        return
    if context["type"] != "qemu":
        said = f"is for guests of type qemu, not {context['type']}"
        yield Problem(("features", "tcg"), said, related=(("type",),))
    elif "tb-cache" in tcg and to_bytes(tcg["tb-cache"]) % MIB:
        yield Problem(("features", "tcg", "tb-cache"), "is not a whole number of MiB")


CHECKS: Checks = {
    smm_memory: ("features",),
    emulation: ("features",),
}
