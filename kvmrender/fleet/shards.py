"""A fleet in several shards: each is checked by itself, on any machine, then all against each other.

Only little data is transferred: 12 bytes for each name, UUID, MAC address and disk, and the positions of duplicates.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from kvmrender.engine import Engine, current_engine
from kvmrender.errors import GuestError, LimitError, Problem, TemplateError
from kvmrender.fleet import manifest
from kvmrender.fleet.clashes import Context, Key, Shared, keys, problems_of
from kvmrender.fleet.fleet import MOST_PROBLEMS as MOST_PROBLEMS
from kvmrender.fleet.folder import Folder, digest
from kvmrender.fleet.guest_result import UNCHANGED, Options, Outcome, file_name
from kvmrender.fleet.output import Output
from kvmrender.reading.inputs import Inputs

Place = tuple[str | None, tuple[int, int] | None]


@dataclass(frozen=True)
class Summary:
    """Summary of a shard: its number of guests, its problems, and hashes of its unique values.

    ``guests`` has the number of the guest, from 0, for each hash.
    """

    count: int
    problems: tuple[Problem, ...]
    hashes: array[int] = field(repr=False)
    guests: array[int] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Owner:
    """A guest that seems to share a value: its name, and its unique values with their positions."""

    name: str
    keys: tuple[tuple[Key, Place], ...]

    def place(self, problem: Problem) -> Problem:
        """Return a problem of one of its values with its position."""
        return problem.at(*next(place for key, place in self.keys if key.path == problem.path))


@dataclass(frozen=True)
class Part:
    """A rendered shard, to be written if no shard has problems: names, XML, and whether it is secret."""

    summary: Summary
    texts: list[tuple[str, str, bool]] = field(repr=False)


@dataclass(frozen=True)
class Job:
    """Options that apply to all shards: those of ``kvmrender render`` with the same names; ``settings`` are those of
    ``--set``."""

    templates: tuple[str, ...] = ()
    defaults: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    namespace: str | None = None
    allow_shared: tuple[str, ...] = ()
    prune: bool = False
    ignore: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def engine(self) -> Engine:
        """Return the engine; a worker creates it again if templates have changed. Raises TemplateError."""
        return current_engine(self.templates, isolated=True)

    def inputs(self, file: str, engine: Engine) -> Inputs:
        """Return the guests of a shard. Raises GuestError for invalid defaults and settings."""
        of = self.defaults, self.settings, self.namespace
        return Inputs(engine.schema.root, (file,), *of, ignore=self.ignore, values=self.values)


def rendered(file: str, job: Job) -> Part:
    """Render the guests of a shard. A fault of a template is one of its problems, reported once.

    Raises TemplateError for folders and schema parts, and GuestError for invalid defaults and settings.
    """
    engine = job.engine()
    inputs = job.inputs(file, engine)
    problems, met = list[Problem](), dict[object, Problem]()
    hashes, guests, texts, count = array("Q"), array("I"), list[tuple[str, str, bool]](), 0
    size = 0
    for number, document in enumerate(inputs.documents(problems)):
        count += 1
        try:
            guest = inputs.guest(document)
            context, xml, _ = engine.rendered(guest)
        except GuestError as error:
            problems += document.located(error.problems, inputs.over)
            continue
        except LimitError as error:
            problems += document.located([error.problem], inputs.over)
            continue
        except TemplateError as error:
            met.setdefault((error.template, error.line, error.message), error.problem)
            continue
        size += len(xml)
        inputs.refuse_growth(size)
        found = [key.hash() for key in keys(context, guest, job.allow_shared)]
        hashes.extend(found)
        guests.extend([number] * len(found))
        texts.append((context["name"], xml, engine.has_secret(context, xml)))
    return Part(Summary(count, (*problems, *met.values()), hashes, guests), texts)


def suspects(summaries: Sequence[Summary]) -> list[set[int]]:
    """Return for each shard the numbers of the guests that seem to share a value with a guest of any shard."""
    shared, starts, start = Shared(), list[int](), 0
    for part in summaries:
        starts.append(start)
        for guest, found in zip(part.guests, part.hashes, strict=True):
            shared.add(start + guest, (found,))
        start += part.count
    found_in_all = shared.suspects()
    return [
        {number - first for number in found_in_all if first <= number < first + part.count}
        for first, part in zip(starts, summaries, strict=True)
    ]


def owners(file: str, numbers: set[int], job: Job) -> list[Owner]:
    """Read the guests with these numbers again, on the machine of their shard, and return their unique values with
    positions."""
    engine = job.engine()
    inputs, result = job.inputs(file, engine), list[Owner]()
    for number, document in enumerate(inputs.documents([])):
        if number in numbers:
            guest = inputs.guest(document)
            context = engine.context(guest)
            own = list(keys(context, guest, job.allow_shared))
            places = [document.located([Problem(key.path, "")], inputs.over)[0] for key in own]
            result.append(Owner(context["name"], tuple(zip(own, map(_place, places), strict=True))))
    return result


def _place(problem: Problem) -> Place:
    return problem.file, (problem.line, problem.column or 1) if problem.line else None


def clashes(found: Iterable[Owner]) -> list[Problem]:
    """Return the conflicts; ``found`` are those of all shards, in order."""
    placers = ((owner, owner.place) for owner in found)  # one object per guest, which identifies it
    return problems_of((owner.name, key, place) for owner, place in placers for key, _ in owner.keys)


def written(part: Part, folder: str, job: Job) -> Counter[str]:
    """Write the files of a shard into its own folder, all or none, and return counts by status.

    The statuses are those of ``kvmrender.fleet.guest_result``. Raises Error.
    """
    counts: Counter[str] = Counter()
    changed, same = list[bytes](), list[bytes]()
    with closing(Folder(folder)) as opened:
        output = Output(opened, job.engine().schema.root, Options(prune=job.prune))
        for guest, xml, secret in part.texts:
            name, data = file_name(guest), xml.encode()
            status = output.put(name, data, secret, opened.read(name))
            counts[status] += 1
            entry = manifest.entry(name, bytes.fromhex(digest(data)))
            (same if status == UNCHANGED else changed).append(entry)

        def count(outcome: Outcome) -> None:
            counts[outcome.status] += 1

        output.commit(changed, sorted(changed + same), count)
    return counts


def clashes_of(
    guests: Iterable[tuple[Context, Any]],
    place: Callable[[int, Problem], Problem] = lambda number, problem: problem,
    allow_shared: Iterable[str] = (),
) -> list[Problem]:
    """Return the conflicts between guests in memory: contexts, each with its guest as written.

    ``place`` sets the position of a problem, for the guest with this number.
    """

    def owned() -> Iterator[tuple[str, Key, Callable[[Problem], Problem]]]:
        for number, (context, guest) in enumerate(guests):

            def placer(problem: Problem, number: int = number) -> Problem:
                return place(number, problem)

            for key in keys(context, guest, allow_shared):
                yield context["name"], key, placer

    return problems_of(owned())
