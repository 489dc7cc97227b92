"""Rules of schema parts of one's own: what each condition says, where a rule holds, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import Run

from kvmrender import GuestError, Renderer, TemplateError

DISKS = {"vda": "/a.qcow2", "vdb": "/b.qcow2"}


def renderer(folder: Path, part: str, *rules: dict[str, Any]) -> Renderer:
    """A renderer with these rules in a part."""
    file = folder / part
    file.parent.mkdir(parents=True, exist_ok=True)
    full = [{"id": f"rule-{number}", **rule} for number, rule in enumerate(rules)]
    file.write_text(yaml.safe_dump({"extends": f"shipped/{part}", "rules": full}, sort_keys=False))
    return Renderer([folder])


def told(renderer: Renderer, **guest: Any) -> list[str]:
    """What is said of a guest, without the ids of the rules."""
    problems = renderer.result({"name": "a", **guest}).problems
    return [str(problem).removesuffix(f" [{problem.id}]") for problem in problems]


@pytest.mark.parametrize(
    ("condition", "hit", "missed"),
    [
        (True, {"vcpu": 2}, {"vcpu": None}),
        (2, {"vcpu": 2}, {"vcpu": 20}),
        ([2, 4], {"vcpu": 4}, {"vcpu": 3}),
        ({"not": 2}, {"vcpu": 3}, {"vcpu": 2}),
        ({"not": [2, 4]}, {"vcpu": 3}, {"vcpu": 4}),
        ({"above": 4}, {"vcpu": 5}, {"vcpu": 4}),
        ({"below": 4}, {"vcpu": 3}, {"vcpu": 4}),
        ({"above": "/iothreads"}, {"vcpu": 5, "iothreads": 4}, {"vcpu": 4, "iothreads": 4}),
        ({"in": "/iothreads"}, {"vcpu": 4, "iothreads": 4}, {"vcpu": 5, "iothreads": 4}),
        ({"not": {"in": "/iothreads"}}, {"vcpu": 5, "iothreads": 4}, {"vcpu": 4, "iothreads": 4}),
        ({"multiple_of": 3}, {"vcpu": 6}, {"vcpu": 7}),
        ({"power_of_two": True}, {"vcpu": 8}, {"vcpu": 6}),
        ({"contains": "2"}, {"vcpu": 12}, {"vcpu": 11}),
    ],
)
def test_conditions(tmp_path: Path, condition: Any, hit: dict[str, Any], missed: dict[str, Any]) -> None:
    rule = {"when": {"vcpu.text": condition}, "at": "title", "message": "is wrong"}
    found = renderer(tmp_path, "guest.schema.yaml", rule)
    assert told(found, title="x", **hit) == ["title: is wrong"]
    assert told(found, title="x", **missed) == []


@pytest.mark.parametrize("value", ["') or raised or ('", '"', "\\", "007", "9" * 5000])
def test_values_are_texts_whatever_they_hold(tmp_path: Path, value: str) -> None:
    """Conditions are looked at as expressions of Python too."""
    rules = [{"when": {"title": value}, "at": "title", "message": "is"}]
    rules += [{"when": {"title": {"not": value}}, "at": "title", "message": "is not"}]
    rules += [{"when": {"vcpu.text": {"not": value}}, "at": "description", "message": "is no number"}]
    found = renderer(tmp_path, "guest.schema.yaml", *rules)
    assert told(found, title=value, description="x", vcpu=7) == ["title: is", "description: is no number"]
    assert told(found, title="other") == ["title: is not"]


def test_what_is_missing_is_wrong_only_where_a_rule_says_so(tmp_path: Path) -> None:
    given = {"at": "title", "message": "is given"}
    missing = {"at": "title", "when": {"title": False}, "message": "is missing"}
    either = {"at": "title", "when": {"title": [False, {"not": "x"}]}, "message": "is to be x"}
    found = renderer(tmp_path, "guest.schema.yaml", given, missing, either)
    assert told(found) == ["title: is missing", "title: is to be x"]
    assert told(found, title="y") == ["title: is given", "title: is to be x"]
    assert told(found, title="x") == ["title: is given"]


def test_sizes_are_compared_as_sizes(tmp_path: Path) -> None:
    rule = {"at": "memory", "when": {"memory": {"above": "2 GiB"}}, "message": "{value} is more than 2 GiB"}
    found = renderer(tmp_path, "guest.schema.yaml", rule)
    assert told(found, memory="3 GiB") == ["memory: 3072 MiB is more than 2 GiB"]
    assert told(found, memory={"unit": "KiB", "text": 2 << 20}) == []


def test_hexadecimal_numbers_are_compared_as_numbers(tmp_path: Path) -> None:
    rule = {"at": "disks", "when": {"disks.address.slot": {"above": 15}}, "message": "are in slots above 15"}
    found = renderer(tmp_path, "guest.schema.yaml", rule)
    for slot, expected in (
        ("0x10", ["disks[0]: are in slots above 15"]),
        ("0x0f", []),
        ("16", ["disks[0]: are in slots above 15"]),
    ):
        address = {"type": "pci", "bus": "0", "slot": slot}
        assert told(found, disks=[{"source": "/a.raw", "address": address}]) == expected, slot


def test_rule_holds_for_each_mapping_that_its_part_describes(tmp_path: Path) -> None:
    rule = {
        "at": "driver.cache",
        "when": {"driver.cache": {"not": "none"}},
        "message": "{value} is not for {target.dev}",
    }
    disks = [{"source": "/a.qcow2", "driver": {"cache": cache}} for cache in ("none", "writeback", "unsafe")]
    assert told(renderer(tmp_path, "devices/disk.schema.yaml", rule), disks=disks) == [
        "disks[1].driver.cache: writeback is not for vdb",
        "disks[2].driver.cache: unsafe is not for vdc",
    ]


def test_rule_holds_for_images_however_deep(tmp_path: Path) -> None:
    rule = {"at": "format.type", "when": {"format.type": {"not": "qcow2"}}, "message": "{value} is no format of ours"}
    image: dict[str, Any] = {"source": "/c.raw", "format": "raw"}
    disk = {"source": "/a.qcow2", "backingStore": {"source": "/b.qcow2", "format": "qcow2", "backingStore": image}}
    assert told(renderer(tmp_path, "devices/disk/backing_store.schema.yaml", rule), disks=[disk]) == [
        "disks[0].backingStore.backingStore.format.type: raw is no format of ours"
    ]


def test_each_item_is_looked_at_by_itself(tmp_path: Path) -> None:
    rule = {"each": "boot", "at": "boot.dev", "when": {"boot.dev": "network"}, "message": "is not for {/name}"}
    found = renderer(tmp_path, "domain/os.schema.yaml", rule)
    assert told(found, os={"boot": ["hd", "network"]}) == ["os.boot[1].dev: is not for a"]


def test_field_that_leads_through_a_list_has_all_values_there(tmp_path: Path) -> None:
    needs = {"at": "sounds", "when": {"graphics.type": [False, {"not": "spice"}]}, "message": "needs spice"}
    found = renderer(tmp_path, "guest.schema.yaml", needs)
    assert told(found, sounds=["ich9"]) == ["sounds[0]: needs spice"]
    assert told(found, sounds=["ich9"], graphics=["vnc"]) == ["sounds[0]: needs spice"]
    assert told(found, sounds=["ich9"], graphics=["vnc", "spice"]) == []


def test_mapping_or_an_item_of_a_list_has_all_of_several_fields(tmp_path: Path) -> None:
    disk = {"has": {"target.bus": "sata", "readonly": False}}
    rule = {"at": "title", "when": {"disks": disk, "clock": {"not": {"has": {"offset": "utc"}}}}, "message": "is wrong"}
    found = renderer(tmp_path, "guest.schema.yaml", rule)
    sata: dict[str, Any] = {"source": "/a.raw", "target": {"bus": "sata"}}
    other = {"source": "/b.raw", "readonly": True}
    local = {"title": "x", "clock": "localtime"}
    assert told(found, **local, disks=[other, sata]) == ["title: is wrong"]
    assert told(found, **local, disks=[{**sata, "device": "cdrom", "readonly": True}, other]) == []
    assert told(found, **local, disks=[]) == []
    assert told(found, title="x", disks=[sata], clock="utc") == []
    assert told(found, title="x", disks=[sata]) == []


def test_fields_are_wrong_each_under_its_own_condition(tmp_path: Path) -> None:
    rule = {"at": {"title": "x", "disks": {"has": {"type": "file"}}}, "when": {"vcpu.text": 1}, "message": "is wrong"}
    found = renderer(tmp_path, "guest.schema.yaml", rule)
    assert told(found, title="x", disks=[{"source": "/a.raw"}, {"source": "/dev/sdb"}]) == [
        "title: is wrong",
        "disks[0]: is wrong",
    ]
    assert told(found, title="y", disks=[{"source": "/dev/sdb"}]) == []
    assert told(found, title="x", vcpu=2) == []


def test_braces_around_what_is_no_field_are_themselves(tmp_path: Path) -> None:
    found = renderer(tmp_path, "guest.schema.yaml", {"at": "title", "message": "is {value}: write {type: usb}"})
    assert told(found, title="x") == ["title: is x: write {type: usb}"]


def test_unique_values(tmp_path: Path) -> None:
    found = renderer(tmp_path, "guest.schema.yaml", {"each": "disks", "at": "disks.source.file", "unique": True})
    assert told(found, disks=["/a.qcow2", "/b.qcow2", "/a.qcow2"][:0]) == []
    disks = [{"source": file, "readonly": True} for file in ("/a.qcow2", "/b.qcow2", "/a.qcow2")]
    assert told(found, disks=disks) == ["disks[2].source.file: '/a.qcow2' is taken by disks[0]"]


def test_problem_has_the_id_of_its_rule(tmp_path: Path) -> None:
    found = renderer(tmp_path, "guest.schema.yaml", {"at": "title", "message": "is wrong"})
    with pytest.raises(GuestError) as raised:
        found.render({"name": "a", "title": "x"})
    assert [(problem.id, problem.level) for problem in raised.value.problems] == [("rule-0", "error")]
    assert found.render({"name": "a", "title": "x", "ignore": ["rule-0"]})


def test_rule_with_the_id_of_another_replaces_it(tmp_path: Path) -> None:
    guest = {"disks": [{"source": "/a.qcow2", "target": "sda", "driver": {"queues": 2}}]}
    assert told(Renderer(), **guest) == ["disks[0].driver.queues: is for bus virtio, not scsi"]
    rule = {
        "id": "bus-options",
        "at": "driver.queues",
        "when": {"driver.queues": {"above": 4}},
        "message": "is too many",
    }
    assert told(renderer(tmp_path, "devices/disk.schema.yaml", rule), **guest) == []


def test_note_is_told_and_the_guest_is_rendered(tmp_path: Path, run: Run) -> None:
    renderer(tmp_path, "guest.schema.yaml", {"level": "note", "at": "title", "message": "is unusual"})
    result = run("render", "--templates", str(tmp_path), input="name: a\ntitle: x\n")
    assert (result.exit_code, result.stderr) == (0, "<stdin>:2:8: title: note: is unusual [rule-0]\n")
    assert "<title>x</title>" in result.stdout
    strict = run("render", "--strict", "--templates", str(tmp_path), input="name: a\ntitle: x\n")
    assert (strict.exit_code, strict.stdout) == (2, "")


def test_rule_of_older_libvirts_is_for_guests_that_are_for_these(tmp_path: Path) -> None:
    found = renderer(tmp_path, "guest.schema.yaml", {"until": "10.1", "at": "title", "message": "is wrong"})
    assert told(found, title="x") == []
    assert told(found, title="x", libvirt="10.1.0") == []
    assert told(found, title="x", libvirt="10") == ["title: is wrong"]
    assert told(found, title="x", libvirt="9.0.0") == ["title: is wrong"]


def test_rule_of_newer_libvirts_is_not_for_older_ones(tmp_path: Path) -> None:
    found = renderer(tmp_path, "guest.schema.yaml", {"since": "10.1", "at": "title", "message": "is wrong"})
    assert told(found, title="x") == told(found, title="x", libvirt="10.1.0") == ["title: is wrong"]
    assert told(found, title="x", libvirt="10.0.9") == told(found, title="x", libvirt="any") == []


def test_what_is_derived_is_held_against_rules(tmp_path: Path) -> None:
    disk = {"each": "disks", "message": "is wrong"}
    found = renderer(
        tmp_path,
        "guest.schema.yaml",
        {**disk, "when": {"disks.target.bus": "virtio"}, "at": "disks.target.bus"},
        {**disk, "when": {"disks.driver.type": "raw"}, "at": "disks.driver.type"},
        {"when": {"currentMemory": {"below": "1 GiB"}}, "at": "currentMemory", "message": "is wrong"},
        {"each": "consoles", "when": {"consoles.type": "pty"}, "at": "consoles.type", "message": "is wrong"},
    )
    by_itself = ["currentMemory: is wrong", "consoles[0].type: is wrong"]
    assert sorted(told(found)) == sorted(by_itself)
    drive = {"device": "cdrom", "target": {"bus": "sata"}}
    assert sorted(told(found, disks=[drive])) == sorted([*by_itself, "disks[0].driver.type: is wrong"])
    assert "disks[0].target.bus: is wrong" in told(found, disks=[{"source": "/a.qcow2"}])


def test_fields_and_values_are_held_against_the_libvirt_that_has_them(tmp_path: Path) -> None:
    (tmp_path / "guest.schema.yaml").write_text("""\
