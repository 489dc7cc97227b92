"""Checks of security labels, the guest's and those of its devices."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Context, check, dig, once
from kvmrender.errors import Path, Problem


@check("seclabel")
def labels_once(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two labels of a guest or of a source are of one model; of several a guest has, each says which."""
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
    """Sources have labels of a model only if libvirt puts the guest's own label of that model on files."""
    kept: dict[str, int] = {}
    for number, label in enumerate(context.get("seclabel") or []):
        relabels = label.get("relabel", "yes" if label.get("type", "dynamic") == "dynamic" else "no")
        if relabels == "no" and "model" in label:
            kept[label["model"]] = number
    for path, source in _sources(context) if kept else ():
        for number, label in enumerate(source.get("seclabel") or []):
            if (model := label.get("model")) in kept:
                said = f"{model!r} labels no files: relabel of seclabel[{kept[model]}] is no"
                related: Path = ("seclabel", kept[model], "relabel")
                yield Problem((*path, "seclabel", number, "model"), said, related=(related,))


def _sources(context: Context) -> Iterator[tuple[Path, Context]]:
    """Yield the sources of devices, disks' backing stores among them, with their paths; a console's once."""
    for number, disk in enumerate(context["disks"]):
        path: Path = ("disks", number)
        image: Context | None = disk
        while image:
            yield (*path, "source"), image.get("source") or {}
            image, path = image.get("backingStore"), (*path, "backingStore")
    first = context["serials"][0].get("source") if context["serials"] else None
    for key in ("serials", "parallels", "consoles", "channels"):  # those whose labels libvirt reads
        for number, device in enumerate(context[key]):
            sources = device.get("source") or []
            if key != "consoles" or sources != first:
                yield from (((key, number, "source", place), source) for place, source in enumerate(sources))
