"""Checks of the IP addresses and routes of interfaces."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from kvmrender.checks.common import Context, check, dig
from kvmrender.errors import Path, Problem

BITS = {"ipv4": 32, "ipv6": 128}
USER_PREFIXES = {"ipv4": range(4, 28), "ipv6": range(64, 65)}
"""The lengths of prefixes that QEMU's own network can have."""


@check("interfaces.ip", "interfaces.route")
def address_families(context: Context, architecture: Context) -> Iterator[Problem]:
    """Addresses and prefixes are of the family that is said, and of ipv4 where none is."""
    for path, item, keys in _addresses(context):
        family = item.get("family") or (_family(item["address"]) if "peer" in keys else "ipv4")
        for key in ("address", *keys):
            if key in item and _family(item[key]) != family:
                said = f"{item[key]!r} is not an address of family {family}"
                yield Problem((*path, key), said, related=((*path, "family"),))
        if item.get("prefix", 0) > BITS[family]:
            yield Problem((*path, "prefix"), f"{item['prefix']} is more than {BITS[family]}, the bits of {family}")
        if "netmask" in item and family == "ipv6":
            yield Problem((*path, "netmask"), "is for family ipv4: ipv6 has a prefix")


@check("interfaces.ip", "interfaces.route")
def route_networks(context: Context, architecture: Context) -> Iterator[Problem]:
    """A route's address is that of a network: nothing of it is behind its prefix, which is 0 where none is given."""
    for path, item, keys in _addresses(context):
        address = ip_address(item["address"])
        prefix = min(item.get("prefix", 0), address.max_prefixlen)
        host_bits = (1 << (address.max_prefixlen - prefix)) - 1
        if "netmask" in item:
            host_bits = ~int(ip_address(item["netmask"]))
        if "gateway" in keys and int(address) & host_bits:
            given = item.get("netmask") or f"prefix {prefix}"
            yield Problem((*path, "address"), f"{item['address']!r} is not the address of a network with {given}")


@check("interfaces.ip", "interfaces.route")
def user_addresses(context: Context, architecture: Context) -> Iterator[Problem]:
    """A user connection has one address of each family, with a prefix that it can have."""
    for number, interface in enumerate(context["interfaces"]):
        seen: dict[str, Path] = {}
        for place, item in enumerate((interface.get("ip") if interface.get("type") == "user" else None) or []):
            path: Path = ("interfaces", number, "ip", place)
            family, prefix = _family(item["address"]), item.get("prefix", 0)
            if seen.setdefault(family, path) != path:
                yield Problem(path, f"is another address of {family}", related=(seen[family],))
            if prefix and prefix not in USER_PREFIXES[family]:
                known = "4 to 27" if family == "ipv4" else "64"
                yield Problem((*path, "prefix"), f"{prefix} is not a prefix of a user connection: {known} is")


def _addresses(context: Context) -> Iterator[tuple[Path, Context, tuple[str, ...]]]:
    """Yield addresses and routes of interfaces, and which keys have an address beside their own."""
    for number, interface in enumerate(context["interfaces"]):
        for where, keys in ((("ip",), ("peer",)), (("source", "ip"), ("peer",)), (("source", "route"), ("gateway",))):
            for place, item in enumerate(dig(interface, *where, default=[])):
                yield ("interfaces", number, *where, place), item, keys


def _family(address: str) -> str:
    return "ipv6" if ":" in address else "ipv4"
