"""A tighter sandbox for templates of other people: what they can compute, how long, and how much they can write.

The shipped templates need none of it, and pay nothing for it: loops are only counted in files of one's own folders.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from time import monotonic
from typing import Any

from jinja2 import TemplateRuntimeError, nodes, pass_environment
from jinja2.compiler import Frame
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, markup_join

from kvmrender.environment import CodeGenerator, Environment
from kvmrender.stack import Stack
from kvmrender.xml import indent

MOST_CHARACTERS = 8 << 20
"""Characters that a template may write for one guest, or make of one text."""
MOST_STEPS = 1_000_000
"""Turns of loops, calls and includes for one guest."""
MOST_SECONDS = 10.0
"""Time for one guest; looked at every few steps."""
MOST_COLUMNS = 100
"""Width of indents."""
MOST_BITS = 4096
"""Size of whole numbers."""
MOST_ITEMS = 100_000
"""Values inside a list or mapping that a template makes, all depths together."""

_FILTERS = """
    abs attributes capitalize count d default dictsort e escape first float forceescape groupby indent int items join
    last length list lower map max min reject rejectattr replace reverse round select selectattr sort string sum text
    title trim truncate unique upper urlencode wordcount xml
    """
_STRING_METHODS = """
    capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower
    isnumeric isprintable isspace istitle isupper lower lstrip partition removeprefix removesuffix rfind rindex
    rpartition rsplit rstrip split splitlines startswith strip swapcase title upper
    """
FILTERS, STRING_METHODS = frozenset(_FILTERS.split()), frozenset(_STRING_METHODS.split())
GLOBALS = frozenset(("cycler", "dict", "joiner", "namespace", "range"))
"""What there is: nothing that fills, repeats or formats, by which a short text becomes a huge one."""


class LimitError(TemplateRuntimeError):
    """A template went beyond a limit."""


class _CodeGenerator(CodeGenerator):
    """Has lists, mappings and joined texts looked at when they are made."""

    def visit_List(self, node: nodes.List, frame: Frame) -> None:
        self._inside("built", super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Frame) -> None:
        self._inside("built", super().visit_Dict, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Frame) -> None:
        if node.ctx == "load":
            self._inside("built", super().visit_Tuple, node, frame)
        else:  # it is assigned to
            super().visit_Tuple(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Frame) -> None:
        self._inside("joined", super().visit_List, nodes.List(node.nodes), frame)

    def _inside(self, method: str, visit: Callable[[Any, Frame], None], node: nodes.Expr, frame: Frame) -> None:
        """Write an expression as the argument of a method of the environment."""
        self.write(f"environment.{method}(")
        visit(node, frame)
        self.write(")")


def built(value: Any) -> Any:
    """Return a list or mapping that isn't too large. Raises LimitError."""
    left, level = MOST_ITEMS, [value]
    while level:
        item = level.pop()
        if isinstance(item, (list, tuple, dict)):
            left -= len(item) + 1
            if left < 0:
                raise LimitError(f"makes a list of more than {MOST_ITEMS:,} values")
            level += item.values() if isinstance(item, dict) else item
    return value


def measured(value: Any) -> Any:
    """Return a text or list that isn't too large. Raises LimitError."""
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        raise LimitError(f"makes a text of more than {MOST_CHARACTERS:,} characters")
    return built(value) if isinstance(value, (list, tuple, dict)) else value


def joined(parts: list[Any]) -> str:
    """Join the operands of ``~``. Raises LimitError."""
    found: str = measured(markup_join(parts))
    return found


