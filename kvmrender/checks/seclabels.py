"""Checks of security labels, of the guest and of its devices."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import check, dig
from kvmrender.errors import Path, Problem
from kvmrender.rules.check import Context, once


@check("seclabel")
def labels_once(context: Context, architecture: Context) -> Iterator[Problem]:
    """Security labels of a guest or source have distinct models; several labels of a guest each need a model."""
    labels = context.get("seclabel") or []
    for number, label in enumerate(labels):
        if len(labels) > 1 and "model" not in label:
            yield Problem(("seclabel", number, "model"), "is missing: there are several labels")
    nvram: Context = dig(context, "os", "nvram", "source", default={})
    for path, source in [((), context), *_sources(context), (("os", "nvram", "source"), nvram)]:
        models = ((number, label.get("model")) for number, label in enumerate(source.get("seclabel") or []))
        yield from once(((*path, "seclabel", number, "model"), model, repr(model)) for number, model in models if model)


@check("seclabel")
def label_overrides(context: Context, architecture: Context) -> Iterator[Problem]:
    """Sources have a label of a model only if libvirt relabels files for the guest's label of that model."""
    kept: dict[str, int] = {}
    for number, label in enumerate(context.get("seclabel") or []):
        relabels = label.get("relabel", "yes" if label.get("type", "dynamic") == "dynamic" else "no")
        if relabels == "no" and "model" in label:
            kept[label["model"]] = number
    for path, source in _sources(context) if kept else ():
        for number, label in enumerate(source.get("seclabel") or []):
            if (model := label.get("model")) in kept:
                said = f"{model!r} does not relabel files: relabel of seclabel[{kept[model]}] is no"
                related: Path = ("seclabel", kept[model], "relabel")
                yield Problem((*path, "seclabel", number, "model"), said, related=(related,))


def _sources(context: Context) -> Iterator[tuple[Path, Context]]:
    """Yield the sources of devices, including backing stores of disks, with their paths; a console's once."""
    for number, disk in enumerate(context["disks"]):
        path: Path = ("disks", number)
        image: Context | None = disk
        while image:
            yield (*path, "source"), image.get("source") or {}
            image, path = image.get("backingStore"), (*path, "backingStore")
    first = context["serials"][0].get("source") if context["serials"] else None
    for key in ("serials", "parallels", "consoles", "channels"):  # sources whose labels libvirt reads
        for number, device in enumerate(context[key]):
            sources = device.get("source") or []
            if key != "consoles" or sources != first:
                yield from (((key, number, "source", place), source) for place, source in enumerate(sources))
