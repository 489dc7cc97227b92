"""A root for libvirt's embedded QEMU driver, which needs no daemon. Python's own library is all that it needs."""

import tempfile
from pathlib import Path

QEMU_CONF = """\
stdio_handler = "file"
user = "root"
group = "root"
security_driver = "none"
remember_owner = 0
namespaces = []
"""


def embedded_root() -> str:
    """Make a root for libvirt's embedded QEMU driver, and return its URI.

    Its folder has a short name, since the names of sockets in it can't be long.
    """
    folder = Path(tempfile.mkdtemp(prefix="r"))
    (folder / "etc").mkdir()
    (folder / "etc/qemu.conf").write_text(QEMU_CONF)
    return f"qemu:///embed?root={folder}"
