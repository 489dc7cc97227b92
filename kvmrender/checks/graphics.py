"""Checks of displays and graphics cards."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig, once
from kvmrender.errors import Path, Problem

VIRTIO_OPTIONS = ("iommu", "ats", "packed", "page_per_vq")
VIRTIO_BY_DEFAULT = ("arm64", "riscv64", "loongarch64", "s390x")
"""Architectures whose graphics card is a virtio one where nothing is said."""

SECOND = ("virtio", "qxl")
"""Graphics cards that there may be several of."""

LEAST = 1024
"""KiB of memory of a framebuffer, at least."""


def displays(context: Context, architecture: Context) -> Iterator[Problem]:
    """There is one display of a type; beside egl-headless stand only vnc, and spice without gl."""
    types = [(("graphics", number, "type"), display["type"]) for number, display in enumerate(context["graphics"])]
    yield from once((path, kind, kind) for path, kind in types if kind != "rdp")
    headless = next((path[:2] for path, kind in types if kind == "egl-headless"), None)
    for path, kind in types if headless else ():
        if kind not in ("vnc", "spice", "egl-headless"):
            yield Problem(path, f"{kind} can't stand beside egl-headless: vnc and spice can", related=(headless or (),))
        elif kind == "spice" and dig(context["graphics"][path[1]], "gl", "enable") == "yes":
            said = "egl-headless renders with OpenGL already"
            yield Problem((*path[:2], "gl", "enable"), said, related=(headless or (),))


def vnc_listens(context: Context, architecture: Context) -> Iterator[Problem]:
    """VNC has a port, chosen by libvirt if not given, or a socket, which is said once."""
    for number, display in enumerate(context["graphics"]):
        path: Path = ("graphics", number)
        if display["type"] != "vnc":
            continue
        listen = next(iter(display.get("listen") or ()), {"type": "address"})
        socket, inner = display.get("socket"), listen.get("socket")
        if socket and inner and socket != inner:
            said = f"{inner!r} is not the socket of the display, {socket!r}"
            yield Problem((*path, "listen", 0, "socket"), said, related=((*path, "socket"),))
        chosen = display.get("autoport") != "no" or listen["type"] in ("socket", "none")
        if not chosen and display.get("port", -1) == -1:
            said = "is missing: libvirt chooses none, for autoport is no"
            yield Problem((*path, "port"), said, related=((*path, "autoport"),))


def spice_ports(context: Context, architecture: Context) -> Iterator[Problem]:
    """SPICE has the encrypted port, or the plain one, that defaultMode and channels ask for."""
    for number, display in enumerate(context["graphics"]):
        if display["type"] != "spice":
            continue
        plain, secure = _spice_ports(display)
        wanted: list[tuple[Path, str | None]] = [(("graphics", number, "defaultMode"), display.get("defaultMode"))]
        for place, channel in enumerate(display.get("channel") or ()):
            wanted.append((("graphics", number, "channel", place, "mode"), channel["mode"]))
        for path, mode in wanted:
            if (mode == "secure" and not secure) or (mode == "insecure" and not plain):
                said = "secure needs tlsPort, on an address" if mode == "secure" else "insecure needs port"
                related = ("port", "tlsPort", "autoport", "listen")
                yield Problem(path, said, related=tuple(("graphics", number, key) for key in related))


def _spice_ports(display: Context) -> tuple[bool, bool]:
    """Say whether there is a plain port, and an encrypted one."""
    if any(listen["type"] in ("none", "socket") for listen in display.get("listen") or ()):
        return True, False
    if display.get("autoport") == "yes":
        return True, True
    secure = display.get("tlsPort", 0) != 0
    return display.get("port", 0) != 0 or not secure, secure


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


def video_options(context: Context, architecture: Context) -> Iterator[Problem]:
    """Options of virtio and of vhostuser are for those cards, and there is memory for a framebuffer."""
    for number, video in enumerate(context["videos"]):
        path: Path = ("videos", number)
        model, driver = video.get("model") or {}, video.get("driver") or {}
        kind = _video_type(context, model)
        if kind == "none":
            continue
        virtio: list[Path] = [("driver", key) for key in VIRTIO_OPTIONS if key in driver]
        virtio += [("driver", "name")] if driver.get("name") == "vhostuser" else []
        virtio += [("model", "acceleration", "accel3d")] if dig(model, "acceleration", "accel3d") == "yes" else []
        for keys in virtio if kind != "virtio" else ():
            yield Problem((*path, *keys), f"is for a virtio card, not {kind}", related=((*path, "model"),))
        if dig(model, "acceleration", "rendernode") and driver.get("name") != "vhostuser":
            said = "is for driver vhostuser"
            yield Problem((*path, "model", "acceleration", "rendernode"), said, related=((*path, "driver"),))
        yield from _video_memory((*path, "model"), model)


def _video_memory(path: Path, model: Context) -> Iterator[Problem]:
    vram, vgamem = model.get("vram", 0), model.get("vgamem", 0)
    # libvirt rounds vram up to a power of two, but not vgamem.
    if model.get("type") in ("vga", "vmvga") and 0 < vram <= LEAST // 2:
        yield Problem((*path, "vram"), f"{vram} is less than {LEAST}", related=((*path, "type"),))
    if vgamem and (vgamem < LEAST or vgamem & (vgamem - 1)):
        yield Problem((*path, "vgamem"), f"{vgamem} is not a power of two from {LEAST}")


def _video_type(context: Context, model: Context) -> str:
    return str(model.get("type") or ("virtio" if context["arch"] in VIRTIO_BY_DEFAULT else "vga"))


CHECKS: Checks = {
    displays: ("graphics",),
    vnc_listens: ("/graphics/autoport", ("/graphics/socket", "/graphics/listen")),
    spice_ports: ("/graphics/defaultMode", "/graphics/channel"),
    videos: ("videos",),
    video_options: ("videos",),
}
