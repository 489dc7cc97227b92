"""The fuzzers' harnesses, over their corpus, and the fuzzers themselves for a moment."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import ROOT

FUZZ = ROOT / "tests/fuzz"
CORPUS = sorted(path for path in (FUZZ / "corpus").rglob("*") if path.is_file())


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_harness_holds_over_the_corpus(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FUZZ)
    from harnesses import HARNESSES

    HARNESSES[file.parent.name](file.read_bytes())


def test_each_harness_has_a_corpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FUZZ)
    from harnesses import HARNESSES

    assert {file.parent.name for file in CORPUS} == HARNESSES.keys()


def fuzz(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if not find_spec("atheris"):
        pytest.skip("needs atheris: pip install '.[fuzz]'")
    return subprocess.run([sys.executable, folder, *arguments], capture_output=True, text=True, cwd=ROOT)


def test_fuzzers_run(tmp_path: Path) -> None:
    done = fuzz(FUZZ, "--seconds", "3", "--only", "memory", "--keep", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("memory: ")
    assert done.stdout.endswith(" MB, well\n")
    assert int(done.stdout.split()[1]) > 1000
    assert list((tmp_path / "memory").iterdir())


@pytest.mark.parametrize(
    ("fault", "said"),
    [("raise KeyError(data)", "KeyError"), ("while data: pass", "timeout"), ("bytearray(400 << 20)", "out-of-memory")],
)
def test_fuzzers_find_faults(fault: str, said: str, tmp_path: Path) -> None:
    """A harness with a fault: it is printed, with the input."""
    for name in ("__main__.py", "harnesses.py"):
        (tmp_path / name).write_text((FUZZ / name).read_text().replace("SECONDS = 256, 10", "SECONDS = 256, 1"))
    (tmp_path / "corpus/memory").mkdir(parents=True)
    source = (tmp_path / "harnesses.py").read_text()
    assert "def size(data: bytes) -> None:" in source
    source = source.replace("def size(data: bytes) -> None:", f"def size(data: bytes) -> None:\n    {fault}\n")
    (tmp_path / "harnesses.py").write_text(source)
    done = fuzz(tmp_path, "--seconds", "20")
    assert done.returncode == 1
    assert "memory: " in done.stdout
    assert ", a fault\n" in done.stdout
    assert said in done.stdout
    assert done.stderr == "what is printed above must not be\n"
