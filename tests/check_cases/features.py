"""Guests just inside and just outside of each of the rules of features."""

from __future__ import annotations

from check_cases import Case

CASES: list[Case] = [
    (
        "idle_features",
        {"features": {"pae": True}},
        {"arch": "arm64", "features": {"pae": True}},
        "features.pae: note: has no effect on arm64 [idle-features]",
    ),
    (
        "acpi_machines",
        {"arch": "riscv64", "features": {"acpi": True}},
        {"arch": "s390x", "features": {"acpi": True}},
        "features.acpi: is not for machine s390-ccw-virtio",
    ),
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
    (
        "without_ps2",
        {"features": {"ps2": False, "vmport": False}},
        {"features": {"ps2": False, "vmport": True}},
        "features.vmport.state: needs ps2, which is off",
    ),
    (
        "without_ps2",
        {"features": {"ps2": False}, "inputs": {"type": "tablet", "bus": "usb"}},
        {"features": {"ps2": False}, "inputs": {"type": "mouse", "bus": "ps2"}},
        "inputs[0].bus: ps2 needs features.ps2, which is off",
    ),
    (
        "hyperv_needs",
        {"features": {"hyperv": {"mode": "custom", "vpindex": True, "ipi": True}}},
        {"features": {"hyperv": {"mode": "custom", "ipi": True}}},
        "features.hyperv.ipi.state: needs hyperv.vpindex",
    ),
    (
        "hyperv_needs",
        {"features": {"hyperv": {"mode": "custom", "vpindex": True, "tlbflush": True}}},
        {"features": {"hyperv": {"mode": "custom", "vpindex": False, "tlbflush": True}}},
        "features.hyperv.tlbflush.state: needs hyperv.vpindex",
    ),
    (
        "hyperv_needs",
        {"features": {"hyperv": {"mode": "custom", "vapic": True, "evmcs": True}}},
        {"features": {"hyperv": {"mode": "custom", "vapic": False, "evmcs": True}}},
        "features.hyperv.evmcs.state: needs hyperv.vapic",
    ),
    (
        "hyperv_needs",
        {"features": {"hyperv": {"mode": "custom", "vapic": True, "vpindex": True, "tlbflush": {"direct": True}}}},
        {"features": {"hyperv": {"mode": "custom", "vpindex": True, "tlbflush": {"direct": True}}}},
        "features.hyperv.tlbflush.direct.state: needs hyperv.vapic",
    ),
    (
        "hyperv_needs",
        {
            "features": {"hyperv": {"mode": "custom", "vpindex": True, "synic": True, "stimer": True}},
            "clock": {"offset": "utc", "timer": [{"name": "hypervclock", "present": True}]},
        },
        {
            "features": {"hyperv": {"mode": "custom", "vpindex": True, "stimer": True}},
            "clock": {"offset": "utc", "timer": [{"name": "hypervclock", "present": True}]},
        },
        "features.hyperv.stimer: needs hyperv.synic",
    ),
    (
        "hyperv_needs",
        {
            "features": {"hyperv": {"mode": "custom", "synic": True, "stimer": True}},
            "clock": {"offset": "utc", "timer": [{"name": "hypervclock", "present": True}]},
        },
        {
            "features": {"hyperv": {"mode": "custom", "synic": True, "stimer": True}},
            "clock": {"offset": "utc", "timer": [{"name": "hypervclock", "present": False}]},
        },
        "features.hyperv.stimer: needs the timer hypervclock: {name: hypervclock, present: yes} of clock.timer",
    ),
    (
        "hyperv_needs",
        {"features": {"hyperv": {"mode": "custom", "synic": True, "stimer": False}}},
        {"features": {"hyperv": {"mode": "custom", "synic": True, "stimer": True}}},
        "features.hyperv.stimer: needs the timer hypervclock: {name: hypervclock, present: yes} of clock.timer",
    ),
    (
        "hyperv_needs",
        {"libvirt": "11.8.0", "features": {"hyperv": {"mode": "custom", "ipi": True}}},
        {"libvirt": "11.9.0", "features": {"hyperv": {"mode": "custom", "ipi": True}}},
        "features.hyperv.ipi.state: needs hyperv.vpindex",
    ),
    (
        "gic",
        {"arch": "arm64", "machine": "virt-7.2", "features": {"gic": 3}},
        {"arch": "arm64", "machine": "versatilepb", "features": {"gic": 3, "acpi": None}},
        "features.gic: is for machine virt, not versatilepb",
    ),
]
