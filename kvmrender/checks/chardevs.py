"""Checks of serial ports and consoles."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Context, check, dig
from kvmrender.errors import Problem


@check("serials.target")
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


@check("consoles")
def consoles(context: Context, architecture: Context) -> Iterator[Problem]:
    """Only the first console is a serial port."""
    for number, console in enumerate(context["consoles"]):
        if number and dig(console, "target", "type", default="serial") == "serial":
            said = "'serial' is for the first console: the others are of type virtio"
            yield Problem(("consoles", number, "target", "type"), said, related=(("consoles", 0),))
