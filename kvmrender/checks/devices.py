"""Checks of devices: supported values, and devices that must be unique."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from kvmrender.checks.common import check, devices, dig
from kvmrender.errors import Path, Problem
from kvmrender.rules.check import Context, once

UUID_LENGTH = 32
SECOND = ("virtio", "qxl")
"""Video devices of which there can be several."""


@check("alias")
def aliases(context: Context, architecture: Context) -> Iterator[Problem]:
    """Aliases of devices are unique."""
    named = ((path, dig(device, "alias", "name")) for path, device in devices(context, "alias"))
    yield from once(
        ((*path, "alias", "name"), name, repr(name)) for path, name in named if name and name.startswith("ua-")
    )


@check("hostdevs")
def hostdevs_once(context: Context, architecture: Context) -> Iterator[Problem]:
    """No host device is assigned twice."""
    for_each = enumerate(context["hostdevs"])
    yield from once(
        (("hostdevs", number, "source"), _on_host(device), "this host device") for number, device in for_each
    )


def _on_host(device: Context) -> tuple[Any, ...]:
    """Return what identifies a host device, with numbers in canonical form."""
    source = device["source"]
    usual = {"domain": "0", "bus": "0", "slot": "0", "function": "0"} if device["type"] == "pci" else {}
    address = {key: _plain(text) for key, text in (usual | source.get("address", {})).items()}
    identity = [_plain(source[key]["id"]) for key in ("vendor", "product") if key in source]
    rest = [repr(source[key]) for key in ("adapter", "name", "host", "wwpn") if key in source]
    return device["type"], *identity, *rest, frozenset(address.items())


@lru_cache(maxsize=1024)
def _plain(text: str) -> str:
    """Return a number, or several separated by dots, without base and leading zeros; a UUID without dashes."""
    text = text.replace("-", "").lower()
    if len(text) == UUID_LENGTH:
        return text
    return ".".join(str(int(number, 16 if number.startswith("0x") else 10)) for number in text.split("."))


@check("audios")
def dbus_audio(context: Context, architecture: Context) -> Iterator[Problem]:
    """The audio of a dbus display is of type dbus."""
    types = {audio.get("id", 1): (number, audio["type"]) for number, audio in enumerate(context["audios"])}
    for number, display in enumerate(context["graphics"]):
        named = dig(display, "audio", "id")
        if display["type"] == "dbus" and named in types and types[named][1] != "dbus":
            place, kind = types[named]
            said = f"{named} is an audio of type {kind}, not dbus"
            yield Problem(("graphics", number, "audio", "id"), said, related=(("audios", place, "type"),))


@check("videos")
def videos(context: Context, architecture: Context) -> Iterator[Problem]:
    """There is one primary video device; only virtio and qxl can be secondary."""
    models = [video.get("model") or {} for video in context["videos"]]
    primary = [number for number, model in enumerate(models) if model.get("primary") == "yes"]
    first = (primary or [0])[0]
    usual = "virtio" if architecture.get("usual_addresses", {}).get("videos") == "virtio" else "vga"
    for number, model in enumerate(models):
        path, kind = ("videos", number, "model"), model.get("type") or usual
        if number in primary[1:]:
            yield Problem(
                (*path, "primary"), f"the primary video device is videos[{first}]", related=(("videos", first),)
            )
        elif number != first and kind not in (*SECOND, "none"):
            said = f"{kind} is for the primary video device, videos[{first}]; others are {' or '.join(SECOND)}"
            yield Problem((*path, "type"), said, related=(("videos", first),))


@check("interfaces.route")
def route_networks(context: Context, architecture: Context) -> Iterator[Problem]:
    """The address of a route is that of a network: no bits are set after its prefix, which defaults to 0."""
    for number, interface in enumerate(context["interfaces"]):
        for place, route in enumerate(dig(interface, "source", "route", default=[])):
            address = ip_address(route["address"])
            prefix = min(route.get("prefix", 0), address.max_prefixlen)
            host_bits = (1 << (address.max_prefixlen - prefix)) - 1
            if "netmask" in route:
                host_bits = ~int(ip_address(route["netmask"]))
            if int(address) & host_bits:
                path: Path = ("interfaces", number, "source", "route", place, "address")
                given = route.get("netmask") or f"prefix {prefix}"
                yield Problem(path, f"{route['address']!r} is not the address of a network with {given}")


@check("serials.target")
def serial_ports(context: Context, architecture: Context) -> Iterator[Problem]:
    """Serial ports have a type that the architecture supports, and a model of that type."""
    models: dict[str, list[str]] = architecture.get("serial_models", {})
    for number, port in enumerate(context["serials"] if models else ()):
        path, usual = ("serials", number), next(iter(models))
        target = port.get("target") or {}
        kind = target.get("type", usual)
        kind = usual if kind == "isa-serial" else kind  # the model that libvirt takes
        model = dig(target, "model", "name") if "model" in target else None
        if kind not in models:
            said = f"{kind!r} is not a port of {context['arch']} (which has {', '.join(models)})"
            yield Problem((*path, "target", "type"), said, related=(("arch",),))
        elif model and model not in models[kind]:
            said = f"{model!r} is not a model of {kind} on {context['arch']} (which has {', '.join(models[kind])})"
            yield Problem((*path, "target", "model", "name"), said, related=((*path, "target", "type"),))


@check("consoles")
def consoles(context: Context, architecture: Context) -> Iterator[Problem]:
    """Only the first console has target type serial."""
    for number, console in enumerate(context["consoles"]):
        if number and dig(console, "target", "type", default="serial") == "serial":
            said = "'serial' is for the first console: the others are of type virtio"
            yield Problem(("consoles", number, "target", "type"), said, related=(("consoles", 0),))
