#!/usr/bin/python
"""The documentation of the module kvmrender.libvirt.guest_file; the action of the same name is all of it."""

from __future__ import annotations

DOCUMENTATION = """
module: guest_file
author: The kvmrender authors
version_added: 0.1.0
short_description: Keep a guest's libvirt domain XML in a file
description:
  - Renders a guest as libvirt domain XML on the controller, and writes it to a file on the target. Nothing but Python
    is needed on the target.
  - A guest with mistakes fails the task with all of them, each with its field, and with its file and line where
    Ansible knows them.
  - Ansible reads variables as YAML 1.1. Quote MAC addresses and C(on), C(off), C(yes) and C(no).
  - A new file has mode 0640 if the guest holds a secret, else 0644, unless O(mode) says otherwise; a file that is
    there keeps its own, less what 0640 does not have if the guest holds a secret. Secrets are shown as C(***) in
    differences.
  - In a loop, C(loop_control.label) keeps Ansible from showing the whole guest, with its secrets.
options:
  guest:
    description: The guest, under libvirt's own names.
    type: dict
    required: true
  dest:
    description:
      - The file on the target. In a folder, or where it ends with a slash, the file is named after the guest.
    type: path
    required: true
  namespace:
    description: The namespace of a guest that names none; UUID and MAC addresses are derived from it.
    type: str
  templates:
    description: Folders of templates that come before the shipped ones, on the controller, relative to the playbook.
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
    description: The same XML, where no file is wanted.
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
  description: The file.
  returned: success
  type: str
  sample: /etc/kvmrender/domains/web-1.xml
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
