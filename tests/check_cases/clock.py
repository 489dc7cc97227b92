"""Guests just inside and just outside of each of the rules of the clock."""

from __future__ import annotations

from typing import Any

from check_cases import Case


def clock(name: str, **more: Any) -> dict[str, Any]:
    return {"offset": "utc", "timer": {"name": name, **more}}


CASES: list[Case] = [
    (
        "timers",
        {"arch": "s390x", "clock": clock("rtc")},
        {"arch": "s390x", "clock": clock("hpet", present=True)},
        "clock.timer[0].name: 'hpet' is for amd64 guests, not s390x",
    ),
    (
        "idle_timers",
        {"clock": clock("hpet", present=False)},
        {"arch": "s390x", "clock": clock("hpet", present=False)},
        "clock.timer[0].name: note: 'hpet' has no effect on s390x [idle-timers]",
    ),
    (
        "timers",
        {"arch": "arm64", "clock": clock("armvtimer")},
        {"arch": "arm64", "type": "qemu", "clock": clock("armvtimer")},
        "clock.timer[0].name: 'armvtimer' is for guests of type kvm, not qemu",
    ),
]
