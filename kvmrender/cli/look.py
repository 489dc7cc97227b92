"""The commands that show fields, guests and fleets. What only these need is imported when they are run."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from typing import Any

import click

from kvmrender.cli.completion import FIELDS_AND_IDS
from kvmrender.cli.options import (
    COLOR,
    FLEET,
    GUESTS,
    LAYERS,
    MERGED,
    OF_LIBVIRT,
    TEMPLATES,
    libvirt_option,
    options,
)
from kvmrender.cli.program import SIGNALLED, engine_of, trouble
from kvmrender.errors import visible
from kvmrender.terminal import say, write


@click.command(short_help="Describe a field, or a check by its id.")
@options(
    TEMPLATES,
    click.argument("path", default="", metavar="[PATH or ID]", shell_complete=FIELDS_AND_IDS),
    libvirt_option(OF_LIBVIRT),
)
@click.option("-r", "--recursive", is_flag=True, help="Show nested fields at all levels.")
@click.option("--checks", is_flag=True, help="List the ids of all checks, and of other sources of problems.")
@click.option(
    "--markdown", is_flag=True, help="Write a Markdown page of all checks, all top-level fields, or that at PATH."
)
def explain(
    templates: tuple[str, ...], path: str, recursive: bool, checks: bool, markdown: bool, libvirt: str | None
) -> None:
    """Describe the field at PATH: its values, default and short form, and the template that writes it.

    For an ID, which messages show in brackets, describe the check, for which libvirt versions it applies, and how to
    ignore it, with a guest that barely passes and one that barely fails.

    For any other word, list the fields with that word in their names, or else in their descriptions. Without an
    argument, show the tree of all fields.

    Example: kvmrender explain disks.driver.cache

    Example: kvmrender explain target-bus
    """
    from kvmrender.look.checks import checks_list, checks_page, explain_any
    from kvmrender.look.fields_page import fields_page

    if path and checks:
        raise click.UsageError("--checks lists all checks: leave out PATH or ID.")
    with trouble():
        engine = engine_of(templates)
        if markdown:
            text = engine.run(checks_page) if checks else engine.run(fields_page, path, libvirt)
        else:
            text = engine.run(checks_list) if checks else engine.run(explain_any, path, recursive, libvirt)
        write(visible(text))


@click.command(short_help="Draw each GUEST with its networks and shared disks.")
@options(*FLEET, *LAYERS, GUESTS)
@click.option(
    "--format",
    "form",
    type=click.Choice(["mermaid", "svg"]),
    default="mermaid",
    help="Mermaid (the default), or SVG by Graphviz (this needs the extra graph, and dot).",
)
def graph(guests: tuple[str, ...], form: str, **fleet: Any) -> None:
    """Draw each GUEST with its networks, shared disks and host devices.

    Example: kvmrender graph --format svg fleet.yaml > fleet.svg
    """
    from kvmrender.api import render_fleet
    from kvmrender.fleet.guest_result import Outcome
    from kvmrender.look.graph import Link, Picture, links

    with trouble():
        engine_of(fleet["templates"])
        picture = Picture()

        def text(context: dict[str, Any], xml: str) -> str:
            return json.dumps([context["name"], *links(context)])

        def add(outcome: Outcome) -> None:
            if not outcome.problems:
                name, *found = json.loads(outcome.text)
                picture.add(name, (Link(*link) for link in found))

        render_fleet(guests, make=text, each=add, allow_shared=None, **fleet)
        write(visible(picture.svg() if form == "svg" else picture.mermaid()))


@click.command(short_help="Show which libvirt each GUEST needs.")
@options(*FLEET, *MERGED, GUESTS)
@click.option("--report", type=click.Choice(["json"]), help="Write a JSON object for each guest.")
def needs(guests: tuple[str, ...], report: str | None, settings: tuple[str, ...], **fleet: Any) -> None:
    """Show which libvirt each GUEST needs, and which of its fields require it, starting with the newest.

    Fields that a libvirt version has removed are shown, too: such a guest needs an older version. The libvirt that a
    guest sets is disregarded.

    Example: kvmrender needs --select 'web-*' fleet.yaml
    """
    from kvmrender.api import render_fleet
    from kvmrender.fleet.guest_result import Outcome
    from kvmrender.look.needs import line, needs_of, newest_first

    with trouble():
        found = []
        needed = needs_of(engine_of(fleet["templates"]).schema)

        def text(context: dict[str, Any], xml: str) -> str:
            return json.dumps(needed(context))

        def add(outcome: Outcome) -> None:
            if not outcome.problems:
                found.append(json.loads(outcome.text))

        settings = (*settings, "libvirt=any")
        render_fleet(guests, settings=settings, make=text, each=add, allow_shared=None, **fleet)
        for one in newest_first(found):
            write((json.dumps(one) if report else line(one)) + "\n")


@click.command(short_help="Render each GUEST again when a file is saved.")
@options(*LAYERS, COLOR, click.argument("guests", nargs=-1, required=True, type=click.Path(), metavar="GUEST..."))
def watch(guests: tuple[str, ...], templates: tuple[str, ...], is_coloured: bool, **layers: Any) -> None:
    """Render each GUEST again whenever it, a template or a schema part is saved.

    The output shows errors, and the changes in the XML since the last valid result, with secrets as ***. No file is
    written. This needs the extra watch.

    Example: kvmrender watch --templates site-templates web-1.yaml
    """
    from kvmrender.look.live_results import Looker
    from kvmrender.look.watch import watch

    _refuse_stdin("watch", guests)
    with trouble():
        _until_interrupted(lambda: watch(Looker(templates, guests, layers), is_coloured))


@click.command(short_help="Serve a live page of each GUEST and its XML.")
@options(*LAYERS, GUESTS)
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Port; by default a free one.")
@click.option("--show-secrets", is_flag=True, help="Show secrets in the XML instead of ***.")
def preview(guests: tuple[str, ...], templates: tuple[str, ...], port: int, show_secrets: bool, **layers: Any) -> None:
    """Serve a page with each GUEST, its XML and its errors, to a browser on this machine.

    The page follows the files; edits on the page are not written to them. Each line of the XML is linked to the line
    of the template that wrote it. This needs the extra watch.

    Example: kvmrender preview --templates site-templates web-1.yaml
    """
    from kvmrender.look.live_results import Looker
    from kvmrender.look.preview.answers import EXAMPLE
    from kvmrender.look.preview.server import serve

    _refuse_stdin("preview", guests)
    with trouble():
        looker = Looker(templates, guests or (EXAMPLE,), layers)
        _until_interrupted(lambda: serve(looker, not guests, show_secrets, port))


def _until_interrupted(run: Callable[[], None]) -> None:
    try:
        run()
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            say("")  # the terminal shows ^C
        sys.exit(SIGNALLED + signal.SIGINT)  # or of the other signal, if it was that: the program sees to it


def _refuse_stdin(command: str, guests: tuple[str, ...]) -> None:
    if "-" in guests:
        raise click.UsageError(f"{command} can't follow standard input: give files.")
