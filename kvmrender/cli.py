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
from kvmrender.renderer import Renderer

TROUBLE = 2
"""Exit code when something went wrong, as of ``diff``."""

STDIN = "-"

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
        renderer = Renderer()
        _write("".join(_for_each(guests, renderer.render)))


@main.command()
@guest_files
def context(guests: tuple[str, ...]) -> None:
    """Write what templates see of each GUEST, as YAML.

    That is the guest with every default filled in and every derived value computed.

    Example: kvmrender context web-1.yaml
    """
    with _trouble():
        renderer = Renderer()
        order = renderer.schema.root["properties"]
        contexts = [{key: found[key] for key in order if key in found} for found in _for_each(guests, renderer.context)]
        _write(yaml.dump_all(contexts, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110))


@main.command()
def schema() -> None:
    """Write the JSON Schema of guest files, for editors.

    Example: kvmrender schema > guest.schema.json
    """
    with _trouble():
        _write(json.dumps(editor_schema(Renderer().schema), indent=2, ensure_ascii=False) + "\n")


def _for_each(files: tuple[str, ...], do: Callable[[Any], Result]) -> list[Result]:
    """Do something with each guest of the files. Raises GuestError with the problems of all of them."""
    results: list[Result] = []
    problems: list[Problem] = []
    for document in _documents(files or (STDIN,), problems):
        try:
            results.append(do(document.guest))
        except GuestError as error:
            problems += sorted(map(document.locate, error.problems), key=_place)
    if problems:
        raise GuestError(problems)
    return results


def _documents(files: tuple[str, ...], problems: list[Problem]) -> Iterator[Document]:
    for file in files:
        name = "<stdin>" if file == STDIN else file
        try:
            with click.open_file(file, "rb") as stream:
                documents = read(name, stream.read())
        except OSError as error:
            problems.append(Problem((), error.strerror or str(error), file=name))
        except GuestError as error:
            problems += error.problems
        else:
            yield from documents


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line or 0, problem.column or 0


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


_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):  # type: ignore[misc]  # one of two, by what PyYAML was built with
    """Writes a context so that it reads back as it was: no aliases, each guest a document of its own."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
