"""The filter kvmrender.libvirt.domain_xml."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmrender.libvirt.plugins.plugin_utils import guests

DOCUMENTATION = """
name: domain_xml
author: The kvmrender authors
version_added: 0.1.0
short_description: Render a guest as libvirt domain XML
description:
  - Returns the libvirt domain XML of a guest. The same guest gives the same XML on every machine.
  - An invalid guest fails the task. All its problems are reported, each with its field, and with file and line if
    Ansible knows them.
  - Ansible reads variables as YAML 1.1. Quote MAC addresses and C(on), C(off), C(yes) and C(no).
positional: _input
options:
  _input:
    description: The guest, with libvirt's names for its fields.
    type: dict
    required: true
  namespace:
    description: The namespace of guests that set none. UUIDs and MAC addresses are derived from it.
    type: str
  templates:
    description: Template folders on the control node that are searched before the shipped one.
    type: list
    elements: path
"""

EXAMPLES = """
- name: A guest on a hypervisor
  ansible.builtin.command:
    cmd: virsh define /dev/stdin
    stdin: "{{ guest | kvmrender.libvirt.domain_xml }}"
  vars:
    guest:
      name: web-1
      vcpu: 2
      memory: 4 GiB
      disks:
      - source: /var/lib/libvirt/images/web-1.qcow2
      interfaces:
      - source: br0
"""

RETURN = """
_value:
  description: The domain XML.
  type: str
"""


def domain_xml(guest: Any, namespace: str | None = None, templates: Any = ()) -> str:
    """Return a guest's domain XML. Raises AnsibleFilterError."""
    found = guests.rendered(guest, namespace, guests.folders(templates), guests.AnsibleFilterError)
    if found.problems:
        guests.warn(guest, found)
    return found.xml


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"domain_xml": domain_xml}
