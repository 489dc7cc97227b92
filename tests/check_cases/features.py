"""Guests just inside and just outside of each of the rules of features."""

from __future__ import annotations

from check_cases import Case

CASES: list[Case] = [
    (
        "smm_memory",
        {"machine": "q35", "features": {"smm": {"tseg": "48 MiB"}}},
        {"features": {"smm": {"tseg": "48 MiB"}}},
        "features.smm.tseg: is for machine q35, not pc",
    ),
    (
        "smm_memory",
        {"machine": "q35", "features": {"smm": {"tseg": {"text": 1}}}},
        {"machine": "q35", "features": {"smm": {"tseg": "1025 KiB"}}},
        "features.smm.tseg: is not a whole number of MiB",
    ),
    (
        "emulation",
        {"type": "qemu", "features": {"tcg": {"tb-cache": "128 MiB"}}},
        {"type": "kvm", "features": {"tcg": {"tb-cache": "128 MiB"}}},
        "features.tcg: is for guests of type qemu, not kvm",
    ),
    (
        "emulation",
        {"type": "qemu", "features": {"tcg": {"tb-cache": {"text": 1024}}}},
        {"type": "qemu", "features": {"tcg": {"tb-cache": {"text": 1025}}}},
        "features.tcg.tb-cache: is not a whole number of MiB",
    ),
]
