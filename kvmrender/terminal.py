"""Output to the user and signals."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from typing import IO

from kvmrender.errors import visible

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""Signals that end a run."""


def write(text: str) -> None:
    """Write UTF-8 regardless of the locale, so that the output is the same everywhere."""
    sys.stdout.buffer.write(text.encode())


def say(text: str) -> None:
    """Write lines to standard error, with control characters escaped. Failures to write are ignored."""
    with suppress(OSError):
        sys.stderr.buffer.write(f"{visible(text)}\n".encode("utf-8", "backslashreplace"))
        sys.stderr.flush()


def may_colour(stream: IO[str], when: str = "auto") -> bool:
    """Return whether to use colors on a stream: always, never, or if it is a terminal that supports them and the user
    has not disabled them (https://no-color.org)."""
    return when == "always" or (when == "auto" and not os.environ.get("NO_COLOR") and is_terminal(stream))


def is_terminal(stream: IO[str]) -> bool:
    """Return whether a stream is a terminal that supports more than plain lines."""
    return stream.isatty() and os.environ.get("TERM") != "dumb"
