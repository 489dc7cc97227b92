"""Each guest file in fixtures/ gives the XML beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import FIXTURES, ROOT, Run

from kvmrender import Renderer
from kvmrender.load import read

guest_file = pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.stem)


def test_there_are_fixtures() -> None:
    assert {"minimal", "seed-amd64", "seed-arm64", "every-field"} <= {file.stem for file in FIXTURES}
    assert {file.stem for file in (ROOT / "fixtures").glob("*.xml")} == {file.stem for file in FIXTURES}


@guest_file
def test_guest_gives_the_xml_beside_it(file: Path, run: Run) -> None:
    result = run("render", file)
    assert result.stderr == ""
    assert result.stdout == file.with_suffix(".xml").read_text()


@guest_file
def test_context_is_its_own_context(file: Path) -> None:
    renderer = Renderer()
    for document in read(file.name, file.read_bytes()):
        context = renderer.context(document.guest)
        assert renderer.context(context) == context
        assert renderer.render(context) == renderer.render(document.guest)


@guest_file
def test_context_command_reads_back_as_the_same_guest(file: Path, run: Run) -> None:
    context = run("context", file).stdout
    assert run("render", input=context).stdout == file.with_suffix(".xml").read_text()
