"""What the README, and the first pages of docs/, say is so. README's set-up commands are run by .ci/run, anew."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PACKAGES, ROOT, Run, embedded_root
from tools import assert_valid, blocks, files, program

from kvmrender.schema.versions import NEWEST, OLDEST

README = ROOT / "README.md"
START = ROOT / "docs/index.md"
VERSIONS = ROOT / "docs/versions.md"
DONE = re.findall(r"^\| [^|]+ \| `(.*)` \| \[", README.read_text(), re.MULTILINE)
"""The commands of the table of what kvmrender does."""
ELSEWHERE = {
    "ansible-doc": "tests/project/test_distribution.py",
    "salt-call": "tests/plugins/test_salt.py",
    "pip": "tests/project/test_distribution.py",
    "pipx": "tests/project/test_distribution.py",
    "printf": "tests/real_libvirt/test_cloud_init.py",
}
"""Which test runs the commands that begin with these."""
PROVE = [block for block in blocks(VERSIONS, "sh") if "qemu:///system" in block]


def test_readme_is_short() -> None:
    assert len(README.read_text().splitlines()) <= 150


def test_two_commands_set_everything_up() -> None:
    install, test = blocks(README, "sh")
    assert install.strip().count("\n") == test.strip().count("\n") == 0
    assert install.startswith("python3 -m venv")
    assert test.startswith("python3 -m venv")
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


def test_commands_of_the_table_run_one_after_the_other(tmp_path: Path) -> None:
    commands = [line for line in DONE if line.split()[0] not in ELSEWHERE]
    asked = [line for line in commands if line.startswith("kvmrender validate")]  # it needs libvirt's schema
    assert len(commands) - len(asked) == 12
    execute("\n".join(line for line in commands if line not in asked), tmp_path)


@pytest.mark.libvirt
def test_validation_of_the_table(tmp_path: Path) -> None:
    execute("\n".join(line for line in DONE if line.startswith("kvmrender validate")), tmp_path)


def test_commands_that_need_other_programs_are_run_by_their_tests() -> None:
    others = [line for line in DONE if line.split()[0] != "kvmrender"]
    assert len(others) == 2
    for line in others:
        (word,) = [word for word in ELSEWHERE if line.startswith(word)]
        test = (ROOT / ELSEWHERE[word]).read_text()
        assert line in (ROOT / "docs/salt.md").read_text() or all(part in test for part in line.split()), line


@pytest.mark.parametrize(
    "commands",
    [
        block
        for page in ("index", "guest-file", "guests")
        for block in blocks(ROOT / f"docs/{page}.md", "sh")
        if block.split()[0] not in ELSEWHERE
    ],
    ids=lambda commands: commands.partition("\n")[0],
)
def test_commands_of_the_first_pages_run(commands: str, tmp_path: Path) -> None:
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
    assert blocks(README, "yaml")[0] == fixture.read_text().partition("\n")[2]
    assert blocks(README, "xml")[0] == fixture.with_suffix(".xml").read_text()


@pytest.mark.parametrize("page", [README, VERSIONS])
def test_pages_say_which_libvirts_are_covered(page: Path) -> None:
    text = " ".join(page.read_text().split())
    assert re.search(rf"libvirt[^0-9]* (from )?{OLDEST} to {NEWEST}[., :]", text)


def test_python_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "site-templates").mkdir()
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    monkeypatch.chdir(tmp_path)
    (program,) = blocks(ROOT / "docs/python.md", "python")
    names: dict[str, object] = {}
    exec(program, names)
    assert "<name>web-1</name>" in str(names["xml"])
    assert (tmp_path / "domains/web-1.xml").read_text() == (ROOT / "fixtures/web-1.xml").read_text()


def test_messages_are_those_of_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    monkeypatch.chdir(tmp_path)
    Path("web-1.yaml").write_text(files(START)["web-1.yaml"])
    assert run("render", "web-1.yaml").stderr == blocks(START, "text")[0] == blocks(README, "text")[0]


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
    (said,) = (block for block in blocks(VERSIONS, "text") if "domain.xml" in block)
    assert run("validate", "domain.xml").stderr == said
