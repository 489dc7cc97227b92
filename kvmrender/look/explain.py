"""Explanation of a field for terminals: its facts, the fields inside, and the templates that write it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from kvmrender import errors
from kvmrender.engine import Engine
from kvmrender.reading.guest_text import to_yaml
from kvmrender.reading.parse import from_yaml
from kvmrender.reading.profiles import Profiles
from kvmrender.schema.field_facts import Field, field_at, whole
from kvmrender.schema.versions import schema_of
from kvmrender.shipped import shipped_fixtures
from kvmrender.templating.observed import Place
from kvmrender.templating.stack import Stack
from kvmrender.templating.used_fields import NOT_WRITTEN
from kvmrender.workbench.field_templates import writers

REFERENCE = "https://libvirt.org/formatdomain.html"
WIDTH = 110
NAME = 11
"""Width of the names of facts, including the following space."""
MOST_FOUND = 40
"""Maximum number of fields in the result of a search."""
MOST_VALUES = 60
"""Maximum length of the values of a field in a list of fields."""
MOST_LINES = 16
"""Maximum number of lines of an example."""
NONE, LEFT_OUT, REQUIRED = "none", "it is left out", "it must be given"


def explain(engine: Engine, path: str, recursive: bool = False, libvirt: str | None = None) -> str:
    """Return the facts about the field at ``path``, and the fields inside, without those that a ``libvirt`` version
    does not support. Raises Error for a missing field.

    Without a path, return the tree of all fields.
    """
    schema = schema_of(engine.schema, libvirt)
    try:
        found = field_at(schema, path)
    except errors.Error:
        since = field_at(engine.schema, path).since
        raise errors.Error(f"{path}: is not in libvirt {libvirt}, but in {since}") from None
    if not found.path:
        return "".join(tree(whole(schema)))
    lines = [f"{found.name}  <{found.kind}>", "", *wrapped(found.description, "  ")]
    places = writers(engine).get(found.path, [])
    lines += ["", *(line for name, said in facts(found) for line in fact(name, said))]
    if using := Profiles(engine.schema.root).saying(found.path):
        lines += fact("profiles", ", ".join(using))
    lines += fact("template", ", ".join(written(engine.stack, places)) or unwritten(found.path))
    if shown := example(str(found.path[0])) if len(found.path) == 1 and "mapping" in found.kind else "":
        lines += ["", "  example:", *(f"    {line}" for line in shown.splitlines())]
    if inside := list(tree(found, deep=recursive)):
        lines += ["", "  fields:", *(f"    {line.rstrip()}" for line in inside)]
    return "\n".join(lines) + "\n"


def search(engine: Engine, word: str, libvirt: str | None = None) -> str:
    """Return the fields that have a word in their names, or else take it as a value, or else have it in their
    descriptions, as lines; nothing where none has. What several elements share is listed once."""
    known = [*_below(top := whole(schema_of(engine.schema, libvirt)), homes(top))]
    folded = word.casefold()
    named = [field for field in known if str(field.path[-1]).casefold() == folded]
    named += [field for field in known if folded in str(field.path[-1]).casefold() and field not in named]
    is_name = any(str(field.path[-1]).casefold() == folded for field in named)
    taking = [] if is_name else [field for field in known if folded in map(str.casefold, field.words)]
    described = re.compile(rf"\b{re.escape(folded)}", re.IGNORECASE)
    found = taking or named or [field for field in known if described.search(field.description)]
    if not found:
        return ""
    where = f"take {word!r} as a value" if taking else f"have {word!r} in their {'names' if named else 'descriptions'}"
    lines = [f"{word} is no field of a guest; these {where}:", ""]
    lines += [f"  {field.name}  <{_kind(field)}>  {field.description}" for field in found[:MOST_FOUND]]
    lines += [f"  … and {len(found) - MOST_FOUND} more"] if len(found) > MOST_FOUND else []
    return "\n".join(lines) + "\n"


def _below(field: Field, known: Mapping[str, str]) -> Iterator[Field]:
    for child in field.children():
        yield child
        if known.get(child.reference or "", child.name) == child.name:
            yield from _below(child, known)


@cache
def example(key: str) -> str:
    """Return an example of a device or section from the example guests, as YAML: the shortest that is not trivial."""
    found = list[str]()
    begins = re.compile(rf"^{re.escape(key)}:(?! (?:\[\]|null)?$)", re.MULTILINE)
    for file in sorted(shipped_fixtures().rglob("*.yaml")):
        text = file.read_text(encoding="utf-8")
        if begins.search(text):
            guests = [guest for guest in from_yaml(text) if isinstance(guest, dict) and guest.get(key)]
            found += [to_yaml({key: guest[key]}) for guest in guests]
    found.sort(key=lambda one: (one.count("\n") > MOST_LINES, len(one), one))
    return next((one for one in found if len(one) > MOST_VALUES), found[0] if found else "")


def _kind(field: Field) -> str:
    """Return the type of a field, or its values if they are few."""
    is_word = "enum" in field.item and "list" not in field.kind and field.kind != "boolean"
    return field.values if is_word and len(field.values) <= MOST_VALUES else field.kind


def facts(field: Field) -> Iterator[tuple[str, str]]:
    """Yield the facts about a field, each with its name."""
    yield "values", field.values
    yield "default", default(field)
    yield "shorthand", "; ".join(field.shorthand) or NONE
    if field.only:
        yield "only", ", and ".join(field.only)
    if field.is_secret:
        yield "secret", "shown nowhere but in the XML"
    yield "since", field.since
    yield "libvirt", link(field)


def default(field: Field) -> str:
    """Return the default of a field in words."""
    given = [REQUIRED] if field.is_required else [f"{REQUIRED} {where}" for where in field.required_where]
    return "; ".join(field.default or given) or LEFT_OUT


def link(field: Field) -> str:
    """Return the URL of a field in libvirt's reference."""
    return f"{REFERENCE}#{field.anchor}" if field.anchor else REFERENCE


