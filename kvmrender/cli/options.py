"""Options that the commands share."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar

import click

from kvmrender.cli.completion import IDS, PROFILES, SETTINGS
from kvmrender.cli.program import trouble
from kvmrender.fleet.processes import cores
from kvmrender.reading.profiles import APPENDED, USE
from kvmrender.reading.size_limits import ALLOWED, size
from kvmrender.terminal import may_colour

Command = TypeVar("Command", bound=Callable[..., Any])


LIBVIRT = "libvirt"
"""The key of a guest that the option of that name sets."""
VERSION = re.compile(r"[0-9]{1,4}([.][0-9]{1,4}){0,2}|any", re.ASCII)

TEMPLATES = click.option(
    "--templates",
    multiple=True,
    type=click.Path(),
    metavar="DIR",
    envvar="KVMRENDER_TEMPLATES",
    help="Folder of templates and schema parts that override the shipped ones; also in KVMRENDER_TEMPLATES, separated"
    " by colons.",
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
    help=f"Refuse larger files and lines of JSON Lines, and guests that expand to far more; by default {ALLOWED};"
    " also in KVMRENDER_MAX_SIZE.",
)
ALLOW_SHARED = click.option(
    "--allow-shared", multiple=True, metavar="GLOB", help="Allow several guests to write to matching disks."
)
OF_LIBVIRT = "Leave out what this libvirt version lacks, such as 10.0."


def _version(ctx: click.Context, _: click.Parameter, text: str | None) -> str | None:
    if text is not None and not VERSION.fullmatch(text):
        raise click.BadParameter(f"{text!r} is not a version of libvirt, such as 9.0, 9.0.0 or 12.8.0")
    if text is not None:
        ctx.meta[LIBVIRT] = text
    return text


def _settings(ctx: click.Context, _: click.Parameter, settings: tuple[str, ...]) -> tuple[str, ...]:
    settings = (*settings, f"{LIBVIRT}={ctx.meta[LIBVIRT]}") if LIBVIRT in ctx.meta else settings
    return (*settings, *(f"{APPENDED}{json.dumps(name)}" for name in ctx.meta.get(USE, ())))


def _use(ctx: click.Context, _: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    ctx.meta[USE] = names
    return names


def libvirt_option(about: str, is_setting: bool = False) -> Callable[[Command], Command]:
    """Return the option ``--libvirt``; as a setting it is a ``--set`` for the command."""
    return click.option(
        "--libvirt", metavar="VERSION", callback=_version, is_eager=is_setting, expose_value=not is_setting, help=about
    )


GUESTS = click.argument("guests", nargs=-1, type=click.Path(), metavar="[GUEST]...")
REPORT = click.option(
    "--report",
    type=click.Choice(["json", "sarif", "junit", "github"]),
    help="Write a report to standard output: a JSON object for each guest, SARIF, JUnit XML, or GitHub annotations.",
)
COLOR = click.option(
    "--color",
    "is_coloured",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    callback=lambda _, __, when: may_colour(sys.stdout, when),
    help="Colour diffs; by default on a terminal, unless NO_COLOR is set or TERM is dumb.",
)
IGNORE = click.option(
    "--ignore",
    multiple=True,
    metavar="ID",
    shell_complete=IDS,
    help="Turn off the check with this id, which messages show in brackets.",
)
ABOUT_USE = "Apply this profile to each guest, after those that it uses itself."
MERGED = (
    IGNORE,
    click.option(
        "--use",
        multiple=True,
        metavar="NAME",
        callback=_use,
        is_eager=True,
        expose_value=False,
        shell_complete=PROFILES,
        help=ABOUT_USE,
    ),
    TEMPLATES,
    MAX_SIZE,
    click.option("--namespace", metavar="TEXT", help="Namespace of guests that set none."),
    click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="PATH=VALUE",
        shell_complete=SETTINGS,
        callback=_settings,
        help="Set a value in each guest, such as disks[0].driver.cache=none; VALUE is YAML.",
    ),
    click.option(
        "--values",
        multiple=True,
        metavar="FILE",
        help="Values that override those of guests, by guest name: a mapping in YAML or JSON; --set takes precedence.",
    ),
    click.option(
        "--defaults", multiple=True, metavar="FILE", help="Default values for each guest: a mapping in YAML or JSON."
    ),
)
LAYERS = (
    *MERGED,
    libvirt_option("Target libvirt version of each guest, such as 10.0; what it lacks is refused.", is_setting=True),
)
JOBS = click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1),
    default=cores,
    metavar="N",
    help="Number of processes for many guests; by default the number of cores.",
)
FLEET = (
    JOBS,
    click.option("--select", multiple=True, metavar="GLOB", help="Select guests by name, such as 'web-*'."),
)
"""Options that commands share, the last first."""


def options(*added: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that adds options."""
    return lambda command: reduce(lambda done, add: add(done), added, command)


class Program(click.Group):
    """Commands whose errors are all handled by ``trouble``: also those before a command is reached, such as help that
    can't be written, and before click handles them itself."""

    def main(self, *arguments: Any, **named: Any) -> Any:
        """Run the program."""
        with trouble():
            return super().main(*arguments, **named)

    def make_context(self, *arguments: Any, **named: Any) -> click.Context:
        """Read the command line."""
        with trouble():
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        with trouble():
            return super().invoke(ctx)
