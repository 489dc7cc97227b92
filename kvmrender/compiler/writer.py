"""Lines of Python that write XML, from which ``kvmrender.compiler.generator`` assembles a function.

Consecutive texts and values are written at once. Empty elements become ``<x/>`` here already, as
``templating.environment.finish`` does for Jinja's output. If emptiness is unknown in advance, the ``>`` of an element
is written as ``G``, and the end of the element tests whether that is still the last item.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, groupby

from kvmrender.templating.environment import CLOSING

_TAG = re.compile(r"<([^\s<>/\0]+)|(/?>)|( *\0</([^<>]*)>)")
_ENDS = {"": "B", "\n": "G"}
"""Stand-ins for the end of an opening tag of an element that may be empty, by what follows it."""


@dataclass
class _Piece:
    """A text or expression; the ``>`` of an element of this name (``opens``); or a closing tag (``closes`` it)."""

    text: str
    computed: bool = False
    opens: bool = False
    closes: str = ""


@dataclass(eq=False)
class _Line:
    """A line of Python, or pieces that one line writes with ``write`` at this depth; ``end`` is the stand-in for the
    end of an opening tag while it is unknown whether its element is empty."""

    depth: int
    write: str
    content: list[_Piece]
    end: str = ""


class UnsupportedError(Exception):
    """A template uses unsupported syntax."""


class Writer:
    """Body of a function. ``found`` is the list to write to, ``w`` its ``append``."""

    def __init__(self) -> None:
        self._lines: list[_Line] = []
        self._depth, self._count = 1, 0
        self._list, self._write = "found", "w"
        self._text = ""
        self._pending: list[_Piece] = []
        self._tag = ""
        self._elements: list[tuple[str, _Line | None]] = []

    def source(self) -> list[str]:
        """Return the lines of the body."""
        self.flush()
        found = []
        for (write, depth, _), lines in groupby(self._lines, lambda line: (line.write, line.depth, line.end)):
            contents = [line.content for line in lines]
            for pieces in [[*chain(*contents)]] if write else contents:
                found.append("    " * depth + (f"{write}({_joined(pieces)})" if write else pieces[0].text))
        return found

    def variable(self, name: str) -> str:
        """Return an unused name for a variable."""
        self._count += 1
        return f"v{self._count}_{name}"

    def assigned(self, name: str, value: str) -> str:
        """Return a variable with this value, assigned before the pending pieces."""
        variable = self.variable(name)
        self._add(f"{variable} = {value}")
        return variable

    def line(self, line: str) -> None:
        """Add a line."""
        self.flush()
        self._add(line)

    @contextmanager
    def inside(self, line: str) -> Iterator[None]:
        """Add a line that ends with a colon, and the block in it."""
        self.line(line)
        self._depth += 1
        start = len(self._lines)
        yield
        self.flush()
        if len(self._lines) == start:
            self.line("pass")
        self._depth -= 1

    @property
    def target(self) -> str:
        """The list that is written to."""
        return self._list

    @contextmanager
    def into(self, name: str) -> Iterator[None]:
        """Write to a list of this name in the context."""
        before = self._list, self._write
        self.line(f"{name} = []")
        self._list, self._write = name, f"{name}.append"
        yield
        self.flush()
        self._list, self._write = before

    def computed(self, expression: str) -> None:
        """Add the value of an expression, a text."""
        self._scan()
        self._pending.append(_Piece(expression, computed=True))

    def text(self, text: str) -> None:
        """Add a text of a template, with marked closing tags."""
        self._text += text

    def _scan(self) -> None:
        """Find the beginnings and ends of elements in the text."""
        text, self._text = self._text, ""
        last = 0
        for tag in _TAG.finditer(text):
            name, end, closing, closed = tag.groups()
            if name:
                self._tag = name
                continue
            if end == ">" and self._tag:
                self._piece(text[last : tag.start()])
                self._pending.append(_Piece(self._tag, opens=True))
                last = tag.end()
            elif closing:
                self._piece(text[last : tag.start()])
                self._pending.append(_Piece(closing.replace(CLOSING, ""), closes=closed))
                last = tag.end()
            self._tag = ""
        self._piece(text[last:])

    def _piece(self, text: str) -> None:
        if text:
            self._pending.append(_Piece(text))

    def flush(self) -> None:
        """Add the lines that write all pending pieces."""
        self._scan()
        pending, self._pending = self._pending, []
        run: list[_Piece] = []
        while pending:
            piece, *pending = pending
            if piece.opens:
                pending = self._open(piece.text, pending, run)
            elif piece.closes:
                self._close(piece, run)
            else:
                run.append(piece)
        self._end(run)

    def _open(self, name: str, following: list[_Piece], run: list[_Piece]) -> list[_Piece]:
        """Write the end of an opening tag and the pending part of its element. Return the remaining pieces."""
        length = next((at for at, piece in enumerate(following) if piece.opens or piece.closes), len(following))
        content, rest = following[:length], following[length:]
        blank = not any(piece.computed or piece.text.strip(" \n") for piece in content)
        sure = any(not piece.computed and piece.text.strip(" \n") for piece in content)
        if rest and rest[0].closes == name and not sure:
            if blank:
                run.append(_Piece("/>"))
            elif len(content) == 1:
                whole = f'">" + x + "</{name}>" if (x := {content[0].text}) else "/>"'
                run.append(_Piece(f"({whole})", computed=True))
            else:
                raise UnsupportedError(f"element {name} with several values")
            return rest[1:]
        if sure or rest:
            self._elements.append((name, None))
            run.append(_Piece(">"))
            return following
        text = "".join(piece.text for piece in content)
        if not blank or text not in _ENDS:
            raise UnsupportedError(f"the beginning of element {name}")
        self._end(run)
        opened = _Line(self._depth, self._write, [_Piece(_ENDS[text], computed=True)], _ENDS[text])
        self._lines.append(opened)
        self._elements.append((name, opened))
        return rest

    def _close(self, piece: _Piece, run: list[_Piece]) -> None:
        """Write a closing tag, or the end of an empty element."""
        name, opened = self._elements.pop() if self._elements else ("", None)
        if name != piece.closes:
            raise UnsupportedError(f"the end of element {piece.closes}")
        if opened is None:
            run.append(_Piece(piece.text))
            return
        inside = self._lines[self._lines.index(opened) + 1 :]
        is_same_block = all(line.depth >= opened.depth for line in [*inside, _Line(self._depth, "", [])])
        if run or (is_same_block and any((line.depth, line.write) == (opened.depth, opened.write) for line in inside)):
            run.append(_Piece(piece.text))
            opened.content, opened.end = [_Piece({"B": ">", "G": ">\n"}[opened.end])], ""
        else:
            self._add(f"if {self.target}[-1] is {opened.end}: {self.target}[-1] = '/>'")
            self._add(f"else: {self._write}({piece.text!r})")

    def _end(self, run: list[_Piece]) -> None:
        """Write the line for consecutive texts and expressions."""
        if run:
            self._lines.append(_Line(self._depth, self._write, run[:]))
            run.clear()

    def _add(self, line: str) -> None:
        self._lines.append(_Line(self._depth, "", [_Piece(line)]))


def _joined(pieces: list[_Piece]) -> str:
    """Return the expression of consecutive texts and expressions."""
    if not any(piece.computed for piece in pieces):
        return repr("".join(piece.text for piece in pieces))
    if len(pieces) == 1:
        return pieces[0].text
    return "f'" + "".join(f"{{{piece.text}}}" if piece.computed else _literal(piece.text) for piece in pieces) + "'"


def _literal(text: str) -> str:
    """Return a text for use between single quotes in an f-string."""
    return repr(text + '"')[1:-2].replace("{", "{{").replace("}", "}}")
