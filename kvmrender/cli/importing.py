"""The command that converts domain XML to guest files."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import click

from kvmrender.cli.options import JOBS, MAX_SIZE, TEMPLATES, options
from kvmrender.cli.program import DIFFERS, engine_of, trouble
from kvmrender.errors import Error, Problem, path_string, printable
from kvmrender.fleet.fleet import Faults
from kvmrender.fleet.folder import Folder
from kvmrender.fleet.processes import cores
from kvmrender.reading.inputs import Inputs
from kvmrender.terminal import say, write

if TYPE_CHECKING:
    from kvmrender.engine import Engine
    from kvmrender.libvirt.import_files import OfFile

MOST_TOLD = 100
"""Maximum number of lines about lost parts and notes; the rest are counted."""
FLEET = "fleet"
"""The name of a fleet's file."""
MOST_FOUND = 10_000
"""Maximum number of problems that are listed."""


@click.command("import", short_help="Convert domain XML to guest files.")
@options(
    TEMPLATES,
    MAX_SIZE,
    JOBS,
    click.option("--namespace", metavar="TEXT", help="Leave out values that are derived from this namespace."),
    click.argument("files", nargs=-1, type=click.Path(), metavar="[XML]..."),
)
@click.option("--connect", metavar="URI", help="Import domains of this driver, such as qemu:///system, by name.")
@click.option("--with-secrets", is_flag=True, help="With --connect: include the passwords.")
@click.option("-o", "--output", metavar="DIR", help="Write each guest to DIR/NAME.yaml, unless it is unchanged.")
@click.option("--format", "kind", type=click.Choice(["yaml", "json"]), default="yaml", help="Format; by default yaml.")
@click.option("--full", is_flag=True, help="Include values that are equal to a default or derived value.")
@click.option("--tidy", is_flag=True, help="Leave out what libvirt adds by itself, such as addresses and controllers.")
@click.option("--machine-alias", is_flag=True, help="Use the alias of a machine type: q35 for pc-q35-7.2.")
@click.option("--fleet", is_flag=True, help="Write one file with all guests, whose common values are in defaults.")
@click.option("--check", is_flag=True, help="Write nothing; only verify that nothing would be lost.")
@click.option("-q", "--quiet", is_flag=True, help="Show no notes and no summary.")
@click.option("-v", "--verbose", is_flag=True, help="List what --tidy has left out.")
def import_(
    files: tuple[str, ...],
    templates: tuple[str, ...],
    max_size: int,
    jobs: int,
    namespace: str | None,
    connect: str | None,
    with_secrets: bool,
    output: str | None,
    kind: str,
    full: bool,
    tidy: bool,
    machine_alias: bool,
    fleet: bool,
    check: bool,
    quiet: bool,
    verbose: bool,
) -> None:
    """Convert each domain in XML to a guest file.

    XML is a file, a folder of files, or - for standard input, which is also the default.

    Each guest is rendered again and compared with its document. XML that no field exists for goes to extra, unchanged;
    a check that the guest fails is added to its ignore. Anything that can't be kept is reported with its path.

    Exit code: 0 nothing is lost, 1 something is, 2 a document is not a guest; the others are still written.

    Example: kvmrender import web-1.xml > web-1.yaml

    Example: kvmrender import -o guests /etc/libvirt/qemu

    Example: kvmrender import -o guests --connect qemu:///system

    Example: kvmrender import --fleet --tidy /etc/libvirt/qemu > fleet.yaml
    """
    if with_secrets and connect is None:
        raise click.UsageError("--with-secrets requires --connect URI.")
    with trouble():
        from kvmrender.libvirt.import_files import all_imported, fleet_of_files
        from kvmrender.libvirt.importer import Importer

        engine = engine_of(templates)
        importer = Importer(engine, namespace, machine_alias)
        faults, unread = Faults(most=MOST_FOUND), list[Problem]()
        found: list[OfFile] = []
        if connect:
            documents = _of_driver(connect, files, with_secrets, quiet)
        else:
            documents = _of_files(engine, files, max_size, unread)
        with closing(all_imported(importer, documents, full, tidy, 1 if connect else min(jobs, cores()))) as results:
            for one in results:
                faults.add(one.problems)
                if one.fault:
                    faults.add_fault(one.fault)
                found.append(one)
        faults.add(unread, of_files=True)
        lost = sum(bool(one.imported and one.imported.lost) for one in found)
        _tell(found, quiet)
        if verbose:
            for one in found:
                for path in one.imported.tidied if one.imported else ():
                    say(f"{one.file}:{one.line}: {path_string(path)}: left out: libvirt adds it")
        if output is not None or fleet:
            found = _of_different_names(found, faults)
        if fleet:
            found = [fleet_of_files(engine, found)]
        if output is not None:
            _write(engine, output, found, kind, check, quiet, fleet)
        elif not check:
            _show(found, kind)
        faults.end()
    if lost:
        sys.exit(DIFFERS)


