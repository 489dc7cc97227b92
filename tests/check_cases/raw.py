"""Guests just inside and just outside of each check of kvmrender.checks.raw."""

from __future__ import annotations

from check_cases import Case, example

SCSI = "<controller type='scsi' index='{}' model='virtio-scsi'/>"

CASES: list[Case] = [
    (
        "raw_xml",
        *example("raw-xml"),
        "metadata: is not well-formed XML: unbound prefix at line 1, column 1",
    ),
    (
        "raw_elements",
        {"extra": {"domain": "<idmap/>", "devices": "<memballoon model='none'/><memballoon model='none'/>"}},
        {"extra": {"domain": "<vcpu>2</vcpu>"}},
        "extra.domain: <vcpu> can occur only once, and the guest has one: `vcpu`",
    ),
    (
        "raw_elements",
        {"vsock": None, "extra": {"devices": "<vsock/>"}},
        {"vsock": {"cid": 3}, "extra": {"devices": "<vsock/>"}},
        "extra.devices: <vsock> can occur only once, and the guest has one: `vsock`",
    ),
    (
        "controller_indexes",
        {"controllers": [{"type": "scsi", "index": 0}], "extra": {"devices": SCSI.format(1)}},
        {"controllers": [{"type": "scsi", "index": 0}], "extra": {"devices": SCSI.format(0)}},
        "extra.devices: index 0 of a scsi controller is taken by controllers[0]",
    ),
    (
        "controller_indexes",
        {"extra": {"devices": SCSI.format(0) + SCSI.format(1)}},
        {"extra": {"devices": SCSI.format(0) + SCSI.format(0)}},
        "extra.devices: index 0 of a scsi controller is taken by extra",
    ),
]
