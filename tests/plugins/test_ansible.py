"""The collection kvmrender.libvirt, with the real ansible-core and libvirt."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT
from tools import execute, files, lay_out, tool

import kvmrender

PAGE = ROOT / "docs/ansible.md"
NO_PYTHON = "/nonexistent/python"
"""What the module domain is to go without on the host."""

pytestmark = pytest.mark.libvirt


class Site:
    """The example of the page, in a folder, with a libvirt of its own."""

    def __init__(self, folder: Path, uri: str) -> None:
        self.folder, self.uri = folder, uri
        lay_out(folder, files(PAGE))

    def edit(self, old: str, new: str) -> None:
        """Change the inventory."""
        text = (self.folder / "inventory.yaml").read_text()
        assert old in text
        (self.folder / "inventory.yaml").write_text(text.replace(old, new))

    def play(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the play; the hosts are this one."""
        hosts = {"ansible_connection": "local", "ansible_python_interpreter": NO_PYTHON, "libvirt": self.uri}
        extra = [argument for name, value in hosts.items() for argument in ("-e", f"{name}={value}")]
        return self.run("ansible-playbook", "-i", "inventory.yaml", "site.yaml", *extra, *options)

    def run(self, program: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        own = {"ANSIBLE_LOCALHOST_WARNING": "false", **environment}
        return execute(tool("ansible", program), *arguments, cwd=self.folder, **own)

    def virsh(self, *arguments: str) -> str:
        command = ["virsh", "-q", "-c", self.uri, *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    def defined(self) -> list[str]:
        return self.virsh("list", "--all", "--name").split()

    def change(self, name: str, old: str, new: str) -> None:
        """Change a definition, as somebody on the host may."""
        before = self.virsh("dumpxml", "--inactive", "--security-info", name)
        assert old in before
        (self.folder / "changed.xml").write_text(before.replace(old, new))
        self.virsh("define", f"{self.folder}/changed.xml")


@pytest.fixture
def site(tmp_path: Path, session_uri: str) -> Iterator[Site]:
    found = Site(tmp_path, session_uri)
    yield found
    for name in found.virsh("list", "--name").split():
        found.virsh("destroy", name)
    for name in found.defined():
        found.virsh("undefine", "--nvram", name)


def changed(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return the number of tasks that changed each host, of a play in which nothing failed."""
    assert done.returncode == 0, done.stdout + done.stderr
    return {host: int(number) for host, number in re.findall(r"^(\w+) +: .*changed=(\d+)", done.stdout, re.MULTILINE)}


def test_play_defines_each_host_s_guests_and_a_second_run_changes_nothing(site: Site) -> None:
    dry = site.play("--check", "--diff")
    assert changed(dry) == {"north": 1, "south": 1}
    assert site.defined() == []
    first = site.play("--diff")
    assert changed(first) == {"north": 1, "south": 1}
    assert site.defined() == ["db-1", "web-1", "web-2"]
    assert "of-vault" not in first.stdout + first.stderr
    assert 'passwd="***"' in first.stdout
    assert sorted(re.findall("^[-+].*$", dry.stdout, re.M)) == sorted(re.findall("^[-+].*$", first.stdout, re.M))
    for options in ([], ["--check"]):
        assert changed(site.play(*options)) == {"north": 0, "south": 0}
    site.edit("memory: 2 GiB", "memory: 3 GiB")
    third = site.play("--diff")
    assert changed(third) == {"north": 1, "south": 0}
    assert '+  <memory unit="MiB">3072</memory>\n' in third.stdout
    assert "Max memory:     3145728 KiB" in site.virsh("dominfo", "web-2")


def test_what_somebody_changed_on_the_host_is_named_and_repaired(site: Site) -> None:
    assert changed(site.play()) == {"north": 1, "south": 1}
    site.change("web-1", "type='qcow2'", "type='qcow2' cache='unsafe'")
    site.change("web-1", "of-vault", "of-other")
    before = site.virsh("dumpxml", "--inactive", "web-1")
    for options in (["--check"], []):
        assert site.virsh("dumpxml", "--inactive", "web-1") == before
        done = site.play("--diff", "-v", *options)
        assert changed(done) == {"north": 1, "south": 0}
        assert (
            f"{site.folder}/inventory.yaml:8:17: disks[0].driver.cache: nothing here, unsafe on the host" in done.stdout
        )
        assert "graphics[0].passwd: another one on the host: it is a secret" in done.stdout
        assert '-      <driver name="qemu" type="qcow2" cache="unsafe"/>\n' in done.stdout
        assert not {"of-vault", "of-other"} & {*re.findall("of-[a-z]+", done.stdout + done.stderr)}
    assert "unsafe" not in site.virsh("dumpxml", "web-1")
    assert "of-vault" in site.virsh("dumpxml", "--security-info", "web-1")
    assert changed(site.play()) == {"north": 0, "south": 0}


def test_bad_guest_fails_the_task_with_field_and_line_and_defines_nothing(site: Site) -> None:
    (message,) = re.findall(r"^```text\n(inventory.*)\n```$", PAGE.read_text(), re.MULTILINE)
    site.edit("memory: 2 GiB", "memroy: 2 GiB")
    site.edit("- name: db-1\n", "- name: db-1\n        vcpu: none\n")
    done = site.play()
    assert done.returncode == 2
    assert f"{site.folder}/{message}\n" in done.stdout
    assert site.defined() == []
    # Without the task that looks at all of them, each host fails with its own, and has its good ones defined.
    lone = site.play("--start-at-task", "Guests on libvirt")
    assert lone.returncode == 2
    assert f"{site.folder}/{message}\n" in lone.stdout
    assert f"{site.folder}/inventory.yaml:17:15: vcpu: 'none' is not" in lone.stdout
    assert site.defined() == ["web-1"]
    assert "of-vault" not in done.stdout + lone.stdout


def test_guests_of_two_hosts_that_share_something_fail_the_play(site: Site) -> None:
    site.edit("images/db-1", "images/web-1")
    done = site.play()
    assert done.returncode == 2
    assert "disks[0].source.file: '/var/lib/libvirt/images/web-1.qcow2', which guest 'db-1' writes to" in done.stdout
    assert f"is written by 'web-1' too (disks[0].source.file at {site.folder}/inventory.yaml:8:26)" in done.stdout
    assert site.defined() == []


SMALL = {"name": "a", "type": "qemu", "memory": "32 MiB", "graphics": [{"type": "vnc", "passwd": "s3cret"}]}


def domain(site: Site, *options: str, path: str = "", **arguments: object) -> Any:
    """Run the module domain alone, and return its result."""
    given = json.dumps({"guest": SMALL, "uri": site.uri, **arguments})
    python = f"ansible_python_interpreter={NO_PYTHON}"
    command = ["ansible", "localhost", "-m", "kvmrender.libvirt.domain", "-a", given, "-e", python, "-D", *options]
    done = site.run(*command, **({"PATH": path} if path else {}))
    told = done.stdout + done.stderr
    assert not [secret for secret in ("s3cret", "of-other") if secret in told], told
    return {**json.loads(done.stdout.rpartition("=> ")[2]), "told": told}


def test_states(site: Site) -> None:
    def actions(*options: str, **arguments: object) -> Any:
        done = domain(site, *options, **arguments)
        assert done["changed"] == bool(done["actions"])
        return done["actions"]

    def is_running() -> bool:
        return site.virsh("list", "--name").split() == ["a"]

    assert actions("--check", state="running") == ["defined", "started"]
    assert site.defined() == []
    assert actions(state="running") == ["defined", "started"]
    assert is_running()
    for state in ("running", "defined"):
        assert actions(state=state) == []
    site.virsh("destroy", "a")
    assert actions(state="defined") == []
    for options in (["--check"], []):
        assert not is_running()
        assert actions(*options, state="running") == ["started"]
    done = domain(site, state="running", guest={**SMALL, "vcpu": 2})
    assert (done["actions"], done["takes"]) == (["defined"], ["a define", "a restart"])
    assert domain(site, guest={**SMALL, "vcpu": 2})["takes"] == ["a restart"]
    assert is_running()
    for options in (["--check"], []):
        assert is_running()
        assert actions(*options, state="absent", guest={"name": "a"}) == ["stopped", "undefined"]
    assert site.defined() == []
    assert actions(state="absent", guest={"name": "a"}) == []


def test_a_domain_that_is_in_the_way_fails_the_task(site: Site) -> None:
    assert domain(site)["changed"]
    uuid = kvmrender.Renderer().context(SMALL)["uuid"]
    other = f"1{uuid[1:]}" if uuid[0] != "1" else f"2{uuid[1:]}"
    cases = (
        (
            {**SMALL, "name": "b", "uuid": uuid},
            "b: is not defined on the host, where 'a' has its UUID: libvirt takes",
        ),
        ({**SMALL, "uuid": other}, f"a: {other} here, {uuid} on the host: libvirt takes no definition"),
    )
    for guest, said in cases:
        for options in (["--check"], []):
            assert said in domain(site, *options, guest=guest)["msg"]
    assert site.defined() == ["a"]


def test_what_libvirt_does_not_keep_is_told(site: Site) -> None:
    done = domain(site, guest={**SMALL, "extra": {"devices": "<shade/>"}})
    assert done["changed"]
    assert "libvirt does not keep a value of the guest: extra: " in done["told"]
    assert "shade: only here" in done["told"]


def test_xml_is_in_a_file_of_its_owner_while_virsh_reads_it(site: Site) -> None:
    spy = site.folder / "bin/virsh"
    spy.parent.mkdir()
    noted = 'for last; do :; done\nif [ -f "$last" ]; then stat -c "%a %n" "$last" >> noted; fi\n'
    spy.write_text(f'#!/bin/sh\ncd {site.folder}\n{noted}exec {shutil.which("virsh")} "$@"\n')
    spy.chmod(0o755)
    assert domain(site, path=f"{spy.parent}:{os.environ['PATH']}")["changed"]
    mode, file = (site.folder / "noted").read_text().split()
    assert mode == "600"
    assert not Path(file).parent.exists()


def test_faults_of_a_domain_are_told(site: Site) -> None:
    assert "Unsupported parameters: colour" in domain(site, colour="red")["msg"]
    assert "missing required arguments: guest" in domain(site, guest=None)["msg"]
    assert "state must be one of: defined, running, absent" in domain(site, state="up")["msg"]
    assert "virsh list: error: failed to connect" in domain(site, uri="qemu:///nowhere")["msg"]
    refused = domain(site, guest={**SMALL, "emulator": "/s3cret"})  # its password, as it happens
    assert "virsh define: error: " in refused["msg"]
    assert "/***" in refused["msg"]
    assert site.defined() == []


def task(site: Site, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the module alone, on one guest with a secret."""
    guest = {"name": "a", "graphics": [{"type": "vnc", "passwd": "s3cret"}]}
    arguments = json.dumps({"guest": guest, "dest": "out.xml", **options})
    python = f"ansible_python_interpreter={tool('ansible')}"
    return site.run(
        "ansible", "localhost", "-m", "kvmrender.libvirt.guest_file", "-a", arguments, "-e", python, "-vvv", "-D"
    )


def test_options_of_files(site: Site) -> None:
    file = site.folder / "out.xml"
    first = task(site)
    assert first.returncode == 0, first.stdout
    assert file.stat().st_mode & 0o777 == 0o640
    assert file.read_text() == kvmrender.render({"name": "a", "graphics": [{"type": "vnc", "passwd": "s3cret"}]})
    assert task(site, mode="0600").returncode == 0
    assert file.stat().st_mode & 0o777 == 0o600
    again = task(site, guest={"name": "a", "graphics": [{"type": "vnc", "passwd": "other"}]}, backup=True)
    assert "# only secrets differ" in again.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    (backup,) = site.folder.glob("out.xml.*~")
    assert "s3cret" in backup.read_text()
    refused = task(site, guest={"name": "b"}, validate="grep -q s3cret %s")
    assert refused.returncode != 0
    assert "failed to validate" in refused.stdout
    assert "other" in file.read_text()
    assert task(site, dest=f"{site.folder}/new.xml", guest={"name": "b"}).returncode == 0
    assert (site.folder / "new.xml").stat().st_mode & 0o777 == 0o644
    assert "Unsupported parameters: colour" in task(site, colour="red").stdout
    assert "missing required arguments: guest" in task(site, guest=None).stdout
    told = first.stdout + first.stderr + again.stdout + again.stderr
    assert "s3cret" not in told


def test_name_of_a_guest_is_not_expanded(site: Site) -> None:
    (site.folder / "out").mkdir()
    guest = {"name": "a$HOME${PATH}"}
    for dest in ("out", "out/"):
        done = task(site, guest=guest, dest=f"{site.folder}/{dest}")
        assert done.returncode == 0, done.stdout
    assert '"changed": false' in done.stdout
    (file,) = (site.folder / "out").iterdir()
    assert file.name == "a$HOME${PATH}.xml"
    assert file.read_text() == kvmrender.render(guest)


def test_old_file_and_messages_show_no_secret(site: Site) -> None:
    (site.folder / "out.xml").write_text("<domain><graphics type='vnc' passwd='of-old'/></domain>\n")
    (site.folder / "out.xml").chmod(0o644)
    done = task(site)
    assert done.returncode == 0, done.stdout
    assert "+++ after: a.xml" in done.stdout
    assert "of-old" not in done.stdout
    assert "s3cret" not in done.stdout
    assert (site.folder / "out.xml").stat().st_mode & 0o777 == 0o640  # it holds a secret now
    failed = task(
        site, guest={"name": "a", "graphics": [{"type": "vnc", "passwd": "hunter2"}]}, validate="tail %s -n 99 /-"
    )
    assert failed.returncode != 0
    assert "failed to validate" in failed.stdout
    assert "hunter2" not in failed.stdout + failed.stderr


def test_templates_of_one_s_own_and_a_namespace(site: Site) -> None:
    own = site.folder / "site-templates/devices/disk.xml.j2"
    own.parent.mkdir(parents=True)
    own.write_text("<!-- of the site -->\n")
    guest = {"name": "a", "disks": [{"source": "/a.qcow2"}]}
    assert task(site, guest=guest, namespace="north", templates="site-templates").returncode == 0
    text = (site.folder / "out.xml").read_text()
    assert "<!-- of the site -->" in text
    assert kvmrender.Renderer().context({**guest, "namespace": "north"})["uuid"] in text


def test_documentation_and_examples_are_good(site: Site) -> None:
    for kind, name in (("module", "domain"), ("module", "guest_file"), ("filter", "domain_xml"), ("filter", "clashes")):
        done = site.run("ansible-doc", "--json", "-t", kind, f"kvmrender.libvirt.{name}")
        assert done.returncode == 0, done.stderr
        (found,) = json.loads(done.stdout).values()
        assert found["doc"]["description"]
        assert found["doc"]["collection"] == "kvmrender.libvirt"
        play = [{"hosts": "localhost", "tasks": yaml.safe_load(found["examples"])}]
        (site.folder / "play.yaml").write_text(yaml.safe_dump(play))
        checked = site.run("ansible-playbook", "--syntax-check", "play.yaml")
        assert checked.returncode == 0, checked.stderr
        assert set(found["doc"].get("options", {})) >= {"namespace"}


def test_collection_has_the_version_of_the_package() -> None:
    galaxy = yaml.safe_load((ROOT / "ansible_collections/kvmrender/libvirt/galaxy.yml").read_text())
    assert galaxy["version"] == kvmrender.__version__
