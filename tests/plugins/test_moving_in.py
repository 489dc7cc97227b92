"""docs/moving-in.md does what it says, with the real libvirt, Git, Ansible and Salt."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, Run, embedded_root
from tools import blocks, execute, files, lay_out, program, tool

import kvmrender

PAGE = ROOT / "docs/moving-in.md"
FIVE, ONE, SHORT, ANSIBLE, PLAY, SALT, APPLY = blocks(PAGE, "sh")
WEB = (ROOT / "fixtures/web-1.xml").read_text()
GUESTS = [
    {"name": "web-1", "memory": "2 GiB", "disks": [{"source": "/var/lib/web-1.qcow2"}]},
    {"name": "web-2", "memory": "2 GiB", "disks": [{"source": "/var/lib/web-2.qcow2"}]},
    {"name": "db", "memory": "4 GiB", "graphics": [{"type": "vnc", "passwd": "hush"}]},
]


def bash(commands: str, folder: Path, **more: str) -> str:
    git = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
    names = {f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", commands],
        cwd=folder,
        env={**os.environ, **git, **names, **more, "PATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with the XML of guests."""
    (tmp_path / "xml").mkdir()
    for guest in GUESTS:
        (tmp_path / f"xml/{guest['name']}.xml").write_text(kvmrender.render({"type": "qemu", **guest}))
    return tmp_path


def virsh(uri: str, *arguments: str | Path) -> str:
    return subprocess.run(["virsh", "-q", "-c", uri, *arguments], check=True, capture_output=True, text=True).stdout


@pytest.mark.libvirt
def test_five_commands_from_a_hypervisor_to_git(site: Path, tmp_path: Path) -> None:
    program("git", "git")
    uri = embedded_root()
    for file in sorted(site.glob("xml/*.xml")):
        virsh(uri, "define", file)
    folder = tmp_path / "fleet"
    folder.mkdir()
    assert FIVE.count("\n") == 5
    bash(FIVE, folder, LIBVIRT_DEFAULT_URI=uri)
    fleet = yaml.safe_load((folder / "fleet.yaml").read_text())
    assert {guest["name"] for guest in fleet["guests"]} == {"web-1", "web-2", "db"}
    assert "hush" in (folder / "fleet.yaml").read_text()
    assert bash("git status --short; git log --format=%s", folder).splitlines() == [
        "?? domains/",
        "?? xml/",
        "The guests that we have",
    ]
    for name in ("web-1", "web-2", "db"):
        before = (folder / f"xml/{name}.xml").read_text()
        virsh(uri, "define", folder / f"domains/{name}.xml")
        assert virsh(uri, "dumpxml", "--inactive", "--security-info", name).rstrip() == before.rstrip()
    bash(SHORT, folder)
    short = yaml.safe_load((folder / "short.yaml").read_text())
    assert len((folder / "short.yaml").read_text()) < len((folder / "fleet.yaml").read_text())
    assert fleet["defaults"]["machine"].startswith("pc-i440fx-")
    assert "machine" not in short["defaults"]  # pc, which libvirt takes by itself
    for file in folder.glob("short/*.xml"):
        virsh(uri, "define", file)


def test_one_guest_or_a_folder(tmp_path: Path) -> None:
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    full = bash(ONE, tmp_path)
    assert kvmrender.render(yaml.safe_load((tmp_path / "web-1.yaml").read_text())) == WEB
    assert len(full) > len((tmp_path / "web-1.yaml").read_text())
    assert {path.stem for path in (tmp_path / "guests").iterdir()} == {
        f"guest-{path.stem}" for path in (ROOT / "fixtures/guests").glob("*.xml")
    }


def test_options_of_the_page_are_the_commands(site: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no libvirt, from the second command on."""
    monkeypatch.chdir(site)
    for line in FIVE.splitlines()[1:4]:
        result = run(*shlex.split(line)[1:])
        assert result.exit_code == 0, result.stderr
    for file in site.glob("xml/*.xml"):
        assert (site / "domains" / file.name).read_text() == file.read_text()


def test_ansible(site: Path) -> None:
    ansible = tool("ansible", "ansible-playbook")
    lay_out(site, files(PAGE, "To Ansible"))
    bash(ANSIBLE, site)
    assert json.loads((site / "host_vars/north.json").read_text())["defaults"]
    _, *arguments = shlex.split(PLAY)
    hosts = {"ansible_connection": "local", "ansible_python_interpreter": tool("ansible"), "folder": site / "out"}
    extra = [argument for name, value in hosts.items() for argument in ("-e", f"{name}={value}")]
    done = execute(ansible, *arguments, *extra, cwd=site, ANSIBLE_LOCALHOST_WARNING="false")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hush" not in done.stdout
    for file in site.glob("xml/*.xml"):
        assert (site / "out" / file.name).read_text() == file.read_text()


def test_salt(site: Path) -> None:
    call = tool("salt", "salt-call")
    lay_out(site, files(PAGE, "To Salt"), **{"/etc/kvmrender/domains": str(site / "out")})
    bash(SALT, site)
    configuration = {
        "id": "north",
        "root_dir": str(site / "root"),
        "file_roots": {"base": [str(site / "states")]},
    }
    (site / "minion").write_text(yaml.safe_dump(configuration))
    _, *arguments = shlex.split(APPLY)
    done = execute(call, "-c", ".", "--retcode-passthrough", "--out", "json", *arguments, cwd=site)
    assert done.returncode == 0, done.stdout + done.stderr
    for file in site.glob("xml/*.xml"):
        assert (site / "out" / file.name).read_text() == file.read_text()
