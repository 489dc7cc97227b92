"""Each shipped profile, defined and run dry by real libvirts: the machine's own and the newer ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from drivers import NAMES, Driver

from kvmrender import GuestError, Renderer
from kvmrender.templating.stack import Stack

pytestmark = pytest.mark.libvirt

RENDERER = Renderer()
NEEDS = {
    "real-time": r"hugetlbfs filesystem is not mounted",
    "confidential-sev-snp": r"'sev-snp' launch security is not supported with this QEMU binary|Unable to find 'efi'",
}
"""Profiles whose guests need something special of the host, and what libvirt says where it hasn't that."""


@pytest.fixture(scope="module", params=NAMES)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    with Driver(request.param) as found:
        yield found


@pytest.mark.parametrize("profile", Stack().profiles())
def test_libvirt_takes_a_guest_of_each_profile(profile: str, driver: Driver) -> None:
    guest = {"name": f"of-{profile}", "vcpu": 4, "memory": "4 GiB", "use": [profile]}
    try:
        RENDERER.render({**guest, "libvirt": ".".join(map(str, driver.version))})
    except GuestError as error:
        pytest.skip(f"needs a newer libvirt: {error}")
    cpu = RENDERER.context(guest)["cpu"]
    xml = RENDERER.render({**guest, "type": "qemu", "cpu": {**cpu, "mode": "maximum"}})
    refusal = driver.refusal(xml)
    assert refusal is None or re.search(NEEDS.get(profile, "nothing"), refusal), refusal
