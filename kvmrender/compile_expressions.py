"""Expressions of templates as expressions of Python: names, fields, tests and comparisons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from jinja2 import nodes

from kvmrender.compile_writer import UnsupportedError

WHOLE = "domain"
"""The name by which a template knows the whole context."""

_BEFORE, _AFTER = "(x if (x := ", ").__class__ is str and (x.isalnum() or not S(x)) else E(x))"
_OPERATORS = {"eq": "==", "ne": "!=", "in": "in", "notin": "not in"}


class Expressions:
    """The names of a template, and what is made of them. ``free`` are those that it uses but doesn't bind.

    Raises UnsupportedError, as all here do, for what isn't compiled.
    """

    def __init__(self, template: str) -> None:
        self._template = template
        self._scope = {WHOLE: "c"}
        self.free: set[str] = set()

    @contextmanager
    def bound(self, names: dict[str, str]) -> Iterator[None]:
        """Have names stand for these expressions for a while."""
        before, self._scope = self._scope, {**self._scope, **names}
        yield
        self._scope = before

    def named(self, name: str) -> str:
        """Return the variable or constant that a name of the template stands for."""
        if name not in self._scope:
            self.free.add(name)
        return self._scope.get(name, f"v_{name}")

    def of(self, node: nodes.Node | None) -> str:
        """Return the expression for a node."""
        match node:
            case nodes.Name():
                return self.named(node.name)
            case nodes.Const():
                return quoted(node.value)
            case nodes.Tuple() | nodes.List():
                items = "".join(f"{self.of(item)}, " for item in node.items)
                return f"({items})" if isinstance(node, nodes.Tuple) else f"[{items}]"
            case nodes.Getattr():
                return f"{self.of(node.node)}[{quoted(node.attr)}]"
            case nodes.Getitem():
                return f"{self.of(node.node)}[{self.of(node.arg)}]"
            case nodes.Test(name="defined"):
                return self._defined(node.node)
            case nodes.Filter(name="default"):
                return self._default(node)
            case nodes.Not():
                return f"(not {self.of(node.node)})"
            case nodes.And() | nodes.Or():
                word = "and" if isinstance(node, nodes.And) else "or"
                return f"({self.of(node.left)} {word} {self.of(node.right)})"
            case nodes.Compare(ops=[nodes.Operand() as other]) if other.op in _OPERATORS:
                return f"({self.of(node.expr)} {_OPERATORS[other.op]} {self.of(other.expr)})"
        raise UnsupportedError(f"{type(node).__name__} of {self._template}")

    def _member(self, node: nodes.Node) -> tuple[str, str] | None:
        """Return the mapping and the key of a field, each as an expression."""
        match node:
            case nodes.Getattr():
                return self.of(node.node), quoted(node.attr)
            case nodes.Getitem():
                return self.of(node.node), self.of(node.arg)
        return None

    def _defined(self, node: nodes.Node) -> str:
        if member := self._member(node):
            return f"({member[1]} in {member[0]})"
        return f"({self.of(node)} is not M)"

    def _default(self, node: nodes.Filter) -> str:
        if node.kwargs or len(node.args) > 1 or node.node is None:
            raise UnsupportedError(f"default of {self._template}, line {node.lineno}")
        default = self.of(node.args[0]) if node.args else quoted("")
        if member := self._member(node.node):
            return f"{member[0]}.get({member[1]}, {default})"
        value = self.of(node.node)
        return f"({default} if {value} is M else {value})"


def escaped(expression: str) -> str:
    """Return the expression for a value as ``escape`` gives it; most need none, which is seen here already."""
    return f"{_BEFORE}{expression}{_AFTER}"


def brief(source: str) -> str:
    """Return a source with ``Q(value)`` for what ``escaped`` makes of a value: it is parsed in a third of the time."""
    return source.replace(_BEFORE, "Q(").replace(_AFTER, ")")


def constant(node: nodes.Node) -> Any:
    """Return the value of a constant."""
    if isinstance(node, nodes.Const):
        return node.value
    raise UnsupportedError(f"a value that is computed, line {node.lineno}")


def quoted(value: object) -> str:
    """Return a constant as an expression, which may stand inside a text in single quotes."""
    if not isinstance(value, str):
        return repr(value)
    if not re.fullmatch(r"[\w .:/-]*", value):
        raise UnsupportedError(f"the constant {value!r}")
    return f'"{value}"'
