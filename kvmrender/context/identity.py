"""The identity of a guest, the same from one run to the next."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

ROOT = bytes.fromhex("7a1f6e0c5b0d5c7e9f0e6b766d72646e")
"""The namespace of kvmrender's own; a fixed number, drawn once."""
MOST_KEPT = 1000
"""Characters of a namespace that is kept for the next guest."""
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit that holds the variant, 10 in its first two bits."""


@lru_cache(maxsize=64)
def _namespace(namespace: str) -> HASH:
    """Return the SHA-1 of a namespace's octets, to be copied and gone on with."""
    octets = bytes.fromhex(_version5(sha1(ROOT, usedforsecurity=False), namespace).replace("-", ""))
    return sha1(octets, usedforsecurity=False)


def _version5(begun: HASH, name: str) -> str:
    """Return a UUID: a SHA-1, but for the version, 5, and the variant."""
    begun.update(name.encode("utf-8", "surrogatepass"))
    digits = begun.hexdigest()
    variant = _VARIANT[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def guest_uuid(namespace: str, name: str) -> str:
    """Return the UUID of the guest ``name`` in ``namespace`` (any text; empty for the common one).

    It is the UUIDv5 (RFC 9562, section 5.5) of the name, within the UUIDv5 of the namespace.
    """
    begun = _namespace(namespace) if len(namespace) <= MOST_KEPT else _namespace.__wrapped__(namespace)
    return _version5(begun.copy(), name)


def dashed(digits: str) -> str:
    """Return a UUID's 32 digits as it is written."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
