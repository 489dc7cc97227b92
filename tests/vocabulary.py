"""What libvirt's schema lets a kvm or qemu domain say, and what the templates can write: two sets of paths.

``python tests/vocabulary.py`` has the table of all schemas that there are: the installed libvirt's, those of roots of
newer Debians (``tests/libvirt_roots DIR``, ``KVMRENDER_ROOTS=DIR``), and such as are named (``….rng``). With a path,
such as ``domain/devices/disk``, it lists what no template writes there, and why. Ends with 1 where anything is missing.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from drivers import RELEASES, SCHEMA, in_root
from jinja2 import FileSystemLoader, nodes

from kvmrender.errors import Error
from kvmrender.libvirt.rng import Grammar, installed_schema
from kvmrender.shipped import shipped_templates
from kvmrender.templating.environment import Environment

PREFIXES = {"http://libvirt.org/schemas/domain/qemu/1.0": "qemu", "http://libvirt.org/schemas/domain/lxc/1.0": "lxc"}

CHARACTER_DEVICE = "(channel|console|parallel|redirdev|rng/backend|serial|smartcard)"

# Paths that no template writes, as patterns, with all below them, and why.
LEFT_OUT: dict[str, str] = {
    # Other hypervisors'.
    "domain/bootloader(_args)?": "xen's: KVM guests have firmware",
    "domain/idmap": "lxc's: users of a container",
    "domain/lxc:namespace": "lxc's",
    "domain/other:(commandline|datacenterpath)": "bhyve's, xen's and vmware's",
    "domain/memtune/min_guarantee": "vmware's; QEMU's driver refuses it",
    "domain/os/init(arg|dir|env|group|user)?": "lxc's: the first process of a container",
    "domain/os/root": "xen's: the root file system of a paravirtualized kernel",
    "domain/features/capabilities": "lxc's",
    "domain/features/xen": "xen's",
    "domain/devices/(disk|interface)/backenddomain": "xen's",
    "domain/devices/graphics/@wait": "bhyve's",
    "domain/devices/controller/@max(EventChannels|GrantFrames)": "xen's",
    "domain/devices/filesystem/source/@name": "openvz's",
    "domain/devices/filesystem/source/@(dev|file|units|usage)": "lxc's; QEMU's driver has only folders",
    "domain/devices/interface/(ip/@peer|route)": "lxc's; QEMU's driver refuses them of the guest",
    "domain/devices/hostdev/(ip|route|source/(block|char|interface))": "lxc's: devices of a container",
    "domain/devices/hostdev/source/@writeFiltering": "xen's; QEMU's driver refuses it",
    f"domain/devices/{CHARACTER_DEVICE}/source/@(master|slave)": "of nmdm devices, bhyve's and xen's",
    # Storage pools'.
    "domain/devices/hostdev/source/adapter/(@managed|@parent.*|@type|@wwnn|@wwpn|parentaddr)": (
        "of a pool's adapter; a domain's has a name, and its parser refuses or drops these"
    ),
    # What libvirt itself writes, of running guests or in its own state.
    "domain/@id": "libvirt's own: the number of a running guest",
    "domain/cputune/(cache|energy)tune/@id": "libvirt's own: the number that the host gave",
    "domain/launchSecurity/handle": "libvirt's own: the firmware's handle of a running guest",
    "domain/seclabel/imagelabel": "libvirt's own: the label that it made",
    "domain/.*/seclabel/@labelskip": "libvirt's own: it could not label the file",
    "domain/.*/privateData": "libvirt's own: the state of a running guest",
    "domain/devices/disk/mirror": "libvirt's own: a copy that is under way",
    "domain/devices/interface/(bandwidth/@classID|guest/@actual)": "libvirt's own: of a running guest",
    "domain/devices/interface/mac/@currentAddress": "libvirt's own: of a running guest",
    "domain/devices/interface/source/@(macTableManager|missing)": "libvirt's own: of a running guest",
    "domain/devices/memory/target/current": "libvirt's own: how much is plugged in now",
    "domain/devices/(serial|parallel)/@tty": "libvirt's own: the pty of a running guest",
    # What the schema takes, but the parser does not read.
    "domain/devices/hostdev/source/address/@multifunction": "dropped by the parser: it is the host's device",
    f"domain/(devices/{CHARACTER_DEVICE}|devices/interface|.*/reservations)/source/reconnect/@delay": (
        "of disks by nbd; dropped by the parser"
    ),
    "domain/.*/dataStore/format/metadata_cache": "of qcow2 images; the data of one are raw",
    "domain/devices/console/target/model": "of serial ports; dropped by the parser",
    "domain/devices/parallel/target/(@type|model)": "of serial ports; dropped by the parser",
    "domain/devices/smartcard/target": "of serial ports; dropped by the parser",
}


def allowed(grammar: Grammar) -> set[str]:
    """Every element (``domain/devices/disk``) and attribute (``domain/devices/disk/@type``) of the schema."""
    found: set[str] = set()

    def walk(path: str, patterns: list[Any], above: tuple[Any, ...]) -> None:
        for name in grammar.attributes(patterns):
            found.add(f"{path}/@{name}")
        for name, inner in grammar.children(patterns).items():
            if name == "*" or all(pattern in above for pattern in inner):
                continue
            below = f"{path}/{_prefixed(name)}"
            found.add(below)
            walk(below, inner, (*above, *inner))

    found.add("domain")
    walk("domain", [pattern for pattern in grammar.start if pattern.get("name") == "domain"], ())
    return found


def _prefixed(name: str) -> str:
    namespace, _, local = name.rpartition("}")
    return f"{PREFIXES.get(namespace[1:], 'other')}:{local}" if namespace else name


def writable(environment: Environment, name: str = "domain.xml.j2") -> set[str]:
    """Every element and attribute that a template can write, whatever the guest."""
    text = "".join(_written(environment, environment.parse(_source(environment, name)), ()))
    text = re.sub(r"{{\w+}}", "", text)
    found: set[str] = set()
    path: list[str] = []
    for closing, tag, inside, empty in re.findall(r"<(/?)([A-Za-z_][\w:.-]*)([^<>]*?)(/?)>", text):
        if closing:
            assert path[-1] == tag, f"</{tag}> closes <{path[-1]}> in {'/'.join(path)}"
            path.pop()
            continue
        path.append(tag)
        found.add("/".join(path))
        found |= {f"{'/'.join(path)}/@{attribute}" for attribute in re.findall(r'([\w:.-]+)="', inside)}
        if empty:
            path.pop()
    assert not path, f"{path} are not closed"
    return found


def _source(environment: Environment, name: str) -> str:
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _written(environment: Environment, node: nodes.Node, above: tuple[str, ...]) -> Iterator[str]:
    """Yield all that a template could write, every branch once; expressions are left out."""
    if isinstance(node, nodes.TemplateData):
        yield node.data.replace("\0", "")
    elif isinstance(node, nodes.Filter) and node.name == "attributes":
        yield "".join(f' {name.value}=""' for name in node.args if isinstance(name, nodes.Const))
    elif isinstance(node, nodes.Include) and isinstance(node.template, nodes.Const):
        name = node.template.value
        if above.count(name) < 2:  # a partial may include itself
            yield from _written(environment, environment.parse(_source(environment, name)), (*above, name))
    elif isinstance(node, nodes.For) and isinstance(node.iter, nodes.Tuple) and isinstance(node.target, nodes.Name):
        for item in node.iter.items:  # a loop over names writes an element of each
            text = "".join(part for child in node.body for part in _written(environment, child, above))
            yield text.replace(f"{{{{{node.target.name}}}}}", item.as_const())
    elif isinstance(node, nodes.Name):
        yield f"{{{{{node.name}}}}}"
    else:
        for child in node.iter_child_nodes():
            yield from _written(environment, child, above)


def left_out(schema: set[str]) -> dict[str, str]:
    """Return the paths of a schema that no template is to write, each with its pattern in LEFT_OUT."""
    patterns = {pattern: re.compile(f"{pattern}(/.*)?") for pattern in LEFT_OUT}
    found = ((path, pattern) for path in schema for pattern, compiled in patterns.items() if compiled.fullmatch(path))
    return dict(found)


def writable_paths() -> set[str]:
    """Return what the shipped templates can write."""
    return writable(Environment(FileSystemLoader(shipped_templates())))


def schema_of(release: str = "") -> Path | None:
    """Return the schema of the installed libvirt, or of the root of a newer Debian, if there is one."""
    if release:
        return in_root(release, SCHEMA)
    try:
        return installed_schema()
    except Error:
        return None


def version_of(schema: Path) -> str:
    """Return the release of a schema's libvirt, by the Debian that it is in; else its path."""
    status = schema.parents[4] / "var/lib/dpkg/status"
    if status.is_file() and schema.match("usr/share/libvirt/schemas/*"):
        packages = status.read_text().split("\n\n")
        for package in packages:
            if re.match(r"Package: libvirt(0|-common)\n", package):
                return re.findall(r"^Version: ([0-9]+[.][0-9]+)", package, re.MULTILINE)[0]
    return str(schema)


