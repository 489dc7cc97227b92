"""UUIDs of guests, which are the same in every run."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha1
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import _Hash as HASH

ROOT = bytes.fromhex("7a1f6e0c5b0d5c7e9f0e6b766d72646e")
"""Namespace of kvmrender's UUIDs: a fixed random number."""
MOST_KEPT = 1000
"""Maximum length of a namespace that is cached for the next guest."""
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
"""The digit with the variant, 10 in its first two bits, by the digit that it replaces."""


@lru_cache(maxsize=64)
def _namespace(namespace: str) -> HASH:
    """Return the SHA-1 state of a namespace, to copy and continue."""
    octets = bytes.fromhex(_version5(sha1(ROOT, usedforsecurity=False), namespace).replace("-", ""))
    return sha1(octets, usedforsecurity=False)


def _version5(begun: HASH, name: str) -> str:
    """Return a version 5 UUID: a SHA-1 with version and variant set."""
    begun.update(name.encode("utf-8", "surrogatepass"))
    digits = begun.hexdigest()
    variant = _VARIANT[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def guest_uuid(namespace: str, name: str) -> str:
    """Return the UUID of the guest ``name`` in ``namespace`` (any text; empty for the default namespace).

    It is the UUIDv5 (RFC 9562, section 5.5) of the name, in the UUIDv5 of the namespace.
    """
    begun = _namespace(namespace) if len(namespace) <= MOST_KEPT else _namespace.__wrapped__(namespace)
    return _version5(begun.copy(), name)


def dashed(digits: str) -> str:
    """Return the canonical form of a UUID from its 32 digits."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
