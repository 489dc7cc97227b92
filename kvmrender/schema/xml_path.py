"""Where an element stands in domain XML, and which field of the guest it comes from."""

from __future__ import annotations

from kvmrender.errors import Path
from kvmrender.schema.guest_schema import Node, element_of, inner


def xml_path(path: Path) -> str:
    """Write the path of an element as XPath does, ``devices/disk[2]/driver/@cache``."""
    parts = (f"[{part}]" if isinstance(part, int) else f"/{part}" for part in path)
    return "".join(parts).removeprefix("/")


def guest_path(schema: Node, path: Path) -> Path:
    """Return the field of a guest that an element or attribute of its XML comes from.

    Both have libvirt's names; only devices differ, which are lists at the top of a guest (the title
    of their items is their element), and positions, which count from 0 there.
    """
    properties = schema["properties"]
    if path[:2] == ("devices", 1):
        path = ("devices", *path[2:])
    if path[:1] == ("devices",):
        lists = {element_of(schema, name, node): name for name, node in properties.items() if "items" in node}
        path = (lists.get(str(path[1]), str(path[1])), *path[2:]) if len(path) > 1 else ()
    result: list[str | int] = []
    node: Node = schema
    rest = list(path)
    while rest:
        name = str(rest.pop(0)).removeprefix("@")
        result.append(name)
        node = inner(schema, node, name)
        position = rest.pop(0) if rest and isinstance(rest[0], int) else 1
        if node.get("type") == "array":
            result.append(int(position) - 1)
            node = inner(schema, node, 0)
    return tuple(result)
