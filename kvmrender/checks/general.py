"""Checks of the guest as a whole: its identity, its type, and what happens when it ends."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Path, Problem

SECURED = {"sev": "amd64", "sev-snp": "amd64", "tdx": "amd64", "s390-pv": "s390x"}
"""The architecture of each kind of launch security."""


def power_actions(context: Context, architecture: Context) -> Iterator[Problem]:
    """A guest that restarts when it powers off restarts when it reboots too."""
    if context.get("on_poweroff") == "restart" and context.get("on_reboot") == "destroy":
        said = "destroy can't stand beside on_poweroff restart"
        yield Problem(("on_reboot",), said, related=(("on_poweroff",),))


def system_uuid(context: Context, architecture: Context) -> Iterator[Problem]:
    """The system's UUID in sysinfo is the guest's."""
    for number, info in enumerate(context.get("sysinfo") or []):
        for place, entry in enumerate(dig(info, "system", "entry", default=[])):
            if entry["name"] == "uuid" and _digits(entry["text"]) != _digits(context["uuid"]):
                path: Path = ("sysinfo", number, "system", "entry", place, "text")
                yield Problem(
                    path, f"{entry['text']!r} is not the guest's UUID, {context['uuid']}", related=(("uuid",),)
                )


def _digits(uuid: str) -> str:
    return uuid.replace("-", "").lower()


def launch_security(context: Context, architecture: Context) -> Iterator[Problem]:
    """Launch security is of a kind that the architecture has."""
    kind = dig(context, "launchSecurity", "type")
    if kind and SECURED[kind] != context["arch"]:
        said = f"{kind} is for {SECURED[kind]} guests, not {context['arch']}"
        yield Problem(("launchSecurity", "type"), said, related=(("arch",),))


CHECKS: Checks = {
    power_actions: ("on_poweroff",),
    system_uuid: ("sysinfo",),
    launch_security: ("launchSecurity",),
}
