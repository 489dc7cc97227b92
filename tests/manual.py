"""The ends of the manual pages, which click-man doesn't write: exit status, environment, files, other pages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click

USUAL = "0 success, 2 an error."
CHECKED = "0 success, 1 something differs (with --check), 2 an error."
INTERRUPTED = {"130": "interrupted by SIGINT", "143": "interrupted by SIGTERM"}
ENVIRONMENT = {
    "KVMRENDER_DEBUG": "Show the traceback of an internal error; it may contain secrets.",
    "NO_COLOR": "No colours, unless --color says always.",
    "TERM": "If it is dumb, no colours and no progress bar.",
}
WRITTEN = {
    "DIR/.kvmrender.sha256": "The files that render wrote into its output folder DIR, as sha256sum -c reads it.",
}
READ = {
    "DIR/*.xml.j2": "Templates, in a folder DIR of --templates.",
    "DIR/*.schema.yaml": "Schema parts, likewise.",
    "DIR/profiles/*.yaml": "Profiles, likewise.",
}
SCHEMA = {"/usr/share/libvirt/schemas/domain.rng": "libvirt's schema, unless --schema or XDG_DATA_DIRS name another."}


def ends(name: str, command: click.Command, names: list[str]) -> str:
    """Return the last sections of the page of a command, in troff; ``names`` are those of all pages."""
    files = WRITTEN if name in ("kvmrender", "kvmrender render") else {}
    files = {**files, **(READ if "KVMRENDER_TEMPLATES" in variables(command) else {})}
    files |= SCHEMA if name == "kvmrender validate" else {}
    others = [other for other in names if other != name and _is_near(name, other)]
    see = [*(f"\\fB{_dashed(other)}\\fP(1)" for other in others), "\\fBvirsh\\fP(1)"]
    return "".join(
        [
            _section("EXIT STATUS", dict(exit_codes(name, command))),
            _section("ENVIRONMENT", {**variables(command), **_always(command)}),
            _section("FILES", files) if files else "",
            ".SH SEE ALSO\n" + ",\n".join(see) + "\n.PP\nhttps://libvirt.org/formatdomain.html\n",
        ]
    )


def exit_codes(name: str, command: click.Command) -> Iterator[tuple[str, str]]:
    """Yield the exit codes of a command, as its help has them, or the usual ones."""
    found = re.search(r"^ *Exit code: (.*?)(?:\n\n|\Z)", command.help or "", re.MULTILINE | re.DOTALL)
    said = " ".join(found[1].split()) if found else CHECKED if name.endswith(" render") else USUAL
    parts = re.split(r", (?=[0-9])", said.removesuffix("."))
    for part in parts:
        code, _, text = part.partition(" ")
        if code not in INTERRUPTED:
            yield code, text
    yield from INTERRUPTED.items()


def variables(command: click.Command) -> dict[str, str]:
    """Return the variables that stand for options of a command, or of those in it."""
    inside = command.commands.values() if isinstance(command, click.Group) else ()
    found = {
        str(option.envvar): f"Default of --{option.name.replace('_', '-')}."
        for option in command.params
        if isinstance(option, click.Option) and option.envvar and option.name
    }
    for one in inside:
        found |= variables(one)
    return found


def _always(command: click.Command) -> dict[str, str]:
    """Return the variables that are no options; those of colours only where there are some."""
    inside = command.commands.values() if isinstance(command, click.Group) else [command]
    options = {option for one in inside for param in one.params for option in param.opts}
    colours = {"--color"} & options
    return {key: text for key, text in ENVIRONMENT.items() if colours or key not in ("NO_COLOR", "TERM")}


def pages(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Yield each command with its name, ``kvmrender templates check``."""
    yield name, command
    for part, inside in sorted(command.commands.items()) if isinstance(command, click.Group) else ():
        yield from pages(f"{name} {part}", inside)


def _is_near(name: str, other: str) -> bool:
    """Say whether a page is of the command above, of one in it, or of one beside it."""
    return other == name.rpartition(" ")[0] or other.rpartition(" ")[0] in (name, name.rpartition(" ")[0] or name)


def _section(title: str, entries: dict[str, str]) -> str:
    return f".SH {title}\n" + "".join(
        f".TP\n\\fB{_escaped(key)}\\fP\n{_escaped(text)}\n" for key, text in entries.items()
    )


def _dashed(name: str) -> str:
    return _escaped(name.replace(" ", "-"))


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text
