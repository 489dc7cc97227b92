"""The collection kvmrender.libvirt, with the real ansible-core and libvirt."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import ROOT
from tools import execute, files, lay_out, tool

import kvmrender

PAGE = ROOT / "docs/ansible.md"
GUESTS = {"north": {"web-1", "web-2"}, "south": {"db-1"}}

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
        python = tool("ansible")
        hosts = {
            "ansible_connection": "local",
            "ansible_python_interpreter": python,
            "folder": f"{self.folder}/{{{{ inventory_hostname }}}}",
            "libvirt": self.uri,
        }
        extra = [argument for name, value in hosts.items() for argument in ("-e", f"{name}={value}")]
        return self.run("ansible-playbook", "-i", "inventory.yaml", "site.yaml", *extra, *options)

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        home = {"ANSIBLE_HOME": str(self.folder / "home"), "ANSIBLE_LOCALHOST_WARNING": "false"}
        return execute(tool("ansible", program), *arguments, cwd=self.folder, **home)

    def written(self) -> dict[str, set[str]]:
        return {host: {path.stem for path in (self.folder / host).glob("*")} for host in GUESTS}


@pytest.fixture
def site(tmp_path: Path, session_uri: str) -> Site:
    return Site(tmp_path, session_uri)


def changed(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return the number of changes on each host, of a play in which nothing failed."""
    assert done.returncode == 0, done.stdout + done.stderr
    return {host: int(number) for host, number in re.findall(r"^(\w+) +: .*changed=(\d+)", done.stdout, re.MULTILINE)}


def virsh(site: Site, *arguments: str) -> str:
    command = ["virsh", "-c", site.uri, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_play_renders_and_defines_each_host_s_guests_and_a_second_run_changes_nothing(site: Site) -> None:
    dry = site.play("--check", "--diff")
    assert dry.returncode == 0, dry.stdout
    assert site.written() == {"north": set(), "south": set()}
    assert virsh(site, "list", "--all", "--name").split() == []
    try:
        first = site.play("--diff")
        assert changed(first) == {"north": 3, "south": 3}  # the folder, the files, the definitions
        assert site.written() == GUESTS
        assert virsh(site, "list", "--all", "--name").split() == ["db-1", "web-1", "web-2"]
        assert "of-vault" not in first.stdout + first.stderr
        assert 'passwd="***"' in first.stdout
        uuid = re.findall(r"<uuid>(.*)</uuid>", (site.folder / "south/db-1.xml").read_text())
        assert virsh(site, "domuuid", "db-1").split() == uuid
        assert changed(site.play()) == {"north": 0, "south": 0}
        site.edit("memory: 2 GiB", "memory: 3 GiB")
        third = site.play("--diff")
        assert changed(third) == {"north": 2, "south": 0}
        assert '-  <memory unit="MiB">2048</memory>\n' in third.stdout
        assert '+  <memory unit="MiB">3072</memory>\n' in third.stdout
        assert "Max memory:     3145728 KiB" in virsh(site, "dominfo", "web-2")
    finally:
        for name in virsh(site, "list", "--all", "--name").split():
            virsh(site, "undefine", name)


def test_bad_guest_fails_the_task_with_field_and_line_and_writes_nothing(site: Site) -> None:
    (message,) = re.findall(r"^```text\n(inventory.*)\n```$", PAGE.read_text(), re.MULTILINE)
    site.edit("memory: 2 GiB", "memroy: 2 GiB")
    site.edit("- name: db-1\n", "- name: db-1\n        vcpu: none\n")
    done = site.play()
    assert done.returncode == 2
    assert f"{site.folder}/{message}\n" in done.stdout
    assert site.written() == {"north": set(), "south": set()}
    # Without the task that looks at all of them, each host fails with its own, and writes its good ones.
    lone = site.play("--start-at-task", "A folder for them")
    assert lone.returncode == 2
    assert f"{site.folder}/{message}\n" in lone.stdout
    assert f"{site.folder}/inventory.yaml:17:15: vcpu: 'none' is not" in lone.stdout
    assert site.written() == {"north": {"web-1"}, "south": set()}
    assert "of-vault" not in done.stdout + lone.stdout


def test_guests_of_two_hosts_that_share_something_fail_the_play(site: Site) -> None:
    site.edit("images/db-1", "images/web-1")
    done = site.play()
    assert done.returncode == 2
    assert "disks[0].source.file: '/var/lib/libvirt/images/web-1.qcow2', which guest 'db-1' writes to" in done.stdout
    assert f"is written by 'web-1' too (disks[0].source.file at {site.folder}/inventory.yaml:8:26)" in done.stdout
    assert site.written() == {"north": set(), "south": set()}


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
    for kind, name in (("module", "guest_file"), ("filter", "domain_xml"), ("filter", "clashes")):
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
