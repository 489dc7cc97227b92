"""Templates of one's own at work in a process of their own, with limits that the kernel holds.

Whatever a template, a pattern of a schema part or the compiling of either does there, it ends after MOST_SECONDS, has
MOST_MEMORY, writes no file, starts no process, and takes nothing with it but the guest that it was for: the next one
is rendered by a new process. That process is a fresh interpreter, which has none of this one's memory and files, not a
fork: threads may go on beside it. It ends when this one does, however that ends.

Requests go to it as marshal; what comes back is JSON, of a bounded size, and is looked at before it is believed.
"""

from __future__ import annotations

import json
import marshal
import os
import re
import resource
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib import import_module
from math import ceil
from pathlib import Path as FilePath
from select import poll
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from weakref import finalize

from kvmrender.errors import TOO_MUCH_MEMORY, Error, GuestError, LimitError, Path, Problem, TemplateError, unexpected

if TYPE_CHECKING:
    from io import BufferedRWPair

    from kvmrender.schema.guest_schema import GuestSchema
    from kvmrender.templating.stack import Stack

Result = TypeVar("Result")

MOST_SECONDS = 10
"""Processor time for one guest, and for reading the templates."""
MOST_SECONDS_IN_ALL = 60
"""Time for one guest by the clock, whatever the process waits for."""
MOST_MEMORY = 1 << 30
"""Bytes of address space, beside what the process has once it has read the templates."""
MOST_ANSWERED = 64 << 20
"""Bytes of what comes back for one guest: context and XML, as JSON."""
MOST_FILES = 64
"""Files that the process may have open."""
MOST_SAID = 1 << 16
"""Bytes of what a process says as it crashes that are looked at."""
MOST_SECONDS_TO_END = 5
"""Time for a process that has nothing to do to end by itself."""
MOST_LEVELS = 200
"""How deep a guest from Python may be nested."""

_LENGTH = 8
_START = "import sys; sys.path[:] = sys.argv[1:]; from kvmrender.templating.isolated import serve; serve()"
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in ', re.MULTILINE)
_DEBUG_INFO = re.compile(r"^debug_info = '([0-9=&]*)'$", re.MULTILINE)
_TOO_LARGE = "makes more than {:,} MiB for one guest"
_TOO_LONG = "takes more than {} seconds for one guest"


