"""The libvirt version that guests need, and the fields that require it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import compress
from operator import itemgetter
from typing import Any

from kvmrender.checks.all_checks import checks_of, ready
from kvmrender.errors import ERROR, path_string, printable
from kvmrender.schema.guest_schema import GuestSchema
from kvmrender.schema.text_values import version
from kvmrender.schema.versions import OLDEST

Release = tuple[int, ...]
Needs = dict[str, Any]
"""The ``name`` of a guest, the ``libvirt`` version that it needs and the ``fields`` that require it; the first version
that no longer supports it (``until``), if any, and the fields that it ``dropped``."""


def needs_of(schema: GuestSchema) -> Callable[[dict[str, Any]], Needs]:
    """Return the libvirt version that a context needs. The guest must set libvirt, at least to any."""
    may_find, checks = ready(
        check for check in checks_of(schema) if check.level == ERROR and (check.since or check.until)
    )

    def needs(context: dict[str, Any]) -> Needs:
        found: dict[str, list[tuple[Release, str]]] = {"since": [], "until": []}
        for check in compress(checks, may_find(context)):
            key, release = ("since", check.until) if check.until else ("until", check.since)
            for problem in check.find(context, schema.architectures[context["arch"]]["facts"]):
                found[key].append((version(release), path_string(problem.path)))
        fields = sorted(dict.fromkeys(found["since"]), key=itemgetter(0), reverse=True)
        dropped = sorted(dict.fromkeys(found["until"]), key=itemgetter(0))
        return {
            "name": context["name"],
            "libvirt": _text(fields[0][0] if fields else version(OLDEST)),
            "fields": [{"path": path, "since": _text(release)} for release, path in fields],
            "until": _text(dropped[0][0]) if dropped else None,
            "dropped": [{"path": path, "until": _text(release)} for release, path in dropped],
        }

    return needs


def newest_first(found: Iterable[Needs]) -> list[Needs]:
    """Return guests sorted by needed version, newest first; equal ones keep their order."""
    return sorted(found, key=lambda needs: version(needs["libvirt"]), reverse=True)


def line(needs: Needs) -> str:
    """Return a line with the needs of a guest: ``web-1: 11.2.0 (disks[0].throttlefilters), 10.4.0
    (sounds[0].model)``."""
    said = _by_version(needs["fields"], "since")
    if not any(field["since"] == needs["libvirt"] for field in needs["fields"]):
        said = [needs["libvirt"], *said]
    said += [f"before {one}" for one in _by_version(needs["dropped"], "until")]
    return printable(f"{needs['name']}: {', '.join(said)}")


def _by_version(fields: list[dict[str, Any]], key: str) -> list[str]:
    by_version: dict[str, list[str]] = {}
    for field in fields:
        by_version.setdefault(field[key], []).append(field["path"])
    return [f"{libvirt} ({', '.join(dict.fromkeys(paths))})" for libvirt, paths in by_version.items()]


def _text(release: Release) -> str:
    return ".".join(map(str, release))
