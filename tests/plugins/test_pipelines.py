"""docs/pipelines.md does what it says, with the real make and Git."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from tools import assert_valid, blocks, files, lay_out, program

PAGE = (ROOT / "docs/pipelines.md").read_text()
BLOCKS = {language: blocks(ROOT / "docs/pipelines.md", language) for language in ("sh", "yaml", "make", "bash")}
JOB = files(ROOT / "docs/pipelines.md")[".github/workflows/domains.yaml"]
GUESTS = {"web-1.xml", "web-2.xml", "db-1.xml"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "fleet.yaml").write_text(BLOCKS["yaml"][0])
    (tmp_path / "values.yaml").write_text(BLOCKS["yaml"][2])
    (tmp_path / "site.yaml").write_text("title: site\n")
    (tmp_path / "Makefile").write_text(BLOCKS["make"][0])
    return tmp_path


def execute(site: Path, *command: str) -> subprocess.CompletedProcess[str]:
    for name in (command[0], *(word for word in ("make", "git") if word in command[-1].split())):
        if name != "kvmrender":
            program(name, name)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    git = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, "PATH": path, **git, **names}
    return subprocess.run(command, cwd=site, env=environment, capture_output=True, text=True, check=False)


def domains(site: Path) -> set[str]:
    return {path.name for path in (site / "domains").glob("*.xml")}


@pytest.mark.parametrize("commands", BLOCKS["sh"], ids=lambda commands: commands.partition("#")[0].strip())
def test_commands_run(commands: str, site: Path) -> None:
    done = execute(site, "bash", "-euc", commands)
    assert done.returncode == 0, done.stderr
    assert domains(site) == GUESTS
    assert assert_valid("".join(path.read_text() for path in (site / "domains").glob("*.xml"))) == len(GUESTS)


def test_each_guest_has_what_follows_from_its_name_and_what_the_values_say(site: Path) -> None:
    (site / "fleet.yaml").write_text(BLOCKS["yaml"][1])
    done = execute(site, "kvmrender", "render", "-o", "domains", "--values", "values.yaml", "fleet.yaml")
    assert done.returncode == 0, done.stderr
    found = {path.stem: path.read_text() for path in (site / "domains").glob("*.xml")}
    assert assert_valid("".join(found.values())) == len(GUESTS)
    assert "<title>web-2 in south</title>" in found["web-2"]
    assert '<mac address="52:54:00:00:01:01"/>' in found["web-2"]
    assert '<source file="/var/lib/libvirt/images/web-2.qcow2"/>' in found["web-2"]
    assert '<memory unit="MiB">8192</memory>' in found["web-1"]
    assert "<serial>4711</serial>" in found["db-1"]


def test_shards_make_what_one_run_makes(site: Path) -> None:
    (shards,) = (block for block in BLOCKS["sh"] if "--namespace" in block)
    execute(site, "bash", "-euc", shards)
    done = execute(site, "kvmrender", "render", "-o", "domains", "--namespace", "north", "--check", "fleet.yaml")
    assert (done.returncode, done.stderr) == (0, "3 guests: 0 would be created, 0 would change, 3 unchanged\n")


def test_make(site: Path) -> None:
    assert execute(site, "make", "check").returncode == 2
    assert execute(site, "make").returncode == 0
    assert domains(site) == GUESTS
    assert execute(site, "make", "check").returncode == 0
    assert "is up to date" in execute(site, "make").stdout
    (site / "domains/web-1.xml").write_text("<domain/>\n")
    assert "-<domain/>" in execute(site, "make", "check").stdout


@pytest.mark.parametrize(
    ("fleet", "code", "said"),
    [
        ("guests: [{name: web-1}]", 0, "domains is what fleet.yaml says\n"),
        ("guests: [{name: web-2}]", 2, "domains is out of step: make domains\n"),
        ("guests: [{name: web-1, memroy: 1}]", 2, "fleet.yaml can't be rendered\n"),
    ],
)
def test_make_tells_a_difference_from_trouble(fleet: str, code: int, said: str, tmp_path: Path) -> None:
    lay_out(tmp_path, files(ROOT / "docs/pipelines.md", "make"))
    (tmp_path / "fleet.yaml").write_text("guests: [{name: web-1}]\n")
    assert execute(tmp_path, "make", "domains").returncode == 0
    (tmp_path / "fleet.yaml").write_text(f"{fleet}\n")
    done = execute(tmp_path, "make", "check")
    assert (done.returncode, done.stdout) == (code, said)
    assert domains(tmp_path) == {"web-1.xml"}


def test_git_hook_and_ci_job_fail_on_drift(site: Path) -> None:
    hook = site / ".git/hooks/pre-commit"
    execute(site, "git", "init", "-q")
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(BLOCKS["bash"][0])
    hook.chmod(0o755)
    job = yaml.safe_load(JOB)["jobs"]["domains"]["steps"][-1]["run"]
    execute(site, "kvmrender", "render", "-o", "domains", "fleet.yaml")
    execute(site, "git", "add", ".")
    assert execute(site, "bash", "-euc", job).returncode == 0
    assert execute(site, "git", "commit", "-qm", "In step").returncode == 0
    (site / "fleet.yaml").write_text(BLOCKS["yaml"][0].replace("4 GiB", "8 GiB"))
    assert execute(site, "bash", "-euc", job).returncode == 1
    refused = execute(site, "git", "commit", "-qam", "Out of step")
    assert refused.returncode != 0
    assert '+  <memory unit="MiB">8192</memory>' in refused.stdout + refused.stderr


def test_report_has_the_keys_and_statuses(site: Path) -> None:
    done = execute(site, "kvmrender", "render", "-o", "domains", "--diff", "--report", "json", "fleet.yaml")
    found = json.loads(done.stdout.splitlines()[0])
    assert all(f"`{key}`" in PAGE for key in found)


def test_birthday_table() -> None:
    """Of n addresses of b bits, two are the same with a probability of 1 - exp(-n (n - 1) / 2 / 2^b)."""
    rows = re.findall(r"^\| ([0-9,]+) \| ([0-9.]+) % \| ([0-9.]+) % \|$", PAGE, re.MULTILINE)
    assert len(rows) == 5
    for interfaces, *shares in rows:
        n = int(interfaces.replace(",", ""))
        for bits, share in zip((24, 40), shares, strict=True):
            exact = -100 * math.expm1(-n * (n - 1) / 2 / 2**bits)
            assert float(share) == pytest.approx(exact, rel=0.15)
