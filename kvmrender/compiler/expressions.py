"""Conversion of template expressions to Python expressions: names, fields, tests and comparisons.

Tests that are decided by known keys of mappings become ``True`` or ``False``, and undefined names become ``M``.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from jinja2 import nodes

from kvmrender.compiler.writer import UnsupportedError
from kvmrender.templating.guard import WHOLE

Keys = tuple[str, ...]

_BEFORE, _AFTER = "(x if (x := ", ").__class__ is str and (x.isalnum() or not S(x)) else E(x))"
_OPERATORS = {"eq": "==", "ne": "!=", "in": "in", "notin": "not in"}
_FIELD = re.compile(r'(\w+)((?:\["[^"]*"\])*)')


class Expressions:
    """Names of a template and their Python expressions. ``free`` are those that it uses but does not bind.

    ``keys`` are the known keys of the mapping ``subject`` and of mappings directly in it, by expression; ``asked`` are
    the keys of further mappings directly in it whose keys are needed. Raises UnsupportedError, like all functions here,
    for unsupported syntax.
    """

    def __init__(self, template: str, subject: str = "", keys: Mapping[str, Keys] | None = None) -> None:
        self._template, self._subject, self._keys = template, subject, keys or {}
        self._scope = {WHOLE: "c"}
        self._fields: dict[str, str] = {}
        self.free: set[str] = set()
        self.asked: dict[str, None] = {}

    @contextmanager
    def bound(self, names: dict[str, str]) -> Iterator[None]:
        """Bind names to these expressions in the context."""
        before, self._scope = self._scope, {**self._scope, **names}
        yield
        self._scope = before

    def stands_for(self, variable: str, expression: str) -> None:
        """Record the value of a variable."""
        self._fields[variable] = self._field(expression)

    def named(self, name: str) -> str:
        """Return the variable or constant for a name of the template."""
        if name in self._scope:
            return self._scope[name]
        self.free.add(name)
        if self._subject == "c":  # names refer to those of the context
            if name not in self._keys["c"]:
                return "M"
            self.stands_for(f"v_{name}", f'c["{name}"]')
        return f"v_{name}"

    def of_context(self) -> Iterator[tuple[str, str]]:
        """Yield the free names that the context defines, each with its expression."""
        for name in sorted(self.free):
            if self._subject != "c":
                yield name, f"c.get({name!r}, M)"
            elif name in self._keys["c"]:
                yield name, f"c[{name!r}]"

    def is_near(self, expression: str) -> bool:
        """Return whether an expression refers to the subject, or to a known mapping directly in it."""
        field = self._field(expression)
        return field in self._keys or (field.count("[") == 1 and self._is_there(field))

    def _field(self, expression: str) -> str:
        """Return an expression with a variable at its beginning replaced by its value."""
        match = _FIELD.fullmatch(expression)
        return self._fields.get(match[1], match[1]) + match[2] if match else expression

    def keys_of(self, expression: str) -> Keys | None:
        """Return the keys of a mapping if known; otherwise record that they are needed."""
        field = self._field(expression)
        if field not in self._keys and self.is_near(field):
            self.asked[_key(field)] = None
        return self._keys.get(field)

    def _is_there(self, expression: str) -> bool:
        """Return whether an expression is known to be defined."""
        field = self._field(expression)
        mapping = field[: field.rfind("[")] if field.endswith('"]') else ""
        return _key(field) in self._keys.get(mapping, ()) if mapping else field in self._keys

    def of(self, node: nodes.Node | None) -> str:
        """Return the Python expression of a node."""
        match node:
            case nodes.Name():
                return self.named(node.name)
            case nodes.Const():
                return quoted(node.value)
            case nodes.Tuple() | nodes.List():
                items = "".join(f"{self.of(item)}, " for item in node.items)
                return f"({items})" if isinstance(node, nodes.Tuple) else f"[{items}]"
            case nodes.Getattr() | nodes.Getitem():
                mapping, key = self._member(node)
                return f"{mapping}[{key}]"
            case nodes.Test(name="defined"):
                return self._defined(node.node)
            case nodes.Filter(name="default"):
                return self._default(node)
            case nodes.Not():
                value = self.of(node.node)
                return {"True": "False", "False": "True"}.get(value, f"(not {value})")
            case nodes.And() | nodes.Or():
                return self._both(node)
            case nodes.Compare(ops=[nodes.Operand() as other]) if other.op in _OPERATORS:
                left, right = self.of(node.expr), self.of(other.expr)
                if other.op in ("in", "notin") and left.startswith('"'):
                    return self.contains(right, left, other.op == "in")
                return f"({left} {_OPERATORS[other.op]} {right})"
        raise UnsupportedError(f"{type(node).__name__} of {self._template}")

    def _member(self, node: nodes.Getattr | nodes.Getitem) -> tuple[str, str]:
        """Return the mapping and the key of a field, each as an expression."""
        return self.of(node.node), quoted(node.attr) if isinstance(node, nodes.Getattr) else self.of(node.arg)

    def contains(self, mapping: str, key: str, is_in: bool = True) -> str:
        """Return the expression for whether a mapping has a key, or does not."""
        if key.startswith('"') and (keys := self.keys_of(mapping)) is not None:
            return str((literal_eval(key) in keys) is is_in)
        return f"({key} {'in' if is_in else 'not in'} {mapping})"

    def _defined(self, node: nodes.Node) -> str:
        if isinstance(node, (nodes.Getattr, nodes.Getitem)):
            return self.contains(*self._member(node))
        value = self.of(node)
        return "False" if value == "M" else "True" if self._is_there(value) else f"({value} is not M)"

    def _both(self, node: nodes.And | nodes.Or) -> str:
        """Return a condition without the parts that are already decided."""
        word, neutral, decides = ("and", "True", "False") if isinstance(node, nodes.And) else ("or", "False", "True")
        left = self.of(node.left)
        if left == decides:
            return left
        right = self.of(node.right)
        return right if left == neutral else left if right == neutral else f"({left} {word} {right})"

    def _default(self, node: nodes.Filter) -> str:
        if node.kwargs or len(node.args) > 1 or node.node is None:
            raise UnsupportedError(f"default of {self._template}, line {node.lineno}")
        default = self.of(node.args[0]) if node.args else quoted("")
        if isinstance(node.node, (nodes.Getattr, nodes.Getitem)):
            mapping, key = self._member(node.node)
            known = self.contains(mapping, key)
            return {"True": f"{mapping}[{key}]", "False": default}.get(known, f"{mapping}.get({key}, {default})")
        value = self.of(node.node)
        if value == "M" or self._is_there(value):
            return default if value == "M" else value
        return f"({default} if {value} is M else {value})"


def _key(field: str) -> str:
    """Return the last key of a field."""
    return field[field.rfind("[") + 2 : -2]


def escaped(expression: str) -> str:
    """Return the expression of a value after ``escape``; most values are found here not to need it."""
    return f"{_BEFORE}{expression}{_AFTER}"


def constant(node: nodes.Node) -> Any:
    """Return the value of a constant."""
    if isinstance(node, nodes.Const):
        return node.value
    raise UnsupportedError(f"a value that is computed, line {node.lineno}")


def quoted(value: object) -> str:
    """Return a constant as an expression that can be part of a text in single quotes."""
    if not isinstance(value, str):
        return repr(value)
    if not re.fullmatch(r"[\w .:/-]*", value):
        raise UnsupportedError(f"the constant {value!r}")
    return f'"{value}"'
