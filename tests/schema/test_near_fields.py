"""Which field an unknown key is told to mean: by letters, by its name elsewhere, by other words for it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from operator import eq
from typing import Any

import pytest
import yaml
from conftest import Run

from kvmrender import Problem, Renderer
from kvmrender.engine import default_engine
from kvmrender.errors import Path
from kvmrender.look.explain import whole
from kvmrender.reading.parse import from_yaml
from kvmrender.schema.field_facts import field_at
from kvmrender.schema.guest_schema import all_fields
from kvmrender.schema.near_fields import SYNONYMS

RENDERER = Renderer()
TABLE = yaml.safe_load(SYNONYMS.read_text())
ANOTHER_PLACE = "is not a known key (did you mean {!r}?) [schema]"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("memroy: 1", "memory"),  # by letters
        ("disk: [{source: /a.raw}]", "disks"),  # a slip, though resource and others have such a key
        ("firmware: efi", "os.firmware"),  # a level down
        ("tpms: [{version: '2.0'}]", "tpms.backend.version"),
        ("disks: [{source: /a.raw, cache: none}]", "disks.driver.cache"),
        ("os: {memory: 1}", "memory"),  # a level up
        ("disks: [{source: /a.raw, driver: {serial: a}}]", "disks.serial"),
        ("ram: 4 GiB", "memory"),  # other words
        ("nics: [br0]", "interfaces"),
        ("boot: hd", "os.boot"),
        ("mac: 52:54:00:12:34:56", "interfaces.mac"),
        ("cores: 4", "cpu.topology.cores"),
        ("disks: [{source: /a.raw, format: raw}]", "disks.driver.type"),
    ],
)
def test_unknown_key_says_the_field_that_is_meant(written: str, meant: str, run: Run) -> None:
    result = run("render", input=f"name: a\n{written}\n")
    assert (result.exit_code, result.stdout) == (2, "")
    assert ANOTHER_PLACE.format(meant) in result.stderr


def test_key_of_several_places_says_the_first_of_them(run: Run) -> None:
    said = run("render", input="name: a\nmodel: virtio\n").stderr
    places = said.partition("did you mean ")[2].partition("?")[0]
    assert places.count("'") == 6
    assert places.count(".model'") == 3
    assert " or " in places


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "os: {secureboot: 1}",
            "os.secureboot: is not a known key (the nearest are boot, bootmenu, firmware and varstore;"
            " kvmrender explain os lists all)",
        ),
        ("zzz: 1", "zzz: is not a known key (kvmrender explain lists all)"),
        ("extra: {zzz: 1}", "extra.zzz: is not a known key (known keys: domain, devices)"),
    ],
)
def test_key_that_is_like_no_other_is_told_the_nearest_not_all(written: str, said: str, run: Run) -> None:
    assert f"{said} [schema]\n" in run("render", input=f"name: a\n{written}\n").stderr


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("vcpus: 4", "vcpus: 4 is not a mapping (did you mean 'vcpu'?) [schema]\n"),
        ("interfaces: 7", "interfaces: 7 is not a list (keys of an item: source, type, "),
        ("vcpus: [4]", "vcpus: a list is not a mapping (its keys: vcpu) [schema]\n"),
    ],
)
def test_scalar_for_a_mapping_says_the_field_beside_it(written: str, said: str, run: Run) -> None:
    assert said in run("render", input=f"name: a\n{written}\n").stderr


def test_settings_say_the_field_that_is_meant_too(run: Run) -> None:
    assert "ram: is not a known key (did you mean 'memory'?) [set]" in run("render", "--set", "ram=1").stderr


def test_table_of_words_is_of_fields_and_of_words_that_are_none() -> None:
    schema = default_engine().schema
    words = [word for listed in TABLE.values() for word in listed]
    assert len(words) == len(set(words))
    for field in TABLE:
        assert field_at(schema, field).path
    for word in words:
        above, _, key = word.rpartition(".")
        there = field_at(schema, above) if above else whole(schema)
        assert key not in {child.path[-1] for child in there.children()}, word


@pytest.mark.parametrize(
    ("guest", "said"),
    [
        ("disks: /a.qcow2", "disks: '/a.qcow2' is not a list: write disks: [{source: /a.qcow2}] [schema]"),
        (
            "interfaces: ['a: b']",
            "interfaces[0]: 'a: b' is not a mapping: write interfaces: [{source: \"a: b\"}] [schema]",
        ),
        ("sysinfo: smbios", "sysinfo: 'smbios' is not a list: write sysinfo: [{type: smbios}] [schema]"),
        (
            "memory_devices: [dimm]",
            "mapping: write memory_devices: [{model: dimm, target: …}] [schema]",
        ),
        ("memory: [4 GiB]", "memory: a list is not a mapping: write memory: 4 GiB [schema]"),
        ("cpu: [host-model]", "cpu: a list is not a mapping: write cpu: host-model [schema]"),
        ("vcpu: {text: [2]}", "vcpu: a list is not a whole number: write vcpu: 2 [schema]"),
        ("title: {text: b}", "title: a mapping is not a string: write title: b [schema]"),
        ("features: {acpi: [yes]}", "a list is not true or false or a mapping: write acpi: yes [schema]"),
        ("hostdevs: [gpu]", "'gpu' is not a mapping, or DOMAIN:BUS:SLOT.FUNCTION, BUS:SLOT.FUNCTION or VENDOR:PRODUCT"),
        ("os: uefi", "os: 'uefi' is not a mapping (its keys: firmware, type, loader, nvram, varstore, …)"),
        ("title: [a, b]", "title: a list is not a string [schema]"),
        ("cputune: {vcpupin: ['2-3']}", "'2-3' is not a mapping: write vcpupin: [{vcpu: 0, cpuset: 2-3}] [schema]"),
        ("graphics: none", "sdl, egl-headless, dbus: write graphics: [] [schema]"),
        ("interfaces: false", "interfaces: false is not a list: write interfaces: [] [schema]"),
        ("vsock: none", "vsock.cid.address: 'none' is not a whole number: write vsock: null [schema]"),
        ("memballoon: false", "virtio-non-transitional, none: write memballoon: none [schema]"),
        ("memoryBacking: {hugepages: 2}", "2 is not true or false or a mapping, or SIZE UNIT, SIZEGiB or SIZEMiB"),
        (
            "memoryBacking: {hugepages: {page: {size: 1 GiB}}}",
            "'1 GiB' is not a whole number: write page: [{size: 1, unit: GiB}] [schema]",
        ),
        ("features: {kvm: hidden}", "'hidden' is not a mapping: write kvm: {hidden: true} [schema]"),
        ("numatune: {memory: 0}", "numatune.memory: 0 is not a mapping: write memory: {nodeset: 0} [schema]"),
        ("memtune: 1 GiB", "memtune: '1 GiB' is not a mapping: write memtune: {hard_limit: 1 GiB} [schema]"),
        (
            "cpu: {topology: '1:2'}",
            "is not a mapping (its keys: sockets, dies, clusters, cores, threads) [schema]",
        ),
        ("disks: /a", "disks: '/a' is not a list: write disks: [{source: /a, driver: {type: …}}] [schema]"),
        ("disks: [{source: 'rbd:a/b', auth: admin}]", "write auth: {username: admin, secret: …} [schema]"),
        (
            "disks: [{source: /a.raw, backingStore: /b}]",
            "format: is missing (type is file): one of raw, qcow2, bochs, cloop, dmg, fat, ploop, … [schema]",
        ),
        ("disks: [{source: 'rbd:a/b:id=c:mon_host=d'}]", "write source: {protocol: rbd, name: pool/image, host: ["),
        ("disks: [{source: 'rbd:a/b:id=c'}]", "write source: {protocol: rbd, name: pool/image, host: ["),
    ],
)
def test_form_that_is_wrong_is_told_with_the_right_one(guest: str, said: str, run: Run) -> None:
    result = run("render", input=f"name: a\n{guest}\n")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert said in result.stderr


@pytest.mark.parametrize(
    "guest",
    [
        "graphics: [{type: vnc, passwd: [hunter2]}]",
        "graphics: [{type: vnc, passwd: {text: hunter2}}]",
        "graphics: [[{type: vnc, passwd: hunter2}]]",
        "title: {passwd: hunter2}",
    ],
)
def test_right_form_shows_no_secret(guest: str, run: Run) -> None:
    result = run("render", input=f"name: a\n{guest}\n")
    assert (result.exit_code, "hunter2" in result.output) == (2, False)


WORDS = ("none", "2", 2, "1 GiB", "0-1", "/srv/a.qcow2", "yes", "hidden", "a:b", True, False, ["a"], {"text": "b"}, {})
"""What people give in place of a mapping, a list or a number."""


def fields() -> Iterator[tuple[str, ...]]:
    schema = default_engine().schema
    for path in all_fields(schema.root, schema.root):
        if len(path) < 5 and path[0] not in ("vars", "extra", "use", "ignore"):
            yield tuple(str(step) for step in path)


@pytest.mark.parametrize("key", sorted({path[0] for path in fields()}))
def test_form_that_is_advised_is_not_refused(key: str) -> None:
    """Where advice is given for what a field was given as, the guest with that is rendered."""
    for path, word in product([path for path in fields() if path[0] == key], WORDS):
        inside: Any = word
        for step in reversed(path):
            inside = {step: inside}
        for problem in refusals({"name": "a", **inside}):
            if "…" in problem.message or not (advice := problem.message.partition(": write ")[2]):
                continue
            ((name, value),) = from_yaml(advice)[0].items()
            where = problem.path[: max(at for at, step in enumerate(problem.path) if step == name) + 1]
            again = refusals({"name": "a", **inside, key: placed(where, value)})
            assert not [one for one in again if all(map(eq, one.path, where))], (path, word, advice)


def refusals(guest: dict[str, Any]) -> tuple[Problem, ...]:
    return tuple(problem for problem in RENDERER.result(guest).problems if problem.level == "error")


def placed(path: Path, value: Any) -> Any:
    for step in reversed(path[1:]):
        value = [value] if isinstance(step, int) else {step: value}
    return value
