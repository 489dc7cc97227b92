"""Guests just inside and just outside of each check of displays and graphics cards."""

from __future__ import annotations

from typing import Any

from check_cases import Case, example


def display(kind: str, **more: Any) -> dict[str, Any]:
    return {"graphics": [{"type": kind, **more}]}


def card(arch: str = "amd64", **card: Any) -> dict[str, Any]:
    return {"arch": arch, "videos": [card]}


def channel(mode: str) -> dict[str, str]:
    return {"name": "main", "mode": mode}


CASES: list[Case] = [
    (
        "displays",
        {"graphics": ["vnc", "spice", "sdl", "dbus"]},
        {"graphics": ["vnc", "spice", "vnc"]},
        "graphics[2].type: vnc is taken by graphics[0]",
    ),
    (
        "displays",
        {"graphics": ["vnc", "egl-headless"]},
        {"graphics": ["dbus", "egl-headless"]},
        "graphics[0].type: dbus can't be combined with egl-headless: only vnc and spice can",
    ),
    (
        "displays",
        {"graphics": ["egl-headless", {"type": "spice", "gl": False}]},
        {"graphics": ["egl-headless", {"type": "spice", "gl": True}]},
        "graphics[1].gl.enable: can't be combined with egl-headless, which uses OpenGL already",
    ),
    (
        "vnc_listens",
        display("vnc", autoport=False, listen="none"),
        display("vnc", autoport=False),
        "graphics[0].port: is missing: with autoport no, libvirt allocates none",
    ),
    (
        "vnc_listens",
        display("vnc", socket="/a", listen="/a"),
        display("vnc", socket="/a", listen="/b"),
        "graphics[0].listen[0].socket: '/b' differs from the socket of the display, '/a'",
    ),
    (
        "spice_ports",
        display("spice", defaultMode="secure"),
        display("spice", defaultMode="secure", listen="none"),
        "graphics[0].defaultMode: secure needs tlsPort, on an address",
    ),
    (
        "spice_ports",
        display("spice", port=5900, tlsPort=-1, channel=channel("secure")),
        display("spice", port=5900, channel=channel("secure")),
        "graphics[0].channel[0].mode: secure needs tlsPort, on an address",
    ),
    (
        "spice_ports",
        display("spice", autoport=False, channel=channel("insecure")),
        display("spice", tlsPort=5901, channel=channel("insecure")),
        "graphics[0].channel[0].mode: insecure needs port",
    ),
    (
        "videos",
        {"videos": ["virtio", {"model": {"type": "vga", "primary": True}}, "qxl"]},
        {"videos": ["virtio", "vga"]},
        "videos[1].model.type: vga is for the primary video device, videos[0]; others are virtio or qxl",
    ),
    (
        "videos",
        *example("videos"),
        "videos[1].model.type: vga is for the primary video device, videos[0]; others are virtio or qxl",
    ),
    (
        "videos",
        {"videos": ["virtio", {"model": {"type": "virtio", "primary": True}}]},
        {"videos": [{"model": {"type": "virtio", "primary": True}}] * 2},
        "videos[1].model.primary: the primary video device is videos[0]",
    ),
    (
        "no_card",
        {"videos": ["none"]},
        {"videos": ["virtio", "none"]},
        "videos[1].model.type: none is for guests without other video devices",
    ),
    (
        "video_options",
        card("arm64", driver={"iommu": True}),
        card("amd64", driver={"iommu": True}),
        "videos[0].driver.iommu: is for a virtio card, not vga",
    ),
    (
        "video_options",
        card(driver="vhostuser", model="virtio"),
        card(driver="vhostuser", model="qxl"),
        "videos[0].driver.name: is for a virtio card, not qxl",
    ),
    (
        "video_options",
        card(model={"type": "qxl", "acceleration": {"accel3d": False}}),
        card(model={"type": "qxl", "acceleration": {"accel3d": True}}),
        "videos[0].model.acceleration.accel3d: is for a virtio card, not qxl",
    ),
    (
        "video_options",
        card(driver="vhostuser", model={"type": "virtio", "acceleration": {"rendernode": "/a"}}),
        card(driver="qemu", model={"type": "virtio", "acceleration": {"rendernode": "/a"}}),
        "videos[0].model.acceleration.rendernode: is for driver vhostuser",
    ),
    (
        "video_options",
        card(model={"type": "vga", "vram": 513}),
        card(model={"type": "vga", "vram": 512}),
        "videos[0].model.vram: 512 is less than 1024",
    ),
    (
        "video_options",
        card(model={"type": "qxl", "vgamem": 2048}),
        card(model={"type": "qxl", "vgamem": 2047}),
        "videos[0].model.vgamem: 2047 is not a power of two from 1024",
    ),
    (
        "video_options",
        card(model={"type": "qxl", "vgamem": 1024}),
        card(model={"type": "qxl", "vgamem": 512}),
        "videos[0].model.vgamem: 512 is not a power of two from 1024",
    ),
    (
        "displays",
        {"graphics": ["rdp", "rdp"]},
        {"graphics": ["vnc", "vnc"]},
        "graphics[1].type: vnc is taken by graphics[0]",
    ),
    (
        "vnc_listens",
        {"graphics": {"type": "vnc", "autoport": False, "listen": {"type": "socket", "socket": "/run/a"}}},
        {"graphics": {"type": "vnc", "autoport": False, "listen": []}},
        "graphics[0].port: is missing: with autoport no, libvirt allocates none",
    ),
    (
        "spice_ports",
        {"graphics": {"type": "spice", "listen": {"type": "socket", "socket": "/a"}, "defaultMode": "insecure"}},
        {"graphics": {"type": "spice", "listen": {"type": "socket", "socket": "/a"}, "defaultMode": "secure"}},
        "graphics[0].defaultMode: secure needs tlsPort, on an address",
    ),
    (
        "video_options",
        {"videos": [{"model": "none", "driver": {"iommu": True}}]},
        {"videos": [{"model": "cirrus", "driver": {"iommu": True}}]},
        "videos[0].driver.iommu: is for a virtio card, not cirrus",
    ),
    (
        "video_options",
        {"videos": [{"model": {"type": "vmvga", "vram": 513}}]},
        {"videos": [{"model": {"type": "vmvga", "vram": 512}}]},
        "videos[0].model.vram: 512 is less than 1024",
    ),
    (
        "blob_memory",
        {"memoryBacking": {"source": "memfd"}, "videos": [{"model": {"type": "virtio", "blob": True}}]},
        {"videos": [{"model": {"type": "virtio", "blob": True}}]},
        "videos[0].model.blob: needs a memfd: memoryBacking.source",
    ),
]
