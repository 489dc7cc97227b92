"""What a field is, for people at a terminal: its facts, the fields in it, the template that writes it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from kvmrender import errors
from kvmrender.engine import Engine
from kvmrender.reading.profiles import Profiles
from kvmrender.schema.field_facts import Field, field_at, whole
from kvmrender.schema.versions import schema_of
from kvmrender.templating.observed import Place
from kvmrender.templating.stack import Stack
from kvmrender.templating.used_fields import NOT_WRITTEN
from kvmrender.workbench.field_templates import writers

REFERENCE = "https://libvirt.org/formatdomain.html"
WIDTH = 110
NAME = 11
"""Width of the names of facts, with the space after them."""
NONE, LEFT_OUT = "none", "it is left out"


def explain(engine: Engine, path: str, recursive: bool = False, libvirt: str | None = None) -> str:
    """Return all that is known of the field at ``path``, and the fields in it, without those that a ``libvirt`` lacks.
    Raises Error for one that isn't there.

    Without a path, it is the tree of all fields.
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
    if inside := list(tree(found, deep=recursive)):
        lines += ["", "  fields:", *(f"    {line.rstrip()}" for line in inside)]
    return "\n".join(lines) + "\n"


def facts(field: Field) -> Iterator[tuple[str, str]]:
    """Yield what is known of a field, each with its name."""
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
    """Say what a field is where it is left out."""
    return "; ".join(field.default) or ("it must be given" if field.is_required else LEFT_OUT)


def link(field: Field) -> str:
    """Return the address of a field's place in libvirt's reference."""
    return f"{REFERENCE}#{field.anchor}" if field.anchor else REFERENCE


def written(stack: Stack, places: list[Place]) -> list[str]:
    """Return places in templates as people look them up, ``devices/disk.xml.j2:2``."""
    return [f"{template_name(stack, file)}:{line}" for file, line in places]


def template_name(stack: Stack, file: str) -> str:
    """Return the name of a shipped template's file, and the path of any other."""
    return Path(file).relative_to(stack.shipped).as_posix() if stack.is_shipped(file) else file


def unwritten(path: errors.Path) -> str:
    """Say why no template writes a field."""
    if path[0] in NOT_WRITTEN:
        return f"{NONE}: other fields follow from it"
    return f"{NONE}: it is for templates of one's own" if path[0] == "vars" else NONE


def tree(field: Field, deep: bool = True) -> Iterator[str]:
    """Yield a line for each field in this one, with ``deep`` also for those below them."""
    yield from _branch(field, 0, homes(field) if deep else None)


def _branch(field: Field, depth: int, known: Mapping[str, str] | None) -> Iterator[str]:
    for child in field.children():
        home = known.get(child.reference or "", child.name) if known is not None else child.name
        more = "" if home == child.name else f" (as in {home})"
        yield f"{'  ' * depth}{child.path[-1]}  <{child.kind}>  {child.description}{more}\n"
        if known is not None and not more:
            yield from _branch(child, depth + 1, known)


def homes(field: Field) -> dict[str, str]:
    """Return where fields that several elements share are described: in that which is nearest to the top."""
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
    """Return the lines of a text."""
    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent)
