"""The command line."""

from __future__ import annotations

import sys
from contextlib import closing
from typing import Any

import click
import yaml

from kvmrender import __version__
from kvmrender.cli.drift import drift
from kvmrender.cli.importing import import_
from kvmrender.cli.look import explain, graph, needs, preview, watch
from kvmrender.cli.options import (
    ALLOW_SHARED,
    COLOR,
    FLEET,
    GUESTS,
    LAYERS,
    OF_LIBVIRT,
    REPORT,
    TEMPLATES,
    Program,
    libvirt_option,
    options,
)
from kvmrender.cli.profiles import init, profiles
from kvmrender.cli.program import DIFFERS, about_ids, engine_of, trouble
from kvmrender.cli.run import run, to_standard_output
from kvmrender.cli.templates import templates
from kvmrender.engine import Engine, default_engine
from kvmrender.errors import Error, GuestError, Problem, TemplateError, printable, visible
from kvmrender.fleet.fleet import Faults
from kvmrender.fleet.folder import PATIENCE
from kvmrender.fleet.report import Report
from kvmrender.fleet.report_forms import reported
from kvmrender.reading.inputs import Inputs
from kvmrender.schema.secrets import masked
from kvmrender.terminal import say, write

MOST_FOUND = 10_000
"""Maximum number of problems that validate lists."""


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kvmrender")
def main() -> None:
    """Render libvirt domain XML for KVM guests.

    A GUEST is a YAML or JSON file that defines one guest, or several: as YAML documents, as a fleet (a mapping with
    guests and defaults) or as JSON Lines. Use - for standard input, which is the default.

    Exit code: 0 success, 1 something differs (with --check), 2 an error, 130 or 143 interrupted.

    Example: kvmrender render web-1.yaml
    """


main.add_command(drift)
main.add_command(import_)
main.add_command(init)
main.add_command(templates)
main.add_command(explain)
main.add_command(graph)
main.add_command(needs)
main.add_command(preview)
main.add_command(profiles)
main.add_command(watch)


@main.command(short_help="Write the domain XML of each GUEST.")
@options(*FLEET, *LAYERS, GUESTS)
@click.option("-o", "--output", metavar="DIR", help="Write each guest to DIR/NAME.xml, unless it is unchanged.")
@click.option("--strict", is_flag=True, help="Refuse values of guests, and custom fields, that no template uses.")
@click.option("--check", is_flag=True, help="Write nothing, and exit with 1 if any file would change.")
@click.option("--diff", is_flag=True, help="Show the changes; secrets are shown as ***.")
@click.option("--prune", is_flag=True, help="Remove files that an earlier run wrote for guests that no longer exist.")
@click.option("--prune-all", is_flag=True, help="Prune even if no guest is left and most files would be removed.")
@click.option("--fsync", is_flag=True, help="Flush the files to disk before they replace others.")
@click.option(
    "--lock-timeout",
    type=click.FloatRange(0),
    default=PATIENCE,
    metavar="SECONDS",
    help=f"Maximum time to wait for another run in DIR; by default {PATIENCE}.",
)
@ALLOW_SHARED
@REPORT
@COLOR
@click.option("-q", "--quiet", is_flag=True, help="Show no summary.")
@click.option("-v", "--verbose", is_flag=True, help="Show the status of each file.")
def render(
    guests: tuple[str, ...],
    output: str | None,
    report: str | None,
    is_coloured: bool,
    quiet: bool,
    verbose: bool,
    **fleet: Any,
) -> None:
    """Write the domain XML of each GUEST to standard output or to a folder.

    Nothing is written if any guest has an error.

    Example: kvmrender render web-1.yaml | virsh define /dev/stdin

    Example: kvmrender render -o domains --check --diff fleet.yaml
    """
    of_files = [name for name in ("check", "diff", "prune", "prune_all", "fsync") if fleet[name]]
    needing = of_files + (["report"] if report else [])
    if output is None and needing:
        raise click.UsageError(f"--{needing[0].replace('_', '-')} requires -o DIR.")
    with trouble():
        if output is None:
            _prepare(**fleet)
            to_standard_output(guests, quiet, **fleet)
            return
        waiting = f"{printable(output)}: another run is using this folder: waiting"
        about = about_ids(fleet["templates"])
        with closing(Report(output, report, quiet, verbose, is_coloured, fleet["check"])) as told:
            try:
                _prepare(**fleet)
                run(guests, told.add, quiet, told.note, output=output, waiting=lambda: say(waiting), **fleet)
            except (GuestError, TemplateError) as error:
                told.tell(about, error)
                raise
            told.tell(about)
    if fleet["check"] and told.differs:
        sys.exit(DIFFERS)


