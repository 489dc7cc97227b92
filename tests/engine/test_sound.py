"""What the schema takes, libvirt takes: guests made at random render to XML that libvirt's schema finds valid.

``KVMRENDER_EXAMPLES=100000`` draws more of them, anew each time; ``KVMRENDER_ONLY=disks,cpu`` only these keys.
"""

from __future__ import annotations

import os
from typing import Any

import pytest
from guests import draws, guests
from hypothesis import given, reject

from kvmrender import GuestError
from kvmrender.engine import Engine

ONLY = [key for key in os.environ.get("KVMRENDER_ONLY", "").split(",") if key]

RENDERER = Engine()


@pytest.mark.libvirt
@pytest.mark.usefixtures("unmeasured")
@draws(2000)
@given(guest=guests(RENDERER.schema, ONLY))
def test_random_guests_are_valid_for_libvirts_schema(guest: dict[str, Any]) -> None:
    from kvmrender.libvirt.rng import Grammar, installed_schema
    from kvmrender.libvirt.validator import faults
    from kvmrender.schema.xml_path import xml_path

    grammar = GRAMMAR[0] if GRAMMAR else Grammar(installed_schema())
    GRAMMAR[:] = [grammar]
    try:
        xml = RENDERER.render(guest)
    except GuestError:
        reject()  # a check across fields: two disks with one target, and the like
    found = [f"{xml_path(problem.path)}: {problem.message}" for problem in faults(grammar, xml.encode())]
    assert not found, f"{found}\n{xml}"


GRAMMAR: list[Any] = []
