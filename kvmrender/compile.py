"""Templates turned into plain Python functions, for speed.

Jinja's own code looks each name up in several places, goes through a sandbox for each field, and renders each include
as a template of its own. The shipped templates need none of that: they only look keys up in mappings, and write them.
A function made here does what Jinja would do, or raises an exception: then the guest is rendered with Jinja, which
has the last word and the better messages. Templates of one's own are always left to Jinja.

Each template becomes a function: its parameters are the list that takes what it writes (``found``), the whole
context (``c``) and the names that it uses but doesn't bind. ``E``, ``T``, ``X`` and ``I`` are the filters, ``S`` says
whether a text needs to be escaped, ``M`` stands for what is missing, and ``J`` renders an include with Jinja. A
function that asks a mapping for many keys is called by way of a table (``S_…``) that may have one for just its keys:
see ``kvmrender.specialise``.
"""

from __future__ import annotations

import re
import zlib
from ast import literal_eval
from collections.abc import Callable, Iterable

from jinja2 import Environment, nodes
from jinja2.meta import find_undeclared_variables

from kvmrender.compile_expressions import WHOLE, Expressions, brief, constant, escaped, quoted
from kvmrender.compile_writer import UnsupportedError, Writer
from kvmrender.references import references
from kvmrender.specialise import TABLE
from kvmrender.xml import escape

_FILTERS = {"text": "T", "xml": "X"}
_MANY = 3
"""How many keys a function asks for where a table of functions pays."""


def compiled(environment: Environment, roots: Iterable[str], is_shipped: Callable[[str | None], bool]) -> str:
    """Return the source of a module: ``ROOTS`` in it are the functions of ``roots``, from context to XML.

    ``is_shipped`` says of a template's file whether it may be compiled. A root that may not, or that extends one that
    may not, is left out. Raises UnsupportedError where a shipped template uses what is not compiled.
    """
    return _Module(environment, is_shipped).source(roots)


class _Module:
    """Templates that refer to each other."""

    def __init__(self, environment: Environment, is_shipped: Callable[[str | None], bool]) -> None:
        self._environment, self._is_shipped = environment, is_shipped
        self._trees: dict[str, tuple[nodes.Template, bool]] = {}
        self._taken: dict[str, tuple[str, ...]] = {}
        self._subjects: dict[str, str] = {}

    def source(self, roots: Iterable[str]) -> str:
        names = [name for name in roots if all(self._read(one)[1] for one in self.above(name))]
        while True:  # until it is known which names each template takes from those that include it
            before = dict(self._taken), dict(self._subjects)
            functions: dict[str, list[str]] = {}
            waiting = list(names)
            while waiting:
                if (name := waiting.pop()) not in functions:
                    function = _Function(self, name)
                    functions[name] = function.root() if name in names else function.partial()
                    self._taken[name] = function.free
                    if subject := "c" if name in names else _subject(functions[name], function.free):
                        self._subjects[name] = subject
                    waiting += function.includes
            if (self._taken, self._subjects) == before:
                break
        source = "\n".join(line for name in sorted(functions) for line in functions[name])
        roots = {name: identifier(name) for name in names}
        subjects = {identifier(name): subject for name, subject in self._subjects.items()}
        kept = zlib.compress(brief(source).encode())
        return "\n".join([source, f"ROOTS = {roots}", f"SUBJECTS = {subjects}", f"SOURCES = {kept!r}", ""])

    def _read(self, name: str) -> tuple[nodes.Template, bool]:
        if name not in self._trees:
            assert self._environment.loader is not None
            source, file, _ = self._environment.loader.get_source(self._environment, name)
            self._trees[name] = self._environment.parse(source, name, file), self._is_shipped(file)
        return self._trees[name]

    def tree(self, name: str) -> nodes.Template:
        return self._read(name)[0]

    def is_shipped(self, name: str) -> bool:
        return self._read(name)[1]

    def above(self, name: str) -> list[str]:
        """Return a template and those that it extends, one after the other."""
        found = [name]
        while extends := self.tree(found[-1]).find(nodes.Extends):
            found.append(constant(extends.template))
        return found

    def subject(self, name: str) -> str | None:
        """Return the parameter of a template's function that decides which is called, if one does."""
        return self._subjects.get(name)

    def taken(self, name: str) -> tuple[str, ...]:
        """Return the names that a template takes from one that includes it, as far as they are known yet."""
        if name not in self._taken and not self.is_shipped(name):
            self._taken[name] = ()
            names = find_undeclared_variables(self.tree(name))
            for _, other in references(self.tree(name)):
                names.update(self.taken(other))
            self._taken[name] = tuple(sorted(names - {WHOLE}))
        return self._taken.get(name, ())


