"""Names of disks as libvirt gives them: vda … vdz, vdaa …, nvme0n1 … (https://libvirt.org/formatdomain.html#hard-drives-floppy-disks-cdroms)."""

from __future__ import annotations

from functools import lru_cache

PREFIX_BY_BUS = {
    "virtio": "vd",
    "scsi": "sd",
    "sata": "sd",
    "usb": "sd",
    "sd": "sd",
    "ide": "hd",
    "fdc": "fd",
    "nvme": "nvme",
}
"""Prefixes of device names by bus."""

BUS_BY_PREFIX = {"vd": "virtio", "sd": "scsi", "hd": "ide", "fd": "fdc", "nvme": "nvme"}
"""The bus that libvirt assumes for a name if none is given."""

PREFIXES = (*BUS_BY_PREFIX, "xvd", "ubd")
"""Prefixes of device names; the last two do not determine the bus."""
_LETTERS = 26


def letters_of(name: str) -> str:
    """Return the part of a disk's name after the prefix, which is its position on the bus: ``b`` of ``sdb``."""
    return next((name.removeprefix(prefix) for prefix in PREFIXES if name.startswith(prefix)), name)


def position(name: str) -> int:
    """Return the position of a disk's name on its bus, from 0: 27 for ``vdab``."""
    found = 0
    for letter in letters_of(name):
        found = found * _LETTERS + ord(letter) - ord("a") + 1
    return found - 1


@lru_cache(maxsize=1024)
def device_name(prefix: str, index: int) -> str:
    """Return the name of the disk at ``index`` (from 0): ``device_name("vd", 27)`` is ``vdab``."""
    if prefix == "nvme":
        return f"nvme{index}n1"  # a separate controller for each
    if index < 0:
        raise ValueError("an index is 0 or more")
    letters = ""
    while index >= 0:
        index, letter = divmod(index, _LETTERS)
        letters = chr(ord("a") + letter) + letters
        index -= 1
    return prefix + letters
