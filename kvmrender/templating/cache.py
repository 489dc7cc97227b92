"""What is made of the templates and the schema, kept from one start to the next.

It is kept in ``$XDG_CACHE_HOME/kvmrender``, or ``~/.cache/kvmrender``, as code and data of this Python. Code that
another user could have written is never loaded: folder and file have to be the user's own, and writable for nobody
else. Where there is no such folder, and none can be made, everything is made anew each time.
"""

from __future__ import annotations

import marshal
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from time import time, time_ns
from typing import Any

MAGIC = b"kvmrender 1\n"
SETTLED = 2_000_000_000
"""Nanoseconds after which a file that is changed again has another time of change, whatever its file system."""
LEFT_OVER = 3600
"""Seconds after which an unfinished file is that of a process that was killed."""
MOST_VALUES = 32
"""Values that are kept: when one more is, the oldest goes."""
MOST_BYTES = 64 << 20
"""Size of the largest value that is loaded: a tenth of that is a large one."""
DEEPEST = 16
"""How deep folders are looked through; links may lead around in circles."""


class Cache:
    """A value that is made of the files in ``folders``, and is valid as long as these and the Python are the same."""

    def __init__(self, folders: Iterable[str], version: str) -> None:
        folders = list(folders)
        made_by = f"{version} {sys.implementation.cache_tag} {sys.version} {marshal.version}"
        of = sha256("\0".join(folders).encode(errors="surrogateescape"))
        self._name = f"{sys.implementation.cache_tag}-{of.hexdigest()[:16]}"
        state, self._newest = _state(folders)
        self._key = sha256(made_by.encode() + state).digest()

    def load(self) -> Any:
        """Return the value, or None where there is none that can be trusted."""
        with suppress(OSError, ValueError, EOFError, TypeError), _folder(make=False) as folder:
            file = os.open(self._name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
            try:
                state = os.fstat(file)
                if not (stat.S_ISREG(state.st_mode) and state.st_nlink == 1 and _is_own(state)):
                    return None
                if state.st_size > MOST_BYTES:
                    return None
                data = os.read(file, state.st_size)
            finally:
                os.close(file)
            head, payload = data[: len(MAGIC) + 64], data[len(MAGIC) + 64 :]
            if head == MAGIC + self._key + sha256(payload).digest():
                return marshal.loads(payload)
        return None

    def store(self, value: Any) -> None:
        """Keep the value, if that is possible, and if the files have stood still for long enough."""
        if time_ns() - self._newest < SETTLED:
            return
        payload = marshal.dumps(value)
        with suppress(OSError), _folder(make=True) as folder:
            _clean(folder)
            name = f".{self._name}.{os.getpid()}.{time_ns()}"
            try:
                file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder)
                with open(file, "wb") as opened:
                    opened.write(MAGIC + self._key + sha256(payload).digest() + payload)
                os.rename(name, self._name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                with suppress(OSError):
                    os.unlink(name, dir_fd=folder)
                raise


def folders_state(folders: Iterable[str]) -> bytes:
    """Return what is another one when a file in the folders has changed, come or gone, or a folder is another one."""
    found = [os.path.realpath(folder) for folder in folders]
    return "\0".join(found).encode(errors="surrogateescape") + _state(found)[0]


def _state(folders: Iterable[str]) -> tuple[bytes, int]:
    """Return a hash of the names, sizes and times of the files in folders, and the newest of these times."""
    key, newest = sha256(), 0
    for folder in folders:
        for name, state in _files(folder):
            newest = max(newest, state.st_mtime_ns, state.st_ctime_ns)
            said = f"{name}\0{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}\0"
            key.update(said.encode(errors="surrogateescape"))
    return key.digest(), newest


def _files(folder: str, inside: str = "", depth: int = 0) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files of a folder by their names, with their states."""
    try:
        with os.scandir(os.path.join(folder, inside)) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        name = os.path.join(inside, entry.name)
        with suppress(OSError):
            if entry.is_dir():
                if depth < DEEPEST and entry.name != "__pycache__":
                    yield from _files(folder, name, depth + 1)
            else:
                yield name, entry.stat()


def _is_own(state: os.stat_result) -> bool:
    return state.st_uid == os.geteuid() and not state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


@contextmanager
def _folder(make: bool) -> Iterator[int]:
    """Open the cache's folder, made where it is missing. Raises OSError where there is none that is the user's own."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):
        home = os.environ.get("HOME", "")
        if not os.path.isabs(home):
            raise FileNotFoundError
        base = os.path.join(home, ".cache")
    path = os.path.join(base, "kvmrender")
    if make:
        for part in (base, path):
            if not os.path.isdir(part) and _is_own(os.stat(os.path.dirname(part))):
                os.mkdir(part, 0o700)
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not _is_own(os.fstat(folder)):
            raise PermissionError
        yield folder
    finally:
        os.close(folder)


def _clean(folder: int) -> None:
    """Remove what processes have left that were killed, and the oldest values but for one less than are kept."""
    found: list[tuple[float, str]] = []
    for name in os.listdir(folder):
        with suppress(OSError):
            written = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
            if not name.startswith("."):
                found.append((written, name))
            elif written < time() - LEFT_OVER:
                os.unlink(name, dir_fd=folder)
    for _, name in sorted(found, reverse=True)[MOST_VALUES - 1 :]:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
