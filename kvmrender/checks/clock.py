"""Checks of the guest's clock."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Problem

ARCHITECTURES = {
    **dict.fromkeys(("tsc", "hpet", "pit", "kvmclock", "hypervclock"), "amd64"),
    "armvtimer": "arm64",
}
"""The architecture of each timer that not all have."""


def timers(context: Context, architecture: Context) -> Iterator[Problem]:
    """Timers are those of the architecture, and armvtimer is KVM's."""
    arch, kind = context["arch"], context["type"]
    for number, timer in enumerate(dig(context, "clock", "timer", default=[])):
        name = timer["name"]
        path = ("clock", "timer", number, "name")
        if (owner := ARCHITECTURES.get(name, arch)) != arch:
            yield Problem(path, f"{name!r} is a timer of {owner} guests, not of {arch}", related=(("arch",),))
        elif name == "armvtimer" and kind != "kvm":
            yield Problem(path, f"{name!r} is a timer of guests of type kvm, not {kind}", related=(("type",),))


CHECKS: Checks = {timers: ("clock",)}
