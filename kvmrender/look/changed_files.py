"""Detection of changed files.

Folders are watched, not files: editors save by renaming a new file over the old one. Changes are found by comparing the
files themselves, so that none is missed, and unchanged files are not reported.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event

from kvmrender.errors import Error
from kvmrender.templating.stack import Stack, is_of_stack

STEP = 10
"""Milliseconds without a change that end a series of changes."""
MOMENT = 0.05
"""Seconds that a file may be missing while it is saved."""
AT_LEAST = 1000
"""Milliseconds after which the files are compared even without a notification."""

State = dict[Path, tuple[int, int, int]]
"""Time of change, size and inode number of each existing file."""


class Follower:
    """Follow ``files``, and the templates and schema parts in ``stack``, from the time of creation.

    Raises Error if watchfiles is missing; ``wanted_by`` is the command that needs it.
    """

    def __init__(self, files: Iterable[str], stack: Stack, wanted_by: str) -> None:
        try:
            from watchfiles import watch
        except ImportError:
            raise Error(f"{wanted_by} needs watchfiles: pip install watchfiles") from None
        self._watch: Callable[..., Iterator[object]] = watch
        self._files = [Path(file) for file in files]
        self._stack = stack
        self._state = self._look()

    def changes(self, stop: Event | None = None) -> Iterator[set[Path]]:
        """Yield the files that have changed, appeared or disappeared, each time that some have, until ``stop`` is
        set."""
        while stop is None or not stop.is_set():
            folders = self._folders()
            options = {"watch_filter": None, "recursive": False, "step": STEP, "debounce": 10 * STEP}
            told = self._watch(*folders, **options, stop_event=stop, rust_timeout=AT_LEAST, yield_on_timeout=True)
            while self._is_told(told):
                if changed := self._changed():
                    yield changed
                if self._folders() != folders:
                    break

    def _is_told(self, told: Iterator[object]) -> bool:
        """Wait for a notification, or for a second: a folder that has just disappeared can't be watched."""
        try:
            next(told)
        except StopIteration:
            return False
        except OSError:
            time.sleep(MOMENT)
        return True

    def _changed(self) -> set[Path]:
        state = self._look()
        if any(file in self._state and file not in state for file in self._files):
            time.sleep(MOMENT)
            state = self._look()
        before, self._state = self._state, state
        return {file for file in before.keys() | state.keys() if before.get(file) != state.get(file)}

    def _look(self) -> State:
        found: State = {}
        for file in (*self._files, *self._templates()):
            try:
                status = file.stat()
            except OSError:
                continue
            found[file] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found

    def _templates(self) -> Iterator[Path]:
        for folder in self._template_folders():
            try:
                yield from (Path(entry) for entry in os.scandir(folder) if is_of_stack(entry.path))
            except OSError:
                continue

    def _template_folders(self) -> Iterator[str]:
        for top in (*self._stack.own, self._stack.shipped):
            yield from (folder for folder, _, _ in os.walk(top))

    def _folders(self) -> list[str]:
        """Return the folders to watch: those of the files, also of link targets, and those of the templates."""
        of_files = {str(folder) for file in self._files for folder in (file.parent, file.resolve().parent)}
        return sorted(folder for folder in {*of_files, *self._template_folders()} if Path(folder).is_dir())
