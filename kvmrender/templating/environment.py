"""Jinja environment of the templates: sandboxed, with strict undefined names and XML escaping."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import wraps
from typing import Any

import jinja2
from jinja2 import BaseLoader, StrictUndefined, TemplateRuntimeError, TemplateSyntaxError, compiler, nodes
from jinja2.compiler import Frame
from jinja2.ext import Extension
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing
from markupsafe import Markup

from kvmrender.errors import nearest
from kvmrender.templating.template_errors import UNKNOWN_NAME
from kvmrender.templating.xml import attributes, escape, escape_text, indent, well_formed

CLOSING = "\0"
"""Marks each closing tag of a template until ``finish`` removes it. It can't occur in XML."""

_CLOSING_TAG = re.compile(r"</(?=[A-Za-z_]|{{)")
# Not after text that only looks like a tag: <x/>, and comments, instructions and CDATA sections in raw XML.
_OPENING = re.compile(r"<([^\s<>/]+)((?:\s[^<>]*)?)(?<![]/?-])>(?:\n *)?")
_CLOSES = re.compile(r"</([^\s<>/]+)>")


def finish(xml: str) -> str:
    """Convert empty elements to ``<x/>``, so that templates need not know which elements are empty."""
    return closed(xml, _OPENING, _CLOSES)


def closed(xml: str, opening: re.Pattern[str], closes: re.Pattern[str]) -> str:
    """Return XML without the marks of closing tags, with elements that are empty as ``<x/>``.

    ``opening`` matches the beginning of an empty element, from ``<`` to the mark, ``closes`` what follows; their first
    groups are the element's name. Only the last ``<`` between two marks is examined, so that the time is linear in the
    text's length.
    """
    found = xml.split(CLOSING)
    for number, after in enumerate(found[1:]):
        before = found[number]
        begun, ended = opening.fullmatch(before, max(before.rfind("<"), 0)), closes.match(after)
        if begun and ended and begun[1] == ended[1]:
            found[number : number + 2] = f"{before[: begun.start()]}<{begun[1]}{begun[2]}/>", after[ended.end() :]
    return "".join(found)


class _Mark(Extension):
    """Mark the closing tags in a template's source, for ``finish``. Line numbers do not change."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return _CLOSING_TAG.sub(CLOSING + "</", source)


class _Undefined(StrictUndefined):
    """An undefined name; its message suggests the nearest defined one."""

    @property
    def _undefined_message(self) -> str:
        name = self._undefined_name
        if self._undefined_hint:
            return self._undefined_hint
        if self._undefined_obj is missing:
            return f"{name!r} {UNKNOWN_NAME}"
        if isinstance(self._undefined_obj, Mapping):
            return f"{name!r} is not given here{nearest(name, self._undefined_obj)}"
        return f"{type(self._undefined_obj).__name__} has no {name!r}"


class CodeGenerator(compiler.CodeGenerator):
    """Jinja's code generator, with ``escape`` of this package for each value."""

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        self.write("environment.escape(")


UNREADABLE = (RecursionError, MemoryError, SystemError, SyntaxError, ValueError, OverflowError)
"""Exceptions for a template that is nested too deeply for Jinja's parser and compiler, or for Python's."""
NESTED = "is nested too deep"
_DEEP = 20
"""Levels of brackets and blocks from which nesting is probably the cause."""


def unreadable(
    environment: jinja2.Environment, error: BaseException, source: Any, name: str | None, filename: str | None
) -> TemplateSyntaxError:
    """Return the error for a template that can't be parsed or compiled, with the line that is nested deepest."""
    depth = most = 0
    tokens: Counter[int] = Counter()
    deepest, before = 1, ""
    with suppress(jinja2.TemplateError, *UNREADABLE):
        for line, kind, value in environment.lex(source) if isinstance(source, str) else ():
            tokens[line] += 1
            if before == "block_begin" and kind == "name":
                depth += -1 if value.startswith("end") else value in ("if", "for", "block", "with", "filter", "macro")
            elif kind == "operator":
                depth += (value in ("(", "[", "{")) - (value in (")", "]", "}"))
            if depth > most:
                deepest, most = line, depth
            before = kind if kind != "whitespace" else before
    if most < _DEEP and tokens:
        ((deepest, _),) = tokens.most_common(1)
    said = f"can't be compiled: {error.msg}" if isinstance(error, SyntaxError) else str(error)
    if isinstance(error, (RecursionError, MemoryError, SystemError)) or "nested" in said or "indentation" in said:
        said = NESTED
    return TemplateSyntaxError(said, deepest, name, filename)


class Environment(ImmutableSandboxedEnvironment):
    """A sandbox in which all output is escaped and undefined names are errors."""

    code_generator_class = CodeGenerator
    escape = staticmethod(escape)

    def __init__(self, loader: BaseLoader) -> None:
        super().__init__(
            loader=loader,
            autoescape=True,
            undefined=_Undefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            auto_reload=False,
            cache_size=-1,
            extensions=[_Mark],
        )
        self.filters.update(attributes=_attributes, indent=indent, text=_markup(escape_text), xml=_markup(well_formed))
        self.filters.update(dict.fromkeys(("e", "escape", "forceescape"), _markup(escape)))

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        try:
            return super()._parse(source, name, filename)
        except UNREADABLE as error:
            raise unreadable(self, error, source, name, filename) from None

    def compile(  # type: ignore[override] # whatever Jinja gives
        self, source: Any, name: Any = None, filename: Any = None, **more: Any
    ) -> Any:
        """Compile as Jinja does, but raise TemplateSyntaxError for everything that Jinja or Python can't compile."""
        try:
            return super().compile(source, name, filename, **more)
        except UNREADABLE as error:
            raise unreadable(self, error, source, name, filename) from None

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look up a mapping's key before an attribute: fields of a guest may have names of methods."""
        if isinstance(obj, dict):
            try:
                return obj[attribute]
            except KeyError:
                pass
        return super().getattr(obj, attribute)


def _attributes(element: Mapping[str, Any], *names: str) -> Markup:
    if not isinstance(element, Mapping):
        raise TemplateRuntimeError(f"attributes: wants a mapping, not {type(element).__name__}")
    return Markup(attributes(element, names))


def _markup(filter_: Callable[[Any], str]) -> Callable[[Any], Markup]:
    """Return a filter whose result is not escaped again."""

    @wraps(filter_)
    def marked(value: Any) -> Markup:
        return Markup(filter_(value))

    return marked
