"""Shell completion: fields, names of templates and profiles, ids of checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import click

from kvmrender.errors import Error

Completer = Callable[[click.Context, click.Parameter, str], list[str]]


def _completer(words: Callable[[tuple[str, ...], str], Iterable[str]]) -> Completer:
    """Return a completer for a parameter, with words from the command's template folders; none if they can't be
    read."""

    def complete(ctx: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
        found = list[str]()
        with suppress(Error):
            found += words(ctx.params.get("templates") or (), incomplete)
        return [word for word in found if word.startswith(incomplete)]

    return complete


def _root(templates: tuple[str, ...]) -> Any:
    from kvmrender.engine import current_engine

    return current_engine(templates, isolated=True).schema


def _fields(templates: tuple[str, ...], incomplete: str, position: str = "") -> Iterable[str]:
    """Yield the fields below the typed path; those with nested fields also with a dot."""
    from kvmrender.schema.field_facts import field_at

    above = incomplete.rpartition(".")[0]
    for child in field_at(_root(templates), above).children():
        is_list = child.node.get("type") == "array"
        name = ".".join(filter(None, [above, str(child.path[-1])])) + (position if is_list else "")
        yield name
        if any(True for _ in child.children()):
            yield f"{name}."


def _ids(templates: tuple[str, ...], _: str) -> Iterable[str]:
    names: list[str] = _root(templates).root["properties"].get("ignore", {}).get("items", {}).get("enum", [])
    return names


def _templates(templates: tuple[str, ...], _: str) -> Iterable[str]:
    from kvmrender.templating.stack import Stack

    return Stack(templates).names()


def _profiles(templates: tuple[str, ...], _: str) -> Iterable[str]:
    from kvmrender.templating.stack import Stack

    return sorted(Stack(templates).profiles())


IDS, NAMES, PROFILES = _completer(_ids), _completer(_templates), _completer(_profiles)
SETTINGS = _completer(lambda templates, incomplete: _fields(templates, incomplete, "[0]"))
FIELDS_AND_IDS = _completer(lambda templates, typed: [*_fields(templates, typed), *_ids(templates, typed)])
