"""Conversion of templates to plain Python functions; see ``compiled``, the entry point of this package.

Each template becomes a function with these parameters: the list to write to (``found``), the whole context (``c``), and
the names that the template uses but does not bind.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from functools import partial
from zlib import crc32

from jinja2 import Environment, nodes
from jinja2 import TemplateError as JinjaError
from jinja2.meta import find_undeclared_variables

from kvmrender.compiler.expressions import Expressions, Keys, constant, escaped, quoted
from kvmrender.compiler.specialise import TABLE, Made, Write, identifier
from kvmrender.compiler.writer import UnsupportedError, Writer
from kvmrender.errors import TemplateError
from kvmrender.shipped import SHIPPED
from kvmrender.templating.guard import WHOLE
from kvmrender.templating.references import references
from kvmrender.templating.xml import escape

_FILTERS = {"text": "T", "xml": "X"}
_MANY = 3
"""Number of keys in a function from which a table of functions is faster."""


class Module:
    """Templates that refer to each other. ``is_shipped`` returns whether a template's file may be compiled; ``made``
    are the functions that exist already.

    Raises UnsupportedError, like all functions here, if a shipped template uses unsupported syntax or has changed.
    """

    def __init__(self, environment: Environment, is_shipped: Callable[[str | None], bool], made: Made) -> None:
        self._environment, self._is_shipped, self._made = environment, is_shipped, made
        self._read: dict[str, tuple[str, str | None]] = {}
        self._trees: dict[str, nodes.Template] = {}

    def make(self, root: str) -> None:
        """Create the functions of a template that is a whole document, and of those that it includes, unless they
        exist."""
        made, above = self._made, self.above(root)
        if not all(map(self.is_shipped, above)):
            raise UnsupportedError(f"{root} is not shipped, or extends one that isn't")
        made.subjects[root] = "c"
        while True:  # until it is known which names each template takes from templates that include it
            taken, subjects = dict(made.taken), dict(made.subjects)
            functions: dict[str, str] = {}
            waiting = [root]
            while waiting:
                if (name := waiting.pop()) in functions or name in made.functions:
                    continue
                function = _Function(self, name)
                functions[name] = "\n".join(function.source())
                made.taken[name] = sorted(function.names.free)
                made.refers[name] = sorted({*function.includes, *(above[1:] if name == root else ())})
                if subject := self._subject_of(name, functions[name]):
                    made.subjects[name] = subject
                waiting += function.includes
            included = [other for one in functions for other in made.refers[one]]
            if all((taken.get(of, []), subjects.get(of)) == (self.taken(of), self.subject(of)) for of in included):
                break
        made.functions.update(sorted(functions.items()))

    def replaced(self, names: Iterable[str]) -> Made:
        """Return ``made`` for a stack with custom versions of these templates, which Jinja renders. The others are
        kept, unless a template takes more names from those that include it; a replaced one by its name that begins with
        ``shipped/``, by which a custom one includes it."""
        made, gone = self._made, []
        bound = {name for of, taken in made.taken.items() if not self.is_root(of) for name in taken}
        for name in names:
            shipped = f"{SHIPPED}/{name}"
            if name in made.texts:
                made.texts[shipped] = made.texts.pop(name)
            with suppress(UnsupportedError, JinjaError, TemplateError, RecursionError):
                taken = made.taken.get(name, [])
                if name in made.functions and self.undeclared(name) & bound <= {*taken} and not self.is_root(name):
                    made.functions[shipped] = made.functions[name].replace(identifier(name), identifier(shipped), 1)
                    made.refers[shipped], made.taken[shipped] = made.refers[name], taken
                    if name in made.subjects:
                        made.subjects[shipped] = made.subjects[name]
                    names_of = {one: f"v_{one}" for one in taken}
                    start = f"def {identifier(name)}({', '.join(['found', 'c', *names_of.values()])}):"
                    made.functions[name] = f"{start}\n    {_by_jinja('found', name, names_of)}"
                    continue
            gone.append(name)
        return made.without(gone)

    def specialised(self) -> Write:
        """Return a function that creates functions for certain keys of templates that have been compiled.

        Its arguments are the name of a template, the keys of its subject, and those of mappings directly in it, by key.
        It returns the source, and the keys of further mappings directly in the subject whose keys are needed.
        """

        def write(name: str, keys: Keys, inside: Mapping[str, Keys]) -> tuple[list[str], list[str]]:
            if not self.is_shipped(name):
                raise UnsupportedError(f"{name} is not shipped")
            subject = self._made.subjects[name]
            all_keys = {subject: keys, **{f'{subject}["{key}"]': of for key, of in inside.items()}}
            function = _Function(self, name, subject, all_keys)
            return function.source(), [*function.names.asked]

        return write

    def _subject_of(self, name: str, function: str) -> str | None:
        """Return the parameter that a function asks for most keys, if these are many and it is never missing."""
        if self.is_root(name):
            return "c"
        names = [f"v_{free}" for free in self._made.taken[name] if f"(v_{free} is" not in function]
        asked = {
            name: len(re.findall(rf'" in {name}\b', function))
            + sum(some.count(",") for some in re.findall(rf"\bA\({name}, \(([^)]*)\)", function))
            for name in names
        }
        most = max(asked, key=lambda name: asked[name], default="")
        return most if asked.get(most, 0) >= _MANY else None

    def _source(self, name: str) -> tuple[str, str | None]:
        """Return the text of a template and its file."""
        if name not in self._read:
            assert self._environment.loader is not None
            source, file, _ = self._environment.loader.get_source(self._environment, name)
            if self._made.texts.setdefault(name, crc32(source.encode())) != crc32(source.encode()):
                raise UnsupportedError(f"{name} has changed")
            self._read[name] = source, file
        return self._read[name]

    def tree(self, name: str) -> nodes.Template:
        """Return the syntax tree of a template."""
        if name not in self._trees:
            source, file = self._source(name)
            self._trees[name] = self._environment.parse(source, name, file)
        return self._trees[name]

    def is_shipped(self, name: str) -> bool:
        """Return whether a template may be compiled."""
        return self._is_shipped(self._source(name)[1])

    def is_root(self, name: str) -> bool:
        """Return whether a template is a whole document."""
        return self.subject(name) == "c"

    def above(self, name: str) -> list[str]:
        """Return a template and those that it extends, in order."""
        found = [name]
        while extends := self.tree(found[-1]).find(nodes.Extends):
            found.append(constant(extends.template))
            if found[-1] in found[:-1]:
                raise UnsupportedError(f"{found[-1]} extends itself")
        return found

    def subject(self, name: str) -> str | None:
        """Return the parameter of a template's function that selects a specialised one, if any."""
        return self._made.subjects.get(name)

    def taken(self, name: str) -> list[str]:
        """Return the names that a template takes from one that includes it, as far as known."""
        if name not in self._made.taken and not self.is_shipped(name):
            self._made.taken[name] = sorted(self.undeclared(name) - {WHOLE})
        return self._made.taken.get(name, [])

    def undeclared(self, name: str, seen: Collection[str] = ()) -> set[str]:
        """Return the names that Jinja looks up for a template and for all that it refers to."""
        shipped = name.removeprefix(f"{SHIPPED}/")
        if shipped in self._made.functions and self.is_shipped(name):
            return {*self._made.taken[shipped]}
        names = find_undeclared_variables(self.tree(name))
        for _, other in references(self.tree(name)):
            if other not in seen:
                names |= self.undeclared(other, {*seen, name, other})
        return names


