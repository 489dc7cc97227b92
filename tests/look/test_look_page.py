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
from tools import program

PAGE = (ROOT / "docs/look.md").read_text()
BLOCKS = dict(re.findall(r"^```(\w+ ?.*)\n((?:.*\n)*?)^```$", PAGE, re.MULTILINE))
GUEST = "name: web-1\nmemory: 1 GiB\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fleet.yaml").write_text(BLOCKS["yaml"])
    (tmp_path / "web-1.yaml").write_text(GUEST)
    (tmp_path / "site").mkdir()
    return tmp_path


def arguments(line: str) -> list[str]:
    program, *found = line.partition("#")[0].split()
    assert program == "kvmrender"
    return found


@pytest.mark.parametrize("line", BLOCKS["sh"].splitlines())
def test_explain(line: str, run: Run) -> None:
    assert run(*arguments(line)).exit_code == 0


def test_explained_field(run: Run) -> None:
    shown = BLOCKS["text explain"]
    assert run("explain", shown.split()[0]).stdout == shown


def test_watch(folder: Path) -> None:
    if not find_spec("watchfiles"):
        pytest.skip("needs watchfiles: pip install '.[watch]'")
    install, command = BLOCKS["sh watch"].splitlines()
    assert install == "pip install 'kvmrender[watch]'"
    with at_a_terminal(folder, *arguments(command)) as terminal:
        shown = terminal.expect("Ctrl-C ends\n")
        (folder / "web-1.yaml").write_text(GUEST.replace("memory", "memroy"))
        shown += terminal.expect("memroy[^\n]*\n")
        (folder / "web-1.yaml").write_text(GUEST.replace("1 GiB", "2 GiB"))
        shown += terminal.expect("unchanged\n")
        assert re.sub("\x1b\\[[0-9]*m", "", shown) == BLOCKS["text watch"]


def test_preview(folder: Path) -> None:
    if not find_spec("watchfiles"):
        pytest.skip("needs watchfiles: pip install '.[watch]'")
    install, command = BLOCKS["sh preview"].splitlines()
    assert install == "pip install 'kvmrender[watch]'"
    with at_a_terminal(folder, *arguments(command)) as terminal:
        terminal.expect(r"http://127\.0\.0\.1:[0-9]+/[\w-]+/ \(Ctrl-C ends\)\n")
        terminal.type("\x03")
        assert terminal.end() == (0, "^C\n")


def test_graph(folder: Path, run: Run) -> None:
    assert run(*arguments(BLOCKS["sh graph"])).stdout == BLOCKS["mermaid"]


def test_svg(folder: Path) -> None:
    if not shutil.which("dot") or not find_spec("graphviz"):
        pytest.skip(f"needs dot and graphviz: apt-get install {' '.join(LOOK_PACKAGES)}; pip install '.[graph]'")
    install, command = BLOCKS["sh svg"].splitlines()
    assert install == "sudo apt-get install -y graphviz && pip install 'kvmrender[graph]'"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run([program("bash", "bash"), "-euc", command], cwd=folder, env={**os.environ, "PATH": path}, check=True)
    texts = {text.text for text in ElementTree.parse(folder / "fleet.svg").iter("{http://www.w3.org/2000/svg}text")}
    assert {"web-1", "web-2", "br0", "/images/shared.img"} <= texts
