"""What a libvirt writes of a guest that it has defined comes back whole."""

from __future__ import annotations

import pytest
from drivers import NAMES, Driver
from test_libvirt import emulated, every_guest

from kvmrender import import_domain, render
from kvmrender.libvirt.xml_facts import differences
from kvmrender.libvirt.xml_tree import Element, documents

pytestmark = pytest.mark.libvirt

FEWEST = 0.75
"""How many of the fixtures each libvirt takes at least."""


def root_of(xml: str) -> Element:
    root = next(documents(xml.encode())).root
    assert root is not None
    return root


@pytest.mark.parametrize("name", NAMES)
def test_dumps_come_back_whole(name: str) -> None:
    guests = [parameter.values[0] for parameter in every_guest.args[1]]
    lost, taken = {}, 0
    with Driver(name) as driver:
        for guest in guests:
            refusal, dump = driver.define(emulated(guest))
            if refusal is None:
                taken += 1
                found = import_domain(dump)
                if left := [*found.lost, *differences(root_of(dump), root_of(render(found.guest)))]:
                    lost[guest["name"]] = left
    assert lost == {}
    assert taken > FEWEST * len(guests)
