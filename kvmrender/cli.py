"""The command line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click
import yaml

from kvmrender import __version__
from kvmrender.editor_schema import editor_schema
from kvmrender.errors import Error, GuestError, Problem
from kvmrender.load import Document, read
from kvmrender.renderer import default_renderer
from kvmrender.secrets import masked

TROUBLE = 2
"""Exit code when something went wrong, as of ``diff``."""

STDIN = "-"
STDIN_NAME = "<stdin>"
"""How messages call standard input, as compilers do."""

Result = TypeVar("Result")

guest_files = click.argument("guests", nargs=-1, type=click.Path(), metavar="[GUEST]...")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kvmrender")
def main() -> None:
    """Render libvirt domain XML for KVM guests.

    A GUEST is a file in YAML or JSON that describes one guest, or several as YAML documents; - is standard
    input, and so is none.

    Exit code: 0 all went well, 2 something is wrong.
    """


@main.command()
@guest_files
def render(guests: tuple[str, ...]) -> None:
    """Write the domain XML of each GUEST to standard output.

    Nothing is written if anything is wrong with any of them.

    Example: kvmrender render web-1.yaml | virsh define /dev/stdin
    """
    with _trouble():
        renderer = default_renderer()
        _write("".join(_for_each(guests, renderer.render)))


@main.command()
@guest_files
def context(guests: tuple[str, ...]) -> None:
    """Write what templates see of each GUEST, as YAML.

    That is the guest with every default filled in and every derived value computed; secrets are shown as ***.

    Example: kvmrender context web-1.yaml
    """
    with _trouble():
        renderer = default_renderer()
        root = renderer.schema.root
        contexts = [
            masked(root, {key: found[key] for key in root["properties"] if key in found})
            for found in _for_each(guests, renderer.context)
        ]
        _write(yaml.dump_all(contexts, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


@main.command()
def schema() -> None:
    """Write the JSON Schema of guest files, for editors.

    Example: kvmrender schema > guest.schema.json
    """
    with _trouble():
        _write(json.dumps(editor_schema(default_renderer().schema), indent=2, ensure_ascii=False) + "\n")


@main.command()
@click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE]...")
@click.option("--schema", type=click.Path(), metavar="PATH", help="libvirt's domain.rng; by default the installed one.")
@click.option("--connect", metavar="URI", help="Ask this libvirt driver too, such as qemu:///system.")
def validate(files: tuple[str, ...], schema: str | None, connect: str | None) -> None:
    """Check each FILE, a guest file or domain XML, as strictly as can be.

    A guest is held against the guest schema and the checks, then its XML against libvirt's own schema (this needs
    the extra validate). With --connect, the driver says whether it would run the guest (this needs the extra
    libvirt); nothing is defined or started.

    Exit code: 0 all are valid, 2 something is wrong.

    Example: kvmrender validate --connect qemu:///system web-1.yaml
    """
    with _trouble():
        try:
            from kvmrender.validate import Validator
        except ImportError:
            raise Error("validate needs lxml: pip install 'kvmrender[validate]'") from None
        validator = Validator(default_renderer(), schema, connect)
        problems: list[Problem] = []
        valid = []
        for name, data in _contents(files or (STDIN,), problems):
            found = validator.problems(name, data)
            problems += found
            if not found:
                valid.append(f"{name}: valid\n")
        _write("".join(valid))
        if problems:
            raise GuestError(problems)


def _for_each(files: tuple[str, ...], do: Callable[[Any], Result]) -> list[Result]:
    """Do something with each guest of the files. Raises GuestError with the problems of all of them."""
    results: list[Result] = []
    problems: list[Problem] = []
    for document in _documents(files or (STDIN,), problems):
        try:
            results.append(do(document.guest))
        except GuestError as error:
            problems += document.located(error.problems)
    if problems:
        raise GuestError(problems)
    return results


def _documents(files: tuple[str, ...], problems: list[Problem]) -> Iterator[Document]:
    for name, data in _contents(files, problems):
        try:
            yield from read(name, data)
        except GuestError as error:
            problems += error.problems


def _contents(files: tuple[str, ...], problems: list[Problem]) -> Iterator[tuple[str, bytes]]:
    for file in files:
        name = STDIN_NAME if file == STDIN else file
        try:
            with click.open_file(file, "rb") as stream:
                data = stream.read()
        except OSError as error:
            problems.append(Problem((), error.strerror or str(error), file=name))
        else:
            yield name, data


def _write(text: str) -> None:
    """Write UTF-8 whatever the locale, so that the bytes are the same everywhere."""
    sys.stdout.buffer.write(text.encode())


@contextmanager
def _trouble() -> Iterator[None]:
    """Turn errors into lines on standard error and the exit code."""
    try:
        yield
    except Error as error:
        sys.stderr.buffer.write(f"{error}\n".encode("utf-8", "backslashreplace"))
        sys.exit(TROUBLE)


class _Dumper(yaml.SafeDumper):
    """Writes a context so that it reads back as it was: no aliases, each guest a document of its own."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
