"""Masking of secrets in Ansible's results for a guest's file."""

from __future__ import annotations

import re
from typing import Any

from kvmrender import Renderer, Result

SAID = ("msg", "stdout", "stderr", "module_stdout", "module_stderr", "exception")
"""Keys of a result with output of programs, such as ``validate``, as text and as lines."""
ONLY_SECRETS = "# only secrets differ\n"


def unexpanded(name: str) -> dict[str, str]:
    """Return environment variables that expand to themselves, for those that a file's name seems to contain.

    Ansible's modules expand variables in paths, some of them repeatedly, and a dollar sign can't be escaped.
    """
    found = re.findall(r"\$(\{)?([A-Za-z_]\w*)(?(1)\})", name, re.ASCII)
    return {word: f"${{{word}}}" if brace else f"${word}" for brace, word in found}


def hide(result: dict[str, Any], renderer: Renderer, name: str, guest: Result) -> None:
    """Mask the secrets in the messages and diffs of a result with ``***``, and replace the name of the temporary file
    in them. ``guest`` is the guest of the file."""
    for key in SAID:
        if isinstance(said := result.get(key), str):
            result[key] = renderer.without_secrets(said, guest)
        if isinstance(lines := result.get(f"{key}_lines"), list):
            result[f"{key}_lines"] = [renderer.without_secrets(str(line), guest) for line in lines]
    mask = renderer.masker(guest)
    found = result.get("diff") or []
    for diff in found if isinstance(found, list) else [found]:
        sides = [side for side in ("before", "after") if isinstance(diff.get(side), (str, bytes))]
        texts = {
            side: diff[side].decode(errors="replace") if isinstance(diff[side], bytes) else diff[side] for side in sides
        }
        if "after_header" in diff:
            diff["after_header"] = name
        diff.update({side: mask(text) for side, text in texts.items()})
        if len(sides) == 2 and texts["before"] != texts["after"] and diff["before"] == diff["after"]:
            diff["after"] += ONLY_SECRETS
