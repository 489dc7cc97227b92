"""A guest as written: the values of its layers, where each was read, and the place of a problem in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, NamedTuple

from kvmrender.errors import GuestError, Path, Problem
from kvmrender.reading.layers import MORE, Said, Setting, appended_places, merge, numbered, said
from kvmrender.reading.parse import Marks, RefusedError, from_json, positions
from kvmrender.schema.guest_schema import value_at

Hides = Callable[[Path, bool], bool]
"""Returns whether messages must not quote the value, or the key, at a path that begins with a document number."""


class Source:
    """The bytes that guests were read from, their name in messages, and their first line in the file; ``hides`` tells
    what must not be quoted."""

    def __init__(self, name: str, data: bytes, line: int = 1, hides: Hides = lambda path, is_value: True) -> None:
        self.name, self.data, self.line, self._hides = name, data, line, hides

    @cached_property
    def text(self) -> str:
        """The text. Raises GuestError if it isn't UTF-8."""
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            before = self.data[: error.start]
            position = (before.count(b"\n") + 1, len(before) - before.rfind(b"\n"))
            raise self.refusal(
                f"is not UTF-8: byte 0x{self.data[error.start]:02x} at offset {error.start}", position
            ) from None

    @cached_property
    def marks(self) -> Marks:
        """The positions of all keys and values; only computed when there is a problem."""
        return positions(self.text)

    def refusal(self, message: str, position: tuple[int, int] | None) -> GuestError:
        """Return the error that this can't be read; the position counts from its first line."""
        return GuestError([self.placed(Problem((), message, id="file"), position)])

    def refused(self, why: RefusedError) -> GuestError:
        """Return the error that this can't be parsed."""
        said = why.unquoted if why.unquoted != why.message and self._hides(why.path, why.is_value) else why.message
        return self.refusal(said, why.position)

    def placed(self, problem: Problem, position: tuple[int, int] | None) -> Problem:
        """Return a problem with its place in the file."""
        return problem.at(self.name, position and (position[0] + self.line - 1, position[1]))


class Layer:
    """The values of a guest from one source: a value as written, and its path in the source."""

    def __init__(self, value: Any, source: Source, path: Path = (0,)) -> None:
        self.value, self.source, self.path = value, source, path
        self._starts: dict[Path, int] = {}

    def over(self, lower: Any) -> Layer:
        """Return the layer with the positions that its appended items have over what is below."""
        found = Layer(self.value, self.source, self.path)
        for place in appended_places(self.value):
            below = value_at(lower, place)
            found._starts[place] = len(below) if isinstance(below, list) else int(below is not None)
        return found

    def _written(self, path: Path) -> tuple[Path, Path]:
        """Return a path in the merged guest as one in the value, and as one in the source."""
        for place, start in self._starts.items():
            if path[: len(place)] == place:
                rest = path[len(place) :]
                if rest and isinstance(rest[0], int):
                    rest = (rest[0] - start, *rest[1:]) if rest[0] >= start else ()
                return (*place, *rest), (*place[:-1], f"{place[-1]}{MORE}", *rest)
        return path, path

    def parsed(self) -> Any:
        """Return the value. Raises GuestError."""
        return self.value

    def find(self, problem: Problem) -> tuple[Said, Problem]:
        """Return what the layer has at a problem's path, and the problem with the position of the last step found."""
        marks = self.source.marks
        inside, in_source = self._written(problem.path)
        found = said(self.parsed(), inside)
        if not marks:
            return found, problem.at(self.source.name, None)
        here = (*self.path, *(found.path if inside == in_source else in_source))
        while here not in marks and len(here) > len(self.path):
            here = here[:-1]
        of_key, of_value = marks.get(here, ((1, 1), (1, 1)))
        at_key = problem.at_key and here[-1] == problem.path[-1]
        return found, self.source.placed(problem, of_key if at_key else of_value)


class Line(Layer):
    """A guest on a line of JSON Lines, which is parsed on demand."""

    def __init__(self, source: Source) -> None:
        super().__init__(source.data, source)

    def parsed(self) -> Any:
        """Return the value. Raises GuestError."""
        return parsed(self.source)


