"""Error messages with which libvirt versions are known to refuse guests: ``tests/libvirt_refusals.yaml``."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import pytest
from conftest import ROOT
from drivers import Driver

from kvmrender.reading.parse import from_yaml

LIBVIRTS = ("9.0", "11.3", "12.8")
"""The libvirt versions with known refusals: those of Debian 12, 13 and the next release."""


class Refusal(NamedTuple):
    """A message of libvirt, the versions that give it, and for which guests: names of fixtures, and guests."""

    says: re.Pattern[str]
    of: dict[str, list[str | dict[str, Any]]]


def _refusals() -> list[Refusal]:
    rows = []
    for reason in from_yaml((ROOT / "tests/libvirt_refusals.yaml").read_text())[0].values():
        for says, guests in reason.items():
            of = {
                one: [guest for libvirts, some in guests.items() if one in libvirts.split() for guest in some]
                for one in LIBVIRTS
            }
            rows.append(Refusal(re.compile(says, re.DOTALL), of))
    return rows


REFUSALS = _refusals()


def release(driver: Driver) -> str:
    """Return a driver's libvirt version as in the table, or skip the test."""
    if (found := "{}.{}".format(*driver.version)) in LIBVIRTS:
        return found
    pytest.skip(f"needs a libvirt whose refusals are known, {', '.join(LIBVIRTS)}: not {found}")


def is_known(refusal: str, libvirt: str) -> bool:
    """Return whether a refusal is known for a libvirt version."""
    return any(row.of[libvirt] and row.says.search(refusal) for row in REFUSALS)
