"""Profiles: ``use`` in guests and defaults, ``--use``, and the commands that say what profiles there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from conftest import ROOT, Run
from tools import files

import kvmrender
from kvmrender.engine import default_engine
from kvmrender.templating.stack import Stack

PAGE = ROOT / "docs/profiles.md"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "site/profiles"
    folder.mkdir(parents=True)
    (folder / "low.yaml").write_text("# Low\n# and slow.\nmemory: 1 GiB\nvcpu: 2\ntitle: low\nrngs: [/dev/random]\n")
    (folder / "high.yaml").write_text("vcpu: 4\ntitle: high\n")
    return "site"


def seen(run: Run, *arguments: str, guest: Any) -> dict[str, Any]:
    result = run("context", *arguments, input=json.dumps(guest))
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = kvmrender.load("-.yaml", data=result.stdout.encode())[0].guest
    return found


def test_order_is_defaults_profiles_guest_set(site: str, run: Run) -> None:
    fleet = {
        "defaults": {"title": "of defaults", "description": "of defaults", "vcpu": 9},
        "guests": [{"name": "a", "use": ["low", "high"], "memory": "3 GiB"}],
    }
    found = seen(run, "--templates", site, "--set", "vcpu.text=7", guest=fleet)
    assert (found["title"], found["description"]) == ("high", "of defaults")
    assert (found["memory"]["text"], found["vcpu"]["text"]) == (3072, 7)
    fleet["guests"][0]["use"] = ["high", "low"]
    assert seen(run, "--templates", site, guest=fleet)["title"] == "low"


def test_defaults_and_the_command_line_name_profiles(site: str, run: Run) -> None:
    fleet: dict[str, Any] = {"defaults": {"use": "high"}, "guests": [{"name": "a"}]}
    assert seen(run, "--templates", site, guest=fleet)["vcpu"]["text"] == 4
    assert seen(run, "--templates", site, "--use", "low", guest=fleet)["title"] == "low"
    fleet["guests"][0]["use"] = []  # as every list, it replaces that of defaults
    assert seen(run, "--templates", site, guest=fleet)["vcpu"]["text"] == 1
    lines = "".join(json.dumps({"name": name, "use": ["high"]}) + "\n" for name in "abc")
    assert run("render", "--templates", site, input=lines).stdout.count("<title>high</title>") == 3


def test_settings_reach_into_what_a_profile_brings(site: str, run: Run) -> None:
    found = seen(
        run, "--templates", site, "--use", "low", "--set", "rngs[0].model=virtio-transitional", guest={"name": "a"}
    )
    assert [rng["model"] for rng in found["rngs"]] == ["virtio-transitional"]


WITH_SCHEMA = pytest.param("validate", marks=pytest.mark.libvirt)


@pytest.mark.parametrize("command", ["render", "context", "needs", "graph", WITH_SCHEMA])
def test_unknown_profile(command: str, run: Run) -> None:
    result = run(command, input="name: a\nuse: [linux, windos-11]\n")
    assert result.exit_code == 2
    assert "<stdin>:2:14: use[1]: 'windos-11' is not one of cloud, " in result.stderr
    assert "(did you mean 'windows-11'?)" in result.stderr
    result = run(command, "--use", "windos-11", input="name: a\n")
    assert (result.exit_code, result.stderr) == (
        2,
        "--use windos-11: is not a profile (did you mean 'windows-11'?) [set]\n",
    )


def test_what_a_profile_says_is_told_with_its_place(site: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "site/profiles/low.yaml").write_text("memory: 1 GiB\ncpus: 2\n")
    fleet = {"defaults": {"memory": "2 GiB"}, "guests": [{"name": "a", "use": ["low"]}]}
    result = run("render", "--templates", site, input=json.dumps(fleet))
    assert result.stderr == "site/profiles/low.yaml:2:1: cpus: is not a known key (did you mean 'vcpu'?) [schema]\n"
    result = run("render", input="name: a\narch: arm64\nuse: [windows-10]\n")
    assert "shipped/profiles/windows-10.yaml:6:11: features.hyperv: is only for amd64 guests" in result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "low.yaml:1:1: is not a single mapping"),
        ("a: [\n", "low.yaml:2:1: is not YAML"),
        ("use: [high]\n", "low.yaml:1:1: use: a profile can't use other profiles [file]"),
    ],
)
def test_profile_that_is_none(text: str, said: str, site: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "site/profiles/low.yaml").write_text(text)
    result = run("render", "--templates", site, input="name: a\nuse: [low]\n")
    assert result.exit_code == 2
    assert said in result.stderr
    assert run("render", "--templates", site, input="name: a\nuse: [high]\n").exit_code == 0
    assert said.split(":")[0] in run("templates", "check", site).stderr


def test_link_out_of_the_folder_is_refused(site: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.yaml").write_text("memory: 1 GiB\n")
    (tmp_path / "site/profiles/out.yaml").symlink_to(tmp_path / "elsewhere.yaml")
    result = run("render", "--templates", site, input="name: a\n")
    assert result.exit_code == 2
    assert "site/profiles/out.yaml: is a link that leads outside its folder" in result.stderr


def test_site_replaces_a_shipped_one(site: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "site/profiles/linux.yaml").write_text("title: ours\n")
    assert "<title>ours</title>" in run("render", "--templates", site, "--use", "linux", input="name: a\n").stdout
    assert run("profiles", "show", "--templates", site, "linux").stdout == "# site/profiles/linux.yaml\ntitle: ours\n"


def test_context_is_a_guest_that_needs_no_profile() -> None:
    guest = {"name": "a", "use": ["windows-11"], "videos": None, "graphics": [], "tpms": None}
    context = kvmrender.Renderer().context(guest)
    assert "use" not in context
    assert not context.get("tpms")
    assert kvmrender.render(context) == kvmrender.render(guest)
    assert 'machine="q35"' in kvmrender.render(guest)


@pytest.mark.slow
def test_templates_check_takes_profiles(site: str, run: Run, tmp_path: Path) -> None:
    guest = tmp_path / "a.yaml"
    guest.write_text("name: a\n")
    assert run("templates", "check", "--guest", str(guest), "--use", "linux").exit_code == 0
    found = run("templates", "check", "--guest", str(guest), "--use", "linus")
    assert (found.exit_code, "--use linus: is not a profile" in found.stderr) == (2, True)
    (tmp_path / "site/profiles/high.yaml").write_text("vcpu: many\n")
    assert "site/profiles/high.yaml:1: vcpu" in run("templates", "check", site).stderr


def test_list_and_show(site: str, run: Run) -> None:
    said = run("profiles", "list", "--templates", site).stdout
    assert [line.split()[0] for line in said.splitlines() if line[0] != " "] == sorted(
        [*Stack().profiles(), "high", "low"]
    )
    assert " Low and slow.\n" in said
    shown = run("profiles", "show", "windows-11").stdout
    assert shown == "# shipped/profiles/windows-11.yaml\n" + (ROOT / "templates/profiles/windows-11.yaml").read_text()
    result = run("profiles", "show", "window-11")
    assert (result.exit_code, result.stderr) == (2, "window-11: is not a profile (did you mean 'windows-11'?)\n")


def test_explain_names_the_profiles_that_say_something(run: Run) -> None:
    assert "  profiles   windows-10, windows-11\n" in run("explain", "features.hyperv.relaxed").stdout
    assert "  profiles" not in run("explain", "sysinfo").stdout


def test_editors_complete_the_names(run: Run) -> None:
    text = run("schema").stdout
    validator = jsonschema_rs.Draft202012Validator(json.loads(text))
    assert validator.is_valid({"name": "a", "use": ["windows-11"]})
    assert not validator.is_valid({"name": "a", "use": ["windows-12"]})
    assert str(ROOT) not in text


def test_every_profile_is_described_on_the_page() -> None:
    text = PAGE.read_text()
    for name in Stack().profiles():
        assert f"`{name}`" in text
        assert (ROOT / f"templates/profiles/{name}.yaml").read_text().startswith("# ")


def test_page_shows_what_is_rendered(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = files(PAGE)
    for name, text in found.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    assert run("render", "--templates", "site-templates", "fleet.yaml").exit_code == 0


def test_engine_of_shipped_templates_reads_no_profile() -> None:
    assert set(default_engine().schema.root["properties"]["use"]["items"]["enum"]) == set(Stack().profiles())


@pytest.mark.parametrize("profile", [None, *Stack().profiles()])
def test_init_writes_a_guest_that_renders(profile: str | None, run: Run, tmp_path: Path) -> None:
    use = ["--use", profile] if profile else []
    text = run("init", *use, "web-1").stdout
    (found,) = kvmrender.load("web-1.yaml", data=text.encode())
    assert (found.guest["name"], found.guest.get("use", [None])) == ("web-1", [profile])
    assert kvmrender.render(found.guest).startswith("<domain")
    # what stands in comments is right, too
    written = "\n".join(re.sub(r"^( *)# (?=- |[a-z]\w*: )", r"\1", line) for line in text.splitlines()[1:])
    (more,) = kvmrender.load("web-1.yaml", data=written.encode())
    assert len(more.guest["disks"]) > 1
    assert kvmrender.render(more.guest).startswith("<domain")


@pytest.mark.parametrize(
    ("profile", "shown"),
    [
        ("windows-11", "topology: {sockets: 1, cores: 4, threads: 1}"),
        ("windows-10", "/virtio-win.iso"),
        ("cloud", "  - {device: cdrom, source: /var/lib/libvirt/images/web-1-seed.iso, readonly: true}"),
        ("gpu-passthrough", 'hostdevs: ["0000:01:00.0", "0000:01:00.1"]'),
        ("real-time", "  vcpupin: [{vcpu: 0, cpuset: 2}"),
    ],
)
def test_init_shows_what_fits_a_profile(profile: str, shown: str, run: Run) -> None:
    assert shown in run("init", "--use", profile, "web-1").stdout
    others = [run("init", "web-1"), run("init", "--use", "linux", "web-1")]
    assert not any("seed" in other.stdout or "hostdevs" in other.stdout for other in others)
    assert run("init", "--use", profile, "web {1").exit_code == 0


def test_profile_of_ones_own_says_what_init_writes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/db.yaml").write_text("# A database.\nvcpu: 2\n---\nmemory: 16 GiB # at least\n")
    result = run("init", "--templates", tmp_path, "--use", "db", "db-1")
    assert "\nmemory: 16 GiB # at least\n" in result.stdout
    assert "vcpu" not in result.stdout
    rendered = run("render", "--templates", tmp_path, "--use", "db", input="name: a\n").stdout
    assert "<vcpu>2</vcpu>" in rendered
    assert '<memory unit="MiB">512</memory>' in rendered


def test_init_describes_each_field_and_leaves_out_what_a_profile_has(run: Run) -> None:
    text = run("init", "--use", "cloud", "--arch", "arm64", "web-1").stdout
    assert "such as 4 GiB.\nmemory: 2 GiB\n" in text
    assert "arch: arm64\n" in text
    assert "interfaces" not in text
    assert "interfaces:\n" in run("init", "web-1").stdout


def test_init_never_writes_over_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "web-1.yaml"
    assert run("init", "-o", str(file), "web-1").exit_code == 0
    file.write_text("mine")
    result = run("init", "-o", str(file), "web-1")
    assert (result.exit_code, result.stderr) == (2, f"{file}: already exists, and is not overwritten\n")
    assert file.read_text() == "mine"


def test_init_refuses_what_can_not_be_rendered(run: Run) -> None:
    for arguments, said in (
        (["a/b"], "name: "),
        (["--arch", "vax", "a"], "arch: 'vax' is not one of"),
        (["--use", "linus", "a"], "(did you mean 'linux'?)"),
    ):
        result = run("init", *arguments)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr
