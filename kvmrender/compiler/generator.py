"""Templates turned into plain Python functions: see ``compiled``, which is the door of this room.

Each template becomes a function: its parameters are the list that takes what it writes (``found``), the whole context
(``c``) and the names that it uses but doesn't bind.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from zlib import crc32

from jinja2 import Environment, nodes
from jinja2.meta import find_undeclared_variables

from kvmrender.compiler.expressions import WHOLE, Expressions, Keys, constant, escaped, quoted
from kvmrender.compiler.specialise import TABLE, Write
from kvmrender.compiler.writer import UnsupportedError, Writer
from kvmrender.templating.references import references
from kvmrender.templating.xml import escape

_FILTERS = {"text": "T", "xml": "X"}
_MANY = 3
"""How many keys a function asks for where a table of functions pays."""


class Module:
    """Templates that refer to each other, of which ``roots`` are those that make a whole document.

    ``is_shipped`` says of a template's file whether it may be compiled. Raises UnsupportedError, as all here do, where
    a shipped template uses what is not compiled.
    """

    def __init__(
        self, environment: Environment, is_shipped: Callable[[str | None], bool], roots: Iterable[str] = ()
    ) -> None:
        self._environment, self._is_shipped = environment, is_shipped
        self._trees: dict[str, tuple[nodes.Template, bool]] = {}
        self._texts: dict[str, int] = {}
        self._taken: dict[str, Keys] = {}
        self._subjects: dict[str, str] = {}
        # One that extends what may not be compiled may not be either.
        self._roots = [name for name in roots if all(self._read(one)[1] for one in self.above(name))]

    def source(self) -> str:
        """Return the source of a Python module: ``ROOTS`` in it are the functions of the roots, from context to XML."""
        while True:  # until it is known which names each template takes from those that include it
            before = dict(self._taken), dict(self._subjects)
            functions: dict[str, list[str]] = {}
            waiting = list(self._roots)
            while waiting:
                if (name := waiting.pop()) not in functions:
                    function = _Function(self, name)
                    functions[name] = function.source()
                    self._taken[name] = tuple(sorted(function.names.free))
                    if subject := self._subject_of(name, functions[name]):
                        self._subjects[name] = subject
                    waiting += function.includes
            if (self._taken, self._subjects) == before:
                break
        known = {
            "ROOTS": {name: identifier(name) for name in self._roots},
            "TABLES": {identifier(name): name for name in self._subjects},
            "KNOWN": (self._roots, self._texts, self._taken, self._subjects),
        }
        lines = [line for name in sorted(functions) for line in functions[name]]
        return "\n".join([*lines, *(f"{name} = {value!r}" for name, value in known.items()), ""])

    def specialised(self, known: tuple[list[str], dict[str, int], dict[str, Keys], dict[str, str]]) -> Write:
        """Return what writes functions for certain keys, of templates of which so much is known (``KNOWN``).

        That takes the name of a template, the keys of its subject, and those of mappings right inside it by their keys;
        it gives the source, and the keys of other mappings right inside that are asked for theirs. It raises
        UnsupportedError where a template is no longer what it was.
        """
        self._roots, self._texts, self._taken, self._subjects = known

        def write(name: str, keys: Keys, inside: Mapping[str, Keys]) -> tuple[list[str], list[str]]:
            subject = self._subjects[name]
            all_keys = {subject: keys, **{f'{subject}["{key}"]': of for key, of in inside.items()}}
            function = _Function(self, name, subject, all_keys)
            return function.source(), [*function.names.asked]

        return write

    def _subject_of(self, name: str, function: Iterable[str]) -> str | None:
        """Return the parameter that a function asks for most keys, if those are many, and that is never missing."""
        if self.is_root(name):
            return "c"
        lines = "\n".join(function)
        names = [f"v_{free}" for free in self._taken[name] if f"(v_{free} is" not in lines]
        asked = {name: len(re.findall(rf'" in {name}\b', lines)) for name in names}
        most = max(asked, key=lambda name: asked[name], default="")
        return most if asked.get(most, 0) >= _MANY else None

    def _read(self, name: str) -> tuple[nodes.Template, bool]:
        if name not in self._trees:
            assert self._environment.loader is not None
            source, file, _ = self._environment.loader.get_source(self._environment, name)
            if self._texts.setdefault(name, crc32(source.encode())) != crc32(source.encode()):
                raise UnsupportedError(f"{name} has changed")
            self._trees[name] = self._environment.parse(source, name, file), self._is_shipped(file)
        return self._trees[name]

    def tree(self, name: str) -> nodes.Template:
        """Return what Jinja reads in a template."""
        return self._read(name)[0]

    def is_shipped(self, name: str) -> bool:
        """Say whether a template may be compiled."""
        return self._read(name)[1]

    def is_root(self, name: str) -> bool:
        """Say whether a template makes a whole document."""
        return name in self._roots

    def above(self, name: str) -> list[str]:
        """Return a template and those that it extends, one after the other."""
        found = [name]
        while extends := self.tree(found[-1]).find(nodes.Extends):
            found.append(constant(extends.template))
            if found[-1] in found[:-1]:
                raise UnsupportedError(f"{found[-1]} extends itself")
        return found

    def subject(self, name: str) -> str | None:
        """Return the parameter of a template's function that decides which is called, if one does."""
        return self._subjects.get(name)

    def taken(self, name: str) -> Keys:
        """Return the names that a template takes from one that includes it, as far as they are known yet."""
        if name not in self._taken and not self.is_shipped(name):
            self._taken[name] = tuple(sorted(self._undeclared(name, set()) - {WHOLE}))
        return self._taken.get(name, ())

    def _undeclared(self, name: str, seen: set[str]) -> set[str]:
        """Return the names that Jinja looks up for a template, and for all that it refers to."""
        seen.add(name)
        names = find_undeclared_variables(self.tree(name))
        for _, other in references(self.tree(name)):
            if other not in seen:
                names |= self._undeclared(other, seen)
        return names


