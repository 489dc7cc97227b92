"""``kvmrender import --connect``: the domains that a driver has."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Run, embedded_root

import kvmrender

pytestmark = pytest.mark.libvirt

Import = Callable[..., "subprocess.CompletedProcess[str]"]
SECRET = {"name": "b", "type": "qemu", "graphics": {"type": "vnc", "passwd": "hush"}}


@pytest.fixture
def import_(tmp_path: Path) -> Import:
    """Run the command on a driver that has two guests."""
    uri = embedded_root()
    for guest in ({"name": "a", "type": "qemu", "interfaces": [{"source": {"network": "n"}}]}, SECRET):
        xml = tmp_path / "x.xml"
        xml.write_text(kvmrender.render(guest))
        subprocess.run(["virsh", "-q", "-c", uri, "define", xml], check=True, capture_output=True)

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "kvmrender", "import", "--connect", uri, *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    return run


def test_all_domains(import_: Import, tmp_path: Path) -> None:
    done = import_("-o", str(tmp_path / "out"))
    assert (done.stdout, done.returncode) == ("", 0)
    assert done.stderr.splitlines()[-1] == "2 guests: 2 created, 0 changed, 0 unchanged"
    assert "source: {network: n}" in (tmp_path / "out/a.yaml").read_text()
    assert "passwd" not in (tmp_path / "out/b.yaml").read_text()
    notes = [line for line in done.stderr.splitlines() if "secrets" in line]
    assert notes == ["b: note: has secrets, which are left out: use --with-secrets to include them"]
    assert "hush" not in done.stderr


def test_some_with_their_secrets(import_: Import) -> None:
    done = import_("--with-secrets", "b")
    assert done.returncode == 0
    assert done.stdout.startswith("type: qemu\nname: b\n")
    assert "passwd: hush" in done.stdout
    assert "left out" not in done.stderr


def test_one_that_is_not_there(import_: Import) -> None:
    done = import_("c")
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.splitlines()[-1].startswith("c: is no domain of this driver")


def test_driver_that_is_not_there(run: Run) -> None:
    result = run("import", "--connect", "nope:///x")
    assert result.stderr.startswith("nope:///x: ")
    assert (result.stdout, result.stderr.count("\n"), result.exit_code) == ("", 1, 2)
