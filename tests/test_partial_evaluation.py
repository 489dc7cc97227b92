"""Functions of templates for mappings whose keys are known: what is left of them to be asked and written."""

from __future__ import annotations

import ast
from textwrap import dedent

import pytest

from kvmrender.compile_expressions import brief, escaped
from kvmrender.partial_evaluation import PartialEvaluator
from kvmrender.residual import Escaping, written_together

CALLED = """
def t_called(found, c, v_x):
    w = found.append
    v1_y = v_x['b']
    if 'a' in v_x:
        w('called')
        w(v1_y)
"""
LEFT = {
    "keys": ("if 'a' in v: w('a')\nif 'z' in v: w('z')", "w('a')"),
    "else": ("if 'z' in v:\n    w('z')\nelse:\n    w('a')", "w('a')"),
    "nothing": ("if v['n']:\n    if 'z' in v: w('z')", "if v['n']:\n    pass"),
    "not": ("if not 'z' in v: w('a')\nif not 'a' in v: w('z')", "w('a')"),
    "and": ("if 'a' in v and v['n']: w('n')", "if v['n']:\n    w('n')"),
    "and never": ("if 'z' in v and v['z']: w('z')", ""),
    "and after": ("if v['n'] and 'z' in v: w('z')", "if v['n'] and False:\n    w('z')"),
    "or": ("if 'z' in v or v['n']: w('n')", "if v['n']:\n    w('n')"),
    "or always": ("if 'a' in v or v['n']: w('a')", "w('a')"),
    "get": ("w(v.get('a', 'd'))\nfor x in v.get('z', []): w(x)", "w(v['a'])"),
    "class": ("if v.__class__ is not dict: raise TypeError\nw('a')", "w('a')"),
    "other": ("if 'a' in o: w('a')\nw(o.get('a', 'd'))", "if 'a' in o:\n    w('a')\nw(o.get('a', 'd'))"),
    "there": ("v1_x = v['a']\nif (v1_x is not M): w(v1_x)", "v1_x = v['a']\nw(v1_x)"),
    "missing": ("v1_x = v.get('z', M)\nif (v1_x is not M): w(v1_x)\nu(v1_x)", "u(M)"),
    "choice": ("for x in [] if v.get('z', M) is M else v['z']: w(x)", ""),
    "inside": ("if 'k' in v['b']: w('k')\nif 'z' in v['b']: w('z')", "w('k')"),
    "by a name": ("v1_e = v['b']\nif 'k' in v1_e: w('k')\nif 'z' in v1_e: w('z')", "v1_e = v['b']\nw('k')"),
    "two deep": ("if 'k' in v['b']['k']: w('k')", "if 'k' in v['b']['k']:\n    w('k')"),
    "called": ("S_t_called[tuple(v)](found, c, v)\nw('!')", "i1_v1_y = v['b']\nw(f'called{i1_v1_y}!')"),
    "called twice": (
        "t_called(found, c, v)\nt_called(found, c, v)",
        "i1_v1_y = v['b']\nw(f'called{i1_v1_y}')\ni2_v1_y = v['b']\nw(f'called{i2_v1_y}')",
    ),
    "called with another": ("t_called(found, c, o)", "t_called(found, c, o)"),
    "called into another": ("t_called(inner, c, v)", "t_called(inner, c, v)"),
    "texts": ("w('a')\nw(f'b{v}c')\nw('d')", "w(f'ab{v}cd')"),
    "a value": ("w(u(v))", "w(u(v))"),
    "texts apart": ("w('a')\nu()\nw('b')", "w('a')\nu()\nw('b')"),
    "loop": ("for x in v['n']:\n    w('a')\n    w('b')", "for x in v['n']:\n    w('ab')"),
    "empty": ("w('<x')\nw(G)\nif found[-1] is G: found[-1] = '/>'\nelse: w('</x>')\nw('.')", "w('<x/>.')"),
    "not empty": (
        "w(G)\nw('a')\nw(B)\nif found[-1] is B: found[-1] = '/>'\nelse: w('</y>')\n"
        "if found[-1] is G: found[-1] = '/>'\nelse: w('</x>')",
        "w('>\\na/></x>')",
    ),
    "maybe empty": (
        "w(G)\nu()\nif found[-1] is G: found[-1] = '/>'\nelse: w('</x>')",
        "w(G)\nu()\nif found[-1] is G:\n    found[-1] = '/>'\nelse:\n    w('</x>')",
    ),
}
"""Lines of a function, and what is left where the mapping v has the keys a, b and n, and v['b'] has k."""


def left(lines: str) -> tuple[str, list[str]]:
    """What is left of lines, and what else they ask."""

    def function(name: str) -> ast.FunctionDef:
        found = ast.parse(CALLED).body[0]
        assert isinstance(found, ast.FunctionDef)
        assert name.removeprefix("S_") == found.name
        return found

    evaluator = PartialEvaluator("v", {(): ("a", "b", "n"), ("b",): ("k",)}, function)
    body = written_together(evaluator.statements(ast.parse(dedent(lines)).body))
    return ast.unparse(ast.fix_missing_locations(ast.Module(body, []))), [key for (key,) in evaluator.asked]


@pytest.mark.parametrize(("lines", "expected"), LEFT.values(), ids=LEFT)
def test_what_is_left(lines: str, expected: str) -> None:
    assert left(lines)[0] == expected


def test_what_is_asked_of_mappings_inside() -> None:
    """But for those that are not there, and those that are known."""
    asked = left(
        "v1_n = v['n']\nif 'x' in v1_n: w('x')\nif 'x' in v['b']: w('y')\nif 'z' in v and 'x' in v['z']: w('z')"
    )
    assert asked[1] == ["n"]


def test_values_are_escaped_as_in_the_source() -> None:
    values = "v['b']", "v['c'].get('d', '')"
    source = f"[{', '.join(map(escaped, values))}, u(v)]"
    short = brief(source)
    assert short == f"[{', '.join(f'Q({value})' for value in values)}, u(v)]"
    parsed = ast.parse(short, mode="eval")
    whole = Escaping(escaped("y")).visit(parsed)
    assert ast.dump(whole) == ast.dump(ast.parse(source, mode="eval"))
    assert ast.dump(parsed) == ast.dump(ast.parse(short, mode="eval"))


def test_what_is_left_is_gone_on_with() -> None:
    """With more that is known, and other names for the variables of functions that are called then."""
    lines = "t_called(found, c, v)\nv1_e = v['b']\nif 'k' in v1_e: t_called(found, c, v1_e)\nif 'z' in v1_e: w('z')"
    source = ast.parse(lines).body
    before = [ast.dump(statement) for statement in source]

    def function(name: str) -> ast.FunctionDef:
        found = ast.parse(CALLED).body[0]
        assert isinstance(found, ast.FunctionDef)
        return found

    outer = PartialEvaluator("v", {(): ("b",)}, function)
    body = outer.statements(source)
    assert [*outer.asked] == [("b",)]
    inner = PartialEvaluator("v", {(): ("b",), ("b",): ("b", "k")}, function, outer.count)
    whole = inner.statements(body)
    found = ast.unparse(ast.fix_missing_locations(ast.Module(whole, [])))
    assert found == "i1_v1_y = v['b']\nv1_e = v['b']\ni2_v1_y = v1_e['b']"
    assert [ast.dump(statement) for statement in source] == before
