"""Each check across fields, with a guest just inside and one just outside."""

from __future__ import annotations

from typing import Any

import check_cases
import pytest
import yaml
from check_cases import KNOWN, example, numa
from conftest import ROOT

from kvmrender import GuestError, Renderer
from kvmrender.checks.all_checks import checks_of
from kvmrender.errors import path_string
from kvmrender.rules.rules import VERSION, placed_rules
from kvmrender.templating.schema_parts import guest_schema
from kvmrender.templating.stack import Stack

RENDERER = Renderer()
SCHEMA = guest_schema(Stack([]))
CHECKS = checks_of(SCHEMA)
RULES = {rule["id"]: rule for _, rule, *_ in placed_rules(SCHEMA) if rule["id"] != VERSION}

CASES = check_cases.all_cases()

RELATED: dict[str, dict[str, list[str]]] = yaml.safe_load((ROOT / "tests/check_related.yaml").read_text())
"""Of each check, the other fields that its problems are about, by what is said."""


@pytest.mark.parametrize(("check", "inside", "outside", "said"), CASES, ids=[case[0] for case in CASES])
def test_guest_just_outside_is_refused(check: str, inside: dict[str, Any], outside: dict[str, Any], said: str) -> None:
    assert RENDERER.result({"name": "a", **inside}).problems == ()
    problems = RENDERER.result({"name": "a", **outside}).problems
    assert "\n".join(map(str, problems)) == said
    related = {str(problem): [*map(path_string, problem.related)] for problem in problems}
    assert related == {line: RELATED.get(check, {}).get(line, []) for line in related}


def test_placement_of_memory_is_that_of_vcpus_unless_it_says_otherwise() -> None:
    guest = {"name": "a", **numa.two(), **numa.tuned(1), "vcpu": {"text": 2, "placement": "auto"}}
    with pytest.raises(GuestError) as raised:
        RENDERER.render(guest)
    (problem,) = raised.value.problems
    said = "numatune.memnode[0]: can't be combined with placement auto, which is for the whole guest [numa-placement]"
    assert str(problem) == said
    assert problem.related == (("numatune", "memory"), ("vcpu", "placement"))


def test_every_check_has_a_case() -> None:
    assert {check.id for check in CHECKS} == {case[0].replace("_", "-") for case in CASES}


@pytest.mark.parametrize(
    ("arch", "features", "said"),
    [
        ("amd64", {"gic": 3}, "features.gic: is only for arm64 guests, not amd64 [schema]"),
        (
            "s390x",
            {"vmcoreinfo": True},
            "features.vmcoreinfo: is only for amd64, arm64, loongarch64 and riscv64 guests, not s390x [schema]",
        ),
        ("riscv64", {"kvm": {"hidden": True}}, "features.kvm.hidden: is only for amd64 guests, not riscv64 [schema]"),
        ("ppc64le", {"pmu": False}, "features.pmu.state: can't be off: ppc64le guests always have it [schema]"),
    ],
)
def test_feature_of_another_architecture(arch: str, features: dict[str, Any], said: str) -> None:
    with pytest.raises(GuestError) as raised:
        RENDERER.render({"name": "a", "arch": arch, "features": features})
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("arch", "guest", "said"),
    [
        ("amd64", {"nvram": {}}, "nvram: is only for ppc64le guests, not amd64 [schema]"),
        (
            "arm64",
            {"keywrap": {"cipher": {"name": "aes", "state": True}}},
            "keywrap: is only for s390x guests, not arm64 [schema]",
        ),
        ("s390x", {"cpu": {"cache": "disable"}}, "cpu.cache: is only for amd64 guests, not s390x [schema]"),
    ],
)
def test_device_of_another_architecture(arch: str, guest: dict[str, Any], said: str) -> None:
    with pytest.raises(GuestError) as raised:
        RENDERER.render({"name": "a", "arch": arch, **guest})
    assert str(raised.value) == said


@pytest.mark.parametrize("name", [name for name, about in KNOWN.items() if about.is_check])
def test_check_has_a_guest_inside_and_one_outside(name: str) -> None:
    inside, outside = example(name)
    assert RENDERER.result({"name": "a", **inside}).problems == ()
    found = RENDERER.result({"name": "a", **outside}).problems
    assert {(problem.id, problem.level) for problem in found} == {(name, KNOWN[name].level)}


def test_no_two_checks_have_one_name() -> None:
    names = [check.id for check in CHECKS if check.id not in RULES]
    assert len({*names, *RULES}) == len([name for name in names if name != VERSION]) + 1 + len(RULES)
