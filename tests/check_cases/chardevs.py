"""Guests just inside and just outside of each check of character devices."""

from __future__ import annotations

from typing import Any

from check_cases import Case, example

FORWARDED = {"type": "guestfwd", "address": "10.0.2.1", "port": 4600}


def port(**port: Any) -> dict[str, Any]:
    return {"serials": [port]}


RECONNECT = {"enabled": True, "timeout": 10}

CASES: list[Case] = [
    (
        "serial_ports",
        *example("serial-ports"),
        "serials[0].target.type: 'isa-debug' is not a port of arm64 (which has system-serial, usb-serial, pci-serial)",
    ),
    (
        "serial_ports",
        {"arch": "arm64", **port(target={"type": "system-serial", "model": "pl011"})},
        {"arch": "riscv64", **port(target={"type": "system-serial", "model": "pl011"})},
        "serials[0].target.model.name: 'pl011' is not a model of system-serial on riscv64 (which has 16550a)",
    ),
    (
        "serial_ports",
        {"arch": "ppc64le", **port(target="isa-serial")},
        {"arch": "ppc64le", **port(target={"type": "isa-serial", "model": "isa-serial"})},
        "serials[0].target.model.name: 'isa-serial' is not a model of spapr-vio-serial on ppc64le"
        " (which has spapr-vty)",
    ),
    (
        "consoles",
        *example("consoles"),
        "consoles[1].target.type: 'serial' is for the first console: the others are of type virtio",
    ),
    (
        "sclp_consoles",
        {"arch": "s390x", "consoles": [{"target": "sclp"}, {"target": "sclplm"}]},
        {"arch": "amd64", "consoles": ["pty", {"target": "sclplm"}]},
        "consoles[1].target.type: 'sclplm' is for s390x, not amd64",
    ),
    (
        "guestfwd",
        {"channels": [{"type": "unix", "source": "/run/a", "target": FORWARDED}]},
        {"channels": [{"type": "unix", "source": {"mode": "bind"}, "target": FORWARDED}]},
        "channels[0].source[0].path: is missing: libvirt generates one only for channels of type virtio",
    ),
    (
        "guestfwd",
        {"graphics": "spice", "channels": [{"type": "spicevmc", "target": "com.redhat.spice.0"}]},
        {"graphics": "spice", "channels": [{"type": "spicevmc", "target": FORWARDED}]},
        "channels[0].type: spicevmc is for channels of type virtio",
    ),
    (
        "smartcard_slot",
        {"smartcards": {"mode": "host", "address": {"type": "ccid", "controller": "0"}}},
        {"smartcards": {"mode": "host", "address": {"type": "ccid", "controller": "0", "slot": "1"}}},
        "smartcards[0].address.slot: 1 is not 0: a guest has one smartcard",
    ),
    (
        "spice",
        {"graphics": "spice", "redirdevs": "spicevmc"},
        {"graphics": "vnc", "redirdevs": "spicevmc"},
        "redirdevs[0].type: spicevmc needs graphics of type spice",
    ),
    (
        "spice",
        {"graphics": "spice", "rngs": {"backend": {"model": "egd", "type": "spiceport", "source": "a"}}},
        {"rngs": {"backend": {"model": "egd", "type": "spiceport", "source": "a"}}},
        "rngs[0].backend.type: spiceport needs graphics of type spice",
    ),
    (
        "spice",
        {"consoles": {"type": "spiceport", "source": "a"}},
        {"consoles": {"type": "spiceport", "source": "a", "target": "virtio"}},
        "consoles[0].type: spiceport needs graphics of type spice",
    ),
    (
        "tcp_protocols",
        {"serials": [{"type": "tcp", "source": {"host": "a", "service": 1, "tls": True}, "protocol": "telnet"}]},
        {"serials": [{"type": "tcp", "source": {"host": "a", "service": 1}, "protocol": "tls"}]},
        "serials[0].protocol.type: tls is not supported by QEMU: for encryption, set tls in the source",
    ),
    (
        "channel_reconnect",
        {"channels": [{"source": {"mode": "connect", "path": "/run/a", "reconnect": RECONNECT}, "target": "a"}]},
        {"channels": [{"source": {"mode": "connect", "reconnect": RECONNECT}, "target": "a"}]},
        "channels[0].source[0].reconnect: needs the path of a socket that libvirt does not create",
    ),
]
