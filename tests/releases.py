"""libvirt releases in schema parts, and the schemas of the available libvirt versions."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from guests import INSTALLED
from newer import of_node

from kvmrender.schema.guest_schema import GuestSchema, Node, resolve


@cache
def schemas() -> dict[str, Path]:
    """Return the schema of each libvirt: the installed one, and those of newer Debian releases, the newest last."""
    if not find_spec("lxml"):
        return {}
    from vocabulary import RELEASES, schema_of, version_of

    own = {".".join(map(str, INSTALLED)): path} if INSTALLED and (path := schema_of()) else {}
    return own | {f"{version_of(path)}.0": path for release in RELEASES if (path := schema_of(release))}


def said(schema: GuestSchema) -> Iterator[tuple[str, str]]:
    """Yield all fields, values and architectures with a release in parts: ``until sgio``."""
    yield from dict.fromkeys(_said(schema.root, schema.root, "", frozenset()))
    for name, part in schema.architectures.items():
        yield from (_row(keyword, "arch", value or name, release) for keyword, value, release in of_node(part))


def _row(keyword: str, path: str, value: str | None, release: str) -> tuple[str, str]:
    return f"{'until ' if keyword == 'until' else ''}{path}{f'={value}' if value else ''}", release


def _said(root: Node, node: Node, path: str, above: frozenset[str]) -> Iterator[tuple[str, str]]:
    reference = node.get("$ref", "")
    if reference in above:
        return
    above = above | {reference} if reference else above
    node = resolve(root, node)
    yield from (_row(keyword, path, value, release) for keyword, value, release in of_node(node))
    for part in [*([node["items"]] if "items" in node else []), *node.get("allOf", ())]:
        if "if" not in part:
            yield from _said(root, part, path, above)
    below = f"{path}." if path else ""
    for by, variants in node.get("variants", {}).items():
        for variant in variants:
            for keyword, _, release in of_node(variant):
                yield from (_row(keyword, below + by, value, release) for value in variant["is"])
            yield from _said(root, {"properties": variant.get("properties", {})}, path, above)
    for name, child in node.get("properties", {}).items():
        yield from _said(root, child, below + name, above)
