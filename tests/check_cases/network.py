"""Guests just inside and just outside of each check of MAC addresses and ports."""

from __future__ import annotations

from typing import Any

from check_cases import NIC, Case


def forward(start: int, end: int) -> dict[str, Any]:
    forwarded = {"proto": "tcp", "range": [{"start": start, "end": end}]}
    return {"interfaces": [{"type": "user", "backend": {"type": "passt"}, "portForward": [forwarded]}]}


def lasting(octet: str) -> dict[str, Any]:
    mac = f"52:54:00:00:00:{octet}"
    return NIC | {"model": "virtio", "mac": mac, "alias": f"ua-{octet}", "teaming": {"type": "persistent"}}


def transient(octet: str) -> dict[str, Any]:
    teaming = {"type": "transient", "persistent": f"ua-{octet}"}
    address = {"type": "pci", "domain": "0x0000", "bus": "0x03", "slot": "0x00", "function": "0x0"}
    return {"type": "hostdev", "source": {"address": address}, "mac": f"52:54:00:00:00:{octet}", "teaming": teaming}


CASES: list[Case] = [
    (
        "mac_addresses",
        {"interfaces": [NIC | {"mac": "52:54:00:00:00:01"}, NIC | {"mac": "52:54:00:00:00:02"}]},
        {"interfaces": [NIC | {"mac": "52:54:00:00:00:0a"}, NIC | {"mac": "52:54:00:00:00:0A"}]},
        "interfaces[1].mac.address: note: '52:54:00:00:00:0a' is taken by interfaces[0] [mac-addresses]",
    ),
    (
        "mac_addresses",
        {"interfaces": [lasting("01"), transient("01")]},
        {"interfaces": [transient("01"), lasting("01"), NIC | {"mac": "52:54:00:00:00:01"}]},
        "interfaces[2].mac.address: note: '52:54:00:00:00:01' is taken by interfaces[1] [mac-addresses]",
    ),
    (
        "port_ranges",
        forward(2022, 2022),
        forward(2022, 2021),
        "interfaces[0].portForward[0].range[0].end: 2021 is less than start, 2022",
    ),
    (
        "vnc_listens",
        {"graphics": [{"type": "vnc", "port": 5900}]},
        {"graphics": [{"type": "vnc", "port": 5899}]},
        "graphics[0].port: 5899 is not a port for VNC: they begin with 5900",
    ),
]
