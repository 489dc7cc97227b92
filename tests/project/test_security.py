"""What SECURITY.md says is shown by tests is."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()
ROWS = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in TEXT.splitlines() if line.startswith("| ")][
    2:
]
TESTS = {
    name: file
    for file in (ROOT / "tests").rglob("test_*.py")
    for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_threat_has_a_test(row: list[str]) -> None:
    threat, outcome, shown = row
    assert threat
    assert outcome
    names = re.findall(r"`(\w+)`", shown)
    assert names
    assert [name for name in names if name not in TESTS] == []


def test_limits_are_the_programs() -> None:
    from kvmrender.context.validation import MOST_PROBLEMS
    from kvmrender.errors import LONGEST, MOST_KNOWN
    from kvmrender.libvirt.xml_tree import MOST_FACTS, MOST_LEVELS
    from kvmrender.reading.parse import (
        ALIAS_FACTOR,
        ALIAS_MANY,
        ALIAS_MINIMUM,
        MAX_DEPTH,
        MAX_DIRECTIVES,
        TEXT_MANY,
        TEXT_MINIMUM,
    )
    from kvmrender.reading.size_limits import ALLOWED, GROWTH, LEAST, MAX_SIZE, STREAM

    assert f"beyond {MOST_LEVELS} levels, or {MOST_FACTS:,} elements and attributes" in TEXT
    assert f"beyond {ALLOWED} (`--max-size`)" in TEXT
    assert f"beyond {MAX_DEPTH} levels" in TEXT
    assert f"beyond {ALIAS_MINIMUM:,} values, or ten a character; beyond {ALIAS_MANY:,}, one a character" in TEXT
    assert (ALIAS_FACTOR, MOST_PROBLEMS) == (10, 1000)
    assert (TEXT_MINIMUM, TEXT_MANY) == (1 << 20, 1 << 24)
    assert "beyond 1 MiB of text, or ten times the file's; beyond 16 MiB, the file's own size" in TEXT
    assert f"becomes more than {GROWTH} times what was read, and more than four times `--max-size` (256 MiB)" in TEXT
    assert f"beyond {STREAM} times `--max-size` (1 GiB)" in TEXT
    assert (LEAST, MAX_SIZE * LEAST, MAX_SIZE * STREAM) == (4, 256 << 20, 1 << 30)
    assert f"hints look at {MOST_KNOWN:,} words of {LONGEST} characters; more than {MAX_DIRECTIVES} directives" in TEXT
