"""--libvirt, needs, and docs/versions.md."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT, Run
from tools import files

from kvmrender.schema.versions import NEWEST, OLDEST

PAGE = (ROOT / "docs/versions.md").read_text()
FLEET = files(ROOT / "docs/versions.md")["fleet.yaml"]
EXAMPLES = re.findall(r"^```sh\nkvmrender (.*?)\n```\n\n```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

NEWER = "name: a\nsounds: virtio\n"


@pytest.fixture(autouse=True)
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(("command", "said"), EXAMPLES, ids=[command for command, _ in EXAMPLES])
def test_page_shows_what_is_said(command: str, said: str, run: Run) -> None:
    result = run(*command.replace("'", "").split())
    assert result.stdout + result.stderr == said


@pytest.mark.parametrize("command", ["render", "context"])
def test_command_line_has_the_last_word(command: str, run: Run) -> None:
    guest = f"libvirt: 9.0\n{NEWER}"
    assert "the guest is for 9.0 (for older versions, use ich9) [version]\n" in run(command, input=guest).stderr
    assert run(command, "--libvirt", "10.4", input=guest).exit_code == 0
    assert run(command, "--libvirt", "any", input=guest).exit_code == 0
    assert "the guest is for 10.3 " in run(command, "--libvirt", "10.3", "--set", "libvirt=12.0", input=guest).stderr


@pytest.mark.parametrize("command", ["render", "validate", "explain", "schema", "templates check"])
def test_malformed_version(command: str, run: Run) -> None:
    for text in ("9.x", "latest", "10.0.0.1", "", "9.0\n"):
        result = run(*command.split(), "--libvirt", text)
        assert result.exit_code == 2
        assert "is not a version of libvirt, such as 9.0, 9.0.0 or 12.8.0" in result.stderr
    assert "libvirt: 'latest' is not a version" in run("render", input="name: a\nlibvirt: latest\n").stderr


def test_version_that_is_not_known(run: Run) -> None:
    assert run("render", "--libvirt", "99", input=NEWER).exit_code == 0
    result = run("render", "--libvirt", "8.5", input="name: a\n")
    assert result.exit_code == 0
    assert "note: versions before 9.0 are not known" in result.stderr


def test_needs_is_sorted_and_tells_both_ways(run: Run) -> None:
    guests = [
        {"name": "plain"},
        {"name": "gone", "shmems": [{"name": "x", "model": "ivshmem"}]},
        {"name": "loong", "arch": "loongarch64"},
        {"name": "grows", "maxMemory": {"slots": 1, "text": 1048576}, "libvirt": "9.0"},
    ]
    result = run("needs", input=json.dumps({"guests": guests}))
    assert result.stdout.splitlines() == [
        "loong: 10.2.0 (arch)",
        "grows: 9.6.0 (maxMemory)",
        "plain: 9.0.0",
        "gone: 9.0.0, before 8.7.0 (shmems[0].model.type)",
    ]
    reported = run("needs", "--report", "json", "--select", "g*", input=json.dumps({"guests": guests})).stdout
    found = [json.loads(line) for line in reported.splitlines()]
    assert [(one["name"], one["libvirt"], one["until"]) for one in found] == [
        ("grows", "9.6.0", None),
        ("gone", "9.0.0", "8.7.0"),
    ]


def test_needs_has_layers_and_templates(tmp_path: Path, run: Run) -> None:
    (tmp_path / "site").mkdir()
    part = (
        "extends: shipped/guest.schema.yaml\nproperties: {rack: {description: A rack., type: string, since: 13.1.0}}\n"
    )
    (tmp_path / "site/guest.schema.yaml").write_text(part)
    (tmp_path / "under.yaml").write_text("rack: r1\n")
    result = run(
        "needs", "--templates", "site", "--defaults", "under.yaml", "--set", "os.firmware=efi", input="name: a\n"
    )
    assert result.stdout == "a: 13.1.0 (rack)\n"


def test_needs_of_a_guest_that_is_wrong(run: Run) -> None:
    result = run("needs", input="name: a\nmemroy: 1\n")
    assert (result.stdout, result.exit_code) == ("", 2)
    assert "did you mean 'memory'?" in result.stderr


def test_explain_leaves_out_what_a_libvirt_lacks(run: Run) -> None:
    assert "throttlefilters" in run("explain", "disks", "--libvirt", "11.2").stdout
    assert "throttlefilters" not in run("explain", "disks", "--libvirt", "11.1").stdout
    result = run("explain", "disks.throttlefilters.throttlefilter", "--libvirt", "10.0")
    assert result.stderr == "disks.throttlefilters.throttlefilter: is not in libvirt 10.0, but in libvirt 11.2.0\n"
    result = run("explain", "throttlegroups", "--libvirt", "10.0")
    assert result.stderr == "throttlegroups: is not in libvirt 10.0, but in libvirt 11.2.0\n"
    assert "vhostvdpa" not in run("explain", "disks.type", "--libvirt", "9.7").stdout.partition("since")[0]
    assert "loongarch64" not in run("explain", "arch", "--libvirt", "10.1").stdout
    assert "ivshmem," not in run("explain", "shmems.model.type", "--libvirt", "9.0").stdout


def test_schema_leaves_out_what_a_libvirt_lacks(run: Run) -> None:
    import jsonschema_rs

    guest = {"name": "a", "disks": [{"source": "/a.qcow2", "driver": {"discard_no_unref": "on"}}]}
    for libvirt, is_there in (("9.4", False), ("9.5.0", True), ("12.8", True)):
        schema = json.loads(run("schema", "--libvirt", libvirt).stdout)
        validator = jsonschema_rs.Draft202012Validator(schema)
        assert validator.is_valid(guest) is is_there
        assert validator.is_valid({"name": "a", "arch": "arm64", "launchSecurity": "sev-snp"}) is (libvirt == "12.8")
        assert validator.is_valid({"name": "a", "arch": "loongarch64"}) is (libvirt == "12.8")


def test_templates_check_is_for_a_version(tmp_path: Path, run: Run) -> None:
    (tmp_path / "new.yaml").write_text(NEWER)
    result = run("templates", "check", "--libvirt", "9.0", "--guest", "new.yaml")
    assert result.exit_code == 2
    assert "sounds[0].model: 'virtio' needs libvirt 10.4.0, the guest is for 9.0" in result.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/versions.md"])
def test_pages_say_which_releases_are_covered(page: str) -> None:
    assert f"{OLDEST} to {NEWEST}" in (ROOT / page).read_text()
