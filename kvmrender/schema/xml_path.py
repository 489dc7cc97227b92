"""Paths of elements in domain XML, and the fields of the guest that they correspond to."""

from __future__ import annotations

from kvmrender.errors import Path
from kvmrender.schema.guest_schema import Node, element_of, inner


def xml_path(path: Path) -> str:
    """Format the path of an element like XPath, ``devices/disk[2]/driver/@cache``."""
    parts = (f"[{part}]" if isinstance(part, int) else f"/{part}" for part in path)
    return "".join(parts).removeprefix("/")


def guest_path(schema: Node, path: Path) -> Path:
    """Return the field of a guest that corresponds to an element or attribute of its XML.

    Both have libvirt's names. Only devices differ, which are lists at the top level of a guest (the title of their
    items is the element name), and indices, which count from 0 in a guest.
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
