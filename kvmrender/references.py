"""Where templates name each other: what they include, extend and import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from jinja2 import Environment, nodes

from kvmrender.stack import Stack

Reference = nodes.Include | nodes.Extends | nodes.Import | nodes.FromImport


def references(tree: nodes.Template) -> Iterator[tuple[Reference, str]]:
    """Yield where a template names others, and which, as far as that is written out."""
    for node in tree.find_all(nodes.Stmt):
        if isinstance(node, (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
            named = node.template
            for value in named.items if isinstance(named, (nodes.List, nodes.Tuple)) else [named]:
                if isinstance(value, nodes.Const):
                    yield node, value.value


def chain(environment: Environment, stack: Stack, files: Iterable[str], file: str) -> list[str]:
    """Return how templates came to one of them, ``FILE:LINE``, the nearest first; ``files`` are those in use."""
    above: dict[str, tuple[str, int]] = {}
    for parent in files:
        for node, name in references(environment.parse(Path(parent).read_text(encoding="utf-8"), filename=parent)):
            for child in stack.files(name)[:1]:
                above.setdefault(str(child), (parent, node.lineno))
    found: list[str] = []
    while file in above and len(found) < len(above):
        file, line = above[file]
        found.append(f"{file}:{line}")
    return found
