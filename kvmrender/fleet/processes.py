"""Work spread over the cores, with its results in order."""

from __future__ import annotations

import gc
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from itertools import chain, islice
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

from kvmrender.errors import Error, unexpected
from kvmrender.terminal import SIGNALS

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

Kept = TypeVar("Kept")
Sent = TypeVar("Sent")
Result = TypeVar("Result")

PATIENCE = 10
"""Seconds that processes have to end in."""
AHEAD = 4
"""Chunks that are read ahead for each process."""
_work: Callable[[Any], Any]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    work: Callable[[Sent], Result], chunks: Iterator[tuple[Kept, Sent]], jobs: int
) -> Generator[tuple[Kept, Result], None, None]:
    """Yield what ``work`` makes of each chunk, in order, whatever the number of processes (``jobs``).

    Of a chunk, the first part stays here, and is handed out with the result; the second is what is worked on. The
    first chunk is done here, and so is all where there is but one more: then nothing is started. There are never more
    processes than chunks. They are forks, which share what the first chunk has brought into memory. They end when this
    process does, even when it is killed. What ``work`` raises is raised here; Error where a process dies.
    """
    for kept, sent in islice(chunks, 1):
        yield kept, work(sent)
    ahead = list(islice(chunks, jobs)) if jobs > 1 else []
    chunks, jobs = chain(ahead, chunks), len(ahead)
    if jobs < 2:
        yield from ((kept, work(sent)) for kept, sent in chunks)
        return
    # Only what is spread needs these, and they take their time.
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import active_children, get_context

    with ExitStack() as stack:
        reader, writer = os.pipe()
        stack.callback(os.close, reader)
        others = {*active_children()}
        pool = ProcessPoolExecutor(jobs, get_context("fork"), _start, (work, reader, writer))
        is_done = False
        waiting: deque[tuple[Kept, Future[Result]]] = deque()
        try:
            for kept, sent in chunks:
                waiting.append((kept, _submit(pool, sent)))
                if len(waiting) > AHEAD * jobs:
                    yield _next(waiting)
            while waiting:
                yield _next(waiting)
            is_done = True
        except BrokenProcessPool:
            raise Error("a worker process died: was it out of memory? --jobs 1 needs the least") from None
        finally:
            if is_done:
                pool.shutdown()
            os.close(writer)  # ends processes that are at something still; the pool may wait for them for ever
            if not is_done:
                for process in {*active_children()} - others:
                    process.join(PATIENCE)
                pool.shutdown(wait=False, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, sent: Any) -> Future[Any]:
    """Have a chunk worked on, without a signal meanwhile: one that comes as a process is forked would be lost, since
    Python goes on where a callback of fork, such as that of logging, raises."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        return pool.submit(_do, sent)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _next(waiting: deque[tuple[Kept, Future[Result]]]) -> tuple[Kept, Result]:
    kept, future = waiting.popleft()
    return kept, future.result()


def _start(work: Callable[[Any], Any], reader: int, writer: int) -> None:
    global _work
    _work = work
    gc.freeze()  # what comes from the parent process stays, and need not be looked through for garbage
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    os.close(writer)
    Thread(target=_end_with_parent, args=(reader,), daemon=True).start()


def _end_with_parent(reader: int) -> None:
    os.read(reader, 1)  # returns when the last writer, the parent, is gone
    os._exit(1)


def _do(sent: Any) -> Any:
    try:
        return _work(sent)
    except Error:
        raise
    except Exception as error:
        raise Error(unexpected(error)) from None  # whoever gets it has no traceback
