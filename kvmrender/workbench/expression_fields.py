"""Fields of a guest that template expressions may refer to, for any guest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import product

from jinja2 import nodes

from kvmrender.errors import Path

Value = Path | str
"""Possible results of an expression: a field, without list indices, or a constant text."""
Scope = Mapping[str, frozenset[Value]]
"""Possible values of a template's names; other names are those of the context."""


class Meaning:
    """Find the possible results of expressions among these fields."""

    def __init__(self, fields: set[Path]) -> None:
        self._fields = fields

    def values(self, node: nodes.Node | None, scope: Scope) -> frozenset[Value]:
        """Return the fields and texts that an expression may evaluate to, or test for, with these names."""
        return frozenset(self._each(node, scope)) if node is not None else frozenset()

    def _each(self, node: nodes.Node, scope: Scope) -> Iterator[Value]:
        if isinstance(node, nodes.Const):
            if isinstance(node.value, str):
                yield node.value
        elif isinstance(node, nodes.Name):
            yield from scope.get(node.name, [()] if node.name == "domain" else self._known([(node.name,)]))
        elif isinstance(node, nodes.Getattr):
            yield from self._below(self.values(node.node, scope), [node.attr])
        elif isinstance(node, nodes.Getitem):
            yield from self._below(self.values(node.node, scope), self.values(node.arg, scope))
        elif isinstance(node, nodes.Compare):
            yield from self._compared(node, scope)
        elif isinstance(node, nodes.Filter) and node.name == "attributes":
            of = self.values(node.node, scope)
            yield from self._below(of, [value for argument in node.args for value in self.values(argument, scope)])
        elif isinstance(node, nodes.Call) and isinstance(node.node, nodes.Getattr):
            of = self.values(node.node.node, scope)
            if node.node.attr in ("items", "values"):
                inside = {path for path in of if isinstance(path, tuple)}
                yield from (path for path in self._fields if path and path[:-1] in inside)
            elif node.node.attr == "get":
                yield from self._below(of, [value for argument in node.args for value in self.values(argument, scope)])
        else:
            for child in node.iter_child_nodes():
                yield from self._each(child, scope)

    def _compared(self, node: nodes.Compare, scope: Scope) -> Iterator[Value]:
        """Yield the operands of comparisons; for ``name in mapping``, the fields that the name may refer to."""
        yield from (value for value in self.values(node.expr, scope) if isinstance(value, tuple))
        for operand in node.ops:
            found = self.values(operand.expr, scope)
            yield from (value for value in found if isinstance(value, tuple))
            if operand.op in ("in", "notin"):
                yield from self._below(found, self.values(node.expr, scope))

    def _below(self, of: Iterable[Value], keys: Iterable[Value]) -> Iterator[Path]:
        paths, names = (path for path in of if isinstance(path, tuple)), [key for key in keys if isinstance(key, str)]
        yield from self._known((*path, name) for path, name in product(paths, names))

    def _known(self, paths: Iterable[Path]) -> Iterator[Path]:
        return (path for path in paths if path in self._fields)


def bound(target: nodes.Node, values: frozenset[Value]) -> dict[str, frozenset[Value]]:
    """Return the names that are assigned values; of several (``key, value``), each may be any of them."""
    return {name.name: values for name in [target, *target.find_all(nodes.Name)] if isinstance(name, nodes.Name)}
