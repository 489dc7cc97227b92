#!/usr/bin/python
"""The documentation of the module kvmrender.libvirt.domain; the action of the same name is all of it."""

from __future__ import annotations

DOCUMENTATION = """
module: domain
author: The kvmrender authors
version_added: 0.1.0
short_description: Keep a guest on libvirt
description:
  - Renders a guest as libvirt domain XML on the controller, and holds it against the definition that the target has,
    field by field. It is defined only if the two differ in what they mean, so that a second run changes nothing. See
    C(kvmrender drift) for what is compared.
  - The target needs C(virsh), and neither Python nor kvmrender.
  - A guest with mistakes fails the task with all of them, each with its field, and with its file and line where
    Ansible knows them.
  - A guest that runs goes on as it is when its definition is changed; RV(takes) then has C(a restart).
  - A guest with the same name and another UUID, or with the same UUID and another name, fails the task. libvirt would
    refuse the definition.
  - Ansible reads variables as YAML 1.1. Quote MAC addresses and C(on), C(off), C(yes) and C(no).
  - Secrets are shown as C(***) in differences. On the target, the XML is in a file of mode 0600 while virsh reads it.
  - In a loop, C(loop_control.label) keeps Ansible from showing the whole guest, with its secrets.
options:
  guest:
    description: The guest, under libvirt's own names. Its name is enough for one that is to be absent.
    type: dict
    required: true
  state:
    description:
      - V(defined) defines the guest, and neither starts nor stops it.
      - V(running) starts it, too, if it does not run.
      - V(absent) stops it at once, as if its power failed, and removes its definition, NVRAM and saved state. Disks
        are kept.
    type: str
    choices: [defined, running, absent]
    default: defined
  uri:
    description: The libvirt that C(virsh --connect) is to talk to, on the target.
    type: str
    default: qemu:///system
  namespace:
    description: The namespace of a guest that names none; UUID and MAC addresses are derived from it.
    type: str
  templates:
    description: Folders of templates that come before the shipped ones, on the controller, relative to the playbook.
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
  description: What was done to the guest, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [defined, started]
differences:
  description: What the target had otherwise, a line for each field; of what runs, too.
  returned: success
  type: list
  elements: str
  sample: ["inventory.yaml:12:17: memory: 2048 MiB here, 1048576 KiB on the host [drift]"]
takes:
  description: What makes it so; a define, or a restart where the running guest is not as the definition.
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
  description: The UUID of the guest; none if the guest leaves it to libvirt.
  returned: success
  type: str
  sample: 58052b0a-69cd-5324-bf4a-4fd200f1e503
"""
