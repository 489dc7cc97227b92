"""virt-manager's virtinst: its Guest made of a document, and each property of it and of its devices read, since it
reads none before it is asked. Run by the Python that has it.

Is given the document as a line of JSON, answers with its name, then reads numbers and answers with the seconds that so
many took.
"""

from __future__ import annotations

import json
import sys
from time import perf_counter
from typing import Any

sys.path.insert(0, "/usr/share/virt-manager")  # where Debian and Fedora have it, and virt-install looks for it

import virtinst
from virtinst.xmlbuilder import XMLBuilder


def read(of: Any) -> None:
    for name in of._all_xml_props():
        getattr(of, name)
    for name in of._all_child_props():
        found = getattr(of, name)
        for child in found if isinstance(found, list) else [found]:
            if isinstance(child, XMLBuilder):
                read(child)


def main() -> None:
    xml = json.loads(sys.stdin.readline())["xml"]
    connection = virtinst.VirtinstConnection("test:///default")
    print(json.dumps(virtinst.Guest(connection, parsexml=xml).name), flush=True)
    for line in sys.stdin:
        start = perf_counter()
        for _ in range(int(line)):
            read(virtinst.Guest(connection, parsexml=xml))
        print(perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
