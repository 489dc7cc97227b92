"""Read guest files: YAML or JSON with one guest, several documents, or a fleet; JSON Lines as a stream."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import chain
from pathlib import Path as FilePath
from typing import IO, Any, NamedTuple, Protocol

from kvmrender.errors import NOTE, GuestError, Path, Problem, brief, nearest
from kvmrender.reading.layers import MORE, Said, Setting, appended_places, bottom, merge, numbered, said, with_appended
from kvmrender.reading.parse import Marks, RefusedError, from_json, from_yaml, positions
from kvmrender.schema.guest_schema import value_at

FLEET = ("defaults", "each", "guests")
"""The keys of a fleet: the defaults of all guests, values with expressions for each guest, and the guests, as a list or
a mapping by name."""
_KNOWN = f" (known keys: {', '.join(FLEET)})"
JSON_LINES, WHOLE = ".jsonl", (".json", ".yaml", ".yml")
"""Extensions of files that are read line by line, and of those that are not."""
MOST_BLANK = 100
"""Maximum number of lines that are read to detect which of these a file is."""

BEGIN = "{{"
_OF_OTHERS = frozenset(("description", "extra", "metadata", "sysinfo", "vars")) | {
    f"qemu:{name}" for name in ("commandline", "override")
}
"""Keys of texts in which other programs may evaluate expressions."""
_AS_IT_STANDS = "has {{ … }}, which is written as it stands: only values in each, beside guests, are evaluated"
_EMPTY = "is empty: a guest is a mapping with at least a name"


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


Noted = Callable[[Problem], None]
"""Takes what there is to note of a file."""


NOWHERE = Source("", b"")
"""Of layers that nobody wrote: they are below all others."""


def read(
    name: str, data: bytes, hides: Hides = lambda path, is_value: True, noted: Noted | None = None
) -> list[Document]:
    """Return the guests of a file's contents, in order; ``name`` is used in messages, and its extension tells JSON.

    Raises GuestError where the contents aren't UTF-8, YAML or JSON, hold a key twice, or hold no guest.
    """
    if FilePath(name).suffix == JSON_LINES:
        return list(read_lines(name, data.splitlines(keepends=True), hides))
    source = Source(name, _unmarked(data), hides=hides)
    values = _values(source)
    if not values:
        raise source.refusal(_EMPTY, (1, 1))
    documents: list[Document] = []
    problems: list[Problem] = []
    for number, value in enumerate(values):
        layer = Layer(value, source, (number,))
        if value is None:
            problems.append(layer.find(Problem((), _EMPTY, id="file"))[1])
        elif isinstance(value, dict) and "guests" in value:
            documents += _fleet(layer, problems)
        else:
            documents.append(Document(layer))
    if problems:
        raise GuestError(problems)
    if MORE in source.text:
        documents = [
            document._replace(under=(Layer(bottom(document.own.value), NOWHERE), *document.under))
            for document in documents
        ]
    if noted and BEGIN in source.text:
        for number, value in enumerate(values):
            for layer in _layers(value, source, (number,)):
                for note in unevaluated(layer):
                    noted(note)
    return documents


def _fleet(fleet: Layer, problems: list[Problem]) -> Iterator[Document]:
    """Yield the guests of a fleet, each over its defaults."""
    defaults, each, guests = fleet.value.get("defaults"), fleet.value.get("each"), fleet.value["guests"]
    found = [
        Problem(
            (key,),
            f"is not a known key of a fleet{nearest(key, FLEET) or _KNOWN}",
            at_key=True,
            id="file",
        )
        for key in fleet.value
        if key not in FLEET
    ]
    if defaults is not None and not isinstance(defaults, dict):
        found.append(Problem(("defaults",), "is not a mapping of default values for guests", id="file"))
    if each is not None and not isinstance(each, dict):
        found.append(Problem(("each",), "is not a mapping of values for each guest", id="file"))
    if not isinstance(guests, (list, dict)):
        found.append(Problem(("guests",), "is not a list of guests, or a mapping of guests by name", id="file"))
    problems += (fleet.find(problem)[1] for problem in found)
    if not found:
        under = () if defaults is None else (Layer(defaults, fleet.source, (*fleet.path, "defaults")),)
        if MORE in fleet.source.text:
            under = (Layer(bottom(defaults), NOWHERE), *under)
        of_each = None if each is None else Layer(each, fleet.source, (*fleet.path, "each"))
        pairs = guests.items() if isinstance(guests, dict) else enumerate(guests)
        for position, (key, guest) in enumerate(pairs):
            path = (*fleet.path, "guests", key)
            if isinstance(guests, dict) and (guest is None or isinstance(guest, dict)):
                guest = {"name": key, **(guest or {})}
                if guest["name"] != key:
                    said = f"is not {brief(str(key))!r}, the guest's key in guests"
                    problems.append(fleet.find(Problem((*path[1:], "name"), said, id="file"))[1])
            yield Document(Layer(guest, fleet.source, path), under, each=of_each, position=position)


def unevaluated(layer: Layer) -> Iterator[Problem]:
    """Yield a note for each value of a guest, or of its defaults, that has an expression: these are only evaluated in
    ``each``. Texts that may be meant for other programs are skipped."""
    if BEGIN not in layer.source.text:
        return
    left: list[tuple[Path, Any]] = [((), layer.value)]
    while left:
        path, value = left.pop()
        if isinstance(value, dict):
            left += [((*path, key), item) for key, item in reversed(value.items()) if key not in _OF_OTHERS]
        elif isinstance(value, list):
            left += [((*path, number), item) for number, item in reversed([*enumerate(value)])]
        elif isinstance(value, str) and BEGIN in value:
            yield layer.find(Problem(path, _AS_IT_STANDS, id="each", level=NOTE))[1]


def _layers(value: Any, source: Source, path: Path) -> Iterator[Layer]:
    """Yield the parts of a file's document that are not evaluated."""
    if not isinstance(value, dict) or "guests" not in value:
        yield Layer(value, source, path)
        return
    yield Layer(value.get("defaults"), source, (*path, "defaults"))
    guests = value["guests"]
    for key, guest in guests.items() if isinstance(guests, dict) else enumerate(guests or ()):
        yield Layer(guest, source, (*path, "guests", key))


