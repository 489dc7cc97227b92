#!/usr/bin/python
"""Documentation of the module kvmrender.libvirt.guest_file. The action plugin of the same name implements it."""

from __future__ import annotations

DOCUMENTATION = """
module: guest_file
author: The kvmrender authors
version_added: 0.1.0
short_description: Manage a file with a guest's libvirt domain XML
description:
  - Renders a guest as libvirt domain XML on the control node, and writes it to a file on the target, which needs only
    Python.
  - An invalid guest fails the task. All its problems are reported, each with its field, and with file and line if
    Ansible knows them.
  - Ansible reads variables as YAML 1.1. Quote MAC addresses and C(on), C(off), C(yes) and C(no).
  - Without O(mode), a new file has mode 0640 if the guest has a secret, otherwise 0644. An existing file keeps its
    mode, limited to 0640 if the guest has a secret. Diffs show secrets as C(***).
  - In a loop, set C(loop_control.label), or Ansible shows the whole guest with its secrets.
options:
  guest:
    description: The guest, with libvirt's names for its fields.
    type: dict
    required: true
  dest:
    description:
      - The file on the target. If it is a folder, or ends with a slash, the file in it is named after the guest.
    type: path
    required: true
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
  - ansible.builtin.action_common_attributes.files
  - ansible.builtin.action_common_attributes.flow
  - ansible.builtin.backup
  - ansible.builtin.files
  - ansible.builtin.validate
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
  safe_file_operations:
    support: full
  vault:
    support: full
seealso:
  - plugin: kvmrender.libvirt.domain_xml
    plugin_type: filter
    description: Returns the same XML without a file.
"""

EXAMPLES = """
- name: The files of all guests of a hypervisor
  kvmrender.libvirt.guest_file:
    guest: "{{ item }}"
    dest: /etc/kvmrender/domains/
    owner: root
    group: libvirt
  loop: "{{ guests }}"
  loop_control:
    label: "{{ item.name }}"

- name: One guest, which libvirt's own schema has to take
  kvmrender.libvirt.guest_file:
    guest:
      name: web-1
      memory: 4 GiB
      disks:
      - source: /var/lib/libvirt/images/web-1.qcow2
    dest: /etc/kvmrender/domains/web-1.xml
    validate: virt-xml-validate %s domain
    backup: true
"""

RETURN = """
dest:
  description: The path of the file.
  returned: success
  type: str
  sample: /etc/kvmrender/domains/web-1.xml
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
checksum:
  description: The SHA-1 of the file.
  returned: success
  type: str
  sample: 6e642bb8dd5c2e027bf21dd923337cbb4214f827
backup_file:
  description: The copy of the file as it was.
  returned: changed, if O(backup) is set
  type: str
  sample: /etc/kvmrender/domains/web-1.xml.22541.2026-11-23@10:00:01~
"""
