"""How two versions of domain XML differ, for people to read, and for ``patch`` and ``git apply``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kvmrender.errors import HIDDEN, printable

_COLOURS = (("+++", "1"), ("---", "1"), ("@@", "36"), ("+", "32"), ("-", "31"))
_LINE = re.compile(r"([^\n]*?)(\r?\n|\Z)")
_ESCAPES = {code: escape for code, escape in HIDDEN.items() if chr(code) not in "\u2028\u2029"}
"""All but the separators of lines and paragraphs, by which terminals take no orders: such texts can be patched."""


def difference(place: str, old: str | None, new: str | None, mask: Callable[[str], str]) -> str:
    """Return the difference between two versions of a file, without secrets; None is no file.

    What terminals obey is shown escaped: of a file with such characters, the difference is for people alone.
    """
    from difflib import unified_diff

    before, after = (list(_lines(mask(text))) if text is not None else [] for text in (old, new))
    name = f"{printable(place)}\t" if " " in place else printable(place)  # as git has it, for patch
    names = ("/dev/null" if old is None else name, "/dev/null" if new is None else name)
    found = "".join(unified_diff(before, after, *names))
    return found or f"--- {name}\n+++ {name}\n# only secrets differ\n"


def _lines(text: str) -> Iterator[str]:
    for line, end in _LINE.findall(text):
        if end:
            yield line.translate(_ESCAPES) + end
        elif line:
            yield f"{line.translate(_ESCAPES)}\n\\ No newline at end of file\n"


def coloured(diff: str) -> str:
    """Return a diff with the colours that ``diff --color`` and git give it."""

    def line(text: str) -> str:
        colour = next((code for start, code in _COLOURS if text.startswith(start)), "")
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text

    return "\n".join(map(line, diff.split("\n")))