def identifier(name: str) -> str:
    """Return the name of a template's function."""
    return "t_" + re.sub(r"\W", lambda match: f"_{ord(match[0]):x}_", name, flags=re.ASCII)


class _Function:
    """Writes the function of one template, for a subject whose keys are known if ``keys`` has them."""

    def __init__(self, module: Module, name: str, subject: str = "", keys: Mapping[str, Keys] | None = None) -> None:
        self._module, self._name = module, name
        self._writer = Writer()
        self.names = Expressions(name, subject, keys)
        self._blocks: dict[str, nodes.Block] = {}
        self.includes: list[str] = []

    def source(self) -> list[str]:
        """Return the lines of the function."""
        is_root = self._module.is_root(self._name)
        trees = [self._module.tree(name) for name in (self._module.above(self._name) if is_root else [self._name])]
        for tree in trees[:-1]:
            for block in tree.find_all(nodes.Block):
                self._blocks.setdefault(block.name, block)
        self._body(trees[-1].body)
        lines = self._writer.source()
        if not is_root:
            free = self.names.free | {*self._module.taken(self._name)}
            parameters = ", ".join(["found", "c", *(f"v_{name}" for name in sorted(free))])
            return [f"def {identifier(self._name)}({parameters}):", "    w = found.append", *lines, ""]
        names = [f"    v_{name} = {value}" for name, value in self.names.of_context()]
        start = [f"def {identifier(self._name)}(c):", "    found = []", "    w = found.append"]
        return [*start, *names, *lines, '    return "".join(found)', ""]

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
                self._writer.computed(f"{_FILTERS[child.name]}({self.names.of(child.node)})")
            elif (text := self.names.of(child)).startswith(("'", '"')):
                self._writer.text(escape(literal_eval(text)))
            else:
                self._writer.computed(escaped(text))

    def _attributes(self, node: nodes.Filter) -> None:
        if not node.args:
            raise UnsupportedError("attributes without names")
        element = self.names.of(node.node)
        if not element.isidentifier():
            element = self._assigned("element", element)
        if self.names.keys_of(element) is None:
            self._writer.line(f"if {element}.__class__ is not dict: raise TypeError")
        for name in map(constant, node.args):
            self._choose([(self.names.contains(element, quoted(name)), partial(self._attribute, element, name))])

    def _attribute(self, element: str, name: str) -> None:
        self._writer.text(f' {name}="')
        self._writer.computed(escaped(f"{element}[{quoted(name)}]"))
        self._writer.text('"')

    def _assigned(self, name: str, value: str) -> str:
        """Return a variable that has a value."""
        variable = self._writer.assigned(name, value)
        self.names.stands_for(variable, value)
        return variable

    def _if(self, node: nodes.If) -> None:
        branches = [(self.names.of(branch.test), partial(self._body, branch.body)) for branch in (node, *node.elif_)]
        self._choose([*branches, ("True" if node.else_ else "False", partial(self._body, node.else_))])

    def _choose(self, branches: Iterable[tuple[str, Callable[[], None]]]) -> None:
        """Write the first of several for which an expression holds; only what is not known is asked."""
        keyword = "if"
        for test, write in branches:
            if test == "True" and keyword == "if":
                return write()
            if test != "False":
                with self._writer.inside("else:" if test == "True" else f"{keyword} {test}:"):
                    write()
                keyword = "elif"
            if test == "True":
                return None
        return None

    def _for(self, node: nodes.For) -> None:
        loop = any(name.name == "loop" for name in node.find_all(nodes.Name))
        if loop or node.recursive or node.else_ or not isinstance(node.target, nodes.Name):
            raise UnsupportedError(f"a loop of {self._name}, line {node.lineno}")
        name = node.target.name
        if isinstance(node.iter, nodes.Tuple) and all(isinstance(item, nodes.Const) for item in node.iter.items):
            for item in node.iter.items:  # a list of names: each turn is written out
                with self.names.bound({name: quoted(constant(item))}):
                    self._turn(node)
            return
        if (values := self.names.of(node.iter)) == "[]":
            return
        variable = self._writer.variable(name)
        with self._writer.inside(f"for {variable} in {values}:"), self.names.bound({name: variable}):
            self._turn(node)

    def _turn(self, node: nodes.For) -> None:
        self._choose([("True" if node.test is None else self.names.of(node.test), partial(self._body, node.body))])

    def _with(self, node: nodes.With) -> None:
        names = {}
        for target, value in zip(node.targets, node.values, strict=True):
            if not isinstance(target, nodes.Name):
                raise UnsupportedError(f"several names of {self._name}, line {node.lineno}")
            names[target.name] = self._assigned(target.name, self.names.of(value))
        with self.names.bound(names):
            self._body(node.body)

    def _include(self, node: nodes.Include) -> None:
        if node.ignore_missing or not node.with_context:
            raise UnsupportedError(f"an include of {self._name}, line {node.lineno}")
        name = constant(node.template)
        arguments = {other: self.names.named(other) for other in self._module.taken(name)}
        if not self._module.is_shipped(name):
            given = ", ".join(f"{quoted(other)}: {value}" for other, value in arguments.items())
            self._writer.line(f"J({self._writer.target}, {quoted(name)}, c, {{{given}}})")
            return
        self.includes.append(name)
        subject = self._module.subject(name)
        about = [arguments[subject[2:]]] if subject else arguments.values()
        if any(map(self.names.is_near, about)):
            self._body(self._module.tree(name).body)
            return
        function = f"{TABLE}{identifier(name)}[tuple({arguments[subject[2:]]})]" if subject else identifier(name)
        self._writer.line(f"{function}({', '.join([self._writer.target, 'c', *arguments.values()])})")

    def _filterblock(self, node: nodes.FilterBlock) -> None:
        if node.filter.name != "indent":
            raise UnsupportedError(f"filter {node.filter.name} of {self._name}, line {node.lineno}")
        arguments = [repr(constant(argument)) for argument in node.filter.args]
        arguments += [f"{pair.key}={constant(pair.value)!r}" for pair in node.filter.kwargs]
        inner = self._writer.variable("inner")
        with self._writer.into(inner):
            self._body(node.body)
        indented = ", ".join([f'"".join({inner})', *arguments])
        with self._writer.inside(f"if {inner}:"):  # or else the element around it may be empty
            self._writer.computed(f"I({indented})")
