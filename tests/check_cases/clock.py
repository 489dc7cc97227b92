"""Guests just inside and just outside of each of the rules of the clock."""

from __future__ import annotations

from typing import Any

from check_cases import Case


def clock(name: str) -> dict[str, Any]:
    return {"offset": "utc", "timer": {"name": name}}


CASES: list[Case] = [
    (
        "timers",
        {"arch": "s390x", "clock": clock("rtc")},
        {"arch": "s390x", "clock": clock("hpet")},
        "clock.timer[0].name: 'hpet' is a timer of amd64 guests, not of s390x",
    ),
    (
        "timers",
        {"arch": "arm64", "clock": clock("armvtimer")},
        {"arch": "arm64", "type": "qemu", "clock": clock("armvtimer")},
        "clock.timer[0].name: 'armvtimer' is a timer of guests of type kvm, not qemu",
    ),
]
