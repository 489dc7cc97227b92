"""Each shipped profile, defined and run dry by real libvirts: the machine's own and the newer ones."""

from __future__ import annotations

import re

import pytest
from drivers import Driver

from kvmrender import Renderer
from kvmrender.templating.stack import Stack

pytestmark = pytest.mark.libvirt

RENDERER = Renderer()
NEEDS = {
    "real-time": r"hugetlbfs filesystem is not mounted",
    "confidential-sev-snp": r"'sev-snp' launch security is not supported with this QEMU binary|Unable to find 'efi'",
}
"""Profiles whose guests need something special of the host, and what libvirt says where it hasn't that."""


@pytest.mark.parametrize("profile", Stack().profiles())
def test_libvirt_takes_a_guest_of_each_profile(profile: str, driver: Driver) -> None:
    guest = {"name": f"of-{profile}", "vcpu": 4, "memory": "4 GiB", "use": [profile]}
    if problems := RENDERER.result({**guest, "libvirt": ".".join(map(str, driver.version))}).problems:
        assert {problem.id for problem in problems} == {"version"}
        return
    cpu = RENDERER.context(guest)["cpu"]
    xml = RENDERER.render({**guest, "type": "qemu", "cpu": {**cpu, "mode": "maximum"}})
    refusal = driver.refusal(xml)
    assert refusal is None or re.search(NEEDS.get(profile, "nothing"), refusal), refusal
