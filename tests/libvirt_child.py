"""A libvirt of its own that answers on lines; it is started again when a document crashes it.

Reads ``[number, step, XML]`` in JSON, a line each, and answers ``[number, refusal or null, text]``; null is the number
where libvirt crashed. The step ``define`` validates and
defines a domain, its text is libvirt's dump; that of ``run``, a dry run, is QEMU's command line; that of ``start``, for
which it is to be in a mount namespace of its own, is the dump of the domain that runs; that of ``version`` is
libvirt's, ``crash`` ends it. Runs with nothing but libvirt-python, in roots of other Debians too.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from embedded_driver import embedded_root

os.environ["LIBVIRT_LOG_OUTPUTS"] = "1:file:/dev/null"  # else each refusal is printed
import libvirt

CRASH = "libvirt crashed"
KEPT = "/run", "/var/lib/libvirt"
"""Folders that guests have files in: they are empty ones of memory where a domain is started."""
mounted: list[str] = []


def answer(connection: libvirt.virConnect, step: str, xml: str) -> str:
    if step == "crash":
        os.abort()
    if step == "version":
        return str(connection.getLibVersion())
    if step == "run":
        return str(connection.domainXMLToNative("qemu-argv", xml))
    if step == "start":
        return started(connection, xml)
    domain = connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    try:
        return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
    finally:
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)


def started(connection: libvirt.virConnect, xml: str) -> str:
    """Return the dump of a domain that is started, and paused; images and bridges that it lacks are made."""
    if not mounted:
        for folder in KEPT:
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
            mounted.append(folder)
    for name in re.findall('<source file="(/var/lib/libvirt/[^"]*)"', xml):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        with Path(name).open("a") as image:
            image.truncate(1 << 20)
    for name in re.findall('<source bridge="([^"]*)"', xml):
        subprocess.run(["ip", "link", "add", name, "type", "bridge"], stderr=subprocess.DEVNULL)
    domain = connection.createXML(xml, libvirt.VIR_DOMAIN_START_PAUSED | libvirt.VIR_DOMAIN_START_VALIDATE)
    try:
        return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_SECURE))
    finally:
        domain.destroy()


def serve(uri: str) -> None:
    libvirt.registerErrorHandler(lambda *_: None, None)
    libvirt.virEventRegisterDefaultImpl()
    connection = libvirt.open(uri)
    for line in sys.stdin:
        number, step, xml = json.loads(line)
        try:
            reply = [None, answer(connection, step, xml)]
        except libvirt.libvirtError as error:
            reply = [error.get_error_message(), ""]
        print(json.dumps([number, *reply]), flush=True)


def ended(child: int) -> int:
    """Wait for a process, and return its status. In a root this is process 1, which has to wait for those of QEMU too:
    libvirt looks half a minute for each that doesn't go away."""
    while (found := os.wait())[0] != child:
        pass
    return found[1]


def main() -> None:
    uri = embedded_root()
    while (child := os.fork()) and os.WIFSIGNALED(ended(child)):
        print(json.dumps([None, CRASH, ""]), flush=True)
    if not child:
        serve(uri)


if __name__ == "__main__":
    main()
