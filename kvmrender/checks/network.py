"""Checks of what is seen from outside: addresses and ports."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig, once
from kvmrender.errors import Problem

VNC_LOWEST = 5900


def mac_addresses(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two interfaces have one MAC address, but for the one that is there for another until a migration."""
    if len(context["interfaces"]) == 1:
        return
    found = [
        (number, interface["mac"]["address"])
        for number, interface in enumerate(context["interfaces"])
        if interface["mac"] and ("teaming" not in interface or dig(interface, "teaming", "type") != "transient")
    ]
    if len({address for _, address in found}) < len(found):
        yield from once((("interfaces", number, "mac", "address"), address, repr(address)) for number, address in found)


def port_ranges(context: Context, architecture: Context) -> Iterator[Problem]:
    """Ranges of forwarded ports begin before they end; VNC has ports from 5900."""
    for number, interface in enumerate(context["interfaces"]):
        for place, forward in enumerate(interface.get("portForward", ())):
            for position, span in enumerate(forward.get("range", ())):
                if span.get("end", span["start"]) < span["start"]:
                    path = ("interfaces", number, "portForward", place, "range", position, "end")
                    yield Problem(path, f"{span['end']} is less than start, {span['start']}", related=(path[:-1],))
    for number, graphics in enumerate(context["graphics"]):
        port = graphics.get("port", -1)
        if graphics.get("type") == "vnc" and port != -1 and port < VNC_LOWEST:
            yield Problem(
                ("graphics", number, "port"), f"{port} is not a port for VNC, which has them from {VNC_LOWEST}"
            )


CHECKS: Checks = {
    mac_addresses: ("interfaces",),
    port_ranges: ("interfaces.portForward", "/graphics/port"),
}
