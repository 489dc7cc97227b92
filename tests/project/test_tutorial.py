"""docs/templates.md: each example does what the text says, and leaves nothing for the check to find."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from conftest import ROOT, Run, find, parse
from tools import assert_valid

PAGE = (ROOT / "docs/templates.md").read_text()
BLOCKS = dict(re.findall(r"^```(\w+ ?.*)\n((?:.*\n)*?)^```$", PAGE, re.MULTILINE))
GUEST = "name: web-1\ndisks:\n- source: /a.qcow2\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("web-1.yaml").write_text(GUEST)
    return tmp_path


def write(*titles: str) -> None:
    for title in titles:
        path = Path(title.split()[1])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(BLOCKS[title])


def execute(run: Run, title: str, *more: str) -> str:
    program, *arguments = BLOCKS[f"sh {title}"].split()
    assert program == "kvmrender"
    result = run(*arguments, *more)
    assert result.exit_code == 0, result.stderr
    if title != "beacon":  # the page itself says that libvirt has none
        assert_valid(result.stdout)
    return result.stdout


def check(run: Run) -> str:
    return run("templates", "check", "site").stderr


def test_commands(folder: Path, run: Run) -> None:
    for line in BLOCKS["sh"].splitlines():
        result = run(*line.partition("#")[0].split()[1:])
        assert result.exit_code == 0, result.stderr
    assert Path("site/devices/disk.xml.j2").exists()


def test_page_from_top_to_bottom(folder: Path, run: Run) -> None:
    """As somebody follows it who keeps what came before."""
    Path("web-1.yaml").write_text((ROOT / "fixtures/web-1.yaml").read_text())
    for title in BLOCKS:
        if title.startswith(("yaml ", "jinja ")):  # those with a name
            write(title)
        elif title.startswith("sh "):
            assert find(execute(run, title[3:]), "name").text == "web-1"
    assert check(run) == ""


def test_attribute(folder: Path, run: Run) -> None:
    write("yaml site/guest.schema.yaml", "jinja site/domain.xml.j2")
    assert find(execute(run, "rack"), "metadata/{https://example.org/site}rack").text == "r12"
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
    write("yaml site/devices/graphics.schema.yaml")
    assert find(execute(run, "keymap"), "devices/graphics").attrib["keymap"] == "de"
    given = "name: a\ngraphics: [{type: vnc, keymap: fr}, {type: spice, keymap: null}, sdl]\n"
    shown = parse(run("render", "--templates", "site", input=given).stdout).findall("devices/graphics")
    assert [one.get("keymap") for one in shown] == ["fr", None, None]
    assert check(run) == ""


def test_block(folder: Path, run: Run) -> None:
    write("jinja site/arm64.xml.j2")
    xml = execute(run, "tpm", "--set", "arch=arm64")
    assert find(xml, "devices/tpm").attrib == {"model": "tpm-tis"}
    assert parse(execute(run, "tpm")).find("devices/tpm") is None
    assert check(run) == ""


def test_device(folder: Path, run: Run) -> None:
    write("yaml site/devices/beacon.schema.yaml", "jinja site/devices/beacon.xml.j2")
    write("yaml site/guest.schema.yaml again", "jinja site/domain.xml.j2 again")
    assert find(execute(run, "beacon"), "devices/beacon").attrib == {"colour": "red"}
    result = run("render", "--templates", "site", input="name: a\nbeacons: [green]\n")
    assert "beacons[0].colour: 'green' is not one of red, blue" in result.stderr
    assert check(run) == ""


def test_architecture(folder: Path, run: Run) -> None:
    write("yaml site/i686.schema.yaml", "jinja site/i686.xml.j2")
    xml = execute(run, "i686")
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
    write("yaml site/devices/graphics.schema.yaml again", "yaml site/devices/disk.schema.yaml")
    execute(run, "rules")
    wrong = run("render", "--templates", "site", "web-1.yaml", "--set", "graphics=[{type: vnc, listen: '0.0.0.0'}]")
    assert wrong.exit_code == 2
    assert "graphics[0].listen[0].address: 0.0.0.0 is open to every network" in wrong.stderr
    assert "disks[0].driver.discard: is to be unmap" in wrong.stderr
    allowed = run("render", "--templates", "site", "web-1.yaml", "--set", "ignore=[discard]")
    assert (allowed.exit_code, allowed.stderr) == (0, "")
    assert check(run) == ""


def test_message(folder: Path, run: Run) -> None:
    Path("site/devices").mkdir(parents=True)
    Path("site/devices/disk.xml.j2").write_text('<disk type="{{ device.sauce }}"/>\n')
    result = run("render", "--templates", "site", "web-1.yaml")
    assert result.stderr == BLOCKS["text message"]