def read_lines(name: str, lines: Iterable[bytes], hides: Hides) -> Iterator[Document]:
    """Yield a guest for each line of JSON Lines that isn't blank. Nothing is parsed here."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            whole = _unmarked(line) if number == 1 else line
            yield Document(Line(Source(name, whole.rstrip(b"\r\n"), number, hides)))


def read_stream(name: str, stream: IO[bytes], hides: Hides, noted: Noted | None = None) -> Iterator[Document]:
    """Yield the guests of an open file: JSON Lines as a stream, other formats after reading the whole file.

    Where the name doesn't tell, the first lines do. Raises GuestError.
    """
    if FilePath(name).suffix in WHOLE:
        yield from read(name, stream.read(), hides, noted)
        return
    start = beginning(stream)
    if not is_lines(name, start):
        yield from read(name, b"".join(start) + stream.read(), hides, noted)
        return
    for document in read_lines(name, chain(start, stream), hides):
        if noted and b"{{" in document.own.source.data:
            with suppress(GuestError):
                for note in unevaluated(Layer(document.own.parsed(), document.own.source)):
                    noted(note)
        yield document


class Readable(Protocol):
    """The part of an open file's interface that is used here."""

    def readline(self) -> bytes:
        """Return the next line."""


def beginning(stream: Readable) -> list[bytes]:
    """Return the first line of an open file and, where it may be a JSON object, those up to one that isn't blank."""
    lines = [stream.readline()]
    if _unmarked(lines[0]).lstrip().startswith(b"{"):
        lines.append(stream.readline())
        while lines[-1] and not lines[-1].strip() and len(lines) < MOST_BLANK:
            lines.append(stream.readline())
    return lines


def is_lines(name: str, start: list[bytes]) -> bool:
    """Return whether a file is JSON Lines, by its name, or if that is ambiguous, by its first lines.

    It is if the first is a JSON object, and after it no document of YAML ends. A fleet in one line is none.
    """
    suffix = FilePath(name).suffix
    if suffix == JSON_LINES or suffix in WHOLE:
        return suffix == JSON_LINES
    found = _object(_unmarked(start[0]))
    if found is None or ("guests" in found and not start[-1].strip()):
        return False
    return not start[-1].startswith((b"---", b"...", b"%")) and not start[-1].lstrip().startswith(b"#")


def _unmarked(data: bytes) -> bytes:
    """Return the contents of a file without the byte order mark that it may begin with."""
    return data.removeprefix(BOM_UTF8)


def _object(line: bytes) -> dict[str, Any] | None:
    """Return the JSON object that a line is, or None."""
    if not line.lstrip().startswith(b"{"):
        return None
    try:
        found: dict[str, Any] = json.loads(line, parse_int=str)
    except (ValueError, RecursionError):
        return None
    return found


def read_defaults(
    name: str,
    data: bytes,
    hides: Hides,
    said: str = "is not a single mapping of default values for guests",
    most: int = 1,
) -> Layer:
    """Return the values of a defaults file, which are its first document of at ``most`` so many. Raises GuestError with
    the message ``said`` if it isn't a mapping."""
    source = Source(name, _unmarked(data), hides=hides)
    values = _values(source)
    if not 1 <= len(values) <= most or not isinstance(values[0], dict):
        raise source.refusal(said, (1, 1))
    return Layer(values[0], source)


def _values(source: Source) -> list[Any]:
    values = _parsed(source)
    return [with_appended(value) for value in values] if MORE in source.text else values


def _parsed(source: Source) -> list[Any]:
    suffix = FilePath(source.name).suffix
    try:
        if suffix == ".json":
            return [from_json(source.text)]
        if suffix not in (".yaml", ".yml") and source.text.lstrip().startswith("{"):
            try:
                return [from_json(source.text)]
            except RefusedError:  # YAML's flow style looks like JSON too, and its reader says what is wrong
                pass
        return from_yaml(source.text)
    except RefusedError as refused:
        raise source.refused(refused) from None
