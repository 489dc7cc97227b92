"""Guests just inside and just outside of each check of kvmrender.checks.seclabels."""

from __future__ import annotations

from typing import Any

from check_cases import Case, example

OWN = {"model": "dac", "relabel": False}


def file(*labels: dict[str, Any]) -> dict[str, Any]:
    return {"file": "/a.qcow2", "seclabel": list(labels)}


def backed(*labels: dict[str, Any]) -> dict[str, Any]:
    return {
        "disks": [{"source": "/b.qcow2", "backingStore": {"type": "file", "format": "raw", "source": file(*labels)}}]
    }


def written(*labels: dict[str, Any]) -> dict[str, Any]:
    return {"serials": {"type": "file", "source": {"path": "/a", "seclabel": list(labels)}}}


CASES: list[Case] = [
    (
        "labels_once",
        {"seclabel": [{"model": "dac"}, {"model": "selinux"}]},
        {"seclabel": [{"model": "dac"}, {"type": "none", "model": "dac"}]},
        "seclabel[1].model: 'dac' is taken by seclabel[0]",
    ),
    (
        "labels_once",
        *example("labels-once"),
        "seclabel[0].model: is missing: there are several labels",
    ),
    (
        "labels_once",
        {"disks": [{"source": file(OWN, {"relabel": False})}]},
        {"disks": [{"source": file(OWN, OWN)}]},
        "disks[0].source.seclabel[1].model: 'dac' is taken by disks[0].source.seclabel[0]",
    ),
    (
        "labels_once",
        written(OWN),
        written(OWN, OWN),
        "serials[0].source[0].seclabel[1].model: 'dac' is taken by serials[0].source[0].seclabel[0]",
    ),
    (
        "labels_once",
        {"os": {"firmware": "efi", "nvram": {"type": "file", "source": file(OWN)}}},
        {"os": {"firmware": "efi", "nvram": {"type": "file", "source": file(OWN, OWN)}}},
        "os.nvram.source.seclabel[1].model: 'dac' is taken by os.nvram.source.seclabel[0]",
    ),
    (
        "label_overrides",
        {"seclabel": [{"type": "static", "model": "dac", "label": "+0:+0", "relabel": True}], **backed(OWN)},
        {"seclabel": [{"type": "static", "model": "dac", "label": "+0:+0"}], **backed(OWN)},
        "disks[0].backingStore.source.seclabel[0].model: 'dac' does not relabel files: relabel of seclabel[0] is no",
    ),
    (
        "label_overrides",
        *example("label-overrides"),
        "serials[0].source[0].seclabel[0].model: 'dac' does not relabel files: relabel of seclabel[0] is no",
    ),
]
