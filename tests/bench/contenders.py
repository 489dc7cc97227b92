"""Who takes part: each makes the document of one guest, and tells how long a number of them took."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE
from time import perf_counter
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment

import kvmrender
from bench.documents import difference, loose_difference
from bench.peers import fstrings, golang, tree

Row = dict[str, Any]
Values = dict[str, Any]

PEERS = Path(__file__).parent / "peers"
OURS = "kvmrender"
OWN = {"kvmrender, own templates": False, "kvmrender, own templates isolated": True}
"""With a template of one's own, in this process or in one of its own."""


class MissingError(Exception):
    """A peer is not on this machine. Says what is missing, and the package that brings it."""


class RefusedError(Exception):
    """A contender isn't timed. Says what is wrong with it."""


@dataclass(frozen=True)
class Contender:
    """``document`` is what it makes, ``seconds`` the time that so many take; ``differs`` holds its document against
    the expected one."""

    document: str
    seconds: Callable[[int], float]
    differs: Callable[[str, str], str | None] = difference


def here(make: Callable[[], str]) -> Contender:
    """A function of this process."""

    def seconds(times: int) -> float:
        repeated = range(times)
        start = perf_counter()
        for _ in repeated:
            make()
        return perf_counter() - start

    return Contender(make(), seconds)


def admitted(make: Callable[[], Contender], expected: str) -> tuple[Contender | None, Row]:
    """Return a contender that makes the expected document, or None and why it isn't timed."""
    try:
        made = make()
        fault = made.differs(made.document, expected)
    except MissingError as error:
        return None, {"missing": str(error)}
    except RefusedError as error:
        return None, {"refused": str(error)}
    except ElementTree.ParseError as error:
        return None, {"refused": f"its document is none: {error}"}
    return (None, {"refused": f"its document differs: {fault}"}) if fault else (made, {})


@contextmanager
def talk(command: list[str], given: Values) -> Iterator[tuple[str, Callable[[int], float]]]:
    """A process that is given values, answers with the document, and times itself when it is told a number."""
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=errors, text=True) as process,
    ):
        into, out = process.stdin, process.stdout
        assert into
        assert out

        def ask(question: str) -> Any:
            with contextlib.suppress(BrokenPipeError):
                into.write(question + "\n")
                into.flush()
            answer = out.readline()
            if not answer:
                errors.seek(0)
                raise RefusedError(f"{command[0]} failed: {last_line(errors.read())}")
            return json.loads(answer)

        try:
            yield ask(json.dumps(given)), lambda times: float(ask(str(times)))
        finally:
            with contextlib.suppress(BrokenPipeError):
                into.close()


def last_line(said: str) -> str:
    return (said.strip().splitlines() or ["it said nothing"])[-1]


class Contenders:
    """Makes the contenders for a guest; ``NAMES`` are all of them.

    ``folder`` takes what is compiled, ``stack`` ends the processes.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._renderer = kvmrender.Renderer()
        self._program: Path | None = None

    NAMES = (OURS, *OWN, "bare Jinja", "f-strings", "xml.etree", "Go encoding/xml", "virtinst")

    def make(self, name: str, kind: str, guest: Values) -> Contender:
        """Return the contender ``name`` for a guest, whose hand-written template is ``kind``: small or large.

        Raises MissingError, and RefusedError for one that fails.
        """
        if name == OURS:
            return here(lambda: self._renderer.render(guest))
        if name in OWN:
            site = self._folder / "site"
            (site / "devices").mkdir(parents=True, exist_ok=True)
            (site / "devices/disk.xml.j2").write_text('{% include "shipped/devices/disk.xml.j2" %}\n')
            renderer = kvmrender.Renderer([site], isolated=OWN[name])
            return here(lambda: renderer.render(guest))
        values = self._renderer.context(guest)
        if name == "bare Jinja":
            template = bare_template(kind)
            return here(lambda: template.render(values))
        if name == "f-strings":
            return here(lambda: fstrings.domain(values))
        if name == "xml.etree":
            return here(lambda: tree.domain(values))
        if name == "Go encoding/xml":
            self._program = self._program or self._build()
            return Contender(*self._stack.enter_context(talk([str(self._program)], golang.params(values))))
        command = [virtinst_python(), str(PEERS / "virtinst_peer.py")]
        return Contender(*self._stack.enter_context(talk(command, values)), loose_difference)

    def _build(self) -> Path:
        if not shutil.which("go"):
            raise MissingError("no go (Debian: golang-go)")
        try:
            return golang.build(self._folder)
        except subprocess.CalledProcessError as error:
            raise RefusedError(f"go build: {error.stderr.strip()}") from None


def bare_template(kind: str) -> Any:
    """A hand-written template of just that guest's shape, in a plain environment."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string((PEERS / f"{kind}.xml.j2").read_text())


def virtinst_python() -> str:
    """Return the Python that virt-install runs with: virtinst is no package of others."""
    path = shutil.which("virt-install")
    if not path:
        raise MissingError("no virt-install (Debian: virtinst)")
    with Path(path).open(errors="replace") as script:
        first = script.readline()
    return first.removeprefix("#!").strip() if first.startswith("#!") else "/usr/bin/python3"
