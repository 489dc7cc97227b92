"""Guests just inside and just outside of each check of kvmrender.checks.firmware."""

from __future__ import annotations

from typing import Any

from check_cases import Q35, Case

SECURE = {"loader": {"secure": True, "type": "pflash", "readonly": True, "text": "/OVMF.fd"}}

ENROLLED = {"firmware": {"type": "efi", "feature": [{"name": "secure-boot", "enabled": True}]}}

FLASH = {"type": "pflash", "readonly": True, "text": "/OVMF.fd"}


def enrolled(keys: bool) -> dict[str, Any]:
    features = [{"name": "secure-boot", "enabled": False}, {"name": "enrolled-keys", "enabled": keys}]
    return {"firmware": {"type": "efi", "feature": features}}


CASES: list[Case] = [
    (
        "acpi_tables",
        {"os": {"acpi": {"table": [{"type": "slic", "text": "/a"}]}}},
        {"os": {"acpi": {"table": [{"type": "slic", "text": "/a"}, {"type": "slic", "text": "/b"}]}}},
        "os.acpi.table[1].type: slic is taken by os.acpi.table[0]",
    ),
    (
        "machine_given_once",
        {"machine": "q35", "os": {"type": {"machine": "q35"}}},
        {"machine": "q35", "os": {"type": {"machine": "pc"}}},
        "machine: 'q35' differs from os.type.machine, 'pc'",
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
    (
        "secure_boot",
        {"arch": "arm64", "os": {"loader": {**FLASH, "secure": False}}},
        {"arch": "arm64", "os": {"loader": {**FLASH, "secure": True}}},
        "os.loader.secure: secure boot is for machine q35, not virt",
    ),
    (
        "loader",
        {"os": {"loader": {"type": "rom", "text": "/bios.bin"}}},
        {"os": {"loader": {"type": "rom"}}},
        "os.loader: is missing: the path of the firmware image is required without os.firmware",
    ),
    (
        "loader",
        {"os": {"firmware": "efi", "varstore": "/vars.json"}},
        {"os": {"firmware": "efi", "varstore": "/vars.json", "nvram": "/vars.fd"}},
        "os.varstore: can't be combined with nvram",
    ),
    (
        "loader",
        {"os": {"loader": {"type": "rom", "text": "/a.fd"}, "varstore": True}},
        {"os": {"loader": FLASH, "varstore": True}},
        "os.varstore: is not for a loader of type pflash: use nvram",
    ),
    (
        "loader",
        {"os": {"firmware": "efi", "varstore": True}},
        {"os": {"firmware": "bios", "varstore": True}},
        "os.varstore: is not for firmware bios, which stores no variables",
    ),
    (
        "loader",
        {"os": {"firmware": "efi", "nvram": "/vars.fd"}},
        {"os": {"firmware": "bios", "nvram": "/vars.fd"}},
        "os.nvram: is not for firmware bios, which stores no variables",
    ),
    (
        "loader",
        {"os": {"loader": {**FLASH, "stateless": False}, "nvram": "/vars.fd"}},
        {"os": {"loader": {**FLASH, "stateless": True}, "nvram": "/vars.fd"}},
        "os.nvram: is not for a stateless loader, which stores no variables",
    ),
    (
        "loader",
        {"os": {"loader": {"type": "rom", "text": "/bios.bin", "stateless": True}}},
        {"os": {"loader": {"type": "rom", "text": "/bios.bin", "stateless": False}}},
        "os.loader.stateless: can't be no: only firmware efi and loaders of type pflash store variables",
    ),
    (
        "enrolled_keys",
        {"os": enrolled(False)},
        {"os": enrolled(True)},
        "os.firmware.feature[1]: enrolled-keys needs secure-boot",
    ),
    (
        "uefi_and_acpi",
        {"os": {"firmware": "efi"}},
        {"os": {"firmware": "efi"}, "features": {"acpi": False}},
        "features.acpi: is missing: UEFI needs it",
    ),
    (
        "uefi_and_acpi",
        {"arch": "arm64", "os": {"firmware": "bios"}},
        {"arch": "arm64", "os": {"firmware": "bios"}, "features": {"acpi": True}},
        "features.acpi: needs UEFI: os.firmware efi, or a loader of type pflash",
    ),
    (
        "smbios_sysinfo",
        {"os": {"smbios": "sysinfo"}, "sysinfo": {"type": "smbios"}},
        {"os": {"smbios": "sysinfo"}, "sysinfo": {"type": "fwcfg"}},
        "os.smbios.mode: needs sysinfo of type smbios",
    ),
    (
        "firmware_output",
        {"os": {"bios": {"useserial": True}}},
        {"os": {"bios": {"useserial": True}}, "serials": [], "consoles": [{"target": {"type": "virtio"}}]},
        "os.bios.useserial: needs a serial port",
    ),
    (
        "loader",
        {"os": {"firmware": "efi", "loader": {"stateless": False}}},
        {"os": {"firmware": "bios", "loader": {"stateless": False}}},
        "os.loader.stateless: can't be no: only firmware efi and loaders of type pflash store variables",
    ),
    (
        "shim",
        {"os": {"firmware": "efi", "kernel": "/k", "shim": "/s"}},
        {"os": {"firmware": "efi", "shim": "/s"}},
        "os.shim: needs a kernel: os.kernel",
    ),
    (
        "writable_rom",
        {"os": {"loader": {"type": "rom", "readonly": True, "text": "/a"}}},
        {"os": {"loader": {"type": "rom", "readonly": False, "text": "/a"}}},
        "os.loader.readonly: can't be no for a loader of type rom",
    ),
    (
        "firmware_bios",
        {"arch": "loongarch64", "os": {"firmware": "efi"}},
        {"arch": "loongarch64", "os": {"firmware": "bios"}},
        "os.firmware.type: bios is not for loongarch64: only efi is",
    ),
    (
        "chosen_firmware",
        {"libvirt": "9.2.0", "machine": "q35", "os": {"firmware": "efi", "loader": {"secure": False}}},
        {"libvirt": "9.0.0", "machine": "q35", "os": {"firmware": "efi", "loader": {"secure": False}}},
        "os.loader.secure: can't be combined with firmware before libvirt 9.2.0",
    ),
]
