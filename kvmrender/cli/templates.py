"""The commands for template authors."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kvmrender.cli.completion import NAMES, PROFILES
from kvmrender.cli.options import IGNORE, REPORT, TEMPLATES, libvirt_option, options
from kvmrender.cli.program import TROUBLE, about_ids, engine_of, trouble
from kvmrender.engine import Engine
from kvmrender.errors import Error, GuestError, Problem, nearest, printable
from kvmrender.fleet.report_forms import reported
from kvmrender.reading.documents import Document
from kvmrender.reading.inputs import Inputs
from kvmrender.reading.layers import checks_to_ignore
from kvmrender.shipped import SHIPPED
from kvmrender.templating.stack import Stack
from kvmrender.terminal import say, write

if TYPE_CHECKING:
    from kvmrender.workbench.template_check import Finding


@click.group()
def templates() -> None:
    """List, show, copy and check templates.

    Example: kvmrender templates list
    """


@templates.command("list", short_help="List the files of the template folders.")
@options(TEMPLATES)
def list_(templates: tuple[str, ...]) -> None:
    """List each file of the template folders, with its folder, and the folders whose file it overrides.

    Example: kvmrender templates list --templates site-templates
    """
    with trouble():
        stack = Stack(templates)
        rows = [[name, *(_folder(stack, file) for file in stack.files(name))] for name in stack.names()]
        rows = [list(map(printable, row)) for row in rows]
        width = max(len(name) for name, *_ in rows)
        write("".join(f"{name:{width}}  {' overrides '.join(folders)}\n" for name, *folders in rows))


def _folder(stack: Stack, file: Path) -> str:
    folder = stack.folder(file)
    return SHIPPED if folder == stack.shipped else str(folder)


@templates.command(short_help="Show the file called NAME.")
@options(TEMPLATES, click.argument("name", shell_complete=NAMES))
def show(templates: tuple[str, ...], name: str) -> None:
    """Show the file called NAME that is in use; shipped/NAME is the shipped one.

    Example: kvmrender templates show devices/disk.xml.j2
    """
    with trouble():
        stack = Stack(templates)
        write(_file(stack, name).read_text())


def _file(stack: Stack, name: str) -> Path:
    files = stack.files(name)
    if not files or ".." in Path(name).parts:
        raise Error(f"{name}: is not in any template folder{nearest(name, stack.names())}")
    return files[0]


@templates.command(short_help="Copy the file called NAME to DIR.")
@options(TEMPLATES, click.argument("folder", metavar="DIR"), click.argument("name", shell_complete=NAMES))
def copy(templates: tuple[str, ...], name: str, folder: str) -> None:
    """Copy the file called NAME to DIR, to edit it there. An existing file is never overwritten.

    Example: kvmrender templates copy devices/disk.xml.j2 site-templates
    """
    with trouble():
        source = _file(Stack(templates), name)
        target = Path(folder, name.removeprefix(f"{SHIPPED}/"))
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as file:
                file.write(source.read_bytes())
        except FileExistsError:
            raise Error(f"{target}: already exists, and is not overwritten") from None
        except OSError as error:
            raise Error(f"{target}: {error.strerror}") from None
        say(f"{target}: edit it, and render with --templates {folder}")


@templates.command(short_help="Check templates for errors.")
@options(
    click.option(
        "--guest", "guests", multiple=True, metavar="GUEST", help="Render this file instead of the example guests."
    ),
    IGNORE,
    click.option(
        "--use",
        multiple=True,
        metavar="NAME",
        shell_complete=PROFILES,
        help="Render the guests with this profile.",
    ),
    libvirt_option("Render the guests for this libvirt version, without example guests that need a newer one."),
    TEMPLATES,
    REPORT,
    click.argument("folders", nargs=-1, metavar="[DIR]..."),
)
def check(
    folders: tuple[str, ...],
    templates: tuple[str, ...],
    guests: tuple[str, ...],
    ignore: tuple[str, ...],
    report: str | None,
    libvirt: str | None,
    use: tuple[str, ...],
) -> None:
    """Check the templates in each DIR, or the shipped ones.

    First, custom schema parts are validated: unknown keywords, undefined references, properties without a description,
    invalid defaults.

    Then each template is compiled and analysed: undefined variables, blocks that no parent has, unused macros and
    files, escaping that is turned off.

    Finally, guests are rendered: by default the example guests, which use every field. Reported are template errors,
    XML that is not well-formed or, if lxml and libvirt's schema are installed, invalid, fields of a guest that no
    template uses, and fields that no template can write.

    Custom profiles are validated against the schema.

    Exit code: 0 nothing was found, 2 something was.

    Example: kvmrender templates check site-templates
    """
    with trouble():
        from kvmrender.workbench.template_check import Finding, looked_at
        from kvmrender.workbench.trial_rendering import findings, fixtures, using, wrong_profiles

        stack = (*folders, *templates)
        with reported(report, "templates check", about_ids(stack)) as told:
            found, is_usable = _of_parts(Stack(stack))
            if is_usable:
                engine = engine_of(stack)
                said, names, readable = engine.run(looked_at)
                found += [Finding(*one) for one in said]
                if readable:
                    documents = using(engine, _documents(engine, guests) if guests else fixtures(), use)
                    ignored = checks_to_ignore(engine.schema.root, ignore)
                    found += findings(engine, names, documents, _faults(engine), ignored, libvirt)
                    found += wrong_profiles(engine)
            if is_usable:
                found = sorted(set(found), key=lambda one: one.order(Stack(stack)))
            for finding in found:
                say(str(finding))
            told.add(", ".join(stack) or SHIPPED, None, [finding.problem for finding in found])
        if found:
            sys.exit(TROUBLE)


def _of_parts(stack: Stack) -> tuple[list[Finding], bool]:
    """Return the findings about custom schema parts, and whether guests can be rendered with them."""
    from kvmrender.templating.schema_parts import checked
    from kvmrender.workbench.template_check import Finding

    _, faults = checked(stack, thoroughly=True) if stack.own_parts() else (None, [])
    return [Finding(*fault[:3]) for fault in faults], not any(fault.is_error for fault in faults)


def _documents(engine: Engine, files: tuple[str, ...]) -> list[Document]:
    problems: list[Problem] = []
    documents = list(Inputs(engine.schema.root, files).documents(problems))
    if problems:
        raise GuestError(problems)
    return documents


def _faults(engine: Engine) -> Callable[[bytes], Iterable[tuple[int, str]]]:
    """Return a function that validates XML against libvirt's schema, if that is available."""
    try:
        from kvmrender.libvirt.rng import Grammar, installed_schema
        from kvmrender.libvirt.validator import faults
        from kvmrender.schema.secrets import Secrets
        from kvmrender.schema.xml_path import xml_path

        grammar, secrets = Grammar(installed_schema()), Secrets(engine.schema.root)
    except (ImportError, Error):
        return lambda xml: ()
    return lambda xml: (
        (problem.line or 1, f"{xml_path(problem.path)}: {problem.message}") for problem in faults(grammar, xml, secrets)
    )