def identifier(name: str) -> str:
    """Return the name of a template's function."""
    return "t_" + re.sub(r"\W", lambda match: f"_{ord(match[0]):x}_", name, flags=re.ASCII)


def _subject(function: Iterable[str], names: Iterable[str]) -> str | None:
    """Return the parameter that a function asks for most keys, if those are many, and that is never missing."""
    lines = "\n".join(function)
    asked = {name: len(re.findall(rf'" in v_{name}\b', lines)) for name in names if f"(v_{name} is" not in lines}
    most = max(asked, key=lambda name: asked[name], default="")
    return f"v_{most}" if asked.get(most, 0) >= _MANY else None


class _Function:
    """Writes the function of one template."""

    def __init__(self, module: _Module, name: str) -> None:
        self._module, self._name = module, name
        self._writer = Writer()
        self._names = Expressions(name)
        self._blocks: dict[str, nodes.Block] = {}
        self.includes: list[str] = []

    @property
    def free(self) -> tuple[str, ...]:
        return tuple(sorted(self._names.free))

    def partial(self) -> list[str]:
        """Return the function of a template that is included."""
        self._body(self._module.tree(self._name).body)
        self._writer.flush()
        parameters = ", ".join(["found", "c", *(f"v_{name}" for name in self.free)])
        start = "    w = found.append"
        return [f"def {identifier(self._name)}({parameters}):", start, *self._writer.lines, ""]

    def root(self) -> list[str]:
        """Return the function of a template that is rendered by itself, and of those that it extends."""
        trees = [self._module.tree(name) for name in self._module.above(self._name)]
        for tree in trees[:-1]:
            for block in tree.find_all(nodes.Block):
                self._blocks.setdefault(block.name, block)
        self._body(trees[-1].body)
        self._writer.flush()
        start = ["    found = []", "    w = found.append"]
        names = [f"    v_{name} = c.get({name!r}, M)" for name in self.free]
        return [
            f"def {identifier(self._name)}(c):",
            *start,
            *names,
            *self._writer.lines,
            '    return "".join(found)',
            "",
        ]

    def _body(self, body: Iterable[nodes.Node]) -> None:
        for node in body:
            visit = getattr(self, f"_{type(node).__name__.lower()}", None)
            if visit is None or not isinstance(node, nodes.Stmt):
                raise UnsupportedError(f"{type(node).__name__} of {self._name}, line {node.lineno}")
            visit(node)

    def _block(self, node: nodes.Block) -> None:
        self._body(self._blocks.get(node.name, node).body)

    def _output(self, node: nodes.Output) -> None:
        for child in node.nodes:
            if isinstance(child, nodes.TemplateData):
                self._writer.text(child.data)
            elif isinstance(child, nodes.Filter) and child.name == "attributes":
                self._attributes(child)
            elif isinstance(child, nodes.Filter) and child.name in _FILTERS:
                self._writer.computed(f"{_FILTERS[child.name]}({self._names.of(child.node)})")
            elif (text := self._names.of(child)).startswith(("'", '"')):
                self._writer.text(escape(literal_eval(text)))
            else:
                self._writer.computed(escaped(text))

    def _attributes(self, node: nodes.Filter) -> None:
        if not node.args:
            raise UnsupportedError("attributes without names")
        element = self._names.of(node.node)
        if not element.isidentifier():
            variable = self._writer.variable("element")
            self._writer.line(f"{variable} = {element}")
            element = variable
        self._writer.line(f"if {element}.__class__ is not dict: raise TypeError")
        for name in map(constant, node.args):
            with self._writer.inside(f"if {quoted(name)} in {element}:"):
                self._writer.text(f' {name}="')
                self._writer.computed(escaped(f"{element}[{quoted(name)}]"))
                self._writer.text('"')

    def _if(self, node: nodes.If) -> None:
        for keyword, branch in (("if", node), *(("elif", other) for other in node.elif_)):
            with self._writer.inside(f"{keyword} {self._names.of(branch.test)}:"):
                self._body(branch.body)
        if node.else_:
            with self._writer.inside("else:"):
                self._body(node.else_)

    def _for(self, node: nodes.For) -> None:
        loop = any(name.name == "loop" for name in node.find_all(nodes.Name))
        if loop or node.recursive or node.else_ or not isinstance(node.target, nodes.Name):
            raise UnsupportedError(f"a loop of {self._name}, line {node.lineno}")
        name = node.target.name
        if isinstance(node.iter, nodes.Tuple) and all(isinstance(item, nodes.Const) for item in node.iter.items):
            for item in node.iter.items:  # a list of names: each turn is written out
                with self._names.bound({name: quoted(constant(item))}):
                    self._turn(node)
            return
        variable = self._writer.variable(name)
        with (
            self._writer.inside(f"for {variable} in {self._names.of(node.iter)}:"),
            self._names.bound({name: variable}),
        ):
            self._turn(node)

    def _turn(self, node: nodes.For) -> None:
        if node.test is None:
            self._body(node.body)
            return
        with self._writer.inside(f"if {self._names.of(node.test)}:"):
            self._body(node.body)

    def _with(self, node: nodes.With) -> None:
        names = {}
        for target, value in zip(node.targets, node.values, strict=True):
            if not isinstance(target, nodes.Name):
                raise UnsupportedError(f"several names of {self._name}, line {node.lineno}")
            names[target.name] = variable = self._writer.variable(target.name)
            self._writer.line(f"{variable} = {self._names.of(value)}")
        with self._names.bound(names):
            self._body(node.body)

    def _include(self, node: nodes.Include) -> None:
        if node.ignore_missing or not node.with_context:
            raise UnsupportedError(f"an include of {self._name}, line {node.lineno}")
        name = constant(node.template)
        arguments = {other: self._names.named(other) for other in self._module.taken(name)}
        if self._module.is_shipped(name):
            self.includes.append(name)
            subject = self._module.subject(name)
            table = f"{TABLE}{identifier(name)}[tuple({arguments[subject[2:]]})]" if subject else identifier(name)
            self._writer.line(f"{table}({', '.join([self._writer.target, 'c', *arguments.values()])})")
        else:
            given = ", ".join(f"{quoted(other)}: {value}" for other, value in arguments.items())
            self._writer.line(f"J({self._writer.target}, {quoted(name)}, c, {{{given}}})")

    def _filterblock(self, node: nodes.FilterBlock) -> None:
        if node.filter.name != "indent":
            raise UnsupportedError(f"filter {node.filter.name} of {self._name}, line {node.lineno}")
        arguments = [repr(constant(argument)) for argument in node.filter.args]
        arguments += [f"{pair.key}={constant(pair.value)!r}" for pair in node.filter.kwargs]
        inner = self._writer.variable("inner")
        with self._writer.into(inner):
            self._body(node.body)
        indented = ", ".join([f"''.join({inner})", *arguments])
        with self._writer.inside(f"if {inner}:"):  # or else the element around it may be empty
            self._writer.computed(f"I({indented})")
