"""Commands: those that read XML or only look, over growing fleets, beside what else a user would do for it.

All begin with what they begin with in practice: guest files, a folder of documents, a host's dumps. Others that start a
process for each guest are timed with the smallest fleet alone.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter

import kvmrender
from bench import fleet
from bench.contenders import MissingError, RefusedError, last_line, virtinst_python
from bench.rounds import Row, ratio, summary
from kvmrender.engine import default_engine

KVMRENDER = [sys.executable, "-m", "kvmrender"]
LXML = "import sys; from lxml import etree; [etree.parse(file) for file in sys.argv[1:]]"
VIRTINST = """
import sys
sys.path.insert(0, "/usr/share/virt-manager")
import virtinst
connection = virtinst.VirtinstConnection("test:///default")
print(*[virtinst.Guest(connection, parsexml=open(file).read()).name for file in sys.argv[1:]])
"""
RENDERER = """
import sys, kvmrender
renderer = kvmrender.Renderer(sys.argv[3:], isolated=sys.argv[2] == "isolated")
[renderer.render(loaded.guest) for loaded in kvmrender.load(sys.argv[1])]
"""
"""Given a fleet, ``isolated`` or not, and folders of templates."""
DUMP, NUMBER = Path(__file__).with_name("dump.xml"), 7
"""What libvirt 9.0 made of a guest of the fleet, and which."""

Run = Callable[["Given"], Iterator[tuple[list[str], str]]]
"""Yields commands, which are run one after the other, each with its standard input."""


class Given:
    """A folder with ``count`` guests: their file, documents, and what libvirt makes of these, in a folder each."""

    def __init__(self, folder: Path, count: int) -> None:
        self.fleet, self.documents, self.dumps = folder / "fleet.jsonl", folder / "documents", folder / "dumps"
        self.count, self.own = count, folder / "own"
        fleet.write(self.fleet, count)
        kvmrender.render_fleet([str(self.fleet)], self.documents)
        write_dumps(self.dumps, count)
        (self.own / "devices").mkdir(parents=True)
        (self.own / "devices/disk.xml.j2").write_text('{% include "shipped/devices/disk.xml.j2" %}\n')
        self.files = sorted(str(file) for file in self.documents.glob("*.xml"))


def write_dumps(folder: Path, count: int) -> None:
    """Write what libvirt makes of each guest of a fleet."""
    engine, dump = default_engine(), DUMP.read_text()
    uuid, mac = engine.rendered(fleet.guest(NUMBER))[0]["uuid"], fleet.guest(NUMBER)["interfaces"][0]["mac"]
    pattern = re.compile("|".join(map(re.escape, (f"guest-{NUMBER}", uuid, mac))))
    folder.mkdir()
    for number in range(count):
        guest = fleet.guest(number)
        name, own = guest["name"], engine.rendered(guest)[0]["uuid"]
        new = {uuid: own, mac: guest["interfaces"][0]["mac"]}
        text = pattern.sub(lambda match, name=name, new=new: new.get(match[0], name), dump)
        (folder / f"{name}.xml").write_text(text)


def _program(name: str, package: str) -> str:
    if not (found := shutil.which(name)):
        raise MissingError(f"no {name} (Debian: {package})")
    return found


def _one(*command: str, input: str = "") -> Iterator[tuple[list[str], str]]:
    yield [*command], input


def _kvmrender(*arguments: str) -> Iterator[tuple[list[str], str]]:
    return _one(*KVMRENDER, *arguments)


def _virsh(given: Given) -> Iterator[tuple[list[str], str]]:
    yield [_program("virsh", "libvirt-clients"), "-q", "-c", "test:///default"], "dumpxml test\n" * given.count
    yield [_program("diff", "diffutils"), "-r", str(given.documents), str(given.dumps)], ""


def _xml_validate(given: Given) -> Iterator[tuple[list[str], str]]:
    _program("xmllint", "libxml2-utils")
    program = _program("virt-xml-validate", "libvirt-clients")
    return (([program, file, "domain"], "") for file in given.files)


COMMANDS: dict[str, dict[str, Run]] = {
    "import": {
        "kvmrender import": lambda given: _kvmrender("import", "-q", "--check", str(given.documents)),
        "lxml parse": lambda given: _one(sys.executable, "-c", LXML, *given.files),
        "virtinst parse": lambda given: _one(virtinst_python(), "-c", VIRTINST, *given.files),
    },
    "drift": {
        "kvmrender drift": lambda given: _kvmrender("drift", "--dumps", str(given.dumps), str(given.fleet)),
        "kvmrender render": lambda given: _kvmrender("render", str(given.fleet)),
        "diff -r": lambda given: _one(_program("diff", "diffutils"), "-r", str(given.documents), str(given.dumps)),
        "virsh dumpxml, diff -r": _virsh,
    },
    "validate": {
        "kvmrender validate": lambda given: _kvmrender("validate", str(given.fleet)),
        "virt-xml-validate": _xml_validate,
    },
    "needs": {
        "kvmrender needs": lambda given: _kvmrender("needs", str(given.fleet)),
        "kvmrender context": lambda given: _kvmrender("context", str(given.fleet)),
    },
    "own templates": {
        "isolated": lambda given: _one(sys.executable, "-c", RENDERER, str(given.fleet), "isolated", str(given.own)),
        "not isolated": lambda given: _one(sys.executable, "-c", RENDERER, str(given.fleet), "", str(given.own)),
        "shipped templates": lambda given: _one(sys.executable, "-c", RENDERER, str(given.fleet), ""),
    },
}
"""By what is done: ours, and what else does it."""
A_PROCESS_EACH = ("virt-xml-validate",)


def measure(folder: Path, sizes: Sequence[int], rounds: int) -> list[Row]:
    """Run each command with each fleet in turn. A row's ``growth`` is what a guest more takes between the largest two
    fleets, as a multiple of that between the two before."""
    fleets = []
    for count in sizes:
        (folder / str(count)).mkdir()
        fleets.append(Given(folder / str(count), count))
    return [row for name in COMMANDS for row in _rows(name, fleets, rounds)]


def _rows(name: str, fleets: list[Given], rounds: int) -> Iterator[Row]:
    took: dict[tuple[str, int], list[float]] = {}
    excuses: dict[str, Row] = {}
    for _ in range(rounds):
        for given in fleets:
            for contender, run in COMMANDS[name].items():
                if contender in excuses or (contender in A_PROCESS_EACH and given is not fleets[0]):
                    continue
                try:
                    took.setdefault((contender, given.count), []).append(_seconds(run, given))
                except MissingError as error:
                    excuses[contender] = {"missing": str(error)}
                except RefusedError as error:
                    excuses[contender] = {"refused": str(error)}
    ours = next(iter(COMMANDS[name]))
    for contender in COMMANDS[name]:
        row: Row = {"command": name, "contender": contender, **excuses.get(contender, {})}
        found = {given.count: took[contender, given.count] for given in fleets if (contender, given.count) in took}
        if found and contender not in excuses:
            row["fleets"] = {str(count): summary(seconds) for count, seconds in found.items()}
            last = max(found)
            row |= ratio(took.get((ours, last)), found[last])
            if len(found) > 2:
                row["growth"] = _growth({count: summary(seconds)["seconds"] for count, seconds in found.items()})
        yield row


def _growth(seconds: dict[int, float]) -> float:
    (few, of_few), (more, of_more), (most, of_most) = sorted(seconds.items())[-3:]
    return ((of_most - of_more) / (most - more)) / ((of_more - of_few) / (more - few))


def _seconds(run: Run, given: Given) -> float:
    start = perf_counter()
    for command, said in run(given):
        done = subprocess.run(command, input=said, capture_output=True, text=True)
        if done.returncode > (Path(command[0]).name == "diff"):  # which differs: libvirt writes in its own way
            raise RefusedError(f"{Path(command[0]).name} failed: {last_line(done.stderr or done.stdout)}")
    return perf_counter() - start
