"""The identity of a guest, the same from one run to the next."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha1
from uuid import UUID

ROOT = UUID("7a1f6e0c-5b0d-5c7e-9f0e-6b766d72646e")
"""The namespace of kvmrender's own; a fixed number, drawn once."""


@lru_cache(maxsize=64)
def _namespace(namespace: str) -> bytes:
    return _version5(ROOT.bytes, namespace).bytes


def _version5(namespace: bytes, name: str) -> UUID:
    digest = sha1(namespace + name.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return UUID(bytes=digest[:16], version=5)


def guest_uuid(namespace: str, name: str) -> str:
    """Return the UUID of the guest ``name`` in ``namespace`` (any text; empty for the common one).

    It is the UUIDv5 (RFC 9562, section 5.5) of the name, within the UUIDv5 of the namespace.
    """
    return str(_version5(_namespace(namespace), name))
