"""Checks of the guest as a whole: its UUID and its raw XML."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import SINGLE, check, dig
from kvmrender.errors import Path, Problem
from kvmrender.rules.check import Context
from kvmrender.schema.xml_faults import elements_in, fragment_fault


@check("sysinfo")
def system_uuid(context: Context, architecture: Context) -> Iterator[Problem]:
    """The system UUID in sysinfo is the guest's, if the guest has a given one."""
    for number, info in enumerate(context.get("sysinfo") or []):
        for place, entry in enumerate(dig(info, "system", "entry", default=[])):
            digits, own = entry["text"].replace("-", "").lower(), context["uuid"]
            if own and entry["name"] == "uuid" and digits != own.replace("-", ""):
                path: Path = ("sysinfo", number, "system", "entry", place, "text")
                said = f"{entry['text']!r} is not the guest's UUID, {own}"
                yield Problem(path, said, related=(("uuid",),))


@check("metadata", "extra")
def raw_xml(context: Context, architecture: Context) -> Iterator[Problem]:
    """Raw XML, in metadata and extra, is well-formed."""
    for path in (("metadata",), ("extra", "domain"), ("extra", "devices")):
        text = dig(context, *path)
        if text is not None and (fault := fragment_fault(text)):
            yield Problem(path, f"is not well-formed XML: {fault}")


@check("extra")
def raw_elements(context: Context, architecture: Context) -> Iterator[Problem]:
    """Raw XML does not contain elements that can occur only once and that the guest has."""
    for place, known in (("domain", context), ("devices", {key: context.get(key) for key in (*SINGLE, "emulator")})):
        names = [name for name, _ in elements_in(dig(context, "extra", place) or "")]
        for name in dict.fromkeys(names):
            if (value := known.get(name)) is not None and not isinstance(value, list):
                said = f"<{name}> can occur only once, and the guest has one: `{name}`"
                yield Problem(("extra", place), said, related=((name,),))
