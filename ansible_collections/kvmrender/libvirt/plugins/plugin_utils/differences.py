"""What is shown of the differences of a guest's file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ONLY_SECRETS = "# only secrets differ\n"


def hide(result: dict[str, Any], mask: Callable[[str], str], name: str) -> None:
    """Write ``***`` for the secrets in the differences of a result, and a name for the temporary file in them."""
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
