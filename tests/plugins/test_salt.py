"""The modules that Salt finds by the entry point, with the real salt-call."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from tools import blocks, execute, files, lay_out, tool

import kvmrender

PAGE = ROOT / "docs/salt.md"
COMMANDS = [line for block in blocks(PAGE, "sh") for line in block.splitlines() if line.startswith("salt-call")]
WEB = {
    "name": "web-1",
    "type": "qemu",
    "memory": "2 GiB",
    "disks": [{"source": "/var/lib/libvirt/images/web-1.qcow2"}],
    "graphics": [{"type": "vnc", "passwd": "of-vault"}],
}


class Minion:
    """A minion without a master, all of it in a folder: the example of the page."""

    def __init__(self, folder: Path, uri: str = "none") -> None:
        self.folder, self.domains, self.uri = folder, folder / "domains", uri
        lay_out(folder, files(PAGE), **{"/etc/kvmrender/domains": str(self.domains), "qemu:///system": uri})
        configuration = {
            "id": "north",
            "root_dir": str(folder / "root"),
            "file_roots": {"base": [str(folder / "states")]},
            "pillar_roots": {"base": [str(folder / "pillar")]},
        }
        (folder / "minion").write_text(yaml.safe_dump(configuration))

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ``salt-call --local``."""
        options = ["--local", "-c", ".", "--retcode-passthrough", "--out", "json"]
        return execute(tool("salt", "salt-call"), *options, *arguments, cwd=self.folder)

    def answer(self, *arguments: str) -> Any:
        done = self.call(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)["local"]

    def domains_of_libvirt(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Have guests kept on libvirt, as the page has it, and return the result of each state by its name."""
        (command,) = [one for one in COMMANDS if one.endswith("hypervisor.libvirt")]
        done = self.call(*shlex.split(command)[2:], *arguments)
        assert not [secret for secret in ("of-vault", "of-other") if secret in done.stdout + done.stderr]
        return {state["name"]: state for state in json.loads(done.stdout)["local"].values()}

    def virsh(self, *arguments: str) -> str:
        command = ["virsh", "-q", "-c", self.uri, *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    def states(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Apply the states, and return the result of each by its file."""
        found = json.loads(self.call("state.apply", "hypervisor", *arguments).stdout)["local"]
        return {Path(state["name"]).name: state for state in found.values()}


@pytest.fixture
def minion(tmp_path: Path) -> Minion:
    return Minion(tmp_path)


@pytest.fixture
def hypervisor(tmp_path: Path, session_uri: str) -> Iterator[Minion]:
    """A minion with a libvirt."""
    found = Minion(tmp_path, session_uri)
    yield found
    for name in found.virsh("list", "--name").split():
        found.virsh("destroy", name)
    for name in found.virsh("list", "--all", "--name").split():
        found.virsh("undefine", name)


@pytest.mark.libvirt
def test_state_keeps_guests_defined(hypervisor: Minion) -> None:
    dry = hypervisor.domains_of_libvirt("test=True")
    assert {name: state["result"] for name, state in dry.items()} == {"web-1": None, "web-0": True}
    assert dry["web-1"]["changes"]["actions"] == ["defined"]
    assert hypervisor.virsh("list", "--all", "--name").split() == []
    first = hypervisor.domains_of_libvirt()
    assert first["web-1"]["changes"] == dry["web-1"]["changes"]
    assert 'passwd="***"' in first["web-1"]["changes"]["diff"]
    for arguments in (["test=True"], []):
        again = hypervisor.domains_of_libvirt(*arguments)
        assert [(state["result"], state["changes"]) for state in again.values()] == [(True, {})] * 2

    changed = hypervisor.virsh("dumpxml", "--security-info", "web-1")
    changed = changed.replace("type='qcow2'", "type='qcow2' cache='unsafe'").replace("of-vault", "of-other")
    (hypervisor.folder / "changed.xml").write_text(changed)
    hypervisor.virsh("define", f"{hypervisor.folder}/changed.xml")
    for arguments, result in (["test=True"], None), ([], True):
        assert "unsafe" in hypervisor.virsh("dumpxml", "web-1")
        found = hypervisor.domains_of_libvirt(*arguments)["web-1"]
        assert found["result"] is result
        assert "disks[0].driver.cache: nothing here, unsafe on the host" in found["comment"]
        assert "graphics[0].passwd: another one on the host: it is a secret" in found["comment"]
        assert '-      <driver name="qemu" type="qcow2" cache="unsafe"/>\n' in found["changes"]["diff"]
    assert "unsafe" not in hypervisor.virsh("dumpxml", "web-1")
    assert "of-vault" in hypervisor.virsh("dumpxml", "--security-info", "web-1")
    assert hypervisor.domains_of_libvirt()["web-1"]["changes"] == {}


@pytest.mark.libvirt
def test_state_starts_and_removes_guests(hypervisor: Minion) -> None:
    def state(function: str, *arguments: str) -> Any:
        given = ["state.single", f"kvmrender.{function}", "name=a", f"uri={hypervisor.uri}", *arguments]
        ((_, found),) = json.loads(hypervisor.call(*given).stdout)["local"].items()
        return found["result"], found["changes"].get("actions"), found["comment"]

    guest = hypervisor.folder / "fleet.yaml"
    guest.write_text("guests: [{name: a, type: qemu, memory: 32 MiB}, {name: b}]\n")
    wanted = f"guest={guest}"
    assert state("running", wanted, "test=True")[:2] == (None, ["defined", "started"])
    assert state("running", wanted)[:2] == (True, ["defined", "started"])
    assert hypervisor.virsh("list", "--name").split() == ["a"]
    assert state("running", wanted) == (True, None, "is running")
    assert state("defined", wanted) == (True, None, "is defined")
    assert state("absent", "test=True")[:2] == (None, ["stopped", "undefined"])
    assert state("absent")[:2] == (True, ["stopped", "undefined"])
    assert hypervisor.virsh("list", "--all", "--name").split() == []
    assert state("absent") == (True, None, "is absent")
    guest.write_text("guests: [{name: a, memroy: 32 MiB}]\n")
    assert state("defined", wanted)[0] is False
    assert "fleet.yaml:1:20: memroy: is not a known key" in state("defined", wanted)[2]


def test_state_keeps_files_and_tells_of_changes(minion: Minion) -> None:
    dry = minion.states("test=True")
    assert {name: state["result"] for name, state in dry.items()} == {"web-1.xml": None, "db-1.xml": None}
    assert not minion.domains.exists()
    first = minion.states()
    assert all(state["result"] is True and state["changes"] for state in first.values())
    assert (minion.domains / "web-1.xml").read_text() == kvmrender.render(WEB)
    assert '<mac address="52:54:00:12:34:56"/>' in (minion.domains / "db-1.xml").read_text()
    modes = {path.name: path.stat().st_mode & 0o777 for path in minion.domains.iterdir()}
    assert modes == {"web-1.xml": 0o640, "db-1.xml": 0o600}
    assert not any(state["changes"] for state in minion.states().values())


def test_changes_are_a_difference_without_secrets(minion: Minion) -> None:
    minion.states()
    pillar = minion.folder / "pillar/guests.sls"
    pillar.write_text(pillar.read_text().replace("2 GiB", "3 GiB").replace("of-vault", "other"))
    for arguments in (["test=True"], []):
        found = minion.states(*arguments)
        diff = found["web-1.xml"]["changes"]["diff"]
        assert '-  <memory unit="MiB">2048</memory>\n' in diff
        assert '+  <memory unit="MiB">3072</memory>\n' in diff
        assert "of-vault" not in json.dumps(found)
        assert "other" not in diff
        assert not found["db-1.xml"]["changes"]
    assert 'passwd="other"' in (minion.domains / "web-1.xml").read_text()


def test_bad_guest_fails_its_state_with_field_and_line(minion: Minion) -> None:
    source = minion.folder / "states/hypervisor/db-1.yaml"
    source.write_text(source.read_text().replace("memory", "memroy"))
    done = minion.call("state.apply", "hypervisor")
    assert done.returncode != 0
    found = minion.states()
    assert found["web-1.xml"]["result"] is True
    assert found["db-1.xml"]["result"] is False
    assert found["db-1.xml"]["comment"].endswith(
        "db-1.yaml:3:1: memroy: is not a known key (did you mean 'memory'?) [schema]"
    )
    assert not (minion.domains / "db-1.xml").exists()
    assert "db-1.yaml:3:1: memroy" in minion.call("kvmrender.render", "salt://hypervisor/db-1.yaml").stderr


@pytest.mark.parametrize("command", [command for command in COMMANDS if "hypervisor.libvirt" not in command])
def test_commands_run(command: str, minion: Minion) -> None:
    arguments = shlex.split(command)
    assert arguments[:2] == ["salt-call", "--local"]
    assert minion.answer(*arguments[2:])


def test_execution_module_and_renderer_give_what_python_gives(minion: Minion) -> None:
    assert minion.answer("kvmrender.render", json.dumps(WEB)) == kvmrender.render(WEB)
    named = kvmrender.render({"name": "a", "namespace": "north"})
    assert minion.answer("kvmrender.render", "{name: a}", "namespace=north") == named
    assert minion.answer("kvmrender.context", json.dumps(WEB))["graphics"][0]["passwd"] == "***"
    card = {"source": "br0", "mac": "52:54:00:12:34:56"}  # without quotes on the page
    probe = kvmrender.render({"name": "probe-north", "on_poweroff": "destroy", "interfaces": [card]})
    assert minion.answer("slsutil.renderer", "salt://hypervisor/this-host.sls") == probe


def test_a_guest_of_several_is_chosen_by_its_name(minion: Minion) -> None:
    fleet = minion.folder / "fleet.yaml"
    fleet.write_text("guests: [{name: web-1}, {name: web-2}]\n")
    assert minion.answer("kvmrender.render", str(fleet), "name=web-2") == kvmrender.render({"name": "web-2"})
    assert (
        "holds 2 guests: say which by its name (web-1 or web-2)" in minion.call("kvmrender.render", str(fleet)).stderr
    )
    missed = minion.call("kvmrender.render", str(fleet), "name=wob-2").stderr
    assert "holds no guests with the name 'wob-2' (did you mean 'web-2'?)" in missed
    assert (
        "salt://nowhere.yaml: is not on the file server"
        in minion.call("kvmrender.render", "salt://nowhere.yaml").stderr
    )
