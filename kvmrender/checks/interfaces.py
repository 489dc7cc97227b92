"""Checks of what interfaces of each type can have, and of their models."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Path, Problem, listed

Option = tuple[str, ...]
Types = tuple[str, ...]

TYPES_BY_OPTION: dict[Option, Types] = {
    ("mtu",): ("network", "bridge", "ethernet", "vhostuser"),
    ("coalesce",): ("network", "bridge"),
    ("filterref",): ("network", "bridge", "ethernet"),
    ("vlan",): ("network", "bridge", "direct", "hostdev"),
    ("bandwidth", "inbound", "floor"): ("network",),
    ("backend", "tap"): ("network", "bridge", "ethernet"),
}
"""The types of interfaces that know an option."""
TYPES_BY_VALUE: dict[Option, tuple[str, Types]] = {
    ("port", "isolated"): ("yes", ("network", "bridge")),
    ("target", "managed"): ("no", ("ethernet",)),
    ("teaming", "type"): ("transient", ("network", "hostdev")),
    ("driver", "name"): ("vfio", ("hostdev",)),
}
"""The types of interfaces that know a value of an option."""
VIRTIO = ("virtio", "virtio-transitional", "virtio-non-transitional")
MODELS_BY_TYPE = {"vdpa": ("virtio",), "vhostuser": VIRTIO}
VIRTIO_OPTIONS = ("iommu", "ats", "packed", "page_per_vq")


def interface_options(context: Context, architecture: Context) -> Iterator[Problem]:
    """An interface has what its type knows: a filter is a tap device's, an isolated port is a bridge's."""
    for number, interface in enumerate(context["interfaces"]):
        path: Path = ("interfaces", number)
        kind = interface.get("type")
        options, values = _not_for(kind)
        for option, known in options:
            if option[0] in interface and dig(interface, *option) is not None:
                if option == ("mtu",) and dig(interface, "backend", "type") == "passt":
                    continue
                said = f"is for type {listed(known, 'or')}, not {kind}"
                yield Problem((*path, *option), said, related=((*path, "type"),))
        for option, value, known in values:
            if option[0] in interface and dig(interface, *option) == value:
                said = f"{value} is for type {listed(known, 'or')}, not {kind}"
                yield Problem((*path, *option), said, related=((*path, "type"),))
        if kind == "hostdev" and dig(interface, "driver", "name", default="vfio") != "vfio":
            said = f"{interface['driver']['name']} is not for type hostdev: only vfio is"
            yield Problem((*path, "driver", "name"), said, related=((*path, "type"),))


@cache
def _not_for(kind: str | None) -> tuple[list[tuple[Option, Types]], list[tuple[Option, str, Types]]]:
    """Return the options, and the values of options, that interfaces of a type don't know, with the types that do."""
    options = [(option, known) for option, known in TYPES_BY_OPTION.items() if kind and kind not in known]
    values = [(option, *rest) for option, rest in TYPES_BY_VALUE.items() if kind and kind not in rest[1]]
    return options, values


def interface_models(context: Context, architecture: Context) -> Iterator[Problem]:
    """Models are what an interface's type, teaming and driver ask for; sizes of queues are powers of two."""
    for number, interface in enumerate(context["interfaces"]):
        path: Path = ("interfaces", number)
        model, driver = dig(interface, "model", "type"), interface.get("driver") or {}
        known = MODELS_BY_TYPE.get(str(interface.get("type")), (model,))
        if model and model not in known:
            yield Problem(
                (*path, "model", "type"),
                f"{model} is not for type {interface['type']}, which has {listed(known, 'or')}",
            )
        if model and model not in VIRTIO and dig(interface, "teaming", "type") == "persistent":
            yield Problem((*path, "teaming"), f"is for model virtio, not {model}", related=((*path, "model"),))
        for name in VIRTIO_OPTIONS:
            if model and model not in VIRTIO and name in driver:
                yield Problem((*path, "driver", name), f"is for model virtio, not {model}", related=((*path, "model"),))
        for name in ("rx_queue_size", "tx_queue_size"):
            if model in VIRTIO and (size := driver.get(name, 1)) & (size - 1):
                yield Problem((*path, "driver", name), f"{size} is not a power of two")


def ports(context: Context, architecture: Context) -> Iterator[Problem]:
    """An isolated port is no virtualport, one LAN at most is native, and a server of vhost-user doesn't reconnect."""
    for number, interface in enumerate(context["interfaces"]):
        path: Path = ("interfaces", number)
        virtual = dig(interface, "virtualport", "type")
        if virtual and dig(interface, "port", "isolated") == "yes":
            said = f"yes is not for a virtualport of type {virtual}"
            yield Problem((*path, "port", "isolated"), said, related=((*path, "virtualport"),))
        if virtual and interface.get("filterref"):
            said = f"is not for a virtualport of type {virtual}"
            yield Problem((*path, "filterref"), said, related=((*path, "virtualport"),))
        native = [place for place, tag in enumerate(dig(interface, "vlan", "tag", default=[])) if "nativeMode" in tag]
        for place in native[1:]:
            first: Path = (*path, "vlan", "tag", native[0])
            yield Problem((*path, "vlan", "tag", place, "nativeMode"), "is there for another tag", related=(first,))
        if dig(interface, "source", "mode") == "server" and dig(interface, "source", "reconnect", "enabled") == "yes":
            yield Problem((*path, "source", "reconnect"), "is for mode client, not server")


CHECKS: Checks = {
    interface_options: tuple(f"interfaces.{option[0]}" for option in (*TYPES_BY_OPTION, *TYPES_BY_VALUE)),
    interface_models: ("interfaces.model", "interfaces.teaming", "interfaces.driver"),
    ports: tuple(f"interfaces.{name}" for name in ("port", "filterref", "vlan", "reconnect")),
}
