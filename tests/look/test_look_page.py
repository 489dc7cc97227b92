"""docs/look.md: its commands run, and show what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest
from conftest import LOOK_PACKAGES, ROOT, Run
from terminals import at_a_terminal
from tools import blocks, files, program

EXPLAIN, WATCH, PREVIEW, GRAPH, SVG = blocks(ROOT / "docs/look.md", "sh")
EXPLAINED, WATCHED = blocks(ROOT / "docs/look.md", "text")
GUEST = "name: web-1\nmemory: 1 GiB\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.yaml").write_text(files(ROOT / "docs/look.md")["fleet.yaml"])
    (tmp_path / "web-1.yaml").write_text(GUEST)
    (tmp_path / "site").mkdir()
    return tmp_path


def arguments(line: str) -> list[str]:
    program, *found = line.partition("#")[0].split()
    assert program == "kvmrender"
    return found


@pytest.mark.parametrize("line", EXPLAIN.splitlines())
def test_explain(line: str, run: Run) -> None:
    assert run(*arguments(line)).exit_code == 0


def test_explained_field(run: Run) -> None:
    assert run("explain", "disks.driver.discard_no_unref").stdout == EXPLAINED


def test_watch(folder: Path) -> None:
    if not find_spec("watchfiles"):
        pytest.skip("needs watchfiles: pip install '.[watch]'")
    install, command = WATCH.splitlines()
    assert install == "pip install '.[watch]'"
    with at_a_terminal(folder, *arguments(command)) as terminal:
        shown = terminal.expect("Ctrl-C ends\n")
        (folder / "web-1.yaml").write_text(GUEST.replace("memory", "memroy"))
        shown += terminal.expect("memroy[^\n]*\n")
        (folder / "web-1.yaml").write_text(GUEST.replace("1 GiB", "2 GiB"))
        shown += terminal.expect("unchanged\n")
        assert re.sub("\x1b\\[[0-9]*m", "", shown) == WATCHED


def test_preview(folder: Path) -> None:
    if not find_spec("watchfiles"):
        pytest.skip("needs watchfiles: pip install '.[watch]'")
    install, command = PREVIEW.splitlines()
    assert install == "pip install '.[watch]'"
    with at_a_terminal(folder, *arguments(command)) as terminal:
        terminal.expect(r"http://127\.0\.0\.1:[0-9]+/[\w-]+/ \(Ctrl-C ends\)\n")
        terminal.type("\x03")
        assert terminal.end() == (130, "^C\n")


def test_graph(folder: Path, run: Run) -> None:
    assert run(*arguments(GRAPH)).stdout == blocks(ROOT / "docs/look.md", "mermaid")[0]


def test_svg(folder: Path) -> None:
    if not shutil.which("dot") or not find_spec("graphviz"):
        pytest.skip(f"needs dot and graphviz: apt-get install {' '.join(LOOK_PACKAGES)}; pip install '.[graph]'")
    install, command = SVG.splitlines()
    assert install == "sudo apt-get install -y graphviz && pip install '.[graph]'"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run([program("bash", "bash"), "-euc", command], cwd=folder, env={**os.environ, "PATH": path}, check=True)
    texts = {text.text for text in ElementTree.parse(folder / "fleet.svg").iter("{http://www.w3.org/2000/svg}text")}
    assert {"web-1", "web-2", "br0", "/images/shared.img"} <= texts
