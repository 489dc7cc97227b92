"""The text of a guest file to begin with: the fields that are mostly changed, each with what it is."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from kvmrender.engine import Engine
from kvmrender.reading.guest_text import to_yaml
from kvmrender.reading.profiles import USE, Profiles
from kvmrender.schema.field_facts import field_at

WIDTH = 98
IMAGES = "/var/lib/libvirt/images"
OFTEN: dict[str, Any] = {"os": {"firmware": "efi"}, "cpu": "host-model", "graphics": "vnc"}
"""What many guests say; it stands in a comment."""


def first_guest(engine: Engine, name: str, use: Sequence[str], arch: str | None) -> str:
    """Return the text of a guest file, without what the profiles say. Raises GuestError where it can't be rendered."""
    guest: dict[str, Any] = {"name": name}
    if use:
        guest[USE] = list(use)
    if arch:
        guest["arch"] = arch
    by_profiles = {key for layer in Profiles(engine.schema.root).layers(guest) for key in layer.value}
    given = {"vcpu": 2, "memory": "2 GiB", "disks": [{"source": f"{IMAGES}/{name}.qcow2"}]}
    given["interfaces"] = [{"source": {"network": "default"}}]
    guest |= {key: value for key, value in given.items() if key not in by_profiles}
    engine.context(guest)
    lines = [f"# kvmrender render {name}.yaml; kvmrender explain FIELD says what there is beside these."]
    for key, value in (*guest.items(), *((key, value) for key, value in OFTEN.items() if key not in by_profiles)):
        said = textwrap.wrap(field_at(engine.schema, key).description, WIDTH)
        text = to_yaml({key: value}).splitlines()
        if key == "disks":
            seed = to_yaml({"device": "cdrom", "source": f"{IMAGES}/{name}-seed.iso", "readonly": True})
            text.append(f"  # - {{{', '.join(seed.splitlines())}}}")
        lines += ["", *(f"# {line}" for line in said), *(text if key in guest else (f"# {line}" for line in text))]
    return "\n".join(lines) + "\n"
