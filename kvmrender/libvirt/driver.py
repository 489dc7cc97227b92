"""A libvirt driver: its verdict on a domain, and the domains that it has. Nothing is defined or started.

Requires libvirt-python (the extra ``libvirt``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kvmrender.errors import Error, nearest


class Driver:
    """A connection to the driver at ``uri``, such as ``qemu:///system``. Raises Error if it fails."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        try:
            import libvirt
        except ImportError:
            raise Error("--connect needs libvirt-python: pip install libvirt-python") from None
        self._error: Any = libvirt.libvirtError
        self._inactive, self._secure = libvirt.VIR_DOMAIN_XML_INACTIVE, libvirt.VIR_DOMAIN_XML_SECURE
        libvirt.registerErrorHandler(lambda *_: None, None)  # errors are raised, not printed
        libvirt.virEventRegisterDefaultImpl()
        try:
            self._connection = libvirt.open(uri)
        except libvirt.libvirtError as error:
            raise Error(f"{uri}: {error.get_error_message()}") from None

    def refusal(self, xml: str) -> str | None:
        """Return why the driver would refuse to run a domain, or None if it would run it.

        The domain is converted to QEMU's command line (``virsh domxml-to-native``). This finds faults that the schema
        can't, such as a bus that the machine lacks or a CPU mode that needs KVM.
        """
        try:
            self._connection.domainXMLToNative("qemu-argv", xml)
        except self._error as error:
            return str(error.get_error_message())
        return None

    def domains(self, names: Iterable[str] = (), with_secrets: bool = False) -> Iterator[tuple[str, str]]:
        """Yield the names of domains, of all if none are given, and their persistent definitions (``virsh dumpxml
        --inactive``). Raises Error for a missing domain."""
        flags = self._inactive | (self._secure if with_secrets else 0)
        try:
            found = {domain.name(): domain for domain in self._connection.listAllDomains(0)}
            for name in names or sorted(found):
                if name not in found:
                    raise Error(f"{name}: is no domain of this driver{nearest(name, found)}")
                yield name, found[name].XMLDesc(flags)
        except self._error as error:
            raise Error(str(error.get_error_message())) from None

    def has_secrets(self, name: str, xml: str) -> bool:
        """Return whether the definition of a domain has secrets, which ``xml`` lacks; false if unknown."""
        try:
            return bool(self._connection.lookupByName(name).XMLDesc(self._inactive | self._secure) != xml)
        except self._error:
            return False

    def qemu_version(self) -> int | None:
        """Return the driver's libvirt version, or None if it is not the QEMU driver."""
        try:
            return int(self._connection.getLibVersion()) if self._connection.getType() == "QEMU" else None
        except self._error as error:
            raise Error(str(error.get_error_message())) from None

    def dumps(self) -> Iterator[tuple[str, bytes]]:
        """Yield the name of each domain with its definition, and that of the running domain, from the driver."""
        try:
            for domain in self._connection.listAllDomains(0):
                name = f"{self._uri}: {domain.name()}"
                if domain.isPersistent():
                    yield name, domain.XMLDesc(self._inactive | self._secure).encode()
                if domain.isActive():
                    yield name, domain.XMLDesc(self._secure).encode()
        except self._error as error:
            raise Error(str(error.get_error_message())) from None
