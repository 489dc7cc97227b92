"""Checks of the guest as a whole: its identity, and its raw XML."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Context, check, dig
from kvmrender.errors import Path, Problem
from kvmrender.schema.xml_faults import fragment_fault


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


@check("metadata", "extra")
def raw_xml(context: Context, architecture: Context) -> Iterator[Problem]:
    """Raw XML, in metadata and extra, is well-formed by itself."""
    for path in (("metadata",), ("extra", "domain"), ("extra", "devices")):
        text = dig(context, *path)
        if text is not None and (fault := fragment_fault(text)):
            yield Problem(path, f"is not well-formed XML: {fault}")
