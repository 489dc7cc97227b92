"""Guests held against the libvirt that they are for, with schema parts of one's own that say since and until."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kvmrender import Renderer, TemplateError
from kvmrender.rules.rules import VERSION, placed_rules
from kvmrender.schema.guest_schema import VALUES
from kvmrender.schema.versions import facts

RACK: dict[str, Any] = {
    "type": "object",
    "description": "The rack.",
    "properties": {
        "kind": {
            "description": "Its kind.",
            "enum": ["old", "new", "gone"],
            "since": ["9.2.0", {"new": "10.1.0"}],
            "until": {"gone": "11.0.0"},
            "instead": {"new": "old", "gone": "new"},
        },
        "depth": {"description": "Its depth.", "type": "integer", "until": "10.5.0", "instead": "width"},
        "slots": {
            "description": "Its slots.",
            "type": "array",
            "default": [],
            "items": {"type": "object", "properties": {"fan": {"type": "string", "since": "9.9.0"}}},
        },
        "lamps": {
            "description": "Its lamps.",
            "type": "array",
            "items": {"enum": ["red", "blue"], "since": ["9.3.0", {"blue": "10.2.0"}]},
        },
        "inner": {"$ref": "#/properties/rack"},
    },
    "variants": {"kind": [{"is": ["new"], "properties": {"slots": {"since": "10.8.0"}}}, {"is": None}, {"is": []}]},
}
GONE = "rack.kind: 'gone' is not in libvirt 11.0.0 and newer, the guest is for"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Renderer:
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"rack": RACK}}
    folder = tmp_path_factory.mktemp("site")
    (folder / "guest.schema.yaml").write_text(yaml.safe_dump(part))
    return Renderer([folder])


def told(renderer: Renderer, libvirt: str | None, rack: Any) -> list[str]:
    guest = {"name": "a", "rack": rack, **({"libvirt": libvirt} if libvirt else {})}
    return [str(problem) for problem in renderer.result(guest).problems]


@pytest.mark.parametrize(
    ("libvirt", "rack", "said"),
    [
        ("9.2", {"kind": "old"}, []),
        ("9.1", {"kind": "old"}, ["rack.kind: needs libvirt 9.2.0, the guest is for 9.1 [version]"]),
        (
            "10.0.9",
            {"kind": "new"},
            ["rack.kind: 'new' needs libvirt 10.1.0, the guest is for 10.0.9 (for older versions, use old) [version]"],
        ),
        ("10.10", {"kind": "new", "slots": [{}]}, []),
        (
            "10.7",
            {"kind": "new", "slots": [{}]},
            ["rack.slots[0]: needs libvirt 10.8.0, the guest is for 10.7 [version]"],
        ),
        ("10.7", {"kind": "old", "slots": [{}]}, []),
        ("10.7", {"slots": []}, []),
        (
            "9.8",
            {"slots": [{}, {"fan": "x"}]},
            ["rack.slots[1].fan: needs libvirt 9.9.0, the guest is for 9.8 [version]"],
        ),
        (
            "9.8",
            {"inner": {"inner": {"slots": [{"fan": "x"}]}}},
            ["rack.inner.inner.slots[0].fan: needs libvirt 9.9.0, the guest is for 9.8 [version]"],
        ),
        ("10.1", {"lamps": ["red"]}, []),
        (
            "10.1",
            {"lamps": ["red", "blue"]},
            ["rack.lamps[1]: 'blue' needs libvirt 10.2.0, the guest is for 10.1 [version]"],
        ),
        ("9.2", {"lamps": ["red"]}, ["rack.lamps[0]: needs libvirt 9.3.0, the guest is for 9.2 [version]"]),
        ("10.11", {"kind": "gone"}, []),
        ("11", {"kind": "gone"}, [f"{GONE} 11 (for newer versions, use new) [version]"]),
        (None, {"kind": "gone"}, [f"{GONE} the newest (for newer versions, use new) [version]"]),
        ("10.4.99", {"depth": 3}, []),
        (
            "99.0",
            {"depth": 3},
            [
                "rack.depth: is not in libvirt 10.5.0 and newer, the guest is for 99.0"
                " (for newer versions, use width) [version]"
            ],
        ),
        ("any", {"kind": "gone", "depth": 3, "slots": [{"fan": "x"}]}, []),
    ],
)
def test_field_and_value_of_another_version(libvirt: str | None, rack: Any, said: list[str], site: Renderer) -> None:
    assert told(site, libvirt, rack) == said


def test_without_a_version_what_is_newer_is_taken(site: Renderer) -> None:
    assert told(site, None, {"kind": "new", "slots": [{"fan": "x"}]}) == []


def test_version_can_be_ignored(site: Renderer) -> None:
    guest = {"name": "a", "libvirt": "9.0", "rack": {"kind": "new"}, "ignore": ["version"]}
    assert site.result(guest).problems == ()


def test_what_a_default_gives_counts(tmp_path: Path) -> None:
    rack = {"description": "A rack.", "enum": ["a", "b"], "default": "b", "since": {"b": "10.1"}}
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"rack": rack}}
    (tmp_path / "guest.schema.yaml").write_text(yaml.safe_dump(part))
    problems = Renderer([tmp_path]).result({"name": "a", "libvirt": "9.0"}).problems
    assert [*map(str, problems)] == ["rack: 'b' needs libvirt 10.1, the guest is for 9.0 [version]"]


@pytest.mark.parametrize("since", ["10.x", ["10.1.0"], [{"new": "10.1"}, "9.0"], {"new": "soon"}, {}])
def test_faulty_version_of_a_part_is_told(since: Any, tmp_path: Path) -> None:
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"rack": {"description": "x", "since": since}}}
    (tmp_path / "guest.schema.yaml").write_text(yaml.safe_dump(part))
    with pytest.raises(TemplateError, match=r"properties\.rack\.since"):
        Renderer([tmp_path])


def test_each_release_that_a_part_says_is_held() -> None:
    schema = Renderer()._engine.schema
    rules = {
        (case["at"], case.get("until") or case["since"])
        for _, rule, case, _ in placed_rules(schema)
        if rule["id"] == VERSION
    }
    held = {(at.split(".")[-1], release) for at, release in rules}
    assert {(key, release) for key, release in said(schema.root) if key is not None} - held == set()


def said(node: Any, key: str | None = None) -> Iterator[tuple[str | None, str]]:
    """Yield the releases that a node of the schema says, with the key that they are about, but for conditions, which
    repeat them."""
    if isinstance(node, dict):
        own, values = facts(node)
        yield from ((key, fact.since or fact.until) for fact in (own, *values.values()) if fact.since or fact.until)
        for word, below in node.items():
            if word in ("properties", "variants"):
                for name, one in below.items():
                    yield from said(one, name)
            elif word == "$defs":
                for one in below.values():
                    yield from said(one)
            elif word not in VALUES and word not in ("if", "then", "else"):
                yield from said(below, key)
    elif isinstance(node, list):
        for one in node:
            yield from said(one, key)
