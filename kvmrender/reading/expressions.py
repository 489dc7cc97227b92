"""Jinja expressions in a fleet's ``each``, evaluated with the values of each guest.

They run in a sandbox that has no functions and few filters, and no operation creates more than MOST characters. The
cost of an evaluation, in characters that it may have read or created, is counted: a run is refused if it grows far
beyond the size of the input (see ``size_limits``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jinja2 import StrictUndefined, TemplateError, UndefinedError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing, pass_context

from kvmrender.errors import GuestError, Path, Problem, brief, nearest
from kvmrender.reading.layers import BEGIN, Appended
from kvmrender.reading.size_limits import characters

Hides = Callable[[Path, str], bool]
Spend = Callable[[int], None]
INDEX = "index"
MOST, MOST_DIGITS = 1 << 16, 80
"""Maximum characters of a text with expressions, and of the result of one; maximum digits of a number."""
COMPILING, REFUSING = 10_000, 1_000
"""The cost of compiling a text, in addition to 100 per character, and of refusing one."""
MOST_KEPT = 1 << 10
"""Maximum number of compiled texts in the cache."""

_FILTERS = "abs capitalize count d default first int last length list lower max min string title trim upper"
_NAMES = """
    capitalize endswith find isalpha isdigit join lower lstrip partition removeprefix removesuffix replace rfind
    rpartition rsplit rstrip split splitlines startswith strip title upper zfill
    """
_METHODS = frozenset(_NAMES.split())
_NODES = (
    *(
        nodes.Add,
        nodes.And,
        nodes.Call,
        nodes.Compare,
        nodes.Concat,
        nodes.CondExpr,
        nodes.Const,
        nodes.Dict,
        nodes.Div,
    ),
    *(nodes.Filter, nodes.FloorDiv, nodes.Getattr, nodes.Getitem, nodes.Keyword, nodes.List, nodes.Mod, nodes.Mul),
    *(nodes.Name, nodes.Neg, nodes.Not, nodes.Operand, nodes.Or, nodes.Output, nodes.Pair, nodes.Pos, nodes.Pow),
    *(nodes.Slice, nodes.Sub, nodes.Template, nodes.TemplateData, nodes.Test, nodes.Tuple),
)
_RESULT = "_result"
_WIDE = re.compile(r"%[^%A-Za-z]*(?:[*]|[0-9]{3})")
"""Formats that can expand a short value to any length."""
_TOO_DEEP = (RecursionError, MemoryError, SystemError, SyntaxError)


class _RefusedError(Exception):
    """An expression can't be evaluated; the message gives the reason."""


class _UnknownNameError(UndefinedError):
    """A name is undefined: it is the message."""


class _Missing(StrictUndefined):
    """An undefined value whose message names the nearest known key."""

    def __init__(self, hint: str | None = None, obj: Any = missing, name: str | None = None, exc: Any = None) -> None:
        super().__init__(hint, obj, name, _UnknownNameError if obj is missing and hint is None else UndefinedError)

    @property
    def _undefined_message(self) -> str:
        name, of = str(self._undefined_name), self._undefined_obj
        if self._undefined_hint or of is missing:
            return self._undefined_hint or name
        if isinstance(of, Mapping):
            return f"{brief(name)!r} is not set there{nearest(name, of)}"
        return f"{_kind(of)} has no {brief(name)!r}"


class _Context(Context):
    spend: Callable[[int], None]

    def made(self, size: int) -> None:
        """Count the size of a result before it is created. Raises _RefusedError if it is too large."""
        if size > MOST:
            raise _RefusedError(f"makes more than {MOST:,} characters")
        self.spend(max(size, 0))


class _CodeGenerator(CodeGenerator):
    """Jinja's, but texts are joined within the limit."""

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:  # noqa: N802 - Jinja's name
        self.write("environment.joined(context, (")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")


