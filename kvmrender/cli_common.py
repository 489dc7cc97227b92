"""What the commands have in common: options, exit codes, and how things are said."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from kvmrender.errors import Error, printable
from kvmrender.limited import ALLOWED, size
from kvmrender.renderer import Renderer, default_renderer
from kvmrender.spread import cores

DIFFERS, TROUBLE = 1, 2
"""Exit codes as of ``diff``: something differs (with --check), or went wrong."""

Command = TypeVar("Command", bound=Callable[..., Any])


TEMPLATES = click.option(
    "--templates",
    multiple=True,
    type=click.Path(),
    metavar="DIR",
    envvar="KVMRENDER_TEMPLATES",
    help="Templates and schema parts that come before the shipped ones; also in KVMRENDER_TEMPLATES, with colons.",
)


def _size(_: click.Context, __: click.Parameter, text: str) -> int:
    try:
        return size(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} {error}") from None


MAX_SIZE = click.option(
    "--max-size",
    default=ALLOWED,
    metavar="SIZE",
    callback=_size,
    envvar="KVMRENDER_MAX_SIZE",
    help=f"Refuse files, and lines of JSON Lines, that are larger; by default {ALLOWED}; also in KVMRENDER_MAX_SIZE.",
)
GUESTS = click.argument("guests", nargs=-1, type=click.Path(), metavar="[GUEST]...")
LAYERS = (
    TEMPLATES,
    MAX_SIZE,
    click.option("--namespace", metavar="TEXT", help="The namespace of guests that name none."),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="PATH=VALUE",
        help="Set this in each guest, such as disks[0].driver.cache=none; the value is YAML.",
    ),
    click.option(
        "--defaults", multiple=True, metavar="FILE", help="What goes under each guest: a mapping in YAML or JSON."
    ),
)
FLEET = (
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1),
        default=cores,
        metavar="N",
        help="Processes that many guests are spread over; by default as many as there are cores.",
    ),
    click.option("--select", multiple=True, metavar="GLOB", help="Only guests with names like this, such as 'web-*'."),
)
"""What commands have in common, the last first."""


def options(*added: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that adds options."""
    return lambda command: reduce(lambda done, add: add(done), added, command)


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
    except BrokenPipeError:
        raise  # whoever read it has had enough
    except OSError as error:
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


class Program(click.Group):
    """Commands of which also the help, which click writes by itself, ends in a line where it can't be written."""

    def main(self, *arguments: Any, **named: Any) -> Any:
        """Be the program."""
        with trouble():
            return super().main(*arguments, **named)
