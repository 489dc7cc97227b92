"""How messages show what they are about: paths, words, files, with nothing in them that a terminal would obey."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from kvmrender.shipped import SHIPPED, shipped_templates

Path = tuple[str | int, ...]
"""Where a value stands in a guest: keys and list positions, as ``("disks", 0, "driver", "type")``."""

LONGEST, LONGEST_LINE = 80, 200
"""Characters of a word, and of a template's line, that messages show."""
MOST_NUMBERS = 9
"""Numbers that messages list."""
MOST_KNOWN = 1000
"""Words that are looked at for a hint."""

_RANGES = ((0, 8), (0x0B, 0x1F), (0x7F, 0x9F), (0x61C,) * 2, (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x2069))
HIDDEN = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (0xFEFF, *(code for first, last in _RANGES for code in range(first, last + 1)))
}
"""Characters that terminals obey or don't show, each with its escape."""


def shown_file(file: str) -> str:
    """Return a template's file as messages show it: ``shipped/NAME`` for a shipped one, as templates themselves say."""
    return file.replace(f"{shipped_templates()}/", f"{SHIPPED}/") if file.startswith("/") else file


def path_string(path: Sequence[str | int]) -> str:
    """Write a path as users type it: ``disks[0].driver.type``, and ``vcpu`` for its own text."""
    path = path[:-1] if path[-1:] == ("text",) else path
    parts = (f"[{part}]" if isinstance(part, int) else f".{brief(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def printable(text: str) -> str:
    """Return ``text`` with whatever can't stand in one line of UTF-8 written as an escape."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def visible(text: str) -> str:
    """Return ``text``, of any number of lines, with escapes for what terminals obey or don't show: control characters,
    marks that turn the direction of writing, marks without width."""
    return text.translate(HIDDEN)


def brief(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` as messages show it: in one line, and never a long one."""
    found = printable(text[: longest + 1])
    return found if len(found) <= longest else f"{found[: longest - 1]}…"


def nearest(word: object, known: Iterable[object], like: float = 0.6) -> str:
    """Return `` (did you mean 'x'?)`` for the known word nearest to ``word``, or nothing where none is so much like it.

    Of the known words, so many are looked at as can be told apart in no time, and none that is longer than is shown.
    """
    words = (str(name) for name in islice(known, MOST_KNOWN))
    folded = {name.casefold(): name for name in words if len(name) <= LONGEST}
    try:
        text = str(word)[:LONGEST].casefold()
    except ValueError:  # a number of more digits than Python writes
        return ""
    from difflib import get_close_matches

    matches = get_close_matches(text, folded, cutoff=like)
    # A slip of one letter for another is likelier than one too many: qcow3 is qcow2, not qcow.
    matches.sort(key=lambda match: len(match) != len(text) or sum(map(str.__ne__, match, text)) > 1)
    return f" (did you mean {folded[matches[0]]!r}?)" if matches else ""


def listed(words: Sequence[str], last: str = "and") -> str:
    """Write words as sentences do: ``a, b and c``."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def numbers(found: Iterable[int]) -> str:
    """Write numbers as messages do: ``3, 4 and 7``, and ``3, 4, 7, … and 9000`` where they are many."""
    words = [str(number) for number in sorted(found)]
    return listed(words if len(words) <= MOST_NUMBERS else [*words[: MOST_NUMBERS - 2], "…", words[-1]])
