"""A stack of template folders: the first that has a file wins, and the shipped templates come last."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from hashlib import sha256
from itertools import islice
from pathlib import Path
from stat import S_IWOTH
from typing import Any

from kvmrender.errors import TemplateError, shown_file
from kvmrender.shipped import SHIPPED, shipped_templates

TEMPLATE, SCHEMA = ".xml.j2", ".schema.yaml"
"""Extensions of templates and of schema parts."""
PROFILES = "profiles"
"""Subfolder of profiles in a template folder."""
MOST_BYTES = 16 << 20
"""Maximum size in bytes of a template or schema part."""
DEEPEST = 16
"""Maximum depth of subfolders; links may form circles."""
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
"""A path, or several."""


def one_or_several(given: Paths) -> tuple[str, ...]:
    """Return texts or paths, of which one may be given alone, as texts. Raises TypeError for other values."""
    several: Iterable[Any] = (given,) if isinstance(given, (str, bytes, os.PathLike, Mapping)) else given
    return tuple(os.fsdecode(one) for one in several)


def files_in(folder: str, inside: str = "", depth: int = 0) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield the files of a folder by name, sorted; none if it can't be read."""
    try:
        with os.scandir(os.path.join(folder, inside)) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        name = os.path.join(inside, entry.name)
        with suppress(OSError):
            if not entry.is_dir():
                yield name, entry
            elif depth < DEEPEST and entry.name != "__pycache__":
                yield from files_in(folder, name, depth + 1)


def folders_state(folders: Iterable[str]) -> bytes:
    """Return a fingerprint that changes if a file in the folders is changed, added or removed, or a folder is
    replaced."""
    key = sha256()
    for folder in folders:
        key.update(f"{os.path.realpath(folder)}\0".encode(errors="surrogateescape"))
        for name, entry in files_in(folder):
            with suppress(OSError):
                state = entry.stat()
                said = f"{name}\0{state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}\0"
                key.update(said.encode(errors="surrogateescape"))
    return key.digest()


def is_file(path: Path) -> bool:
    """Return whether a path is a file; a name that is too long is not."""
    try:
        return path.is_file()
    except OSError:
        return False


def not_too_large(file: Path) -> Path:
    """Return a file if it is not too large. Raises TemplateError for one that exceeds the limit."""
    if file.stat().st_size > MOST_BYTES:
        raise TemplateError(f"is larger than {MOST_BYTES >> 20} MiB, which no template or schema part is", str(file))
    return file


def is_of_stack(path: str) -> bool:
    """Return whether a file in a template folder is a template, schema part or profile."""
    return path.endswith((TEMPLATE, SCHEMA)) or (path.endswith(".yaml") and Path(path).parent.name == PROFILES)


class Stack:
    """The folders ``own``, followed by the shipped one. Raises TemplateError for a missing folder."""

    def __init__(self, own: Paths = ()) -> None:
        self.own = tuple(Path(folder) for folder in one_or_several(own))
        self.shipped = shipped_templates()
        for folder in self.own:
            if not folder.is_dir():
                raise TemplateError("is not a template folder", str(folder))

    def names(self, ending: str = "") -> list[str]:
        """Return the names of all files with this extension, each once, without the prefix."""
        return sorted(self._names((*self.own, self.shipped), ending))

    def own_names(self, ending: str = "") -> list[str]:
        """Return those of the names that custom folders have."""
        return sorted(self._names(self.own, ending))

    @staticmethod
    def _names(folders: Iterable[Path], ending: str) -> set[str]:
        found = {
            path.relative_to(folder).as_posix()
            for folder in folders
            for path in folder.rglob(f"*{ending}")
            if path.is_file()
        }
        return {*filter(is_of_stack, found)}

    def files(self, name: str) -> list[Path]:
        """Return the files of this name, the winning one first. Raises TemplateError for one that is too large."""
        if name.startswith(f"{SHIPPED}/"):
            return [found] if is_file(found := self.shipped / name.removeprefix(f"{SHIPPED}/")) else []
        return [not_too_large(path) for folder in (*self.own, self.shipped) if is_file(path := folder / name)]

    def profiles(self) -> dict[str, Path]:
        """Return the files of profiles by name. Raises TemplateError for one that is too large, or a link that leads
        outside its folder."""
        found = {
            path.stem: (folder, path)
            for folder in (self.shipped, *self.own[::-1])
            for path in sorted((folder / PROFILES).glob("*.yaml"))
            if is_file(path) and not path.name.endswith(SCHEMA)
        }
        for folder, path in found.values():
            if not not_too_large(path).resolve().is_relative_to(folder.resolve()):
                raise TemplateError("is a link that leads outside its folder", str(path))
        return {name: path for name, (_, path) in found.items()}

    def own_parts(self) -> dict[str, Path]:
        """Return the custom schema parts in use by name, that of the whole guest first.

        Raises TemplateError for a part with the former name, from before parts were YAML.
        """
        for folder in self.own:
            for old in folder.rglob("*.schema.json"):
                said = f"is called {old.stem}.yaml now: rename it, as JSON is YAML"
                raise TemplateError(said, str(old))
        names = sorted(self.own_names(SCHEMA), key=lambda name: (name != f"guest{SCHEMA}", name))
        found = {name: self.files(name)[0] for name in names}
        return {name: file for name, file in found.items() if not self.is_shipped(str(file))}

    def is_shipped(self, file: str | None) -> bool:
        """Return whether a file is in the shipped folder."""
        return file is not None and Path(file).is_relative_to(self.shipped)

    def folder(self, file: str | Path) -> Path:
        """Return the folder of the stack that contains a file."""
        return next((folder for folder in (*self.own, self.shipped) if Path(file).is_relative_to(folder)), self.shipped)

    def shown(self, file: str | Path) -> str:
        """Return a file's name for messages: ``shipped/NAME`` for a shipped one, otherwise its path."""
        return shown_file(str(file))

    def open_to_all(self) -> list[tuple[Path, Path]]:
        """Return the custom folders that are writable by all users, each with the first such place."""
        found = []
        for folder in self.own:
            places = (place for place in (folder, *sorted(folder.rglob("*"))) if _is_open(place))
            found += [(folder, place) for place in islice(places, 1)]
        return found


def _is_open(place: Path) -> bool:
    try:
        return bool(place.stat().st_mode & S_IWOTH)
    except OSError:  # a dangling link
        return False
