"""Import of files of domain XML; a problem in one document does not affect the others."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from kvmrender.engine import Engine
from kvmrender.errors import GuestError, Problem, TemplateError
from kvmrender.fleet.fleet import CHUNK, CHUNK_SIZE
from kvmrender.fleet.processes import spread
from kvmrender.libvirt.common_parts import fleet_of
from kvmrender.libvirt.importer import Imported, Importer
from kvmrender.libvirt.xml_tree import documents
from kvmrender.reading.guest_text import JSON, to_json, to_yaml

ENDING = ".xml"
MOST_COMMENTS = 20
"""Maximum number of comments in the file of a guest."""


class OfFile(NamedTuple):
    """Result for a document of a file, which begins at ``line``: a guest, or its problems."""

    file: str
    line: int
    imported: Imported | None
    problems: tuple[Problem, ...] = ()
    fault: TemplateError | None = None

    @property
    def told(self) -> list[str]:
        """The messages about the guest, one per line, losses first."""
        if self.imported is None:
            return []
        place = f"{self.file}:{self.line}"
        return [
            *(f"{place}: {where}: is not kept: {why}" for where, why in self.imported.lost),
            *(f"{place}: {where}: note: {why}" for where, why in self.imported.notes),
        ]


def files_of(names: Iterable[str]) -> tuple[str, ...]:
    """Return the files, with folders replaced by their files that end in ``.xml``, sorted. Raises OSError."""
    found: list[str] = []
    for name in names:
        if Path(name).is_dir():
            found += sorted(str(file) for file in Path(name).iterdir() if file.suffix == ENDING)
        else:
            found.append(name)
    return tuple(found)


def imported_from(
    importer: Importer, name: str, data: bytes, full: bool = False, tidy: bool = False
) -> Iterator[OfFile]:
    """Yield the result for each document of a file. Problems of documents are not raised."""
    for found in documents(data):
        if found.root is None:
            yield OfFile(name, found.line, None, (Problem((), found.fault, file=name, line=found.line, id="xml"),))
            continue
        try:
            yield OfFile(name, found.line, importer.imported(found.root, full, tidy))
        except GuestError as error:
            problems = tuple(replace(problem, file=name, line=found.line) for problem in error.problems)
            yield OfFile(name, found.line, None, problems)
        except TemplateError as error:
            yield OfFile(name, found.line, None, fault=error)


def all_imported(
    importer: Importer, files: Iterable[tuple[str, bytes]], full: bool, tidy: bool, jobs: int
) -> Generator[OfFile, None, None]:
    """Yield what becomes of each document of many files, in order, worked on by ``jobs`` processes."""

    def work(chunk: list[tuple[str, bytes]]) -> list[OfFile]:
        return [one for name, data in chunk for one in imported_from(importer, name, data, full, tidy)]

    with closing(spread(work, _chunks(files), jobs)) as results:
        for _, found in results:
            yield from found


def _chunks(files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[None, list[tuple[str, bytes]]]]:
    chunk, size = list[tuple[str, bytes]](), 0
    for name, data in files:
        chunk.append((name, data))
        size += len(data)
        if len(chunk) == CHUNK or size > CHUNK_SIZE:
            yield None, chunk
            chunk, size = [], 0
    if chunk:
        yield None, chunk


def fleet_of_files(engine: Engine, found: Iterable[OfFile]) -> OfFile:
    """Return one fleet with all guests, with the messages about each after its name."""
    guests = [one.imported for one in found if one.imported]
    return OfFile(
        "",
        1,
        Imported(
            fleet_of(engine, [one.guest for one in guests]),
            [(f"{one.guest['name']}: {where}", why) for one in guests for where, why in one.lost],
            [(f"{one.guest['name']}: {where}", why) for one in guests for where, why in one.notes],
            any(one.has_secret for one in guests),
        ),
    )


def text_of(imported: Imported, kind: str, in_one_line: bool = False) -> str:
    """Return a guest as YAML or JSON; in YAML, comments list losses and notes."""
    if kind == JSON:
        return to_json(imported.guest, in_one_line)
    told = [
        *(f"not kept: {where}: {why}" for where, why in imported.lost),
        *(f"{where}: {why}" for where, why in imported.notes),
    ]
    more = [f"and {len(told) - MOST_COMMENTS:,} more"] if len(told) > MOST_COMMENTS else []
    return to_yaml(imported.guest, [*told[:MOST_COMMENTS], *more])
