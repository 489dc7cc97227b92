"""``kvmrender explain ID`` and the page of checks: an id in a message leads to what it stands for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, Run

import kvmrender
from kvmrender.engine import default_engine
from kvmrender.look.checks import catalogue, explain_any
from kvmrender.reading.parse import from_yaml

KNOWN = catalogue(default_engine().schema)
RENDERER = kvmrender.Renderer()
CHECKS = [name for name, about in KNOWN.items() if about.is_check]


def test_check(run: Run) -> None:
    assert run("explain", "max-memory").stdout == (
        """\
max-memory  <check>

  memory does not exceed maxMemory.

  level      error: libvirt refuses such a guest
  libvirt    all versions
  ignore     --ignore max-memory, or ignore: [max-memory] in the guest or in defaults

  inside:
    {name: guest, memory: 1 GiB, maxMemory: 1 GiB}

  outside:
    {name: guest, memory: 1025 MiB, maxMemory: 1 GiB}

  which says:
    memory: 1025 MiB is more than maxMemory, 1024 MiB [max-memory]
"""
    )


def block(said: str, name: str) -> str:
    found = re.search(rf"^  {name}:\n((?:    .*\n)+)", said, re.MULTILINE)
    assert found is not None, f"no {name} in {said}"
    return re.sub("^    ", "", found[1], flags=re.MULTILINE)


@pytest.mark.parametrize("name", CHECKS)
def test_guests_that_are_shown_are_inside_and_outside(name: str) -> None:
    said = explain_any(default_engine(), name)
    assert RENDERER.result(from_yaml(block(said, "inside"))[0]).problems == ()
    found = RENDERER.result(from_yaml(block(said, "outside"))[0]).problems
    assert [*map(str, found)] == block(said, "which says").splitlines()
    assert all(line.endswith(f" [{name}]") for line in map(str, found))


@pytest.mark.parametrize("name", [name for name, about in KNOWN.items() if not about.is_check])
def test_other_ids(name: str, run: Run) -> None:
    said = run("explain", name).stdout
    assert f"{name}  <id of problems>\n\n  {KNOWN[name].description}\n" in said
    assert ("it can't be ignored" in said) == (name not in ("shared-uuid", "shared-mac", "shared-disk"))


@pytest.mark.parametrize(
    ("name", "level", "versions"),
    [
        ("target-bus", "note: libvirt takes such a guest, and hardly anybody wants it", "all versions"),
        ("one-watchdog", "error: libvirt refuses such a guest", "before 9.1.0"),
    ],
)
def test_level_and_versions(name: str, level: str, versions: str, run: Run) -> None:
    said = run("explain", name).stdout
    assert f"  level      {level}" in said
    assert f"  libvirt    {versions}\n" in said


def test_field_and_check_of_one_name(run: Run) -> None:
    said = run("explain", "consoles").stdout
    assert said.startswith("consoles  <list of mappings>\n")
    assert "\n\nconsoles  <check>\n" in said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("target-bsu", "target-bsu: is neither a field nor the id of a check (did you mean 'target-bus'?)\n"),
        ("target_bus", "target_bus: is neither a field nor the id of a check (did you mean 'target-bus'?)\n"),
        ("memroy", "memroy: 'memroy' is not a field of a guest (did you mean 'memory'?)\n"),
    ],
)
def test_misspelt_id(written: str, said: str, run: Run) -> None:
    result = run("explain", written)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said)


def test_rule_of_ones_own(tmp_path: Path, run: Run) -> None:
    rules = [
        {"id": "no-titles", "description": "No guest has a title.", "at": "title", "message": "is given"},
        {"id": "no-genid", "at": "genid", "message": "is given", "inside": {}, "outside": {"genid": {}}},
    ]
    text = yaml.safe_dump({"extends": "shipped/guest.schema.yaml", "rules": rules})
    (tmp_path / "guest.schema.yaml").write_text(text)
    said = run("explain", "--templates", tmp_path, "no-titles").stdout
    assert "\n  No guest has a title.\n\n  level      error: such a guest is not rendered\n" in said
    assert "inside" not in said
    assert "    genid: is given [no-genid]\n" in run("explain", "--templates", tmp_path, "no-genid").stdout
    assert "no-titles  <error>  No guest has a title.\n" in run("explain", "--templates", tmp_path, "--checks").stdout
    assert "`no-titles`" in run("explain", "--templates", tmp_path, "--checks", "--markdown").stdout


def test_list_of_checks(run: Run) -> None:
    lines = run("explain", "--checks").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == [*KNOWN]
    assert "target-bus  <note>  The name of a disk matches its bus." in "\n".join(lines)


def test_page_of_checks_is_not_stale(run: Run) -> None:
    page = run("explain", "--checks", "--markdown").stdout
    assert (ROOT / "docs/checks.md").read_text() == page, "tests/make_docs"
    assert re.findall(r'^\| <a id="([a-z0-9-]+)"></a>`\1` \|', page, re.MULTILINE) == [*KNOWN]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in page.splitlines() if row.startswith("| <a")} == {3, 6}


def test_lists_are_of_all_checks(run: Run) -> None:
    assert run("explain", "--checks", "target-bus").exit_code == 2
