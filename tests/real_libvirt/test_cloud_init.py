"""The way of docs/index.md from a cloud image to a guest that runs, with its seed attached, on a real libvirt."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from test_boot import HELLO, boot_sector, wait_for
from tools import blocks, program

IMAGES = "/var/lib/libvirt/images"
(RECIPE,) = (block for block in blocks(ROOT / "docs/index.md", "sh") if "cloud-localds" in block)
(XORRISO,) = re.findall(r"^# or: (xorriso .*)$", RECIPE, re.MULTILINE)

pytestmark = pytest.mark.libvirt


@pytest.fixture
def images() -> Iterator[Path]:
    """A folder of images that the user of the libvirt daemon may write to, with an image that says that it is alive."""
    with tempfile.TemporaryDirectory(prefix="k") as folder:
        path = Path(folder)
        path.chmod(0o777)
        (path / "boot.img").write_bytes(boot_sector().ljust(1 << 20, b"\0"))
        convert = ["qemu-img", "convert", "-O", "qcow2", "boot.img", "debian-13-genericcloud-amd64.qcow2"]
        subprocess.run(convert, cwd=path, check=True)
        (path / ".ssh").mkdir()
        (path / ".ssh/id_ed25519.pub").write_text("ssh-ed25519 AAAA somebody@example.org\n")
        (path / "fixtures").symlink_to(ROOT / "fixtures")
        yield path


@pytest.mark.parametrize("maker", ["cloud-localds", "xorriso"])
def test_recipe_starts_a_guest_with_its_seed(maker: str, images: Path, session_uri: str) -> None:
    program(maker, "cloud-image-utils" if maker == "cloud-localds" else maker)
    log = images / "log"
    recipe = re.sub(r"^cloud-localds .*$", XORRISO, RECIPE, flags=re.MULTILINE) if maker == "xorriso" else RECIPE
    # No KVM, no network of the system, and a serial port that can be read: all else is as it is written.
    serial = f"serials=[{{type: file, source: {{path: {log}}}}}]"
    settings = f"--set type=qemu --set 'interfaces=[]' --set '{serial}' --set 'disks[0].source={images}/cloud-1.qcow2'"
    settings += f" --set 'disks[1].source={images}/cloud-1-seed.iso'"
    recipe = recipe.replace(IMAGES, str(images)).replace("kvmrender render", f"kvmrender render {settings}")
    recipe = recipe.replace(" && virsh define", f" && chmod 666 {images}/*.qcow2 && virsh define")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    own = {"PATH": path, "HOME": str(images), "LIBVIRT_DEFAULT_URI": session_uri}
    environment = {**os.environ, **own}

    def virsh(*arguments: str) -> Any:
        command = ["virsh", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    done = subprocess.run(
        [program("bash", "bash"), "-euc", recipe], cwd=images, env=environment, capture_output=True, text=True
    )
    try:
        assert done.returncode == 0, done.stdout + done.stderr
        wait_for(HELLO, log)
        said = json.loads(virsh("qemu-monitor-command", "cloud-1", '{"execute": "query-block"}').stdout)
        inserted = {
            found["inserted"]["file"]: found["inserted"]["ro"] for found in said["return"] if "inserted" in found
        }
        assert inserted == {f"{images}/cloud-1.qcow2": False, f"{images}/cloud-1-seed.iso": True}
    finally:
        virsh("destroy", "cloud-1")
        virsh("undefine", "cloud-1")
    seed = (images / "cloud-1-seed.iso").read_bytes()
    assert seed[0x8028:0x8048].decode().strip() == "cidata"  # the volume's name, by which cloud-init finds it
    assert b"#cloud-config\nhostname: cloud-1\nssh_authorized_keys: [ssh-ed25519 AAAA somebody@example.org]\n" in seed
    assert b"instance-id: cloud-1\n" in seed
