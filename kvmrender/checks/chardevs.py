"""Checks of serial ports, consoles and other character devices."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Path, Problem

THROUGH_SPICE = ("serials", "parallels", "consoles", "channels", "smartcards", "redirdevs", "audios")
"""Devices that may be seen through SPICE: their type says so."""
SPICE = ("spice", "spicevmc", "spiceport")
"""Types of what is seen through SPICE."""


def serial_ports(context: Context, architecture: Context) -> Iterator[Problem]:
    """Serial ports are of the architecture's kinds, each with a model of its kind."""
    models: dict[str, list[str]] = architecture.get("serial_models", {})
    for number, port in enumerate(context["serials"] if models else ()):
        path, usual = ("serials", number), next(iter(models))
        target = port.get("target") or {}
        kind = target.get("type", usual)
        kind = usual if kind == "isa-serial" else kind  # as libvirt takes it
        model = dig(target, "model", "name") if "model" in target else None
        if kind not in models:
            said = f"{kind!r} is not a port of {context['arch']} (which has {', '.join(models)})"
            yield Problem((*path, "target", "type"), said, related=(("arch",),))
        elif model and model not in models[kind]:
            said = f"{model!r} is not a model of {kind} on {context['arch']} (which has {', '.join(models[kind])})"
            yield Problem((*path, "target", "model", "name"), said, related=((*path, "target", "type"),))


def consoles(context: Context, architecture: Context) -> Iterator[Problem]:
    """Only the first console is a serial port; sclp consoles are s390x's."""
    for number, console in enumerate(context["consoles"]):
        kind, path = _console_kind(console), ("consoles", number, "target", "type")
        if number and kind == "serial":
            said = f"{kind!r} is for the first console: the others are of type virtio"
            yield Problem(path, said, related=(("consoles", 0),))
        elif kind.startswith("sclp") and "sclp-serial" not in architecture.get("serial_models", ["sclp-serial"]):
            yield Problem(path, f"{kind!r} is for s390x, not {context['arch']}", related=(("arch",),))


def guestfwd(context: Context, architecture: Context) -> Iterator[Problem]:
    """A channel of type guestfwd has no source of SPICE's own, and a unix socket has a path."""
    for number, channel in enumerate(context["channels"]):
        path: Path = ("channels", number)
        related: tuple[Path, ...] = ((*path, "target", "type"),)
        if channel["target"]["type"] != "guestfwd":
            continue
        if channel["type"] == "spicevmc":
            yield Problem((*path, "type"), "spicevmc is for channels of type virtio", related=related)
        elif channel["type"] == "unix" and not any("path" in source for source in channel.get("source") or []):
            said = "is missing: libvirt chooses one only for channels of type virtio"
            yield Problem((*path, "source", 0, "path"), said, related=related)


def smartcard_slot(context: Context, architecture: Context) -> Iterator[Problem]:
    """The smartcard is in the first slot of the first reader."""
    for number, card in enumerate(context["smartcards"]):
        for key in ("controller", "slot") if dig(card, "address", "type") == "ccid" else ():
            if int(given := dig(card, "address", key, default="0")):
                yield Problem(("smartcards", number, "address", key), f"{given} is not 0: a guest has one smartcard")


def spice(context: Context, architecture: Context) -> Iterator[Problem]:
    """What goes through SPICE, devices and sound, has graphics of type spice."""
    if any(graphics["type"] == "spice" for graphics in context["graphics"]):
        return
    used: list[tuple[Path, str]] = [
        ((key, number, "type"), item["type"])
        for key in THROUGH_SPICE
        if context[key]
        for number, item in _items(context, key)
        if item.get("type") in SPICE
    ]
    for number, rng in enumerate(context["rngs"]):
        if (kind := dig(rng, "backend", "type")) in SPICE:
            used.append((("rngs", number, "backend", "type"), kind))
    for path, kind in used:
        yield Problem(path, f"{kind} needs graphics of type spice", related=(("graphics",),))


def _items(context: Context, key: str) -> Iterator[tuple[int, Context]]:
    """Yield devices with their numbers, but for the console that is the first serial port under another name."""
    for number, item in enumerate(context[key]):
        if not (key == "consoles" and number == 0 and context["serials"] and _console_kind(item) == "serial"):
            yield number, item


def _console_kind(console: Context) -> str:
    return str((console.get("target") or {}).get("type") or "serial")


CHECKS: Checks = {
    serial_ports: ("serials.target",),
    consoles: ("consoles",),
    guestfwd: ("channels",),
    smartcard_slot: ("smartcards",),
    spice: (*(f"/{key}/type" for key in THROUGH_SPICE[:3]), "/rngs/backend/type", *THROUGH_SPICE[3:]),
}
