"""Files of a run: compared with the existing ones, staged if different, and put into place at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from kvmrender.errors import Error, printable
from kvmrender.fleet import manifest
from kvmrender.fleet.difference import difference
from kvmrender.fleet.folder import MOST_BYTES, Folder, digest
from kvmrender.fleet.guest_result import CHANGED, CREATED, ENDING, KEPT, REMOVED, UNCHANGED, Options, Outcome, file_name
from kvmrender.schema.guest_schema import Node
from kvmrender.schema.secrets import Secrets, secret_finder
from kvmrender.terminal import say

MOST_SHOWN = 16 << 20
"""Maximum size in bytes of an old file for a diff."""


class Output:
    """Output of a run into ``folder``; ``root`` is the schema, which defines secrets; ``is_shipped`` means without
    custom templates."""

    def __init__(self, folder: Folder, root: Node, options: Options, is_shipped: bool = False) -> None:
        self._folder, self._options, self._is_shipped = folder, options, is_shipped
        self._has_secret = secret_finder(root, is_shipped)
        self._secrets = Secrets(root)

    def compare(self, context: dict[str, Any], xml: str) -> tuple[str, str, str]:
        """Compare a guest's file with its new contents, and stage it if different.

        Return its status, the SHA-256 of the new contents, and the diff, if requested.
        """
        name, data = file_name(context["name"]), xml.encode()
        found = self._folder.read(name, max(len(data), MOST_SHOWN) if self._options.diff else len(data))
        status = self.put(name, data, self._has_secret(context, xml), found)
        if not self._options.diff or status == UNCHANGED:
            return status, digest(data), ""
        return status, digest(data), self._diff(name, found, data, context)

    def put(self, name: bytes, data: bytes, secret: bool, found: tuple[bytes | None, os.stat_result] | None) -> str:
        """Stage a file if it differs from the existing one, and return its status.

        A file with a secret differs also if others than the current user and its group may read or own it.
        """
        if found is None:
            status, state = CREATED, None
        else:
            old, state = found
            same = old == data and not (secret and self._folder.is_open(name, state))
            status = UNCHANGED if same else CHANGED
        if status != UNCHANGED and not self._options.check:
            self._folder.stage(name, data, state, secret)
        return status

    def _diff(self, name: bytes, found: tuple[bytes | None, Any] | None, new: bytes | None, context: Any = None) -> str:
        """Return the diff between two versions of a file, with secrets masked."""
        place, old = self._folder.place(name), found and found[0]
        if found and old is None:
            place = printable(place)
            return f"--- {place}\n+++ {place}\n# not shown: the old file is larger than {MOST_SHOWN >> 20} MiB\n"
        if old is not None and old == new:
            place = printable(place)
            return f"--- {place}\n+++ {place}\n# only who may read it differs: it holds a secret\n"
        before, after = (data.decode(errors="replace") if data is not None else None for data in (old, new))
        return difference(place, before, after, self._secrets.masker(context, after or "", self._is_shipped))

    def commit(self, changed: list[bytes], files: list[bytes], each: Callable[[Outcome], None]) -> None:
        """Rename staged files into place, remove obsolete files, and update the manifest.

        ``changed`` and ``files`` are entries of the manifest: of staged files, and of all, sorted. ``each`` is called
        for every file that is, or would be, removed. The manifest lists a file before it is put into place: whenever
        this is interrupted, it lists all files.
        """
        found = self._folder.read(manifest.NAME)
        data, state = found or (b"", None)
        if data is None:
            place = printable(self._folder.place(manifest.NAME))
            raise Error(f"{place}: is larger than {MOST_BYTES >> 20} MiB, which no list of files is")
        old, noted = sorted(manifest.entries(data)), digest(data)
        del found, data
        stay, gone = self._left_over(manifest.others(old, files), state, each)
        if not files and 2 * len(gone) > len(old) and not self._options.prune_all:
            said = f"there are no guests, and --prune would remove {len(gone):,} of {len(old):,} files"
            raise Error(f"{printable(self._folder.place(b''))}: {said}: --prune-all does so")
        if self._options.check:
            return

        def note(contents: bytes) -> None:
            nonlocal noted
            if noted != (noted := digest(contents)):
                self._folder.stage(manifest.NAME, contents, state)
                self._folder.commit([manifest.NAME])

        if changed:
            note(manifest.contents(old, files))
        self._folder.commit(manifest.parts(entry)[0] for entry in changed)
        for name in gone:
            self._folder.remove(name)
        note(manifest.contents(files, stay))
        self._folder.flush()

    def _left_over(
        self, entries: Iterator[bytes], state: os.stat_result | None, each: Callable[[Outcome], None]
    ) -> tuple[list[bytes], list[bytes]]:
        """Return the entries of other guests that are kept, and the names of their files to remove."""
        if not (self._options.prune or self._options.prune_all):
            return list(entries), []
        if state and state.st_uid not in (os.geteuid(), 0):
            self._warn(manifest.NAME, "another user's list of files: nothing in it is removed")
            return list(entries), []
        stay, gone = [], []
        for entry in entries:
            name, written = manifest.parts(entry)
            guest = name.removesuffix(ENDING).decode(errors="surrogateescape")
            if b"/" in name or not name.endswith(ENDING):
                self._warn(manifest.NAME, f"lists {os.fsdecode(name)!r}, which is no file of a guest: skipped")
                continue
            if not self._options.selects(guest):
                stay.append(entry)
                continue
            try:
                found = self._folder.read(name)
            except Error as error:
                say(f"{error}: not removed")
                stay.append(entry)
                continue
            if found is None:
                continue
            if found[0] is not None and digest(found[0]) == written.hex():
                gone.append(name)
                each(Outcome(guest, status=REMOVED, diff=self._diff(name, found, None) if self._options.diff else ""))
            else:
                stay.append(entry)
                each(Outcome(guest, status=KEPT))
        return stay, gone

    def _warn(self, name: bytes, said: str) -> None:
        say(f"{printable(self._folder.place(name))}: warning: {said}")
