"""A folder of rendered files: each is completely old or new, whenever a run is interrupted.

New contents are staged in a private subfolder, and renamed into place when all are complete. Only the folder itself is
opened by path: links in it are not followed, and replacing it has no effect.
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
"""Prefix of the names of staging folders."""
SECRET_MODE, MODE = 0o640, 0o644
"""Modes of new files, before the umask: for files with secrets, and for others."""
PATIENCE = 600
"""Seconds that a run waits for another in its folder."""
POLL = 0.1
"""Seconds between attempts."""
MOST_BYTES = 256 << 20
"""Maximum size of a file that is read: no run writes larger ones."""

ACCESS_LIST, CAPABILITIES = "system.posix_acl_access", "security.capability"
"""Extended attributes for access control lists and file capabilities."""

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


class Folder:
    """The folder at ``path``, created if missing, unless ``dry`` (then it counts as empty, and nothing is written).

    With ``sync``, data is flushed to disk before files are renamed. ``waiting`` is called if another run has locked the
    folder; after ``patience`` more seconds, this is an error. File names are bytes. All faults are raised as Error,
    with the file's name.
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
                with suppress(FileExistsError):  # an existing one is opened next
                    Path(path).mkdir(parents=True)
            try:
                self._folder = os.open(path, _FOLDER)
            except FileNotFoundError:
                if not dry:
                    raise
            if not dry:
                self._lock(waiting, patience)

    def _lock(self, waiting: Callable[[], None], patience: float) -> None:
        """Lock the folder. Files that are staged in it are then left from killed runs."""
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
                return  # a file system without locks: keep what may belong to another run
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
        """Return a file's contents and state, or None if it is missing or a link.

        For a file larger than ``most`` bytes, only the state is returned.
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
        """Stage the contents of a file, with mode and owner of the existing one, if any.

        A file with a secret belongs to the current user and is readable by its group, whatever exists.
        """
        like = None if secret else like
        try:
            try:
                mode = 0o600 if like is not None else SECRET_MODE if secret else MODE  # without the umask
                file = os.open(name, _CREATE, mode, dir_fd=self._staging_folder())
            except FileExistsError:
                return  # two guests of one name: this is reported elsewhere
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
        """Return whether others than the current user and its group may read a file, or own it."""
        if stat.S_IMODE(state.st_mode) & ~SECRET_MODE or (state.st_uid, state.st_gid) != (os.geteuid(), os.getegid()):
            return True
        with self._faults(name):
            file = os.open(name, _READ, dir_fd=self._at())
            try:
                return ACCESS_LIST in _attributes(file)
            finally:
                os.close(file)

    def _dress(self, name: bytes, file: int, like: os.stat_result) -> None:
        """Set owner, mode and extended attributes of a staged file to those of the file that it replaces."""
        new = os.fstat(file)
        if (new.st_uid, new.st_gid) != (like.st_uid, like.st_gid):
            try:
                os.fchown(file, like.st_uid, like.st_gid)
            except OSError as error:
                raise OSError(error.errno, f"its owner can't be kept: {error.strerror}") from None
        os.fchmod(file, like.st_mode & 0o777)  # without set-user-ID and set-group-ID bits
        if hasattr(os, "listxattr"):
            with suppress(OSError):
                old = os.open(name, _READ, dir_fd=self._at())
                try:
                    for key in os.listxattr(old):
                        if key == CAPABILITIES:
                            continue
                        with suppress(OSError):  # some belong to the system
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
        """Flush the folder to disk, if requested."""
        if self.sync and not self.dry:
            with self._faults():
                os.fsync(self._at())

    def close(self) -> None:
        """Remove staged files and release the lock."""
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
    """Remove access to a new file that its folder grants, by group or by access control list."""
    if os.fstat(file).st_gid != os.getegid():
        os.fchown(file, -1, os.getegid())
    if ACCESS_LIST in _attributes(file):
        os.removexattr(file, ACCESS_LIST)


def _attributes(file: int) -> list[str]:
    """Return the names of a file's extended attributes, if its file system supports them."""
    with suppress(OSError, AttributeError):
        return os.listxattr(file)
    return []


def digest(data: bytes) -> str:
    """Return the SHA-256 of contents, in hexadecimal."""
    return sha256(data).hexdigest()
