"""libvirt's own test suite as guests, each with its verdict: libvirt runs it, or refuses it in some words.

``tests/libvirt_sources DIR bookworm trixie`` fetches it. ``python tests/libvirt_suite.py DIR/libvirt-*`` prints which
share of what libvirt runs is refused, and of what it refuses rendered. It fails for each document that differs, and is
not in ``libvirt_suite.yaml``.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from kvmrender import GuestError, Renderer
from kvmrender.errors import NOTE
from kvmrender.libvirt.importer import Importer
from kvmrender.libvirt.xml_tree import documents

RENDERER = Renderer()
TABLE = yaml.safe_load((Path(__file__).parent / "libvirt_suite.yaml").read_text())
UNKNOWABLE = ("host", "played")
KINDS = (*UNKNOWABLE, "meant", "gap")
FOLDERS = ("qemuxmlconfdata", "qemuxml2argvdata")
_KNOWN_AS = {b"i686": b"x86_64", b"ppc64": b"ppc64le"}
"""Architectures that are no guest's, by those that are as they."""
_ARCHITECTURE = re.compile(rb"""(<type\b[^>]*\barch=["'])(i686|ppc64)(?=["'])""")
_VARIANT = re.compile(r"\.\w+-(?:latest|\d[\d.]*)(?:[.+][\w+-]+)*\Z")


class Document(NamedTuple):
    name: str
    runs: bool
    """It does with some QEMU."""
    words: str
    """Those in which libvirt refuses it otherwise."""
    file: Path


def verdicts(source: Path) -> Iterator[Document]:
    """Yield the documents that libvirt's suite makes a command line of, or has refused."""
    (folder,) = (source / "tests" / name for name in FOLDERS if (source / "tests" / name).is_dir())
    found: dict[str, list[Path]] = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in (".args", ".err"):
            name = _base(folder, file.stem)
            found.setdefault(name, []).append(file)
    for name, files in found.items():
        if (document := folder / f"{name}.xml").exists():
            refusals = [file.read_text().strip() for file in files if file.suffix == ".err"]
            yield Document(name, len(refusals) < len(files), "\n".join(refusals[:1]), document)


def _base(folder: Path, name: str) -> str:
    """Return the document that a verdict is of: ``NAME.x86_64-latest`` is ``NAME`` with some QEMU."""
    shorter = _VARIANT.sub("", name)
    return shorter if (folder / f"{shorter}.xml").exists() else name


def problems(document: Document, importer: Importer, libvirt: str) -> list[str] | None:
    """Return why a document is refused as a guest that is for a libvirt, and ignores no check; None if it can be no
    guest: of another architecture, or hypervisor. What has no field goes to ``extra`` and is none of that."""
    data = _ARCHITECTURE.sub(lambda found: found[1] + _KNOWN_AS[found[2]], document.file.read_bytes())
    root = next(documents(data)).root
    if root is None:
        return ["is not XML"]
    try:
        imported = importer.imported(root, full=True)
    except GuestError as error:
        return None if "architecture" in str(error) or "is no domain of" in str(error) else str(error).splitlines()
    guest = {key: value for key, value in imported.guest.items() if key != "ignore"}
    found = RENDERER.result({**guest, "libvirt": libvirt}).problems
    told = [str(problem) for problem in found if problem.level != NOTE]
    if document.runs:
        return told
    # A value that no field takes is refused too; what has no field yet is not.
    unsaid = [f"{where}: {why}" for where, why in [*imported.notes, *imported.lost]]
    return [*told, *(line for line in unsaid if re.search("is lost|went to extra: (?!no field has it)", line))]


def verdicts_of(source: Path) -> Iterator[tuple[Document, list[str]]]:
    """Yield each document of a suite that can be a guest, and why our checks refuse it."""
    importer = Importer()
    for document in verdicts(source):
        told = problems(document, importer, version(source))
        if told is not None:
            yield document, told


def version(source: Path) -> str:
    return source.resolve().name.removeprefix("libvirt-")


def main(sources: list[str]) -> bool:
    """Print the shares; say whether what differs is in the table, and nothing else is."""
    left = {(line["file"], libvirt): line for line in TABLE for libvirt in line["in"]}
    is_known = len(left) == sum(len(line["in"]) for line in TABLE)
    for source in map(Path, sources):
        counts = Counter[str]()
        for document, told in verdicts_of(source):
            counts["run" if document.runs else "refused"] += 1
            if document.runs != bool(told):
                continue
            said = "\n".join(told) if document.runs else document.words
            line = left.pop((document.name, version(source)), None)
            counts[f"{document.runs} {line and line['kind']}"] += 1
            if line is None or line["says"] not in said:
                is_known = False
                print(f"  {document.name} {'is refused' if document.runs else 'is rendered'}: {said}")
        _print_shares(source.name, counts)
    for (name, libvirt), line in left.items():
        if any(version(Path(source)) == libvirt for source in sources):
            is_known = False
            print(f"  {name} of {libvirt} does not differ, so its line can go: {line['why']}")
    return is_known


def _print_shares(name: str, counts: Counter[str]) -> None:
    refused, rendered = (sum(counts[f"{runs} {kind}"] for kind in (*KINDS, None)) for runs in (True, False))
    unknowable = sum(counts[f"False {kind}"] for kind in UNKNOWABLE)
    print(f"{name}: of {counts['run']} guests that it runs, we refuse {_share(refused, counts['run'])}")
    print(f"of {counts['refused']} that it refuses, we render {_share(rendered, counts['refused'])}")
    knowable = counts["refused"] - unknowable
    print(f"of {knowable} of these that a file can know, {_share(rendered - unknowable, knowable)}")


def _share(part: int, whole: int) -> str:
    return f"{part} ({part / whole:.1%})"


if __name__ == "__main__":
    sys.exit(not main(sys.argv[1:]))
