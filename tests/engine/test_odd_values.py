"""Whatever stands anywhere in a guest, what comes of it is XML, or what is wrong with it.

``KVMRENDER_EXAMPLES=100000`` tries more, other ones each time.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from copy import deepcopy
from itertools import product
from typing import Any
from unittest import mock

import pytest
from check_cases import all_cases
from conftest import ROOT
from guests import some

from kvmrender.checks import all_checks
from kvmrender.checks.checked_context import Built, context_builder
from kvmrender.engine import default_engine
from kvmrender.errors import Error, GuestError, Path
from kvmrender.reading.load import read
from kvmrender.rules.rule_case import ALWAYS
from kvmrender.rules.rules import placed_rules
from kvmrender.schema.guest_schema import value_at

ODD: list[Any] = [None, {}, [], "", 0, -1, True, False, "x", "1", 2**70, 1.5, [{}], [None], [[]], {"": 1}, {"x": {}}]
ODD += [{"text": None}, "0-", "-", ",", "^", "^0", "0x", "a,b", "\u0660", "1e3", "0-4294967295", "/", "\x00"]
ODD += [10**5000, float("inf"), float("nan"), b"x", (1,), {1}, object(), {1: 2}, {(1, 2): 3}, {10**5000: 4}, "\ud800"]
ODD += [{"type": None}, {"type": []}, {"model": {"type": {}}}, 2**31, 2**64, -(2**63), "9.0.0", "x" * 70_000, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    yield path
    for key, below in value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ()):
        yield from places(below, (*path, key))


def changed(guest: dict[str, Any], path: Path, value: Any) -> Any:
    above = guest = deepcopy(guest)
    for step in path[:-1]:
        above = above[step]
    above[path[-1]] = value
    return guest


def known_guests() -> list[dict[str, Any]]:
    found = [guest for case in all_cases() for guest in case[1:3]]
    rules = [rule for _, rule, _, _ in placed_rules(default_engine().schema) if "inside" in rule]
    found += [rule[key] for rule in rules for key in ("inside", "outside")]
    files = sorted(ROOT.glob("fixtures/**/*.yaml"))
    return found + [document.guest for file in files for document in read(file.name, file.read_bytes())]


def test_no_null_is_a_fault_of_ours() -> None:
    engine = default_engine()
    keys = engine.context({"name": "a"})  # what has a default
    for guest, key in some(list(product(known_guests(), keys))):
        with suppress(Error):
            engine.render({"name": "a", **guest, key: None})


def test_what_is_left_out_hides_no_problem() -> None:
    """Checks that are run where they may find something find what they would find in any guest."""
    schema = default_engine().schema
    every = [one._replace(triggers=(ALWAYS,), filter=lambda _: ("", "True")) for one in all_checks.checks_of(schema)]
    some_checks = context_builder(schema)
    with mock.patch.object(all_checks, "checks_of", return_value=every):
        all_of_them = context_builder(schema)

    def found(build: Callable[[Any], Built], guest: Any) -> set[str]:
        try:
            return {str(note) for note in build(guest)[2]}
        except GuestError as error:
            return {str(problem) for problem in error.problems}

    for whole, path in some([(guest, path) for guest in known_guests() for path in places(guest) if path]):
        left = deepcopy(whole)
        above = value_at(left, path[:-1])
        del above[path[-1]]
        left = {"name": "a", **left}
        assert found(some_checks, left) == found(all_of_them, left), left


def test_what_is_derived_has_the_shape_that_its_part_states() -> None:
    """Checks rely on it: what a derived value can't have is not looked for."""
    engine = default_engine()

    def fits(value: Any, shape: Any) -> bool:
        if isinstance(value, list) and isinstance(shape, list):
            return all(any(fits(item, one) for one in shape) for item in value)
        if isinstance(value, dict) and isinstance(shape, dict):
            return all(key in shape and fits(inner, shape[key]) for key, inner in value.items())
        return shape is True or value == shape

    found = set()
    for whole, arch in product(known_guests(), engine.schema.architectures):
        with suppress(Error):
            context = engine.context(guest := {"name": "a", **whole, "arch": arch})
            own = engine.schema.architectures[arch]["properties"]
            for key, field in engine.schema.root["properties"].items():
                cases = [*own.get(key, {}).get("defaults", ()), *field.get("defaults", ())]
                is_derived = key not in guest and "default" not in own.get(key, {})
                if is_derived and context.get(key) and (shapes := [case["shape"] for case in cases if "shape" in case]):
                    assert any(fits(context[key], shape) for shape in shapes), (key, context[key])
                    found.add(key)
    assert found == {"consoles", "controllers", "memballoon"}


def test_no_value_is_a_fault_of_ours() -> None:
    """One to three of a guest's values are odd, or what it has at the top."""
    engine = default_engine()
    keys: list[Path] = [(key,) for key in engine.schema.root["properties"]]
    guests = known_guests()
    asked = int(os.environ.get("KVMRENDER_EXAMPLES", "2000").replace("usual", "20000"))
    draw = random.Random(0 if asked <= 20000 else None)
    refused = 0
    for _ in range(asked):
        guest = {"name": "a", **draw.choice(guests)}
        for _ in range(draw.choice((1, 1, 2, 3))):
            inside = [path for path in places(guest) if path]
            guest = changed(guest, draw.choice([*inside, draw.choice(keys)]), draw.choice(ODD))
        try:
            engine.render(guest)
        except Error:
            refused += 1
    assert refused > asked / 2


def test_number_of_more_digits_than_python_writes_is_told() -> None:
    with pytest.raises(GuestError, match=r"^controllers\[0\].index: a number of many digits is not a value"):
        default_engine().render({"name": "a", "controllers": [{"type": "scsi", "index": 10**5000}]})


def test_no_value_for_a_guest_is_a_fault_of_ours() -> None:
    for value in ODD:
        with pytest.raises(GuestError):
            default_engine().render(value)
