"""Guests just inside and just outside of each check of kvmrender.checks.firmware."""

from __future__ import annotations

from check_cases import Q35, Case

SECURE = {"loader": {"secure": True, "type": "pflash", "readonly": True, "text": "/OVMF.fd"}}

ENROLLED = {"firmware": {"type": "efi", "feature": [{"name": "secure-boot", "enabled": True}]}}

CASES: list[Case] = [
    (
        "machine_given_once",
        {"machine": "q35", "os": {"type": {"machine": "q35"}}},
        {"machine": "q35", "os": {"type": {"machine": "pc"}}},
        "machine: 'q35' is not the machine of os.type, 'pc'",
    ),
    (
        "secure_boot",
        {**Q35, "os": SECURE},
        {**Q35, "machine": "pc", "os": SECURE},
        "os.loader.secure: secure boot is for machine q35, not pc",
    ),
    (
        "secure_boot",
        {**Q35, "os": SECURE},
        {"machine": "pc-q35-7.2", "os": SECURE},
        "os.loader.secure: secure boot needs SMM: features.smm",
    ),
    (
        "secure_boot",
        {"machine": "q35", "os": ENROLLED},
        {"os": ENROLLED},
        "os.firmware.feature[0]: secure boot is for machine q35, not pc",
    ),
    (
        "secure_boot",
        {"machine": "q35", "os": ENROLLED},
        {"machine": "q35", "os": ENROLLED, "features": {"smm": False}},
        "os.firmware.feature[0]: secure boot needs SMM: features.smm",
    ),
]
