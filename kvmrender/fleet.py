"""Many guests in one go: rendered over all cores, checked against each other, written all or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from difflib import unified_diff
from fnmatch import fnmatchcase
from itertools import groupby, islice
from typing import Any

from kvmrender import manifest
from kvmrender.errors import GuestError, Problem
from kvmrender.folder import Folder, digest
from kvmrender.inputs import Inputs
from kvmrender.layers import Setting, with_settings
from kvmrender.load import Document, Line, Source, layered, parsed
from kvmrender.renderer import Renderer
from kvmrender.secrets import has_secret, xml_masker
from kvmrender.shared import Key, Shared, keys, problems_of
from kvmrender.spread import spread

MOST_PROBLEMS = 100
"""Problems of a run that are listed; of the others, the number is told."""
CHUNK = 64
"""Guests that a process is given at a time."""
ENDING = b".xml"

CREATED, CHANGED, UNCHANGED, REMOVED, KEPT = "created", "changed", "unchanged", "removed", "kept"
"""What becomes of a file; kept is one that was to be removed, but has been changed since it was written."""


@dataclass(frozen=True)
class Outcome:
    """What became of one guest. Where it has problems (not yet placed), nothing else is known of it but its name."""

    name: str
    problems: tuple[Problem, ...] = ()
    text: str = ""
    hashes: tuple[int, ...] = ()
    status: str = ""
    digest: str = ""
    diff: str = ""


@dataclass(frozen=True)
class Options:
    """What a run does beside rendering.

    ``select`` are patterns of names, ``allow_shared`` of disks that guests may share (None if guests aren't held
    against each other). Where it is ``strict``, a value that no template uses is a problem. ``check`` writes nothing;
    ``prune`` removes the files of guests that are gone.
    """

    select: tuple[str, ...] = ()
    strict: bool = False
    allow_shared: tuple[str, ...] | None = None
    jobs: int = 1
    check: bool = False
    diff: bool = False
    prune: bool = False


class Fleet:
    """Renders the guests of ``inputs``, each as the text that ``make`` gives (XML by default) or into a folder."""

    def __init__(
        self,
        renderer: Renderer,
        inputs: Inputs,
        options: Options,
        folder: Folder | None = None,
        make: Callable[[dict[str, Any], str], str] = lambda context, xml: xml,
    ) -> None:
        self._renderer, self._inputs, self._options = renderer, inputs, options
        self._folder, self._make = folder, make
        self._mask = xml_masker(renderer.schema.root)

    def run(self, each: Callable[[Outcome], None]) -> None:
        """Render all, and write them if nothing is wrong with any.

        ``each`` is called for every guest in the order of the files, with the outcome that is to be if none fails,
        then for every file that is removed. Raises GuestError with the problems of all guests.
        """
        faults, unread = _Faults(), list[Problem]()
        shared, changed, same = Shared(), list[bytes](), list[bytes]()
        number = 0
        with closing(spread(self._outcomes, self._chunks(unread), self._options.jobs)) as results:
            for documents, outcomes in results:
                for document, outcome in zip(documents, outcomes, strict=True):
                    number += 1
                    if outcome is None:
                        continue
                    if outcome.problems:
                        outcome = replace(outcome, problems=self._placed(document, outcome.problems))
                        faults.add(outcome.problems)
                    elif self._folder:
                        entry = manifest.entry(file_name(outcome.name), bytes.fromhex(outcome.digest))
                        (same if outcome.status == UNCHANGED else changed).append(entry)
                    shared.add(number, outcome.hashes)
                    each(outcome)
        suspects = shared.suspects()
        del shared
        if suspects:
            faults.add(self._shared(suspects))
        faults.add(unread)
        faults.end()
        if self._folder:
            self._write(self._folder, changed, sorted(changed + same), each)

    def _chunks(self, unread: list[Problem]) -> Iterator[tuple[list[Document], Any]]:
        """Yield guests, and what of them is sent to another process: values, or lines that it parses itself."""
        documents = self._inputs.documents(unread)
        for under, alike in groupby(documents, lambda document: document.under):
            while chunk := list(islice(alike, CHUNK)):
                yield chunk, ([layer.value for layer in under], [document.own.value for document in chunk])

    def _outcomes(self, sent: tuple[list[Any], list[Any]]) -> list[Outcome | None]:
        under, values = sent
        return [self._outcome(under, value) for value in values]

    def _outcome(self, under: list[Any], value: Any) -> Outcome | None:
        name = ""
        try:
            guest = self._guest(under, value)
            if isinstance(guest, dict) and isinstance(named := guest.get("name"), (str, int)):
                name = str(named)
                if self._options.select and not any(fnmatchcase(name, glob) for glob in self._options.select):
                    return None
            context, xml = self._renderer.rendered(guest)
            unused = self._renderer.unused(guest) if self._options.strict else []
        except GuestError as error:
            return Outcome(name, error.problems)
        if unused:
            return Outcome(name, tuple(unused))
        hashes = tuple(key.hash() for key in self._keys(context, guest))
        if not self._folder:
            return Outcome(name, text=self._make(context, xml), hashes=hashes)
        return self._file(self._folder, context, xml, Outcome(context["name"], hashes=hashes))

    def _keys(self, context: dict[str, Any], guest: Any) -> Iterator[Key]:
        allowed = self._options.allow_shared
        return iter(()) if allowed is None else keys(context, guest, allowed)

    def _guest(self, under: list[Any], value: Any) -> Any:
        own = parsed(Source("", value)) if isinstance(value, bytes) else value
        return with_settings(self._renderer.schema.root, layered(under, own), self._inputs.over)

    def _file(self, folder: Folder, context: dict[str, Any], xml: str, outcome: Outcome) -> Outcome:
        """Compare a guest's file with what it is to hold, and stage it where that differs."""
        name, data = file_name(outcome.name), xml.encode()
        found = folder.read(name)
        old, state = found or (None, None)
        status = CREATED if old is None else UNCHANGED if old == data else CHANGED
        if status != UNCHANGED and not self._options.check:
            folder.stage(name, data, state, secret=old is None and has_secret(self._renderer.schema.root, context))
        diff = self._diff(folder.place(name), old, data) if self._options.diff and status != UNCHANGED else ""
        return replace(outcome, status=status, digest=digest(data), diff=diff)

    def _diff(self, place: str, old: bytes | None, new: bytes | None) -> str:
        """Return the difference between two versions of a file, without secrets."""
        before, after = (
            self._mask(data.decode(errors="replace")).splitlines(keepends=True) if data is not None else []
            for data in (old, new)
        )
        names = ("/dev/null" if old is None else place, "/dev/null" if new is None else place)
        lines = list(unified_diff(before, after, *names))
        return "".join(lines) or f"--- {place}\n+++ {place}\n# only secrets differ\n"

    def _placed(self, document: Document, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
        if isinstance(document.own, Line):
            try:
                document.own.parsed()
            except GuestError as error:
                return error.problems
        return tuple(document.located(problems, self._inputs.over))

    def _shared(self, suspects: set[int]) -> list[Problem]:
        """Read the guests again that seem to share something, and say what it is."""

        def found() -> Iterator[tuple[str, Key, Callable[[Problem], Problem]]]:
            for number, document in enumerate(self._inputs.documents([]), start=1):
                if number in suspects:
                    guest = self._inputs.guest(document)
                    context = self._renderer.context(guest)
                    place = _placer(document, self._inputs.over)
                    for key in self._keys(context, guest):
                        yield context["name"], key, place

        return problems_of(found())

    def _write(self, folder: Folder, changed: list[bytes], files: list[bytes], each: Callable[[Outcome], None]) -> None:
        """Rename what is staged into place, remove what is to go, and note in the manifest what is there then.

        Before a file is there, the manifest has it: whenever this is stopped, no file is there unknown to it.
        """
        found = folder.read(manifest.NAME)
        data, state = found or (b"", None)
        old, noted = sorted(manifest.entries(data)), digest(data)
        del found, data
        stay, gone = self._left_over(folder, manifest.others(old, files), each)
        if self._options.check:
            return

        def note(contents: bytes) -> None:
            nonlocal noted
            if noted != (noted := digest(contents)):
                folder.stage(manifest.NAME, contents, state)
                folder.commit([manifest.NAME])

        if changed:
            note(manifest.contents(old, files))
        folder.commit(manifest.parts(entry)[0] for entry in changed)
        for name in gone:
            folder.remove(name)
        note(manifest.contents(files, stay))
        folder.flush()

    def _left_over(
        self, folder: Folder, entries: Iterator[bytes], each: Callable[[Outcome], None]
    ) -> tuple[list[bytes], list[bytes]]:
        """Return the entries of other guests that stay, and the names of their files that are to go."""
        if not self._options.prune:
            return list(entries), []
        stay, gone = [], []
        for entry in entries:
            name, written = manifest.parts(entry)
            guest = name.removesuffix(ENDING).decode(errors="surrogateescape")
            if self._options.select and not any(fnmatchcase(guest, glob) for glob in self._options.select):
                stay.append(entry)
            elif (found := folder.read(name)) is None:
                pass
            elif digest(found[0]) == written.hex():
                gone.append(name)
                diff = self._diff(folder.place(name), found[0], None) if self._options.diff else ""
                each(Outcome(guest, status=REMOVED, diff=diff))
            else:
                stay.append(entry)
                each(Outcome(guest, status=KEPT))
        return stay, gone


def _placer(document: Document, over: tuple[Setting, ...]) -> Callable[[Problem], Problem]:
    return lambda problem: document.located([problem], over)[0]


def file_name(guest: str) -> bytes:
    """Return the name of a guest's file."""
    return guest.encode() + ENDING


class _Faults:
    """The problems of a run: the first of them, each once, and how many more there are."""

    def __init__(self) -> None:
        self._listed: dict[Problem, None] = {}
        self._more = 0

    def add(self, problems: Iterable[Problem]) -> None:
        for problem in problems:
            if problem not in self._listed:
                if len(self._listed) < MOST_PROBLEMS:
                    self._listed[problem] = None
                else:
                    self._more += 1

    def end(self) -> None:
        if self._listed:
            raise GuestError(self._listed, self._more)
