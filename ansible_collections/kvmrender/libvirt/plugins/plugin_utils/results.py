"""What is shown of what Ansible says of a guest's file."""

from __future__ import annotations

import re
from typing import Any

from kvmrender import Renderer, Result

SAID = ("msg", "stdout", "stderr", "module_stdout", "module_stderr", "exception")
"""Where a result has what programs have said, such as that of ``validate``; with those of lines."""
ONLY_SECRETS = "# only secrets differ\n"


def unexpanded(name: str) -> dict[str, str]:
    """Return variables of the environment that stand for themselves: those that a file's name seems to refer to.

    Ansible's modules expand variables in paths, some of them more than once, and know no way to say a dollar sign.
    """
    found = re.findall(r"\$(\{)?([A-Za-z_]\w*)(?(1)\})", name, re.ASCII)
    return {word: f"${{{word}}}" if brace else f"${word}" for brace, word in found}


def hide(result: dict[str, Any], renderer: Renderer, name: str, guest: Result) -> None:
    """Write ``***`` for the secrets in the messages of a result and its differences, and a name for the temporary file
    in these. ``guest`` is what the file was to hold."""
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
