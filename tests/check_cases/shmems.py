"""Guests just inside and just outside of each check of shared memory."""

from __future__ import annotations

from check_cases import Case

CASES: list[Case] = [
    (
        "shmem_server",
        {"shmems": [{"name": "a", "model": "ivshmem-doorbell", "msi": True, "server": True}]},
        {"shmems": [{"name": "a", "model": "ivshmem-plain", "msi": True}]},
        "shmems[0].msi: needs a server",
    ),
    (
        "shmem_server",
        {"shmems": [{"name": "a", "model": "ivshmem-plain"}]},
        {"shmems": [{"name": "a", "model": "ivshmem-plain", "server": True}]},
        "shmems[0].server: is not for model ivshmem-plain",
    ),
    (
        "shmem_server",
        {"shmems": [{"name": "a", "model": "ivshmem-doorbell", "server": True}]},
        {"shmems": [{"name": "a", "model": "ivshmem-doorbell"}]},
        "shmems[0].server: is missing: model ivshmem-doorbell needs one",
    ),
    (
        "shmem_server",
        {"shmems": [{"name": "a", "model": "ivshmem-doorbell", "server": True}]},
        {"shmems": [{"name": "a", "model": "ivshmem-doorbell", "server": True, "size": 4}]},
        "shmems[0].size: is not for model ivshmem-doorbell: the server defines it",
    ),
    (
        "shmem_size",
        {"shmems": [{"name": "a", "model": "ivshmem-plain", "size": "1 MiB"}]},
        {"shmems": [{"name": "a", "model": "ivshmem-plain", "size": "512 KiB"}]},
        "shmems[0].size: 512 KiB is not a power of two of at least 1 MiB",
    ),
    (
        "shmem_size",
        {"shmems": [{"name": "a", "model": "ivshmem-plain", "size": 4}]},
        {"shmems": [{"name": "a", "model": "ivshmem-plain", "size": 6}]},
        "shmems[0].size: 6 MiB is not a power of two of at least 1 MiB",
    ),
    (
        "shmem_model",
        {"shmems": [{"name": "a", "model": "ivshmem-plain"}]},
        {"shmems": [{"name": "a"}]},
        "shmems[0].model: is missing: ivshmem-plain, or ivshmem-doorbell with a server",
    ),
    (
        "shmem_size",
        {"shmems": [{"name": "a", "model": "ivshmem-plain", "size": {"text": 4194304}}]},
        {"shmems": [{"name": "a", "model": "ivshmem-plain", "size": {"text": 4}}]},
        "shmems[0].size: 4 bytes is not a power of two of at least 1 MiB",
    ),
]
