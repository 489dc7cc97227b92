"""Diffs between two versions of domain XML, for reading, and for ``patch`` and ``git apply``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from kvmrender.errors import HIDDEN, printable

_COLOURS = (("+++", "1"), ("---", "1"), ("@@", "36"), ("+", "32"), ("-", "31"))
_LINE = re.compile(r"([^\n]*?)(\r?\n|\Z)")
_ESCAPES = {code: escape for code, escape in HIDDEN.items() if chr(code) not in "\u2028\u2029"}
"""All control characters except line and paragraph separators, which do not control terminals: such texts can be
patched."""


def difference(place: str, old: str | None, new: str | None, mask: Callable[[str], str]) -> str:
    """Return the diff between two versions of a file, with secrets masked; None is a missing file.

    Control characters are escaped: the diff of a file that contains them can't be applied.
    """
    from difflib import unified_diff

    before, after = (list(_lines(mask(text))) if text is not None else [] for text in (old, new))
    name = f"{printable(place)}\t" if " " in place else printable(place)  # as in git, for patch
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
    """Return a diff with the colors of ``diff --color`` and git."""

    def line(text: str) -> str:
        colour = next((code for start, code in _COLOURS if text.startswith(start)), "")
        return f"\x1b[{colour}m{text}\x1b[0m" if colour else text

    return "\n".join(map(line, diff.split("\n")))
