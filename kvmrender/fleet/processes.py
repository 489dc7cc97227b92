"""Parallel processing on all cores, with results in order."""

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
"""Seconds for processes to end."""
AHEAD = 4
"""Number of chunks that are read ahead for each process."""
_work: Callable[[Any], Any]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(
    work: Callable[[Sent], Result], chunks: Iterator[tuple[Kept, Sent]], jobs: int
) -> Generator[tuple[Kept, Result], None, None]:
    """Yield the results of ``work`` for each chunk, in order, whatever the number of processes (``jobs``).

    The first part of a chunk stays in this process and is yielded with the result; the second part is the argument. The
    first chunk is processed here, as is everything if there is only one more: then no process is started. There are
    never more processes than chunks. They are forks, which share the memory of the first chunk. They end when this
    process does, even if it is killed. Exceptions of ``work`` are raised here; Error if a process dies.
    """
    for kept, sent in islice(chunks, 1):
        yield kept, work(sent)
    ahead = list(islice(chunks, jobs)) if jobs > 1 else []
    chunks, jobs = chain(ahead, chunks), len(ahead)
    if jobs < 2:
        yield from ((kept, work(sent)) for kept, sent in chunks)
        return
    # Imported only if needed, because it takes time.
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
            os.close(writer)  # ends processes that are still busy; the pool might wait for them forever
            if not is_done:
                for process in {*active_children()} - others:
                    process.join(PATIENCE)
                pool.shutdown(wait=False, cancel_futures=True)


def _submit(pool: ProcessPoolExecutor, sent: Any) -> Future[Any]:
    """Submit a chunk with signals blocked: a signal during a fork would be lost, because Python continues if a callback
    of the fork, such as that of logging, raises."""
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
    gc.freeze()  # objects from the parent process are kept, and need no garbage collection
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent process decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    os.close(writer)
    Thread(target=_end_with_parent, args=(reader,), daemon=True).start()


def _end_with_parent(reader: int) -> None:
    os.read(reader, 1)  # returns when the last writer, the parent, has ended
    os._exit(1)


def _do(sent: Any) -> Any:
    try:
        return _work(sent)
    except Error:
        raise
    except Exception as error:
        raise Error(unexpected(error)) from None  # the receiver has no traceback
