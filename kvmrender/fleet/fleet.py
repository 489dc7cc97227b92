"""Rendering of many guests: on all cores, with checks between guests, written all or none."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from itertools import groupby, islice
from typing import Any

from kvmrender.engine import Engine
from kvmrender.errors import ERROR, GuestError, LimitError, Problem, TemplateError, brief
from kvmrender.fleet import manifest
from kvmrender.fleet.clashes import Key, Shared, hashes, keys, problems_of
from kvmrender.fleet.guest_result import UNCHANGED, Options, Outcome, file_name, needless, split
from kvmrender.fleet.output import Output
from kvmrender.fleet.processes import cores, spread
from kvmrender.reading.documents import Document, Line, from_line, layered, name_of
from kvmrender.reading.inputs import Inputs
from kvmrender.reading.layers import Setting
from kvmrender.reading.size_limits import characters

MOST_PROBLEMS = 100
"""Maximum number of problems of a run that are listed."""
SELECT = "--select"
CHUNK, CHUNK_SIZE = 64, 1 << 20
"""Number of guests that a process gets at a time, and size in characters of the layers under them."""


class Fleet:
    """Render the guests of ``inputs``, each as the text that ``make`` returns (default: XML), or into ``output``; with
    ``look``, its result for context and XML is the outcome."""

    def __init__(
        self,
        engine: Engine,
        inputs: Inputs,
        options: Options,
        output: Output | None = None,
        make: Callable[[dict[str, Any], str], str] = lambda context, xml: xml,
        look: Callable[[dict[str, Any], str], Outcome] | None = None,
    ) -> None:
        self._engine, self._inputs, self._options = engine, inputs, options
        self._output, self._make, self._look = output, make, look

    def run(self, each: Callable[[Outcome], None], noted: Callable[[Problem], None] = lambda note: None) -> None:
        """Render all guests, and write them if there is no problem.

        ``each`` is called for every guest in the order of the files, with the outcome for the case that none fails,
        then for every file that is removed; ``noted`` with notes on the run itself. Raises GuestError with the problems
        of all guests.
        """
        faults, unread = Faults(), list[Problem]()
        shared, changed, same = Shared(), list[bytes](), list[bytes]()
        idle = self._inputs.ignored
        number = size = selected = 0
        with closing(spread(self._outcomes, self._chunks(unread), min(self._options.jobs, cores()))) as results:
            for documents, outcomes in results:
                for document, outcome in zip(documents, outcomes, strict=True):
                    number += 1
                    if isinstance(outcome, str):
                        self._inputs.met(outcome)
                        continue
                    self._inputs.met(outcome.name)
                    selected += 1
                    size += outcome.size
                    idle = tuple(name for name in idle if name in outcome.idle)
                    self._inputs.refuse_growth(size)
                    if outcome.fault:
                        faults.add_fault(outcome.fault)
                    elif outcome.problems:
                        if outcome.problems[0].id == "max-size":
                            raise GuestError(outcome.problems)
                        outcome = outcome._replace(problems=self._placed(document, outcome.problems))
                        faults.add(outcome.problems)
                    elif outcome.notes or outcome.differences:
                        outcome = outcome._replace(
                            notes=self._placed(document, outcome.notes),
                            differences=self._placed(document, outcome.differences),
                        )
                    if self._output and not outcome.problems:
                        entry = manifest.entry(file_name(outcome.name), bytes.fromhex(outcome.digest))
                        (same if outcome.status == UNCHANGED else changed).append(entry)
                    shared.add(number, outcome.hashes)
                    each(outcome)
        suspects = shared.suspects()
        del shared
        if suspects:
            faults.add(self._shared(suspects, unread))
        faults.add(unread or self._inputs.unmet(), of_files=True)
        if self._options.select and not selected:
            of = f"{SELECT} {' '.join(map(brief, self._options.select))}"
            faults.add([Problem((), f"no guest has such a name, of {number:,}", file=of, id="select")], of_files=True)
        notes = [*self._inputs.notes, *needless(idle)]
        faults.add(map(as_error, notes) if self._options.strict else ())
        faults.end()
        for note in notes:
            noted(note)
        if self._output:
            self._output.commit(changed, sorted(changed + same), each)

    def _chunks(self, unread: list[Problem]) -> Iterator[tuple[list[Document], Any]]:
        """Yield guests, and the form in which they are sent to another process: values, or lines that it parses
        itself."""
        documents = self._inputs.documents(unread)
        for (under, each), alike in groupby(documents, lambda document: (document.under, document.each)):
            merged = [layered([layer.value for layer in under], {})] if under else []
            of_each = each and each.value
            most = max(1, min(CHUNK, CHUNK_SIZE // characters([merged, of_each])))
            while chunk := list(islice(alike, most)):
                yield chunk, (merged, of_each, chunk[0].position, [document.own.value for document in chunk])

    def _outcomes(self, sent: tuple[list[Any], Any, int, list[Any]]) -> list[Outcome | str]:
        under, each, first, values = sent
        return [self._outcome(under, each, value, index) for index, value in enumerate(values, first)]

    def _outcome(self, under: list[Any], each: Any, value: Any, index: int) -> Outcome | str:
        """Return the outcome of a guest, or the name of one that was not selected."""
        name, guest = "", None
        try:
            guest = self._guest(under, each, value, index)
            if (name := name_of(guest)) and not self._options.selects(name):
                return name
            context, xml, notes = self._engine.rendered(guest)
            notes, idle = split(guest, notes, self._inputs.ignored)
            wrong = (*map(as_error, notes), *self._engine.unused(guest)) if self._options.strict else ()
        except GuestError as error:
            return Outcome(name, split(guest, error.problems, self._inputs.ignored)[0])
        except LimitError as error:
            return Outcome(name, (error.problem,))
        except TemplateError as error:
            return Outcome(name, (error.problem,), fault=error)
        if wrong:
            return Outcome(name, wrong, idle=idle)
        allowed = self._options.allow_shared
        found = () if allowed is None else hashes(context, allowed)
        if self._look:
            return self._look(context, xml)._replace(hashes=found, size=len(xml), notes=notes, idle=idle)
        if not self._output:
            text = self._make(context, xml)
            size = max(len(xml), len(text))
            return Outcome(name, text=text, hashes=found, size=size, notes=notes, idle=idle)
        status, digest, diff = self._output.compare(context, xml)
        name = context["name"]
        return Outcome(name, (), "", found, status, digest, diff, size=len(xml), notes=notes, idle=idle)

    def _guest(self, under: list[Any], each: Any, value: Any, index: int) -> Any:
        own = from_line(value) if isinstance(value, bytes) else value
        return self._inputs.layered(under, each, own, index)

    def _placed(self, document: Document, problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
        if isinstance(document.own, Line):
            try:
                document.own.parsed()
            except GuestError as error:
                return error.problems
        return tuple(document.located(problems, self._inputs.over))

    def _shared(self, suspects: set[int], unread: list[Problem]) -> list[Problem]:
        """Read the guests again that seem to share a value, and return the conflicts.

        Problems of whole files are added to ``unread``: they may have changed.
        """

        def found() -> Iterator[tuple[str, Key, Callable[[Problem], Problem]]]:
            for number, document in enumerate(self._inputs.documents(unread, again=True), start=1):
                if number in suspects:
                    guest = self._inputs.guest(document)
                    context = self._engine.context(guest)
                    place = placer(document, self._inputs.over)
                    for key in keys(context, guest, self._options.allow_shared or ()):
                        yield context["name"], key, place

        return problems_of(found())


def placer(document: Document, over: tuple[Setting, ...]) -> Callable[[Problem], Problem]:
    """Return a function that sets the position of a problem of a guest."""
    return lambda problem: document.located([problem], over)[0]


def as_error(note: Problem) -> Problem:
    """Return a note as an error, for strict runs."""
    return note.of(note.id, ERROR)


class Faults:
    """Problems of a run: the first ones (``most``), each once, and the number of others; and faults of templates, each
    once, with the number of guests that have it."""

    def __init__(self, most: int = MOST_PROBLEMS) -> None:
        self._most = most
        self._listed: dict[Problem, None] = {}
        self._more = 0
        self._templates: dict[object, TemplateError] = {}
        self._met = Counter[object]()

    def add(self, problems: Iterable[Problem], of_files: bool = False) -> None:
        """Add the problems of a guest, or those of whole files, of which as many again are listed."""
        for problem in problems:
            if problem not in self._listed:
                if len(self._listed) < self._most * (1 + of_files):
                    self._listed[problem] = None
                else:
                    self._more += 1

    def add_fault(self, fault: TemplateError) -> None:
        """Add a guest's fault of a template."""
        key = fault.template, fault.line, fault.message
        if key in self._templates or len(self._templates) < self._most:
            self._templates.setdefault(key, fault)
            self._met[key] += 1
        else:
            self._more += 1

    def end(self) -> None:
        """Raise GuestError with all problems, or TemplateError if there are only template faults."""
        for key, fault in self._templates.items():
            fault.met_by(self._met[key] - 1)
        faults = list(self._templates.values())
        if len(faults) == 1 and not self._listed:
            raise faults[0]
        if faults or self._listed:
            raise GuestError(self._listed, self._more, faults)
