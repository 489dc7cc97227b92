"""A stricter sandbox for custom templates, which limits the available names. Time and memory are limited by the process
in which they run (see ``kvmrender.templating.isolated``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from functools import partial
from typing import Any

from jinja2 import Template
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.utils import missing

from kvmrender.templating.environment import Environment
from kvmrender.templating.loader import loader
from kvmrender.templating.stack import Stack

WHOLE = "domain"
"""Name by which a template refers to the whole context."""
Written = tuple[list[str], Callable[[dict[str, Any], dict[str, Any]], str]]
"""How a template is written without Jinja: the names that it takes, and a function of the whole context and these names
that returns its output."""

_FILTERS = """
    abs attributes capitalize count d default dictsort e escape first float forceescape groupby indent int items join
    last length list lower map max min reject rejectattr replace reverse round select selectattr sort string sum text
    title trim truncate unique upper urlencode wordcount xml
    """
_METHODS = """
    capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier islower
    isnumeric isprintable isspace istitle isupper lower lstrip partition removeprefix removesuffix rfind rindex
    rpartition rsplit rstrip split splitlines startswith strip swapcase title upper
    """
FILTERS, METHODS = frozenset(_FILTERS.split()), frozenset(_METHODS.split())
"""Allowed filters, and methods of strings: none that is non-deterministic, disables escaping, formats strings, or
creates bytes. Numbers have no methods."""
GLOBALS = frozenset(("cycler", "dict", "joiner", "namespace", "range"))


class GuardedEnvironment(Environment):
    """Environment of a stack with custom folders. ``written`` says how to write shipped templates without Jinja."""

    def __init__(self, stack: Stack, written: Callable[[str], Written | None] = lambda name: None) -> None:
        super().__init__(loader(stack))
        self._written = written
        self._loaded: dict[str, Template] = {}
        self.filters = {name: found for name, found in self.filters.items() if name in FILTERS}
        self.globals = {name: found for name, found in self.globals.items() if name in GLOBALS}

    def _load_template(self, name: str, globals: MutableMapping[str, Any] | None) -> Template:
        load = partial(super()._load_template, name, globals)
        if name not in self._loaded:
            if (written := self._written(name)) is None:
                return load()
            code = {"name": name, "__file__": name, "blocks": {}, "root": _root(*written, load), "debug_info": ""}
            self._loaded[name] = self.template_class.from_module_dict(self, code, self.make_globals(globals))
        return self._loaded[name]

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call an object if that is allowed. Raises SecurityError."""
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, (str, int, float)) and __obj.__name__ not in METHODS:
            raise SecurityError(f"method {__obj.__name__!r} of {type(owner).__name__} is not for templates")
        return super().call(__context, __obj, *args, **kwargs)


def _root(
    taken: list[str], write: Callable[[dict[str, Any], dict[str, Any]], str], load: Callable[[], Template]
) -> Callable[[Context], Iterator[str]]:
    """Return the function that Jinja calls for a template. Values that an including template has computed, other than
    mappings, are left to Jinja."""

    def root(context: Context) -> Iterator[str]:
        whole = context.resolve_or_missing(WHOLE)
        names = {name: value for name in taken if (value := context.resolve_or_missing(name)) is not missing}
        are_usual = (value.__class__ is dict or value is whole.get(name) for name, value in names.items())
        if whole.__class__ is dict and all(are_usual):
            yield write(whole, names)
        else:
            yield from load().root_render_func(load().new_context(context.get_all(), True))

    return root
