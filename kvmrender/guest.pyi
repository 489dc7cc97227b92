"""What a guest may say, short forms included. Made by ``kvmrender schema --types``: do not edit."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypedDict


Guest = TypedDict("Guest", {
    "type": Literal["kvm", "qemu", "hvf"] | None,
    "name": str | int | None,
    "namespace": str | int | None,
    "arch": Literal["amd64", "x86_64", "arm64", "aarch64", "loongarch64", "loong64", "ppc64le", "ppc64el", "riscv64", "riscv", "s390x"] | None,
    "machine": str | int | None,
    "uuid": str | int | None,
    "hwuuid": str | int | None,
    "genid": GuestGenid | bool | Literal["yes", "on", "no", "off"] | str | int | None,
    "title": str | int | None,
    "description": str | int | None,
    "metadata": str | int | None,
    "maxMemory": MaxMemory | int | str | None,
    "memory": Memory | int | str | None,
    "currentMemory": NumbersMemory | int | str | None,
    "blkiotune": Blkiotune | None,
    "memtune": Memtune | None,
    "memoryBacking": MemoryBacking | str | None,
    "vcpu": Vcpu | int | str | None,
    "vcpus": Vcpus | None,
    "iothreads": int | str | None,
    "iothreadids": Iothreadids | None,
    "defaultiothread": Defaultiothread | None,
    "cputune": Cputune | None,
    "numatune": Numatune | None,
    "resource": Resource | None,
    "sysinfo": Sequence[Sysinfo | None] | Sysinfo | None,
    "os": Os | None,
    "features": Features | None,
    "cpu": Cpu | Literal["custom", "host-model", "host-passthrough", "maximum"] | CpuModel | str | int | None,
    "clock": Clock | Literal["utc", "localtime", "timezone", "variable", "absolute"] | None,
    "on_poweroff": Literal["destroy", "restart"] | None,
    "on_reboot": Literal["destroy", "restart"] | None,
    "on_crash": Literal["destroy", "restart", "preserve", "preserve-running", "coredump-destroy", "coredump-restart"] | None,
    "on_lockfailure": Literal["poweroff", "restart", "pause", "ignore"] | None,
    "pm": Pm | None,
    "perf": Perf | None,
    "mac_prefix": str | int | None,
    "emulator": str | int | None,
    "disks": Sequence[Disk | None] | Disk | None,
    "controllers": Sequence[Controller | Literal["ide", "fdc", "scsi", "sata", "usb", "ccid", "virtio-serial", "pci", "nvme"] | None] | Controller | Literal["ide", "fdc", "scsi", "sata", "usb", "ccid", "virtio-serial", "pci", "nvme"] | None,
    "leases": Sequence[Lease | None] | Lease | None,
    "filesystems": Sequence[Filesystem | None] | Filesystem | None,
    "interfaces": Sequence[Interface | None] | Interface | None,
    "smartcards": Sequence[Smartcard | Literal["host", "host-certificates", "passthrough"] | None] | Smartcard | Literal["host", "host-certificates", "passthrough"] | None,
    "serials": Sequence[Serial | Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None] | Serial | Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None,
    "parallels": Sequence[Parallel | Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None] | Parallel | Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None,
    "consoles": Sequence[Console | Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None] | Console | Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None,
    "channels": Sequence[Channel | ChannelTarget | str | int | None] | Channel | ChannelTarget | str | int | None,
    "inputs": Sequence[Input | Literal["tablet", "mouse", "keyboard", "passthrough", "evdev"] | None] | Input | Literal["tablet", "mouse", "keyboard", "passthrough", "evdev"] | None,
    "tpms": Sequence[Tpm | Literal["tpm-tis", "tpm-crb", "tpm-spapr", "spapr-tpm-proxy"] | TpmBackend | Literal["emulator", "passthrough", "external"] | str | None] | Tpm | Literal["tpm-tis", "tpm-crb", "tpm-spapr", "spapr-tpm-proxy"] | TpmBackend | Literal["emulator", "passthrough", "external"] | str | None,
    "graphics": Sequence[Graphics | Literal["vnc", "spice", "rdp", "sdl", "egl-headless", "dbus"] | None] | Graphics | Literal["vnc", "spice", "rdp", "sdl", "egl-headless", "dbus"] | None,
    "sounds": Sequence[Sound | Literal["ich9", "ich6", "ac97", "es1370", "sb16", "pcspk", "usb", "virtio"] | None] | Sound | Literal["ich9", "ich6", "ac97", "es1370", "sb16", "pcspk", "usb", "virtio"] | None,
    "audios": Sequence[Audio | Literal["none", "alsa", "coreaudio", "dbus", "file", "jack", "oss", "pipewire", "pulseaudio", "sdl", "spice"] | None] | Audio | Literal["none", "alsa", "coreaudio", "dbus", "file", "jack", "oss", "pipewire", "pulseaudio", "sdl", "spice"] | None,
    "videos": Sequence[Video | VideoModel | Literal["virtio", "qxl", "vga", "bochs", "cirrus", "vmvga", "ramfb", "none"] | None] | Video | VideoModel | Literal["virtio", "qxl", "vga", "bochs", "cirrus", "vmvga", "ramfb", "none"] | None,
    "hostdevs": Sequence[Hostdev | str | None] | Hostdev | str | None,
    "redirdevs": Sequence[Redirdev | Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None] | Redirdev | Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None,
    "redirfilter": Redirfilter | None,
    "hubs": Sequence[Hub | Literal["usb"] | None] | Hub | Literal["usb"] | None,
    "watchdogs": Sequence[Watchdog | Literal["i6300esb", "ib700", "diag288", "itco"] | None] | Watchdog | Literal["i6300esb", "ib700", "diag288", "itco"] | None,
    "memballoon": Memballoon | Literal["virtio", "virtio-transitional", "virtio-non-transitional", "none"] | None,
    "rngs": Sequence[Rng | RngBackend | str | int | Literal["random", "egd", "builtin"] | None] | Rng | RngBackend | str | int | Literal["random", "egd", "builtin"] | None,
    "nvram": Nvram | bool | Literal["yes", "on", "no", "off"] | None,
    "panics": Sequence[Panic | bool | Literal["yes", "on", "no", "off"] | Literal["isa", "pseries", "hyperv", "s390", "pvpanic"] | None] | Panic | bool | Literal["yes", "on", "no", "off"] | Literal["isa", "pseries", "hyperv", "s390", "pvpanic"] | None,
    "shmems": Sequence[Shmem | str | int | None] | Shmem | str | int | None,
    "memory_devices": Sequence[MemoryDevice | None] | MemoryDevice | None,
    "cryptos": Sequence[Crypto | None] | Crypto | None,
    "iommu": Sequence[Iommu | Literal["intel", "amd", "smmuv3", "virtio"] | None] | Iommu | Literal["intel", "amd", "smmuv3", "virtio"] | None,
    "vsock": Vsock | bool | Literal["yes", "on", "no", "off"] | VsockCid | int | str | None,
    "pstore": Pstore | None,
    "throttlegroups": Throttlegroups | None,
    "iommufd": GuestIommufd | Literal["yes", "no"] | bool | None,
    "seclabel": Sequence[Seclabel | Literal["dynamic", "static", "none"] | None] | Seclabel | Literal["dynamic", "static", "none"] | None,
    "keywrap": Keywrap | None,
    "launchSecurity": LaunchSecurity | Literal["sev", "sev-snp", "tdx", "s390-pv"] | None,
    "qemu:commandline": QemuCommandline | None,
    "qemu:capabilities": QemuCapabilities | None,
    "qemu:override": QemuOverride | None,
    "qemu:deprecation": QemuDeprecation | Literal["none", "omit", "reject", "crash"] | None,
    "libvirt": str | int | None,
    "use": Sequence[Literal["cloud", "confidential-sev-snp", "desktop", "gpu-passthrough", "linux", "macos", "minimal", "nested", "real-time", "windows-10", "windows-11"] | int | None] | Literal["cloud", "confidential-sev-snp", "desktop", "gpu-passthrough", "linux", "macos", "minimal", "nested", "real-time", "windows-10", "windows-11"] | int | None,
    "ignore": Sequence[Literal["acpi-machines", "acpi-nodes", "acpi-tables", "address-families", "address-types", "address-width", "adjunct-address", "advised-nodes", "aliases", "audio-ids", "backing-images", "blob-memory", "boot-orders", "bus-options", "buses", "cache-units", "caches", "channel-reconnect", "check-without-model", "chosen-firmware", "consoles", "controller-indexes", "controller-machine", "controller-nodes", "cookies", "cpu-features", "cpu-model", "cpu-sets", "cpu-without-mode", "current-memory", "current-vcpus", "dbus-audio", "device-buses", "device-machine", "device-models", "device-options", "displays", "drive-addresses", "empty-usb", "emulation", "encryption", "enrolled-keys", "file-modes", "firmware-bios", "firmware-output", "first-root-node", "formats", "genid-machine", "gic", "groups", "guestfwd", "hostdev-display", "hostdev-screens", "hostdevs-once", "hosts", "hugepages", "hugepages-source", "hvf", "hyperv-needs", "ib700", "ide-index", "idle-driver", "idle-features", "idle-pins", "idle-timers", "image-formats", "interface-backend", "interface-models", "interface-options", "iommu-acceleration", "iommu-acpi", "iommu-interrupts", "iommu-machine", "iommus", "iothread-queues", "iothreads", "iotune-groups", "label-overrides", "labels-once", "launch-security", "link-ends", "links-once", "loader", "logins", "luns", "mac-addresses", "machine-given-once", "machine-names", "max-memory", "maximum-cells", "memory-devices", "memory-slots", "module-addresses", "module-bases", "module-cells", "module-labels", "module-memory", "module-node", "module-parts", "module-slots", "nfs-identity", "no-card", "no-memory", "no-usb", "numa-caches", "numa-cells", "numa-cpus", "numa-distances", "numa-memory", "numa-nodeset", "numa-placement", "numa-tuning", "nvme-names", "nvme-serial", "oldest-libvirt", "on-pci", "one-adjunct", "one-boot-display", "one-distance", "one-ramfb", "one-tpm", "one-watchdog", "own-alias", "panic-model", "panic-models", "passt-vhost-user", "pci-machine", "pci-parents", "pci-roots", "pci-slots", "pins", "port-ranges", "ports", "power-actions", "pseries-roots", "pstore", "raw-elements", "raw-xml", "read-only", "readonly-virtiofs", "resource-groups", "resource-tuning", "route-networks", "said-once", "same-addresses", "sclp-consoles", "scsi-queues", "secure-boot", "serial-ports", "shareable", "shared-disk", "shared-mac", "shared-memory", "shared-uuid", "shim", "shmem-model", "shmem-server", "shmem-size", "sizes", "smartcard-slot", "smbios-sysinfo", "smm-memory", "source-encryption", "sources", "spice", "spice-ports", "system-uuid", "target-bus", "target-names", "targets", "tcp-protocols", "thread-pools", "throttle-groups", "throttle-names", "timers", "topology", "tpm-architectures", "tpm-models", "tpm-versions", "transient", "uefi-and-acpi", "usb-addresses", "usb-controllers", "usb-devices", "usb-ports", "user-addresses", "vcpu-interrupts", "vcpu-limit", "vcpu-states", "vcpus-at-start", "vector-lengths", "version", "vhost-memory", "vhost-user", "vhost-user-source", "video-options", "videos", "virtio-lun", "virtio-serial-ports", "virtiofs", "vnc-listens", "watchdog-actions", "watchdog-models", "without-pci", "without-ps2", "writable-rom", "zero-mac", "zpci-uids"] | int | None] | Literal["acpi-machines", "acpi-nodes", "acpi-tables", "address-families", "address-types", "address-width", "adjunct-address", "advised-nodes", "aliases", "audio-ids", "backing-images", "blob-memory", "boot-orders", "bus-options", "buses", "cache-units", "caches", "channel-reconnect", "check-without-model", "chosen-firmware", "consoles", "controller-indexes", "controller-machine", "controller-nodes", "cookies", "cpu-features", "cpu-model", "cpu-sets", "cpu-without-mode", "current-memory", "current-vcpus", "dbus-audio", "device-buses", "device-machine", "device-models", "device-options", "displays", "drive-addresses", "empty-usb", "emulation", "encryption", "enrolled-keys", "file-modes", "firmware-bios", "firmware-output", "first-root-node", "formats", "genid-machine", "gic", "groups", "guestfwd", "hostdev-display", "hostdev-screens", "hostdevs-once", "hosts", "hugepages", "hugepages-source", "hvf", "hyperv-needs", "ib700", "ide-index", "idle-driver", "idle-features", "idle-pins", "idle-timers", "image-formats", "interface-backend", "interface-models", "interface-options", "iommu-acceleration", "iommu-acpi", "iommu-interrupts", "iommu-machine", "iommus", "iothread-queues", "iothreads", "iotune-groups", "label-overrides", "labels-once", "launch-security", "link-ends", "links-once", "loader", "logins", "luns", "mac-addresses", "machine-given-once", "machine-names", "max-memory", "maximum-cells", "memory-devices", "memory-slots", "module-addresses", "module-bases", "module-cells", "module-labels", "module-memory", "module-node", "module-parts", "module-slots", "nfs-identity", "no-card", "no-memory", "no-usb", "numa-caches", "numa-cells", "numa-cpus", "numa-distances", "numa-memory", "numa-nodeset", "numa-placement", "numa-tuning", "nvme-names", "nvme-serial", "oldest-libvirt", "on-pci", "one-adjunct", "one-boot-display", "one-distance", "one-ramfb", "one-tpm", "one-watchdog", "own-alias", "panic-model", "panic-models", "passt-vhost-user", "pci-machine", "pci-parents", "pci-roots", "pci-slots", "pins", "port-ranges", "ports", "power-actions", "pseries-roots", "pstore", "raw-elements", "raw-xml", "read-only", "readonly-virtiofs", "resource-groups", "resource-tuning", "route-networks", "said-once", "same-addresses", "sclp-consoles", "scsi-queues", "secure-boot", "serial-ports", "shareable", "shared-disk", "shared-mac", "shared-memory", "shared-uuid", "shim", "shmem-model", "shmem-server", "shmem-size", "sizes", "smartcard-slot", "smbios-sysinfo", "smm-memory", "source-encryption", "sources", "spice", "spice-ports", "system-uuid", "target-bus", "target-names", "targets", "tcp-protocols", "thread-pools", "throttle-groups", "throttle-names", "timers", "topology", "tpm-architectures", "tpm-models", "tpm-versions", "transient", "uefi-and-acpi", "usb-addresses", "usb-controllers", "usb-devices", "usb-ports", "user-addresses", "vcpu-interrupts", "vcpu-limit", "vcpu-states", "vcpus-at-start", "vector-lengths", "version", "vhost-memory", "vhost-user", "vhost-user-source", "video-options", "videos", "virtio-lun", "virtio-serial-ports", "virtiofs", "vnc-listens", "watchdog-actions", "watchdog-models", "without-pci", "without-ps2", "writable-rom", "zero-mac", "zpci-uids"] | int | None,
    "vars": Mapping[str, object] | None,
    "extra": GuestExtra | None,
}, total=False)


class GuestGenid(TypedDict, total=False):
    text: str | int | None


class MaxMemory(TypedDict, total=False):
    slots: int | str | None
    unit: str | int | None
    text: int | str | None


class Memory(TypedDict, total=False):
    dumpCore: Literal["on", "off"] | bool | None
    unit: str | int | None
    text: int | str | None


class NumbersMemory(TypedDict, total=False):
    unit: str | int | None
    text: int | str | None


class Blkiotune(TypedDict, total=False):
    weight: int | str | None
    device: Sequence[BlkiotuneDevice | None] | BlkiotuneDevice | None


class BlkiotuneDevice(TypedDict, total=False):
    path: str | int | None
    weight: int | str | None
    read_iops_sec: int | str | None
    write_iops_sec: int | str | None
    read_bytes_sec: int | str | None
    write_bytes_sec: int | str | None


class Memtune(TypedDict, total=False):
    hard_limit: NumbersMemoryLimit | int | str | None
    soft_limit: NumbersMemoryLimit | int | str | None
    swap_hard_limit: NumbersMemoryLimit | int | str | None


class NumbersMemoryLimit(TypedDict, total=False):
    unit: str | int | None
    text: int | str | None


class MemoryBacking(TypedDict, total=False):
    hugepages: MemoryBackingHugepages | bool | Literal["yes", "on", "no", "off"] | str | None
    nosharepages: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    locked: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    source: MemoryBackingSource | Literal["file", "anonymous", "memfd"] | None
    access: MemoryBackingAccess | Literal["shared", "private"] | None
    allocation: MemoryBackingAllocation | Literal["immediate", "ondemand"] | None
    discard: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None


class MemoryBackingHugepages(TypedDict, total=False):
    page: Sequence[MemoryBackingHugepagesPage | str | None] | MemoryBackingHugepagesPage | str | None


class MemoryBackingHugepagesPage(TypedDict, total=False):
    size: int | str | None
    unit: str | int | None
    nodeset: str | int | None


class MemoryBackingSource(TypedDict, total=False):
    type: Literal["file", "anonymous", "memfd"] | None


class MemoryBackingAccess(TypedDict, total=False):
    mode: Literal["shared", "private"] | None


class MemoryBackingAllocation(TypedDict, total=False):
    mode: Literal["immediate", "ondemand"] | None
    threads: int | str | None


class Vcpu(TypedDict, total=False):
    placement: Literal["static", "auto"] | None
    cpuset: str | int | None
    current: int | str | None
    text: int | str | None


class Vcpus(TypedDict, total=False):
    vcpu: Sequence[VcpusVcpu | None] | VcpusVcpu | None


class VcpusVcpu(TypedDict, total=False):
    id: int | str | None
    enabled: Literal["yes", "no"] | bool | None
    hotpluggable: Literal["yes", "no"] | bool | None
    order: int | str | None


class Iothreadids(TypedDict, total=False):
    iothread: Sequence[IothreadidsIothread | int | str | None] | IothreadidsIothread | int | str | None


class IothreadidsIothread(TypedDict, total=False):
    id: int | str | None
    thread_pool_min: int | str | None
    thread_pool_max: int | str | None
    poll: IothreadidsIothreadPoll | None


class IothreadidsIothreadPoll(TypedDict, total=False):
    max: int | str | None
    grow: int | str | None
    shrink: int | str | None
    weight: int | str | None


class Defaultiothread(TypedDict, total=False):
    thread_pool_min: int | str | None
    thread_pool_max: int | str | None


class Cputune(TypedDict, total=False):
    shares: int | str | None
    period: int | str | None
    quota: int | str | None
    global_period: int | str | None
    global_quota: int | str | None
    emulator_period: int | str | None
    emulator_quota: int | str | None
    iothread_period: int | str | None
    iothread_quota: int | str | None
    vcpupin: Sequence[CputuneVcpupin | None] | CputuneVcpupin | None
    emulatorpin: CputuneEmulatorpin | str | int | None
    iothreadpin: Sequence[CputuneIothreadpin | None] | CputuneIothreadpin | None
    vcpusched: Sequence[CputuneSchedulerVcpusched | None] | CputuneSchedulerVcpusched | None
    emulatorsched: CputuneSchedulerEmulatorsched | Literal["batch", "idle", "fifo", "rr"] | None
    iothreadsched: Sequence[CputuneSchedulerIothreadsched | None] | CputuneSchedulerIothreadsched | None
    cachetune: Sequence[CputuneResctrlCachetune | None] | CputuneResctrlCachetune | None
    memorytune: Sequence[CputuneResctrlMemorytune | None] | CputuneResctrlMemorytune | None
    energytune: Sequence[CputuneResctrlEnergytune | None] | CputuneResctrlEnergytune | None


class CputuneVcpupin(TypedDict, total=False):
    vcpu: int | str | None
    cpuset: str | int | None


class CputuneEmulatorpin(TypedDict, total=False):
    cpuset: str | int | None


class CputuneIothreadpin(TypedDict, total=False):
    iothread: int | str | None
    cpuset: str | int | None


class CputuneSchedulerVcpusched(TypedDict, total=False):
    vcpus: str | int | None
    scheduler: Literal["batch", "idle", "fifo", "rr"] | None
    priority: int | str | None


class CputuneSchedulerEmulatorsched(TypedDict, total=False):
    scheduler: Literal["batch", "idle", "fifo", "rr"] | None
    priority: int | str | None


class CputuneSchedulerIothreadsched(TypedDict, total=False):
    iothreads: str | int | None
    scheduler: Literal["batch", "idle", "fifo", "rr"] | None
    priority: int | str | None


class CputuneResctrlCachetune(TypedDict, total=False):
    vcpus: str | int | None
    cache: Sequence[CputuneResctrlCachetuneCache | None] | CputuneResctrlCachetuneCache | None
    monitor: Sequence[CputuneResctrlCachetuneMonitor | None] | CputuneResctrlCachetuneMonitor | None


class CputuneResctrlCachetuneCache(TypedDict, total=False):
    id: int | str | None
    level: int | str | None
    type: Literal["both", "code", "data"] | None
    size: int | str | None
    unit: str | int | None


class CputuneResctrlCachetuneMonitor(TypedDict, total=False):
    level: int | str | None
    vcpus: str | int | None


class CputuneResctrlMemorytune(TypedDict, total=False):
    vcpus: str | int | None
    node: Sequence[CputuneResctrlMemorytuneNode | None] | CputuneResctrlMemorytuneNode | None
    monitor: Sequence[CputuneResctrlMemorytuneMonitor | None] | CputuneResctrlMemorytuneMonitor | None


class CputuneResctrlMemorytuneNode(TypedDict, total=False):
    id: int | str | None
    bandwidth: int | str | None


class CputuneResctrlMemorytuneMonitor(TypedDict, total=False):
    vcpus: str | int | None


class CputuneResctrlEnergytune(TypedDict, total=False):
    vcpus: str | int | None
    monitor: Sequence[CputuneResctrlEnergytuneMonitor | None] | CputuneResctrlEnergytuneMonitor | None


class CputuneResctrlEnergytuneMonitor(TypedDict, total=False):
    vcpus: str | int | None


class Numatune(TypedDict, total=False):
    memory: NumatuneMemory | None
    memnode: Sequence[NumatuneMemnode | None] | NumatuneMemnode | None


class NumatuneMemory(TypedDict, total=False):
    mode: Literal["strict", "preferred", "interleave", "restrictive"] | None
    placement: Literal["static", "auto"] | None
    nodeset: str | int | None


class NumatuneMemnode(TypedDict, total=False):
    cellid: int | str | None
    mode: Literal["strict", "preferred", "interleave", "restrictive"] | None
    nodeset: str | int | None


class Resource(TypedDict, total=False):
    partition: str | int | None
    fibrechannel: ResourceFibrechannel | str | int | None


class ResourceFibrechannel(TypedDict, total=False):
    appid: str | int | None


class Sysinfo(TypedDict, total=False):
    type: Literal["smbios", "fwcfg"] | None
    bios: SysinfoSmbiosBios | None
    system: SysinfoSmbiosSystem | None
    baseBoard: Sequence[SysinfoSmbiosBaseBoard | None] | SysinfoSmbiosBaseBoard | None
    chassis: SysinfoSmbiosChassis | None
    oemStrings: SysinfoSmbiosOemStrings | None
    entry: Sequence[SysinfoEntry | None] | SysinfoEntry | None


class SysinfoSmbiosBios(TypedDict, total=False):
    entry: Sequence[SysinfoSmbiosBiosEntry | None] | SysinfoSmbiosBiosEntry | None


class SysinfoSmbiosBiosEntry(TypedDict, total=False):
    name: Literal["vendor", "version", "date", "release"] | None
    text: str | int | None


class SysinfoSmbiosSystem(TypedDict, total=False):
    entry: Sequence[SysinfoSmbiosSystemEntry | None] | SysinfoSmbiosSystemEntry | None


class SysinfoSmbiosSystemEntry(TypedDict, total=False):
    name: Literal["manufacturer", "product", "version", "serial", "uuid", "sku", "family"] | None
    text: str | int | None


class SysinfoSmbiosBaseBoard(TypedDict, total=False):
    entry: Sequence[SysinfoSmbiosBaseBoardEntry | None] | SysinfoSmbiosBaseBoardEntry | None


class SysinfoSmbiosBaseBoardEntry(TypedDict, total=False):
    name: Literal["manufacturer", "product", "version", "serial", "asset", "location"] | None
    text: str | int | None


class SysinfoSmbiosChassis(TypedDict, total=False):
    entry: Sequence[SysinfoSmbiosChassisEntry | None] | SysinfoSmbiosChassisEntry | None


class SysinfoSmbiosChassisEntry(TypedDict, total=False):
    name: Literal["manufacturer", "version", "serial", "asset", "sku"] | None
    text: str | int | None


class SysinfoSmbiosOemStrings(TypedDict, total=False):
    entry: Sequence[ElementsLineElement | str | int | None] | ElementsLineElement | str | int | None


class ElementsLineElement(TypedDict, total=False):
    text: str | int | None


class SysinfoEntry(TypedDict, total=False):
    name: str | int | None
    file: str | int | None
    text: str | int | None


class Os(TypedDict, total=False):
    firmware: OsFirmware | Literal["bios", "efi"] | None
    type: OsType | Literal["hvm"] | None
    loader: OsFirmwareLoader | str | int | None
    nvram: OsNvram | str | int | None
    varstore: OsVarstore | bool | Literal["yes", "on", "no", "off"] | str | int | None
    kernel: str | int | None
    initrd: str | int | None
    cmdline: str | int | None
    shim: str | int | None
    dtb: str | int | None
    acpi: OsBiosAcpi | Sequence[OsBiosAcpiTable | str | int | None] | OsBiosAcpiTable | str | int | None
    boot: Sequence[OsBoot | Literal["hd", "fd", "cdrom", "network"] | None] | OsBoot | Literal["hd", "fd", "cdrom", "network"] | None
    bootmenu: OsBiosBootmenu | Literal["yes", "no"] | bool | None
    bios: OsBios | None
    smbios: OsBiosSmbios | Literal["emulate", "host", "sysinfo"] | None


class OsFirmware(TypedDict, total=False):
    type: Literal["bios", "efi"] | None
    feature: Sequence[OsFirmwareFeature | Literal["enrolled-keys", "secure-boot"] | None] | OsFirmwareFeature | Literal["enrolled-keys", "secure-boot"] | None


class OsFirmwareFeature(TypedDict, total=False):
    enabled: Literal["yes", "no"] | bool | None
    name: Literal["enrolled-keys", "secure-boot"] | None


class OsType(TypedDict, total=False):
    arch: str | int | None
    machine: str | int | None
    text: Literal["hvm"] | None


class OsFirmwareLoader(TypedDict, total=False):
    readonly: Literal["yes", "no"] | bool | None
    secure: Literal["yes", "no"] | bool | None
    type: Literal["rom", "pflash"] | None
    stateless: Literal["yes", "no"] | bool | None
    format: Literal["raw", "qcow2"] | None
    text: str | int | None


class OsNvram(TypedDict, total=False):
    template: str | int | None
    templateFormat: Literal["raw", "qcow2"] | None
    type: Literal["file", "block", "network"] | None
    format: Literal["raw", "qcow2"] | None
    text: str | int | None
    source: DiskSource | str | int | None


class DiskSource(TypedDict, total=False):
    file: str | int | None
    fdgroup: str | int | None
    dev: str | int | None
    dir: str | int | None
    pool: str | int | None
    volume: str | int | None
    mode: Literal["host", "direct"] | None
    protocol: Literal["nbd", "gluster", "rbd", "iscsi", "http", "https", "ftps", "ftp", "sheepdog", "tftp", "vxhs", "nfs", "ssh"] | None
    name: str | int | None
    query: str | int | None
    tls: Literal["yes", "no"] | bool | None
    tlsHostname: str | int | None
    type: Literal["pci", "unix"] | None
    managed: Literal["yes", "no"] | bool | None
    namespace: int | str | None
    path: str | int | None
    startupPolicy: Literal["mandatory", "requisite", "optional"] | None
    index: int | str | None
    host: Sequence[DiskPlaceHost | str | int | None] | DiskPlaceHost | str | int | None
    snapshot: DiskPlaceSnapshot | str | int | None
    config: DiskNetworkConfig | str | int | None
    initiator: DiskNetworkInitiator | DiskNetworkInitiatorIqn | str | int | None
    address: DiskPlacePciAddress | None
    slices: DiskPlaceSlices | None
    ssl: DiskNetworkSsl | Literal["yes", "no"] | bool | None
    cookies: DiskNetworkCookies | None
    readahead: DiskNetworkReadahead | int | str | None
    timeout: DiskNetworkTimeout | int | str | None
    identity: DiskNetworkIdentity | None
    knownHosts: DiskNetworkKnownHosts | str | int | None
    reconnect: DiskPlaceReconnect | int | str | Literal["yes", "no"] | bool | None
    dataStore: DiskDataStore | DiskSource | str | int | None
    auth: DiskAccessAuth | None
    encryption: DiskEncryption | None
    reservations: DiskAccessReservations | Literal["yes", "no"] | bool | None
    seclabel: Sequence[DiskAccessSeclabel | str | int | None] | DiskAccessSeclabel | str | int | None


class DiskPlaceHost(TypedDict, total=False):
    name: str | int | None
    port: int | str | None
    transport: Literal["tcp", "rdma", "unix"] | None
    socket: str | int | None


class DiskPlaceSnapshot(TypedDict, total=False):
    name: str | int | None


class DiskNetworkConfig(TypedDict, total=False):
    file: str | int | None


class DiskNetworkInitiator(TypedDict, total=False):
    iqn: DiskNetworkInitiatorIqn | str | int | None


class DiskNetworkInitiatorIqn(TypedDict, total=False):
    name: str | int | None


class DiskPlacePciAddress(TypedDict, total=False):
    domain: str | int | None
    bus: str | int | None
    slot: str | int | None
    function: str | int | None
    multifunction: Literal["on", "off"] | bool | None


class DiskPlaceSlices(TypedDict, total=False):
    slice: DiskPlaceSlice | None


class DiskPlaceSlice(TypedDict, total=False):
    type: Literal["storage"] | None
    offset: int | str | None
    size: int | str | None


class DiskNetworkSsl(TypedDict, total=False):
    verify: Literal["yes", "no"] | bool | None


class DiskNetworkCookies(TypedDict, total=False):
    cookie: Sequence[DiskNetworkCookie | None] | DiskNetworkCookie | None


class DiskNetworkCookie(TypedDict, total=False):
    name: str | int | None
    text: str | int | None


class DiskNetworkReadahead(TypedDict, total=False):
    size: int | str | None


class DiskNetworkTimeout(TypedDict, total=False):
    seconds: int | str | None


class DiskNetworkIdentity(TypedDict, total=False):
    user: str | int | None
    group: str | int | None
    username: str | int | None
    keyfile: str | int | None
    agentsock: str | int | None


class DiskNetworkKnownHosts(TypedDict, total=False):
    path: str | int | None


class DiskPlaceReconnect(TypedDict, total=False):
    delay: int | str | None
    enabled: Literal["yes", "no"] | bool | None
    timeout: int | str | None


class DiskDataStore(TypedDict, total=False):
    type: Literal["file", "block", "network", "nvme"] | None
    format: DiskDataStoreFormat | Literal["raw"] | None
    source: DiskSource | str | int | None


class DiskDataStoreFormat(TypedDict, total=False):
    type: Literal["raw"] | None


class DiskAccessAuth(TypedDict, total=False):
    username: str | int | None
    secret: DiskAccessAuthSecret | str | int | None


class DiskAccessAuthSecret(TypedDict, total=False):
    type: Literal["ceph", "iscsi"] | None
    uuid: str | int | None
    usage: str | int | None


class DiskEncryption(TypedDict, total=False):
    format: Literal["luks", "luks2", "luks-any"] | None
    engine: Literal["qemu", "librbd"] | None
    secret: Sequence[DiskEncryptionSecret | str | int | None] | DiskEncryptionSecret | str | int | None
    cipher: DiskEncryptionCipher | None
    ivgen: DiskEncryptionIvgen | str | int | None


class DiskEncryptionSecret(TypedDict, total=False):
    type: Literal["passphrase"] | None
    uuid: str | int | None
    usage: str | int | None


class DiskEncryptionCipher(TypedDict, total=False):
    name: str | int | None
    size: int | str | None
    mode: str | int | None
    hash: str | int | None


class DiskEncryptionIvgen(TypedDict, total=False):
    name: str | int | None
    hash: str | int | None


class DiskAccessReservations(TypedDict, total=False):
    managed: Literal["yes", "no"] | bool | None
    migration: Literal["yes", "no"] | bool | None
    source: DiskAccessReservationsSource | str | int | None


class DiskAccessReservationsSource(TypedDict, total=False):
    type: Literal["unix"] | None
    path: str | int | None
    mode: Literal["client"] | None
    reconnect: DiskPlaceRetry | Literal["yes", "no"] | bool | None


class DiskPlaceRetry(TypedDict, total=False):
    enabled: Literal["yes", "no"] | bool | None
    timeout: int | str | None


class DiskAccessSeclabel(TypedDict, total=False):
    model: str | int | None
    relabel: Literal["yes", "no"] | bool | None
    label: str | int | None


class OsVarstore(TypedDict, total=False):
    path: str | int | None
    template: str | int | None


class OsBiosAcpi(TypedDict, total=False):
    table: Sequence[OsBiosAcpiTable | str | int | None] | OsBiosAcpiTable | str | int | None


class OsBiosAcpiTable(TypedDict, total=False):
    type: Literal["slic", "msdm", "raw"] | None
    text: str | int | None


class OsBoot(TypedDict, total=False):
    dev: Literal["hd", "fd", "cdrom", "network"] | None


class OsBiosBootmenu(TypedDict, total=False):
    enable: Literal["yes", "no"] | bool | None
    timeout: int | str | None


class OsBios(TypedDict, total=False):
    useserial: Literal["yes", "no"] | bool | None
    rebootTimeout: int | str | None


class OsBiosSmbios(TypedDict, total=False):
    mode: Literal["emulate", "host", "sysinfo"] | None


Features = TypedDict("Features", {
    "acpi": Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None,
    "apic": FeaturesOptionsApic | bool | Literal["yes", "on", "no", "off"] | None,
    "pae": Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None,
    "hap": FeaturesSwitch | Literal["on", "off"] | bool | None,
    "viridian": Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None,
    "privnet": Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None,
    "hyperv": FeaturesHyperv | Literal["custom", "passthrough", "host-model"] | None,
    "kvm": FeaturesKvm | None,
    "pvspinlock": FeaturesSwitch | Literal["on", "off"] | bool | None,
    "pmu": FeaturesSwitch | Literal["on", "off"] | bool | None,
    "vmport": FeaturesSwitch | Literal["on", "off"] | bool | None,
    "gic": FeaturesOptionsGic | bool | Literal["yes", "on", "no", "off"] | Literal["2", "3", "host"] | Literal[2, 3] | None,
    "smm": FeaturesOptionsSmm | Literal["on", "off"] | bool | None,
    "ioapic": FeaturesOptionsIoapic | Literal["qemu", "kvm"] | None,
    "hpt": FeaturesOptionsHpt | Literal["enabled", "disabled", "required"] | None,
    "vmcoreinfo": FeaturesSwitch | Literal["on", "off"] | bool | None,
    "htm": ElementsStateElement | Literal["on", "off"] | bool | None,
    "nested-hv": ElementsStateElement | Literal["on", "off"] | bool | None,
    "msrs": FeaturesOptionsMsrs | Literal["ignore", "fault"] | None,
    "ccf-assist": ElementsStateElement | Literal["on", "off"] | bool | None,
    "cfpc": FeaturesMitigation | Literal["broken", "workaround", "fixed"] | None,
    "sbbc": FeaturesMitigation | Literal["broken", "workaround", "fixed"] | None,
    "ibs": FeaturesOptionsIbs | Literal["broken", "workaround", "fixed-ibs", "fixed-ccd", "fixed-na"] | None,
    "tcg": FeaturesOptionsTcg | None,
    "async-teardown": ElementsEnabledElement | Literal["yes", "no"] | bool | None,
    "ras": ElementsStateElement | Literal["on", "off"] | bool | None,
    "ps2": ElementsStateElement | Literal["on", "off"] | bool | None,
    "aia": FeaturesOptionsAia | Literal["none", "aplic", "aplic-imsic"] | None,
    "virtualization": Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None,
}, total=False)


class FeaturesOptionsApic(TypedDict, total=False):
    eoi: Literal["on", "off"] | bool | None


class FeaturesSwitch(TypedDict, total=False):
    state: Literal["on", "off"] | bool | None


class FeaturesHyperv(TypedDict, total=False):
    mode: Literal["custom", "passthrough", "host-model"] | None
    relaxed: ElementsStateElement | Literal["on", "off"] | bool | None
    vapic: ElementsStateElement | Literal["on", "off"] | bool | None
    spinlocks: FeaturesHypervSpinlocks | Literal["on", "off"] | bool | None
    vpindex: ElementsStateElement | Literal["on", "off"] | bool | None
    runtime: ElementsStateElement | Literal["on", "off"] | bool | None
    synic: ElementsStateElement | Literal["on", "off"] | bool | None
    stimer: FeaturesHypervStimer | Literal["on", "off"] | bool | None
    reset: ElementsStateElement | Literal["on", "off"] | bool | None
    vendor_id: FeaturesHypervVendorId | Literal["on", "off"] | bool | None
    frequencies: ElementsStateElement | Literal["on", "off"] | bool | None
    reenlightenment: ElementsStateElement | Literal["on", "off"] | bool | None
    tlbflush: FeaturesHypervTlbflush | Literal["on", "off"] | bool | None
    ipi: ElementsStateElement | Literal["on", "off"] | bool | None
    evmcs: ElementsStateElement | Literal["on", "off"] | bool | None
    avic: ElementsStateElement | Literal["on", "off"] | bool | None
    emsr_bitmap: ElementsStateElement | Literal["on", "off"] | bool | None
    xmm_input: ElementsStateElement | Literal["on", "off"] | bool | None


class ElementsStateElement(TypedDict, total=False):
    state: Literal["on", "off"] | bool | None


class FeaturesHypervSpinlocks(TypedDict, total=False):
    state: Literal["on", "off"] | bool | None
    retries: int | str | None


class FeaturesHypervStimer(TypedDict, total=False):
    state: Literal["on", "off"] | bool | None
    direct: ElementsStateElement | Literal["on", "off"] | bool | None


class FeaturesHypervVendorId(TypedDict, total=False):
    state: Literal["on", "off"] | bool | None
    value: str | int | None


class FeaturesHypervTlbflush(TypedDict, total=False):
    state: Literal["on", "off"] | bool | None
    direct: ElementsStateElement | Literal["on", "off"] | bool | None
    extended: ElementsStateElement | Literal["on", "off"] | bool | None


FeaturesKvm = TypedDict("FeaturesKvm", {
    "hidden": ElementsStateElement | Literal["on", "off"] | bool | None,
    "hint-dedicated": ElementsStateElement | Literal["on", "off"] | bool | None,
    "poll-control": ElementsStateElement | Literal["on", "off"] | bool | None,
    "pv-ipi": ElementsStateElement | Literal["on", "off"] | bool | None,
    "dirty-ring": FeaturesKvmDirtyRing | Literal["on", "off"] | bool | None,
}, total=False)


class FeaturesKvmDirtyRing(TypedDict, total=False):
    state: Literal["on", "off"] | bool | None
    size: Literal[1024, 2048, 4096, 8192, 16384, 32768, 65536] | str | None


class FeaturesOptionsGic(TypedDict, total=False):
    version: Literal["2", "3", "host"] | Literal[2, 3] | None


class FeaturesOptionsSmm(TypedDict, total=False):
    state: Literal["on", "off"] | bool | None
    tseg: FeaturesOptionsSize | int | str | None


class FeaturesOptionsSize(TypedDict, total=False):
    unit: str | int | None
    text: int | str | None


class FeaturesOptionsIoapic(TypedDict, total=False):
    driver: Literal["qemu", "kvm"] | None


class FeaturesOptionsHpt(TypedDict, total=False):
    resizing: Literal["enabled", "disabled", "required"] | None
    maxpagesize: FeaturesOptionsSize | int | str | None


class FeaturesOptionsMsrs(TypedDict, total=False):
    unknown: Literal["ignore", "fault"] | None


class FeaturesMitigation(TypedDict, total=False):
    value: Literal["broken", "workaround", "fixed"] | None


class FeaturesOptionsIbs(TypedDict, total=False):
    value: Literal["broken", "workaround", "fixed-ibs", "fixed-ccd", "fixed-na"] | None


FeaturesOptionsTcg = TypedDict("FeaturesOptionsTcg", {
    "tb-cache": FeaturesOptionsSize | int | str | None,
}, total=False)


class ElementsEnabledElement(TypedDict, total=False):
    enabled: Literal["yes", "no"] | bool | None


class FeaturesOptionsAia(TypedDict, total=False):
    value: Literal["none", "aplic", "aplic-imsic"] | None


class Cpu(TypedDict, total=False):
    mode: Literal["custom", "host-model", "host-passthrough", "maximum"] | None
    match: Literal["minimum", "exact", "strict"] | None
    check: Literal["none", "partial", "full"] | None
    migratable: Literal["on", "off"] | bool | None
    deprecated_features: Literal["on", "off"] | bool | None
    model: CpuModel | str | int | None
    vendor: str | int | None
    topology: CpuTopology | None
    cache: CpuCache | Literal["emulate", "passthrough", "disable"] | None
    maxphysaddr: CpuMaxphysaddr | int | str | Literal["emulate", "passthrough"] | None
    feature: Sequence[CpuFeature | str | int | None] | CpuFeature | str | int | None
    numa: CpuNuma | None


class CpuModel(TypedDict, total=False):
    fallback: Literal["allow", "forbid"] | None
    vendor_id: str | int | None
    text: str | int | None


class CpuTopology(TypedDict, total=False):
    sockets: int | str | None
    dies: int | str | None
    clusters: int | str | None
    cores: int | str | None
    threads: int | str | None


class CpuCache(TypedDict, total=False):
    level: Literal["1", "2", "3"] | Literal[1, 2, 3] | None
    mode: Literal["emulate", "passthrough", "disable"] | None


class CpuMaxphysaddr(TypedDict, total=False):
    mode: Literal["emulate", "passthrough"] | None
    bits: int | str | None
    limit: int | str | None


class CpuFeature(TypedDict, total=False):
    policy: Literal["force", "require", "optional", "disable", "forbid"] | None
    name: str | int | None


class CpuNuma(TypedDict, total=False):
    cell: Sequence[CpuCell | None] | CpuCell | None
    interconnects: CpuNumaInterconnects | None


class CpuCell(TypedDict, total=False):
    id: int | str | None
    cpus: str | int | None
    memory: int | str | None
    unit: str | int | None
    memAccess: Literal["shared", "private"] | None
    discard: Literal["yes", "no"] | bool | None
    distances: CpuCellDistances | None
    cache: Sequence[CpuCellCache | None] | CpuCellCache | None


class CpuCellDistances(TypedDict, total=False):
    sibling: Sequence[CpuCellDistancesSibling | None] | CpuCellDistancesSibling | None


class CpuCellDistancesSibling(TypedDict, total=False):
    id: int | str | None
    value: int | str | None


class CpuCellCache(TypedDict, total=False):
    level: int | str | None
    associativity: Literal["none", "direct", "full"] | None
    policy: Literal["none", "writeback", "writethrough"] | None
    size: CpuCellAmount | None
    line: CpuCellAmount | None


class CpuCellAmount(TypedDict, total=False):
    value: int | str | None
    unit: str | int | None


class CpuNumaInterconnects(TypedDict, total=False):
    latency: Sequence[CpuNumaInterconnectsLatency | None] | CpuNumaInterconnectsLatency | None
    bandwidth: Sequence[CpuNumaInterconnectsBandwidth | None] | CpuNumaInterconnectsBandwidth | None


class CpuNumaInterconnectsLatency(TypedDict, total=False):
    initiator: int | str | None
    target: int | str | None
    cache: int | str | None
    type: Literal["access", "read", "write"] | None
    value: int | str | None


class CpuNumaInterconnectsBandwidth(TypedDict, total=False):
    initiator: int | str | None
    target: int | str | None
    cache: int | str | None
    type: Literal["access", "read", "write"] | None
    value: int | str | None
    unit: str | int | None


class Clock(TypedDict, total=False):
    offset: Literal["utc", "localtime", "timezone", "variable", "absolute"] | None
    adjustment: str | int | None
    basis: Literal["utc", "localtime"] | None
    timezone: str | int | None
    start: int | str | None
    timer: Sequence[ClockTimer | None] | ClockTimer | None


class ClockTimer(TypedDict, total=False):
    name: Literal["rtc", "tsc", "hpet", "pit", "armvtimer", "kvmclock", "hypervclock"] | None
    present: Literal["yes", "no"] | bool | None
    tickpolicy: Literal["delay", "catchup", "merge", "discard"] | None
    track: Literal["guest", "wall", "realtime"] | None
    frequency: int | str | None
    mode: Literal["auto", "native", "emulate", "paravirt", "smpsafe"] | None
    catchup: ClockTimerCatchup | None


class ClockTimerCatchup(TypedDict, total=False):
    threshold: int | str | None
    slew: int | str | None
    limit: int | str | None


Pm = TypedDict("Pm", {
    "suspend-to-mem": PmSuspendToMem | Literal["yes", "no"] | bool | None,
    "suspend-to-disk": PmSuspendToMem | Literal["yes", "no"] | bool | None,
}, total=False)


class PmSuspendToMem(TypedDict, total=False):
    enabled: Literal["yes", "no"] | bool | None


class Perf(TypedDict, total=False):
    event: Sequence[PerfEvent | None] | PerfEvent | None


class PerfEvent(TypedDict, total=False):
    name: Literal["cmt", "mbmt", "mbml", "cpu_cycles", "instructions", "cache_references", "cache_misses", "branch_instructions", "branch_misses", "bus_cycles", "stalled_cycles_frontend", "stalled_cycles_backend", "ref_cpu_cycles", "cpu_clock", "task_clock", "page_faults", "context_switches", "cpu_migrations", "page_faults_min", "page_faults_maj", "alignment_faults", "emulation_faults"] | None
    enabled: Literal["yes", "no"] | bool | None


class Disk(TypedDict, total=False):
    type: Literal["file", "block", "dir", "network", "volume", "nvme", "vhostuser", "vhostvdpa"] | None
    device: Literal["disk", "cdrom", "floppy", "lun"] | None
    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional", "usb-storage", "usb-bot"] | None
    rawio: Literal["yes", "no"] | bool | None
    sgio: Literal["filtered"] | None
    snapshot: Literal["no", "internal", "external", "manual"] | None
    driver: DiskDriver | Literal["raw", "qcow2", "bochs", "cloop", "dmg", "fat", "ploop", "qcow", "qed", "vdi", "vhd", "vmdk", "vpc"] | None
    auth: DiskAccessAuth | None
    source: DiskSource | str | int | None
    backingStore: DiskBackingStore | DiskSource | str | int | None
    geometry: DiskGeometry | None
    blockio: DiskGeometryBlockio | None
    target: DiskTarget | str | int | None
    iotune: DiskIotune | None
    throttlefilters: DiskIotuneThrottlefilters | None
    readonly: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    shareable: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    transient: DiskTransient | bool | Literal["yes", "on", "no", "off"] | None
    serial: DiskTargetSerial | str | int | None
    wwn: str | int | None
    vendor: str | int | None
    product: str | int | None
    encryption: DiskEncryption | None
    boot: InfoBoot | int | str | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class DiskDriver(TypedDict, total=False):
    name: Literal["qemu"] | None
    type: Literal["raw", "qcow2", "bochs", "cloop", "dmg", "fat", "ploop", "qcow", "qed", "vdi", "vhd", "vmdk", "vpc"] | None
    cache: Literal["default", "none", "writethrough", "writeback", "directsync", "unsafe"] | None
    error_policy: Literal["stop", "report", "ignore", "enospace"] | None
    rerror_policy: Literal["stop", "report", "ignore"] | None
    io: Literal["threads", "native", "io_uring"] | None
    ioeventfd: Literal["on", "off"] | bool | None
    event_idx: Literal["on", "off"] | bool | None
    copy_on_read: Literal["on", "off"] | bool | None
    discard: Literal["unmap", "ignore"] | None
    discard_no_unref: Literal["on", "off"] | bool | None
    iothread: int | str | None
    detect_zeroes: Literal["off", "on", "unmap"] | bool | None
    queues: int | str | None
    queue_size: int | str | None
    iommu: Literal["on", "off"] | bool | None
    ats: Literal["on", "off"] | bool | None
    packed: Literal["on", "off"] | bool | None
    page_per_vq: Literal["on", "off"] | bool | None
    iothreads: DiskDriverIothreads | None
    metadata_cache: DiskFormatMetadataCache | NumbersMemory | int | str | None
    statistics: DiskStatistics | None


class DiskDriverIothreads(TypedDict, total=False):
    iothread: Sequence[DiskDriverIothread | int | str | None] | DiskDriverIothread | int | str | None


class DiskDriverIothread(TypedDict, total=False):
    id: int | str | None
    queue: Sequence[DiskDriverQueue | int | str | None] | DiskDriverQueue | int | str | None


class DiskDriverQueue(TypedDict, total=False):
    id: int | str | None


class DiskFormatMetadataCache(TypedDict, total=False):
    max_size: NumbersMemory | int | str | None


DiskStatistics = TypedDict("DiskStatistics", {
    "statistic": Sequence[DiskStatisticsStatistic | int | str | None] | DiskStatisticsStatistic | int | str | None,
    "latency-histogram": Sequence[DiskStatisticsLatencyHistogram | None] | DiskStatisticsLatencyHistogram | None,
}, total=False)


class DiskStatisticsStatistic(TypedDict, total=False):
    interval: int | str | None


class DiskStatisticsLatencyHistogram(TypedDict, total=False):
    type: Literal["read", "write", "zone", "flush"] | None
    bin: Sequence[DiskStatisticsLatencyHistogramBin | int | str | None] | DiskStatisticsLatencyHistogramBin | int | str | None


class DiskStatisticsLatencyHistogramBin(TypedDict, total=False):
    start: int | str | None


class DiskBackingStore(TypedDict, total=False):
    type: Literal["file", "block", "dir", "network", "volume", "nvme", "vhostuser", "vhostvdpa"] | None
    index: int | str | None
    format: DiskFormat | Literal["raw", "qcow2", "bochs", "cloop", "dmg", "fat", "ploop", "qcow", "qed", "vdi", "vhd", "vmdk", "vpc"] | None
    source: DiskSource | str | int | None
    backingStore: DiskBackingStore | DiskSource | str | int | None


class DiskFormat(TypedDict, total=False):
    type: Literal["raw", "qcow2", "bochs", "cloop", "dmg", "fat", "ploop", "qcow", "qed", "vdi", "vhd", "vmdk", "vpc"] | None
    metadata_cache: DiskFormatMetadataCache | NumbersMemory | int | str | None


class DiskGeometry(TypedDict, total=False):
    cyls: int | str | None
    heads: int | str | None
    secs: int | str | None
    trans: Literal["auto", "none", "lba"] | None


class DiskGeometryBlockio(TypedDict, total=False):
    logical_block_size: int | str | None
    physical_block_size: int | str | None
    discard_granularity: int | str | None


class DiskTarget(TypedDict, total=False):
    dev: str | int | None
    bus: Literal["virtio", "scsi", "sata", "ide", "usb", "fdc", "sd", "nvme"] | None
    tray: Literal["open", "closed"] | None
    removable: Literal["on", "off"] | bool | None
    rotation_rate: int | str | None
    dpofua: Literal["on", "off"] | bool | None


class DiskIotune(TypedDict, total=False):
    total_bytes_sec: int | str | None
    read_bytes_sec: int | str | None
    write_bytes_sec: int | str | None
    total_iops_sec: int | str | None
    read_iops_sec: int | str | None
    write_iops_sec: int | str | None
    total_bytes_sec_max: int | str | None
    read_bytes_sec_max: int | str | None
    write_bytes_sec_max: int | str | None
    total_iops_sec_max: int | str | None
    read_iops_sec_max: int | str | None
    write_iops_sec_max: int | str | None
    size_iops_sec: int | str | None
    group_name: str | int | None
    total_bytes_sec_max_length: int | str | None
    read_bytes_sec_max_length: int | str | None
    write_bytes_sec_max_length: int | str | None
    total_iops_sec_max_length: int | str | None
    read_iops_sec_max_length: int | str | None
    write_iops_sec_max_length: int | str | None


class DiskIotuneThrottlefilters(TypedDict, total=False):
    throttlefilter: Sequence[DiskIotuneThrottlefilter | str | int | None] | DiskIotuneThrottlefilter | str | int | None


class DiskIotuneThrottlefilter(TypedDict, total=False):
    group: str | int | None


class DiskTransient(TypedDict, total=False):
    shareBacking: Literal["yes", "no"] | bool | None


class DiskTargetSerial(TypedDict, total=False):
    text: str | int | None


class InfoBoot(TypedDict, total=False):
    order: int | str | None
    loadparm: str | int | None


class InfoAlias(TypedDict, total=False):
    name: str | int | None


class InfoAcpi(TypedDict, total=False):
    index: int | str | None
    nodeset: str | int | None


class Address(TypedDict, total=False):
    type: Literal["pci", "drive", "virtio-serial", "ccid", "usb", "spapr-vio", "virtio-mmio", "ccw", "isa", "dimm", "unassigned"] | None
    controller: str | int | None
    domain: str | int | None
    bus: str | int | None
    cssid: str | int | None
    ssid: str | int | None
    devno: str | int | None
    slot: str | int | None
    target: str | int | None
    unit: str | int | None
    port: str | int | None
    function: str | int | None
    multifunction: Literal["on", "off"] | bool | None
    zpci: Zpci | None
    iobase: str | int | None
    irq: str | int | None
    reg: str | int | None
    base: str | int | None


class Zpci(TypedDict, total=False):
    uid: str | int | None
    fid: str | int | None


class Controller(TypedDict, total=False):
    type: Literal["ide", "fdc", "scsi", "sata", "usb", "ccid", "virtio-serial", "pci", "nvme"] | None
    index: int | str | None
    model: Literal["auto", "lsilogic", "lsisas1068", "lsisas1078", "ibmvscsi", "virtio-scsi", "vmpvscsi", "ncr53c90", "dc390", "am53c974", "virtio", "virtio-transitional", "virtio-non-transitional", "piix3-uhci", "piix4-uhci", "ehci", "ich9-ehci1", "ich9-uhci1", "ich9-uhci2", "ich9-uhci3", "vt82c686b-uhci", "pci-ohci", "nec-xhci", "qemu-xhci", "none", "pci-root", "pcie-root", "pci-bridge", "dmi-to-pci-bridge", "pcie-to-pci-bridge", "pcie-root-port", "pcie-switch-upstream-port", "pcie-switch-downstream-port", "pci-expander-bus", "pcie-expander-bus"] | None
    ports: int | str | None
    vectors: int | str | None
    model_name: Literal["spapr-pci-host-bridge", "pci-bridge", "i82801b11-bridge", "pcie-pci-bridge", "ioh3420", "pcie-root-port", "x3130-upstream", "xio3130-downstream", "pxb", "pxb-pcie"] | None
    target: ControllerTarget | None
    driver: ControllerTargetDriver | None
    serial: DiskTargetSerial | str | int | None
    alias: InfoAlias | str | int | None
    master: ControllerMaster | int | str | None
    acpi: InfoAcpi | int | str | None
    address: Address | None
    pcihole64: ControllerPcihole64 | int | str | None


class ControllerTarget(TypedDict, total=False):
    chassisNr: int | str | None
    chassis: int | str | None
    port: str | int | None
    busNr: int | str | None
    index: int | str | None
    hotplug: Literal["on", "off"] | bool | None
    memReserve: int | str | None
    node: int | str | None


class ControllerTargetDriver(TypedDict, total=False):
    queues: int | str | None
    cmd_per_lun: int | str | None
    max_sectors: int | str | None
    ioeventfd: Literal["on", "off"] | bool | None
    iothread: int | str | None
    iothreads: DiskDriverIothreads | None
    iommu: Literal["on", "off"] | bool | None
    ats: Literal["on", "off"] | bool | None
    packed: Literal["on", "off"] | bool | None
    page_per_vq: Literal["on", "off"] | bool | None


class ControllerMaster(TypedDict, total=False):
    startport: int | str | None


class ControllerPcihole64(TypedDict, total=False):
    unit: str | int | None
    text: int | str | None


class Lease(TypedDict, total=False):
    lockspace: str | int | None
    key: str | int | None
    target: LeaseTarget | str | int | None


class LeaseTarget(TypedDict, total=False):
    path: str | int | None
    offset: int | str | None


class Filesystem(TypedDict, total=False):
    type: Literal["mount"] | None
    accessmode: Literal["passthrough", "mapped", "squash"] | None
    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional"] | None
    multidevs: Literal["default", "remap", "forbid", "warn"] | None
    fmode: str | int | None
    dmode: str | int | None
    driver: FilesystemDriver | Literal["path", "handle", "virtiofs", "mtp"] | None
    binary: FilesystemBinary | str | int | None
    source: FilesystemSource | str | int | None
    target: FilesystemTarget | str | int | None
    idmap: FilesystemIdmap | None
    readonly: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    boot: InfoBoot | int | str | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None
    space_hard_limit: FilesystemSpace | int | str | None
    space_soft_limit: FilesystemSpace | int | str | None


class FilesystemDriver(TypedDict, total=False):
    type: Literal["path", "handle", "virtiofs", "mtp"] | None
    format: Literal["raw", "qcow2", "bochs", "cloop", "cow", "dir", "dmg", "fat", "iso", "ploop", "qcow", "qed", "vdi", "vhd", "vmdk", "vpc"] | None
    wrpolicy: Literal["immediate"] | None
    queue: int | str | None
    iommu: Literal["on", "off"] | bool | None
    ats: Literal["on", "off"] | bool | None
    packed: Literal["on", "off"] | bool | None
    page_per_vq: Literal["on", "off"] | bool | None


class FilesystemBinary(TypedDict, total=False):
    path: str | int | None
    xattr: Literal["on", "off"] | bool | None
    cache: FilesystemBinaryCache | Literal["none", "always"] | None
    sandbox: FilesystemBinarySandbox | Literal["namespace", "chroot"] | None
    lock: FilesystemBinaryLock | None
    thread_pool: FilesystemBinaryThreadPool | int | str | None
    openfiles: FilesystemBinaryOpenfiles | int | str | None


class FilesystemBinaryCache(TypedDict, total=False):
    mode: Literal["none", "always"] | None


class FilesystemBinarySandbox(TypedDict, total=False):
    mode: Literal["namespace", "chroot"] | None


class FilesystemBinaryLock(TypedDict, total=False):
    posix: Literal["on", "off"] | bool | None
    flock: Literal["on", "off"] | bool | None


class FilesystemBinaryThreadPool(TypedDict, total=False):
    size: int | str | None


class FilesystemBinaryOpenfiles(TypedDict, total=False):
    max: int | str | None


class FilesystemSource(TypedDict, total=False):
    dir: str | int | None
    socket: str | int | None


class FilesystemTarget(TypedDict, total=False):
    dir: str | int | None


class FilesystemIdmap(TypedDict, total=False):
    uid: Sequence[FilesystemRange | None] | FilesystemRange | None
    gid: Sequence[FilesystemRange | None] | FilesystemRange | None


class FilesystemRange(TypedDict, total=False):
    start: int | str | None
    target: int | str | None
    count: int | str | None


class FilesystemSpace(TypedDict, total=False):
    unit: str | int | None
    text: int | str | None


class Interface(TypedDict, total=False):
    type: Literal["bridge", "network", "direct", "user", "ethernet", "vhostuser", "vdpa", "hostdev", "server", "client", "mcast", "udp", "internal", "null", "vds"] | None
    managed: Literal["yes", "no"] | bool | None
    trustGuestRxFilters: Literal["yes", "no"] | bool | None
    mac: InterfaceEndsMac | str | int | None
    source: InterfaceSource | str | int | None
    vlan: InterfaceTrafficVlan | Sequence[InterfaceTrafficVlanTag | int | str | None] | InterfaceTrafficVlanTag | int | str | None
    virtualport: InterfaceVirtualport | Literal["openvswitch", "midonet", "802.1Qbg", "802.1Qbh"] | None
    bandwidth: InterfaceTrafficBandwidth | None
    ip: Sequence[InterfaceIpNetworks | str | int | None] | InterfaceIpNetworks | str | int | None
    portForward: Sequence[InterfacePortForwardPortForward | None] | InterfacePortForwardPortForward | None
    script: InterfaceEndsScript | str | int | None
    downscript: InterfaceEndsScript | str | int | None
    target: InterfaceEndsTarget | str | int | None
    guest: InterfaceEndsGuest | str | int | None
    model: InterfaceEndsModel | str | int | None
    driver: InterfaceDriver | Literal["qemu", "vhost", "vfio"] | None
    backend: InterfaceEndsBackend | Literal["default", "passt"] | None
    teaming: InterfaceTrafficTeaming | Literal["persistent", "transient"] | None
    filterref: InterfaceTrafficFilterref | str | int | None
    link: InterfaceLink | Literal["up", "down"] | None
    tune: InterfaceLinkTune | None
    mtu: InterfaceLinkMtu | int | str | None
    coalesce: InterfaceLinkCoalesce | None
    port: InterfaceLinkPort | None
    boot: InfoBoot | int | str | None
    alias: InfoAlias | str | int | None
    rom: InfoRom | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class InterfaceEndsMac(TypedDict, total=False):
    address: str | int | None
    type: Literal["generated", "static"] | None
    check: Literal["yes", "no"] | bool | None


class InterfaceSource(TypedDict, total=False):
    bridge: str | int | None
    network: str | int | None
    portgroup: str | int | None
    type: Literal["unix"] | None
    path: str | int | None
    dev: str | int | None
    mode: Literal["vepa", "bridge", "private", "passthrough", "server", "client"] | None
    name: str | int | None
    address: str | InterfaceSourceAddress | None
    port: int | str | None
    local: InterfaceSourceLocal | None
    vendor: InterfaceSourceUsbId | str | int | None
    product: InterfaceSourceUsbId | str | int | None
    switchid: str | int | None
    portid: int | str | None
    portgroupid: str | int | None
    connectionid: int | str | None
    reconnect: InterfaceSourceTypesReconnect | int | str | None
    ip: Sequence[InterfaceIpAddresses | str | int | None] | InterfaceIpAddresses | str | int | None
    route: Sequence[InterfaceIpRoutes | None] | InterfaceIpRoutes | None


class InterfaceSourceAddress(TypedDict, total=False):
    type: Literal["pci", "usb"] | None
    domain: str | int | None
    bus: str | int | None
    slot: str | int | None
    function: str | int | None
    multifunction: Literal["on", "off"] | bool | None
    device: str | int | None
    port: str | int | None


class InterfaceSourceLocal(TypedDict, total=False):
    address: str | int | None
    port: int | str | None


class InterfaceSourceUsbId(TypedDict, total=False):
    id: str | int | None


class InterfaceSourceTypesReconnect(TypedDict, total=False):
    enabled: Literal["yes", "no"] | bool | None
    timeout: int | str | None


class InterfaceIpAddresses(TypedDict, total=False):
    address: str | int | None
    family: Literal["ipv4", "ipv6"] | None
    prefix: int | str | None
    peer: str | int | None


class InterfaceIpRoutes(TypedDict, total=False):
    family: Literal["ipv4", "ipv6"] | None
    address: str | int | None
    netmask: str | int | None
    prefix: int | str | None
    gateway: str | int | None
    metric: int | str | None


class InterfaceTrafficVlan(TypedDict, total=False):
    trunk: Literal["yes"] | bool | None
    tag: Sequence[InterfaceTrafficVlanTag | int | str | None] | InterfaceTrafficVlanTag | int | str | None


class InterfaceTrafficVlanTag(TypedDict, total=False):
    id: int | str | None
    nativeMode: Literal["tagged", "untagged"] | None


class InterfaceVirtualport(TypedDict, total=False):
    type: Literal["openvswitch", "midonet", "802.1Qbg", "802.1Qbh"] | None
    parameters: InterfaceVirtualportParameters | None


class InterfaceVirtualportParameters(TypedDict, total=False):
    managerid: str | int | None
    typeid: str | int | None
    typeidversion: str | int | None
    instanceid: str | int | None
    interfaceid: str | int | None
    profileid: str | int | None


class InterfaceTrafficBandwidth(TypedDict, total=False):
    inbound: InterfaceTrafficBandwidthInbound | int | str | None
    outbound: InterfaceTrafficBandwidthOutbound | int | str | None


class InterfaceTrafficBandwidthInbound(TypedDict, total=False):
    average: int | str | None
    peak: int | str | None
    floor: int | str | None
    burst: int | str | None


class InterfaceTrafficBandwidthOutbound(TypedDict, total=False):
    average: int | str | None
    peak: int | str | None
    burst: int | str | None


class InterfaceIpNetworks(TypedDict, total=False):
    address: str | int | None
    family: Literal["ipv4", "ipv6"] | None
    prefix: int | str | None


class InterfacePortForwardPortForward(TypedDict, total=False):
    proto: Literal["tcp", "udp"] | None
    address: str | int | None
    dev: str | int | None
    range: Sequence[InterfacePortForwardPortForwardRange | int | str | None] | InterfacePortForwardPortForwardRange | int | str | None


class InterfacePortForwardPortForwardRange(TypedDict, total=False):
    start: int | str | None
    end: int | str | None
    to: int | str | None
    exclude: Literal["yes", "no"] | bool | None


class InterfaceEndsScript(TypedDict, total=False):
    path: str | int | None


class InterfaceEndsTarget(TypedDict, total=False):
    dev: str | int | None
    managed: Literal["yes", "no"] | bool | None


class InterfaceEndsGuest(TypedDict, total=False):
    dev: str | int | None


class InterfaceEndsModel(TypedDict, total=False):
    type: str | int | None


class InterfaceDriver(TypedDict, total=False):
    name: Literal["qemu", "vhost", "vfio"] | None
    model: str | int | None
    iommufd: Literal["yes", "no"] | bool | None
    txmode: Literal["iothread", "timer"] | None
    ioeventfd: Literal["on", "off"] | bool | None
    event_idx: Literal["on", "off"] | bool | None
    queues: int | str | None
    rx_queue_size: int | str | None
    tx_queue_size: int | str | None
    rss: Literal["on", "off"] | bool | None
    rss_hash_report: Literal["on", "off"] | bool | None
    iommu: Literal["on", "off"] | bool | None
    ats: Literal["on", "off"] | bool | None
    packed: Literal["on", "off"] | bool | None
    page_per_vq: Literal["on", "off"] | bool | None
    host: InterfaceDriverHost | None
    guest: InterfaceDriverGuest | None


class InterfaceDriverHost(TypedDict, total=False):
    csum: Literal["on", "off"] | bool | None
    gso: Literal["on", "off"] | bool | None
    tso4: Literal["on", "off"] | bool | None
    tso6: Literal["on", "off"] | bool | None
    ecn: Literal["on", "off"] | bool | None
    ufo: Literal["on", "off"] | bool | None
    mrg_rxbuf: Literal["on", "off"] | bool | None


class InterfaceDriverGuest(TypedDict, total=False):
    csum: Literal["on", "off"] | bool | None
    tso4: Literal["on", "off"] | bool | None
    tso6: Literal["on", "off"] | bool | None
    ecn: Literal["on", "off"] | bool | None
    ufo: Literal["on", "off"] | bool | None


class InterfaceEndsBackend(TypedDict, total=False):
    type: Literal["default", "passt"] | None
    tap: str | int | None
    vhost: str | int | None
    logFile: str | int | None
    hostname: str | int | None
    fqdn: str | int | None


class InterfaceTrafficTeaming(TypedDict, total=False):
    type: Literal["persistent", "transient"] | None
    persistent: str | int | None


class InterfaceTrafficFilterref(TypedDict, total=False):
    filter: str | int | None
    parameter: Sequence[InterfaceTrafficFilterrefParameter | None] | InterfaceTrafficFilterrefParameter | None


class InterfaceTrafficFilterrefParameter(TypedDict, total=False):
    name: str | int | None
    value: str | int | None


class InterfaceLink(TypedDict, total=False):
    state: Literal["up", "down"] | None


class InterfaceLinkTune(TypedDict, total=False):
    sndbuf: int | str | None


class InterfaceLinkMtu(TypedDict, total=False):
    size: int | str | None


class InterfaceLinkCoalesce(TypedDict, total=False):
    rx: InterfaceLinkCoalesceRx | None


class InterfaceLinkCoalesceRx(TypedDict, total=False):
    frames: InterfaceLinkCoalesceRxFrames | int | str | None


class InterfaceLinkCoalesceRxFrames(TypedDict, total=False):
    max: int | str | None


class InterfaceLinkPort(TypedDict, total=False):
    isolated: Literal["yes", "no"] | bool | None


class InfoRom(TypedDict, total=False):
    enabled: Literal["yes", "no"] | bool | None
    bar: Literal["on", "off"] | bool | None
    file: str | int | None


class Smartcard(TypedDict, total=False):
    mode: Literal["host", "host-certificates", "passthrough"] | None
    certificate: Sequence[str | int | None] | str | int | None
    database: str | int | None
    type: Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None
    source: Sequence[ChardevSource | str | int | None] | ChardevSource | str | int | None
    protocol: ChardevSourceProtocol | Literal["raw", "telnet", "telnets", "tls"] | None
    log: ChardevSourceLog | str | int | None
    address: Address | None


class ChardevSource(TypedDict, total=False):
    mode: Literal["bind", "connect"] | None
    host: str | int | None
    service: str | int | None
    channel: str | int | None
    path: str | int | None
    append: Literal["on", "off"] | bool | None
    tls: Literal["yes", "no"] | bool | None
    reconnect: ChardevSourceReconnect | int | str | Literal["yes", "no"] | bool | None
    mouse: ChardevSourceMouse | Literal["server", "client"] | None
    clipboard: ChardevSourceClipboard | Literal["yes", "no"] | bool | None
    seclabel: Sequence[ChardevSeclabel | None] | ChardevSeclabel | None


class ChardevSourceReconnect(TypedDict, total=False):
    enabled: Literal["yes", "no"] | bool | None
    timeout: int | str | None


class ChardevSourceMouse(TypedDict, total=False):
    mode: Literal["server", "client"] | None


class ChardevSourceClipboard(TypedDict, total=False):
    copypaste: Literal["yes", "no"] | bool | None


class ChardevSeclabel(TypedDict, total=False):
    model: str | int | None
    relabel: Literal["yes", "no"] | bool | None
    label: str | int | None


class ChardevSourceProtocol(TypedDict, total=False):
    type: Literal["raw", "telnet", "telnets", "tls"] | None


class ChardevSourceLog(TypedDict, total=False):
    file: str | int | None
    append: Literal["on", "off"] | bool | None


class Serial(TypedDict, total=False):
    type: Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None
    source: Sequence[ChardevSource | str | int | None] | ChardevSource | str | int | None
    protocol: ChardevSourceProtocol | Literal["raw", "telnet", "telnets", "tls"] | None
    log: ChardevSourceLog | str | int | None
    target: SerialTarget | int | str | Literal["isa-serial", "usb-serial", "pci-serial", "spapr-vio-serial", "system-serial", "sclp-serial", "isa-debug"] | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class SerialTarget(TypedDict, total=False):
    type: Literal["isa-serial", "usb-serial", "pci-serial", "spapr-vio-serial", "system-serial", "sclp-serial", "isa-debug"] | None
    port: int | str | None
    model: SerialTargetModel | Literal["isa-serial", "usb-serial", "pci-serial", "spapr-vty", "pl011", "16550a", "sclpconsole", "sclplmconsole", "isa-debugcon"] | None


class SerialTargetModel(TypedDict, total=False):
    name: Literal["isa-serial", "usb-serial", "pci-serial", "spapr-vty", "pl011", "16550a", "sclpconsole", "sclplmconsole", "isa-debugcon"] | None


class Parallel(TypedDict, total=False):
    type: Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None
    source: Sequence[ChardevSource | str | int | None] | ChardevSource | str | int | None
    protocol: ChardevSourceProtocol | Literal["raw", "telnet", "telnets", "tls"] | None
    log: ChardevSourceLog | str | int | None
    target: ParallelTarget | int | str | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class ParallelTarget(TypedDict, total=False):
    port: int | str | None


class Console(TypedDict, total=False):
    tty: str | int | None
    type: Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None
    source: Sequence[ChardevSource | str | int | None] | ChardevSource | str | int | None
    protocol: ChardevSourceProtocol | Literal["raw", "telnet", "telnets", "tls"] | None
    log: ChardevSourceLog | str | int | None
    target: ConsoleTarget | Literal["serial", "virtio", "sclp", "sclplm"] | None
    alias: InfoAlias | str | int | None
    address: Address | None


class ConsoleTarget(TypedDict, total=False):
    type: Literal["serial", "virtio", "sclp", "sclplm"] | None
    port: int | str | None


class Channel(TypedDict, total=False):
    type: Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None
    source: Sequence[ChardevSource | str | int | None] | ChardevSource | str | int | None
    protocol: ChardevSourceProtocol | Literal["raw", "telnet", "telnets", "tls"] | None
    log: ChardevSourceLog | str | int | None
    target: ChannelTarget | str | int | None
    alias: InfoAlias | str | int | None
    address: Address | None


class ChannelTarget(TypedDict, total=False):
    type: Literal["virtio", "guestfwd"] | None
    address: str | int | None
    port: int | str | None
    name: str | int | None
    state: Literal["connected", "disconnected"] | None


class Input(TypedDict, total=False):
    type: Literal["tablet", "mouse", "keyboard", "passthrough", "evdev"] | None
    bus: Literal["virtio", "usb", "ps2"] | None
    model: Literal["virtio"] | None
    driver: InputDriver | None
    source: InputSource | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class InputDriver(TypedDict, total=False):
    iommu: Literal["on", "off"] | bool | None
    ats: Literal["on", "off"] | bool | None
    packed: Literal["on", "off"] | bool | None
    page_per_vq: Literal["on", "off"] | bool | None


class InputSource(TypedDict, total=False):
    dev: str | int | None
    evdev: str | int | None
    grab: Literal["all"] | None
    grabToggle: Literal["ctrl-ctrl", "alt-alt", "shift-shift", "meta-meta", "scrolllock", "ctrl-scrolllock"] | None
    repeat: Literal["on", "off"] | bool | None


class Tpm(TypedDict, total=False):
    model: Literal["tpm-tis", "tpm-crb", "tpm-spapr", "spapr-tpm-proxy"] | None
    backend: TpmBackend | Literal["emulator", "passthrough", "external"] | str | None
    alias: InfoAlias | str | int | None
    address: Address | None


class TpmBackend(TypedDict, total=False):
    type: Literal["emulator", "passthrough", "external"] | None
    version: Literal["1.2", "2.0"] | None
    persistent_state: Literal["yes", "no"] | bool | None
    debug: int | str | None
    profile: TpmProfile | str | int | None
    device: TpmBackendDevice | str | int | None
    encryption: TpmBackendEncryption | str | int | None
    active_pcr_banks: TpmBackendActivePcrBanks | None
    source: TpmBackendSource | str | int | None


class TpmProfile(TypedDict, total=False):
    source: str | int | None
    removeDisabled: Literal["check", "fips-host"] | None
    name: str | int | None


class TpmBackendDevice(TypedDict, total=False):
    path: str | int | None


class TpmBackendEncryption(TypedDict, total=False):
    secret: str | int | None


class TpmBackendActivePcrBanks(TypedDict, total=False):
    sha1: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    sha256: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    sha384: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    sha512: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None


class TpmBackendSource(TypedDict, total=False):
    type: Literal["unix", "file", "dir"] | None
    mode: Literal["connect"] | None
    path: str | int | None


class Graphics(TypedDict, total=False):
    type: Literal["vnc", "spice", "rdp", "sdl", "egl-headless", "dbus"] | None
    port: int | str | None
    tlsPort: int | str | None
    autoport: Literal["yes", "no"] | bool | None
    websocket: int | str | None
    socket: str | int | None
    keymap: str | int | None
    sharePolicy: Literal["allow-exclusive", "force-shared", "ignore"] | None
    powerControl: Literal["yes", "no"] | bool | None
    defaultMode: Literal["any", "secure", "insecure"] | None
    username: str | int | None
    passwd: str | int | None
    passwdValidTo: str | int | None
    connected: Literal["fail", "disconnect", "keep"] | None
    display: str | int | None
    xauth: str | int | None
    fullscreen: Literal["yes", "no"] | bool | None
    replaceUser: Literal["yes", "no"] | bool | None
    multiUser: Literal["yes", "no"] | bool | None
    p2p: Literal["yes", "no"] | bool | None
    address: str | int | None
    listen: Sequence[GraphicsListen | str | int | Literal["address", "network", "socket", "none"] | None] | GraphicsListen | str | int | Literal["address", "network", "socket", "none"] | None
    listen_address: str | int | None
    channel: Sequence[GraphicsSpiceChannel | None] | GraphicsSpiceChannel | None
    image: GraphicsSpiceImage | Literal["auto_glz", "auto_lz", "quic", "glz", "lz", "off"] | None
    jpeg: GraphicsSpiceCompression | Literal["auto", "never", "always"] | None
    zlib: GraphicsSpiceCompression | Literal["auto", "never", "always"] | None
    playback: GraphicsSpicePlayback | Literal["on", "off"] | bool | None
    streaming: GraphicsSpiceStreaming | Literal["filter", "all", "off"] | None
    mouse: GraphicsSpiceMouse | Literal["server", "client"] | None
    clipboard: GraphicsSpiceClipboard | Literal["yes", "no"] | bool | None
    filetransfer: GraphicsSpiceFiletransfer | Literal["yes", "no"] | bool | None
    gl: GraphicsSpiceGl | str | int | Literal["yes", "no"] | bool | None
    audio: GraphicsSpiceAudio | int | str | None


class GraphicsListen(TypedDict, total=False):
    type: Literal["address", "network", "socket", "none"] | None
    address: str | int | None
    network: str | int | None
    socket: str | int | None


class GraphicsSpiceChannel(TypedDict, total=False):
    name: Literal["main", "display", "inputs", "cursor", "playback", "record", "smartcard", "usbredir"] | None
    mode: Literal["any", "secure", "insecure"] | None


class GraphicsSpiceImage(TypedDict, total=False):
    compression: Literal["auto_glz", "auto_lz", "quic", "glz", "lz", "off"] | None


class GraphicsSpiceCompression(TypedDict, total=False):
    compression: Literal["auto", "never", "always"] | None


class GraphicsSpicePlayback(TypedDict, total=False):
    compression: Literal["on", "off"] | bool | None


class GraphicsSpiceStreaming(TypedDict, total=False):
    mode: Literal["filter", "all", "off"] | None


class GraphicsSpiceMouse(TypedDict, total=False):
    mode: Literal["server", "client"] | None


class GraphicsSpiceClipboard(TypedDict, total=False):
    copypaste: Literal["yes", "no"] | bool | None


class GraphicsSpiceFiletransfer(TypedDict, total=False):
    enable: Literal["yes", "no"] | bool | None


class GraphicsSpiceGl(TypedDict, total=False):
    enable: Literal["yes", "no"] | bool | None
    rendernode: str | int | None


class GraphicsSpiceAudio(TypedDict, total=False):
    id: int | str | None


class Sound(TypedDict, total=False):
    model: Literal["ich9", "ich6", "ac97", "es1370", "sb16", "pcspk", "usb", "virtio"] | None
    multichannel: Literal["yes", "no"] | bool | None
    streams: int | str | None
    codec: Sequence[SoundCodec | Literal["duplex", "micro", "output"] | None] | SoundCodec | Literal["duplex", "micro", "output"] | None
    audio: GraphicsSpiceAudio | int | str | None
    driver: VirtioDriver | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class SoundCodec(TypedDict, total=False):
    type: Literal["duplex", "micro", "output"] | None


class VirtioDriver(TypedDict, total=False):
    iommu: Literal["on", "off"] | bool | None
    ats: Literal["on", "off"] | bool | None
    packed: Literal["on", "off"] | bool | None
    page_per_vq: Literal["on", "off"] | bool | None


class Audio(TypedDict, total=False):
    id: int | str | None
    type: Literal["none", "alsa", "coreaudio", "dbus", "file", "jack", "oss", "pipewire", "pulseaudio", "sdl", "spice"] | None
    timerPeriod: int | str | None
    tryMMap: Literal["yes", "no"] | bool | None
    exclusive: Literal["yes", "no"] | bool | None
    dspPolicy: int | str | None
    serverName: str | int | None
    runtimeDir: str | int | None
    driver: Literal["esd", "alsa", "arts", "pulseaudio"] | None
    path: str | int | None
    input: AudioDirection | None
    output: AudioDirection | None


class AudioDirection(TypedDict, total=False):
    mixingEngine: Literal["yes", "no"] | bool | None
    fixedSettings: Literal["yes", "no"] | bool | None
    voices: int | str | None
    bufferLength: int | str | None
    dev: str | int | None
    bufferCount: int | str | None
    tryPoll: Literal["yes", "no"] | bool | None
    serverName: str | int | None
    clientName: str | int | None
    connectPorts: str | int | None
    exactName: Literal["yes", "no"] | bool | None
    name: str | int | None
    streamName: str | int | None
    latency: int | str | None
    settings: AudioDirectionSettings | None


class AudioDirectionSettings(TypedDict, total=False):
    frequency: int | str | None
    channels: int | str | None
    format: Literal["s8", "u8", "s16", "u16", "s32", "u32", "f32"] | None


class Video(TypedDict, total=False):
    driver: VideoDriver | Literal["qemu", "vhostuser"] | None
    model: VideoModel | Literal["virtio", "qxl", "vga", "bochs", "cirrus", "vmvga", "ramfb", "none"] | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class VideoDriver(TypedDict, total=False):
    iommu: Literal["on", "off"] | bool | None
    ats: Literal["on", "off"] | bool | None
    packed: Literal["on", "off"] | bool | None
    page_per_vq: Literal["on", "off"] | bool | None
    name: Literal["qemu", "vhostuser"] | None
    vgaconf: Literal["io", "on", "off"] | bool | None


class VideoModel(TypedDict, total=False):
    type: Literal["virtio", "qxl", "vga", "bochs", "cirrus", "vmvga", "ramfb", "none"] | None
    device: Literal["virtio-vga", "virtio-vga-gl", "virtio-gpu", "virtio-gpu-gl", "vhost-user-vga", "vhost-user-gpu"] | None
    ram: int | str | None
    vram: int | str | None
    vram64: int | str | None
    vgamem: int | str | None
    heads: int | str | None
    primary: Literal["yes", "no"] | bool | None
    blob: Literal["on", "off"] | bool | None
    edid: Literal["on", "off"] | bool | None
    acceleration: VideoModelAcceleration | None
    resolution: VideoModelResolution | None


class VideoModelAcceleration(TypedDict, total=False):
    accel3d: Literal["yes", "no"] | bool | None
    accel2d: Literal["yes", "no"] | bool | None
    rendernode: str | int | None


class VideoModelResolution(TypedDict, total=False):
    x: int | str | None
    y: int | str | None


class Hostdev(TypedDict, total=False):
    mode: Literal["subsystem"] | None
    type: Literal["pci", "usb", "scsi", "scsi_host", "mdev"] | None
    managed: Literal["yes", "no"] | bool | None
    sgio: Literal["filtered"] | None
    rawio: Literal["yes", "no"] | bool | None
    model: Literal["vfio-pci", "vfio-ccw", "vfio-ap", "virtio", "virtio-transitional", "virtio-non-transitional"] | None
    display: Literal["on", "off"] | bool | None
    ramfb: Literal["on", "off"] | bool | None
    driver: HostdevDriver | Literal["vfio"] | None
    source: HostdevSource | str | None
    teaming: HostdevTeaming | str | int | None
    readonly: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    shareable: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    boot: InfoBoot | int | str | None
    alias: InfoAlias | str | int | None
    rom: InfoRom | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class HostdevDriver(TypedDict, total=False):
    name: Literal["vfio"] | None
    model: str | int | None
    iommufd: Literal["yes", "no"] | bool | None


class HostdevSource(TypedDict, total=False):
    startupPolicy: Literal["mandatory", "requisite", "optional"] | None
    guestReset: Literal["off", "uninitialized", "on"] | bool | None
    protocol: Literal["adapter", "iscsi", "vhost"] | None
    name: str | int | None
    wwpn: str | int | None
    vendor: HostdevNumbersIdentity | str | int | None
    product: HostdevNumbersIdentity | str | int | None
    adapter: HostdevNumbersAdapter | str | int | None
    address: HostdevSourceAddress | str | int | None
    host: Sequence[HostdevIscsiHost | str | int | None] | HostdevIscsiHost | str | int | None
    auth: HostdevIscsiAuth | None
    initiator: DiskNetworkInitiator | DiskNetworkInitiatorIqn | str | int | None


class HostdevNumbersIdentity(TypedDict, total=False):
    id: str | int | None


class HostdevNumbersAdapter(TypedDict, total=False):
    name: str | int | None


class HostdevSourceAddress(TypedDict, total=False):
    domain: str | int | None
    bus: str | int | None
    device: str | int | None
    port: str | int | None
    slot: str | int | None
    function: str | int | None
    target: str | int | None
    unit: str | int | None
    uuid: str | int | None


class HostdevIscsiHost(TypedDict, total=False):
    name: str | int | None
    port: int | str | None


class HostdevIscsiAuth(TypedDict, total=False):
    username: str | int | None
    secret: HostdevIscsiAuthSecret | str | int | None


class HostdevIscsiAuthSecret(TypedDict, total=False):
    type: Literal["iscsi", "ceph"] | None
    uuid: str | int | None
    usage: str | int | None


class HostdevTeaming(TypedDict, total=False):
    type: Literal["transient"] | None
    persistent: str | int | None


class Redirdev(TypedDict, total=False):
    bus: Literal["usb"] | None
    type: Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None
    source: Sequence[ChardevSource | str | int | None] | ChardevSource | str | int | None
    protocol: ChardevSourceProtocol | Literal["raw", "telnet", "telnets", "tls"] | None
    log: ChardevSourceLog | str | int | None
    boot: InfoBoot | int | str | None
    alias: InfoAlias | str | int | None
    address: Address | None


class Redirfilter(TypedDict, total=False):
    usbdev: Sequence[RedirfilterUsbdev | None] | RedirfilterUsbdev | None


RedirfilterUsbdev = TypedDict("RedirfilterUsbdev", {
    "class": str | int | None,
    "vendor": str | int | None,
    "product": str | int | None,
    "version": str | int | None,
    "allow": Literal["yes", "no"] | bool | None,
}, total=False)


class Hub(TypedDict, total=False):
    type: Literal["usb"] | None
    alias: InfoAlias | str | int | None
    address: Address | None


class Watchdog(TypedDict, total=False):
    model: Literal["i6300esb", "ib700", "diag288", "itco"] | None
    action: Literal["reset", "shutdown", "poweroff", "pause", "none", "dump", "inject-nmi"] | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class Memballoon(TypedDict, total=False):
    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional", "none"] | None
    autodeflate: Literal["on", "off"] | bool | None
    freePageReporting: Literal["on", "off"] | bool | None
    stats: MemballoonStats | int | str | None
    driver: VirtioDriver | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class MemballoonStats(TypedDict, total=False):
    period: int | str | None


class Rng(TypedDict, total=False):
    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional"] | None
    driver: InputDriver | None
    rate: RngRate | int | str | None
    backend: RngBackend | str | int | Literal["random", "egd", "builtin"] | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class RngRate(TypedDict, total=False):
    bytes: int | str | None
    period: int | str | None


class RngBackend(TypedDict, total=False):
    model: Literal["random", "egd", "builtin"] | None
    text: str | int | None
    type: Literal["pty", "dev", "file", "pipe", "unix", "tcp", "udp", "null", "stdio", "vc", "spicevmc", "spiceport", "qemu-vdagent", "dbus"] | None
    source: Sequence[ChardevSource | str | int | None] | ChardevSource | str | int | None
    protocol: ChardevSourceProtocol | Literal["raw", "telnet", "telnets", "tls"] | None
    log: ChardevSourceLog | str | int | None


class Nvram(TypedDict, total=False):
    address: Address | None


class Panic(TypedDict, total=False):
    model: Literal["isa", "pseries", "hyperv", "s390", "pvpanic"] | None
    alias: InfoAlias | str | int | None
    address: Address | None


class Shmem(TypedDict, total=False):
    name: str | int | None
    role: Literal["master", "peer"] | None
    model: ShmemModel | Literal["ivshmem", "ivshmem-plain", "ivshmem-doorbell"] | None
    size: NumbersMemory | int | str | None
    server: ShmemServer | bool | Literal["yes", "on", "no", "off"] | str | int | None
    msi: ShmemMsi | bool | Literal["yes", "on", "no", "off"] | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class ShmemModel(TypedDict, total=False):
    type: Literal["ivshmem", "ivshmem-plain", "ivshmem-doorbell"] | None


class ShmemServer(TypedDict, total=False):
    path: str | int | None


class ShmemMsi(TypedDict, total=False):
    vectors: int | str | None
    ioeventfd: Literal["on", "off"] | bool | None


class MemoryDevice(TypedDict, total=False):
    model: Literal["dimm", "nvdimm", "virtio-pmem", "virtio-mem", "sgx-epc"] | None
    access: Literal["shared", "private"] | None
    discard: Literal["yes", "no"] | bool | None
    uuid: str | int | None
    source: MemoryDeviceSource | str | int | None
    target: MemoryDeviceTarget | None
    driver: VirtioDriver | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class MemoryDeviceSource(TypedDict, total=False):
    pagesize: NumbersMemory | int | str | None
    nodemask: str | int | None
    path: str | int | None
    alignsize: NumbersMemory | int | str | None
    pmem: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None


class MemoryDeviceTarget(TypedDict, total=False):
    size: NumbersMemory | int | str | None
    node: int | str | None
    block: NumbersMemory | int | str | None
    requested: NumbersMemory | int | str | None
    label: MemoryDevicePartsLabel | NumbersMemory | int | str | None
    readonly: Mapping[str, object] | bool | Literal["yes", "on", "no", "off"] | None
    address: MemoryDevicePartsAddress | str | int | None
    dynamicMemslots: Literal["yes", "no"] | bool | None


class MemoryDevicePartsLabel(TypedDict, total=False):
    size: NumbersMemory | int | str | None


class MemoryDevicePartsAddress(TypedDict, total=False):
    base: str | int | None


class Crypto(TypedDict, total=False):
    model: Literal["virtio"] | None
    type: Literal["qemu"] | None
    backend: CryptoBackend | Literal["builtin", "lkcf"] | None
    driver: VirtioDriver | None
    alias: InfoAlias | str | int | None
    address: Address | None


class CryptoBackend(TypedDict, total=False):
    model: Literal["builtin", "lkcf"] | None
    queues: int | str | None


class Iommu(TypedDict, total=False):
    model: Literal["intel", "amd", "smmuv3", "virtio"] | None
    driver: IommuDriver | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class IommuDriver(TypedDict, total=False):
    intremap: Literal["on", "off"] | bool | None
    caching_mode: Literal["on", "off"] | bool | None
    eim: Literal["on", "off"] | bool | None
    iotlb: Literal["on", "off"] | bool | None
    aw_bits: int | str | None
    dma_translation: Literal["on", "off"] | bool | None
    xtsup: Literal["on", "off"] | bool | None
    passthrough: Literal["on", "off"] | bool | None
    pciBus: int | str | None
    accel: Literal["on", "off"] | bool | None
    ats: Literal["on", "off"] | bool | None
    ril: Literal["on", "off"] | bool | None
    ssidsize: int | str | None
    oas: int | str | None
    cmdqv: Literal["on", "off"] | bool | None
    granule: IommuDriverGranule | None


class IommuDriverGranule(TypedDict, total=False):
    mode: Literal["host"] | None
    size: int | str | None
    unit: str | int | None


class Vsock(TypedDict, total=False):
    model: Literal["virtio", "virtio-transitional", "virtio-non-transitional"] | None
    cid: VsockCid | int | str | None
    driver: InputDriver | None
    alias: InfoAlias | str | int | None
    acpi: InfoAcpi | int | str | None
    address: Address | None


class VsockCid(TypedDict, total=False):
    auto: Literal["yes", "no"] | bool | None
    address: int | str | None


class Pstore(TypedDict, total=False):
    backend: Literal["acpi-erst"] | None
    path: str | int | None
    size: NumbersMemory | int | str | None
    alias: InfoAlias | str | int | None
    address: Address | None


class Throttlegroups(TypedDict, total=False):
    throttlegroup: Sequence[ThrottlegroupsGroup | None] | ThrottlegroupsGroup | None


class ThrottlegroupsGroup(TypedDict, total=False):
    total_bytes_sec: int | str | None
    read_bytes_sec: int | str | None
    write_bytes_sec: int | str | None
    total_iops_sec: int | str | None
    read_iops_sec: int | str | None
    write_iops_sec: int | str | None
    total_bytes_sec_max: int | str | None
    read_bytes_sec_max: int | str | None
    write_bytes_sec_max: int | str | None
    total_iops_sec_max: int | str | None
    read_iops_sec_max: int | str | None
    write_iops_sec_max: int | str | None
    size_iops_sec: int | str | None
    group_name: str | int | None
    total_bytes_sec_max_length: int | str | None
    read_bytes_sec_max_length: int | str | None
    write_bytes_sec_max_length: int | str | None
    total_iops_sec_max_length: int | str | None
    read_iops_sec_max_length: int | str | None
    write_iops_sec_max_length: int | str | None


class GuestIommufd(TypedDict, total=False):
    enabled: Literal["yes", "no"] | bool | None
    fdgroup: str | int | None


class Seclabel(TypedDict, total=False):
    type: Literal["dynamic", "static", "none"] | None
    model: str | int | None
    relabel: Literal["yes", "no"] | bool | None
    label: str | int | None
    baselabel: str | int | None


class Keywrap(TypedDict, total=False):
    cipher: Sequence[KeywrapCipher | None] | KeywrapCipher | None


class KeywrapCipher(TypedDict, total=False):
    name: Literal["aes", "dea"] | None
    state: Literal["on", "off"] | bool | None


class LaunchSecurity(TypedDict, total=False):
    type: Literal["sev", "sev-snp", "tdx", "s390-pv"] | None
    kernelHashes: Literal["yes", "no"] | bool | None
    authorKey: Literal["yes", "no"] | bool | None
    vcek: Literal["yes", "no"] | bool | None
    cbitpos: int | str | None
    reducedPhysBits: int | str | None
    policy: str | int | None
    dhCert: str | int | None
    session: str | int | None
    guestVisibleWorkarounds: str | int | None
    idBlock: str | int | None
    idAuth: str | int | None
    hostData: str | int | None
    mrConfigId: str | int | None
    mrOwner: str | int | None
    mrOwnerConfig: str | int | None
    quoteGenerationService: LaunchSecurityQuoteGenerationService | bool | Literal["yes", "on", "no", "off"] | str | int | None


class LaunchSecurityQuoteGenerationService(TypedDict, total=False):
    path: str | int | None


QemuCommandline = TypedDict("QemuCommandline", {
    "qemu:arg": Sequence[QemuCommandlineQemuArg | str | int | None] | QemuCommandlineQemuArg | str | int | None,
    "qemu:env": Sequence[QemuCommandlineQemuEnv | None] | QemuCommandlineQemuEnv | None,
}, total=False)


class QemuCommandlineQemuArg(TypedDict, total=False):
    value: str | int | None


class QemuCommandlineQemuEnv(TypedDict, total=False):
    name: str | int | None
    value: str | int | None


QemuCapabilities = TypedDict("QemuCapabilities", {
    "qemu:add": Sequence[QemuCapabilitiesCapability | str | int | None] | QemuCapabilitiesCapability | str | int | None,
    "qemu:del": Sequence[QemuCapabilitiesCapability | str | int | None] | QemuCapabilitiesCapability | str | int | None,
}, total=False)


class QemuCapabilitiesCapability(TypedDict, total=False):
    capability: str | int | None


QemuOverride = TypedDict("QemuOverride", {
    "qemu:device": Sequence[QemuOverrideQemuDevice | None] | QemuOverrideQemuDevice | None,
}, total=False)


QemuOverrideQemuDevice = TypedDict("QemuOverrideQemuDevice", {
    "alias": str | int | None,
    "qemu:frontend": QemuOverrideQemuDeviceQemuFrontend | None,
}, total=False)


QemuOverrideQemuDeviceQemuFrontend = TypedDict("QemuOverrideQemuDeviceQemuFrontend", {
    "qemu:property": Sequence[QemuOverrideProperty | None] | QemuOverrideProperty | None,
}, total=False)


class QemuOverrideProperty(TypedDict, total=False):
    name: str | int | None
    type: Literal["string", "signed", "unsigned", "bool", "remove"] | None
    value: str | int | bool | None


class QemuDeprecation(TypedDict, total=False):
    behavior: Literal["none", "omit", "reject", "crash"] | None


class GuestExtra(TypedDict, total=False):
    domain: str | int | None
    devices: str | int | None
