"""Formatting of paths, words, files and values in messages, with control characters escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from kvmrender.shipped import SHIPPED, shipped_templates

Path = tuple[str | int, ...]
"""Path of a value in a guest: keys and list indices, as in ``("disks", 0, "driver", "type")``."""

LONGEST, LONGEST_LINE = 80, 200
"""Maximum length of a word or template line in a message."""
MOST_NUMBERS = 9
"""Maximum number of numbers that a message lists."""
MOST_KNOWN = 1000
"""Maximum number of words that are compared for a hint."""

_RANGES = ((0, 8), (0x0B, 0x1F), (0x7F, 0x9F), (0x61C,) * 2, (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x2069))
HIDDEN = {
    code: chr(code).encode("unicode_escape").decode()
    for code in (0xFEFF, *(code for first, last in _RANGES for code in range(first, last + 1)))
}
"""Characters that are invisible or control a terminal, with their escapes."""


def shown_file(file: str) -> str:
    """Return the name of a template file in messages: ``shipped/NAME`` for a shipped one, as in templates."""
    return file.replace(f"{shipped_templates()}/", f"{SHIPPED}/") if file.startswith("/") else file


def path_string(path: Sequence[str | int]) -> str:
    """Format a path as users write it: ``disks[0].driver.type``; the text of ``vcpu`` is ``vcpu``."""
    path = path[:-1] if path[-1:] == ("text",) else path
    parts = (f"[{part}]" if isinstance(part, int) else f".{brief(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def printable(text: str) -> str:
    """Return ``text`` as one line of valid UTF-8, with all other characters escaped."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def visible(text: str) -> str:
    """Return ``text`` with invisible and control characters escaped, such as those that change the direction of
    writing; lines are kept."""
    return text.translate(HIDDEN)


def brief(text: str, longest: int = LONGEST) -> str:
    """Return ``text`` shortened to one line for a message."""
    found = printable(text[: longest + 1])
    return found if len(found) <= longest else f"{found[: longest - 1]}…"


def nearest(word: object, known: Iterable[object], like: float = 0.6) -> str:
    """Return `` (did you mean 'x'?)`` for the known word nearest to ``word``, or an empty string if none is similar.

    The number of known words that are compared is limited, as is their length.
    """
    words = (str(name) for name in islice(known, MOST_KNOWN))
    folded = {name.casefold(): name for name in words if len(name) <= LONGEST}
    try:
        text = str(word)[:LONGEST].casefold()
    except ValueError:  # an integer with too many digits for Python to print
        return ""
    from difflib import get_close_matches

    matches = get_close_matches(text, folded, cutoff=like)
    # Prefer the replacement of a letter to its removal: qcow3 suggests qcow2, not qcow.
    matches.sort(key=lambda match: len(match) != len(text) or sum(map(str.__ne__, match, text)) > 1)
    return f" (did you mean {folded[matches[0]]!r}?)" if matches else ""


def listed(words: Sequence[str], last: str = "and") -> str:
    """Join words as in a sentence: ``a, b and c``."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def numbers(found: Iterable[int]) -> str:
    """Join numbers as in a sentence: ``3, 4 and 7``, or ``3, 4, 7, … and 9000`` if there are many."""
    words = [str(number) for number in sorted(found)]
    return listed(words if len(words) <= MOST_NUMBERS else [*words[: MOST_NUMBERS - 2], "…", words[-1]])
