"""The command that compares guest files with the definitions of hosts."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from kvmrender.cli.options import COLOR, FLEET, GUESTS, LAYERS, REPORT, options
from kvmrender.cli.program import DIFFERS, about_ids, engine_of, trouble
from kvmrender.errors import Error, GuestError, Problem, path_string, printable
from kvmrender.fleet.difference import coloured
from kvmrender.fleet.guest_result import Options, Outcome
from kvmrender.fleet.report_forms import reported
from kvmrender.reading.inputs import Inputs
from kvmrender.terminal import say, write

if TYPE_CHECKING:
    from kvmrender.engine import Engine
    from kvmrender.libvirt.driver import Driver
    from kvmrender.libvirt.dumps import Dumps
    from kvmrender.libvirt.scratch import Scratch


@click.command("drift", short_help="Compare each GUEST with its definition on a host.")
@options(*FLEET, *LAYERS, GUESTS)
@click.option(
    "--dumps",
    multiple=True,
    type=click.Path(),
    metavar="DIR|FILE",
    help="Definitions of the host, saved by virsh dumpxml --inactive: files or folders of *.xml.",
)
@click.option("--connect", metavar="URI", help="Read the definitions from this libvirt driver, such as qemu:///system.")
@click.option("--complete", is_flag=True, help="Also report domains of the host that are in no guest file.")
@click.option("--diff", is_flag=True, help="Show the differences as XML; secrets are shown as ***.")
@REPORT
@COLOR
@click.option("-q", "--quiet", is_flag=True, help="Show no summary.")
def drift(
    guests: tuple[str, ...],
    templates: tuple[str, ...],
    defaults: tuple[str, ...],
    settings: tuple[str, ...],
    namespace: str | None,
    max_size: int,
    ignore: tuple[str, ...],
    values: tuple[str, ...],
    jobs: int,
    select: tuple[str, ...],
    dumps: tuple[str, ...],
    connect: str | None,
    complete: bool,
    diff: bool,
    report: str | None,
    is_coloured: bool,
    quiet: bool,
) -> None:
    """Compare each GUEST with its definition on a host, field by field; nothing is changed there.

    Each value of a guest must be on the host, except where libvirt is known to rewrite it. Additional values on the
    host are differences unless libvirt adds them by itself. Each difference is a line with the field's position in the
    guest file.

    Exit code: 0 nothing differs, 1 something does, 2 an error.

    Example: kvmrender drift --dumps dumps fleet.yaml

    Example: kvmrender drift --connect qemu:///system --complete fleet.yaml
    """
    if (connect is None) == (not dumps):
        raise click.UsageError("Give either --dumps or --connect.")
    with trouble(), reported(report, "drift", about_ids(templates)) as told:
        from kvmrender.libvirt.drift import NO_FILE, Drift

        engine = engine_of(templates)
        inputs = Inputs(engine.schema.root, guests, defaults, settings, namespace, max_size, ignore, values)
        counts, seen = Counter[str](), set[str]()

        def each(outcome: Outcome) -> None:
            counts[outcome.status] += 1
            seen.add(outcome.name)
            for note in outcome.notes:
                say(str(note))
            problems = (*outcome.problems, *outcome.differences, *outcome.notes)
            told.add_found(outcome.name, outcome.status, problems, outcome.takes)
            if not report:
                write("".join(_lines(outcome)))
                write(coloured(outcome.diff) if is_coloured else outcome.diff)

        with ExitStack() as opened:
            driver = _driver(connect) if connect else None
            there = opened.enter_context(_dumps(engine, dumps, driver, max_size))
            scratch, way = _scratch(driver, opened) if driver else (None, "")
            # It is in one process: it takes little time, and there is one for all guests.
            options = Options(select=select, jobs=1 if scratch else jobs)
            Drift(engine, there, diff, scratch).run(inputs, options, each)
            for name in there.names() if complete else ():
                if name not in seen and (not select or any(fnmatchcase(name, one) for one in select)):
                    counts[NO_FILE] += 1
                    problem = there.problem(name, "is in no guest file", NO_FILE)
                    told.add_found(name, NO_FILE, [problem])
                    if not report:
                        write(f"{_line(name, problem)}\n")
        if not quiet:
            say(_summary(counts))
            if way:
                say(way)
    if counts.total() > counts["same"]:
        sys.exit(DIFFERS)


def _driver(uri: str) -> Driver:
    from kvmrender.libvirt.driver import Driver

    return Driver(uri)


def _scratch(driver: Driver, opened: ExitStack) -> tuple[Scratch | None, str]:
    """Return a local libvirt of the same version, if there is one, and a text about how guests are compared."""
    from kvmrender.libvirt.scratch import Scratch, version_text

    scratch = opened.enter_context(Scratch())
    theirs, ours = driver.qemu_version(), scratch.version
    if theirs == ours and ours is not None:
        return scratch, f"compared with what libvirt {version_text(ours)} makes of a guest"
    why = f"libvirt {version_text(theirs)} there" if theirs else "no QEMU there"
    why += f", {version_text(ours)} here" if ours else ", none here"
    return None, f"compared by the table of what libvirt rewrites: {why}"


def _dumps(
    engine: Engine, names: tuple[str, ...], driver: Driver | None, max_size: int
) -> AbstractContextManager[Dumps]:
    """Return the dumps of the host. Raises GuestError and Error."""
    from kvmrender.libvirt.dumps import Dumps
    from kvmrender.libvirt.import_files import files_of

    if driver:
        return Dumps(driver.dumps(), has_secrets=True)
    try:
        files = files_of(names)
    except OSError as error:
        raise Error(f"{printable(str(error.filename))}: {error.strerror}") from None
    unread: list[Problem] = []
    found = Dumps(Inputs(engine.schema.root, files, max_size=max_size).contents(unread) if files else ())
    if unread:
        found.close()
        raise GuestError(unread)
    return found


def _lines(outcome: Outcome) -> Iterator[str]:
    """Yield the lines about a guest: each difference, and the required action."""
    for problem in outcome.differences:
        yield f"{_line(outcome.name, problem)}\n"
    if outcome.takes:
        yield f"{printable(outcome.name)}: takes {' and '.join(outcome.takes)}\n"


def _line(name: str, problem: Problem) -> str:
    """Return a difference as one line, ``FILE:LINE:COLUMN: guest: field: message``."""
    place = ":".join(printable(str(part)) for part in (problem.file, problem.line, problem.column) if part is not None)
    return ": ".join(part for part in (place, printable(name), path_string(problem.path), problem.message) if part)


def _summary(counts: Counter[str]) -> str:
    """Return the summary of all guests, as ``3 guests: 2 the same, 1 different on the host``."""
    words = {
        "same": "the same",
        "differs": "different on the host",
        "not-defined": "not defined on the host",
        "no-guest-file": "in no guest file",
    }
    guests = counts.total()
    told = [f"{counts[status]:,} {said}" for status, said in words.items() if counts[status] or status == "same"]
    return f"{guests:,} guest{'' if guests == 1 else 's'}: {', '.join(told)}"
