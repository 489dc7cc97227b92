"""Templates by the fields that they write, found by static analysis without a guest.

Templates are followed as in Jinja, from an architecture's template through extends and includes, each branch once, with
the fields that each name may refer to. A field is written where its value is output; an element is written where its
tag is, which is identified by its name and by the fields that are tested around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from jinja2 import TemplateError, nodes

from kvmrender import errors
from kvmrender.engine import Engine
from kvmrender.errors import Path
from kvmrender.schema.guest_schema import Node, all_fields, element_of
from kvmrender.templating.environment import CLOSING
from kvmrender.templating.loader import loader
from kvmrender.templating.observed import Place
from kvmrender.templating.stack import TEMPLATE
from kvmrender.workbench.expression_fields import Meaning, Scope, Value, bound

MOST_ALIKE = 2
"""Maximum recursion depth of a template in itself; deeper levels are written like the first."""

_PART = re.compile(r"<(?P<close>/?)(?P<name>[A-Za-z_][\w:.-]*)?|(?P<empty>/?)>|(?P<attribute>[\w:.-]+)=\"|\n")


def writers(engine: Engine) -> dict[Path, list[Place]]:
    """Return for each field of the guest the places, file and line, that write it; ``disks`` is where a disk begins.

    Fields that no template writes are omitted. Templates that Jinja can't parse count as empty.
    """
    fields = set(all_fields(engine.schema.root, engine.schema.root))
    found: dict[Path, dict[Place, None]] = {}
    templates = _Templates(engine)
    known = set()
    for name in engine.schema.architectures:
        reader = _Reader(templates, fields, found)
        reader.start(f"{name}{TEMPLATE}")
        # Most architectures add no block to the template that they extend: the result is the same.
        if reader.written_by not in known:
            known.add(reader.written_by)
            reader.read()
    for path in sorted(fields - found.keys(), key=len, reverse=True):
        # A mapping without its own element, such as extra, is written where its contents are.
        inside = [place for other in found if other[:-1] == path for place in found[other]]
        if inside:
            found[path] = dict.fromkeys(inside)
    return {path: list(places) for path, places in found.items()}


class _Templates:
    """The templates of a stack as parsed by Jinja, each when first needed."""

    def __init__(self, engine: Engine) -> None:
        self._stack, self._environment = engine.stack, engine.new_environment()
        self.elements = _elements(engine.schema.root)
        self.tree = cache(self._tree)
        self.macros = cache(lambda name: list(self.tree(name).find_all(nodes.Macro)))
        self.blocks = cache(lambda name: list(self.tree(name).find_all(nodes.Block)))
        self.file = cache(lambda name: str(self._stack.files(name)[0]))

    def _tree(self, name: str) -> nodes.Template:
        try:
            source, file, _ = loader(self._stack).get_source(self._environment, name)
            return self._environment.parse(source, name, file)
        except (TemplateError, errors.Error, OSError):
            return nodes.Template([], lineno=1)

    def extended(self, name: str) -> str | None:
        extends = next(self.tree(name).find_all(nodes.Extends), None)
        named = extends.template if extends else None
        return named.value if isinstance(named, nodes.Const) and isinstance(named.value, str) else None


class _Reader:
    """Follow the templates of one architecture, and add what they write to ``found``."""

    def __init__(self, templates: _Templates, fields: set[Path], found: dict[Path, dict[Place, None]]) -> None:
        self._templates, self._fields, self._found = templates, fields, found
        self._meaning, self._elements = Meaning(fields), templates.elements
        self._macros: dict[str, tuple[str, nodes.Macro]] = {}
        self._blocks: dict[str, list[tuple[str, nodes.Block]]] = {}
        self._block: tuple[str, int] = ("", 0)
        self._above: list[str] = []
        self._guards: list[frozenset[Value]] = []
        self._open: list[tuple[str, Place]] = []
        """The open elements, each with the place of its tag."""
        self._in_tag = False
        self._named = True
        """Whether the name of the current tag is known: after the < of <{{ name }}, it is not."""
        self.written_by: tuple[str, ...] = ()

    def start(self, name: str) -> None:
        """Start with an architecture's template: find those that it extends, and their blocks."""
        chain = [name]
        while (above := self._templates.extended(chain[-1])) and above not in chain:
            chain.append(above)
        for one in chain:
            for block in self._templates.blocks(one):
                self._blocks.setdefault(block.name, []).append((one, block))
            self._learn_macros(one)
        self._above = [chain[-1]]
        self.written_by = (*[one for one in chain[:-1] if self._templates.blocks(one)], chain[-1])

    def read(self) -> None:
        """Follow the body of the last extended template, which is the output."""
        self._walk(self._templates.tree(self._above[-1]).body, {})

    def _learn_macros(self, name: str) -> None:
        for macro in self._templates.macros(name):
            self._macros.setdefault(macro.name, (name, macro))

    def _place(self, line: int) -> Place:
        return self._templates.file(self._above[-1]), line

    def _wrote(self, values: Iterable[Value], place: Place) -> None:
        for value in values:
            if isinstance(value, tuple) and value in self._fields:
                self._found.setdefault(value, {})[place] = None

    # Output.

    def _walk(self, body: Iterable[nodes.Node], scope: Scope) -> Scope:
        for node in body:
            scope = self._statement(node, scope)
        return scope

    def _statement(self, node: nodes.Node, scope: Scope) -> Scope:
        """Follow a statement, and return the names that are defined after it."""
        if isinstance(node, nodes.Output):
            for part in node.nodes:
                self._output(part, scope)
        elif isinstance(node, nodes.If):
            self._branches(node, scope)
        elif isinstance(node, nodes.For):
            self._loop(node, scope)
        elif isinstance(node, nodes.With):
            values = [self._meaning.values(value, scope) for value in node.values]
            inner = dict(scope)
            for target, value in zip(node.targets, values, strict=True):
                inner |= bound(target, value)
            self._walk(node.body, inner)
        elif isinstance(node, nodes.Include):
            self._include(node, scope)
        elif isinstance(node, nodes.Block):
            self._in_block(node.name, 0, scope)
        elif isinstance(node, nodes.Assign):
            return {**scope, **bound(node.target, self._meaning.values(node.node, scope))}
        elif isinstance(node, (nodes.Import, nodes.FromImport)) and isinstance(node.template, nodes.Const):
            self._learn_macros(node.template.value)
        elif isinstance(node, (nodes.FilterBlock, nodes.CallBlock, nodes.Scope, nodes.AssignBlock)):
            if isinstance(node, nodes.CallBlock):
                self._output(node.call, scope)
            self._walk(node.body, scope)
        return scope

    def _branches(self, node: nodes.If, scope: Scope) -> None:
        """Follow all branches of a condition, each with the elements that are open before it."""
        before = list(self._open)
        self._guards.append(self._meaning.values(node.test, scope))
        self._walk(node.body, scope)
        after = list(self._open)
        for branch in (node.elif_, node.else_):
            self._open[:] = before
            self._walk(branch, scope)
        self._open[:] = after
        self._guards.pop()

    def _loop(self, node: nodes.For, scope: Scope) -> None:
        values = self._meaning.values(node.iter, scope)
        names = [value for value in values if isinstance(value, str)]
        # A loop over constant names is unrolled.
        turns: list[frozenset[Value]] = [frozenset([name]) for name in names]
        for turn in turns or [values]:
            inner = {**scope, **bound(node.target, turn)}
            self._guards.append(self._meaning.values(node.test, inner) if node.test else turn)
            self._walk(node.body, inner)
            self._guards.pop()
        self._walk(node.else_, scope)

    def _include(self, node: nodes.Include, scope: Scope) -> None:
        for name in sorted(value for value in self._meaning.values(node.template, scope) if isinstance(value, str)):
            if self._above.count(name) < MOST_ALIKE:
                self._learn_macros(name)
                self._inside(name, self._templates.tree(name).body, scope)

    def _in_block(self, name: str, level: int, scope: Scope) -> None:
        if level < len(self._blocks.get(name, ())):
            template, block = self._blocks[name][level]
            before, self._block = self._block, (name, level)
            self._inside(template, block.body, scope)
            self._block = before

    def _inside(self, template: str, body: list[nodes.Node], scope: Scope) -> None:
        self._above.append(template)
        self._walk(body, scope)
        self._above.pop()

    def _output(self, node: nodes.Node, scope: Scope) -> None:
        if isinstance(node, nodes.TemplateData):
            self._text(node.data, node.lineno)
            return
        if isinstance(node, nodes.Call) and self._call(node, scope):
            return
        values = self._meaning.values(node, scope)
        if not self._named:
            for name in sorted(value for value in values if isinstance(value, str)):
                self._opened(name, node.lineno)
        self._wrote(values, self._place(node.lineno))
        if self._in_tag:
            for value in values:
                self._wrote_around(value)

    def _wrote_around(self, value: Value) -> None:
        """Record for an attribute that the open elements around it are written at their tags."""
        for depth, (name, place) in enumerate(reversed(self._open), start=1):
            if not isinstance(value, tuple) or self._elements.get(value[:-depth]) != name:
                break
            self._wrote([value[:-depth]], place)

    def _text(self, text: str, line: int) -> None:
        for found in _PART.finditer(text.replace(CLOSING, "")):
            if found[0] == "\n":
                line += 1
            elif found["attribute"]:
                if self._in_tag and self._open:
                    self._wrote(self._guarding(found["attribute"], self._open[-1][0]), self._place(line))
            elif found[0].startswith("<"):
                if found["close"]:
                    self._closed(found["name"] or "")
                else:
                    self._opened(found["name"] or "", line)
            else:
                self._in_tag = False
                if found["empty"]:
                    self._closed(None)

    def _opened(self, name: str, line: int) -> None:
        if name:
            if not self._named:
                self._open.pop()
            self._wrote(self._guarding(name), self._place(line))
        self._open.append((name, self._place(line)))
        self._in_tag, self._named = True, bool(name)

    def _closed(self, name: str | None) -> None:
        self._in_tag, self._named = False, True
        if self._open and name in (None, self._open[-1][0]):
            self._open.pop()

    def _guarding(self, name: str, element: str | None = None) -> list[Path]:
        """Return the fields of this name, in this element, that the nearest condition or loop tests."""
        for guard in reversed(self._guards):
            about = [path for path in guard if isinstance(path, tuple) and self._elements.get(path) == name]
            if about := [path for path in about if element is None or self._elements.get(path[:-1]) == element]:
                return about
        return []

    def _call(self, node: nodes.Call, scope: Scope) -> bool:
        """Follow a call of super or of a macro, and return whether it is one."""
        called = node.node
        name = (
            called.name if isinstance(called, nodes.Name) else called.attr if isinstance(called, nodes.Getattr) else ""
        )
        if name == "super":
            self._in_block(self._block[0], self._block[1] + 1, scope)
            return True
        if name not in self._macros:
            return False
        template, macro = self._macros[name]
        if self._above.count(template) <= MOST_ALIKE:
            given = dict(zip((argument.name for argument in macro.args), node.args, strict=False))
            given |= {keyword.key: keyword.value for keyword in node.kwargs}
            inner = {**scope, **{key: self._meaning.values(value, scope) for key, value in given.items()}}
            self._inside(template, macro.body, inner)
        return True


def _elements(root: Node) -> dict[Path, str]:
    """Return the element name of each field."""
    first = {name: element_of(root, name, node) for name, node in root["properties"].items()}
    return {path: first[path[0]] if len(path) == 1 else str(path[-1]) for path in all_fields(root, root)}