class Isolated:
    """Asks a process what an engine of ``stack``, of this kind, would say; it is started when it is first needed, and
    again after each end. Threads may share it: they take turns. A fork has a process of its own.

    All methods raise what an Engine's do, and LimitError where the process has met a limit or crashed.
    """

    def __init__(self, stack: Stack, kind: type[Any]) -> None:
        self._stack, self._kind = stack, kind
        self._owner, self._lock = os.getpid(), Lock()
        self._process: _Process | None = None
        self._schema: GuestSchema | None = None

    @property
    def schema(self) -> GuestSchema:
        """The schema of the guests."""
        from kvmrender.schema.guest_schema import GuestSchema

        if self._schema is None:
            root, architectures, names, is_shipped = self._ask(_schema)
            self._schema = GuestSchema(_mapping(root), _mapping(architectures), _mapping(names), is_shipped is True)
        return self._schema

    def context(self, guest: Any) -> dict[str, Any]:
        """Do what ``Engine.context`` does."""
        return self._about(guest, _context, _named)

    def rendered(self, guest: Any) -> tuple[dict[str, Any], str]:
        """Do what ``Engine.rendered`` does."""
        return self._about(guest, _rendered, lambda found: (_named(found[0]), _text(found[1])))

    def traced(self, guest: Any) -> tuple[str, list[tuple[str, int] | None]]:
        """Do what ``Engine.traced`` does."""
        return self._about(guest, _traced, lambda found: (_text(found[0]), [_place(place) for place in found[1]]))

    def unused_fields(self, guest: Any) -> list[tuple[Path, str]]:
        """Do what ``Engine.unused_fields`` does."""
        return self._about(guest, _unused_fields, lambda found: [(_path(path), _text(file)) for path, file in found])

    def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return what a function of a module makes of the process's engine and these arguments, as JSON has it."""
        found: Result = self._ask(function, *arguments)
        return found

    def _about(self, guest: Any, function: Callable[..., Any], believed: Callable[[Any], Result]) -> Result:
        found: Result = self._ask(function, guest, guest=guest, believed=believed)
        return found

    def _ask(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        guest: Any = None,
        believed: Callable[[Any], Any] = lambda found: found,
    ) -> Any:
        if self._owner != os.getpid():  # the process is that of the one that this is a fork of
            self._owner, self._lock, self._process = os.getpid(), Lock(), None
        request = _request(function, arguments)
        with self._lock:
            try:
                try:
                    if self._process is None:
                        self._process = _Process(self._stack, self._kind)
                    answer = self._process.ask(request)
                    kind, *found = json.loads(answer)
                    if kind == "found":
                        return believed(*found)
                    error = _ERRORS[kind](*found)
                except (ValueError, TypeError, LookupError, RecursionError):
                    raise _EndError("answers what makes no sense", "") from None
            except _EndError as end:
                self._end(is_busy=True)
                raise self._limit(end, guest) from None
            except BaseException:
                self._end(is_busy=True)
                raise
            if isinstance(error, LimitError):  # it may have little left for the next
                self._end()
        raise error

    def _end(self, is_busy: bool = False) -> None:
        if self._process is not None:
            self._process.end(is_busy)
            self._process = None

    def _limit(self, end: _EndError, guest: Any) -> LimitError:
        """Return the error for the end of a process: what the crash says of where it was, or the template that it
        would have begun with."""
        of = guest if isinstance(guest, dict) else {}
        name = of["name"] if isinstance(of.get("name"), str) else None
        file, line = self._where(end.said)
        if file is None:
            file = self._likely(of, end.said)
        return LimitError(str(end), file, line, name)

    def _where(self, said: str) -> tuple[str | None, int | None]:
        for file, number in _FRAME.findall(said):
            folder = self._stack.folder(file)
            if file.endswith(".j2") and FilePath(file).is_relative_to(folder):
                name = FilePath(file).relative_to(folder).as_posix()
                try:
                    answer = json.loads(_once(self._stack, self._kind, _line, name, file, int(number)))
                    return file, answer[1] if type(answer[1]) is int else None
                except (_EndError, ValueError, LookupError):
                    return file, None
        return None, None

    def _likely(self, guest: dict[str, Any], said: str) -> str:
        from kvmrender.schema.guest_schema import ROOT
        from kvmrender.templating.stack import TEMPLATE

        if self._schema is None or not guest:
            return str(self._stack.own[0])
        if not self._schema.is_shipped and any(
            file.endswith("kvmrender/checks/checked_context.py") for file, _ in _FRAME.findall(said)
        ):
            return str(self._stack.files(ROOT)[0])
        arch = guest.get("arch") or self._schema.root["properties"]["arch"]["default"]
        files = self._stack.files(f"{self._schema.names.get(arch) if isinstance(arch, str) else ''}{TEMPLATE}")
        return str(files[0] if files else self._stack.own[0])


def _once(stack: Stack, kind: type[Any], function: Callable[..., Any], *arguments: Any) -> bytes:
    process = _Process(stack, kind)
    try:
        return process.ask(_request(function, arguments))
    finally:
        process.end()


def _request(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    try:
        return marshal.dumps((function.__module__, function.__qualname__, arguments))
    except ValueError:
        return marshal.dumps((function.__module__, function.__qualname__, _plain(arguments, ())))


class _EndError(Exception):
    """How a process has ended; ``said`` is what Python said of the place."""

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message)
        self.said = said


