"""Checks of the guest as a whole: its identity, its type, and what happens when it ends."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Context, check, dig
from kvmrender.errors import Path, Problem


@check("sysinfo")
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
