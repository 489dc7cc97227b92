"""Syntax highlighting of guests, XML and templates, if Pygments is available (extra ``watch``)."""

from __future__ import annotations

from typing import Any

MOST_COLOURED = 1 << 17
"""Maximum length of a text that is highlighted."""
Words = list[tuple[str, str]]
"""The words of a line, each with its kind, which is empty for plain text."""

_LANGUAGES = {"yaml": "yaml", "json": "json", "xml": "xml", "template": "xml+jinja"}
_KINDS = (
    ("Comment.Preproc", "template"),
    ("Comment", "comment"),
    ("Name.Tag", "name"),
    ("Name.Attribute", "attribute"),
    ("Literal.String", "text"),
    ("Literal.Number", "number"),
    ("Keyword", "template"),
    ("Name", "template"),
)


def coloured(text: str, language: str) -> list[Words] | None:
    """Return the highlighted words of each line of a text in yaml, json, xml or template; None for plain display."""
    try:
        from pygments.lexers import get_lexer_by_name
        from pygments.token import string_to_tokentype
    except ImportError:
        return None
    if len(text) > MOST_COLOURED:
        return None
    kinds = [(string_to_tokentype(name), kind) for name, kind in _KINDS]
    lines: list[Words] = [[]]
    lexer: Any = get_lexer_by_name(_LANGUAGES[language], stripnl=False, ensurenl=False)
    for token, words in lexer.get_tokens(text):
        kind = next((kind for of, kind in kinds if token in of), "")
        for number, part in enumerate(words.split("\n")):
            if number:
                lines.append([])
            if part:
                lines[-1].append((kind, part))
    return lines