class _Process:
    """A process that reads the templates of a stack, and answers."""

    def __init__(self, stack: Stack, kind: type[Any]) -> None:
        here, there = socket.socketpair()
        alive, life = os.pipe()  # the other end closes with this process
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
                setpgroup=0,  # a terminal's Ctrl-C is for this process, which ends the other
                setsigmask=[],
                setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGXCPU, signal.SIGIO],
            )
        except BaseException as error:
            here.close()
            os.close(life)
            os.close(said)
            if isinstance(error, OSError):
                raise Error(f"templates of one's own need a process: {error.strerror}") from None
            raise
        finally:
            there.close()
            os.close(alive)
            os.close(saying)
        self._socket = here
        self._last_words = ""
        self._finalizer = finalize(self, _end, os.getpid(), self._id, here, life, said)
        if "multiprocessing.util" in sys.modules:  # its processes end without what else is done at the end
            from multiprocessing.util import Finalize

            Finalize(self, self._finalizer, exitpriority=0)
        limits = (MOST_SECONDS, MOST_MEMORY, MOST_ANSWERED)
        made = (kind.__module__, kind.__qualname__, [str(folder) for folder in stack.own])
        self._send(marshal.dumps((*limits, *made)), monotonic() + MOST_SECONDS_IN_ALL)

    def ask(self, request: bytes) -> bytes:
        """Return the answer to a request. Raises _EndError where there is none, or too much of it."""
        until = monotonic() + MOST_SECONDS_IN_ALL
        self._send(request, until)
        try:
            size = int.from_bytes(self._receive(_LENGTH, until), "big")
            if size > MOST_ANSWERED:
                raise _EndError(_TOO_LARGE.format(MOST_ANSWERED >> 20), "")
            return self._receive(size, until)
        except OSError as error:
            self._ended(error)

    def _send(self, data: bytes, until: float) -> None:
        try:
            self._socket.settimeout(max(until - monotonic(), 0.001))
            self._socket.sendall(len(data).to_bytes(_LENGTH, "big") + data)
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
        """Raise _EndError for a process that has ended, or is to end since its time is over."""
        if is_late := isinstance(error, TimeoutError):
            with suppress(OSError):
                os.kill(self._id, signal.SIGXCPU)  # it says where it is
            with suppress(OSError):
                self._socket.settimeout(1)
                self._socket.recv(1)
        status = self.end(is_busy=True)
        said = self._last_words
        if is_late:
            raise _EndError(_TOO_LONG.format(MOST_SECONDS_IN_ALL), said)
        number = -os.waitstatus_to_exitcode(status) if status is not None else 0
        if number == signal.SIGXCPU:
            raise _EndError(_TOO_LONG.format(MOST_SECONDS), said)
        how = signal.Signals(number).name if number > 0 else f"exit code {-number}"  # none of real-time
        raise _EndError(f"crashes the process that it runs in ({how})", said)

    def end(self, is_busy: bool = False) -> int | None:
        """End the process, and return what its end was, where that is known. One that may be in the middle of something
        is killed."""
        if is_busy and self._finalizer.alive:
            with suppress(OSError):
                os.kill(self._id, signal.SIGKILL)  # does nothing to one that has ended by itself
        status, self._last_words = self._finalizer() or (None, "")
        return status


def _end(owner: int, process: int, here: socket.socket, life: int, said: int) -> tuple[int | None, str]:
    """Close what leads to a process, and see it end. A fork leaves it to the one that has started it."""
    status, words = None, b""
    if owner == os.getpid():
        with suppress(OSError):
            here.shutdown(socket.SHUT_RDWR)  # closing alone does nothing where a fork has it too
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


# What comes back


def _text(found: Any) -> str:
    if type(found) is not str:
        raise TypeError
    return found


def _mapping(found: Any) -> dict[str, Any]:
    if type(found) is not dict:
        raise TypeError
    return found


def _named(found: Any) -> dict[str, Any]:
    context = _mapping(found)
    _text(context["name"])
    return context


def _path(found: Any) -> Path:
    if type(found) is not list or any(type(step) not in (str, int) for step in found):
        raise TypeError
    return tuple(found)


def _place(found: Any) -> tuple[str, int] | None:
    if found is None:
        return None
    file, line = found
    if type(line) is not int:
        raise TypeError
    return _text(file), line


def _optional(found: Any, kind: type) -> Any:
    if found is not None and type(found) is not kind:
        raise TypeError
    return found


def _problem(path: Any, message: Any, file: Any, line: Any, column: Any, at_key: Any, related: Any) -> Problem:
    place = _optional(file, str), _optional(line, int), _optional(column, int)
    return Problem(_path(path), _text(message), *place, at_key is True, tuple(map(_path, related)))


def _template_error(
    kind: type[TemplateError], message: Any, file: Any, line: Any, guest: Any, field: Any, source: Any, chain: Any
) -> TemplateError:
    of = _optional(file, str), _optional(line, int), _optional(guest, str)
    return kind(_text(message), *of, _path(field), _optional(source, str), list(map(_text, chain)))


def _raise_end(message: Any) -> NoReturn:
    raise _EndError(_text(message), "")


_ERRORS: dict[str, Callable[..., Error]] = {
    "guest": lambda problems, more: GuestError([_problem(*found) for found in problems], int(more)),
    "template": lambda *parts: _template_error(TemplateError, *parts),
    "limit": lambda *parts: _template_error(LimitError, *parts),
    "error": lambda message: Error(_text(message)),
    "end": _raise_end,
}


