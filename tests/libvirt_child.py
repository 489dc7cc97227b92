"""A libvirt of its own that answers on lines; it is started again when a document crashes it.

Reads ``[number, step, XML]`` in JSON, a line each, and answers ``[number, refusal or null, text]``; null is the number
where libvirt crashed. The step ``define`` validates and
defines a domain, its text is libvirt's dump; that of ``run``, a dry run, is QEMU's command line; that of ``version`` is
libvirt's, ``crash`` ends it. Runs with nothing but libvirt-python, in roots of other Debians too.
"""

import json
import os
import sys

from embedded_driver import embedded_root

os.environ["LIBVIRT_LOG_OUTPUTS"] = "1:file:/dev/null"  # else each refusal is printed
import libvirt

CRASH = "libvirt crashed"


def answer(connection: libvirt.virConnect, step: str, xml: str) -> str:
    if step == "crash":
        os.abort()
    if step == "version":
        return str(connection.getLibVersion())
    if step == "run":
        return str(connection.domainXMLToNative("qemu-argv", xml))
    domain = connection.defineXMLFlags(xml, libvirt.VIR_DOMAIN_DEFINE_VALIDATE)
    try:
        return str(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE))
    finally:
        domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)


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
