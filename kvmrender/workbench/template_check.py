"""Static checks of templates: undefined names, blocks without parent, unused files, and disabled escaping."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import nodes
from jinja2.meta import find_undeclared_variables

from kvmrender.errors import Problem, TemplateError, nearest, shown_file
from kvmrender.schema.guest_schema import GuestSchema
from kvmrender.shipped import SHIPPED
from kvmrender.templating.environment import NESTED, Environment
from kvmrender.templating.loader import loader
from kvmrender.templating.references import circle, references
from kvmrender.templating.stack import SCHEMA, TEMPLATE, Stack
from kvmrender.templating.template_errors import template_error

if TYPE_CHECKING:
    from kvmrender.engine import Engine


def looked_at(engine: Engine) -> tuple[list[tuple[str, int, str]], list[str], bool]:
    """Return the findings in an engine's templates, all names that occur in them, and whether all could be parsed."""
    read = Templates(engine.stack, engine.new_environment(), engine.schema)
    found = [(one.file, one.line, one.message) for one in read.findings()]
    return found, sorted(read.names), not read.broken


@dataclass(frozen=True, order=True)
class Finding:
    """A fault of a file of a stack; ``line`` counts from 1, and is 0 for the whole file. ``id`` is that of the problem,
    if it is one of a guest."""

    file: str
    line: int
    message: str
    id: str = "template"
    follows: bool = False
    """Whether it may follow from something else that is wrong."""

    def order(self, stack: Stack) -> tuple[bool, bool, Finding]:
        """Return what findings are sorted by: causes come first, and of these, those in custom files."""
        return self.follows, stack.is_shipped(self.file), self

    def __str__(self) -> str:
        """Return the finding as one line, ``FILE:LINE: message``, with the ID of a guest's problem."""
        place = f"{shown_file(self.file)}:{self.line}" if self.line else shown_file(self.file)
        return f"{place}: {self.message}" + (f" [{self.id}]" if self.id != "template" else "")

    @property
    def problem(self) -> Problem:
        """The finding as a problem."""
        return Problem((), self.message, shown_file(self.file), self.line or None, id=self.id)


