"""Each ``since`` and ``until`` of schema parts, held against the schemas (RNG) of several libvirts, as bounds."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pytest
import releases
from conftest import FIXTURES
from drivers import RELEASES, SCHEMA, in_root, why_missing
from jinja2 import TemplateError
from newer import Used, used

from kvmrender import Renderer
from kvmrender.context.full_form import without_nulls
from kvmrender.engine import Engine
from kvmrender.errors import Path
from kvmrender.reading.load import read
from kvmrender.schema.text_values import version
from kvmrender.templating.environment import finish

pytestmark = pytest.mark.libvirt

ENGINE = Engine()
ENVIRONMENT = ENGINE.new_environment()
EMPTY = {key for key, node in ENGINE.schema.root["properties"].items() if node.get("default") == []}
NEWEST = [*releases.schemas()][-1] if releases.schemas() else ""
UNSEEN = {
    "disks.source.protocol=sheepdog",
    "filesystems.space_hard_limit",
    "filesystems.space_soft_limit",
    "graphics.type=rdp",
}
"""What a schema has, though its libvirt's QEMU driver has it not yet or no longer."""
Context = dict[str, Any]


@cache
def schema(release: str) -> Any:
    from lxml import etree

    return etree.RelaxNG(etree.parse(releases.schemas()[release]))


def is_valid(context: Context, release: str = NEWEST) -> bool:
    """Say whether a guest, whatever is wrong with it otherwise, has XML that a libvirt's schema has."""
    from lxml import etree

    try:
        xml = ENVIRONMENT.get_template(f"{context['arch']}.xml.j2").render(context, domain=context)
    except (TemplateError, ValueError, TypeError):
        return False
    return bool(schema(release).validate(etree.fromstring(finish(xml).encode())))


def without(context: Context, places: Iterable[Path]) -> Context:
    """Return a guest without some of its fields and items of lists, and without the mappings that these leave empty."""
    changed = copy.deepcopy(context)
    for place in sorted(places, key=len, reverse=True):
        drop(changed, place)
    return compact(changed)


def drop(context: Context, place: Path) -> None:
    inner: Any = context
    for part in place[:-1]:
        inner = inner[part]
    if isinstance(inner, list):
        inner[place[-1]] = None  # others keep their numbers
    elif len(place) == 1 and place[0] in EMPTY:
        inner[place[0]] = []
    elif inner.pop(place[-1], None) is not None and not inner:
        drop(context, place[:-1])


def compact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: compact(item) for key, item in value.items()}
    return [compact(item) for item in value if item is not None] if isinstance(value, list) else value


def unit(context: Context, mark: Used) -> Path:
    """Return the least that can be left out with a field; a value goes with what it is a value of."""
    for length in range(len(mark.path) - (mark.is_value and len(mark.path) > 1), 0, -1):
        place = mark.path[:length]
        if is_valid(without(context, [place])):
            return place
    raise AssertionError(f"{context['name']}: nothing can be left out with {mark.path}")


def marked_guests() -> Iterator[tuple[Context, dict[Used, Path]]]:
    """Yield fixtures in full form, with what of them not all libvirts have, and what is to be left out with it."""
    root = ENGINE.schema.root
    for file in FIXTURES:
        for document in read(file.name, file.read_bytes()):
            context = without_nulls(ENGINE.context(document.guest))
            if marks := dict.fromkeys(used(root, root, context)):
                yield context, {mark: unit(context, mark) for mark in marks}


def field(context: Context, mark: Used) -> str:
    value: Any = context
    for part in mark.path:
        value = value[part]
    return ".".join(part for part in mark.path if isinstance(part, str)) + (f"={value}" if mark.is_value else "")


def is_in(mark: Used, release: str) -> bool:
    return (version(mark.release) <= version(release)) is (mark.keyword == "since")


@pytest.mark.skipif(not in_root(RELEASES[-1], SCHEMA), reason=why_missing(RELEASES[-1]))
def test_what_has_a_release_is_in_the_schemas_from_then_on() -> None:
    """A guest without what a libvirt lacks has its schema's XML, if it is rendered; with any of that, it has not."""
    renderer = Renderer()
    lacked, seen, too_early, too_late, not_held = set(), set(), set(), set(), set()
    for context, units in marked_guests():
        since = ENGINE.schema.architectures[context["arch"]].get("since", "0")
        for release in releases.schemas():
            if version(since) > version(release):
                assert not is_valid(context, release), (context["arch"], release)
                continue
            lacking = {mark: place for mark, place in units.items() if not is_in(mark, release)}
            rest = without(context, lacking.values())
            is_right = is_valid(rest, release)
            if not is_right and renderer.result({**rest, "libvirt": release}).xml:
                too_early.add((context["name"], release))
            for mark in lacking:
                name = field(context, mark)
                lacked.add((name, release))
                others = [
                    place
                    for place in lacking.values()
                    if place != mark.path[: len(place)] and mark.path != place[: len(mark.path)]
                ]
                alone = without(context, others)
                assert is_valid(alone), (context["name"], mark)
                if renderer.result({**alone, "libvirt": release}).xml:
                    not_held.add((name, release))
                if is_valid(alone, release):
                    too_late.add((name, mark.release, release))
                elif is_right:
                    seen.add((name, release))
    assert sorted(too_early) == []
    assert sorted(row for row in too_late if row[0] not in UNSEEN) == []
    assert sorted(row for row in lacked - seen if row[0] not in UNSEEN) == []
    assert sorted(not_held) == []
