"""A folder of rendered files: each is the old or the new one whole, whenever a run is stopped.

New contents are staged in a folder inside it, of the run's own, and renamed into place when all of them are there.
Nothing is done by path but for opening the folder: links in it are not followed, and swapping it changes nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from time import monotonic, sleep

from kvmrender.errors import Error, printable

OWN = b".kvmrender-"
"""What the names of staging folders begin with."""
SECRET_MODE, MODE = 0o640, 0o644
"""Modes of new files, before the umask: those with secrets, and all others."""
PATIENCE = 600
"""Seconds that a run waits for another in its folder."""
POLL = 0.1
"""Seconds after which it looks again."""
MOST_BYTES = 256 << 20
"""Size of the largest file that is read: no run writes larger ones."""

ACCESS_LIST, CAPABILITIES = "system.posix_acl_access", "security.capability"
"""Extended attributes that say who else may read a file, and what it may do as a program."""

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Folder:
    """The folder at ``path``, made if it is missing, unless ``dry`` (then it is empty, and nothing is ever written).

    With ``sync``, what is written is on the disk before anything is renamed. ``waiting`` is called when another
    run has the folder; after ``patience`` seconds more that is a fault. File names are bytes. Every fault is raised as
    Error, with the file's name.
    """

    def __init__(
        self,
        path: str,
        dry: bool = False,
        sync: bool = False,
        waiting: Callable[[], None] = lambda: None,
        patience: float = PATIENCE,
    ) -> None:
        self.path, self.dry, self.sync = path, dry, sync
        self._staging = OWN + os.urandom(8).hex().encode()
        self._staged: int | None = None
        self._folder: int | None = None
        self._is_empty = False
        with self._faults():
            if not dry:
                with suppress(FileExistsError):  # what is there is opened next
                    Path(path).mkdir(parents=True)
            try:
                self._folder = os.open(path, _FOLDER)
            except FileNotFoundError:
                if not dry:
                    raise
            if not dry:
                self._lock(waiting, patience)

    def _lock(self, waiting: Callable[[], None], patience: float) -> None:
        """Keep other runs out; then what is staged here was left by runs that were killed."""
        until = None
        while True:
            try:
                fcntl.flock(self._at(), fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if until is None:
                    until = monotonic() + patience
                    waiting()
                if monotonic() >= until:
                    said = f"another run is still using this folder after {patience:g} seconds (--lock-timeout)"
                    raise OSError(errno.EAGAIN, said) from None
                sleep(POLL)
            except OSError:
                return  # a file system without locks: leave alone what may be another run's
        others = 0
        for name in map(os.fsencode, os.listdir(self._at())):
            if name.startswith(OWN) and not name.endswith(b".xml"):
                self._remove_staging(name)
            else:
                others += 1
        self._is_empty = not others

    def _at(self) -> int:
        assert self._folder is not None
        return self._folder

    def read(self, name: bytes, most: int = MOST_BYTES) -> tuple[bytes | None, os.stat_result] | None:
        """Return a file's contents and state, or None where there is none; a link counts as none.

        Of a file of more than ``most`` bytes, there is only the state.
        """
        try:
            return self._contents(name, most)
        except OSError as error:
            raise self._fault(name, error) from None

    def _contents(self, name: bytes, most: int) -> tuple[bytes | None, os.stat_result] | None:
        if b"/" in name:
            raise OSError(errno.EINVAL, "is not the name of a file")
        if self._folder is None or self._is_empty:
            return None
        try:
            file = os.open(name, _READ, dir_fd=self._folder)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ELOOP):
                return None
            raise
        state = os.fstat(file)
        if not stat.S_ISREG(state.st_mode):
            os.close(file)
            raise OSError(errno.EEXIST, "is there, and is not a file")
        with open(file, "rb") as stream:
            data = stream.read(most + 1) if state.st_size <= most else None
            return data if data is None or len(data) <= most else None, state

    def stage(self, name: bytes, data: bytes, like: os.stat_result | None, secret: bool = False) -> None:
        """Write what a file is to hold, with mode and owner of the one that is there, if any.

        One with a secret is the runner's own, and its group's to read, whatever is there.
        """
        like = None if secret else like
        try:
            try:
                mode = 0o600 if like is not None else SECRET_MODE if secret else MODE  # less the umask
                file = os.open(name, _CREATE, mode, dir_fd=self._staging_folder())
            except FileExistsError:
                return  # two guests of one name: that is told elsewhere
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(file, view) :]
                if like is not None:
                    self._dress(name, file, like)
                elif secret:
                    _close(file)
                if self.sync:
                    os.fsync(file)
            finally:
                os.close(file)
        except OSError as error:
            raise self._fault(name, error) from None

    def is_open(self, name: bytes, state: os.stat_result) -> bool:
        """Say whether others than the runner and its group may read a file, or have it."""
        if stat.S_IMODE(state.st_mode) & ~SECRET_MODE or (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
            return True
        with self._faults(name):
            file = os.open(name, _READ, dir_fd=self._at())
            try:
                return ACCESS_LIST in _attributes(file)
            finally:
                os.close(file)

    def _dress(self, name: bytes, file: int, like: os.stat_result) -> None:
        """Give a staged file the owner, mode and extended attributes of the one that it replaces."""
        new = os.fstat(file)
        if (new.st_uid, new.st_gid) != (like.st_uid, like.st_gid):
            try:
                os.fchown(file, like.st_uid, like.st_gid)
            except OSError as error:
                raise OSError(error.errno, f"its owner can't be kept: {error.strerror}") from None
        os.fchmod(file, like.st_mode & 0o777)  # and no bits that have it run as its owner
        if hasattr(os, "listxattr"):
            with suppress(OSError):
                old = os.open(name, _READ, dir_fd=self._at())
                try:
                    for key in os.listxattr(old):
                        if key == CAPABILITIES:
                            continue
                        with suppress(OSError):  # some are the system's own
                            os.setxattr(file, key, os.getxattr(old, key))
                finally:
                    os.close(old)

    def _staging_folder(self) -> int:
        if self._staged is None:
            with suppress(FileExistsError):
                os.mkdir(self._staging, 0o700, dir_fd=self._at())
            self._staged = os.open(self._staging, _FOLDER | os.O_NOFOLLOW, dir_fd=self._at())
        return self._staged

    def commit(self, names: Iterable[bytes]) -> None:
        """Rename staged files into place."""
        self._is_empty = False
        for name in names:
            try:
                os.replace(name, name, src_dir_fd=self._staging_folder(), dst_dir_fd=self._at())
            except OSError as error:
                raise self._fault(name, error) from None

    def remove(self, name: bytes) -> None:
        """Remove a file."""
        with self._faults(name), suppress(FileNotFoundError):
            os.unlink(name, dir_fd=self._at())

    def flush(self) -> None:
        """Have the names on the disk, where that was asked for."""
        if self.sync and not self.dry:
            with self._faults():
                os.fsync(self._at())

    def close(self) -> None:
        """Remove what is staged still, and let the next run in."""
        if self._staged is not None:
            os.close(self._staged)
            self._staged = None
        if self._folder is not None:
            if not self.dry:
                self._remove_staging(self._staging)
                with suppress(OSError):
                    fcntl.flock(self._folder, fcntl.LOCK_UN)
            os.close(self._folder)
            self._folder = None

    def _remove_staging(self, name: bytes) -> None:
        with suppress(OSError):
            staging = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._at())
            try:
                for staged in os.listdir(staging):
                    os.unlink(staged, dir_fd=staging)
            finally:
                os.close(staging)
            os.rmdir(name, dir_fd=self._at())

    def place(self, name: bytes) -> str:
        """Return a file's path."""
        return str(Path(self.path, os.fsdecode(name)))

    @contextmanager
    def _faults(self, name: bytes = b"") -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._fault(name, error) from None

    def _fault(self, name: bytes, error: OSError) -> Error:
        return Error(f"{printable(self.place(name))}: {error.strerror}")


def _close(file: int) -> None:
    """Take a new file from those that have it by the folder that it is in: by its group, or by its list of access."""
    if os.fstat(file).st_gid != os.getegid():
        os.fchown(file, -1, os.getegid())
    if ACCESS_LIST in _attributes(file):
        os.removexattr(file, ACCESS_LIST)


def _attributes(file: int) -> list[str]:
    """Return the names of a file's extended attributes, if its file system has any."""
    with suppress(OSError, AttributeError):
        return os.listxattr(file)
    return []


def digest(data: bytes) -> str:
    """Return the SHA-256 of contents, in hexadecimal."""
    return sha256(data).hexdigest()
