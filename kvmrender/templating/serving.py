"""Functions of the process for custom templates: it reads them and answers requests.

A request is a marshalled ``(module, function, arguments)``, a response JSON, each after its length.
"""

from __future__ import annotations

import gc
import json
import marshal
import os
import re
import resource
import signal
import socket
from contextlib import suppress
from importlib import import_module
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kvmrender.errors import TOO_MUCH_MEMORY, Error, GuestError, LimitError, Problem, TemplateError, unexpected

if TYPE_CHECKING:
    from io import BufferedRWPair

MOST_FILES = 64
"""Maximum number of open files of the process."""
LENGTH = 8
"""Size in bytes of a length."""
TOO_LARGE = "makes more than {:,} MiB for one guest"
_DEBUG_INFO = re.compile(r"^debug_info = '([0-9=&]*)'$", re.MULTILINE)


def serve() -> None:
    """Run the process: read the templates and answer requests."""
    import fcntl
    from faulthandler import enable, register

    os.closerange(3, 1 << 16)
    # When the parent ends, it closes the other end of standard input; this process then ends at once.
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
                    data = json.dumps(["end", TOO_LARGE.format(answered >> 20)]).encode()
            except Exception as error:
                data = json.dumps(_told(error)).encode()
            stream.write(len(data).to_bytes(LENGTH, "big") + data)
            stream.flush()
        os._exit(0)  # at once: no cleanup is needed


def _read(stream: BufferedRWPair) -> bytes:
    return stream.read(int.from_bytes(stream.read(LENGTH), "big"))


def _limit_all(memory: int) -> None:
    used = 0
    with suppress(OSError):
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, used + memory),
        (resource.RLIMIT_NOFILE, MOST_FILES),
    ):
        _limit(kind, most)


def _limit(kind: int, most: int) -> None:
    """Set a limit permanently, unless a lower one is set."""
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (most, most))


def _more_time(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    until = ceil(used.ru_utime + used.ru_stime) + seconds
    resource.setrlimit(resource.RLIMIT_CPU, (until if hard == resource.RLIM_INFINITY else min(until, hard), hard))


def _engine(module: str, name: str, folders: list[str]) -> Any:
    """Read the templates. Afterwards, no files can be written and no processes started."""
    gc.disable()  # objects created here are kept
    engine: Any = getattr(import_module(module), name)(folders)
    gc.freeze()
    gc.enable()
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NPROC, 0)
    return engine


def _called(engine: Any, module: str, name: str, arguments: tuple[Any, ...]) -> Any:
    return getattr(import_module(module), name)(engine, *arguments)


def _parts(problem: Problem) -> list[Any]:
    return [*vars(problem).values()]


def _told(error: Exception) -> list[Any]:
    if isinstance(error, GuestError):
        return ["guest", [*map(_parts, error.problems)], error.more]
    if isinstance(error, TemplateError):
        return ["limit" if isinstance(error, LimitError) else "template", *error.__reduce__()[1]]
    if isinstance(error, Error):
        return ["error", str(error)]
    return ["end", TOO_MUCH_MEMORY if isinstance(error, MemoryError) else unexpected(error)]


def schema(engine: Any) -> list[Any]:
    """Return the parts of the engine's schema."""
    found = engine.schema
    return [found.root, found.architectures, found.names, found.is_shipped]


def context(engine: Any, guest: Any) -> Any:
    """As ``Engine.context``."""
    return engine.context(guest)


def rendered(engine: Any, guest: Any) -> Any:
    """As ``Engine.rendered``."""
    context, xml, notes = engine.rendered(guest)
    return context, xml, [*map(_parts, notes)]


def observed(engine: Any, guest: Any) -> Any:
    """As ``Engine.observed``."""
    return engine.observed(guest)


def line(engine: Any, name: str, file: str, number: int) -> int | None:
    """Return the template line of a line of Jinja's generated code."""
    environment = engine.new_environment()
    made = environment.compile(Path(file).read_text(), name, file, raw=True)
    pairs = [pair.split("=") for pair in _DEBUG_INFO.findall(made)[-1].split("&")]
    return max((int(line) for line, written in pairs if int(written) <= number), default=None)
