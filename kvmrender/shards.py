"""A fleet in several parts: each part checked by itself, on any machine, then all of them against each other.

What crosses from machine to machine is small: 12 bytes for each name, UUID, MAC address and disk, and the places of
those that occur twice.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kvmrender.errors import GuestError, Path, Problem
from kvmrender.inputs import Inputs
from kvmrender.renderer import Renderer
from kvmrender.shared import Context, Key, Shared, keys, problems_of

Place = tuple[str | None, tuple[int, int] | None]


@dataclass(frozen=True)
class Summary:
    """What is to be known of a part of a fleet: how many guests it has, its problems, and its keys as hashes.

    ``guests`` has for each hash the number of its guest, from 0.
    """

    count: int
    problems: tuple[Problem, ...]
    hashes: array[int] = field(repr=False)
    guests: array[int] = field(repr=False)


@dataclass(frozen=True, eq=False)
class Owner:
    """A guest that seems to share something: its name, and its keys with their places."""

    name: str
    keys: tuple[tuple[Key, Place], ...]

    def place(self, problem: Problem) -> Problem:
        """Return a problem of one of its keys with the place of that key."""
        return problem.at(*next(place for key, place in self.keys if key.path == problem.path))


def summary(
    renderer: Renderer,
    inputs: Inputs,
    allow_shared: Iterable[str] = (),
    each: Callable[[Context, str], None] = lambda context, xml: None,
) -> Summary:
    """Render the guests of a part, and return what is to be known of it; ``each`` gets context and XML of each.

    Raises TemplateError.
    """
    problems: list[Problem] = []
    hashes, guests = array("Q"), array("I")
    count = 0
    for number, document in enumerate(inputs.documents(problems)):
        count += 1
        try:
            guest = inputs.guest(document)
            context, xml = renderer.rendered(guest)
        except GuestError as error:
            problems += document.located(error.problems, inputs.over)
            continue
        found = [key.hash() for key in keys(context, guest, allow_shared)]
        hashes.extend(found)
        guests.extend([number] * len(found))
        each(context, xml)
    return Summary(count, tuple(problems), hashes, guests)


def suspects(summaries: Sequence[Summary]) -> list[set[int]]:
    """Return for each part the numbers of the guests that seem to share something with a guest of any part."""
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


def owners(renderer: Renderer, inputs: Inputs, numbers: set[int], allow_shared: Iterable[str] = ()) -> list[Owner]:
    """Read the guests of these numbers again, where their part is, and return what they own and where it stands."""
    result = []
    for number, document in enumerate(inputs.documents([])):
        if number in numbers:
            guest = inputs.guest(document)
            context = renderer.context(guest)

            def place(path: Path, document: Any = document) -> Place:
                found = document.located([Problem(path, "")], inputs.over)[0]
                return found.file, (found.line, found.column) if found.line else None

            found = tuple((key, place(key.path)) for key in keys(context, guest, allow_shared))
            result.append(Owner(context["name"], found))
    return result


def clashes(found: Iterable[Owner]) -> list[Problem]:
    """Return what guests share by mistake; ``found`` are those of all parts, in order."""
    placers = ((owner, owner.place) for owner in found)  # one object a guest: by it they are told apart
    return problems_of((owner.name, key, place) for owner, place in placers for key, _ in owner.keys)


def clashes_of(
    guests: Iterable[tuple[Context, Any]],
    place: Callable[[int, Problem], Problem] = lambda number, problem: problem,
    allow_shared: Iterable[str] = (),
) -> list[Problem]:
    """Return what guests in memory share by mistake: contexts, each with its guest as written.

    ``place`` gives a problem of the guest of a number its place.
    """

    def owned() -> Iterator[tuple[str, Key, Callable[[Problem], Problem]]]:
        for number, (context, guest) in enumerate(guests):

            def placer(problem: Problem, number: int = number) -> Problem:
                return place(number, problem)

            for key in keys(context, guest, allow_shared):
                yield context["name"], key, placer

    return problems_of(owned())
