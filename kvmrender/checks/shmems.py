"""Checks of shared memory."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Checks, Context, dig
from kvmrender.errors import Path, Problem
from kvmrender.schema.memory_units import to_bytes

LEAST = 1 << 20


def shmem_server(context: Context, architecture: Context) -> Iterator[Problem]:
    """Shared memory with interrupts has a server; ivshmem-plain has none, ivshmem-doorbell one that knows the size."""
    for number, shmem in enumerate(context["shmems"]):
        path: Path = ("shmems", number)
        model, server = dig(shmem, "model", "type"), shmem.get("server") is not None
        related: tuple[Path, ...] = ((*path, "model"),)
        if shmem.get("msi") is not None and not server:
            yield Problem((*path, "msi"), "needs a server", related=((*path, "server"),))
        if model == "ivshmem-plain" and server:
            yield Problem((*path, "server"), "is not for model ivshmem-plain", related=related)
        if model == "ivshmem-doorbell" and not server:
            yield Problem((*path, "server"), "is missing: model ivshmem-doorbell has one", related=related)
        if model == "ivshmem-doorbell" and shmem.get("size"):
            yield Problem((*path, "size"), "is not for model ivshmem-doorbell: its server knows it", related=related)


def shmem_size(context: Context, architecture: Context) -> Iterator[Problem]:
    """The size of shared memory is a power of two, and 1 MiB at least."""
    for number, shmem in enumerate(context["shmems"]):
        found = {"unit": "MiB", **(shmem.get("size") or {"text": 1})}
        if (size := to_bytes(found)) < LEAST or size & (size - 1):
            said = f"{found['text']} {found['unit']}"
            yield Problem(("shmems", number, "size"), f"{said} is not a power of two of at least 1 MiB")


CHECKS: Checks = {shmem_server: ("shmems",), shmem_size: ("shmems",)}
