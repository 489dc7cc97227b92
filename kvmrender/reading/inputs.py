"""The guests of a command: its files and standard input, the defaults under them, and the settings over them."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path as FilePath
from typing import IO, Any
from weakref import finalize

from kvmrender.errors import MOST_KNOWN, GuestError, Path, Problem, brief, nearest
from kvmrender.reading.documents import Document, Layer, Source, layered, name_of
from kvmrender.reading.layers import MORE, Setting, bottom, checks_to_ignore, ignoring, setting, settled, with_settings
from kvmrender.reading.load import NOWHERE, beginning, is_lines, read_defaults, read_stream, unevaluated
from kvmrender.reading.profiles import USE, Profiles
from kvmrender.reading.size_limits import MAX_SIZE, Limited, copy_of_what_is_read, growth, more_than
from kvmrender.schema.guest_schema import Node
from kvmrender.schema.secrets import Secrets
from kvmrender.terminal import say

STDIN = "-"
STDIN_NAME = "<stdin>"
"""Name of standard input in messages, as in compilers."""
WAITING = "waiting for a guest on standard input: Ctrl-D ends it; name a file to read that instead"
"""Message on a terminal when standard input is read."""
NAMESPACE = "--namespace"
VALUES = "is not a single mapping of guest names to values"

IN_MEMORY = 1 << 20
"""Maximum number of bytes of standard input in memory; more are kept in a temporary file."""


class Inputs:
    """Guest files that can be read more than once, even if they are pipes. - is standard input, also the default.

    ``under`` are the layers under each guest, the lowest first, and ``over`` the settings over it. ``ignored`` are ids
    of checks to ignore, in addition to the guest's own. ``values`` are files with values by guest name, which override
    those of the guests. A file, or a line of JSON Lines, larger than ``max_size`` bytes is not read further. Raises
    GuestError for invalid defaults, settings and ids.
    """

    def __init__(
        self,
        root: Node,
        files: tuple[str, ...],
        defaults: tuple[str, ...] = (),
        settings: tuple[str, ...] = (),
        namespace: str | None = None,
        max_size: int = MAX_SIZE,
        ignore: tuple[str, ...] = (),
        values: tuple[str, ...] = (),
    ) -> None:
        self._root, self._secrets = root, Secrets(root)
        self._files = files or (STDIN,)
        self._max_size = max_size
        self._opened: dict[str, tuple[int, ...]] = {}
        self._read, self._limited, self._spent = 0, list[Limited](), 0
        self._notes = dict[Problem, None]()
        self._spooled: dict[str, IO[bytes]] = {}
        problems: list[Problem] = []
        self.under: tuple[Layer, ...] = ()
        if namespace is not None:
            self.under = (Layer({"namespace": namespace}, Source(NAMESPACE, b"")),)
        for file in defaults:
            try:
                with self._open(file) as stream:
                    self.under += (read_defaults(_name(file), stream.read(), self._hides),)
                    self._notes |= dict.fromkeys(unevaluated(self.under[-1]))
                    if MORE in self.under[-1].source.text:
                        self.under = (Layer(bottom(self.under[-1].value), NOWHERE), *self.under)
            except OSError as error:
                problems.append(_unreadable(file, error))
            except GuestError as error:
                problems += error.problems
        self._values, self._files_of_values = dict[str, list[Layer]](), list[Layer]()
        for file in values:
            try:
                with self._open(file) as stream:
                    self._take_values(read_defaults(_name(file), stream.read(), self._hides_of_values, VALUES))
            except OSError as error:
                problems.append(_unreadable(file, error))
            except GuestError as error:
                problems += error.problems
        self._unmet, self._met = dict.fromkeys(self._values), dict[str, None]()
        self.over: tuple[Setting, ...] = ()
        for text in settings:
            try:
                self.over += (setting(root, text, self._secrets),)
            except GuestError as error:
                problems += error.problems
        self._profiles = Profiles(root, self._hides)
        self._using = [one for one in self.over if one.path[0] == USE]
        self.ignored: tuple[str, ...] = ()
        try:
            self._profiles.refuse_unknown(self._using)
            self.ignored = checks_to_ignore(root, ignore)
        except GuestError as error:
            problems += error.problems
        if problems:
            raise GuestError(problems)

    def refuse_growth(self, size: int) -> None:
        """Raise GuestError if guests with ``size`` characters are larger than allowed for the input read so far."""
        most = growth(self._read + sum(one.taken for one in self._limited), self._max_size)
        if size > most:
            raise GuestError([Problem((), f"the expanded data {more_than(most)}", id="max-size")])

    def _spend(self, cost: int) -> None:
        self._spent += cost
        self.refuse_growth(self._spent)

    def documents(self, problems: list[Problem], again: bool = False) -> Iterator[Document]:
        """Yield each guest; problems of whole files are added to ``problems``.

        It is a problem if files that are read ``again`` have changed.
        """
        for file in self._files:
            try:
                with self._open(file, again) as stream:
                    yield from self.read(_name(file), stream)
            except OSError as error:
                problems.append(_unreadable(file, error))
            except GuestError as error:
                problems += error.problems

    def read(self, name: str, stream: IO[bytes]) -> Iterator[Document]:
        """Yield each guest of an open file. Raises GuestError."""
        for found in read_stream(name, stream, self._hides, self._note):
            under = self.under + found.under
            if found.under and found.under[0].source is NOWHERE:
                under = tuple(sorted(under, key=lambda layer: layer.source is not NOWHERE))
            yield found._replace(under=under, profiles=self._profiles.layers, values=self._values_of)

    def _note(self, note: Problem) -> None:
        if len(self._notes) < MOST_KNOWN:
            self._notes[note] = None

    @property
    def notes(self) -> list[Problem]:
        """What there is to note of the files that were read, each once."""
        return [*self._notes, *self._profiles.notes]

    def _hides(self, path: Path, is_value: bool) -> bool:
        """Return whether the value at a path of a file may be a secret."""
        below = {"guests": 3, "defaults": 2, "each": 2}.get(str(path[1]), 1) if len(path) > 1 else 1
        inside = path[below:]
        if is_value:
            return self._secrets.hides(inside, "")
        return self._secrets.hides(inside) or self._secrets.hides_key((*inside, ""), {"": True})

    def _hides_of_values(self, path: Path, is_value: bool) -> bool:
        return self._hides((0, *path[2:]), is_value)

    def _take_values(self, layer: Layer) -> None:
        """Add the values of a file, by guest name. Raises GuestError for an item that can't be part of a guest."""
        found = []
        for name, value in layer.value.items():
            if not isinstance(value, dict):
                found.append(Problem((name,), "is not a mapping of values for the guest of this name", id="file"))
            elif value.get("name", name) != name:
                found.append(Problem((name, "name"), f"is not {brief(name)!r}, the name of the guest", id="file"))
            else:
                self._values.setdefault(name, []).append(Layer(value, layer.source, (*layer.path, name)))
                self._notes |= dict.fromkeys(unevaluated(self._values[name][-1]))
        if found:
            raise GuestError(layer.find(problem)[1] for problem in found)
        self._files_of_values.append(layer)

    def _values_of(self, guest: Any) -> list[Layer]:
        """Return the layers of the values files for a guest, the lowest first."""
        return self._values.get(name, []) if self._values and (name := name_of(guest)) else []

    def met(self, name: str) -> None:
        """Record that a guest of this name exists."""
        if self._values:
            self._unmet.pop(name, None)
            if len(self._met) < MOST_KNOWN:
                self._met[name] = None

    def unmet(self) -> list[Problem]:
        """Return a problem for each name in the values files that no guest has."""
        return [
            layer.find(Problem((name,), f"no guest has this name{nearest(name, self._met)}", at_key=True, id="file"))[1]
            for layer in self._files_of_values
            for name in layer.value
            if name in self._unmet
        ]

    def guest(self, document: Document) -> Any:
        """Return a guest merged from all its layers, with the settings. Raises GuestError, whose problems have their
        positions."""
        each, under = document.each and document.each.value, [layer.value for layer in document.under]
        own = document.own.parsed()
        try:
            guest = self.layered(under, each, own, document.position)
        except GuestError as error:
            raise GuestError(document.located(error.problems, self.over), error.more) from None
        self.met(name_of(guest))
        return guest

    def layered(self, under: list[Any], each: Any, own: Any, index: int) -> Any:
        """Return a guest merged over the defaults, its profiles and the ``each`` of a fleet, with the settings over it,
        and the ids to ignore. Raises GuestError."""
        guest, over = layered(under, own), list[Any]()
        if found := self._values_of(guest):
            own = layered([own, *(layer.value for layer in found)], {})
            guest = layered(under, own)
        if each:
            from kvmrender.reading.expressions import expanded

            over = [expanded(each, guest, own, index, self._secrets.hides, self._spend)]
            guest = layered([*under, *over], own)
            if not found and (found := self._values_of(guest)):  # its name is of an expression
                own = layered([own, *(layer.value for layer in found)], {})
                guest = layered([*under, *over], own)
        if self._using or (isinstance(guest, dict) and USE in guest):
            profiles = self._profiles.layers(guest, self._using)
            guest = layered([*under, *(profile.value for profile in profiles), *over], own)
            found = [*found, *profiles] if self._profiles.appends else found
        if found and any(MORE in layer.source.text for layer in found):
            guest = settled(guest)
        guest = with_settings(self._root, guest, self.over)
        return ignoring(guest, self.ignored) if self.ignored else guest

    def contents(self, problems: list[Problem]) -> Iterator[tuple[str, bytes]]:
        """Yield the name and the whole contents of each file."""
        for file in self._files:
            try:
                with self._open(file) as stream:
                    yield _name(file), stream.read()
            except OSError as error:
                problems.append(_unreadable(file, error))
            except GuestError as error:
                problems += error.problems

    @contextmanager
    def _open(self, file: str, again: bool = False) -> Iterator[Any]:
        if file not in self._spooled:
            if file == STDIN and sys.stdin.isatty():
                say(WAITING)
            with nullcontext(sys.stdin.buffer) if file == STDIN else FilePath(file).open("rb") as stream:
                if size := self._size(file, stream, again):
                    with self._counted(Limited(_name(file), stream, self._max_size, size)) as limited:
                        yield limited
                    return
                start = beginning(Limited(_name(file), stream, self._max_size))
                by_lines = is_lines(_name(file), start)
                from tempfile import SpooledTemporaryFile

                spool: Any = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - read again later, and closed with this object
                copy_of_what_is_read(stream, spool, by_lines, b"".join(start), self._max_size)
                self._spooled[file] = spool
                finalize(self, spool.close)
        self._spooled[file].seek(0)
        with self._counted(Limited(_name(file), self._spooled[file], self._max_size)) as limited:
            yield limited

    @contextmanager
    def _counted(self, limited: Limited) -> Iterator[Limited]:
        self._limited.append(limited)
        try:
            yield limited
        finally:
            self._limited.remove(limited)
            self._read += limited.taken

    def _size(self, file: str, stream: IO[bytes], again: bool) -> int:
        """Return the size of a regular file, as it was when it was first opened where it is read ``again``.

        0 stands for what has none that can be relied on. Raises GuestError where the file isn't the same.
        """
        found = os.fstat(stream.fileno()) if file != STDIN else None
        if not found or not stat.S_ISREG(found.st_mode):
            return 0
        now = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
        if not again:
            self._opened[file] = now
        before = self._opened.get(file, now)
        if now[:2] != before[:2] or now[2] < before[2] or (now[2] == before[2] and now != before):
            raise GuestError([Problem((), "has changed since it was first read", file=file, id="file")])
        return before[2]


def _name(file: str) -> str:
    return STDIN_NAME if file == STDIN else file


def _unreadable(file: str, error: OSError) -> Problem:
    return Problem((), error.strerror or str(error), file=_name(file), id="file")
