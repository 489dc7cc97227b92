"""Guests just inside and just outside of each check of the IP addresses of interfaces."""

from __future__ import annotations

from check_cases import Case, example

CASES: list[Case] = [
    (
        "address_families",
        {"interfaces": [{"type": "ethernet", "source": {"ip": [{"address": "fe80::1", "family": "ipv6"}]}}]},
        {"interfaces": [{"type": "ethernet", "source": {"ip": [{"address": "fe80::1", "family": "ipv4"}]}}]},
        "interfaces[0].source.ip[0].address: 'fe80::1' is not an address of family ipv4",
    ),
    (
        "address_families",
        {"interfaces": [{"type": "ethernet", "source": {"ip": [{"address": "10.0.0.1", "peer": "10.0.0.2"}]}}]},
        {"interfaces": [{"type": "ethernet", "source": {"ip": [{"address": "10.0.0.1", "peer": "fe80::1"}]}}]},
        "interfaces[0].source.ip[0].peer: 'fe80::1' is not an address of family ipv4",
    ),
    (
        "address_families",
        {"interfaces": [{"type": "ethernet", "source": {"ip": [{"address": "10.0.0.1", "prefix": 32}]}}]},
        {"interfaces": [{"type": "ethernet", "source": {"ip": [{"address": "10.0.0.1", "prefix": 33}]}}]},
        "interfaces[0].source.ip[0].prefix: 33 is more than 32, the maximum for ipv4",
    ),
    (
        "address_families",
        {"interfaces": [{"type": "ethernet", "source": {"route": [{"address": "0.0.0.0", "gateway": "10.0.0.1"}]}}]},
        {"interfaces": [{"type": "ethernet", "source": {"route": [{"address": "0.0.0.0", "gateway": "fe80::1"}]}}]},
        "interfaces[0].source.route[0].gateway: 'fe80::1' is not an address of family ipv4",
    ),
    (
        "address_families",
        {
            "interfaces": [
                {"type": "ethernet", "source": {"route": [{"address": "::", "family": "ipv6", "gateway": "fe80::1"}]}}
            ]
        },
        {
            "interfaces": [
                {
                    "type": "ethernet",
                    "source": {
                        "route": [{"address": "::", "family": "ipv6", "gateway": "fe80::1", "netmask": "255.0.0.0"}]
                    },
                }
            ]
        },
        "interfaces[0].source.route[0].netmask: is for family ipv4: for ipv6, use prefix",
    ),
    (
        "route_networks",
        *example("route-networks"),
        "interfaces[0].source.route[0].address: '10.0.0.0' is not the address of a network with prefix 6",
    ),
    (
        "route_networks",
        {
            "interfaces": [
                {
                    "type": "ethernet",
                    "source": {"route": [{"address": "10.0.0.0", "gateway": "10.0.0.1", "netmask": "255.0.0.0"}]},
                }
            ]
        },
        {
            "interfaces": [
                {
                    "type": "ethernet",
                    "source": {"route": [{"address": "10.0.1.0", "gateway": "10.0.0.1", "netmask": "255.0.0.0"}]},
                }
            ]
        },
        "interfaces[0].source.route[0].address: '10.0.1.0' is not the address of a network with 255.0.0.0",
    ),
    (
        "route_networks",
        {
            "interfaces": [
                {
                    "type": "ethernet",
                    "source": {
                        "route": [{"address": "fe80::1", "family": "ipv6", "gateway": "fe80::1", "prefix": 128}]
                    },
                }
            ]
        },
        {
            "interfaces": [
                {
                    "type": "ethernet",
                    "source": {"route": [{"address": "fe80::1", "family": "ipv6", "gateway": "fe80::1"}]},
                }
            ]
        },
        "interfaces[0].source.route[0].address: 'fe80::1' is not the address of a network with prefix 0",
    ),
    (
        "interface_options",
        {"interfaces": [{"type": "user", "ip": ["10.0.0.1"]}]},
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "ip": ["10.0.0.1"]}]},
        "interfaces[0].ip[0]: is for type user, not bridge: for other types, QEMU can't set addresses in the guest",
    ),
    (
        "user_addresses",
        {"interfaces": [{"type": "user", "ip": ["10.0.0.1", {"address": "fe80::1", "family": "ipv6"}]}]},
        {"interfaces": [{"type": "user", "ip": ["10.0.0.1", "10.0.1.1"]}]},
        "interfaces[0].ip[1]: is a second address of family ipv4",
    ),
    (
        "user_addresses",
        {"interfaces": [{"type": "user", "ip": [{"address": "10.0.0.1", "prefix": 27}]}]},
        {"interfaces": [{"type": "user", "ip": [{"address": "10.0.0.1", "prefix": 28}]}]},
        "interfaces[0].ip[0].prefix: 28 is not a prefix for type user: it must be 4 to 27",
    ),
    (
        "user_addresses",
        {"interfaces": [{"type": "user", "ip": [{"address": "fe80::1", "family": "ipv6", "prefix": 64}]}]},
        {"interfaces": [{"type": "user", "ip": [{"address": "fe80::1", "family": "ipv6", "prefix": 63}]}]},
        "interfaces[0].ip[0].prefix: 63 is not a prefix for type user: it must be 64",
    ),
    (
        "interface_options",
        {"interfaces": [{"type": "vdpa", "source": {"dev": "/dev/vhost-vdpa-0"}, "ip": {"address": "10.0.0.1"}}]},
        {"interfaces": [{"type": "direct", "source": {"dev": "eth0"}, "ip": {"address": "10.0.0.1"}}]},
        "interfaces[0].ip[0]: is for type user, not direct: for other types, QEMU can't set addresses in the guest",
    ),
]
