"""Values that are shown nowhere but in the XML: what the schema marks ``secret``."""

from __future__ import annotations

from typing import Any

from kvmrender.errors import Path
from kvmrender.schema import Node, resolve

MASK = "***"


def is_secret(root: Node, path: Path) -> bool:
    """Say whether the field at ``path``, or one that it is inside of, is secret."""
    node: Node = root
    for step in path:
        child = node.get("items") if isinstance(step, int) else node.get("properties", {}).get(step)
        if child is None:
            return False
        node = resolve(root, child)
        if node.get("secret"):
            return True
    return False


def masked(root: Node, value: Any, node: Node | None = None) -> Any:
    """Return a guest in full form with ``***`` for its secrets."""
    node = resolve(root, root if node is None else node)
    if node.get("secret") and value is not None:
        return MASK
    if isinstance(value, dict):
        properties = node.get("properties", {})
        return {key: masked(root, item, properties[key]) if key in properties else item for key, item in value.items()}
    if isinstance(value, list):
        return [masked(root, item, node.get("items", {})) for item in value]
    return value
