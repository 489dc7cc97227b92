"""The manual pages end with what people look for there: exit status, environment, files, other pages."""

from __future__ import annotations

import re

import click
import pytest
from conftest import ROOT
from manual import ends, exit_codes, pages

from kvmrender.__main__ import VARIABLES
from kvmrender.cli.main import main

PAGES = dict(pages("kvmrender", main))


def text(name: str) -> str:
    return (ROOT / f"man/{name.replace(' ', '-')}.1").read_text()


def entries(name: str, section: str) -> list[str]:
    """Return what is described in a section of a page."""
    found = text(name).partition(f".SH {section}\n")[2].partition(".SH ")[0]
    return [
        entry.replace("\\-", "-").replace("\\&", "") for entry in re.findall(r"^\\fB(.*)\\fP$", found, re.MULTILINE)
    ]


@pytest.mark.parametrize("name", PAGES)
def test_ends_of_a_page_are_not_stale(name: str) -> None:
    assert text(name).endswith(ends(name, PAGES[name], list(PAGES))), "tests/make_man"


def test_exit_codes_are_those_that_the_help_names() -> None:
    assert entries("kvmrender render", "EXIT STATUS") == ["0", "1", "2", "130", "143"]
    assert entries("kvmrender validate", "EXIT STATUS") == ["0", "2", "130", "143"]
    assert dict(exit_codes("kvmrender drift", PAGES["kvmrender drift"]))["1"] == "something does"


def test_environment_has_the_variables_of_the_options() -> None:
    assert {*entries("kvmrender render", "ENVIRONMENT")} >= VARIABLES - {"_KVMRENDER_COMPLETE"}
    assert "NO_COLOR" in entries("kvmrender render", "ENVIRONMENT")
    assert "NO_COLOR" not in entries("kvmrender schema", "ENVIRONMENT")
    assert "KVMRENDER_MAX_SIZE" not in entries("kvmrender schema", "ENVIRONMENT")


def test_other_pages_are_there() -> None:
    for name in PAGES:
        others = re.findall(r"^\\fB(\S+)\\fP\(1\)", text(name).partition(".SH SEE ALSO")[2], re.MULTILINE)
        names = [other.replace("\\-", "-") for other in others]
        assert "virsh" in names
        assert [other for other in names if other != "virsh" and not (ROOT / f"man/{other}.1").exists()] == []
        assert len(names) > 1, name
    assert isinstance(PAGES["kvmrender templates"], click.Group)
