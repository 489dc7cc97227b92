"""Each guest file in fixtures/ gives the XML beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES, ROOT, Run

from kvmrender.engine import default_engine
from kvmrender.reading.load import read
from kvmrender.schema.secrets import MASK, masked

guest_file = pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.stem)


def test_there_are_fixtures() -> None:
    assert {"minimal", "seed-amd64", "seed-arm64", "every-field"} <= {file.stem for file in FIXTURES}
    assert {file.stem for file in (ROOT / "fixtures").rglob("*.xml")} == {file.stem for file in FIXTURES}


@guest_file
def test_guest_gives_the_xml_beside_it(file: Path, run: Run) -> None:
    result = run("render", file)
    assert result.stderr == ""
    assert result.stdout == file.with_suffix(".xml").read_text()


@guest_file
def test_context_is_its_own_context(file: Path) -> None:
    renderer = default_engine()
    for document in read(file.name, file.read_bytes()):
        context = renderer.context(document.guest)
        assert renderer.context(context) == context
        assert renderer.render(context) == renderer.render(document.guest)


@guest_file
def test_context_command_reads_back_as_the_same_guest(file: Path, run: Run) -> None:
    """But for secrets, which it does not tell."""
    context = run("context", file).stdout
    renderer = default_engine()
    secrets = set()
    for document in read(file.name, file.read_bytes()):
        known = renderer.context(document.guest)
        secrets |= set(leaves(known)) - set(leaves(masked(renderer.schema.root, known)))
    if secrets:
        assert MASK in context
        assert not [secret for secret in secrets if len(secret) > 5 and secret in context]
    else:
        assert run("render", input=context).stdout == file.with_suffix(".xml").read_text()


def leaves(value: Any) -> Iterator[str]:
    if isinstance(value, (dict, list)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from leaves(item)
    else:
        yield str(value)
