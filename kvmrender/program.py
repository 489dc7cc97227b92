"""What the program is to others: exit codes, what it writes and says, and how it ends where something is wrong.

Not a word of click: starting is most of what a command takes for one guest.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kvmrender.errors import Error, printable
from kvmrender.renderer import Renderer, default_renderer

DIFFERS, TROUBLE = 1, 2
"""Exit codes as of ``diff``: something differs (with --check), or went wrong."""


def renderer_of(templates: tuple[str, ...]) -> Renderer:
    """Return the renderer of these folders, with a warning of each that anyone may write to. Raises TemplateError."""
    if not templates:
        return default_renderer()
    renderer = Renderer(templates)
    for folder, place in renderer.stack.open_to_all():
        inside = "" if place == folder else f", {place.relative_to(folder)} in it"
        say(f"{printable(str(folder))}: warning: anyone may write to these templates{printable(inside)}")
    return renderer


def write(text: str) -> None:
    """Write UTF-8 whatever the locale, so that the bytes are the same everywhere."""
    sys.stdout.buffer.write(text.encode())


def say(text: str) -> None:
    """Write a line to standard error."""
    sys.stderr.buffer.write(f"{text}\n".encode("utf-8", "backslashreplace"))
    sys.stderr.flush()


@contextmanager
def trouble() -> Iterator[None]:
    """Turn errors and interruptions into lines on standard error and the exit code."""

    def terminate(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
        sys.stdout.flush()
    except OSError as error:
        if not isinstance(error, BrokenPipeError):  # whoever read it has had enough, and knows
            say(f"{error.filename or 'output'}: {error.strerror}")
        with suppress(OSError), Path(os.devnull).open("wb") as nowhere:  # what can't be written is not tried again
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        sys.exit(TROUBLE)
    except Error as error:
        say(str(error))
        sys.exit(TROUBLE)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(TROUBLE)
    finally:
        signal.signal(signal.SIGTERM, before)
