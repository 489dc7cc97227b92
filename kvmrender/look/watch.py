"""Output of ``watch``: changes of guests since they were last valid, and problems."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from kvmrender.errors import GuestError
from kvmrender.fleet.difference import coloured, difference
from kvmrender.look.changed_files import Follower
from kvmrender.look.live_results import Look, Looker
from kvmrender.schema.secrets import xml_secrets
from kvmrender.terminal import say, write


def watch(looker: Looker, is_coloured: bool) -> None:
    """Report on the guests each time that a file or template is saved, until interrupted.

    Raises Error if watchfiles is missing, and for templates that can't be read at the start.
    """
    engine = looker.engine
    follower = Follower(looker.watched, engine.stack, "watch")
    guests = set(map(Path, looker.watched))
    teller = Teller(looker)
    _tell(teller.first(), is_coloured)
    for changed in follower.changes():
        if changed - guests:
            looker.reread()
        _tell(teller.next(), is_coloured)


def _tell(parts: Iterator[tuple[bool, str]], is_coloured: bool) -> None:
    for is_diff, text in parts:
        if is_diff:
            write(coloured(text) if is_coloured else text)
            sys.stdout.flush()
        else:
            say(text)


class Teller:
    """Keep the last valid state of guests, and report changes since."""

    def __init__(self, looker: Looker) -> None:
        self._looker = looker
        self._secrets = xml_secrets(looker.engine.schema.root)
        self._good: dict[str, str] = {}
        self._known: dict[str, list[str]] = {}
        """Secrets of guests, current and previous."""

    def first(self) -> Iterator[tuple[bool, str]]:
        """Yield the problems at the start, and what is watched: lines, each with False."""
        look = self._looker.look()
        self._keep(look)
        yield from self._problems(look)
        well = f"{_guests(len(look.xml))} well; " if look.is_well else ""
        yield False, f"{well}watching for changes, Ctrl-C ends"

    def next(self) -> Iterator[tuple[bool, str]]:
        """Yield diffs, each with True, and lines on problems, each with False."""
        look = self._looker.look()
        if look.error is None:
            self._secrets = xml_secrets(self._looker.engine.schema.root)
        changed = [name for name in look.xml if look.xml[name] != self._good.get(name)]
        for name in changed:
            mask = self._mask(name, look.secrets.get(name, []), look.xml[name])
            yield True, difference(name, self._good.get(name), look.xml[name], mask)
        if look.is_well:
            for name in sorted(self._good.keys() - look.xml.keys()):
                yield True, difference(name, self._good.pop(name), None, self._mask(name))
        self._keep(look)
        yield from self._problems(look)
        same = len(look.xml) - len(changed)
        if look.is_well:
            yield False, f"{_guests(len(look.xml))} well: {len(changed)} changed, {same} unchanged"

    def _keep(self, look: Look) -> None:
        self._good.update(look.xml)
        self._known.update(look.secrets)

    def _mask(self, name: str, known: Iterable[str] = (), xml: str = "") -> Callable[[str], str]:
        if not self._looker.engine.stack.own:
            return self._secrets.masked
        return self._secrets.masker([*self._known.get(name, ()), *known], xml)

    def _problems(self, look: Look) -> Iterator[tuple[bool, str]]:
        if look.problems:
            yield False, str(GuestError(look.problems, look.more))
        if look.error is not None:
            yield False, str(look.error)
        yield from ((False, str(note)) for note in look.notes)


def _guests(number: int) -> str:
    return f"{number:,} guest{'' if number == 1 else 's'}"
