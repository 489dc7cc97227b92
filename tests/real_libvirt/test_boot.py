"""Guests that are rendered, started and seen alive, on an emulated processor."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import embedded_root

from kvmrender import Renderer

pytestmark = pytest.mark.libvirt

HELLO = b"A guest of kvmrender is alive.\r\n"
PATIENCE = 180
"""Seconds until a guest is given up; a slow machine is no failure."""


def boot_sector() -> bytes:
    """Return a boot sector that writes HELLO to the first serial port, then halts."""
    start = bytes.fromhex(
        "31c0"  # xor  ax, ax
        "8ed8"  # mov  ds, ax
        "fc"  # cld
    )
    # next: one character from [si] to the port
    send = bytes.fromhex(
        "ac"  # lodsb            ; al = [si], si + 1
        "84c0"  # test al, al
        "7412"  # jz   halt        ; the text ends with a zero
        "88c4"  # mov  ah, al
        "bafd03"  # mov  dx, 0x3fd   ; line status of COM1
        "ec"  # in   al, dx      ; wait until it can take a character
        "a820"  # test al, 0x20
        "74fb"  # jz   back to the in
        "88e0"  # mov  al, ah
        "baf803"  # mov  dx, 0x3f8   ; data of COM1
        "ee"  # out  dx, al
    )
    again = bytes([0xEB, 256 - len(send) - 2])  # jmp  next
    halt = bytes([0xF4, 0xEB, 0xFD])  # hlt; jmp halt
    point = bytes([0xBE])  # mov  si, address of the text: the BIOS loads the sector at 0x7c00
    text = 0x7C00 + len(start) + len(point) + 2 + len(send) + len(again) + len(halt)
    code = start + point + text.to_bytes(2, "little") + send + again + halt + HELLO + b"\0"
    return code.ljust(510, b"\0") + b"\x55\xaa"  # the mark of a boot sector


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Any]:
    """Start guests in a virsh of their own: they, and all their state, go with it."""
    uri = embedded_root()
    virsh = subprocess.Popen(
        ["virsh", "-c", uri],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},  # virsh keeps a history there
    )

    def start(guest: dict[str, Any]) -> None:
        assert virsh.stdin is not None
        file = tmp_path / f"{guest['name']}.xml"
        file.write_text(Renderer().render(guest))
        virsh.stdin.write(f"create --validate {file}\n")
        virsh.stdin.flush()
        names.append(guest["name"])

    names: list[str] = []
    yield start
    said, _ = virsh.communicate("".join(f"destroy {name}\n" for name in names), timeout=PATIENCE)
    for name in names:
        assert f"Domain '{name}' destroyed" in said, said
    assert not running(Path(uri.partition("root=")[2]))


def running(root: Path) -> list[str]:
    """List the processes whose command line names the folder."""
    return [
        command.decode()
        for process in Path("/proc").glob("[0-9]*/cmdline")
        if process.exists() and str(root).encode() in (command := process.read_bytes())
    ]


def wait_for(text: bytes, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if log.exists() and text in log.read_bytes():
            return
        time.sleep(0.2)
    pytest.fail(f"{text!r} is not in the serial log: {log.read_bytes() if log.exists() else 'none'!r}")


def guest(tmp_path: Path, **more: Any) -> dict[str, Any]:
    return {"type": "qemu", "serials": [{"type": "file", "source": {"path": str(tmp_path / "log")}}], **more}


def test_amd64_starts_from_its_bios(tmp_path: Path, started: Any) -> None:
    # A disk of a single sector is none to SeaBIOS.
    (tmp_path / "boot.img").write_bytes(boot_sector().ljust(1 << 20, b"\0"))
    started(guest(tmp_path, name="bios", disks=[{"source": str(tmp_path / "boot.img")}]))
    wait_for(HELLO, tmp_path / "log")


@pytest.mark.parametrize(("arch", "firmware"), [("riscv64", b"OpenSBI"), ("ppc64le", b"SLOF")])
def test_other_architectures_start_from_their_firmware(
    arch: str, firmware: bytes, tmp_path: Path, started: Any
) -> None:
    started(guest(tmp_path, name=arch, arch=arch, memory="512 MiB"))
    wait_for(firmware, tmp_path / "log")


def test_arm64_starts_from_its_loader(tmp_path: Path, started: Any) -> None:
    started(guest(tmp_path, name="uefi", arch="arm64", memory="512 MiB"))
    wait_for(b"UEFI firmware", tmp_path / "log")
