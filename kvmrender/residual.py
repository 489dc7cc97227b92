"""What partial evaluation has left of a function, as it is to be compiled: texts together, values escaped."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import cast

from kvmrender.partial_evaluation import Rewriter


class Escaping(Rewriter):
    """Puts an expression in the place of each ``Q(value)``: that of which ``escaped`` is the source, where ``y`` is the
    value (see ``kvmrender.compile_expressions``)."""

    def __init__(self, escaped: str) -> None:
        self._escaped = ast.parse(escaped, mode="eval").body

    def visit_Call(self, node: ast.Call) -> ast.expr:  # noqa: N802 - ast calls it so
        """Return the expression."""
        match self.generic_visit(node), self._escaped:
            case (
                ast.Call(ast.Name("Q"), [value]),
                ast.IfExp(ast.BoolOp(both, [ast.Compare(ast.Attribute(ast.NamedExpr(x)), ops, to), *tests]), a, b),
            ):
                kind = ast.Attribute(ast.NamedExpr(x, value), "__class__", ast.Load())
                return ast.IfExp(ast.BoolOp(both, [ast.Compare(kind, ops, to), *tests]), a, b)
            case (found, _):
                return cast(ast.Call, found)


def written_together(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements with texts that are written one after the other as one."""
    found: list[ast.stmt] = []
    pending: list[ast.expr] = []

    def flush() -> None:
        if pending:
            parts = _joined(pending)
            match parts:
                case [ast.Constant() as value] | [ast.FormattedValue(value)]:
                    pass
                case _:
                    value = ast.JoinedStr(parts)
            found.append(ast.Expr(ast.Call(ast.Name("w", ast.Load()), [value], [])))
            pending.clear()

    for statement in _closed(body):
        if (text := _written(statement)) is not None and not _is_end(text):
            pending += _parts(text)
            continue
        flush()
        match statement:
            case ast.If(test, body, orelse):
                statement = ast.If(test, written_together(body), written_together(orelse))
            case ast.For(target, over, body):
                statement = ast.For(target, over, written_together(body), [])
        found.append(statement)
    flush()
    return found


def _joined(parts: Iterable[ast.expr]) -> list[ast.expr]:
    """Return parts of a text with constants beside each other as one."""
    found: list[ast.expr] = []
    for part in parts:
        match part, found[-1:]:
            case ast.Constant(str(text)), [ast.Constant(str(before))]:
                found[-1] = ast.Constant(before + text)
            case _:
                found.append(part)
    return found


def _parts(text: ast.expr) -> Iterator[ast.expr]:
    """Yield the parts of a text."""
    if isinstance(text, ast.JoinedStr):
        yield from text.values
    else:
        yield text if isinstance(text, ast.Constant) else ast.FormattedValue(text, -1)


def _written(statement: ast.stmt) -> ast.expr | None:
    """Return what a statement writes, where that is all that it does."""
    match statement:
        case ast.Expr(ast.Call(ast.Name("w"), [text])):
            return text
    return None


def _is_end(text: ast.expr | None) -> bool:
    return isinstance(text, ast.Name) and text.id in _ENDS


_ENDS = {"G": ">\n", "B": ">"}


def _closed(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements in which elements that are known to be empty, or not to be, are written as such."""
    found: list[ast.stmt | None] = list(body)
    opened: list[int] = []
    for place, statement in enumerate(body):
        text = _written(statement)
        if isinstance(text, ast.Name) and text.id in _ENDS:
            opened.append(place)
        match statement:
            case ast.If(ast.Compare(ast.Subscript(ast.Name("found")), [ast.Is()], [ast.Name(end)]), _, [otherwise]):
                begun = opened.pop()
                between = body[begun + 1 : place]
                if not between:
                    found[begun], found[place] = _write("/>"), None
                elif any(_written(inner) is not None for inner in between):
                    found[begun], found[place] = _write(_ENDS[end]), otherwise
    return [statement for statement in found if statement is not None]


def _write(text: str) -> ast.stmt:
    return ast.Expr(ast.Call(ast.Name("w", ast.Load()), [ast.Constant(text)], []))
