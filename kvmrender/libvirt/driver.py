"""What a libvirt driver says: its verdict on a domain, and the domains that it has. Nothing is defined or started.

Needs libvirt-python (the extra ``libvirt``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from kvmrender.errors import Error, nearest


class Driver:
    """A connection to the driver at ``uri``, such as ``qemu:///system``. Raises Error where there is none."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        try:
            import libvirt
        except ImportError:
            raise Error("--connect needs libvirt-python: pip install libvirt-python") from None
        self._error: Any = libvirt.libvirtError
        self._inactive, self._secure = libvirt.VIR_DOMAIN_XML_INACTIVE, libvirt.VIR_DOMAIN_XML_SECURE
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

    def domains(self, names: Iterable[str] = (), with_secrets: bool = False) -> Iterator[tuple[str, str]]:
        """Yield the names of domains, of all where none are given, and their definitions: as they are when they start
        next (``virsh dumpxml --inactive``). Raises Error for one that is not there.
        """
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
        """Say whether the definition of a domain has secrets, which ``xml`` is without; not, if that can't be asked."""
        try:
            return bool(self._connection.lookupByName(name).XMLDesc(self._inactive | self._secure) != xml)
        except self._error:
            return False

    def qemu_version(self) -> int | None:
        """Return the version of libvirt there, or None where the driver is not that of QEMU."""
        try:
            return int(self._connection.getLibVersion()) if self._connection.getType() == "QEMU" else None
        except self._error as error:
            raise Error(str(error.get_error_message())) from None

    def dumps(self) -> Iterator[tuple[str, bytes]]:
        """Yield the name of each domain and its definition, and beside it what is running, as the driver has them."""
        try:
            for domain in self._connection.listAllDomains(0):
                name = f"{self._uri}: {domain.name()}"
                if domain.isPersistent():
                    yield name, domain.XMLDesc(self._inactive | self._secure).encode()
                if domain.isActive():
                    yield name, domain.XMLDesc(self._secure).encode()
        except self._error as error:
            raise Error(str(error.get_error_message())) from None