def _plain(value: Any, path: Path) -> Any:
    """Return a value with subclasses of what files hold as these. Raises GuestError for what none can hold."""
    if len(path) > MOST_LEVELS:
        raise GuestError([Problem(path[1:2], "is nested without end")])
    if isinstance(value, Mapping):
        return {_plain(key, path): _plain(item, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        found = [_plain(item, (*path, number)) for number, item in enumerate(value)]
        return found if isinstance(value, list) else tuple(found)
    if isinstance(value, str):
        return str.__str__(value)
    try:
        marshal.dumps(value)
    except ValueError:
        for known in (int, float):
            if isinstance(value, known):
                return known(value)
        raise GuestError([Problem(path[1:], f"{type(value).__name__} is nothing that a guest can hold")]) from None
    return value


# In the process


def serve() -> None:
    """Be the process: read the templates, and answer."""
    import fcntl
    from faulthandler import enable, register

    os.closerange(3, 1 << 16)
    # When the other end of standard input closes, its owner has ended: then this ends, whatever it is at.
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(0, fcntl.F_SETFL, fcntl.fcntl(0, fcntl.F_GETFL) | os.O_ASYNC)
    enable(2, all_threads=False)
    register(signal.SIGXCPU, 2, all_threads=False, chain=True)
    with socket.socket(fileno=1) as asker, asker.makefile("rwb") as stream:
        seconds, memory, answered, *made = marshal.loads(_read(stream))
        _limit_all(memory)
        engine: Any = None
        while request := _read(stream):
            _more_time(seconds)
            try:
                if engine is None:
                    engine = _engine(*made)
                    _more_time(seconds)
                data = json.dumps(["found", _called(engine, *marshal.loads(request))]).encode()
                if len(data) > answered:
                    data = json.dumps(["end", _TOO_LARGE.format(answered >> 20)]).encode()
            except Exception as error:
                data = json.dumps(_told(error)).encode()
            stream.write(len(data).to_bytes(_LENGTH, "big") + data)
            stream.flush()
        os._exit(0)  # at once: there is nothing to be tidied


def _read(stream: BufferedRWPair) -> bytes:
    return stream.read(int.from_bytes(stream.read(_LENGTH), "big"))


def _limit_all(memory: int) -> None:
    used = 0
    with suppress(OSError):
        used = int(FilePath("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, used + memory),
        (resource.RLIMIT_NOFILE, MOST_FILES),
    ):
        _limit(kind, most)


def _limit(kind: int, most: int) -> None:
    """Set a limit for good, unless there is a lower one."""
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _more_time(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    until = ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))


def _engine(module: str, name: str, folders: list[str]) -> Any:
    """Read the templates; from then on, no file is written and no process started."""
    engine: Any = getattr(import_module(module), name)(folders)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    return engine


def _called(engine: Any, module: str, name: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(import_module(module), name)(engine, *arguments)


def _told(error: Exception) -> list[Any]:
    if isinstance(error, GuestError):
        return ["guest", [[*vars(problem).values()] for problem in error.problems], error.more]
    if isinstance(error, TemplateError):
        return ["limit" if isinstance(error, LimitError) else "template", *error.__reduce__()[1]]
    if isinstance(error, Error):
        return ["error", str(error)]
    return ["end", TOO_MUCH_MEMORY if isinstance(error, MemoryError) else unexpected(error)]


def _schema(engine: Any) -> list[Any]:
    found = engine.schema
    return [found.root, found.architectures, found.names, found.is_shipped]


def _context(engine: Any, guest: Any) -> Any:
    return engine.context(guest)


def _rendered(engine: Any, guest: Any) -> Any:
    return engine.rendered(guest)


def _traced(engine: Any, guest: Any) -> Any:
    return engine.traced(guest)


def _unused_fields(engine: Any, guest: Any) -> Any:
    return engine.unused_fields(guest)


def _line(engine: Any, name: str, file: str, number: int) -> int | None:
    """Return the line of a template that a line of what Jinja makes of it is from."""
    environment = engine.new_environment()
    made = environment.compile(FilePath(file).read_text(), name, file, raw=True)
    pairs = [pair.split("=") for pair in _DEBUG_INFO.findall(made)[-1].split("&")]
    return max((int(line) for line, written in pairs if int(written) <= number), default=None)
