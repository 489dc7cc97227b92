"""A stricter sandbox for custom templates, which limits the available names. Time and memory are limited by the process
in which they run (see ``kvmrender.templating.isolated``)."""

from __future__ import annotations

from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.runtime import Context

from kvmrender.templating.environment import Environment
from kvmrender.templating.loader import loader
from kvmrender.templating.stack import Stack

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
    """Environment of a stack with custom folders."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(loader(stack))
        self.filters = {name: found for name, found in self.filters.items() if name in FILTERS}
        self.globals = {name: found for name, found in self.globals.items() if name in GLOBALS}

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        """Call an object if that is allowed. Raises SecurityError."""
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, (str, int, float)) and __obj.__name__ not in METHODS:
            raise SecurityError(f"method {__obj.__name__!r} of {type(owner).__name__} is not for templates")
        return super().call(__context, __obj, *args, **kwargs)
