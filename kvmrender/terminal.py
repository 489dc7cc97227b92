"""What whoever runs the program has to do with it: what they are shown, and the signals by which they end it."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import IO

from kvmrender.errors import visible

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""What ends a run."""


def write(text: str) -> None:
    """Write UTF-8 whatever the locale, so that the bytes are the same everywhere."""
    sys.stdout.buffer.write(text.encode())


def say(text: str) -> None:
    """Write lines to standard error, with nothing in them that a terminal would obey. Where they can't be written,
    nothing else changes."""
    with suppress(OSError):
        sys.stderr.buffer.write(f"{visible(text)}\n".encode("utf-8", "backslashreplace"))
        sys.stderr.flush()


def may_colour(stream: IO[str], when: str = "auto") -> bool:
    """Say whether a stream gets colours: always, never, or where it goes to a terminal that shows them, to someone who
    wants them (https://no-color.org)."""
    return when == "always" or (when == "auto" and not os.environ.get("NO_COLOR") and is_terminal(stream))


def is_terminal(stream: IO[str]) -> bool:
    """Say whether a stream goes to a terminal that can do more than add lines."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
