"""A function of a template rewritten for mappings whose keys are known (see ``kvmrender.specialise``)."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterable, Mapping
from operator import is_
from typing import Any, cast

Path = tuple[str, ...]
"""The keys that lead to a mapping inside another; none to itself."""


class Rewriter(ast.NodeVisitor):
    """Makes nodes anew where something in them differs, and never changes one."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Return a node with what is left of those in it: the same one, if that is all."""
        left: dict[str, Any] = {}
        is_same = True
        for name in node._fields:
            before = getattr(node, name)
            if before.__class__ is list:
                left[name] = after = [self.visit(item) if isinstance(item, ast.AST) else item for item in before]
                is_same = is_same and all(map(is_, after, before))
            elif isinstance(before, ast.AST) and before._fields:
                left[name] = after = self.visit(before)
                is_same = is_same and after is before
            else:
                left[name] = before
        return node if is_same else node.__class__(**left)


class PartialEvaluator(Rewriter):
    """Answers what is asked of the keys of mappings: of the variable ``subject``, and of those in it, by their paths.

    ``function`` gives the function of a name, or of a table's, for those that are called with such a mapping. ``count``
    is that of the evaluator that has left the statements, if there was one before.
    """

    def __init__(
        self,
        subject: str,
        keys: Mapping[Path, Collection[str]],
        function: Callable[[str], ast.FunctionDef],
        count: int = 0,
    ) -> None:
        self._keys, self._function = keys, function
        self._paths: dict[str, Path] = {subject: ()}
        self._missing: set[str] = set()
        self.count, self._prefix = count, ""
        self._names: dict[str, str] = {}
        self.asked: dict[Path, None] = {}
        """Paths of other mappings right inside the subject that are asked for keys."""

    def _path(self, node: ast.expr) -> Path | None:
        match node:
            case ast.Name(name):
                return self._paths.get(name)
            case ast.Subscript(value, ast.Constant(str(key))):
                path = self._path(value)
                return None if path is None else (*path, key)
        return None

    def _keys_of(self, node: ast.expr) -> Collection[str] | None:
        """Return the keys of a mapping, where they are known."""
        path = self._path(node)
        if path is not None and len(path) == 1 and path not in self._keys and path[0] in self._keys[()]:
            self.asked[path] = None
        return self._keys.get(path) if path is not None else None

    def statements(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Return what is left of statements."""
        found: list[ast.stmt] = []
        for statement in body:
            left = self.visit(statement)
            found += left if isinstance(left, list) else [left] if left else []
        return found

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """Return it."""
        return node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        """Return what is left of a condition."""
        test = self.visit(node.test)
        if isinstance(test, ast.Constant):
            return self.statements(node.body if test.value else node.orelse)
        body, orelse = self.statements(node.body), self.statements(node.orelse)
        return ast.If(test, body or [ast.Pass()], orelse)

    def visit_For(self, node: ast.For) -> ast.stmt | None:
        """Return a loop, unless it is known to be over nothing."""
        target, over = self.visit(node.target), self.visit(node.iter)
        if isinstance(over, ast.List) and not over.elts:
            return None
        return ast.For(target, over, self.statements(node.body) or [ast.Pass()], [])

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        """Note what a variable stands for."""
        node = ast.Assign([self.visit(target) for target in node.targets], self.visit(node.value))
        match node:
            case ast.Assign([ast.Name(name)], ast.Name("M")):
                self._missing.add(name)
                return None
            case ast.Assign([ast.Name(name)], value) if path := self._path(value):
                self._paths[name] = path
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        """Return the name that a variable has here, or that of what is missing."""
        name = self._names.get(node.id) or (f"{self._prefix}{node.id}" if node.id.startswith("v") else node.id)
        return ast.Name("M" if name in self._missing else name, node.ctx)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Return the answer, where it is known."""
        node = cast(ast.Compare, self.generic_visit(node))
        match node:
            case ast.Compare(ast.Constant(key), [ast.In()], [of]) if (keys := self._keys_of(of)) is not None:
                return ast.Constant(key in keys)
            case ast.Compare(ast.Attribute(of, "__class__"), [ast.IsNot()], [ast.Name("dict")]):
                return node if self._keys_of(of) is None else ast.Constant(False)
            case ast.Compare(ast.Name(name), [ast.Is() | ast.IsNot() as test], [ast.Name("M")]):
                if name == "M" or name in self._paths:
                    return ast.Constant((name == "M") is isinstance(test, ast.Is))
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        """Return what is left to be asked."""
        node = cast(ast.BoolOp, self.generic_visit(node))
        every = isinstance(node.op, ast.And)
        # What comes after a value that decides isn't asked; what comes before it is.
        left: list[ast.expr] = []
        for value in node.values:
            if isinstance(value, ast.Constant) and isinstance(value.value, bool):
                if value.value is every:
                    continue
                if not left:
                    return value
                left.append(value)
                break
            left.append(value)
        return ast.BoolOp(node.op, left) if len(left) > 1 else left[0] if left else ast.Constant(every)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """Return the answer, where it is known."""
        node = cast(ast.UnaryOp, self.generic_visit(node))
        match node:
            case ast.UnaryOp(ast.Not(), ast.Constant(bool(value))):
                return ast.Constant(not value)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        """Return the one that is taken, where that is known."""
        node = cast(ast.IfExp, self.generic_visit(node))
        if isinstance(node.test, ast.Constant):
            return node.body if node.test.value else node.orelse
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Return the field that a call gives, where it is known."""
        node = cast(ast.Call, self.generic_visit(node))
        match node:
            case ast.Call(ast.Attribute(of, "get"), [ast.Constant(key), default]):
                if (keys := self._keys_of(of)) is not None:
                    return ast.Subscript(of, ast.Constant(key), ast.Load()) if key in keys else default
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.stmt | list[ast.stmt]:
        """Return the statements of a function that is called, where it is for a mapping that is known."""
        match node.value:
            case ast.Call(
                ast.Name(called) | ast.Subscript(ast.Name(called), ast.Call(ast.Name("tuple"))),
                [ast.Name("found"), *_] as arguments,
            ):
                names = [self.visit_Name(argument) for argument in arguments if isinstance(argument, ast.Name)]
                known = [self._keys_of(name) is not None for name in names[2:]]
                if len(names) == len(arguments) and any(known):
                    return self._called(self._function(called), names)
        return cast(ast.Expr, self.generic_visit(node))

    def _called(self, function: ast.FunctionDef, arguments: Iterable[ast.Name]) -> list[ast.stmt]:
        """Return the statements of a function that is called, with the names that its variables have here."""
        before = self._names, self._prefix
        self.count += 1
        parameters = [parameter.arg for parameter in function.args.args]
        self._names = {name: argument.id for name, argument in zip(parameters, arguments, strict=True)}
        self._prefix = f"i{self.count}_"
        found = self.statements(function.body[1:])  # it begins with what the caller has done
        self._names, self._prefix = before
        return found
