"""A process for custom templates, with limits of the operating system.

A template, a pattern of a schema part, or their compilation can use at most MOST_SECONDS and MOST_MEMORY, can't write
files or start processes, and if the process ends, only the current guest is lost. The process is a new interpreter, not
a fork: it shares no memory or files, and threads may continue. It ends when its parent ends, for whatever reason.
"""

from __future__ import annotations

import marshal
import os
import signal
import socket
import sys
from contextlib import suppress
from select import poll
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn
from weakref import finalize

from kvmrender.errors import Error
from kvmrender.templating.serving import LENGTH, TOO_LARGE

if TYPE_CHECKING:
    from kvmrender.templating.stack import Stack

MOST_SECONDS = 10
"""CPU time in seconds for one guest, and for reading the templates."""
MOST_SECONDS_IN_ALL = 60
"""Elapsed time in seconds for one guest, whatever the process waits for."""
MOST_MEMORY = 1 << 30
"""Bytes of address space, in addition to that of the process after it has read the templates."""
MOST_ANSWERED = 64 << 20
"""Maximum size in bytes of the response for one guest: context and XML, as JSON."""
MOST_SAID = 1 << 16
"""Maximum number of bytes of a crash report that are examined."""
MOST_SECONDS_TO_END = 5
"""Seconds for an idle process to end by itself."""

_START = "import sys; sys.path[:] = sys.argv[1:]; from kvmrender.templating.serving import serve; serve()"
_TOO_LONG = "takes more than {} seconds for one guest"


class EndError(Exception):
    """The end of a process; ``said`` is the crash report of Python."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said


class LimitedProcess:
    """A process that reads the templates of a stack and answers requests."""

    def __init__(self, stack: Stack, kind: type[Any]) -> None:
        here, there = socket.socketpair()
        alive, life = os.pipe()  # the other end is closed when this process ends
        said, saying = os.pipe()
        started = [sys.executable, "-I", *(["-B"] if sys.dont_write_bytecode else []), "-c", _START, *sys.path]
        actions = [
            (os.POSIX_SPAWN_DUP2, alive, 0),
            (os.POSIX_SPAWN_DUP2, there.fileno(), 1),
            (os.POSIX_SPAWN_DUP2, saying, 2),
        ]
        try:
            self._id = os.posix_spawn(
                sys.executable,
                started,
                os.environ,
                file_actions=actions,
                setpgroup=0,  # Ctrl-C of a terminal is for this process, which ends the other
                setsigmask=[],
                setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGXCPU, signal.SIGIO],
            )
        except BaseException as error:
            here.close()
            os.close(life)
            os.close(said)
            if isinstance(error, OSError):
                raise Error(f"custom templates need a process: {error.strerror}") from None
            raise
        finally:
            there.close()
            os.close(alive)
            os.close(saying)
        self._socket = here
        self._last_words = ""
        self._finalizer = finalize(self, _end, os.getpid(), self._id, here, life, said)
        if "multiprocessing.util" in sys.modules:  # its processes end without cleanup
            from multiprocessing.util import Finalize

            Finalize(self, self._finalizer, exitpriority=0)
        limits = (MOST_SECONDS, MOST_MEMORY, MOST_ANSWERED)
        made = (kind.__module__, kind.__qualname__, [str(folder) for folder in stack.own])
        self._send(marshal.dumps((*limits, *made)), monotonic() + MOST_SECONDS_IN_ALL)

    def ask(self, request: bytes) -> bytes:
        """Return the response to a request. Raises EndError if there is none, or if it is too large."""
        until = monotonic() + MOST_SECONDS_IN_ALL
        self._send(request, until)
        try:
            size = int.from_bytes(self._receive(LENGTH, until), "big")
            if size > MOST_ANSWERED:
                raise EndError(TOO_LARGE.format(MOST_ANSWERED >> 20), "")
            return self._receive(size, until)
        except OSError as error:
            self._ended(error)

    def _send(self, data: bytes, until: float) -> None:
        try:
            self._socket.settimeout(max(until - monotonic(), 0.001))
            self._socket.sendall(len(data).to_bytes(LENGTH, "big") + data)
        except OSError as error:
            self._ended(error)

    def _receive(self, size: int, until: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self._socket.settimeout(max(until - monotonic(), 0.001))
            part = self._socket.recv(min(size - len(data), 1 << 20))
            if not part:
                raise ConnectionResetError
            data += part
        return bytes(data)

    def _ended(self, error: OSError) -> NoReturn:
        """Raise EndError for a process that has ended, or that exceeded its time."""
        if is_late := isinstance(error, TimeoutError):
            with suppress(OSError):
                os.kill(self._id, signal.SIGXCPU)  # it reports its position
            with suppress(OSError):
                self._socket.settimeout(1)
                self._socket.recv(1)
        status = self.end(is_busy=True)
        said = self._last_words
        if is_late:
            raise EndError(_TOO_LONG.format(MOST_SECONDS_IN_ALL), said)
        number = -os.waitstatus_to_exitcode(status) if status is not None else 0
        if number == signal.SIGXCPU:
            raise EndError(_TOO_LONG.format(MOST_SECONDS), said)
        how = signal.Signals(number).name if number > 0 else f"exit code {-number}"  # not a real-time signal
        raise EndError(f"crashes the process that it runs in ({how})", said)

    def end(self, is_busy: bool = False) -> int | None:
        """End the process and return how it ended, if known. A process that may be busy is killed."""
        if is_busy and self._finalizer.alive:
            with suppress(OSError):
                os.kill(self._id, signal.SIGKILL)  # no effect if it has ended by itself
        status, self._last_words = self._finalizer() or (None, "")
        return status


def _end(owner: int, process: int, here: socket.socket, life: int, said: int) -> tuple[int | None, str]:
    """Close the connection to a process and wait for its end. A fork leaves this to its parent."""
    status, words = None, b""
    if owner == os.getpid():
        with suppress(OSError):
            here.shutdown(socket.SHUT_RDWR)  # closing is not enough if a fork has it open too
        with suppress(OSError):
            ended = poll()
            ended.register(said)
            until = monotonic() + MOST_SECONDS_TO_END
            while (left := until - monotonic()) > 0 and ended.poll(left * 1000) and len(words) < MOST_SAID:
                if not (part := os.read(said, MOST_SAID)):
                    break
                words += part
        with suppress(OSError):
            os.kill(process, signal.SIGKILL)
        with suppress(OSError):
            status = os.waitpid(process, 0)[1]
    here.close()
    os.close(life)
    os.close(said)
    return status, words.decode("ascii", "replace")
