"""Profiles: named layers between the defaults and the guests that use them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path as FilePath
from typing import Any

from kvmrender.errors import GuestError, Path, Problem, brief, nearest, shown_file
from kvmrender.reading.documents import Hides, Layer
from kvmrender.reading.layers import END, MORE, Setting, merge, settled, with_settings
from kvmrender.reading.load import read_defaults, unevaluated
from kvmrender.schema.guest_schema import Node

USE, OPTION = "use", "--use"
START = "\n---\n"
_KEY = re.compile(r"([A-Za-z_]\w*):")
APPENDED = f"{USE}[+]="
"""The form of ``--use`` as a ``--set``, before the name."""


def with_profiles(root: Node, files: dict[str, FilePath]) -> None:
    """Add the names of profiles to a schema."""
    if (use := root["properties"].get(USE)) is not None:
        items = {**use.get("items", {}), "enum": sorted(files)}
        known = {name: str(file) for name, file in files.items()}
        root["properties"][USE] = {**use, "items": items, "facts": {"profiles": known}}


class Profiles:
    """The profiles that a schema knows; the file of each is read when a guest first uses it."""

    def __init__(self, root: Node, hides: Hides = lambda path, is_value: True) -> None:
        self._root, self._hides = root, hides
        self._files: dict[str, str] = root["properties"].get(USE, {}).get("facts", {}).get("profiles", {})
        self._read: dict[str, Layer] = {}
        self.appends = False
        """Whether one that was read appends to lists of the layers below."""
        self.notes: list[Problem] = []
        """What there is to note of the profiles that were read."""

    def layers(self, guest: Any, settings: Sequence[Setting] = ()) -> list[Layer]:
        """Return the profiles that a guest as written uses, the lowest first; ``settings`` are those of ``use``.

        Unknown names are skipped, since the schema refuses them. Raises GuestError for a profile that can't be read.
        """
        names = guest.get(USE) if isinstance(guest, dict) else None
        if settings:
            names = with_settings(self._root, {USE: names}, settings)[USE]
        names = names if isinstance(names, (list, tuple)) else [names]
        return [self.layer(name) for name in names if isinstance(name, str) and name in self._files]

    def saying(self, path: Path) -> list[str]:
        """Return the names of the profiles that set a field; the path contains no list positions."""
        return [name for name in self._files if _says(self.layer(name).value, path)]

    def layer(self, name: str) -> Layer:
        """Return the profile of this name. Raises GuestError if it can't be read."""
        if name not in self._read:
            file = self._files[name]
            try:
                layer = read_defaults(shown_file(file), FilePath(file).read_bytes(), self._hides, most=2)
            except OSError as error:
                said = error.strerror or str(error)
                raise GuestError([Problem((), said, file=shown_file(file), id="file")]) from None
            if USE in layer.value:
                problem = Problem((USE,), "a profile can't use other profiles", at_key=True, id="file")
                raise GuestError([layer.find(problem)[1]])
            self._read[name] = layer
            self.notes += unevaluated(layer)
            self.appends |= MORE in layer.source.text
        return self._read[name]

    def start(self, guest: Any) -> dict[str, list[str]]:
        """Return what a guest that uses profiles is to begin with, the lines of each key, as their second documents
        say."""
        found = dict[str, list[str]]()
        for layer in self.layers(guest):
            key = ""
            for line in layer.source.text.partition(START)[2].splitlines():
                if begins := _KEY.match(line):
                    key = begins[1]
                    found[key] = []
                if key:
                    found[key].append(line)
        return found

    def under(self, guest: Any) -> Any:
        """Return a guest as written over the profiles that it uses."""
        for layer in reversed(self.layers(guest)):
            guest = merge(layer.value, guest)
        return settled(guest) if self.appends else guest

    def refuse_unknown(self, settings: Iterable[Setting]) -> None:
        """Raise GuestError for a setting that names an unknown profile."""
        for one in settings:
            for name in one.value if isinstance(one.value, list) else [one.value]:
                if isinstance(name, str) and name not in self._files:
                    said = f"is not a profile{nearest(name, sorted(self._files))}"
                    if one.path != (USE, END):
                        raise GuestError([one.problem(f"{brief(name)!r} {said}")])
                    raise GuestError([Problem((), said, file=f"{OPTION} {brief(name)}", id="set")])


def description(text: str) -> str:
    """Return the description of a profile, from the comment at its beginning."""
    lines = takewhile(lambda line: line.startswith("#"), text.splitlines())
    return " ".join(line.removeprefix("#").strip() for line in lines)


def _says(value: Any, path: Path) -> bool:
    if isinstance(value, list):
        return not path or any(_says(item, path) for item in value)
    return not path or (isinstance(value, dict) and path[0] in value and _says(value[path[0]], path[1:]))