class GuardedEnvironment(Environment):
    """The environment of a stack with folders of one's own."""

    code_generator_class = _CodeGenerator
    built = staticmethod(built)
    joined = staticmethod(joined)
    intercepted_binops = frozenset(("+", "*", "**", "%"))

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack.loader)
        self._stack = stack
        self._spent = threading.local()
        self.filters = {name: _measured(found) for name, found in self.filters.items() if name in FILTERS}
        self.filters.update(_counted=_counted, replace=_replace, indent=_indent)
        self.globals = {name: found for name, found in self.globals.items() if name in GLOBALS}

    def start(self) -> None:
        """Begin to count for a guest."""
        self._spent.steps, self._spent.until = 0, monotonic() + MOST_SECONDS

    def step(self) -> None:
        """Count a turn of a loop, a call or an include. Raises LimitError."""
        spent = self._spent
        spent.steps = steps = getattr(spent, "steps", 0) + 1
        if steps > MOST_STEPS:
            raise LimitError(f"loops and calls more than {MOST_STEPS:,} times for one guest")
        if not steps % 256 and monotonic() > getattr(spent, "until", steps):
            raise LimitError(f"takes more than {MOST_SECONDS:g} seconds for one guest")

    def concat(self, parts: Iterable[str]) -> str:
        """Join what a template writes. Raises LimitError."""
        size, found = 0, []
        for part in parts:
            size += len(part)
            if size > MOST_CHARACTERS:
                raise LimitError(f"writes more than {MOST_CHARACTERS:,} characters")
            found.append(part)
        return "".join(found)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute, unless the result would be huge. Raises LimitError and SecurityError."""
        sizes = [len(value) for value in (left, right) if isinstance(value, (str, list, tuple))]
        if operator == "%" and isinstance(left, str):
            raise SecurityError("texts are not formatted with %: write them with ~")
        if operator == "+" and len(sizes) == 2:
            if isinstance(left, str) and sum(sizes) > MOST_CHARACTERS:
                raise LimitError(f"makes a text of more than {MOST_CHARACTERS:,} characters")
            if not isinstance(left, str) and sum(sizes) > MOST_ITEMS:
                raise LimitError(f"makes a list of more than {MOST_ITEMS:,} values")
        if operator == "*" and sizes:
            times = right if isinstance(right, int) else left
            if isinstance(times, int) and sizes[0] * times > MOST_ITEMS:
                raise LimitError(f"repeats something to more than {MOST_ITEMS:,} characters or values")
        elif operator in ("*", "**") and isinstance(left, int) and isinstance(right, int):
            bits = left.bit_length() + right.bit_length() if operator == "*" else left.bit_length() * abs(right)
            if bits > MOST_BITS:
                raise LimitError(f"computes a number of more than {MOST_BITS:,} bits")
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call something, if that is allowed and does not make something huge. Raises SecurityError and LimitError."""
        __self.step()
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, str) and __obj.__name__ not in STRING_METHODS:
            raise SecurityError(f"method {__obj.__name__!r} of texts is not for templates")
        return measured(super().call(__context, __obj, *args, **kwargs))

    def get_template(self, name: Any, parent: str | None = None, globals: Any = None) -> Any:
        """Return a template; each include counts."""
        self.step()
        return super().get_template(name, parent, globals)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        if not self._stack.is_shipped(filename):
            for loop in list(source.find_all(nodes.For)):
                loop.iter = nodes.Filter(
                    loop.iter, "_counted", [], [], None, None, lineno=loop.lineno, environment=self
                )
        return super()._generate(source, name, filename, defer_init)


@pass_environment
def _counted(environment: GuardedEnvironment, values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        environment.step()
        yield value


def _measured(found: Callable[..., Any]) -> Callable[..., Any]:
    """Return a filter that raises LimitError where it has made something huge."""

    @wraps(found)
    def limited(*args: Any, **kwargs: Any) -> Any:
        return measured(found(*args, **kwargs))

    return limited


def _indent(text: str, width: int = 4, first: bool = False, blank: bool = False) -> str:
    """Indent the lines of a text. Raises LimitError for more than a screen's width."""
    if not 0 <= width <= MOST_COLUMNS:
        raise LimitError(f"indents by {width} columns: the most is {MOST_COLUMNS}")
    return indent(text, width, first, blank)


def _replace(text: object, old: object, new: object, count: int = -1) -> str:
    """Replace one text by another. Raises LimitError before it makes a huge one."""
    whole, part, instead = str(text), str(old), str(new)
    if whole.count(part) * len(instead) > MOST_CHARACTERS:
        raise LimitError(f"makes a text of more than {MOST_CHARACTERS:,} characters")
    return whole.replace(part, instead, count)
