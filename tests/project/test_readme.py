"""What the README says is so. Its two set-up commands are run by .ci/run, in a new environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PACKAGES, ROOT, Run, embedded_root
from tools import assert_valid, program

from kvmrender.schema.versions import NEWEST, OLDEST

README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


SET_UP = [block for block in blocks("sh") if block.startswith("python3 -m venv")]
PROVE = [block for block in blocks("sh") if "qemu:///system" in block]
ONCE = [block for block in blocks("sh") if block.startswith("pipx run")]  # tests/project/test_distribution.py runs it
CLOUD = [block for block in blocks("sh") if "cloud-localds" in block]  # and tests/real_libvirt/test_cloud_init.py this
COMMANDS = [block for block in blocks("sh") if block not in SET_UP + PROVE + ONCE + CLOUD]


def test_two_commands_set_everything_up() -> None:
    install, test = SET_UP
    assert install.strip().count("\n") == test.strip().count("\n") == 0
    assert "kvmrender render" in install
    assert "pytest" in test


def execute(commands: str, tmp_path: Path) -> str:
    """Run commands, hold the domains that they make against libvirt's schema, and return what they print."""
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [program("bash", "bash"), "-euc", commands],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert_valid("".join([done.stdout, *(file.read_text() for file in tmp_path.glob("domains/*.xml"))]))
    return done.stdout


@pytest.mark.parametrize("commands", COMMANDS, ids=lambda commands: commands.partition("\n")[0])
def test_commands_run(commands: str, tmp_path: Path) -> None:
    execute(commands, tmp_path)


@pytest.mark.libvirt
def test_proof_on_a_host(tmp_path: Path) -> None:
    """The host's driver is an embedded one here; .ci/run has installed what the first command does."""
    install, proof = PROVE[0].split("\n", 1)
    assert set(install.split()[5:9]) <= set(PACKAGES)
    assert install.endswith(".venv/bin/pip install -e '.[validate,libvirt]'")
    assert proof.count("\n") == 2
    execute(proof.replace("qemu:///system", embedded_root()), tmp_path)


def test_guest_and_xml_are_the_fixture() -> None:
    fixture = ROOT / "fixtures/web-1.yaml"
    assert blocks("yaml")[0] == fixture.read_text().partition("\n")[2]
    assert blocks("xml")[0] == fixture.with_suffix(".xml").read_text()


@pytest.mark.parametrize("page", ["README.md", "docs/versions.md"])
def test_pages_say_which_libvirts_are_covered(page: str) -> None:
    text = " ".join((ROOT / page).read_text().split())
    assert re.search(rf"libvirt[^0-9]+ (from )?{OLDEST} to {NEWEST}[ ,:]", text)


def test_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site-templates").mkdir()
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    (program,) = blocks("python")
    names: dict[str, object] = {}
    exec(program, names)
    assert "<name>web-1</name>" in str(names["xml"])
    assert (tmp_path / "domains/web-1.xml").read_text() == (ROOT / "fixtures/web-1.xml").read_text()


def test_messages_are_those_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.chdir(tmp_path)
    Path("web-1.yaml").write_text("name: web-1\ndisks:\n- source: /a\n  driver: qcow3\n\nmemroy: 2\n")
    assert run("render", "web-1.yaml").stderr == blocks("text")[0]


@pytest.mark.libvirt
def test_message_of_validate_is_that_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.chdir(tmp_path)
    disk = '<disk><driver name="qemu"/><source file="/a"/><target dev="vd{}"/></disk>'
    Path("domain.xml").write_text(
        '<domain type="kvm">\n<name>a</name>\n<memory>1</memory>\n<os><type>hvm</type></os>\n<devices>\n'
        + disk.format("a")
        + "\n"
        + disk.format("b").replace("name", "cash")
        + "\n</devices>\n</domain>\n"
    )
    assert run("validate", "domain.xml").stderr == blocks("text")[1]
