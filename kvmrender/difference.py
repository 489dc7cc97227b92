"""How two versions of domain XML differ, for people to read."""

from __future__ import annotations

from collections.abc import Callable

_COLOURS = (("+++", "1"), ("---", "1"), ("@@", "36"), ("+", "32"), ("-", "31"))


def difference(place: str, old: str | None, new: str | None, mask: Callable[[str], str]) -> str:
    """Return the difference between two versions of a file, without secrets; None is no file."""
    from difflib import unified_diff

    before, after = (mask(text).splitlines(keepends=True) if text is not None else [] for text in (old, new))
    names = ("/dev/null" if old is None else place, "/dev/null" if new is None else place)
    return "".join(unified_diff(before, after, *names)) or f"--- {place}\n+++ {place}\n# only secrets differ\n"


def coloured(diff: str) -> str:
    """Return a diff with the colours that ``diff --color`` and git give it."""

    def line(text: str) -> str:
        colour = next((code for start, code in _COLOURS if text.startswith(start)), "")
        return f"\x1b[{colour}m{text.rstrip()}\x1b[0m\n" if colour else text

    return "".join(map(line, diff.splitlines(keepends=True)))