class Templates:
    """All templates of a stack as parsed by Jinja; those that can't be parsed are findings."""

    def __init__(self, stack: Stack, environment: Environment, schema: GuestSchema) -> None:
        self.stack, self.environment, self.schema = stack, environment, schema
        self.trees: dict[str, nodes.Template] = {}
        self.broken: list[Finding] = []
        self.compiled: set[str] = set()
        for name in stack.names(TEMPLATE):
            self._read(name)
            shipped = f"{SHIPPED}/{name}"
            if stack.files(shipped) == stack.files(name)[:1] and name in self.trees:
                self.trees[shipped] = self.trees[name]
            elif stack.files(shipped):
                self._read(shipped)
        for name in schema.architectures:
            if f"{name}{TEMPLATE}" in self.trees and (error := circle(environment, stack, f"{name}{TEMPLATE}")):
                self._add(error, name)

    def _read(self, name: str) -> None:
        try:
            source, file, _ = loader(self.stack).get_source(self.environment, name)
            self.trees[name] = self.environment.parse(source, name, file)
            if not self._is_known(name):
                self.environment.compile(source, name, file)
                self.compiled.add(name)
        except Exception as error:  # any exception that a template can cause
            self._add(template_error(error, name, "", {}), name)
            if NESTED in str(error):
                self.trees.pop(name, None)

    def _add(self, error: TemplateError, name: str) -> None:
        found = Finding(error.template or name, error.line or 0, error.message)
        if found not in self.broken:
            self.broken.append(found)

    def _is_known(self, name: str) -> bool:
        """Return whether a template is a shipped one, by name or with the prefix."""
        return name.startswith(f"{SHIPPED}/") or (bool(self.stack.own) and self.stack.is_shipped(self.file(name)))

    def file(self, name: str) -> str:
        """Return the file of a template."""
        return str(self.stack.files(name)[0])

    def findings(self) -> Iterator[Finding]:
        """Yield the findings in custom templates, or in the shipped ones if there are no custom ones."""
        yield from self.broken
        if any(NESTED in found.message for found in self.broken):
            return  # the names that they use are unknown
        for name, tree in self.trees.items():
            if self._is_known(name):
                continue
            for line, message in (
                *self._unsafe(tree),
                *self._unknown(name, tree),
                *self._missing(tree),
                *self._blocks(name, tree),
                *self._macros(name, tree),
            ):
                yield Finding(self.file(name), line, message)
            if name not in self._used:
                yield Finding(self.file(name), 0, f"nothing uses it{nearest(name, self._used)}")
        for arch in self.schema.architectures:
            if not self.stack.files(f"{arch}{TEMPLATE}"):
                told = f"describes an architecture without a template: {arch}{TEMPLATE} is not in any template folder"
                yield Finding(self.file(f"{arch}{SCHEMA}"), 0, told)
        for file in self._schema_parts():
            yield Finding(str(file), 0, "nothing refers to it")

    def _unsafe(self, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        for filter_ in tree.find_all(nodes.Filter):
            if filter_.name == "safe":
                yield filter_.lineno, "|safe writes text without escaping: use |xml, which needs well-formed XML"
        for switch in tree.find_all((nodes.ScopedEvalContextModifier, nodes.EvalContextModifier)):
            yield switch.lineno, "escaping can't be switched: it is always on"

    def _unknown(self, name: str, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        known = {*self.schema.root["properties"], "domain", *self.environment.globals, *self._passed.get(name, ())}
        for unknown in sorted(find_undeclared_variables(tree) - known if name in self.compiled else ()):
            line = next(node.lineno for node in tree.find_all(nodes.Name) if node.name == unknown)
            yield line, f"{unknown!r} is not a name of the context{nearest(unknown, known)}"

    def _missing(self, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        for node, named in references(tree):
            if named not in self.trees and not self.stack.files(named):
                yield node.lineno, f"template {named!r} is not in any template folder{nearest(named, self.trees)}"

    def _blocks(self, name: str, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        """Yield the blocks that no parent has, and content outside blocks: Jinja ignores both."""
        parents = self._parents(name)
        if not parents:
            return
        known = {block.name for parent in parents for block in self.trees[parent].find_all(nodes.Block)}
        for node in tree.body:
            if isinstance(node, nodes.Block) and node.name not in known:
                yield node.lineno, f"block {node.name!r} is not in {parents[0]}{nearest(node.name, known)}"
            elif isinstance(node, nodes.Output):
                for part in node.nodes:
                    data = part.data if isinstance(part, nodes.TemplateData) else "x"
                    if data.strip():
                        line = part.lineno + data[: len(data) - len(data.lstrip())].count("\n")
                        yield line, "is outside a block, and not written: the file extends another"
                        break

    def _parents(self, name: str) -> list[str]:
        found: list[str] = []
        while name in self.trees:
            extends = next(self.trees[name].find_all(nodes.Extends), None)
            if extends is None or not isinstance(extends.template, nodes.Const) or extends.template.value in found:
                break
            name = extends.template.value
            if name in self.trees:
                found.append(name)
        return found

    def _macros(self, name: str, tree: nodes.Template) -> Iterator[tuple[int, str]]:
        used = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
        for other in self.trees.values():
            used |= {attribute.attr for attribute in other.find_all(nodes.Getattr)}
            for imported in other.find_all(nodes.FromImport):
                used |= {one if isinstance(one, str) else one[0] for one in imported.names}
        for macro in tree.find_all(nodes.Macro):
            if macro.name not in used:
                yield macro.lineno, f"nothing uses macro {macro.name!r}{nearest(macro.name, used)}"

    @cached_property
    def _passed(self) -> dict[str, set[str]]:
        """The names that templates which include a template define: they are available in it."""
        passed = {
            name: {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
            for name, tree in self.trees.items()
        }
        includes = [
            (name, named)
            for name, tree in self.trees.items()
            for node, named in references(tree)
            if named in self.trees and not isinstance(node, (nodes.Import, nodes.FromImport))
        ]
        grown = True
        while grown:
            before = sum(map(len, passed.values()))
            for name, named in includes:
                passed[named] |= passed[name]
            grown = sum(map(len, passed.values())) > before
        return passed

    @cached_property
    def _used(self) -> set[str]:
        """The templates of architectures, and all that they refer to."""
        used: set[str] = set()
        level = [f"{name}{TEMPLATE}" for name in self.schema.architectures]
        while level:
            name = level.pop()
            if name in self.trees and name not in used:
                used.add(name)
                level += [named for _, named in references(self.trees[name])]
        return used

    @cached_property
    def names(self) -> set[str]:
        """All names that occur in the templates in use: of a key, of a variable, in a text."""
        found: set[str] = set()
        for tree in (self.trees[name] for name in self._used):
            found |= {node.attr for node in tree.find_all(nodes.Getattr)}
            found |= {node.name for node in tree.find_all(nodes.Name)}
            found |= {node.value for node in tree.find_all(nodes.Const) if isinstance(node.value, str)}
        return found

    def _schema_parts(self) -> Iterator[Path]:
        parts = {*self.schema.root["$defs"], "guest"}
        for folder in self.stack.own:
            for file in sorted(folder.rglob(f"*{SCHEMA}")):
                if file.relative_to(folder).as_posix().removesuffix(SCHEMA).replace("/", ".") not in parts:
                    yield file
