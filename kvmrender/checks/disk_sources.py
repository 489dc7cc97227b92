"""Checks of what is behind disks: their images, and the images that these are based on."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig, once
from kvmrender.checks.disks import DRIVES
from kvmrender.errors import Path, Problem, listed

PLACES = ("file", "dev", "dir", "pool", "protocol", "namespace", "path")
"""The keys of a source of which one says where the contents are."""
BASED = ("qcow2", "qcow", "qed", "vmdk")
"""The formats of images that can be based on others."""
TRANSPORTS = {
    "nbd": ("tcp", "unix"),
    "gluster": ("tcp", "unix"),
    "rbd": ("tcp",),
    "sheepdog": ("tcp", "unix"),
    "vxhs": ("tcp",),
    "nfs": ("tcp",),
    "ssh": ("tcp",),
}
"""The transports of a protocol, where it doesn't have them all."""
SECRETS = {"rbd": "ceph", "iscsi": "iscsi"}
"""The kind of secret of a protocol, where it has but one."""
WITH_AUTH = ("rbd", "iscsi", "http", "https", "ftp", "ftps", "ssh")


def sources(context: Context, architecture: Context) -> Iterator[Problem]:
    """Disks have a source, though drives may be empty."""
    for path, image in _images(context):
        source = image.get("source") or {}
        if "file" in source:
            continue
        drive = len(path) == 2 and image["device"] in DRIVES
        if not drive and not any(place in source for place in PLACES):
            said = "is missing" if len(path) > 2 else f"is missing: only a {listed(DRIVES, 'or')} can be empty"
            yield Problem((*path, "source"), said, related=(path,))


def luns(context: Context, architecture: Context) -> Iterator[Problem]:
    """A lun is raw, and over a network it is reached by iscsi."""
    for number, disk in enumerate(context["disks"]):
        if disk["device"] == "lun":
            protocol, found = dig(disk, "source", "protocol"), dig(disk, "driver", "type", default="raw")
            if disk["type"] == "network" and protocol != "iscsi":
                yield Problem(("disks", number, "source", "protocol"), f"{protocol} is not for a lun: only iscsi is")
            if found != "raw":
                yield Problem(("disks", number, "driver", "type"), f"{found} is not for a lun: only raw is")


def image_formats(context: Context, architecture: Context) -> Iterator[Problem]:
    """Folders have format fat, only qcow2 has a cache for tables, and images on others have a format that can be."""
    for path, image in _images(context):
        key = "driver" if len(path) == 2 else "format"
        form = image.get(key) or {}
        found, kind = form.get("type"), image["type"] if image.get("source") else "file"
        if found == "fat" and image["type"] not in ("dir", "volume"):
            yield Problem((*path, key, "type"), "fat is for type dir", related=((*path, "type"),))
        if found not in (None, "fat") and kind == "dir":
            yield Problem((*path, key, "type"), f"{found} is not for type dir: only fat is", related=((*path, "type"),))
        if found != "qcow2" and "metadata_cache" in form and dig(form, "metadata_cache", "max_size"):
            yield Problem((*path, key, "metadata_cache"), f"is for format qcow2, not {found}")
        if found not in BASED and "backingStore" in image and dig(image, "backingStore", "type"):
            yield Problem((*path, "backingStore"), f"is for format {listed(BASED, 'or')}, not {found or 'raw'}")
        if len(path) > 2 and kind in ("vhostuser", "vhostvdpa"):
            yield Problem((*path, "type"), f"{kind} is not for an image that others are based on")


def encryption(context: Context, architecture: Context) -> Iterator[Problem]:
    """An image is encrypted once: by librbd where it is reached by rbd, or by QEMU in format raw or qcow2."""
    for path, image in _images(context):
        where: Path = (*path, "encryption") if "encryption" in image else (*path, "source", "encryption")
        inner = dig(image, "source", "encryption")
        found, key = inner or image.get("encryption"), "driver" if len(path) == 2 else "format"
        if not found:
            continue
        if inner and image.get("encryption"):
            yield Problem(where, "is there in the source already", related=((*path, "source", "encryption"),))
        if found["format"] == "luks" and "cipher" in found:
            yield Problem((*where, "cipher"), "is not for format luks, whose images say it themselves")
        if found.get("engine") == "librbd" and dig(image, "source", "protocol") != "rbd":
            yield Problem((*where, "engine"), "librbd is for protocol rbd")
        if found.get("engine") != "librbd" and dig(image, key, "type", default="raw") not in ("raw", "qcow2"):
            yield Problem(where, f"is for format raw or qcow2, not {image[key]['type']}")


def logins(context: Context, architecture: Context) -> Iterator[Problem]:
    """Who logs in is said once, of a protocol that asks, with the kind of secret that it takes."""
    for number, disk in enumerate(context["disks"]):
        auth, protocol = disk.get("auth"), dig(disk, "source", "protocol")
        path: Path = ("disks", number, "auth")
        if auth and dig(disk, "source", "auth"):
            yield Problem(path, "is there in the source already", related=(("disks", number, "source", "auth"),))
        elif auth and protocol and protocol not in WITH_AUTH:
            yield Problem(path, f"is not for protocol {protocol}, which asks for none")
        elif auth and (given := auth["secret"]["type"]) != (kind := SECRETS.get(protocol, given)):
            yield Problem((*path, "secret", "type"), f"{given} is not for protocol {protocol}: only {kind} is")


def hosts(context: Context, architecture: Context) -> Iterator[Problem]:
    """Servers of disks are reached as their protocol can be; nfs takes no port."""
    for path, image in _images(context):
        protocol = dig(image, "source", "protocol")
        for number, host in enumerate(dig(image, "source", "host", default=[])):
            where, transport = (*path, "source", "host", number), host.get("transport", "tcp")
            if transport not in (known := TRANSPORTS.get(protocol, (transport,))):
                yield Problem((*where, "transport"), f"{transport} is not for {protocol}, which has {listed(known)}")
            if protocol == "nfs" and host.get("port"):
                yield Problem((*where, "port"), "is not for nfs")


def cookies(context: Context, architecture: Context) -> Iterator[Problem]:
    """No two cookies of a source have one name."""
    for path, image in _images(context):
        found = dig(image, "source", "cookies", "cookie", default=[])
        where = (*path, "source", "cookies", "cookie")
        names = (((*where, number, "name"), cookie["name"]) for number, cookie in enumerate(found))
        yield from once((place, name, repr(name)) for place, name in names)


def _images(context: Context) -> Iterator[tuple[Path, Context]]:
    """Yield the disks with their paths, each with the images that it is based on after it."""
    for number, disk in enumerate(context["disks"]):
        path: Path = ("disks", number)
        yield path, disk
        while "backingStore" in disk and dig(disk, "backingStore", "type"):
            disk, path = disk["backingStore"], (*path, "backingStore")
            yield path, disk


CHECKS: Checks = {
    sources: ("disks",),
    luns: ("disks.device",),
    image_formats: ("disks.driver", "disks.backingStore", "disks.dir", "disks.type"),
    encryption: ("disks.encryption",),
    logins: ("disks.auth",),
    hosts: ("disks.host",),
    cookies: ("disks.cookies",),
}
