"""Random guests on libvirt's QEMU drivers: what they refuse could not have been known before, or there is a check.

``KVMRENDER_EXAMPLES=100000`` draws more of them, anew each time; ``KVMRENDER_ONLY=disks,cpu`` only these keys.
``KVMRENDER_REFUSALS=FILE`` collects every refusal that the table lacks (JSON Lines) instead of failing at the first.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from drivers import CRASH, Driver
from guests import draws, guests
from hypothesis import given, reject
from refusals import LIBVIRTS, REFUSALS, Refusal, is_known, release

from kvmrender import GuestError
from kvmrender.engine import Engine

ONLY = [key for key in os.environ.get("KVMRENDER_ONLY", "").split(",") if key]
COLLECTED = os.environ.get("KVMRENDER_REFUSALS")
MOST_IOTHREADS = 1000

RENDERER = Engine()


@pytest.mark.libvirt
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.parametrize("most", [1, 4])
def test_refusals_of_random_guests_could_not_have_been_known(most: int, driver: Driver) -> None:
    libvirt = release(driver)

    @draws(1500)
    @given(guest=guests(RENDERER.schema, ONLY, most))
    def refused_for_a_reason(guest: dict[str, Any]) -> None:
        # Without a program that isn't there, and without more iothreads than libvirt can list in a minute.
        guest = {key: value for key, value in guest.items() if key != "emulator"} | {"type": "qemu", "libvirt": libvirt}
        if guest.get("iothreads", 0) > MOST_IOTHREADS:
            reject()
        try:
            xml = RENDERER.render(guest)
        except GuestError:
            reject()
        refusal = driver.run(xml).refusal
        if refusal is None or is_known(refusal, libvirt):
            return
        if COLLECTED:
            with Path(COLLECTED).open("a") as file:
                print(json.dumps({"driver": driver.name, "refusal": refusal, "guest": guest}), file=file)
            return
        pytest.fail(f"{driver.name}: {refusal}\n{guest}\n{xml}")

    refused_for_a_reason()


@pytest.mark.libvirt
@pytest.mark.parametrize("row", [pytest.param(row, id=row.says.pattern) for row in REFUSALS])
def test_each_row_of_the_table_is_what_these_libvirts_say_and_others_do_not(row: Refusal, driver: Driver) -> None:
    """Of its fixtures, tests/real_libvirt/test_libvirt.py holds that."""
    libvirt = release(driver)
    for guest in [guest for one in LIBVIRTS for guest in row.of[one] if isinstance(guest, dict)]:
        refusal = driver.refusal(RENDERER.render({"name": "a", "type": "qemu", "libvirt": libvirt, **guest}))
        is_so = refusal is not None and row.says.search(refusal) is not None
        assert is_so == (guest in row.of[libvirt]), f"{guest}: {refusal}"


@pytest.mark.libvirt
def test_driver_refuses_and_survives_a_crash(driver: Driver) -> None:
    guest = {"name": "a", "type": "qemu", "machine": "pc-0.1"}
    for _ in range(2):
        assert "does not support machine type 'pc-0.1'" in str(driver.refusal(RENDERER.render(guest)))
        defined = driver.define(RENDERER.render({**guest, "machine": "pc"}))
        assert defined.refusal is None
        assert "<name>a</name>" in defined.text
        assert driver.crashed().refusal == CRASH
