"""Descriptions of checks and other IDs in brackets, for terminals, and the page of all checks in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from kvmrender.checks.all_checks import checks_of, known_of
from kvmrender.checks.common import OF_FLEETS
from kvmrender.engine import Engine, default_engine
from kvmrender.errors import ERROR, Error, GuestError, nearest
from kvmrender.look import explain
from kvmrender.look.fields_page import cell
from kvmrender.rules.rules import VERSION, placed_rules
from kvmrender.schema.guest_schema import GuestSchema, Node

PAGE = "docs/checks.md"
INTRODUCTION = """\
# All checks

This page is written by `kvmrender explain --checks --markdown`; `kvmrender explain ID` says the same of one check, with
a guest just inside it. The id stands in brackets at the end of each message, and is the anchor here:
`memory: 1025 MiB is more than maxMemory, 1024 MiB [max-memory]` leads to [checks.md#max-memory](#max-memory).

- **error**: libvirt refuses the guest, when it is defined or started, and nothing is rendered. Where a libvirt is
  named, it is these that refuse it: a guest is for the newest, or for the one that it names (`libvirt: 9.0.0`).
- **note**: libvirt takes the guest, and hardly anybody wants it. It is told on standard error, and the exit code stays;
  `--strict` makes it an error.

`--ignore ID`, or `ignore: [ID]` in a guest or in defaults, turns a check off. An id that finds nothing is a note
itself. Each guest in the table, with a name, is one that the check finds.
"""
OTHERS = """\
## What else finds problems

| id | holds when |
| --- | --- |"""


class About(NamedTuple):
    """Description of an ID: what holds if there is no such problem, the level of the problem, and the libvirt versions.

    ``inside`` and ``outside`` are guests without name: one that barely passes, and one that has the problem. Only
    checks have them. Other IDs can't be ignored, unless ``is_ignorable``.
    """

    id: str
    description: str
    level: str
    since: str = ""
    until: str = ""
    inside: Node | None = None
    outside: Node | None = None
    is_check: bool = True
    is_ignorable: bool = True


def catalogue(schema: GuestSchema) -> dict[str, About]:
    """Return the descriptions of all IDs of problems of a schema's guests: of checks, by ID, then of others."""
    found = {}
    rules = {rule["id"]: rule for _, rule, *_ in schema.rules or placed_rules(schema)}
    examples = known_of("examples")
    for check in sorted(checks_of(schema), key=lambda check: check.id):
        rule: dict[str, Any] = rules.get(check.id, {}) if check.id != VERSION else {}
        example = examples.get(check.id, rule)
        known = rule.get("since", ""), rule.get("until", ""), example.get("inside"), example.get("outside")
        found[check.id] = About(check.id, check.description, check.level, *known)
    for name, said in known_of("other_ids").items():
        of = said["description"], said.get("level", ERROR)
        found[name] = About(name, *of, is_check=False, is_ignorable=name in OF_FLEETS)
    return found


_WORD = re.compile(r"\w[\w.-]+")


def explain_any(engine: Engine, path: str, recursive: bool = False, libvirt: str | None = None) -> str:
    """Return the description of the field, of the ID, or of both with this name. Raises Error."""
    about = catalogue(engine.schema) if path else {}
    try:
        found = explain.explain(engine, path, recursive, libvirt)
    except Error as error:
        if path in about:
            return of_id(engine, about[path])
        if _WORD.fullmatch(path) and (found := explain.search(engine, path, libvirt)):
            return found
        is_field = path.partition(".")[0] in engine.schema.root["properties"] or "did you mean" in str(error)
        if ("-" in path or not is_field) and (hint := nearest(path, about)):
            raise Error(f"{path}: is neither a field nor the id of a check{hint}") from None
        raise
    return f"{found}\n{of_id(engine, about[path])}" if path in about else found


def of_id(engine: Engine, about: About) -> str:
    """Return the description of an ID as lines."""
    kind = "check" if about.is_check else "id of problems"
    lines = [f"{about.id}  <{kind}>", "", *explain.wrapped(about.description, "  "), ""]
    for name, said in _facts(about):
        lines += explain.fact(name, said)
    for name, guest in (("inside", about.inside), ("outside", about.outside)):
        if guest is not None:
            text = yaml.safe_dump(_named(guest), sort_keys=False, default_flow_style=None, width=explain.WIDTH)
            lines += ["", f"  {name}:", *(f"    {line}" for line in text.splitlines())]
    if about.outside is not None:
        lines += ["", "  which says:", *(f"    {line}" for line in _said(engine, about))]
    return "\n".join(lines) + "\n"


def checks_list(engine: Engine) -> str:
    """Return a line for each ID that a problem may have."""
    return "".join(f"{about.id}  <{about.level}>  {about.description}\n" for about in catalogue(engine.schema).values())


def descriptions(engine: Engine) -> dict[str, tuple[str, str]]:
    """Return description and level of problems by ID."""
    return {about.id: (about.description, about.level) for about in catalogue(engine.schema).values()}


def checks_page(engine: Engine) -> str:
    """Return the page of all checks of the engine's guests."""
    return "\n".join([*_page(engine)]) + "\n"


def _facts(about: About) -> Iterator[tuple[str, str]]:
    refuses = "libvirt refuses such a guest" if _is_shipped(about) else "such a guest is not rendered"
    takes = "libvirt takes such a guest, and hardly anybody wants it; --strict makes it an error"
    if about.is_check:
        yield "level", f"{about.level}: {refuses if about.level == ERROR else takes}"
        yield "libvirt", _versions(about) or "all versions"
    else:
        yield "level", about.level
    ways = f"--ignore {about.id}, or ignore: [{about.id}] in the guest or in defaults"
    yield "ignore", ways if about.is_ignorable else "it can't be ignored"


def _is_shipped(about: About) -> bool:
    return about.id in catalogue(default_engine().schema)


def _versions(about: About) -> str:
    """Return the libvirt versions that a check applies to; empty for all."""
    words = [f"from {about.since} on"] if about.since else []
    words += [f"before {about.until}"] if about.until else []
    return " and ".join(words)


def _named(guest: dict[str, Any]) -> dict[str, Any]:
    return {"name": "guest", **guest}


def _said(engine: Engine, about: About) -> list[str]:
    """Return the problems of the outside guest that are of this check."""
    try:
        found = engine.rendered(_named(about.outside or {})).notes
    except GuestError as error:
        found = error.problems
    return [str(problem) for problem in found if problem.id == about.id]


def _page(engine: Engine) -> Iterator[str]:
    yield f"{INTRODUCTION}\n| check | level | holds when | a guest that it finds | what it says |"
    yield "| --- | --- | --- | --- | --- |"
    found = catalogue(engine.schema).values()
    for about in (about for about in found if about.is_check):
        level = " ".join(part for part in (about.level, _versions(about)) if part)
        outside = "" if about.outside is None else _code(_flow(about.outside))
        said = "<br>".join(cell(line.removesuffix(f" [{about.id}]")) for line in _said(engine, about))
        yield f"| {_anchor(about)} | {level} | {cell(about.description)} | {outside} | {said} |"
    yield f"\n{OTHERS}"
    for about in (about for about in found if not about.is_check):
        yield f"| {_anchor(about)} | {cell(about.description)} |"


def _anchor(about: About) -> str:
    return f'<a id="{about.id}"></a>`{about.id}`'


def _flow(guest: dict[str, Any]) -> str:
    return yaml.safe_dump(guest, default_flow_style=True, width=10**6, sort_keys=False).strip()


def _code(text: str) -> str:
    return "`{}`".format(text.replace("|", "\\|"))
