"""Fields and values of a guest that need a newer libvirt than a given one, by the schema."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from kvmrender.errors import Path, path_string
from kvmrender.schema.guest_schema import GuestSchema, Node, resolve
from kvmrender.schema.text_values import version

KEYWORDS = ("since", "until")


class Used(NamedTuple):
    """A place of a guest with a release in the schema: of the field, or of its value."""

    path: Path
    keyword: str
    release: str
    is_value: bool


def newer(schema: GuestSchema, context: dict[str, Any], than: tuple[int, ...]) -> str:
    """Return what a libvirt version does not support in a guest in full form: ``throttlegroups since 11.2.0, …``."""
    found = [*used(schema.root, schema.root, context)]
    if since := schema.architectures[context["arch"]].get("since"):
        found.append(Used(("arch",), "since", since, True))
    later = [(path, release) for path, said, release, _ in found if said == "since" and version(release) > than]
    return ", ".join(f"{path_string(path)} since {release}" for path, release in dict.fromkeys(later))


def of_node(node: Node) -> Iterator[tuple[str, str | None, str]]:
    """Yield the releases of a node, such as ``("since", None, "9.1.0")``, and of values ``("since", "nvme",
    "11.5.0")``."""
    for keyword in KEYWORDS:
        said = node.get(keyword, [])
        for one in said if isinstance(said, list) else [said]:
            if isinstance(one, dict):
                yield from ((keyword, value, release) for value, release in one.items())
            else:
                yield keyword, None, one


def used(root: Node, node: Node, value: Any, path: Path = ()) -> Iterator[Used]:
    """Yield the places of a guest in full form that have a release in the schema."""
    node = resolve(root, node)
    for keyword, of, release in of_node(node):
        if of in (None, value):
            yield Used(path, keyword, release, of is not None)
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from used(root, node.get("items", {}), item, (*path, number))
    elif isinstance(value, dict):
        for part in node.get("allOf", ()):
            if "if" not in part:
                yield from used(root, part, value, path)
        for by, variants in node.get("variants", {}).items():
            for variant in variants:
                if value.get(by) in (variant["is"] or ()):
                    yield from (Used((*path, by), keyword, release, True) for keyword, _, release in of_node(variant))
                    yield from used(root, {"properties": variant.get("properties", {})}, value, path)
        for name, child in node.get("properties", {}).items():
            if value.get(name) not in (None, []):
                yield from used(root, child, value[name], (*path, name))
