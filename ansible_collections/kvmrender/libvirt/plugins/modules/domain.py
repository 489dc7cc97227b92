#!/usr/bin/python
"""Documentation of the module kvmrender.libvirt.domain. The action plugin of the same name implements it."""

from __future__ import annotations

DOCUMENTATION = """
module: domain
author: The kvmrender authors
version_added: 0.1.0
short_description: Manage a guest in libvirt
description:
  - Renders a guest as libvirt domain XML on the control node, and compares it with the definition on the target,
    field by field. It is defined only if they differ in meaning, so that the module is idempotent. See
    C(kvmrender drift) for the comparison.
  - The target needs C(virsh), and neither Python nor kvmrender.
  - An invalid guest fails the task. All its problems are reported, each with its field, and with file and line if
    Ansible knows them.
  - A changed definition does not affect a running guest until its next start. RV(takes) then contains C(a restart).
  - A domain with the same name and another UUID, or with the same UUID and another name, fails the task, since libvirt
    would refuse the definition.
  - Ansible reads variables as YAML 1.1. Quote MAC addresses and C(on), C(off), C(yes) and C(no).
  - Diffs show secrets as C(***). On the target, the XML is in a file with mode 0600 while virsh reads it.
  - In a loop, set C(loop_control.label), or Ansible shows the whole guest with its secrets.
options:
  guest:
    description: The guest, with libvirt's names for its fields. For V(absent), its name is sufficient.
    type: dict
    required: true
  state:
    description:
      - V(defined) defines the guest, without starting or stopping it.
      - V(running) defines the guest, and starts it if it is not running.
      - V(absent) destroys the guest (stops it at once, without a shutdown), and removes its definition, NVRAM and
        saved state. Disks are kept.
    type: str
    choices: [defined, running, absent]
    default: defined
  uri:
    description: The connection URI of libvirt on the target, as for C(virsh --connect).
    type: str
    default: qemu:///system
  namespace:
    description: The namespace of guests that set none. UUIDs and MAC addresses are derived from it.
    type: str
  templates:
    description:
      - Template folders on the control node, relative to the playbook. They are searched before the shipped one.
    type: list
    elements: path
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.flow
attributes:
  action:
    support: full
  async:
    support: none
  bypass_host_loop:
    support: none
  check_mode:
    support: full
  diff_mode:
    support: full
  platform:
    platforms: posix
seealso:
  - module: kvmrender.libvirt.guest_file
    description: The same XML in a file.
"""

EXAMPLES = """
- name: All guests of a hypervisor
  kvmrender.libvirt.domain:
    guest: "{{ item }}"
  loop: "{{ guests }}"
  loop_control:
    label: "{{ item.name }}"
  become: true

- name: One guest, which runs
  kvmrender.libvirt.domain:
    guest:
      name: web-1
      memory: 4 GiB
      disks:
      - source: /var/lib/libvirt/images/web-1.qcow2
    state: running

- name: One that is no longer wanted
  kvmrender.libvirt.domain:
    guest: {name: web-0}
    state: absent
"""

RETURN = """
actions:
  description: The actions that were taken, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [defined, started]
differences:
  description: The differences on the target, a line for each field, including those of the running guest.
  returned: success
  type: list
  elements: str
  sample: ["inventory.yaml:12:17: memory: 2048 MiB here, 1048576 KiB on the host [drift]"]
takes:
  description: The steps that apply the guest, a define, or a restart if the running guest differs from the definition.
  returned: success
  type: list
  elements: str
  sample: [a define]
name:
  description: The name of the guest.
  returned: success
  type: str
  sample: web-1
uuid:
  description: The UUID of the guest, or none if libvirt is to generate it.
  returned: success
  type: str
  sample: 58052b0a-69cd-5324-bf4a-4fd200f1e503
"""
