"""Reports in machine-readable formats: JSON, SARIF 2.1.0, JUnit XML, GitHub annotations.

All are generated from the same objects, one for each guest: its ``name``, ``file`` and ``status``, and its
``problems``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import quote

from kvmrender.errors import ERROR, NOTE, Error, GuestError, Problem, TemplateError, path_string, printable
from kvmrender.problem import line_of
from kvmrender.terminal import write
from kvmrender.version import __version__

Object = dict[str, Any]
"""The entry of a guest in a report, as JSON."""
About = Mapping[str, "tuple[str, str]"]
"""By ID of a problem, its description and level."""
KnowAbout = Callable[[], About]
"""A function that returns them."""

FAILED, SKIPPED, VALID = "failed", "skipped", "valid"
"""Status of guests with problems, of others in a failed run that writes files, and of others in other runs."""

IN_MEMORY = 1 << 24
"""Maximum number of bytes of a report in memory; the rest is written to a temporary file."""
SARIF = "https://json.schemastore.org/sarif-2.1.0.json"


class Objects:
    """The objects of a report, which may be many."""

    def __init__(self) -> None:
        self._file: IO[bytes] = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - close() closes it

    def add(self, found: Object) -> None:
        """Add an object."""
        self._file.write(json.dumps(found).encode() + b"\n")

    def __iter__(self) -> Iterator[Object]:
        """Yield all objects; this can be repeated."""
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)

    def fail(self) -> None:
        """Set the status of objects without problems to skipped, because others have problems."""
        before = Objects()
        before._file, self._file = self._file, before._file
        with closing(before):
            for found in before:
                self.add(found if found["status"] == FAILED else {**found, "status": SKIPPED})

    def close(self) -> None:
        """Discard the objects."""
        self._file.close()


def as_object(problem: Problem) -> Object:
    """Return a problem as in reports."""
    fields = {**vars(problem), "path": path_string(problem.path)}
    return fields | {"related": [*map(path_string, problem.related)]}


class Told:
    """The results that a run has reported so far: on guests, each when it is known, and on itself."""

    def __init__(self, form: str | None) -> None:
        self._form, self.objects, self.notes = form, Objects(), list[Problem]()

    def add(self, name: str | None, file: str | None, problems: Iterable[Problem]) -> None:
        """Add the problems of a guest, by name or file."""
        if self._form:
            self.objects.add(of_guest(name, file, map(as_object, problems)))

    def add_found(self, name: str, status: str, problems: Iterable[Problem], takes: Iterable[str] = ()) -> None:
        """Add the status of a guest on a host, and the steps that apply it."""
        if self._form:
            found = of_guest(name, None, map(as_object, problems))
            file = next((problem["file"] for problem in found["problems"]), None)
            self.objects.add(found | {"file": file, "status": status or found["status"], "takes": [*takes]})

    def note(self, problem: Problem) -> None:
        """Add a note on the run itself."""
        self.notes.append(problem)


@contextmanager
def reported(form: str | None, command: str, about: KnowAbout) -> Iterator[Told]:
    """Collect the results of a command, and write a report in this format at its end, if one is given, also on errors.

    ``about`` returns descriptions of IDs of problems.
    """
    told = Told(form)
    with closing(told.objects) as objects:
        try:
            yield told
        except (GuestError, TemplateError) as error:
            _finish(form, command, objects, untold(objects, told.notes, error), about)
            raise
        _finish(form, command, objects, untold(objects, told.notes), about)


def _finish(form: str | None, command: str, objects: Objects, more: list[Object], about: KnowAbout) -> None:
    if form is None:
        return
    if more:
        objects.add(of_guest(None, None, more))
    for text in written(form, command, objects, about):
        write(text)


def untold(objects: Iterable[Object], notes: Iterable[Problem], error: Error | None = None) -> list[Object]:
    """Return results that the objects do not have: notes, and the problems of an error."""
    problems = [*getattr(error, "problems", ()), *(fault.problem for fault in getattr(error, "faults", ()))]
    problems += [error.problem] if isinstance(error, TemplateError) else []
    told = [problem for found in objects for problem in found["problems"]] if problems else []
    return [found for found in map(as_object, (*problems, *notes)) if found not in told]


def of_guest(name: str | None, file: str | None, problems: Iterable[Object]) -> Object:
    """Return the object of a guest, or of results without a guest."""
    found = list(problems)
    status = FAILED if any(problem["level"] == ERROR for problem in found) else VALID
    return {"name": name, "file": file, "status": status, "problems": found}


def written(form: str, command: str, objects: Iterable[Object], about: KnowAbout) -> Iterator[str]:
    """Yield the text of a command's report, in one of ``FORMS``. ``objects`` are read more than once."""
    return FORMS[form](command, objects, about)


