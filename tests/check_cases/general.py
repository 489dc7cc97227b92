"""Guests just inside and just outside of each check of kvmrender.checks.general."""

from __future__ import annotations

from typing import Any

from check_cases import Case

UUID = "2ac00355-aa38-5a2b-9e12-bd4f3f3ed0f2"


def system(uuid: str) -> dict[str, Any]:
    return {"uuid": UUID, "sysinfo": {"system": {"entry": {"name": "uuid", "text": uuid}}}}


CASES: list[Case] = [
    (
        "power_actions",
        {"on_poweroff": "restart", "on_reboot": "restart"},
        {"on_poweroff": "restart", "on_reboot": "destroy"},
        "on_reboot: destroy can't stand beside on_poweroff restart",
    ),
    (
        "system_uuid",
        system(UUID.replace("-", "").upper()),
        system(f"1{UUID[1:]}"),
        f"sysinfo[0].system.entry[0]: '1{UUID[1:]}' is not the guest's UUID, {UUID}",
    ),
    (
        "launch_security",
        {"arch": "s390x", "launchSecurity": "s390-pv"},
        {"launchSecurity": "s390-pv"},
        "launchSecurity.type: s390-pv is for s390x guests, not amd64",
    ),
]
