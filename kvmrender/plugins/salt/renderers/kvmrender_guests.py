"""The renderer ``kvmrender``: converts a guest in YAML or JSON, or as a mapping, to its domain XML.

``#!jinja|kvmrender`` as the first line of a guest file makes pillar and grains available in it;
``salt['slsutil.renderer']('salt://guests/web-1.sls')`` returns the XML.
"""

from __future__ import annotations

from typing import Any

from kvmrender import Error
from kvmrender.plugins.salt.guests import SaltRenderError
from kvmrender.plugins.single_guest import from_text, from_values

__virtualname__ = "kvmrender"


def __virtual__() -> str:
    """Return the renderer's name in Salt."""
    return __virtualname__


def render(data: Any, saltenv: str = "base", sls: str = "", argline: str = "", **_: Any) -> str:
    """Return a guest's domain XML. Raises SaltRenderError."""
    try:
        if hasattr(data, "read"):
            data = data.read()
        return (from_text(str(sls) or "guest", data) if isinstance(data, str) else from_values(data)).xml
    except Error as error:
        raise SaltRenderError(str(error)) from None