class _Environment(ImmutableSandboxedEnvironment):
    code_generator_class = _CodeGenerator
    context_class = _Context
    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)

    def __init__(self) -> None:
        super().__init__(undefined=_Missing, optimized=False, keep_trailing_newline=True, cache_size=0)
        own = {"replace": pass_context(_replaced), "join": pass_context(_joined), "format": pass_context(_formatted)}
        self.filters = {**{name: self.filters[name] for name in _FILTERS.split()}, **own}
        self.globals = {}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return an item of a mapping by key, or a method of a string."""
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, str) and attribute in _METHODS:
            return getattr(obj, attribute)
        return obj if isinstance(obj, Undefined) and str(obj) else self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return an item of a mapping, a list or a string."""
        try:
            return obj[argument]
        except (LookupError, TypeError):
            which = f" {argument}" if isinstance(argument, int) else ""  # a text may be a secret
            return self.undefined(f"{_kind(obj)} has no such item{which}")

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805 - as in Jinja
        """Call a string method."""
        if isinstance(__obj, Undefined):
            str(__obj)
        text, name = getattr(__obj, "__self__", None), getattr(__obj, "__name__", "")
        if not isinstance(text, str) or name not in _METHODS:
            raise _RefusedError(f"calls a value that is not a string method: {_kind(__obj)}")
        if name == "replace":
            return _replaced(__context, text, *args, **kwargs)
        if name == "join" and len(args) == 1:
            return _joined(__context, args[0], text)
        if name == "zfill" and args:
            __context.made(args[0])
        return __obj(*args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Evaluate an operator, if the result is within the limits."""
        texts = [isinstance(one, (str, list, tuple)) for one in (left, right)]
        if operator == "+" and all(texts):
            context.made(len(left) + len(right))
        elif operator == "%" and texts[0]:
            return _formatted(context, left, *(right if isinstance(right, tuple) else [right]))
        elif operator == "*" and any(texts):
            text, times = (left, right) if texts[0] else (right, left)
            if not isinstance(text, str):
                raise _RefusedError("multiplies a list")
            context.made(len(text) * times if isinstance(times, int) else 0)
        elif isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() * max(right, 1) if operator == "**" else left.bit_length() + right.bit_length()
            if operator in ("*", "**") and bits > MOST_DIGITS * 3.3:
                raise _RefusedError(f"makes a number of more than {MOST_DIGITS} digits")
        return super().call_binop(context, operator, left, right)

    def joined(self, context: Any, parts: tuple[Any, ...]) -> str:
        """Return values joined to one text."""
        texts = [_text(part) for part in parts]
        context.made(sum(map(len, texts)))
        return "".join(texts)


def _replaced(context: Any, text: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old, new = _text(text), _text(old), _text(new)
    context.made(len(text) + text.count(old) * max(len(new) - len(old), 0))
    return str(text.replace(old, new, count))


def _joined(context: Any, values: Any, between: Any = "") -> str:
    texts, between = [_text(value) for value in values], _text(between)
    context.made(sum(map(len, texts)) + len(texts) * len(between))
    return str(between.join(texts))


def _formatted(context: Any, text: Any, *values: Any) -> str:
    """Return a text with values for its ``%`` placeholders: ``'%02d' | format(index)``."""
    text = _text(text)
    if _WIDE.search(text):
        raise _RefusedError("formats a value wider than 99 characters")
    longest = max((len(_text(value)) for value in values), default=0)
    context.made(len(text) + text.count("%") * (100 + longest))
    return str(text % values)


def _kind(value: Any) -> str:
    kinds = {str: "a text", int: "a number", bool: "true or false", list: "a list", type(None): "null"}
    return "a mapping" if isinstance(value, Mapping) else kinds.get(type(value), "a method, to be called with ()")


def _text(value: Any) -> str:
    """Return a value as it is written in a text."""
    if isinstance(value, Undefined) and not str(value):  # that of what is missing raises
        raise _RefusedError("has an if without else whose condition is false")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise _RefusedError(f"has {_kind(value)} where a string or a number is expected")


def _value(value: Any) -> Any:
    """Return the guest value for the result of an expression."""
    if isinstance(value, (list, tuple)):
        return [_value(item) for item in value]
    if isinstance(value, Mapping):
        return {_text(key): _value(item) for key, item in value.items()}
    return value if value is None or isinstance(value, (bool, int)) else _text(value)


class _Compiled(NamedTuple):
    evaluate: Callable[[Any], Any]
    """Evaluates with a context, which has the parts as _RESULT afterwards."""
    is_text: bool


_environment = _Environment()
_kept: dict[str, _Compiled] = {}


def _parsed(text: str) -> list[nodes.Expr]:
    """Return the parts of a text. Raises _RefusedError."""
    found = _environment.parse(text)
    for node in found.find_all(nodes.Node):
        if not isinstance(node, _NODES):
            raise _RefusedError("contains more than text and expressions, {{ … }}")
        if isinstance(node, nodes.Filter) and node.name not in _environment.filters:
            hint = nearest(node.name, sorted(_environment.filters))
            raise _RefusedError(f"has {brief(node.name)!r}, which is not an available filter{hint}")
        if isinstance(node, nodes.Name) and node.name == "self":
            raise _UnknownNameError(node.name)
        if isinstance(node, nodes.Call) and not (isinstance(node.node, nodes.Getattr) and node.node.attr in _METHODS):
            name = node.node.attr if isinstance(node.node, nodes.Getattr) else getattr(node.node, "name", None)
            hint = nearest(name, sorted(_METHODS)) if name else ""
            raise _RefusedError(f"calls {brief(name or '')!r}, which is not an available string method{hint}")
    return [part for output in found.body for part in output.nodes]  # type: ignore[attr-defined] # all are nodes.Output


def _compiled(text: str) -> _Compiled:
    found = _kept.get(text)
    if found is None:
        if len(text) > MOST:
            raise _RefusedError(f"has more than {MOST:,} characters")
        parts = _parsed(text)
        if len(_kept) >= MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        body = nodes.Assign(nodes.Name(_RESULT, "store"), nodes.Tuple(parts, "load"), lineno=1)
        template = _environment.from_string(nodes.Template([body], lineno=1))
        is_text = len(parts) != 1 or isinstance(parts[0], nodes.TemplateData)
        found = _kept[text] = _Compiled(template.root_render_func, is_text)
    return found


class _Expanding:
    """Evaluates expressions with the values of one guest; ``problems`` are those of invalid expressions."""

    def __init__(self, guest: dict[str, Any], hides: Hides, spend: Spend) -> None:
        self.problems = list[Problem]()
        self._hides, self._spend, self._per_character = hides, spend, 1 + characters(guest) // 100
        self._context = _Context(_environment, guest, None, {})
        self._context.spend = spend

    def filled(self, value: Any, own: Any, path: Path) -> Any:
        """Return a value with its expressions evaluated, without values that the guest's ``own`` override."""
        if isinstance(value, dict):
            own = own if isinstance(own, dict) else {}
            return {
                key: self.filled(item, own.get(key), (*path, key))
                for key, item in value.items()
                if key not in own
                or isinstance(own[key], Appended)
                or (isinstance(item, dict) and isinstance(own[key], dict))
            }
        if isinstance(value, list):
            return [self.filled(item, None, (*path, number)) for number, item in enumerate(value)]
        return self.evaluated(value, path) if isinstance(value, str) and BEGIN in value else value

    def evaluated(self, text: str, path: Path) -> Any:
        """Return the result of a text with expressions."""
        try:
            if text not in _kept:
                self._spend(COMPILING + 100 * len(text))
            self._spend(len(text) * self._per_character)
            found = _compiled(text)
            for _ in found.evaluate(self._context):
                pass
            parts = self._context.vars.pop(_RESULT)
            return _environment.joined(self._context, parts) if found.is_text else _value(parts[0])
        except _UnknownNameError as error:
            self._refuse(text, path, f"{brief(str(error))!r} is not defined", nearest(str(error), self._context.parent))
        except (_RefusedError, TemplateError) as error:
            self._refuse(text, path, str(error))
        except GuestError:
            raise
        except _TOO_DEEP:
            self._refuse(text, path, "is nested too deep")
        except Exception as error:  # whatever operators and methods raise
            self._refuse(text, path, "can't be evaluated", f" ({error})")
        return None

    def refused_name(self, name: Any) -> None:
        """Make a name that comes from an expression visible to the other expressions."""
        self._context.parent["name"] = name

    def _refuse(self, text: str, path: Path, said: str, more: str = "") -> None:
        self._spend(REFUSING)
        hidden = self._hides(path, text)
        self.problems.append(Problem(path, said if hidden else f"{brief(text)!r}: {said}{more}", id="each"))


def expanded(
    each: Any,
    guest: Any,
    own: Any,
    index: int,
    hides: Hides = lambda path, text: False,
    spend: Spend = lambda cost: None,
) -> Any:
    """Return the values of ``each`` for one guest.

    ``guest`` is the guest as written over its defaults, whose values expressions see, with its ``index``; ``own`` is
    what it says itself, which replaces what is here. ``hides`` says what messages may not quote; ``spend`` is told what
    something costs, before it is done. Raises GuestError, and what ``spend`` does.
    """
    if not isinstance(guest, dict):
        return {}
    expanding = _Expanding({"vars": {}, **guest, INDEX: index}, hides, spend)
    name = each.get("name")
    if isinstance(name, str) and BEGIN in name and "name" not in own:
        each = {**each, "name": expanding.evaluated(name, ("name",))}
        expanding.refused_name(each["name"])
    found = expanding.filled(each, own, ())
    if expanding.problems:
        raise GuestError(expanding.problems)
    return found
