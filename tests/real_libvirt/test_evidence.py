"""libvirt is the judge: the guest just outside of each check is refused by a real libvirt, that of a note is not.

It is rendered with the check ignored. That the guest just inside is not refused in the same words shows that it is for
what the check is about. ``tests/libvirt_unseen.yaml`` says what would be needed to show the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import check_cases
import pytest
from conftest import ROOT
from drivers import CRASH, NAMES, Driver

from kvmrender import Renderer, TemplateError
from kvmrender.errors import NOTE
from kvmrender.reading.parse import from_yaml
from kvmrender.rules.rules import VERSION, placed_rules
from kvmrender.schema.text_values import version
from kvmrender.schema.versions import NEWEST
from kvmrender.templating.schema_parts import guest_schema
from kvmrender.templating.stack import Stack

pytestmark = [pytest.mark.libvirt, pytest.mark.usefixtures("unmeasured")]

RENDERER = Renderer()
RULES = {rule["id"]: rule for _, rule, *_ in placed_rules(guest_schema(Stack([]))) if rule["id"] != VERSION}
CASES = [
    *(pytest.param(inside, outside, id=check) for check, inside, outside, _ in check_cases.all_cases()),
    *(pytest.param(rule["inside"], rule["outside"], id=f"rule-{name}") for name, rule in RULES.items()),
]
UNSEEN: dict[str, str] = from_yaml((ROOT / "tests/libvirt_unseen.yaml").read_text())[0]
"""What is said of guests that no driver here refuses, and what would be needed to see it."""


@pytest.fixture(scope="module")
def drivers() -> Iterator[tuple[list[Driver], list[str]]]:
    """Those that there are, one at least, and why others are not: a test that needs those is skipped."""
    found, missing = [], []
    with ExitStack() as stack:
        for name in NAMES:
            try:
                found.append(stack.enter_context(Driver(name)))
            except pytest.skip.Exception as why:
                missing.append(str(why))
        yield found, missing


def emulated(guest: dict[str, Any]) -> str:
    """Render a guest whatever checks find in it."""
    guest = {"name": "a", "type": "qemu", **guest}
    found = {problem.id for problem in RENDERER.result(guest).problems if problem.level != NOTE}
    return RENDERER.render({**guest, "ignore": sorted(found)})


@pytest.mark.parametrize(("inside", "outside"), CASES)
def test_guest_just_outside_is_refused_by_a_libvirt(
    inside: dict[str, Any], outside: dict[str, Any], drivers: tuple[list[Driver], list[str]]
) -> None:
    asked, missing = drivers
    problems = RENDERER.result({"name": "a", **outside}).problems
    said = "\n".join(map(str, problems))
    try:
        refused, taken = emulated(outside), emulated(inside)
    except TemplateError:
        assert said in UNSEEN
        return
    if all(problem.level == NOTE for problem in problems):
        # libvirt's schema may refuse what its parser takes.
        verdict = {step(refused).refusal for driver in asked for step in (driver.define, driver.run)}
        assert None in verdict or said in UNSEEN, f"is no note, as no libvirt takes it: {said}"
        return
    needed = inside.get("libvirt", NEWEST if "libvirt" in outside else "any")
    verdicts = {}
    for driver in asked:
        verdicts[driver.name] = refusal = driver.refusal(refused)
        is_newer = needed != "any" and version(needed) > (*driver.version, 0)
        if refusal not in (None, CRASH) and (is_newer or refused == taken or driver.refusal(taken) != refusal):
            assert said not in UNSEEN, f"{driver.name} refuses it, so its line can go: {refusal}"
            return
    if said in UNSEEN:
        return
    if missing:
        pytest.skip("; ".join(missing))
    pytest.fail(f"{said}\nis an error, but {verdicts}\n{refused}")


def test_table_is_of_what_is_said() -> None:
    said = {
        "\n".join(map(str, RENDERER.result({"name": "a", **case.values[1]}).problems))  # type: ignore[dict-item]
        for case in CASES
    }
    assert UNSEEN.keys() <= said
