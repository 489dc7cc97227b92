"""Whatever libvirt's schema lets a kvm or qemu domain say, the templates can write."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import FIXTURES, ROOT
from drivers import why_missing
from jinja2 import TemplateRuntimeError

from kvmrender.context.full_form import without_nulls
from kvmrender.engine import Engine
from kvmrender.reading.load import read
from kvmrender.reading.parse import from_yaml
from kvmrender.schema.guest_schema import Node, resolve


@pytest.mark.libvirt
@pytest.mark.parametrize("release", ["", "trixie", "forky"], ids=lambda release: release or "installed")
def test_templates_can_write_what_libvirt_can_read(release: str) -> None:
    """Of the newest libvirt too: what that brings is written, or left out for a reason."""
    from vocabulary import LEFT_OUT, allowed, left_out, schema_of, writable_paths

    from kvmrender.libvirt.rng import Grammar

    if not (path := schema_of(release)):
        pytest.skip(why_missing(release))
    schema, templates = allowed(Grammar(path)), writable_paths()
    reasons = left_out(schema)
    assert sorted(schema - templates - reasons.keys()) == []
    assert sorted(reasons.keys() & templates) == [], "a template writes what is said to be left out"
    if release == "forky":
        assert sorted(LEFT_OUT.keys() - set(reasons.values())) == []


def properties(root: Node, node: Node, path: str = "", above: tuple[int, ...] = ()) -> Iterator[str]:
    """Every property of the schema as a path; an element inside itself is followed once.

    What all devices have in common is a path of its own: a device need not stand on every kind of bus.
    """
    for name, child in node.get("properties", {}).items():
        below = f"{path}.{name}".lstrip(".")
        yield below
        if shared := re.match(r"#/\$defs/devices\.(info|address)/\$defs/", child.get("$ref", "")):
            below = child["$ref"][shared.end() :]
        inner = resolve(root, child)
        if inner.get("type") == "array":
            inner = resolve(root, inner["items"])
        key = id(inner.get("properties"))
        if key not in above:
            yield from properties(root, inner, below, (*above, key))


def with_shared(paths: set[str]) -> set[str]:
    """Add the paths of what several elements have in common."""
    paths = paths | {re.sub(r"^\w+\.(address|boot|alias|acpi|rom)\.", r"\1.", path) for path in paths}
    for part, other in (
        ("disks.source.", "disks.backingStore.source."),
        ("disks.source.", "os.nvram.source."),
        ("disks.source.encryption.", "disks.encryption."),
        ("disks.source.auth.", "disks.auth."),
        ("disks.source.", "disks.source.dataStore.source."),
    ):
        paths |= {path.replace(part, other, 1) for path in paths if path.startswith(part)}
    return paths


def given(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            below = f"{path}.{name}".lstrip(".")
            yield below
            yield from given(item, below)
    elif isinstance(value, list):
        for item in value:
            yield from given(item, path)


def test_every_property_is_in_a_fixture() -> None:
    renderer = Engine()
    used: set[str] = set()
    for file in FIXTURES:
        for document in read(file.name, file.read_bytes()):
            used |= {*given(without_nulls(renderer.context(document.guest))), *document.guest}
    assert sorted(set(properties(renderer.schema.root, renderer.schema.root)) - with_shared(used)) == []


NOT_WRITTEN = {"arch", "ignore", "libvirt", "machine", "namespace", "mac_prefix", "use", "vars"}
"""What goes into the XML by way of other fields, or only if a template of one's own asks for it."""


def places(value: Any, path: str = "") -> Iterator[tuple[dict[str, Any], str, str]]:
    """Every key of a context, with the mapping that it is in and its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            below = f"{path}.{key}".lstrip(".")
            yield value, key, below
            yield from places(item, below)
    elif isinstance(value, list):
        for item in value:
            yield from places(item, path)


def test_every_property_reaches_the_xml_of_a_fixture() -> None:
    """No dead field: without it, the XML of some fixture is another one, or none."""
    renderer = Engine()
    environment = renderer.new_environment()
    live: set[str] = set()
    for file in FIXTURES:
        for document in read(file.name, file.read_bytes()):
            context = without_nulls(renderer.context(document.guest))
            template = environment.get_template(f"{context['arch']}.xml.j2")
            xml = template.render(context, domain=context)
            for mapping, key, path in list(places(context)):
                kept = dict(mapping)
                if path not in live:
                    del mapping[key]
                    try:
                        if template.render(context, domain=context) != xml:
                            live.add(path)
                    except (TemplateRuntimeError, ValueError):
                        live.add(path)
                    mapping.clear()
                    mapping.update(kept)
    dead = set(properties(renderer.schema.root, renderer.schema.root)) - with_shared(live)
    assert sorted(path for path in dead if path.partition(".")[0] not in NOT_WRITTEN) == []


def test_templates_stay_readable() -> None:
    files = [file for file in (ROOT / "templates").rglob("*") if file.is_file()]
    assert files
    assert {str(file): count for file in files if (count := len(file.read_text().splitlines())) > 150} == {}
    parts = [file for file in files if file.suffix == ".yaml"]
    assert [str(file) for file in parts if max(map(len, file.read_text().splitlines())) > 120] == []


def test_every_part_has_a_partial() -> None:
    shared = {"info", "chardev", "virtio", "memory"}
    for part in (ROOT / "templates").glob("*/*.schema.yaml"):
        content = from_yaml(part.read_text())[0]
        if "properties" in content and part.name.removesuffix(".schema.yaml") not in shared:
            assert Path(str(part).replace(".schema.yaml", ".xml.j2")).is_file(), part
