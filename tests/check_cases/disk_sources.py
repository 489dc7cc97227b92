"""Guests just inside and just outside of each check of the sources of disks."""

from __future__ import annotations

from typing import Any

from check_cases import Case

VOLUME = {"pool": "default", "volume": "a"}
REACHED = {"protocol": "rbd", "name": "pool/a", "host": "ceph-1"}


def encrypted(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    secret = {"type": "passphrase", "uuid": "0a81f5b2-8403-7b23-c8d6-21ccc2f80d6f"}
    driver = {} if "file" in source else {"driver": {"type": "vdi"}}
    source = {**source, "encryption": {"format": "luks", "secret": secret, **more}}
    return {"disks": [{"target": "vda", "source": source, **driver}]}


def based(depth: int, image: dict[str, Any]) -> dict[str, Any]:
    for _ in range(depth - 1):
        image = {"type": "file", "format": "qcow2", "source": "/b", "backingStore": image}
    return {"disks": [{"source": "/a.qcow2", "backingStore": image}]}


CASES: list[Case] = [
    (
        "sources",
        {"disks": [{"device": "cdrom"}]},
        {"disks": [{"device": "disk"}]},
        "disks[0].source: is missing: only a cdrom or floppy can be empty",
    ),
    (
        "backing_images",
        {"disks": [{"source": "/a.qcow2", "backingStore": {"type": "file", "format": "raw", "source": "/b"}}]},
        {"disks": [{"source": "/a.qcow2", "backingStore": {"type": "file", "format": "raw", "source": {"index": 1}}}]},
        "disks[0].backingStore.source: is missing",
    ),
    (
        "luns",
        {"disks": [{"device": "lun", "source": {"protocol": "iscsi", "name": "a", "host": ["a"]}}]},
        {"disks": [{"device": "lun", "source": {"protocol": "nbd", "host": ["a"]}}]},
        "disks[0].source.protocol: nbd is not for a lun: only iscsi is",
    ),
    (
        "luns",
        {"disks": [{"device": "lun", "source": "/dev/a", "driver": "raw"}]},
        {"disks": [{"device": "lun", "source": "/dev/a", "driver": "qcow2"}]},
        "disks[0].driver.type: qcow2 is not for a lun: only raw is",
    ),
    (
        "image_formats",
        {"disks": [{"source": {"dir": "/a"}, "readonly": True, "driver": "fat"}]},
        {"disks": [{"source": {"dir": "/a"}, "readonly": True, "driver": "raw"}]},
        "disks[0].driver.type: raw is not for type dir: only fat is",
    ),
    (
        "image_formats",
        {"disks": [{"source": "/a.qcow2", "driver": "vmdk"}]},
        {"disks": [{"source": "/a.qcow2", "driver": "fat"}]},
        "disks[0].driver.type: fat is for type dir",
    ),
    (
        "image_formats",
        {"disks": [{"source": "/a.qcow2", "driver": {"type": "qcow2", "metadata_cache": 1}}]},
        {"disks": [{"source": "/a.qcow2", "driver": {"type": "vdi", "metadata_cache": 1}}]},
        "disks[0].driver.metadata_cache: is for format qcow2, not vdi",
    ),
    (
        "backing_images",
        {
            "disks": [
                {
                    "source": "/a.qcow2",
                    "backingStore": {
                        "type": "file",
                        "format": "qcow2",
                        "source": "/b",
                        "backingStore": {"type": "file", "format": "raw", "source": "/c"},
                    },
                }
            ]
        },
        {
            "disks": [
                {
                    "source": "/a.qcow2",
                    "backingStore": {
                        "type": "file",
                        "format": "raw",
                        "source": "/b",
                        "backingStore": {"type": "file", "format": "raw", "source": "/c"},
                    },
                }
            ]
        },
        "disks[0].backingStore.backingStore: is for format qcow2, qcow, qed or vmdk, not raw",
    ),
    (
        "backing_images",
        {"disks": [{"source": "/a.qcow2", "backingStore": {"type": "file", "format": "raw", "source": "/b"}}]},
        {
            "disks": [
                {
                    "source": "/a.qcow2",
                    "backingStore": {"type": "vhostuser", "format": "raw", "source": {"type": "unix", "path": "/b"}},
                }
            ]
        },
        "disks[0].backingStore.type: vhostuser is not for a backing image",
    ),
    (
        "encryption",
        {"disks": [{"source": {"file": "/a.raw", "encryption": {"format": "luks", "secret": {"usage": "a"}}}}]},
        {"disks": [{"source": {"file": "/a.vmdk", "encryption": {"format": "luks", "secret": {"usage": "a"}}}}]},
        "disks[0].source.encryption: is for format raw or qcow2, not vmdk",
    ),
    (
        "source_encryption",
        {
            "disks": [
                {
                    "source": {
                        "protocol": "rbd",
                        "name": "a/b",
                        "encryption": {"format": "luks", "secret": {"usage": "a"}, "engine": "librbd"},
                    }
                }
            ]
        },
        {
            "disks": [
                {
                    "source": {
                        "file": "/a.raw",
                        "encryption": {"format": "luks", "secret": {"usage": "a"}, "engine": "librbd"},
                    }
                }
            ]
        },
        "disks[0].source.encryption.engine: librbd is for protocol rbd",
    ),
    (
        "source_encryption",
        {
            "disks": [
                {
                    "source": {
                        "protocol": "rbd",
                        "name": "a/b",
                        "encryption": {
                            "format": "luks2",
                            "secret": {"usage": "a"},
                            "engine": "librbd",
                            "cipher": {"name": "aes", "size": 256},
                            "ivgen": "plain64",
                        },
                    }
                }
            ]
        },
        {
            "disks": [
                {
                    "source": {
                        "protocol": "rbd",
                        "name": "a/b",
                        "encryption": {
                            "format": "luks",
                            "secret": {"usage": "a"},
                            "engine": "librbd",
                            "cipher": {"name": "aes", "size": 256},
                            "ivgen": "plain64",
                        },
                    }
                }
            ]
        },
        "disks[0].source.encryption.cipher: is not for format luks: the image itself specifies it",
    ),
    (
        "encryption",
        {"disks": [{"source": "/a.raw", "encryption": {"format": "luks", "secret": {"usage": "a"}}}]},
        {
            "disks": [
                {
                    "source": {"file": "/a.raw", "encryption": {"format": "luks", "secret": {"usage": "a"}}},
                    "encryption": {"format": "luks", "secret": {"usage": "a"}},
                }
            ]
        },
        "disks[0].encryption: is given in the source already",
    ),
    (
        "logins",
        {
            "disks": [
                {
                    "source": {"protocol": "rbd", "name": "a/b"},
                    "auth": {"username": "a", "secret": {"type": "ceph", "usage": "a"}},
                }
            ]
        },
        {
            "disks": [
                {
                    "source": {
                        "protocol": "rbd",
                        "name": "a/b",
                        "auth": {"username": "a", "secret": {"type": "ceph", "usage": "a"}},
                    },
                    "auth": {"username": "a", "secret": {"type": "ceph", "usage": "a"}},
                }
            ]
        },
        "disks[0].auth: is given in the source already",
    ),
    (
        "logins",
        {
            "disks": [
                {
                    "source": {"protocol": "rbd", "name": "a/b"},
                    "auth": {"username": "a", "secret": {"type": "ceph", "usage": "a"}},
                }
            ]
        },
        {
            "disks": [
                {
                    "source": {"protocol": "rbd", "name": "a/b"},
                    "auth": {"username": "a", "secret": {"type": "iscsi", "usage": "a"}},
                }
            ]
        },
        "disks[0].auth.secret.type: iscsi is not for protocol rbd: only ceph is",
    ),
    (
        "logins",
        {"disks": [{"source": {"protocol": "nbd", "host": ["a"]}}]},
        {
            "disks": [
                {
                    "source": {"protocol": "nbd", "host": ["a"]},
                    "auth": {"username": "a", "secret": {"type": "ceph", "usage": "a"}},
                }
            ]
        },
        "disks[0].auth: is not for protocol nbd, which has no authentication",
    ),
    (
        "hosts",
        {"disks": [{"source": {"protocol": "nbd", "host": [{"name": "a", "transport": "tcp"}]}}]},
        {"disks": [{"source": {"protocol": "nbd", "host": [{"name": "a", "transport": "rdma"}]}}]},
        "disks[0].source.host[0].transport: rdma is not for nbd: it supports tcp and unix",
    ),
    (
        "hosts",
        based(4, {"type": "network", "format": "raw", "source": {"protocol": "nbd", "host": "a"}}),
        based(
            4,
            {
                "type": "network",
                "format": "raw",
                "source": {"protocol": "nbd", "host": [{"name": "a", "transport": "rdma"}]},
            },
        ),
        "disks[0].backingStore.backingStore.backingStore.backingStore.source.host[0].transport:"
        " rdma is not for nbd: it supports tcp and unix",
    ),
    (
        "hosts",
        {"disks": [{"source": {"protocol": "nfs", "name": "a", "host": ["a"], "identity": {}}}]},
        {
            "disks": [
                {"source": {"protocol": "nfs", "name": "a", "host": [{"name": "a", "port": 2049}], "identity": {}}}
            ]
        },
        "disks[0].source.host[0].port: is not for nfs",
    ),
    (
        "cookies",
        {
            "disks": [
                {
                    "source": {
                        "protocol": "http",
                        "name": "a",
                        "host": ["a"],
                        "cookies": {"cookie": [{"name": "a", "text": "b"}, {"name": "b", "text": "b"}]},
                    }
                }
            ]
        },
        {
            "disks": [
                {
                    "source": {
                        "protocol": "http",
                        "name": "a",
                        "host": ["a"],
                        "cookies": {"cookie": [{"name": "a", "text": "b"}, {"name": "a", "text": "c"}]},
                    }
                }
            ]
        },
        "disks[0].source.cookies.cookie[1].name: 'a' is taken by disks[0].source.cookies.cookie[0]",
    ),
    (
        "luns",
        {"disks": [{"device": "lun", "type": "volume", "source": VOLUME, "target": "sda"}]},
        {"disks": [{"device": "lun", "type": "volume", "source": VOLUME, "target": "sda", "driver": {"type": "vdi"}}]},
        "disks[0].driver.type: vdi is not for a lun: only raw is",
    ),
    (
        "encryption",
        encrypted({"file": "/a.qcow2"}),
        encrypted({"file": "/a.vdi"}),
        "disks[0].source.encryption: is for format raw or qcow2, not vdi",
    ),
    (
        "encryption",
        encrypted(REACHED, engine="librbd") | {"title": "by librbd, whatever the format"},
        encrypted(REACHED),
        "disks[0].source.encryption: is for format raw or qcow2, not vdi",
    ),
    (
        "empty_usb",
        {"libvirt": "11.5.0", "disks": [{"device": "cdrom", "target": {"bus": "usb"}}]},
        {"libvirt": "11.4.0", "disks": [{"device": "cdrom", "target": {"bus": "usb"}}]},
        "disks[0].source: is missing: before libvirt 11.5.0, a drive on bus usb can't be empty",
    ),
]
