"""Guest files in an editor: the real yaml-language-server, with the settings of docs/editors.md."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run
from language_server import Client, language_server
from tools import files

from kvmrender.reading.parse import from_yaml

PAGE = files(ROOT / "docs/editors.md")
FOR_VSCODE = json.loads(PAGE[".vscode/settings.json"].split("\n", 1)[1])
FOR_VIM = json.loads(PAGE[".vimrc"].partition(" = ")[2].replace("'", '"'))
SETTINGS = {
    "vscode": {"yaml": {"schemas": FOR_VSCODE["yaml.schemas"]}},
    "vim": FOR_VIM,
    "first line": {"yaml": {}},
}


@pytest.fixture(params=SETTINGS)
def editor(request: pytest.FixtureRequest, tmp_path: Path, run: Run) -> Iterator[Any]:
    """A function that opens a guest file in an editor that is set up as the page says."""
    (tmp_path / "guest.schema.json").write_text(run("schema").stdout)
    first = PAGE["guests/web-1.yaml"].splitlines()[1] if request.param == "first line" else "# a guest"
    with language_server(tmp_path, SETTINGS[request.param]) as client:
        yield client, lambda text: client.open("guests/web-1.yaml", f"{first}\n{text}")


def at(text: str) -> tuple[str, dict[str, int]]:
    """Return a text without its mark ``|``, and where that was, with one line before."""
    before, _, after = text.partition("|")
    return before + after, {"line": before.count("\n") + 1, "character": len(before) - before.rfind("\n") - 1}


def completed(client: Client, document: Any, position: Any) -> dict[str, str]:
    """Return what is offered at a place, with what is said of it."""
    client.diagnostics(document)
    found = client.ask("textDocument/completion", {"textDocument": document, "position": position})
    return {item["label"]: item.get("documentation", "") for item in found["items"]}


def test_values_are_completed(editor: Any) -> None:
    client, opened = editor
    text, position = at("name: web-1\ndisks:\n- source: /a.qcow2\n  driver:\n    type: qcow2\n    cache: |\n")
    values = completed(client, opened(text), position)
    assert {"none", "writeback", "writethrough", "directsync", "unsafe"} <= set(values)


def test_keys_are_completed(editor: Any) -> None:
    client, opened = editor
    text, position = at("name: web-1\ndisks:\n- source: /a.qcow2\n  driver:\n    type: qcow2\n    ca|\n")
    assert "cache" in completed(client, opened(text), position)


def test_description_is_shown(editor: Any) -> None:
    client, opened = editor
    text, position = at("name: web-1\ndisks:\n- source: /a.qcow2\n  driver:\n    type: qcow2\n    ca|che: none\n")
    document = opened(text)
    assert client.diagnostics(document) == []
    found = client.ask("textDocument/hover", {"textDocument": document, "position": position})
    part = from_yaml((ROOT / "templates/devices/disk/driver.schema.yaml").read_text())[0]
    assert found["contents"]["value"].count(part["properties"]["cache"]["description"]) == 1


def test_bad_value_is_marked(editor: Any) -> None:
    client, opened = editor
    document = opened("name: web-1\ndisks:\n- source: /a.qcow2\n  driver:\n    type: qcow2\n    cache: nune\n")
    marked = [
        found for found in client.diagnostics(document) if found["range"]["start"] == {"line": 6, "character": 11}
    ]
    assert marked
    assert any("none" in found["message"] for found in marked)


def test_unknown_key_is_marked_and_a_good_guest_is_not(editor: Any) -> None:
    client, opened = editor
    (found,) = client.diagnostics(opened("name: web-1\nmemroy: 1\n"))
    assert "memroy" in found["message"]
    assert found["range"]["start"]["line"] == 2


@pytest.mark.parametrize("fixture", ["web-1", "minimal"])
def test_fixture_has_nothing_to_mark(fixture: str, editor: Any) -> None:
    client, opened = editor
    assert client.diagnostics(opened((ROOT / f"fixtures/{fixture}.yaml").read_text())) == []


@pytest.fixture
def parts(tmp_path: Path, run: Run) -> Iterator[Client]:
    """An editor that is set up for schema parts as docs/templates.md says."""
    page = (ROOT / "docs/templates.md").read_text()
    (command,) = re.findall(r"`kvmrender (schema --parts) > part\.schema\.json`", page)
    (settings,) = re.findall(r'^`(\{"yaml.schemas".*)` has', page, re.MULTILINE)
    (tmp_path / "part.schema.json").write_text(run(*command.split()).stdout)
    with language_server(tmp_path, {"yaml": {"schemas": json.loads(settings)["yaml.schemas"]}}) as client:
        yield client


def test_keywords_of_parts_are_completed(parts: Client) -> None:
    text, position = at("title: a\nproperties:\n  rack:\n    description: The rack.\n    sho|\n")
    document = parts.open("site/guest.schema.yaml", text)
    position["line"] -= 1
    assert {"shorthand", "defaults", "variants", "message"} <= set(completed(parts, document, position))


def test_misspelt_keyword_of_a_part_is_marked_and_a_good_part_is_not(parts: Client) -> None:
    text = "extends: shipped/guest.schema.yaml\nproperties:\n  rack:\n    description: The rack.\n    shortand: a\n"
    (found,) = parts.diagnostics(parts.open("site/guest.schema.yaml", text))
    assert "shortand" in found["message"]
    assert found["range"]["start"]["line"] == 4
    for name in ("arm64", "devices/graphics", "devices/disk/source", "numbers"):
        part = (ROOT / f"templates/{name}.schema.yaml").read_text()
        assert parts.diagnostics(parts.open(f"site/{name}.schema.yaml", part)) == []
