"""Graph of a fleet: guests and the resources that connect them, as Mermaid text, or as SVG by Graphviz."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kvmrender.errors import Error
from kvmrender.fleet.clashes import image

Context = dict[str, Any]

NETWORK, BRIDGE, INTERFACE, TUNNEL = "network", "bridge", "host interface", "tunnel"
DISK, DEVICE = "disk", "host device"

SHAPES = {
    NETWORK: ("([", "])", "ellipse"),
    BRIDGE: ("([", "])", "ellipse"),
    INTERFACE: ("([", "])", "ellipse"),
    TUNNEL: ("([", "])", "ellipse"),
    DISK: ("[(", ")]", "cylinder"),
    DEVICE: ("{{", "}}", "hexagon"),
}
"""Shapes of each kind of resource: in Mermaid, the text before and after its name; in Graphviz, the shape."""

_SPECIAL = re.compile(r"[^\w /:,.-]|[.-](?!\w)|\A[.-]")


class Link(NamedTuple):
    """A resource that a guest uses: its kind, its name, the guest's name for it, and whether it is drawn even if no
    other guest uses it."""

    kind: str
    name: str
    label: str = ""
    alone: bool = True


def links(context: Context) -> Iterator[Link]:
    """Yield the resources of a guest that others may use too: networks, disk images, host devices."""
    for interface in context["interfaces"]:
        if link := _connected(interface):
            yield link._replace(label=_labels(interface, link))
    for disk in context["disks"]:
        yield from _images(disk)
    for device in context["hostdevs"]:
        yield Link(DEVICE, _device(device["type"], device["source"]))


def _connected(interface: Context) -> Link | None:
    kind, source = interface["type"], interface.get("source") or {}
    if kind == "bridge":
        return Link(BRIDGE, source["bridge"])
    if kind == "network":
        return Link(NETWORK, source["network"], source.get("portgroup") or "")
    if kind == "direct":
        return Link(INTERFACE, source["dev"])
    if kind == "hostdev":
        address = source.get("address") or {}
        return Link(DEVICE, _device(address.get("type", "usb"), source))
    if kind == "vdpa":
        return Link(DEVICE, source["dev"])
    if kind == "internal":
        return Link(NETWORK, source["name"])
    if kind == "vds":
        return Link(NETWORK, source["switchid"])
    if kind in ("mcast", "server", "client", "udp"):
        return Link(TUNNEL, f"{kind} {source.get('address', '')}:{source['port']}")
    return None  # a user, ethernet, vhostuser or null interface has no named resource


def _labels(interface: Context, link: Link) -> str:
    tags = [str(tag["id"]) for tag in (interface.get("vlan") or {}).get("tag") or ()]
    vlan = [f"vlan {', '.join(tags)}"] if tags else []
    mac = [interface["mac"]["address"]] if interface.get("mac") else []
    return ", ".join([*mac, *vlan, *([link.label] if link.label else [])])


def _images(disk: Context) -> Iterator[Link]:
    """Yield the images of a disk, its own and its backing images, and the device of the host that contains it."""
    target, source = disk["target"]["dev"], disk.get("source") or {}
    if disk["type"] == "nvme":
        yield Link(DEVICE, _device("pci", source), target)
    elif disk["type"] == "vhostvdpa":
        yield Link(DEVICE, source["dev"], target)
    place, _ = image(disk)
    if place:
        read_only = disk["device"] == "cdrom" or disk.get("readonly") is not None
        yield Link(DISK, place, f"{target}, read-only" if read_only else target, disk.get("shareable") is not None)
    below = disk.get("backingStore")
    while below:
        place, _ = image({"type": "", **below})
        if place:
            yield Link(DISK, place, f"base of {target}", alone=False)
        below = below.get("backingStore")


def _device(kind: str, source: Context) -> str:
    """Return the name of a host device, independent of the notation of its numbers."""
    address = source.get("address") or {}
    if kind == "pci":
        domain, bus, slot, function = (_number(address.get(key)) for key in ("domain", "bus", "slot", "function"))
        return f"PCI {domain:04x}:{bus:02x}:{slot:02x}.{function:x}"
    if kind == "usb":
        ids = [f"{_number(source[key]['id'], 16):04x}" for key in ("vendor", "product") if source.get(key)]
        at = [f"bus {_number(address['bus'])} device {_number(address['device'])}"] if address.get("device") else []
        return f"USB {' at '.join([*([':'.join(ids)] if ids else []), *at])}"
    if kind == "mdev":
        return f"mediated device {address.get('uuid')}"
    if kind == "scsi_host":
        return f"vhost {source.get('wwpn')}"
    if adapter := source.get("adapter"):
        where = ":".join(str(_number(address.get(key))) for key in ("bus", "target", "unit"))
        return f"SCSI {adapter['name']} {where}"
    hosts = ", ".join(host["name"] for host in source.get("host") or ())
    return f"iSCSI {source.get('name')} at {hosts}"


def _number(written: Any, base: int = 10) -> int:
    text = str(written or 0)
    return int(text, 16 if text.startswith("0x") else base)


class Picture:
    """Guests and their resources. Disk images are included if guests share them, or declare that they do."""

    def __init__(self) -> None:
        self._guests: list[tuple[str, list[Link]]] = []

    def add(self, guest: str, links: Iterable[Link]) -> None:
        """Add a guest and its resources."""
        self._guests.append((guest, list(links)))

    def _things(self) -> dict[tuple[str, str], str]:
        """Return the resources to draw, each with its node ID."""
        users: dict[tuple[str, str], set[int]] = {}
        alone = set()
        for number, (_, links) in enumerate(self._guests):
            for link in links:
                users.setdefault(link[:2], set()).add(number)
                if link.alone:
                    alone.add(link[:2])
        drawn = [thing for thing, guests in users.items() if len(guests) > 1 or thing in alone]
        return {thing: f"t{number}" for number, thing in enumerate(drawn)}

    def mermaid(self) -> str:
        """Return the graph as a Mermaid flowchart (https://mermaid.js.org/syntax/flowchart.html)."""
        things = self._things()
        lines = ["flowchart LR"]
        lines += [f'  g{number}["{_mermaid(name)}"]' for number, (name, _) in enumerate(self._guests)]
        for (kind, name), node in things.items():
            before, after, _ = SHAPES[kind]
            lines.append(f'  {node}{before}"{_mermaid(f"{kind} {name}")}"{after}')
        for number, (_, links) in enumerate(self._guests):
            for link in links:
                if node := things.get(link[:2], ""):
                    label = f'|"{_mermaid(link.label)}"|' if link.label else ""
                    lines.append(f"  g{number} ---{label} {node}")
        return "\n".join(lines) + "\n"

    def svg(self) -> str:
        """Return the graph as SVG. Raises Error if the package graphviz or Graphviz's program dot is missing."""
        try:
            import graphviz
        except ImportError:
            raise Error("graph --format svg needs graphviz: pip install graphviz") from None
        things = self._things()
        font = {"fontname": "sans-serif", "fontsize": "12"}
        picture = graphviz.Graph(
            graph_attr={"rankdir": "LR", "bgcolor": "white", "ranksep": "1.5"},
            node_attr={**font, "style": "filled", "fillcolor": "white"},
            edge_attr={**font, "fontsize": "10"},
        )
        for number, (name, _) in enumerate(self._guests):
            picture.node(f"g{number}", _dot(name), shape="box", fillcolor="lightgrey")
        for (kind, name), node in things.items():
            picture.node(node, f"{kind}\\n{_dot(name)}", shape=SHAPES[kind][2])
        for number, (_, links) in enumerate(self._guests):
            for link in links:
                if node := things.get(link[:2], ""):
                    picture.edge(f"g{number}", node, _dot(link.label))
        try:
            return str(picture.pipe(format="svg", encoding="utf-8"))
        except graphviz.ExecutableNotFound:
            raise Error("graph --format svg needs Graphviz's program dot: apt-get install graphviz") from None


def _mermaid(text: str) -> str:
    """Return a text escaped for Mermaid: special characters are written by their numbers."""
    return _SPECIAL.sub(lambda found: f"#{ord(found[0])};", text)


def _dot(text: str) -> str:
    """Return a text escaped for dot: backslashes and entities have a meaning there."""
    import graphviz

    escaped: str = graphviz.escape(text.replace("&", "&amp;"))  # of a type that marks it as not HTML
    return escaped