def written(stack: Stack, places: list[Place]) -> list[str]:
    """Format places in templates, ``devices/disk.xml.j2:2``."""
    return [f"{template_name(stack, file)}:{line}" for file, line in places]


def template_name(stack: Stack, file: str) -> str:
    """Return the name of a shipped template, and the path of any other."""
    return Path(file).relative_to(stack.shipped).as_posix() if stack.is_shipped(file) else file


def unwritten(path: errors.Path) -> str:
    """Return why no template writes a field."""
    if path[0] in NOT_WRITTEN:
        return f"{NONE}: other fields follow from it"
    return f"{NONE}: it is for templates of one's own" if path[0] == "vars" else NONE


def tree(field: Field, deep: bool = True) -> Iterator[str]:
    """Yield a line for each field inside, with ``deep`` recursively."""
    yield from _branch(field, 0, homes(field) if deep else None)


def _branch(field: Field, depth: int, known: Mapping[str, str] | None) -> Iterator[str]:
    for child in field.children():
        home = known.get(child.reference or "", child.name) if known is not None else child.name
        more = "" if home == child.name else f" (as in {home})"
        yield f"{'  ' * depth}{child.path[-1]}  <{_kind(child)}>  {child.description}{more}\n"
        if known is not None and not more:
            yield from _branch(child, depth + 1, known)


def homes(field: Field) -> dict[str, str]:
    """Return where fields that several elements share are described: in the one nearest to the top."""
    found: dict[str, str] = {}
    level = [field]
    while level:
        children = [child for above in level for child in above.children()]
        level = []
        for child in children:
            if child.reference is None or found.setdefault(child.reference, child.name) == child.name:
                level.append(child)
    return found


def fact(name: str, said: str) -> list[str]:
    """Return the lines of a fact with its name."""
    first, *rest = textwrap.wrap(said, WIDTH - NAME - 2, break_on_hyphens=False, break_long_words=False)
    return [f"  {name:{NAME}}{first}", *(f"  {'':{NAME}}{line}" for line in rest)]


def wrapped(text: str, indent: str) -> list[str]:
    """Return the lines of a text, wrapped."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
