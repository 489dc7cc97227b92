"""Checks of devices: what each may have, and what there may be one of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from kvmrender.checks.common import Context, check, devices, dig, once
from kvmrender.errors import Problem

UUID_LENGTH = 32


@check("alias")
def aliases(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two devices have one alias."""
    named = ((path, dig(device, "alias", "name")) for path, device in devices(context, "alias"))
    yield from once(((*path, "alias", "name"), name, repr(name)) for path, name in named if name)


@check("iommu")
def iommu_machine(context: Context, architecture: Context) -> Iterator[Problem]:
    """The IOMMU is one that the machine can have: intel with q35, smmuv3 on arm64, virtio with both."""
    model = dig(context, "iommu", "model")
    machine = str(dig(context, "os", "type", "machine", default="pc"))
    q35, arm = context["arch"] == "amd64" and "q35" in machine, context["arch"] == "arm64"
    if model == "intel" and not q35:
        yield Problem(("iommu", "model"), f"intel is for machine q35, not {machine}", related=(("machine",),))
    if model == "smmuv3" and not arm:
        yield Problem(("iommu", "model"), f"smmuv3 is for arm64, not {context['arch']}", related=(("arch",),))
    if model == "virtio" and not q35 and not arm:
        said = f"virtio is for machine q35 and for arm64, not {machine}"
        yield Problem(("iommu", "model"), said, related=(("machine",), ("arch",)))


@check("panics")
def panic_models(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two panic devices have one model."""
    usual = {"ppc64le": "pseries", "s390x": "s390", "amd64": "isa"}.get(context["arch"])
    models = [panic.get("model", usual) for panic in context["panics"]]
    yield from once(
        (("panics", number, "model"), model, str(model or "the usual")) for number, model in enumerate(models)
    )


@check("hostdevs")
def hostdevs_once(context: Context, architecture: Context) -> Iterator[Problem]:
    """No device of the host is given twice."""
    for_each = enumerate(context["hostdevs"])
    yield from once(
        (("hostdevs", number, "source"), _on_host(device), "this device of the host") for number, device in for_each
    )


def _on_host(device: Context) -> tuple[Any, ...]:
    """Return what tells a device of the host from others, with numbers written in one way."""
    source = device["source"]
    usual = {"domain": "0", "bus": "0", "slot": "0", "function": "0"} if device["type"] == "pci" else {}
    address = {key: _plain(text) for key, text in (usual | source.get("address", {})).items()}
    identity = [_plain(source[key]["id"]) for key in ("vendor", "product") if key in source]
    rest = [repr(source[key]) for key in ("adapter", "name", "host", "wwpn") if key in source]
    return device["type"], *identity, *rest, frozenset(address.items())


@lru_cache(maxsize=1024)
def _plain(text: str) -> str:
    """Write a number without its base and zeros before it; a UUID, without dashes."""
    text = text.replace("-", "").lower()
    return text if len(text) == UUID_LENGTH else str(int(text, 16 if text.startswith("0x") else 10))