extends: shipped/guest.schema.yaml
properties:
  lamp:
    description: A lamp.
    type: object
    until: 12.0.0
    properties:
      colour:
        description: Its light.
        enum: [red, blue, green]
        since: {blue: 11.0.0, green: 11.5.0}
        until: {red: 11.2.0}
    additionalProperties: false
""")
    found, needs = Renderer([tmp_path]), "'blue' needs libvirt 11.0.0, the guest is for"
    assert told(found, lamp={"colour": "blue"}, libvirt="any") == []
    assert told(found, lamp={"colour": "blue"}, libvirt="11.0.0") == []
    assert told(found, lamp={"colour": "blue"}, libvirt="10.9") == [f"lamp.colour: {needs} 10.9"]
    gone = "lamp.colour: 'red' is not in libvirt 11.2.0 and newer, the guest is for"
    assert told(found, lamp={"colour": "red"}, libvirt="11.2") == [f"{gone} 11.2"]
    assert told(found, lamp={"colour": "red"}, libvirt="11.1") == []
    assert told(found, lamp={"colour": "red"}) == [
        "lamp: is not in libvirt 12.0.0 and newer, the guest is for the newest",
        f"{gone} the newest",
    ]


def test_ignored_check_that_finds_nothing_is_noted(run: Run) -> None:
    result = run("render", input="name: a\nignore: [bus-options]\n")
    assert result.exit_code == 0
    assert result.stderr == "<stdin>:2:10: ignore[0]: note: bus-options finds nothing in this guest [ignore]\n"


def test_unknown_id_has_a_hint(run: Run) -> None:
    result = run("render", input="name: a\nignore: [bus-option]\n")
    assert result.exit_code == 2
    assert "did you mean 'bus-options'?" in result.stderr


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"at": "titel", "message": "is wrong"}, "rules[0].at: 'titel' is not a field there (did you mean 'title'?)"),
        ({"at": "title", "when": {"memry": True}, "message": "x"}, "did you mean 'memory'?"),
        ({"at": "title", "when": {"title": {"in": "/memry"}}, "message": "x"}, "did you mean 'memory'?"),
        ({"at": {"titel": True}, "message": "x"}, "rules[0].at.titel: 'titel' is not a field there"),
        ({"at": "title", "when": {"disks": {"has": {"soruce": True}}}, "message": "x"}, "did you mean 'source'?"),
        ({"at": "title", "message": "is not {tilte}"}, "did you mean 'title'?"),
        ({"at": "title", "message": "x", "wehn": {"title": True}}, "did you mean 'when'?"),
        ({"at": "title", "message": "x", "when": {"title": {"abuve": 3}}}, "did you mean 'above'?"),
        (
            {"at": "title", "message": "x", "when": {"disks": {"has": {"type": {"in": "/arhc"}}}}},
            "did you mean 'arch'?",
        ),
        ({"at": "title"}, "message"),
    ],
)
def test_faulty_rule_is_told_with_a_hint(tmp_path: Path, rule: dict[str, Any], said: str) -> None:
    with pytest.raises(TemplateError) as raised:
        renderer(tmp_path, "guest.schema.yaml", rule)
    assert said in str(raised.value)
    assert "guest.schema.yaml:" in str(raised.value)
