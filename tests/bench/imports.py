"""Import: domain XML back to a guest, in a process that runs already, beside those that only read XML."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import kvmrender
from bench.contenders import PEERS, Contender, MissingError, RefusedError, here, talk, virtinst_python
from bench.guests import GUESTS
from bench.rounds import Row, timed
from bench.warm import sampler

OURS, LXML, VIRTINST = "kvmrender import", "lxml parse", "virtinst parse and read"
NAMES = (OURS, LXML, VIRTINST)


def measure(rounds: int, sample: float) -> list[Row]:
    """Time each document's readers in turn, ``rounds`` times, each time for about ``sample`` seconds."""
    rows: list[Row] = []
    for name, guest in GUESTS.items():
        with ExitStack() as stack:
            rows += _document(stack, name, kvmrender.render(guest), rounds, sample)
    return rows


def _document(stack: ExitStack, document: str, xml: str, rounds: int, sample: float) -> list[Row]:
    rows: list[Row] = []
    ready: dict[str, Callable[[], float]] = {}
    for each in NAMES:
        rows.append({"guest": document, "contender": each})
        try:
            ready[each] = sampler(_reader(stack, each, xml), sample)
        except MissingError as error:
            rows[-1]["missing"] = str(error)
        except RefusedError as error:
            rows[-1]["refused"] = str(error)
    found = timed(ready, rounds, OURS)
    return [row | found.get(row["contender"], {}) for row in rows]


def _reader(stack: ExitStack, name: str, xml: str) -> Contender:
    if name == OURS:
        from kvmrender.libvirt.importer import Importer
        from kvmrender.libvirt.xml_tree import documents

        importer = Importer()

        def read() -> Any:
            (found,) = documents(xml.encode())
            assert found.root is not None
            imported = importer.imported(found.root)
            assert not imported.lost
            return imported.guest["name"]

        return here(read)
    if name == LXML:
        try:
            from lxml import etree
        except ImportError:
            raise MissingError("no lxml (pip install '.[validate]')") from None
        return here(lambda: etree.fromstring(xml).findtext("name"))
    command = [virtinst_python(), str(PEERS / "virtinst_reader.py")]
    return Contender(*stack.enter_context(talk(command, {"xml": xml})))
