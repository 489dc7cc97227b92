"""References between templates: include, extends and import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from jinja2 import Environment, nodes
from jinja2 import TemplateError as JinjaError

from kvmrender.errors import TemplateError
from kvmrender.shipped import SHIPPED
from kvmrender.templating.loader import text_of
from kvmrender.templating.stack import Stack
from kvmrender.templating.template_errors import source_line

Reference = nodes.Include | nodes.Extends | nodes.Import | nodes.FromImport


def references(tree: nodes.Template) -> Iterator[tuple[Reference, str]]:
    """Yield the references to other templates with their names, if they are constants."""
    for node in tree.find_all(nodes.Stmt):
        if isinstance(node, (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)):
            named = node.template
            for value in named.items if isinstance(named, (nodes.List, nodes.Tuple)) else [named]:
                if isinstance(value, nodes.Const):
                    yield node, value.value


def extended(environment: Environment, stack: Stack, name: str) -> list[tuple[str, int]]:
    """Return the chain of templates that a template extends, beginning with itself, each with the line of its extends,
    or 0. In a circle, the last one is repeated. Raises the exceptions of reading them."""
    found: list[tuple[str, int]] = []
    known: set[str] = set()
    while (file := str([*stack.files(name), name][0])) not in known:
        known.add(file)
        node = environment.parse(text_of(stack, name), name, file).find(nodes.Extends)
        found.append((name, node.lineno if node else 0))
        if node is None or not isinstance(node.template, nodes.Const) or not isinstance(node.template.value, str):
            return found
        name = node.template.value
    return [*found, (name, 0)]


def circle(environment: Environment, stack: Stack, name: str) -> TemplateError | None:
    """Return the error for templates that extend each other in a circle, if those of ``name`` do."""
    try:
        names = extended(environment, stack, name)
    except (RecursionError, JinjaError, TemplateError):  # they can't be read: this is reported elsewhere
        return None
    (last, _), files = names[-1], [str(stack.files(one)[0]) for one, _ in names if stack.files(one)]
    if len(names) < 2 or files.count(files[-1]) < 2:
        return None
    original = f"{SHIPPED}/{last}"
    hint = f" (did you mean {original}?)" if not stack.is_shipped(files[-1]) and stack.files(original) else ""
    around = " extends ".join(one for one, _ in names[files.index(files[-1]) :])
    file, line = files[-2], names[-2][1]
    return TemplateError(f"extends itself: {around}{hint}", file, line, source=source_line(file, line))


def chain(environment: Environment, stack: Stack, files: Iterable[str], file: str) -> list[str]:
    """Return how a template was reached, as ``FILE:LINE``, nearest first; ``files`` are those in use."""
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
