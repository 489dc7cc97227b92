"""MAC addresses that are the same in every run."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

OCTETS = 6


def mac_address(namespace: str, name: str, device: str, prefix: str = "52:54:00") -> str:
    """Derive the MAC address of one interface of one guest, ``52:54:00:12:34:56``.

    ``device`` distinguishes the guest's interfaces: its position or alias. ``prefix`` is the first 1 to 5 octets
    (QEMU's 52:54:00 by default); the rest is taken from a SHA-256 of all three names. Raises ValueError if the prefix's
    first octet is odd, which is a multicast address (IEEE 802, bit 0 of the first octet). The all-zero address never
    results.
    """
    given = _octets(prefix)
    digest = sha256("\0".join((namespace, name, device)).encode("utf-8", "surrogatepass")).digest()
    derived = digest[: OCTETS - len(given)]
    if not any(given) and not any(derived):
        derived = derived[:-1] + b"\1"
    return (given + derived).hex(":")


@lru_cache(maxsize=64)
def _octets(prefix: str) -> bytes:
    given = bytes.fromhex(prefix.replace(":", ""))
    if not 0 < len(given) < OCTETS or given[0] & 1:
        raise ValueError(f"{prefix!r} is not 1 to 5 octets with an even first one")
    return given
