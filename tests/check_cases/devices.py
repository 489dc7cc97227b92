"""Guests just inside and just outside of each check of devices."""

from __future__ import annotations

from typing import Any

from check_cases import DIMM, DISK, NIC, SHARED, VIRTIOFS, Case, cells, example


def mdev(model: str, uuid: str, **more: Any) -> dict[str, Any]:
    return {"type": "mdev", "model": model, "source": {"address": uuid}, **more}


def on_usb(bus: str) -> dict[str, Any]:
    return {"type": "usb", "source": {"address": {"bus": bus, "device": "3"}}}


def smmuv3(bus: int) -> dict[str, Any]:
    return {"model": "smmuv3", "driver": {"pciBus": bus}}


def zpci(uid: str, slot: int) -> dict[str, Any]:
    return {"backend": "/dev/urandom", "address": {"type": "pci", "bus": "0", "slot": str(slot), "zpci": {"uid": uid}}}


def ramfb(number: str) -> dict[str, Any]:
    source = {"address": number.zfill(32)}
    return {"type": "mdev", "model": "vfio-pci", "display": True, "ramfb": True, "source": source}


USB = {"type": "usb", "model": "qemu-xhci"}
PMEM = {"model": "virtio-pmem", "access": "shared", "source": "/a", "target": {"size": "512 MiB"}}
ROOM: dict[str, Any] = {"memory": "1 GiB", "maxMemory": "4 GiB", "cpu": cells("0")}