class Document(NamedTuple):
    """One guest as written, any value, not yet checked: its own layer, and those under it, the lowest first.

    ``profiles`` gives those that a guest as written uses, with settings over it; they are right under its own layer
    and what its fleet says of ``each`` guest, with expressions, which see its ``position`` in the fleet too. ``values``
    gives what is over a guest as written by its name, the lowest first.
    """

    own: Layer
    under: tuple[Layer, ...] = ()
    profiles: Callable[[Any, Sequence[Setting]], Iterable[Layer]] = lambda guest, settings: ()
    each: Layer | None = None
    position: int = 0
    values: Callable[[Any], list[Layer]] = lambda guest: []

    @property
    def guest(self) -> Any:
        """The guest merged from its layers. Raises GuestError if a line isn't JSON, or an expression is refused."""
        under, own = [layer.value for layer in self.under], self.own.parsed()
        guest = layered(under, own)
        if self.each is None:
            return guest
        from kvmrender.reading.expressions import expanded

        return layered([*under, expanded(self.each.value, guest, own, self.position)], own)

    @property
    def number(self) -> int:
        """The number of the document in its file, from 0."""
        return int(self.own.path[0])

    def located(self, problems: Iterable[Problem], over: Iterable[Setting] = ()) -> list[Problem]:
        """Return the problems, each with its file and the place of the nearest part of its path, in this order.

        The upper layer wins where several say what is wrong; ``over`` are the settings over all of them.
        """
        settings = dict[Path, list[tuple[int, Setting]]]()
        under, values = list(self.under), list[Layer]()
        with suppress(GuestError):  # of a line that isn't JSON, or of a profile that can't be read
            guest, over = self.guest, list(over)
            values = self.values(guest)
            guest = layered([guest, *(layer.value for layer in values)], {}) if values else guest
            under += self.profiles(guest, [one for one in over if one.path[0] == "use"])
            over = numbered(guest, over)
        for number, one in enumerate(over):
            settings.setdefault(one.path, []).append((number, one))
        if self.each is not None:
            under.append(self.each)
        written, lower = [*under, self.own, *values], None
        if any(MORE.encode() in layer.source.data for layer in written):
            for position, layer in enumerate(written):
                with suppress(GuestError):
                    written[position] = layer.over(lower) if MORE.encode() in layer.source.data else layer
                    lower = layered([lower] if lower is not None else [], layer.parsed())
        found = [problem if problem.file else self._located(problem, settings, written) for problem in problems]

        def order(problem: Problem) -> tuple[bool, str, int, int]:
            file = problem.file or ""
            return file != self.own.source.name, file, problem.line or 0, problem.column or 0

        return sorted(found, key=order)

    def _located(
        self, problem: Problem, settings: dict[Path, list[tuple[int, Setting]]], written: list[Layer]
    ) -> Problem:
        """Return a problem with the position in the layer that has the longest part of its path, of several in the
        uppermost; layers below one that replaces the value are disregarded."""
        path = problem.path
        if problem.id == "each" and self.each is not None:
            return self.each.find(problem)[1]
        over = sorted((one for end in range(len(path) + 1) for one in settings.get(path[:end], ())), reverse=True)
        layers: list[Setting | Layer] = [*(one for _, one in over), *written[::-1]]
        most, result = -1, problem
        for layer in layers:
            found, placed = layer.find(problem)
            if found.steps > most:
                most, result = found.steps, placed
            if found.replaces:
                break
        return result


def name_of(guest: Any) -> str:
    """Return the name of a guest as written, an empty string if it has none."""
    name = guest.get("name") if isinstance(guest, dict) else None
    return str(name) if isinstance(name, (str, int)) else ""


def layered(under: Iterable[Any], own: Any) -> Any:
    """Return a guest as written, merged over the layers under it."""
    guest: Any = None
    for value in under:
        guest = value if guest is None else merge(guest, value)
    return own if guest is None else merge(guest, own)


def from_line(data: bytes) -> Any:
    """Return the value of a line of JSON Lines. Raises GuestError, whose problems have no place."""
    try:
        return from_json(data.decode())
    except (RefusedError, UnicodeDecodeError):
        return parsed(Source("", data))


def parsed(source: Source) -> Any:
    """Return the value of a line of JSON Lines. Raises GuestError."""
    try:
        value = from_json(source.text)
    except RefusedError as refused:
        raise source.refused(refused) from None
    return value
