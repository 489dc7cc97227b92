"""The pages of docs/ as a site; .ci/run builds it, which fails where a link between pages leads nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import ROOT
from tools import blocks

PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")] + sorted(
    (ROOT / "docs").rglob("*.md")
)
FENCES = {"bash", "console", "jinja", "json", "make", "mermaid", "python", "sh", "text", "vim", "xml", "yaml"}


def prose(page: Path) -> str:
    """Return the text of a page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page: its headings, as GitHub and MkDocs have them, and those that are written."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    named = {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}
    return named | set(re.findall(r'<a id="([^"]+)">', page.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if not target.startswith("https://"):
            file, _, anchor = target.partition("#")
            found = (page.parent / file).resolve() if file else page
            assert found.exists(), target
            assert not anchor or anchor in anchors(found), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_are_ones_that_both_github_and_the_site_draw(page: Path) -> None:
    """A word after the language hides the file's name on GitHub, and has the site draw no block at all."""
    for opened in re.findall(r"^```(.*)\n(?s:.*?)^```$", page.read_text(), re.MULTILINE):
        language, _, more = opened.partition(" ")
        assert language in FENCES, opened
        assert re.fullmatch(r'(title="[^"]+")?', more), opened


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_name_of_a_file_is_in_the_text_too(page: Path) -> None:
    """GitHub shows no titles."""
    for name in re.findall(r'^```\w+ title="([^" ]+)', page.read_text(), re.MULTILINE):
        assert re.search(rf"(^|[`/>]){re.escape(name)}[`<]", prose(page), re.MULTILINE), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_says_that_an_index_has_the_package(page: Path) -> None:
    assert not re.search(r"(pip|pipx|uv)\S* install (-\S+ )*'?kvmrender(?!\S* @ )(?!-\d)", page.read_text())


def test_every_page_is_in_the_menu() -> None:
    menu = re.findall(r"^ +- (?:.*: )?(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(menu) == sorted(path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md"))


def test_guests_to_copy_are_all_guests_of_the_fixtures() -> None:
    page = ROOT / "docs/guests.md"
    files = [f"fixtures/guests/{path.name}" for path in (ROOT / "fixtures/guests").iterdir()]
    assert sorted(re.findall(r'--8<-- "(.*)"', page.read_text())) == sorted(files)
    assert len(blocks(page, "yaml")) == len(files) / 2