def _of_driver(uri: str, names: tuple[str, ...], with_secrets: bool, quiet: bool) -> Iterator[tuple[str, bytes]]:
    from kvmrender.libvirt.driver import Driver

    driver = Driver(uri)
    for name, xml in driver.domains(names, with_secrets):
        if not with_secrets and not quiet and driver.has_secrets(name, xml):
            say(f"{printable(name)}: note: has secrets, which are left out: use --with-secrets to include them")
        yield name, xml.encode()


def _of_files(
    engine: Engine, files: tuple[str, ...], max_size: int, unread: list[Problem]
) -> Iterator[tuple[str, bytes]]:
    from kvmrender.libvirt.import_files import files_of

    try:
        names = files_of(files)
    except OSError as error:
        raise Error(f"{printable(str(error.filename))}: {error.strerror}") from None
    if names or not files:
        yield from Inputs(engine.schema.root, names, max_size=max_size).contents(unread)


def _tell(found: list[OfFile], quiet: bool) -> None:
    told = [
        line for one in found if one.imported for line in (one.told[: len(one.imported.lost)] if quiet else one.told)
    ]
    for line in told[:MOST_TOLD]:
        say(line)
    if len(told) > MOST_TOLD:
        say(f"and {len(told) - MOST_TOLD:,} more")


def _of_different_names(found: list[OfFile], faults: Faults) -> list[OfFile]:
    """Return those that are guests; of several with the same name, the first."""
    names = set[str]()
    different: list[OfFile] = []
    for one in found:
        if one.imported is None:
            continue
        name = str(one.imported.guest["name"])
        if name in names:
            said = f"another guest is also called {name!r}"
            faults.add([Problem(("name",), said, file=one.file, line=one.line, id="import")])
        else:
            names.add(name)
            different.append(one)
    return different


def _show(found: list[OfFile], kind: str) -> None:
    from kvmrender.libvirt.import_files import text_of

    texts = [text_of(one.imported, kind, in_one_line=True) for one in found if one.imported]
    write(("---\n" if kind == "yaml" else "").join(texts))


def _write(engine: Engine, output: str, found: list[OfFile], kind: str, check: bool, quiet: bool, fleet: bool) -> None:
    """Write the guests to a folder, one file each: all of them, or none on failure."""
    from kvmrender.fleet.guest_result import Options
    from kvmrender.fleet.output import Output
    from kvmrender.libvirt.import_files import text_of

    counts = Counter[str]()
    waiting = f"{printable(output)}: another run is using this folder: waiting"
    with closing(Folder(output, check, waiting=lambda: say(waiting))) as folder:
        files = Output(folder, engine.schema.root, Options(check=check), not engine.stack.own)
        staged: list[bytes] = []
        for one in found:
            if one.imported is None:
                continue
            name = f"{one.imported.guest.get('name', FLEET)}.{kind}".encode()
            data = text_of(one.imported, kind).encode()
            status = files.put(name, data, one.imported.has_secret, folder.read(name, len(data)))
            counts[status] += 1
            if status != "unchanged":
                staged.append(name)
        if not check:
            folder.commit(staged)
            folder.flush()
    if not quiet:
        always = [f"{counts[status]:,} {status}" for status in ("created", "changed", "unchanged")]
        number, what = counts.total(), "fleet" if fleet else "guest"
        say(f"{number:,} {what}{'' if number == 1 else 's'}: {', '.join(always)}")
