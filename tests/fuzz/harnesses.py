"""What is fuzzed: each harness takes bytes, and raises for what must not be, whatever the bytes are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from xml.parsers import expat

from kvmrender import GuestError
from kvmrender.engine import Engine
from kvmrender.errors import Problem
from kvmrender.libvirt.importer import Importer
from kvmrender.libvirt.mending import NO_DEVICES
from kvmrender.libvirt.xml_facts import differences
from kvmrender.libvirt.xml_tree import documents
from kvmrender.reading.guest_text import to_yaml
from kvmrender.reading.layers import setting, with_settings
from kvmrender.reading.load import read
from kvmrender.reading.parse import from_yaml
from kvmrender.schema.memory_units import MAX_BYTES, memory, to_bytes

RENDERER = Engine()
IMPORTER = Importer(RENDERER)
NAMES = ("g.yaml", "g.json", "g.jsonl", "g")
LONGEST = 2000
GUEST = {"name": "a", "disks": [{"source": "/a.qcow2"}], "graphics": {"type": "vnc"}, "vars": {"a": [1]}}


def told(problems: tuple[Problem, ...]) -> None:
    """Each problem is one line that can be shown."""
    assert problems
    for problem in problems:
        line = str(problem)
        assert line.isprintable(), line
        assert len(line) < LONGEST, line


def guest(data: bytes) -> None:
    """A guest file: bytes to values to XML, or to problems with their places."""
    for name in NAMES:
        try:
            documents = read(name, data)
        except GuestError as error:
            told(error.problems)
            continue
        for document in documents[:20]:
            try:
                xml = RENDERER.render(document.guest)
            except GuestError as error:
                told(tuple(document.located(error.problems)))
            else:
                expat.ParserCreate().Parse(xml.encode(), True)


def size(data: bytes) -> None:
    """A size of memory: the same bytes in libvirt's units, or a ValueError."""
    text = data.decode("utf-8", "replace")
    try:
        element = memory(text)
    except ValueError:
        return
    assert 0 <= to_bytes(element) <= MAX_BYTES
    assert memory(f"{element['text']} {element['unit']}") == element


def set_path(data: bytes) -> None:
    """``--set``: a path and a value, over a guest."""
    text = data.decode("utf-8", "surrogateescape")
    try:
        guest = with_settings(RENDERER.schema.root, GUEST, [setting(RENDERER.schema.root, text)])
        xml = RENDERER.render(guest)
    except GuestError as error:
        told(error.problems)
    else:
        expat.ParserCreate().Parse(xml.encode(), True)


def domain(data: bytes) -> None:
    """Domain XML: to a guest that says the same, or tells what it does not, or to problems."""
    for found in islice(documents(data), 20):
        if found.root is None:
            told((Problem((), found.fault, line=found.line),))
            continue
        try:
            imported = IMPORTER.imported(found.root)
        except GuestError as error:
            told(error.problems)
            continue
        (again,) = documents(RENDERER.render(imported.guest).encode())
        assert again.root is not None
        if not imported.lost and not imported.notes:
            assert not {*differences(found.root, again.root)} - {NO_DEVICES}
        (read_back,) = from_yaml(to_yaml(imported.guest))
        assert read_back == imported.guest


HARNESSES: dict[str, Callable[[bytes], None]] = {
    "domain": domain,
    "guest": guest,
    "memory": size,
    "setting": set_path,
}
"""By the names of their folders in the corpus."""
