"""Text of a new guest file: the fields that are most often changed, each with a comment."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

from kvmrender.engine import Engine
from kvmrender.reading.guest_text import to_yaml
from kvmrender.reading.parse import from_yaml
from kvmrender.reading.profiles import USE, Profiles
from kvmrender.schema.field_facts import field_at

WIDTH = 98
_PLAIN = re.compile(r"[\w.-]+")
NAME, IMAGES = "NAME", "/var/lib/libvirt/images"
OFTEN: dict[str, Any] = {"os": {"firmware": "efi"}, "cpu": "host-model", "graphics": "vnc"}
"""Defaults that many guests set, as a comment."""


def first_guest(engine: Engine, name: str, use: Sequence[str], arch: str | None) -> str:
    """Return the text of a guest file, without fields that the profiles set. Raises GuestError if it can't be
    rendered."""
    guest: dict[str, Any] = {"name": name}
    if use:
        guest[USE] = list(use)
    if arch:
        guest["arch"] = arch
    profiles = Profiles(engine.schema.root)
    by_profiles = {key for layer in profiles.layers(guest) for key in layer.value}
    given = {"vcpu": 2, "memory": "2 GiB", "disks": [{"source": f"{IMAGES}/{name}.qcow2"}]}
    given["interfaces"] = [{"source": {"network": "default"}}]
    blocks = {key: to_yaml({key: value}).splitlines() for key, value in guest.items()}
    blocks |= {key: to_yaml({key: value}).splitlines() for key, value in given.items() if key not in by_profiles}
    if "disks" in blocks:
        cdrom = to_yaml({"device": "cdrom", "source": f"{IMAGES}/{name}.iso", "readonly": True})
        blocks["disks"].append(f"  # - {{{', '.join(cdrom.splitlines())}}}")
    is_plain = _PLAIN.fullmatch(name) is not None  # others would have to be quoted
    for key, text in profiles.start(guest).items():
        if is_plain or not any(NAME in line for line in text):
            blocks[key] = [line.replace(NAME, name) for line in text]
    (written,) = from_yaml("\n".join(line for lines in blocks.values() for line in lines))
    engine.context(profiles.under(written))
    for key, value in OFTEN.items():
        if key not in by_profiles and key not in blocks:
            blocks[key] = [f"# {line}" for line in to_yaml({key: value}).splitlines()]
    lines = [f"# kvmrender render {name}.yaml; kvmrender explain FIELD says what there is beside these."]
    for key, text in blocks.items():
        said = textwrap.wrap(field_at(engine.schema, key).description, WIDTH)
        lines += ["", *(f"# {line}" for line in said), *text]
    return "\n".join(lines) + "\n"