@main.command(short_help="Write the template context of each GUEST.")
@options(*FLEET, *LAYERS, GUESTS)
def context(guests: tuple[str, ...], **fleet: Any) -> None:
    """Write the template context of each GUEST, as YAML.

    The context is the guest with every default and derived value; secrets are shown as ***.

    Example: kvmrender context web-1.yaml
    """
    with trouble():
        root = engine_of(fleet["templates"]).schema.root

        def text(found: dict[str, Any], xml: str) -> str:
            shown = masked(root, {key: found[key] for key in root["properties"] if key in found})
            text = yaml.dump(shown, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
            if text == visible(text):
                return text
            return yaml.dump(shown, Dumper=_Dumper, sort_keys=False, width=110)  # with escapes

        to_standard_output(guests, quiet=True, between="---\n", make=text, allow_shared=None, **fleet)


@main.command(short_help="Write the JSON Schema of guest files.")
@options(TEMPLATES, libvirt_option(OF_LIBVIRT))
@click.option("--parts", is_flag=True, help="Write the JSON Schema of schema parts (NAME.schema.yaml) instead.")
@click.option("--types", is_flag=True, help="Write a Python stub file with the type Guest instead.")
def schema(templates: tuple[str, ...], parts: bool, types: bool, libvirt: str | None) -> None:
    """Write the JSON Schema of guest files, for editors.

    Example: kvmrender schema > guest.schema.json
    """
    from kvmrender.schema.editor_schema import PART_SCHEMA, editor_schema_text
    from kvmrender.schema.type_stub import type_stub

    if parts and types:
        raise click.UsageError("--parts and --types exclude each other.")
    with trouble():
        if parts:
            write(PART_SCHEMA.read_text(encoding="utf-8"))
        else:
            write(engine_of(templates).run(type_stub if types else editor_schema_text, libvirt))


@main.command(short_help="Validate guest files and domain XML.")
@options(*LAYERS, click.argument("files", nargs=-1, type=click.Path(), metavar="[FILE]..."))
@click.option("--schema", type=click.Path(), metavar="PATH", help="libvirt's domain.rng; by default the installed one.")
@ALLOW_SHARED
@click.option("--connect", metavar="URI", help="Also validate with this libvirt driver, such as qemu:///system.")
@REPORT
def validate(
    files: tuple[str, ...],
    templates: tuple[str, ...],
    defaults: tuple[str, ...],
    settings: tuple[str, ...],
    namespace: str | None,
    max_size: int,
    ignore: tuple[str, ...],
    values: tuple[str, ...],
    schema: str | None,
    connect: str | None,
    allow_shared: tuple[str, ...],
    report: str | None,
) -> None:
    """Validate each FILE, a guest file or domain XML.

    A guest is validated against the guest schema, the checks and the other guests, then its XML against libvirt's own
    schema (this needs the extra validate). With --connect, the driver reports whether it accepts the guest (this needs
    the extra libvirt); nothing is defined or started.

    Exit code: 0 all are valid, 2 an error.

    Example: kvmrender validate --connect qemu:///system web-1.yaml
    """
    with trouble():
        try:
            from kvmrender.libvirt.validator import Validator
        except ImportError:
            raise Error("validate needs lxml: pip install lxml") from None
        with reported(report, "validate", about_ids(templates)) as told:
            engine = engine_of(templates)
            validator = Validator(engine, schema, connect, allow_shared, told.add)
            inputs = Inputs(engine.schema.root, files, defaults, settings, namespace, max_size, ignore, values)
            faults, unread, names = Faults(most=MOST_FOUND), list[Problem](), list[str]()
            are_valid = True
            for name, data in inputs.contents(unread):
                faults.add(unread, of_files=True)
                unread.clear()
                is_valid = validator.is_valid(name, data, inputs, faults)
                if is_valid:
                    names.append(name)
                are_valid = are_valid and is_valid
            unread += inputs.unmet() if are_valid and not unread else []
            shared = validator.shared()
            wrong = {problem.file for problem in shared}
            if not report:
                write("".join(f"{printable(name)}: valid\n" for name in names if name not in wrong))
            faults.add(shared)
            faults.add(unread, of_files=True)
            faults.end()
            for note in (*inputs.notes, *validator.needless()):
                told.note(note)
                say(str(note))


def _prepare(templates: tuple[str, ...], strict: bool, **_: Any) -> None:
    """Read the templates. Raises TemplateError, and Error for custom fields that no template can write."""
    engine = engine_of(templates)
    if strict and engine.stack.own:
        _refuse_lost_fields(engine)


def _refuse_lost_fields(engine: Engine) -> None:
    """Raise Error for custom fields that no template can write."""
    from kvmrender.schema.guest_schema import all_fields
    from kvmrender.workbench.template_check import looked_at
    from kvmrender.workbench.trial_rendering import lost_fields

    _, names, _ = engine.run(looked_at)
    shipped = default_engine().schema.root
    if found := [str(finding) for finding in lost_fields(engine, names, set(all_fields(shipped, shipped)))]:
        raise Error("\n".join(found))


class _Dumper(yaml.SafeDumper):
    """Writes a context so that it is read back unchanged: no aliases, each guest in its own document."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
