"""Read guest files: YAML or JSON with one guest, several documents, or a fleet; JSON Lines as a stream."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path as FilePath
from typing import IO, Any, Protocol

from kvmrender.errors import NOTE, GuestError, Path, Problem, brief, nearest
from kvmrender.reading.documents import Document, Hides, Layer, Line, Source
from kvmrender.reading.layers import BEGIN, MORE, bottom, with_appended
from kvmrender.reading.parse import RefusedError, from_json, from_yaml

FLEET = ("defaults", "each", "guests")
"""The keys of a fleet: the defaults of all guests, values with expressions for each guest, and the guests, as a list or
a mapping by name."""
_KNOWN = f" (known keys: {', '.join(FLEET)})"
JSON_LINES, WHOLE = ".jsonl", (".json", ".yaml", ".yml")
"""Extensions of files that are read line by line, and of those that are not."""
MOST_BLANK = 100
"""Maximum number of lines that are read to detect which of these a file is."""

_OF_OTHERS = frozenset(("description", "extra", "metadata", "sysinfo", "vars")) | {
    f"qemu:{name}" for name in ("commandline", "override")
}
"""Keys of texts in which other programs may evaluate expressions."""
_AS_IT_STANDS = "has {{ … }}, which is written as it stands: only values in each, beside guests, are evaluated"
_EMPTY = "is empty: a guest is a mapping with at least a name"

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
