"""docs/templates.md: each example does what the text says, and leaves nothing for the check to find."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from conftest import ROOT, Run, find, parse
from tools import assert_valid, blocks, lay_out, section, titled

PAGE = ROOT / "docs/templates.md"
MESSAGE = blocks(PAGE, "text")[-2]
POLICY = "State a policy of the site"
GUEST = "name: web-1\ndisks:\n- source: /a.qcow2\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("web-1.yaml").write_text(GUEST)
    return tmp_path


def write(heading: str) -> None:
    """Write the files of a section."""
    lay_out(Path(), dict(titled(section(PAGE, heading))))


def execute(run: Run, heading: str, *more: str) -> str:
    """Run the command of a section, and return the XML that it writes."""
    (command,) = re.findall(r"^```sh\n(kvmrender render .*)\n```$", section(PAGE, heading), re.MULTILINE)
    result = run(*shlex.split(command)[1:], *more)
    assert result.exit_code == 0, result.stderr
    if heading != "Add a device":  # the page itself says that libvirt has none such
        assert_valid(result.stdout)
    return result.stdout


def check(run: Run) -> str:
    return run("templates", "check", "site").stderr


def test_commands(folder: Path, run: Run) -> None:
    for line in blocks(PAGE, "sh")[0].splitlines():
        result = run(*shlex.split(line, comments=True)[1:])
        assert result.exit_code == 0, result.stderr
    assert Path("site/devices/disk.xml.j2").exists()


def test_page_from_top_to_bottom(folder: Path, run: Run) -> None:
    """As somebody follows it who keeps what came before."""
    Path("web-1.yaml").write_text((ROOT / "fixtures/web-1.yaml").read_text())
    headings = [heading for heading in re.findall(r"^## (.*)$", PAGE.read_text(), re.MULTILINE) if heading != POLICY]
    for heading in headings[: headings.index("What a schema part may say")]:
        write(heading)
        assert find(execute(run, heading), "name").text == "web-1"
    assert check(run) == ""


def test_attribute(folder: Path, run: Run) -> None:
    write("Add an attribute")
    assert find(execute(run, "Add an attribute"), "metadata/{https://example.org/site}rack").text == "r12"
    assert (
        find(run("render", "--templates", "site", input="name: a\nmetadata: <a/>\n").stdout, "metadata/a") is not None
    )
    assert (
        "rack: 'x' is not a rack, such as r12"
        in run("render", "--templates", "site", input="name: a\nrack: x\n").stderr
    )
    assert "rack" in json.loads(run("schema", "--templates", "site").stdout)["properties"]
    assert check(run) == ""


def test_default(folder: Path, run: Run) -> None:
    write("Give a default of the site")
    assert find(execute(run, "Give a default of the site"), "devices/graphics").attrib["keymap"] == "de"
    given = "name: a\ngraphics: [{type: vnc, keymap: fr}, {type: spice, keymap: null}, sdl]\n"
    shown = parse(run("render", "--templates", "site", input=given).stdout).findall("devices/graphics")
    assert [one.get("keymap") for one in shown] == ["fr", None, None]
    assert check(run) == ""


def test_block(folder: Path, run: Run) -> None:
    write("Override one block")
    xml = execute(run, "Override one block", "--set", "arch=arm64")
    assert find(xml, "devices/tpm").attrib == {"model": "tpm-tis"}
    assert parse(execute(run, "Override one block")).find("devices/tpm") is None
    assert check(run) == ""


def test_device(folder: Path, run: Run) -> None:
    write("Add a device")
    assert find(execute(run, "Add a device"), "devices/beacon").attrib == {"colour": "red"}
    result = run("render", "--templates", "site", input="name: a\nbeacons: [green]\n")
    assert "beacons[0].colour: 'green' is not one of red, blue" in result.stderr
    assert check(run) == ""


def test_architecture(folder: Path, run: Run) -> None:
    write("Add an architecture")
    xml = execute(run, "Add an architecture")
    assert find(xml, "os/type").attrib == {"arch": "i686", "machine": "pc"}
    assert find(xml, "devices/disk/target").attrib == {"dev": "hda", "bus": "ide"}
    assert find(xml, "features/acpi") is not None
    assert (
        "hyperv"
        in run(
            "render", "--templates", "site", input="name: a\narch: i686\nfeatures: {hyperv: {relaxed: true}}\n"
        ).stdout
    )
    assert check(run) == ""


def test_rules(folder: Path, run: Run) -> None:
    Path("web-1.yaml").write_text((ROOT / "fixtures/web-1.yaml").read_text())
    write("Add a rule")
    execute(run, "Add a rule")
    wrong = run("render", "--templates", "site", "web-1.yaml", "--set", "graphics=[{type: vnc, listen: '0.0.0.0'}]")
    assert wrong.exit_code == 2
    assert "graphics[0].listen[0].address: 0.0.0.0 is open to every network" in wrong.stderr
    assert "disks[0].driver.discard: is to be unmap" in wrong.stderr
    allowed = run("render", "--templates", "site", "web-1.yaml", "--set", "ignore=[discard]")
    assert (allowed.exit_code, allowed.stderr) == (0, "")
    assert check(run) == ""


def test_policy(folder: Path, run: Run) -> None:
    Path("web-1.yaml").write_text((ROOT / "fixtures/web-1.yaml").read_text())
    write(POLICY)
    refused, checked = re.findall(r"^```sh\nkvmrender (.*)\n```$", section(PAGE, POLICY), re.MULTILINE)
    (said,) = re.findall(r"^```text\n(.*?)^```$", section(PAGE, POLICY), re.MULTILINE | re.DOTALL)
    result = run(*shlex.split(refused))
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", said)
    assert run(*shlex.split(checked)).exit_code == 0
    assert run("render", "--templates", "policy", "web-1.yaml").exit_code == 0
    assert "br0, br-dmz" in run("explain", "--templates", "policy", "interfaces.source.bridge").stdout


def test_message(folder: Path, run: Run) -> None:
    Path("site/devices").mkdir(parents=True)
    Path("site/devices/disk.xml.j2").write_text('<disk type="{{ device.sauce }}"/>\n')
    result = run("render", "--templates", "site", "web-1.yaml")
    assert result.stderr == MESSAGE