def _table(rows: list[tuple[object, ...]]) -> str:
    widths = [max(len(str(cell)) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(str(cell).rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    named = [Path(argument) for argument in arguments if argument.endswith(".rng")]
    below = [argument for argument in arguments if not argument.endswith(".rng")]
    files = named or [path for release in ("", *RELEASES) if (path := schema_of(release))]
    schemas = {version_of(path): allowed(Grammar(path)) for path in files}
    templates = writable_paths()
    if below:
        newest = schemas[[*schemas][-1]]
        reasons = left_out(newest)
        for path in sorted(path for path in newest - templates if path.startswith(tuple(below))):
            print(path, f"({LEFT_OUT[reasons[path]]})" if path in reasons else "")
    of_reasons = {name: Counter(LEFT_OUT[pattern] for pattern in left_out(s).values()) for name, s in schemas.items()}
    missing = {name: schema - templates - left_out(schema).keys() for name, schema in schemas.items()}
    if not below:
        print(
            _table(
                [
                    ("", *schemas),
                    ("allowed", *map(len, schemas.values())),
                    ("written", *(len(schema & templates) for schema in schemas.values())),
                    *(
                        (f"left out: {reason}", *(counts[reason] for counts in of_reasons.values()))
                        for reason in dict.fromkeys(LEFT_OUT.values())
                    ),
                    ("missing", *map(len, missing.values())),
                ]
            )
        )
        print("\n".join(sorted(set().union(*missing.values()))))
    return any(missing.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
