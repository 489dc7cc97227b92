"""The schema that editors get, and the rules that all schema parts keep."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from conftest import FIXTURES, ROOT, Run

from kvmrender.load import read

PARTS = sorted((ROOT / "templates").rglob("*.schema.json"))
part_file = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)


@pytest.fixture
def schema(run: Run) -> Any:
    return json.loads(run("schema").stdout)


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield path, node
        for key, child in node.items():
            if key not in ("default", "default_by", "default_by_type", "default_when", "variants"):
                yield from nodes(child, f"{path}/{key}")
    elif isinstance(node, list):
        for number, child in enumerate(node):
            yield from nodes(child, f"{path}/{number}")


def test_schema_is_one_and_self_contained(schema: Any) -> None:
    jsonschema_rs.meta.validate(schema)
    references = {node["$ref"] for _, node in nodes(schema) if isinstance(node.get("$ref"), str)}
    assert references
    assert all(reference.startswith("#/") for reference in references)
    jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.stem)
def test_fixtures_are_valid_as_written(file: Any, schema: Any) -> None:
    validator = jsonschema_rs.Draft202012Validator(schema)
    for document in read(file.name, file.read_bytes()):
        validator.validate(document.guest)


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("name: a\nvcpu: 2", True),
        ("name: a\nvcpu: '2'", True),
        ("name: a\nvcpu: {text: 2}", True),
        ("name: a\nvcpu: null", True),
        ("name: a\nmemory: 4 GiB\ncpu: host-model", True),
        ("name: a\nfeatures: {acpi: true, gic: null}", True),
        ("name: a\narch: aarch64\nfeatures: {gic: 3}", True),
        ("name: a\ndisks: [{source: /dev/a, driver: qcow2, target: vda, readonly: true, boot: 1}]", True),
        ("name: a\ninterfaces: [{source: br0, mac: 52:54:00:12:34:56, model: e1000}]", True),
        ("name: a\nos: {boot: hd, loader: {readonly: true, text: /a}}", True),
        ("name: 5\nmemory: 1024\nvcpu: null\ndisks: null\ndescription: 7", True),
        ("name: a\ngraphics: [vnc, {type: spice, autoport: true, listen: 127.0.0.1}]", True),
        ("name: a\nfeatures: {acpi: false, hyperv: {relaxed: on, vapic: true}}", True),
        ("name: a\nclock: utc\nsysinfo: {type: smbios}", True),
        ("name: a\nvcpu: 2.5", False),
        ("name: a\nvcpu: two", False),
        ("name: a\nvcpu: true", False),
        ("name: [a]", False),
        ("name: true", False),
        ("name: a\nmemory: [4]", False),
        ("name: a\nmemory: true", False),
        ("name: a\ndisks: [[/a]]", False),
        ("name: a\ngraphics: {type: vnc, autoport: 2}", False),
        ("name: a\nfeatures: {acpi: 1}", False),
        ("name: a\narch: 5", False),
        ("vcpu: 2", False),
        ("name: a\nvcpus: 2", False),
        ("name: a\nvcpu: 0", False),
        ("name: a\nvcpu: [2]", False),
        ("name: a\ncpu: host", False),
        ("name: a\nfeatures: {gic: 3}", False),
        ("name: a\narch: vax", False),
        ("name: a\ndisks: [{driver: qcow3}]", False),
        ("name: a\ninterfaces: [{source: br0, mac: 01:00:00:00:00:00}]", False),
    ],
)
def test_editor_takes_what_the_program_takes(text: str, valid: bool, schema: Any, run: Run) -> None:
    (document,) = read("guest.yaml", text.encode())
    assert jsonschema_rs.Draft202012Validator(schema).is_valid(document.guest) is valid
    assert run("render", input=text).exit_code == (0 if valid else 2)


@part_file
def test_every_property_has_a_description(part: Any) -> None:
    if "architecture" in (content := json.loads(part.read_text())):
        return
    for path, node in nodes(content):
        for name, child in node.get("properties", {}).items():
            referred = child.get("$ref", "")
            shared = (part.parent / referred.partition("#")[0]).is_file() and "info.schema.json#/$defs/" in referred
            described = "description" in child or shared or (referred and not referred.startswith("../types"))
            assert described, f"{part.name}{path}/properties/{name}"


@part_file
def test_no_text_can_hold_what_xml_can_not(part: Any) -> None:
    for path, node in nodes(json.loads(part.read_text())):
        if node.get("type") == "string" and not node.get("xml"):
            validator = jsonschema_rs.Draft202012Validator({"pattern": node["pattern"]})
            for char in "\x00\x01\x08\x0b\x0c\x0e\x1f\ufffe\uffff":
                for text in (char, f"/{char}", f"a{char}", f"/a{char}a"):
                    assert not validator.is_valid(text), f"{part.name}{path} takes {text!r}"
            assert "expected" in node, f"{part.name}{path} does not say in words what it expects"


@part_file
def test_mappings_refuse_unknown_keys(part: Any) -> None:
    for path, node in nodes(json.loads(part.read_text())):
        if node.get("type") == "object" and "/vars" not in path:
            assert node.get("additionalProperties") is False, f"{part.name}{path}"