CASES: list[Case] = [
    ("watchdog_models", *example("watchdog-models"), "watchdogs[1].model: ib700 is taken by watchdogs[0]"),
    (
        "watchdog_models",
        {"machine": "q35", "watchdogs": ["itco"]},
        {"machine": "q35", "watchdogs": ["itco", "itco"]},
        "watchdogs[1].model: itco is taken by watchdogs[0]",
    ),
    (
        "watchdog_models",
        {"arch": "s390x", "watchdogs": ["diag288"]},
        {"arch": "s390x", "watchdogs": ["diag288", "diag288"]},
        "watchdogs[1].model: diag288 is taken by watchdogs[0]",
    ),
    (
        "watchdog_actions",
        *example("watchdog-actions"),
        "watchdogs[0].action: pause differs from the action of another watchdog, and QEMU has one for all",
    ),
    (
        "ib700",
        {"watchdogs": ["ib700"]},
        {"arch": "arm64", "watchdogs": ["ib700"]},
        "watchdogs[0].model: ib700 is for amd64, not arm64",
    ),
    (
        "nvme_names",
        *example("nvme-names"),
        "disks[0].target.dev: 'nvme0n1' is a name that only libvirt 11.5.0 and newer accept",
    ),
    ("genid_machine", *example("genid-machine"), "genid: is for amd64, not arm64"),
    (
        "machine_names",
        *example("machine-names"),
        "os.type.machine: 'q36' is not a machine of amd64: pc, q35, isapc, microvm and versions such as pc-q35-9.2 are",
    ),
    ("acpi_nodes", *example("acpi-nodes"), "rngs[0].acpi.nodeset: is not for ppc64le"),
    ("device_models", *example("device-models"), "videos[0].model.type: qxl is for amd64, not arm64"),
    *(
        ("device_models", inside, outside, line)
        for inside, outside, line in (
            (
                {"controllers": [{"type": "sata"}]},
                {"arch": "s390x", "controllers": [{"type": "sata"}]},
                "controllers[0].type: sata is not for s390x",
            ),
            (
                {"shmems": [{"name": "a", "model": "ivshmem-plain"}]},
                {"arch": "s390x", "shmems": [{"name": "a", "model": "ivshmem-plain"}]},
                "shmems[0].model.type: ivshmem-plain is not for s390x",
            ),
            (
                {"arch": "s390x", "controllers": [{"type": "scsi", "model": "virtio-scsi"}]},
                {"arch": "s390x", "controllers": [{"type": "scsi", "model": "lsilogic"}]},
                "controllers[0].model: lsilogic is not for s390x",
            ),
            (
                {"arch": "s390x", "controllers": [USB]},
                {"arch": "s390x", "controllers": [{**USB, "model": "nec-xhci"}]},
                "controllers[0].model: nec-xhci is not for s390x",
            ),
            (
                {"arch": "ppc64le", "controllers": [{**USB, "model": "vt82c686b-uhci"}]},
                {"arch": "arm64", "controllers": [{**USB, "model": "vt82c686b-uhci"}]},
                "controllers[0].model: vt82c686b-uhci is not for arm64",
            ),
            (
                {"inputs": [{"type": "passthrough", "bus": "virtio", "source": {"evdev": "/dev/input/event0"}}]},
                {
                    "arch": "s390x",
                    "inputs": [{"type": "passthrough", "bus": "virtio", "source": {"evdev": "/dev/input/event0"}}],
                },
                "inputs[0].type: passthrough is not for s390x",
            ),
            (
                {"videos": ["vmvga"]},
                {"arch": "riscv64", "videos": ["vmvga"]},
                "videos[0].model.type: vmvga is for amd64, not riscv64",
            ),
            (
                {"inputs": [{"type": "keyboard", "bus": "ps2"}]},
                {"arch": "ppc64le", "inputs": [{"type": "keyboard", "bus": "ps2"}]},
                "inputs[0].bus: ps2 is for amd64, not ppc64le",
            ),
            (
                ROOM | {"arch": "arm64", "memory_devices": [DIMM]},
                ROOM | {"arch": "riscv64", "memory_devices": [DIMM]},
                "memory_devices[0].model: dimm is not for riscv64",
            ),
            (
                ROOM | {"memory_devices": [PMEM]},
                ROOM | {"arch": "arm64", "memory_devices": [PMEM]},
                "memory_devices[0].model: virtio-pmem is for amd64, not arm64",
            ),
        )
    ),
    (
        "iommu_acpi",
        {"machine": "q35", "iommu": "virtio"},
        {"machine": "q35", "iommu": "virtio", "features": {"acpi": False}},
        "iommu[0].model: virtio needs ACPI: features.acpi",
    ),
    (
        "zpci_uids",
        {"arch": "s390x", "rngs": [zpci("0x1", 1), zpci("0x2", 2)]},
        {"arch": "s390x", "rngs": [zpci("0x1", 1), zpci("0x1", 2)]},
        "rngs[1].address.zpci.uid: '0x1' is taken by rngs[0]",
    ),
    (
        "without_pci",
        {"machine": "isapc", "controllers": [{"type": "usb", "model": "none"}]},
        {"machine": "isapc", "controllers": [{"type": "usb"}]},
        "controllers[0].type: 'usb' needs PCI, which machine isapc does not have",
    ),
    *(
        (
            "without_pci",
            {"machine": "isapc"},
            {"machine": "isapc", **guest},
            f"{place}: needs PCI, which machine isapc does not have",
        )
        for guest, place in (
            ({"memballoon": "virtio"}, "memballoon"),
            ({"disks": [DISK]}, "disks[0]"),
            ({"interfaces": [NIC]}, "interfaces[0]"),
            ({"videos": ["vga"]}, "videos[0]"),
            ({"rngs": [{"backend": "random"}]}, "rngs[0]"),
        )
    ),
    (
        "without_pci",
        {"libvirt": "11.3.0", "machine": "microvm", "controllers": [{"type": "usb", "model": "none"}]},
        {"libvirt": "11.3.0", "machine": "microvm"},
        "os.type.machine: microvm has no USB: add a controller {type: usb, model: none}, or libvirt adds one",
    ),
    *(
        (
            "tpm_models",
            {"tpms": [{"model": "tpm-crb"}]},
            {"arch": arch, "tpms": [{"model": "tpm-crb"}]},
            f"tpms[0].model: tpm-crb is not for {arch}",
        )
        for arch in ("arm64", "riscv64", "loongarch64")
    ),
    (
        "first_root_node",
        {
            "arch": "ppc64le",
            "cpu": cells("0"),
            "controllers": [{"type": "pci", "model": "pci-root", "index": 1, "target": {"index": 1, "node": 0}}],
        },
        {
            "arch": "ppc64le",
            "cpu": cells("0"),
            "controllers": [{"type": "pci", "model": "pci-root", "index": 0, "target": {"index": 0, "node": 0}}],
        },
        "controllers[0].target.node: is not for the first PCI root, which has index 0",
    ),
    (
        "one_watchdog",
        {"libvirt": "9.1.0", "watchdogs": ["i6300esb", "i6300esb"]},
        {"libvirt": "9.0.0", "watchdogs": ["i6300esb", "ib700"]},
        "watchdogs[1]: a guest has at most one watchdog, and watchdogs[0] is one",
    ),
    (
        "boot_orders",
        {"disks": [DISK | {"boot": 1}], "interfaces": [NIC | {"boot": 2}]},
        {"disks": [DISK | {"boot": 1}], "interfaces": [NIC | {"boot": 1}]},
        "interfaces[0].boot.order: 1 is taken by disks[0]",
    ),
    (
        "boot_orders",
        {"memoryBacking": SHARED, "disks": [DISK | {"boot": 2}], "filesystems": [VIRTIOFS | {"boot": 1}]},
        {"memoryBacking": SHARED, "disks": [DISK | {"boot": 1}], "filesystems": [VIRTIOFS | {"boot": 1}]},
        "filesystems[0].boot.order: 1 is taken by disks[0]",
    ),
    (
        "boot_orders",
        {"os": {"boot": "hd"}, "disks": [DISK]},
        {"os": {"boot": "hd"}, "disks": [DISK | {"boot": 1}]},
        "disks[0].boot: can't be combined with os.boot: use either os.boot or boot of devices",
    ),
    (
        "aliases",
        *example("aliases"),
        "interfaces[0].alias.name: 'ua-a' is taken by disks[0]",
    ),
    (
        "iommus",
        {"arch": "arm64", "iommu": [smmuv3(0), smmuv3(1)]},
        {"arch": "arm64", "iommu": [smmuv3(0), smmuv3(0)]},
        "iommu[1].driver.pciBus: 0 is taken by iommu[0]",
    ),
    (
        "iommus",
        {"machine": "q35", "iommu": "intel"},
        {"machine": "q35", "iommu": ["intel", "amd"]},
        "iommu[1]: a guest has at most one IOMMU, or several smmuv3 with driver.pciBus, and iommu[0] is one",
    ),
    (
        "iommus",
        {"arch": "arm64", "iommu": [smmuv3(0), smmuv3(1)]},
        {"arch": "arm64", "iommu": [smmuv3(0), "smmuv3"]},
        "iommu[1].driver.pciBus: is missing: other IOMMUs of the guest set it",
    ),
    (
        "iommu_acceleration",
        {"arch": "arm64", "iommu": {"model": "smmuv3", "driver": {"accel": True, "ats": True}}},
        {"arch": "arm64", "iommu": {"model": "smmuv3", "driver": {"accel": False, "ats": True}}},
        "iommu[0].driver.ats: needs accel on",
    ),
    (
        "panic_models",
        {"panics": ["pvpanic", "isa"]},
        {"panics": ["pvpanic", "pvpanic"]},
        "panics[1].model: pvpanic is taken by panics[0]",
    ),
    (
        "device_machine",
        {"panics": "pvpanic"},
        {"arch": "s390x", "panics": "pvpanic"},
        "panics[0].model: pvpanic is not for s390x",
    ),
    (
        "iommu_machine",
        {"machine": "q35", "iommu": "amd"},
        {"iommu": "amd"},
        "iommu[0].model: amd is for machine q35, not pc",
    ),
    (
        "iommu_machine",
        {"machine": "q35", "iommu": "intel"},
        {"iommu": "intel"},
        "iommu[0].model: intel is for machine q35, not pc",
    ),
    (
        "iommu_machine",
        {"arch": "arm64", "iommu": "smmuv3"},
        {"arch": "amd64", "iommu": "smmuv3"},
        "iommu[0].model: smmuv3 is for arm64, not amd64",
    ),
    (
        "iommu_machine",
        {"arch": "arm64", "iommu": "virtio"},
        {"arch": "riscv64", "iommu": "virtio"},
        "iommu[0].model: virtio is for machine q35 and for arm64, not virt",
    ),
    (
        "device_machine",
        {"arch": "s390x", "watchdogs": "diag288"},
        {"watchdogs": "diag288"},
        "watchdogs[0].model: diag288 is for s390x, not amd64",
    ),
    *(
        (
            "device_machine",
            {"machine": "q35", "watchdogs": "itco"},
            guest | {"watchdogs": "itco"},
            f"watchdogs[0].model: itco is for machine q35, not {machine}",
        )
        for guest, machine in (({}, "pc"), ({"arch": "arm64"}, "virt"))
    ),
    (
        "device_machine",
        {"panics": "hyperv"},
        {"arch": "arm64", "panics": "hyperv"},
        "panics[0].model: hyperv is for amd64, not arm64",
    ),
    (
        "device_machine",
        {"arch": "s390x", "hostdevs": [mdev("vfio-ccw", "0" * 32)]},
        {"hostdevs": [mdev("vfio-ccw", "0" * 32)]},
        "hostdevs[0].model: vfio-ccw is for s390x, not amd64",
    ),
    (
        "panic_models",
        {"panics": [{}, "hyperv"]},
        {"panics": [{}, "isa"]},
        "panics[1].model: isa is taken by panics[0]",
    ),
    (
        "hostdevs_once",
        *example("hostdevs-once"),
        "hostdevs[1].source: this host device is taken by hostdevs[0]",
    ),
    (
        "hostdevs_once",
        {"hostdevs": [{"type": "pci", "source": {"address": {"bus": n}}} for n in ("0x1", "2")]},
        {"hostdevs": [{"type": "pci", "source": {"address": n}} for n in ({"bus": "0x01"}, {"bus": "1", "slot": "0"})]},
        "hostdevs[1].source: this host device is taken by hostdevs[0]",
    ),
    (
        "adjunct_address",
        {"arch": "s390x", "hostdevs": [mdev("vfio-ap", "0" * 32)]},
        {"arch": "s390x", "hostdevs": [mdev("vfio-ap", "0" * 32, address={"type": "pci"})]},
        "hostdevs[0].address: note: has no effect on a device of model vfio-ap [adjunct-address]",
    ),
    (
        "one_adjunct",
        {"arch": "s390x", "hostdevs": [mdev("vfio-ap", "0" * 32), mdev("vfio-ccw", "1" * 32)]},
        {"arch": "s390x", "hostdevs": [mdev("vfio-ap", "0" * 32), mdev("vfio-ap", "1" * 32)]},
        "hostdevs[1].model: a guest has at most one of model vfio-ap, and hostdevs[0] is one",
    ),
    (
        "hostdev_display",
        {"hostdevs": [mdev("vfio-pci", "0" * 32, display="on")], "graphics": "vnc"},
        {"hostdevs": [mdev("vfio-pci", "0" * 32, display="on")]},
        "hostdevs[0].display: needs graphics",
    ),
    (
        "panic_models",
        {"arch": "ppc64le", "panics": [{}]},
        {"arch": "ppc64le", "panics": [{}, {"model": "pseries"}]},
        "panics[1].model: pseries is taken by panics[0]",
    ),
    (
        "panic_models",
        {"arch": "arm64", "panics": [{}]},
        {"arch": "arm64", "panics": [{}, {}]},
        "panics[1].model: the default model is taken by panics[0]",
    ),
    (
        "hostdevs_once",
        {"hostdevs": [on_usb("10"), on_usb("0xb")]},
        {"hostdevs": [on_usb("10"), on_usb("0xa")]},
        "hostdevs[1].source: this host device is taken by hostdevs[0]",
    ),
    (
        "panic_model",
        {"panics": [{}]},
        {"arch": "riscv64", "panics": [{}]},
        "panics[0].model: is missing: riscv64 has no default",
    ),
    (
        "panic_model",
        {"arch": "arm64", "libvirt": "9.1", "panics": [{}]},
        {"arch": "arm64", "libvirt": "9.0", "panics": [{}]},
        "panics[0].model: is missing: before libvirt 9.1.0, it defaults to the model of amd64",
    ),
    (
        "one_boot_display",
        {"graphics": "vnc", "hostdevs": [ramfb("0")]},
        {"graphics": "vnc", "hostdevs": [ramfb("0"), ramfb("1")]},
        "hostdevs[1].ramfb: a guest has at most one with ramfb, and hostdevs[0] is one",
    ),
    (
        "one_ramfb",
        {"graphics": "vnc", "videos": ["ramfb"], "hostdevs": [{**ramfb("0"), "ramfb": None}]},
        {"graphics": "vnc", "videos": ["ramfb"], "hostdevs": [ramfb("0")]},
        "hostdevs[0].ramfb: note: QEMU supports one ramfb, and does not start if a video device is one too [one-ramfb]",
    ),
    (
        "usb_devices",
        {"interfaces": [{"type": "hostdev", "source": {"address": {"type": "usb", "bus": "1", "device": "2"}}}]},
        {
            "arch": "riscv64",
            "interfaces": [{"type": "hostdev", "source": {"address": {"type": "usb", "bus": "1", "device": "2"}}}],
        },
        "interfaces[0].source.address.type: needs a USB controller: add one to controllers, such as"
        " {type: usb, model: qemu-xhci}",
    ),
    (
        "pstore",
        {"pstore": {"path": "/a", "size": "8 KiB"}},
        {"pstore": {"path": "/a", "size": "12 KiB"}},
        "pstore.size: is not a power of two of at least 4 KiB",
    ),
    (
        "pstore",
        {"pstore": {"path": "/a", "size": "4 KiB"}},
        {"pstore": {"path": "/a", "size": "2 KiB"}},
        "pstore.size: is not a power of two of at least 4 KiB",
    ),
    (
        "pstore",
        {"arch": "arm64", "pstore": {"path": "/a", "size": "4 KiB"}},
        {"arch": "s390x", "pstore": {"path": "/a", "size": "4 KiB"}},
        "pstore.backend: acpi-erst is not for s390x",
    ),
    (
        "ib700",
        {"machine": "pc-i440fx-7.2", "watchdogs": "ib700"},
        {"machine": "pc-q35-7.2", "watchdogs": "ib700"},
        "watchdogs[0].model: ib700 is for machine pc, not pc-q35-7.2",
    ),
    (
        "usb_devices",
        {"arch": "loongarch64", "hubs": "usb", "controllers": [{"type": "usb", "model": "qemu-xhci"}]},
        {"arch": "loongarch64", "hubs": "usb"},
        "hubs[0]: needs a USB controller: add one to controllers, such as {type: usb, model: qemu-xhci}",
    ),
]
