"""Execution of the functions that ``kvmrender.compiler.generator`` creates from templates."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn

from kvmrender.compiler.specialise import TABLE, Made, Table, Tables, Write, identifier
from kvmrender.shipped import SHIPPED
from kvmrender.templating.xml import attributes, escape, escape_text, indent, special, well_formed

if TYPE_CHECKING:
    from kvmrender.templating.guard import Written

Context = dict[str, Any]
Function = Callable[[Context], str]
Include = Callable[[str, Context], str]
"""Render a template of this name with Jinja."""


class _Missing:
    """Stands for a name that the context does not define. All operations on it fail."""

    def _fail(self, *_: object) -> NoReturn:
        raise LookupError

    __bool__ = __eq__ = __ne__ = __hash__ = __str__ = __iter__ = __contains__ = __getitem__ = _fail


MISSING = _Missing()


class _End(str):
    """The end of an opening tag, distinguished from other texts by ``is``."""

    __slots__ = ()


class Functions(dict[str, "Function | None"]):
    """Functions by name of the template, which return a context's XML; None if only Jinja can render it.

    They raise any exception if they fail: Jinja then renders the guest. ``more`` creates the functions of a template
    that ``made`` does not have, and returns whether it succeeded. Python compiles each function at its first call,
    since a guest needs only a few.
    """

    def __init__(self, made: Made, more: Callable[[str], bool], include: Include, reread: Callable[[], Write]) -> None:
        super().__init__()
        self._made, self._more, self._lock = made, more, Lock()
        filters = {"A": _attributes, "E": escape, "S": special, "T": escape_text, "X": well_formed, "I": indent}
        others = {"M": MISSING, "J": _included(include), "G": _End(">\n"), "B": _End(">")}
        self._space: dict[str, Any] = {**filters, **others}
        self._tables = Tables(self._space, made, reread)

    def __missing__(self, root: str) -> Function | None:
        """Return the function of a template that is a whole document."""
        with self._lock:
            if root not in self:
                is_there = root in self._made.functions or self._more(root)
                self._add()
                self[root] = _entry(self._space[TABLE + identifier(root)]) if is_there else None
            return self[root]

    def written(self, name: str) -> Written | None:
        """Return how a shipped template is written that a custom one includes: the names that it takes, and a function
        of the whole context and these names; None if only Jinja can render it."""
        made = self._made
        if f"{SHIPPED}/{name}" in made.functions:  # it is a custom one
            return None
        name = name if name in made.functions else name.removeprefix(f"{SHIPPED}/")
        taken, subject = made.taken.get(name, []), made.subjects.get(name, "")
        if name not in made.functions or subject == "c":
            return None

        def write(context: Context, names: Context) -> str:
            function = self._space[identifier(name)]
            if subject:
                function = self._space[TABLE + identifier(name)][tuple(names[subject[2:]])]
            found: list[str] = []
            function(found, context, *(names.get(one, MISSING) for one in taken))
            return "".join(found)

        return taken, write

    def _add(self) -> None:
        for name, source in self._made.functions.items():
            if (function := identifier(name)) not in self._space:
                self._space[function] = _later(self._space, function, source)
                if name in self._made.subjects:
                    self._tables.add(name)


def _later(space: dict[str, Any], name: str, source: str) -> Callable[..., Any]:
    """Return a function that replaces itself by the compiled one when called."""

    def first(*arguments: Any) -> Any:
        exec(compile(source, "<templates>", "exec"), space)
        return space[name](*arguments)

    return first


def _attributes(element: Any, names: tuple[str, ...]) -> str:
    if element.__class__ is not dict:
        raise TypeError
    return attributes(element, names)


def _included(include: Include) -> Callable[..., None]:
    def included(found: list[str], name: str, context: Context, names: Context) -> None:
        given = {key: value for key, value in names.items() if value is not MISSING}
        if text := include(name, {**context, "domain": context, **given}):
            found.append(text)

    return included


def _entry(table: Table) -> Function:
    return lambda context: table[tuple(context)](context)
