"""The filter kvmrender.libvirt.clashes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.kvmrender.libvirt.plugins.plugin_utils import guests

DOCUMENTATION = """
name: clashes
author: The kvmrender authors
version_added: 0.1.0
short_description: Return conflicts between guests
description:
  - Returns a message for each name, UUID and MAC address that two of the guests have, and for each disk that two of
    them write to.
  - Each host renders the guests in its own variables. This filter checks the guests of all hosts against each other.
positional: _input
options:
  _input:
    description: The guests.
    type: list
    elements: dict
    required: true
  allow_shared:
    description: Patterns of disks that several guests may write to.
    type: list
    elements: str
  namespace:
    description: Namespace of guests that set none.
    type: str
  templates:
    description: Template folders on the control node that are searched before the shipped one.
    type: list
    elements: path
"""

EXAMPLES = """
- name: No two guests of any host are at odds
  ansible.builtin.assert:
    that: not clashes
    fail_msg: "{{ clashes | join('\\n') }}"
  vars:
    clashes: >-
      {{ groups['hypervisors'] | map('extract', hostvars, 'guests') | flatten(levels=1)
         | kvmrender.libvirt.clashes }}
  run_once: true
"""

RETURN = """
_value:
  description: The messages; empty if there are no conflicts.
  type: list
  elements: str
"""


def clashes(found: Any, allow_shared: Any = (), namespace: str | None = None, templates: Any = ()) -> list[str]:
    """Return the conflicts between guests. Raises AnsibleFilterError for guests that are invalid themselves."""
    plain = [guests.one.with_namespace(guests.plain(guest), guests.plain(namespace)) for guest in found]
    with guests.faults(None, guests.AnsibleFilterError):
        problems = guests.kvmrender.clashes(
            plain,
            guests.folders(templates),
            allow_shared,
            lambda number, problem: guests.placed(found[number], problem),
        )
    return list(map(str, problems))


class FilterModule:
    """The filters of this file, for Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return the filters by name."""
        return {"clashes": clashes}
