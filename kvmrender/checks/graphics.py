"""Checks of graphics cards."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Context, check
from kvmrender.errors import Problem

VIRTIO_BY_DEFAULT = ("arm64", "riscv64", "loongarch64", "s390x")
"""Architectures whose graphics card is a virtio one where nothing is said."""

SECOND = ("virtio", "qxl")
"""Graphics cards that there may be several of."""


@check("videos")
def videos(context: Context, architecture: Context) -> Iterator[Problem]:
    """One graphics card is the first, only virtio and qxl can be others, and none stands alone."""
    models = [video.get("model") or {} for video in context["videos"]]
    primary = [number for number, model in enumerate(models) if model.get("primary") == "yes"]
    first = (primary or [0])[0]
    for number, model in enumerate(models):
        path, kind = ("videos", number, "model"), _video_type(context, model)
        if number in primary[1:]:
            yield Problem((*path, "primary"), f"the first card is videos[{first}]", related=(("videos", first),))
        elif kind == "none" and len(models) > 1:
            yield Problem((*path, "type"), "none is for guests without any other card", related=(("videos",),))
        elif number != first and kind not in SECOND:
            said = f"{kind} is for the first card, videos[{first}]; others are {' or '.join(SECOND)}"
            yield Problem((*path, "type"), said, related=(("videos", first),))


def _video_type(context: Context, model: Context) -> str:
    return str(model.get("type") or ("virtio" if context["arch"] in VIRTIO_BY_DEFAULT else "vga"))
