"""What shells offer as one types a command: in bash, zsh and fish."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def offered(*words: str, shell: str = "fish", cwd: Path | None = None) -> list[str]:
    """Return what is offered for the last of the words of a command line."""
    line = " ".join(["kvmrender", *words])
    asked = {"COMP_WORDS": line, "COMP_CWORD": words[-1] if shell == "fish" else str(len(words))}
    done = subprocess.run(
        [sys.executable, "-m", "kvmrender"],
        env={**os.environ, "_KVMRENDER_COMPLETE": f"{shell}_complete", **asked},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    if shell == "zsh":
        return [value.replace("\\:", ":") for value in lines[1::3]]
    return [line.partition(",")[2].partition("\t")[0] for line in lines if line]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["explain", "watchd"], ["watchdogs", "watchdogs.", "watchdog-model"]),
        (["explain", "disks.driver.cac"], ["disks.driver.cache"]),
        (["explain", "disks[0].driver.cac"], ["disks[0].driver.cache"]),
        (["explain", "target-b"], ["target-bus"]),
        (["render", "--set", "disks[0].driver.cac"], ["disks[0].driver.cache"]),
        (["render", "--set", "watch"], ["watchdogs[0]", "watchdogs[0]."]),
        (["render", "--ignore", "target-b"], ["target-bus"]),
        (["validate", "--use", "windows-1"], ["windows-10", "windows-11"]),
        (["init", "--use", "windows-11"], ["windows-11"]),
        (["profiles", "show", "gpu"], ["gpu-passthrough"]),
        (["templates", "show", "devices/watch"], ["devices/watchdog.schema.yaml", "devices/watchdog.xml.j2"]),
        (["explain", "nothing.there"], []),
    ],
)
def test_words_are_completed(words: list[str], found: list[str]) -> None:
    shown = offered(*words)
    assert [word for word in shown if not word.startswith("watchdog-")] == [
        word for word in found if not word.startswith("watchdog-")
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_are_given_the_same(shell: str) -> None:
    assert offered("explain", "disks.driver.cac", shell=shell) == ["disks.driver.cache"]


def test_words_of_ones_own_templates_are_completed(tmp_path: Path) -> None:
    (tmp_path / "site/profiles").mkdir(parents=True)
    (tmp_path / "site/profiles/rack.yaml").write_text("vcpu: 4\n")
    (tmp_path / "site/guest.schema.yaml").write_text(
        "properties:\n  rack: {description: Where it is., type: string}\nextends: shipped/guest.schema.yaml\n"
    )
    assert offered("render", "--templates", "site", "--use", "rac", cwd=tmp_path) == ["rack"]
    assert offered("explain", "--templates", "site", "rac", cwd=tmp_path) == ["rack"]
    assert offered("render", "--templates", "none", "--use", "rac", cwd=tmp_path) == []


def test_documents_quote_what_zsh_would_take_for_a_pattern() -> None:
    bare = re.compile(r"--(?:set|select) [^' `]*[][*?]")
    found = [
        f"{file.name}: {line}"
        for file in DOCS
        for block in re.findall(r"^```(?:sh|bash)[^\n]*\n(.*?)^```", file.read_text(), re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
        if bare.search(line)
    ]
    assert found == []
