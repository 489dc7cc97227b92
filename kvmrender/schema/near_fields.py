"""Suggestions for unknown keys: by spelling, by the same name elsewhere, and by synonyms."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice, pairwise
from pathlib import Path as File
from typing import cast

from kvmrender.errors import LONGEST, Path, brief, listed, nearest
from kvmrender.schema.guest_schema import Node, inner, resolve
from kvmrender.schema.shorthand import QUANTITIES, forms, texts

SYNONYMS = File(__file__).with_name("synonyms.yaml")
SLIP = 0.85
"""Similarity, from 0 to 1, from which an unknown key is taken for a misspelling of a known one, whatever other fields
have its name."""
MOST_KEYS = 9
NEAREST = 5
OTHER = "…"
"""What stands in a form for a value that only the user knows."""
MAIN = ("source", "name")
"""Keys that usually hold the main value of a mapping, in order, if no other key accepts the word."""
_PLAIN = re.compile(r"[A-Za-z0-9/](?:[\w/. -]*[\w/.-])?", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,18}) ?([A-Za-z]{1,5})", re.ASCII)
MOST_PLACES = 3
"""Maximum number of fields of one name in a message."""


def key_hint(root: Node, above: Path, key: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown key of the mapping at a path, which has the ``known`` ones."""
    known = [*known]
    if meant := _synonyms().get(_dotted((*above, key))):
        return f" (did you mean {meant!r}?)"
    if found := nearest(key, known, SLIP):
        return found
    if places := [*islice(_elsewhere(root, above, key), MOST_PLACES)]:
        return f" (did you mean {listed([repr(place) for place in places], 'or')}?)"
    if found := nearest(key, known):
        return found
    if len(known) <= MOST_KEYS:
        return f" (known keys: {', '.join(known)})"
    explain = " ".join(["kvmrender explain", *filter(None, [_dotted(above)])])
    like = _most_like(key, known)
    return f" ({f'the nearest are {listed(like)}; ' if like else ''}{explain} lists all)"


def form_hint(root: Node, path: Path, value: object) -> str:
    """Suggest the neighbor field that is meant if a scalar is given for a field that takes none: ``vcpus: 4``."""
    if not path or not isinstance(path[-1], str) or not isinstance(value, (str, int)):
        return ""
    beside = _fields(root, [step for step in path[:-1] if isinstance(step, str)])
    takes = (name for name, node in beside.items() if forms(resolve(root, node))[1] is not None and name != path[-1])
    return nearest(path[-1], takes, SLIP)


def right_forms(root: Node, path: Path, node: Node, value: object) -> Iterator[tuple[Path, object]]:
    """Yield how a value may be written that was given in another form than what a node at a path takes, most likely
    ones first, each with the path that it belongs to. Which of them are valid remains to be seen."""
    if value is False and "none" in node.get("enum", ()):
        yield path[:-1], "none"
    if (nothing := _nothing(root, path, value)) is not None:
        yield nothing
    if node.get("type") == "array":
        item = resolve(root, node["items"]) if "items" in node else {}
        found = _in_mapping(root, item, value) if item.get("type") == "object" else [value]
        yield from ((path, [one]) for one in found)
    elif node.get("type") == "object":
        yield from ((path, one) for one in _in_mapping(root, node, value))
    else:
        if node.get("type") == "integer" and isinstance(value, str) and (words := _SIZE.fullmatch(value)):
            yield path[:-1], {str(path[-1]): int(words[1]), "unit": words[2]}
        inside = [*value.values()] if isinstance(value, dict) and [*value] == ["text"] else value
        if isinstance(inside, list) and _is_alone(inside):
            above = _above(root, path[:-1])
            yield (path[:-1] if path[-1] == "text" and forms(above)[1] == "text" else path), inside[0]


def other_forms(root: Node, node: Node) -> str:
    """Say which form a mapping has that a value is no form of: its texts, or else its keys."""
    whose, node = "keys of an item" if node.get("type") == "array" else "its keys", _item(root, node)
    if node.get("format") in QUANTITIES:
        return ""
    if texts_of := [text.shown for text in texts(node)]:
        return f", or {listed(texts_of[:MOST_PLACES], 'or')}"
    known = {name: resolve(root, child) for name, child in node.get("properties", {}).items()}
    needed = [name for name in node.get("required", ()) if not {"default", "defaults"} & {*known.get(name, ())}]
    keys = needed or [*dict.fromkeys([*(name for name in MAIN if name in known), *known])]
    more = ", …" if len(keys) > NEAREST else ""
    return f" ({whose}: {', '.join(keys[:NEAREST])}{more})" if keys else ""


def written(path: Path, value: object) -> str:
    """Return a form as it is written in a guest, from the last key of its path on."""
    is_item = isinstance(path[-1], int)
    shown = _flow(value)
    return f": write {_key(path)}{f'[{shown}]' if is_item else shown}"


