"""A libvirt driver's own verdict on a domain, with nothing defined or started.

Needs libvirt-python (the extra ``libvirt``).
"""

from __future__ import annotations

from typing import Any

from kvmrender.errors import Error


class Driver:
    """A connection to the driver at ``uri``, such as ``qemu:///system``. Raises Error where there is none."""

    def __init__(self, uri: str) -> None:
        try:
            import libvirt
        except ImportError:
            raise Error("--connect needs libvirt-python: pip install 'kvmrender[libvirt]'") from None
        self._error: Any = libvirt.libvirtError
        libvirt.registerErrorHandler(lambda *_: None, None)  # errors are raised; nothing is printed
        libvirt.virEventRegisterDefaultImpl()
        try:
            self._connection = libvirt.open(uri)
        except libvirt.libvirtError as error:
            raise Error(f"{uri}: {error.get_error_message()}") from None

    def refusal(self, xml: str) -> str | None:
        """Say why the driver would not run a domain, or return None if it would.

        The domain goes as far as QEMU's command line (``virsh domxml-to-native``): this finds what the schema
        can't know, such as a bus that the machine lacks or a CPU mode that needs KVM.
        """
        try:
            self._connection.domainXMLToNative("qemu-argv", xml)
        except self._error as error:
            return str(error.get_error_message())
        return None
