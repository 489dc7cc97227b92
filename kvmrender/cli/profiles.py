"""The commands that create a guest file, and show profiles."""

from __future__ import annotations

import textwrap
from pathlib import Path

import click

from kvmrender.cli import completion
from kvmrender.cli.options import TEMPLATES, options
from kvmrender.cli.program import engine_of, trouble
from kvmrender.errors import Error, brief, nearest, shown_file, visible
from kvmrender.reading.profiles import description
from kvmrender.templating.stack import PROFILES, Stack
from kvmrender.terminal import say, write

WIDTH = 110


@click.command(short_help="Write a guest file to start from.")
@options(
    TEMPLATES,
    click.option(
        "--use",
        multiple=True,
        metavar="NAME",
        shell_complete=completion.PROFILES,
        help="Profile that the guest uses.",
    ),
    click.option("--arch", metavar="ARCH", help="Architecture of the guest, such as arm64."),
    click.option("-o", "--output", metavar="FILE", help="Write to this file, which must not exist yet."),
    click.argument("name"),
)
def init(templates: tuple[str, ...], use: tuple[str, ...], arch: str | None, output: str | None, name: str) -> None:
    """Write a guest file for a guest called NAME, with the fields that are most often changed, each with a comment.

    Example: kvmrender init --use linux -o web-1.yaml web-1
    """
    from kvmrender.look.first_guest import first_guest

    with trouble():
        text = engine_of(templates).run(first_guest, name, list(use), arch)
        if output is None:
            write(text)
            return
        try:
            with Path(output).open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise Error(f"{output}: already exists, and is not overwritten") from None
        say(f"{output}: edit it, and render it with kvmrender render {output}")


@click.group()
def profiles() -> None:
    """List and show profiles, which guests use by name.

    Example: kvmrender profiles list
    """


@profiles.command("list", short_help="List the profiles.")
@options(TEMPLATES)
def list_(templates: tuple[str, ...]) -> None:
    """List the profiles, with their descriptions.

    Example: kvmrender profiles list
    """
    with trouble():
        stack = Stack(templates)
        found = {name: description(_text(stack, name)) for name in sorted(stack.profiles())}
        width = 2 + max(map(len, found), default=0)
        for name, said in found.items():
            lines = textwrap.wrap(said, WIDTH, initial_indent=f"{name:{width}}", subsequent_indent=" " * width)
            write(visible("\n".join(lines or [name])) + "\n")


@profiles.command(short_help="Show the profile called NAME.")
@options(TEMPLATES, click.argument("name", shell_complete=completion.PROFILES))
def show(templates: tuple[str, ...], name: str) -> None:
    """Show the profile called NAME. The first line names its file.

    Example: kvmrender profiles show windows-11
    """
    with trouble():
        stack = Stack(templates)
        write(visible(f"# {shown_file(str(stack.profiles().get(name, name)))}\n{_text(stack, name)}"))


def _text(stack: Stack, name: str) -> str:
    """Return the text of a profile. Raises Error."""
    if name not in (known := stack.profiles()):
        raise Error(f"{brief(name)}: is not a profile{nearest(name, sorted(known))}")
    from kvmrender.templating.loader import text_of

    return text_of(stack, f"{PROFILES}/{name}.yaml")
