"""Guests just inside and just outside of each check of interfaces."""

from __future__ import annotations

from check_cases import Case

FORWARD = [{"proto": "tcp", "range": [{"start": 2022, "to": 22}]}]

CASES: list[Case] = [
    (
        "zero_mac",
        {"interfaces": [{"source": "br0", "mac": "52:54:00:00:00:00"}]},
        {"interfaces": [{"source": "br0", "mac": "00:00:00:00:00:00"}]},
        "interfaces[0].mac.address: note: libvirt replaces it with a random one each time the guest is defined; without"
        " `mac`, it is derived and does not change [zero-mac]",
    ),
    (
        "interface_backend",
        {"interfaces": [{"type": "user", "backend": {"type": "passt"}}]},
        {"interfaces": [{"source": "br0", "backend": {"type": "passt"}}]},
        "interfaces[0].backend.type: passt is for type user or vhostuser, not bridge",
    ),
    (
        "interface_backend",
        {"interfaces": [{"type": "user", "backend": "passt", "portForward": FORWARD}]},
        {"interfaces": [{"type": "user", "portForward": FORWARD}]},
        "interfaces[0].portForward[0]: needs passt: backend",
    ),
    (
        "interface_options",
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "mtu": 1500}]},
        {"interfaces": [{"type": "direct", "source": {"dev": "e"}, "mtu": 1500}]},
        "interfaces[0].mtu: is for type network, bridge, ethernet or vhostuser, not direct",
    ),
    (
        "interface_options",
        {"interfaces": [{"type": "user", "mtu": 1500, "backend": "passt"}]},
        {"interfaces": [{"type": "user", "mtu": 1500}]},
        "interfaces[0].mtu: is for type network, bridge, ethernet or vhostuser, not user",
    ),
    (
        "interface_options",
        {"interfaces": [{"type": "network", "source": {"network": "n"}, "bandwidth": {"inbound": {"floor": 1}}}]},
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "bandwidth": {"inbound": {"floor": 1}}}]},
        "interfaces[0].bandwidth.inbound.floor: is for type network, not bridge",
    ),
    (
        "interface_options",
        {"interfaces": [{"type": "direct", "source": {"dev": "e"}, "port": {"isolated": "no"}}]},
        {"interfaces": [{"type": "direct", "source": {"dev": "e"}, "port": {"isolated": "yes"}}]},
        "interfaces[0].port.isolated: yes is for type network or bridge, not direct",
    ),
    (
        "interface_options",
        {
            "interfaces": [
                {
                    "type": "hostdev",
                    "source": {"address": {"type": "pci", "domain": "0", "bus": "1", "slot": "0", "function": "0"}},
                    "driver": "vfio",
                }
            ]
        },
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "driver": "vfio"}]},
        "interfaces[0].driver.name: vfio is for type hostdev, not bridge",
    ),
    (
        "interface_options",
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "driver": "vhost"}]},
        {
            "interfaces": [
                {
                    "type": "hostdev",
                    "source": {"address": {"type": "pci", "domain": "0", "bus": "1", "slot": "0", "function": "0"}},
                    "driver": "vhost",
                }
            ]
        },
        "interfaces[0].driver.name: vhost is not for type hostdev: only vfio is",
    ),
    (
        "interface_models",
        {"interfaces": [{"type": "vdpa", "source": {"dev": "v"}, "model": "virtio"}]},
        {"interfaces": [{"type": "vdpa", "source": {"dev": "v"}, "model": "virtio-transitional"}]},
        "interfaces[0].model.type: virtio-transitional is not for type vdpa: only virtio is",
    ),
    (
        "interface_models",
        {
            "interfaces": [
                {"type": "bridge", "source": {"bridge": "b"}, "teaming": "persistent", "model": "virtio-transitional"}
            ]
        },
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "teaming": "persistent", "model": "e1000"}]},
        "interfaces[0].teaming: is for model virtio, not e1000",
    ),
    (
        "interface_models",
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "driver": {"queues": 2}, "model": "e1000"}]},
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "driver": {"packed": "on"}, "model": "e1000"}]},
        "interfaces[0].driver.packed: is for model virtio, not e1000",
    ),
    (
        "interface_models",
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "driver": {"rx_queue_size": 1024}}]},
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "driver": {"rx_queue_size": 1000}}]},
        "interfaces[0].driver.rx_queue_size: 1000 is not a power of two",
    ),
    (
        "ports",
        {
            "interfaces": [
                {"type": "network", "source": {"network": "n"}, "virtualport": {}, "port": {"isolated": "yes"}}
            ]
        },
        {
            "interfaces": [
                {
                    "type": "network",
                    "source": {"network": "n"},
                    "virtualport": "openvswitch",
                    "port": {"isolated": "yes"},
                }
            ]
        },
        "interfaces[0].port.isolated: yes is not for a virtualport of type openvswitch",
    ),
    (
        "ports",
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "filterref": "a"}]},
        {"interfaces": [{"type": "bridge", "source": {"bridge": "b"}, "filterref": "a", "virtualport": "openvswitch"}]},
        "interfaces[0].filterref: is not for a virtualport of type openvswitch",
    ),
    (
        "ports",
        {
            "interfaces": [
                {"type": "bridge", "source": {"bridge": "b"}, "vlan": {"tag": [{"id": 1, "nativeMode": "tagged"}, 2]}}
            ]
        },
        {
            "interfaces": [
                {
                    "type": "bridge",
                    "source": {"bridge": "b"},
                    "vlan": {"tag": [{"id": 1, "nativeMode": "tagged"}, {"id": 2, "nativeMode": "tagged"}]},
                }
            ]
        },
        "interfaces[0].vlan.tag[1].nativeMode: is given for another tag already",
    ),
    (
        "ports",
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "interfaces": [
                {"type": "vhostuser", "source": {"type": "unix", "path": "/a", "mode": "client", "reconnect": 1}}
            ],
        },
        {
            "memoryBacking": {"access": {"mode": "shared"}},
            "interfaces": [
                {"type": "vhostuser", "source": {"type": "unix", "path": "/a", "mode": "server", "reconnect": 1}}
            ],
        },
        "interfaces[0].source.reconnect: is for mode client, not server",
    ),
]
