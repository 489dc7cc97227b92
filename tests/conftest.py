from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from kvmrender.cli import main

ROOT = Path(__file__).parent.parent
FIXTURES = sorted((ROOT / "fixtures").glob("*.yaml"))

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run the command line: ``run("render", "guest.yaml", input="…")``."""

    def invoke(*arguments: Any, input: str | bytes | None = None) -> Result:
        result = CliRunner().invoke(main, [str(argument) for argument in arguments], input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def parse(xml: str) -> ElementTree.Element:
    return ElementTree.fromstring(xml)


def find(xml: str, path: str) -> ElementTree.Element:
    element = parse(xml).find(path)
    assert element is not None, f"no {path} in\n{xml}"
    return element
