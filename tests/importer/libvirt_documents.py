"""The domains of libvirt's own test suite, and what becomes of them when they are imported.

``python tests/importer/libvirt_documents.py DIR...`` prints the shares for unpacked sources of libvirt, as they come of
``apt-get source --download-only libvirt`` and ``tar xf libvirt_*.orig.tar.xz``. It fails for what does not come back,
unless it is in the table ``not_kept.yaml``.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from kvmrender import GuestError
from kvmrender.libvirt.importer import Imported, Importer
from kvmrender.libvirt.rng import Grammar
from kvmrender.libvirt.xml_tree import Element, documents

MOST_TOLD = 40
_POSITION = re.compile(r"\[[0-9]+\]")


class Found(NamedTuple):
    """A document, by the name of its file below ``tests``, and what became of it: a guest, or what was said."""

    name: str
    imported: Imported | None
    said: str = ""


def domains(source: Path, known: set[str]) -> Iterator[tuple[str, Element]]:
    """Yield the documents of kvm and qemu, of known architectures, that libvirt's schema finds valid."""
    from lxml import etree

    grammar = Grammar(str(source / "src/conf/schemas/domain.rng"))
    for file in sorted((source / "tests").rglob("*.xml")):
        data = b"" if file.is_symlink() else file.read_bytes()
        if b"<domain " not in data:
            continue
        root = next(documents(data)).root
        if root is None or root.name != "domain" or root.attributes.get("type") not in ("kvm", "qemu"):
            continue
        kinds = [kind for os in root.children if os.name == "os" for kind in os.children if kind.name == "type"]
        if all(kind.attributes.get("arch", "x86_64") in known for kind in kinds) and not grammar.fault(
            etree.fromstring(data)
        ):
            yield str(file.relative_to(source / "tests")), root


def imported(source: Path, full: bool = True) -> Iterator[Found]:
    """Yield what becomes of each."""
    from kvmrender.engine import default_engine

    importer = Importer()
    for name, root in domains(source, set(default_engine().schema.names)):
        try:
            yield Found(name, importer.imported(root, full))
        except GuestError as error:
            yield Found(name, None, str(error))


def main(sources: list[str]) -> bool:
    """Print the shares, and the commonest reasons; say whether all is kept but for what is in the table."""
    table = yaml.safe_load((Path(__file__).parent / "not_kept.yaml").read_text())
    is_known = True
    for source in sources:
        found = list(imported(Path(source)))
        kept = [one.imported for one in found if one.imported and not one.imported.lost]
        raw = [one for one in kept if any("went to extra" in why for _, why in one.notes)]
        ignoring = [one for one in kept if any(where.startswith("ignore ") for where, _ in one.notes)]
        print(f"{source}: {len(found)} documents, {len(kept)} come back ({len(kept) / len(found):.2%})")
        print(f"of these, {len(raw)} need extra, {len(ignoring)} ignore a check")
        for one in found:
            for where, why in one.imported.lost if one.imported else [("", one.said)]:
                is_known = is_known and where in table.get(Path(one.name).name, {})
                print(f"  {one.name}: {where}: {why}")
        reasons = Counter(
            f"{_POSITION.sub('', where)}: {why}"
            for one in kept
            for where, why in one.notes
            if "extra" in why or where.startswith("ignore")
        )
        for reason, count in reasons.most_common(MOST_TOLD):
            print(f"{count:5} {reason}")
    return is_known


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