def words_of(root: Node, node: Node) -> list[object]:
    """Return the words that a field, or its short form, accepts."""
    stands_for = forms(node)[1]
    if isinstance(stands_for, str) and stands_for in node.get("properties", {}):
        node = resolve(root, node["properties"][stands_for])
    return list(node.get("enum", ()))


def _nothing(root: Node, path: Path, value: object) -> tuple[Path, object] | None:
    """Return how to write that there is none of a device, where a value says so, and its path."""
    if (value is not False and value not in ("none", "no", "off")) or not path:
        return None
    node = resolve(root, root.get("properties", {}).get(path[0], {}))
    if node.get("type") == "array":
        return (path[0],), []
    return None if path[0] in root.get("required", ()) or node.get("format") in QUANTITIES else ((path[0],), None)


def _in_mapping(root: Node, node: Node, value: object) -> Iterator[object]:
    """Yield what a mapping may be written as for what was given in its place."""
    if isinstance(value, list):
        presence, stands_for = forms(node)
        takes = presence or stands_for is not None or node.get("format") in QUANTITIES
        yield from value if takes and _is_alone(value) else []
        return
    if value == "" or isinstance(value, bool) or not isinstance(value, (str, int)):
        return
    known = {name: resolve(root, child) for name, child in node.get("properties", {}).items()}
    if value in known and _is_switch(known[str(value)]):
        yield {value: True}
    named = [name for name, child in known.items() if value in words_of(root, child)]
    main = [name for name in MAIN if name in known and isinstance(value, str)]
    required = [name for name in node.get("required", ()) if name in known]
    numbers = [name for name in known if str(value)[:1].isdigit() and not {*known} & {*MAIN}]
    others = sorted([*required, *numbers], key=lambda name: known[name].get("type") == "integer")
    for name in dict.fromkeys([*named, *main, *others]):
        yield {name: value}


def _is_switch(node: Node) -> bool:
    """Say whether a field is on or off, in its short form if it has one."""
    options = {*node.get("enum", ()), *node.get("properties", {}).get("state", {}).get("enum", ())}
    return forms(node)[0] or bool(options & {"on", "yes"}) or "state" in node.get("properties", {})


def _above(root: Node, path: Path) -> Node:
    node = root
    for step in path:
        node = inner(root, node, step)
    return node


def _is_alone(value: list[object]) -> bool:
    """Return whether a list consists of one scalar."""
    return len(value) == 1 and isinstance(value[0], (str, int)) and not isinstance(value[0], bool)


def _key(path: Path) -> str:
    names = [step for step in path if isinstance(step, str)]
    return f"{names[-1]}: " if names else ""


def _flow(value: object) -> str:
    """Format a value as YAML in one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_flow(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_flow, value))}]"
    if isinstance(value, str):
        return (
            brief(value) if value == OTHER or _PLAIN.fullmatch(value) else json.dumps(brief(value), ensure_ascii=False)
        )
    return (
        {True: "true", False: "false", None: "null"}[value]
        if value is None or value is True or value is False
        else str(value)
    )


def _dotted(path: Path) -> str:
    return ".".join(step for step in path if isinstance(step, str))


def _elsewhere(root: Node, above: Path, key: str) -> Iterator[str]:
    """Yield the fields of that name in mappings inside a mapping, and next to it."""
    names = [step for step in above if isinstance(step, str)]
    for name, child in _fields(root, names).items():
        if key in _fields(root, [], child):
            yield ".".join([*names, name, key])
    if names and key in _fields(root, names[:-1]):
        yield ".".join([*names[:-1], key])


def _fields(root: Node, names: Iterable[str], node: Node | None = None) -> Node:
    """Return the fields of a node, of the guest, or of the field of this name in it; of a list, those of its items."""
    node = _item(root, root if node is None else node)
    for name in names:
        node = _item(root, node.get("properties", {}).get(name, {}))
    return cast(Node, node.get("properties", {}))


def _item(root: Node, node: Node) -> Node:
    node = resolve(root, node)
    return resolve(root, node["items"]) if "items" in node else node


def _most_like(key: str, known: list[str]) -> list[str]:
    """Return the known keys with the most letter pairs in common with a key, computed fast."""
    letters = {*pairwise(key[:LONGEST].casefold())}
    common = {name: len(letters.intersection(pairwise(name.casefold()))) for name in known}
    return sorted(filter(common.get, known), key=lambda name: -common[name])[:NEAREST]


@cache
def _synonyms() -> dict[str, str]:
    """Return the fields that an unknown key is a synonym of."""
    import yaml

    table = yaml.safe_load(SYNONYMS.read_text("utf-8"))
    return {word: field for field, words in table.items() for word in words}