def _json(command: str, objects: Iterable[Object], about: KnowAbout) -> Iterator[str]:
    yield from (json.dumps(found) + "\n" for found in objects)


def _github(command: str, objects: Iterable[Object], about: KnowAbout) -> Iterator[str]:
    for problem in _problems(objects):
        kind = "notice" if problem["level"] == NOTE else "error"
        place = {"file": _file(problem), "line": problem["line"], "col": problem["column"], "title": problem["id"]}
        said = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in place.items() if value is not None)
        yield f"::{kind} {said}::{_escaped(_said(problem, with_file=_file(problem) is None))}\n"


def _escaped(text: str, more: str = "") -> str:
    """Return a text escaped for GitHub's workflow commands, which end with a line, and their properties with a comma or
    colon."""
    text = printable(text).replace("%", "%25")
    for char in more:
        text = text.replace(char, f"%{ord(char):02X}")
    return text


def _sarif(command: str, objects: Iterable[Object], about: KnowAbout) -> Iterator[str]:
    ids: dict[str, None] = {}
    yield f'{{"$schema": "{SARIF}", "version": "2.1.0", "runs": [{{"columnKind": "unicodeCodePoints", "results": ['
    for problem in _problems(objects):
        yield f"{',' if ids else ''}\n{json.dumps(_result(problem))}"
        ids[problem["id"]] = None
    known = about() if ids else {}
    driver = {"name": "kvmrender", "version": __version__, "rules": [_rule(name, known) for name in ids]}
    yield f'\n], "tool": {json.dumps({"driver": driver})}}}]}}\n'


def _result(problem: Object) -> Object:
    region = {"startLine": problem["line"], "startColumn": problem["column"]}
    region = {key: value for key, value in region.items() if value}
    place: Object = {}
    if file := _file(problem):
        uri = Path(file).as_uri() if Path(file).is_absolute() else quote(file)
        place["physicalLocation"] = {"artifactLocation": {"uri": uri}} | ({"region": region} if region else {})
    if problem["path"]:
        place["logicalLocations"] = [{"fullyQualifiedName": problem["path"]}]
    found = {"ruleId": problem["id"], "level": problem["level"]}
    found |= {"message": {"text": _said(problem, with_file=file is None)}}
    return found | ({"locations": [place]} if place else {})


def _rule(name: str, about: About) -> Object:
    description, level = about.get(name, ("", ERROR))
    help_text = f"kvmrender explain {name}"
    found: Object = {"id": name, "help": {"text": help_text, "markdown": f"`{help_text}`"}}
    found |= {"shortDescription": {"text": description}} if description else {}
    return found | {"defaultConfiguration": {"level": level}}


def _junit(command: str, objects: Iterable[Object], about: KnowAbout) -> Iterator[str]:
    from jinja2 import Environment

    text = Path(__file__).with_name("junit.xml.j2").read_text(encoding="utf-8")
    template = Environment(autoescape=True, trim_blocks=True, keep_trailing_newline=True).from_string(text)
    counts = dict.fromkeys(("tests", "failures", "skipped"), 0)
    for case in map(_case, objects):
        counts["tests"] += 1
        counts["failures"] += bool(case["errors"])
        counts["skipped"] += case["is_skipped"]
    yield from template.generate(command=command, cases=map(_case, objects), **counts)


def _case(found: Object) -> Object:
    errors = [problem for problem in found["problems"] if problem["level"] == ERROR]
    lines = {level: [_said(one) for one in found["problems"] if one["level"] == level] for level in (ERROR, NOTE)}
    return {
        "name": printable(found["name"] or found["file"] or "all guests"),
        "file": found["file"] and printable(found["file"]),
        "errors": lines[ERROR],
        "notes": lines[NOTE],
        "type": errors[0]["id"] if errors else "",
        "is_skipped": found["status"] == SKIPPED and not errors,
    }


def _problems(objects: Iterable[Object]) -> Iterator[Object]:
    for found in objects:
        yield from found["problems"]


def _file(problem: Object) -> str | None:
    """Return the file of a problem, or None for standard input or an option."""
    file: str | None = problem["file"]
    return None if file is None or file.startswith(("<", "--")) else file


def _said(problem: Object, with_file: bool = True) -> str:
    """Return a problem as one line."""
    place = [problem[key] for key in ("file", "line", "column")] if with_file else []
    return printable(line_of(place, problem["path"], problem["level"], problem["message"], problem["id"]))


FORMS: dict[str, Callable[[str, Iterable[Object], KnowAbout], Iterator[str]]] = {
    "json": _json,
    "sarif": _sarif,
    "junit": _junit,
    "github": _github,
}
"""The generators of each format."""