def _by_jinja(target: str, name: str, arguments: Mapping[str, str]) -> str:
    given = ", ".join(f"{quoted(other)}: {value}" for other, value in arguments.items())
    return f"J({target}, {quoted(name)}, c, {{{given}}})"


class _Function:
    """Generate the function of one template. If ``keys`` has the keys of its subject, the function is optimised for
    speed; the general function is short, because it is compiled at each start."""

    def __init__(self, module: Module, name: str, subject: str = "", keys: Mapping[str, Keys] | None = None) -> None:
        self._module, self._name = module, name
        self._writer, self._is_special = Writer(), keys is not None
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
                self._writer.computed(self._escaped(text))

    def _attributes(self, node: nodes.Filter) -> None:
        if not node.args:
            raise UnsupportedError("attributes without names")
        element = self.names.of(node.node)
        if not element.isidentifier():
            element = self._assigned("element", element)
        if not self._is_special:
            self._writer.computed(f"A({element}, ({''.join(f'{quoted(constant(name))}, ' for name in node.args)}))")
            return
        if self.names.keys_of(element) is None:
            self._writer.line(f"if {element}.__class__ is not dict: raise TypeError")
        for name in map(constant, node.args):
            self._choose([(self.names.contains(element, quoted(name)), partial(self._attribute, element, name))])

    def _attribute(self, element: str, name: str) -> None:
        self._writer.text(f' {name}="')
        self._writer.computed(self._escaped(f"{element}[{quoted(name)}]"))
        self._writer.text('"')

    def _escaped(self, value: str) -> str:
        return escaped(value) if self._is_special else f"E({value})"

    def _assigned(self, name: str, value: str) -> str:
        """Return a variable that holds a value."""
        variable = self._writer.assigned(name, value)
        self.names.stands_for(variable, value)
        return variable

    def _if(self, node: nodes.If) -> None:
        branches = [(self.names.of(branch.test), partial(self._body, branch.body)) for branch in (node, *node.elif_)]
        self._choose([*branches, ("True" if node.else_ else "False", partial(self._body, node.else_))])

    def _choose(self, branches: Iterable[tuple[str, Callable[[], None]]]) -> None:
        """Write the first of several branches whose condition holds; only unknown conditions are tested."""
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
            for item in node.iter.items:  # a list of names: the loop is unrolled
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
            self._writer.line(_by_jinja(self._writer.target, name, arguments))
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
        with self._writer.inside(f"if {inner}:"):  # otherwise, the element around it may be empty
            self._writer.computed(f"I({indented})")
