"""The process: exit codes, standard streams, signals and error handling.

It imports neither click nor anything that is slow to import, so that it is active before anything else can fail.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

from kvmrender.errors import Error, printable, unexpected
from kvmrender.terminal import SIGNALS, say

if TYPE_CHECKING:
    from kvmrender.engine import Engine
    from kvmrender.fleet.report_forms import About, KnowAbout

DIFFERS, TROUBLE, SIGNALLED = 1, 2, 128
"""Exit codes like those of ``diff``: something differs (with --check), an error; and as in shells, the last one plus
the signal's number if a signal ended the run."""

_received = 0
"""The signal that has ended this run."""
_ended = False
"""Whether the run is complete, and the exit code final."""


class InterruptedRunError(KeyboardInterrupt):
    """A signal was received. KeyboardInterrupt itself, raised in ``exec``, would end Python as by SIGINT even if it is
    caught."""


def engine_of(templates: tuple[str, ...]) -> Engine:
    """Return the engine of these folders, and warn about each that is world-writable. Raises TemplateError."""
    from kvmrender import engine as engines

    engine = engines.engine_of(templates)
    for folder, place in engine.stack.open_to_all():
        inside = "" if place == folder else f": {place.relative_to(folder)}"
        say(f"{printable(str(folder))}: warning: these templates are world-writable{printable(inside)}")
    return engine


def about_ids(templates: tuple[str, ...]) -> KnowAbout:
    """Return a function that describes ids of problems; only those of shipped parts if the folders can't be read."""

    def known() -> About:
        from kvmrender.engine import default_engine, engine_of
        from kvmrender.look.checks import descriptions

        try:
            engine = engine_of(templates)
        except Error:
            engine = default_engine()
        return engine.run(descriptions)

    return known


def as_program(run: Callable[[], None]) -> None:
    """Run as the process: the exit code is always 0, 1 or 2, or that of the signal that ended the run."""
    global _ended
    end: BaseException | None = None
    try:
        for number in SIGNALS:
            if signal.getsignal(number) != signal.SIG_IGN:  # as nohup and shells have it for what is in the background
                signal.signal(number, _interrupt)
        signal.signal(signal.SIGALRM, _late)
        sys.unraisablehook = _again
        _open_standard_streams()
        with trouble():
            run()
    except BaseException as error:
        end = error
    _ended = True
    for number in (*SIGNALS, signal.SIGALRM):  # for the time that Python takes to end
        signal.signal(number, signal.SIG_IGN)
    code = TROUBLE if end else 0
    if isinstance(end, SystemExit) and (end.code is None or isinstance(end.code, int)):
        code = end.code or 0
    if code and _received:
        code = SIGNALLED + _received
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _give_up(stream)
    if code and _received:
        os._exit(code)  # Python would wait for threads that may wait for processes that have ended
    if code:
        sys.exit(code)


def _interrupt(number: int, _: object) -> None:
    global _received
    if _ended:
        return
    if _received:
        os._exit(SIGNALLED + number)
    _received = number
    raise InterruptedRunError


def _again(lost: Any) -> None:
    """Interrupt the run a little later if Python could not raise it, as in the callback of a weak reference."""
    if issubclass(lost.exc_type, KeyboardInterrupt):
        signal.setitimer(signal.ITIMER_REAL, 0.001)
    else:
        sys.__unraisablehook__(lost)


def _late(*_: object) -> None:
    if not _ended:
        raise InterruptedRunError


def _open_standard_streams() -> None:
    """Open standard streams that are closed, so that no other file gets their descriptors: reading and writing them is
    an error, except that messages are silently lost."""
    for number, (name, mode) in enumerate((("stdin", os.O_WRONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, mode)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115 - as Python's own


def _give_up(stream: IO[str]) -> None:
    """Discard what can't be written, so that it is not tried again."""
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())
    with suppress(OSError):
        stream.flush()


@contextmanager
def trouble() -> Iterator[None]:
    """Turn any exception into lines on standard error and an exit code."""
    try:
        yield
        sys.stdout.flush()
    except (SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        if hasattr(error, "exit_code"):  # click's own, which knows what to say
            raise
        _end(error)


def _end(error: BaseException) -> NoReturn:
    code = TROUBLE
    if _received or isinstance(error, KeyboardInterrupt):
        code = SIGNALLED + (_received or signal.SIGINT)
        say("interrupted")
    elif isinstance(error, OSError):
        if not isinstance(error, BrokenPipeError):  # whoever read it has had enough, and knows
            say(f"{printable(str(error.filename or 'output'))}: {error.strerror}")
    elif isinstance(error, Error):
        say(str(error))
    else:
        say(unexpected(error))
    _give_up(sys.stdout)
    sys.exit(code)
