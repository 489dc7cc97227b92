"""Shared code of the execution module and the state: guests as mappings, as files, or on Salt's file server."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from kvmrender.api import Result
from kvmrender.errors import Error
from kvmrender.plugins.single_guest import from_file, from_values

try:
    from salt.exceptions import CommandExecutionError as CommandExecutionError
    from salt.exceptions import SaltRenderError as SaltRenderError
except ImportError:  # called outside Salt
    CommandExecutionError = SaltRenderError = Error


def folders(templates: str | list[str] | None) -> tuple[str, ...]:
    """Return a list of template folders; a single one may be given without a list."""
    return (templates,) if isinstance(templates, str) else tuple(templates or ())


def one(
    guest: str | Mapping[str, Any],
    name: str | None,
    templates: str | list[str] | None,
    namespace: str | None,
    cached: Callable[[str], Any],
) -> Result:
    """Render a guest, and log its notes. ``cached`` fetches a file from the file server and returns its path. Raises
    Error."""
    if not isinstance(guest, str):
        found = from_values(guest, folders(templates), namespace)
    elif path := cached(guest) if "://" in guest else guest:
        found = from_file(str(path), name, folders(templates), namespace)
    else:
        raise Error(f"{guest}: is not on the file server")
    for note in found.problems:
        logging.getLogger(__name__).warning("%s", note)
    return found
