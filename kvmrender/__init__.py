"""Render libvirt domain XML for KVM guests from Jinja templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kvmrender.errors import Error as Error
from kvmrender.errors import GuestError as GuestError
from kvmrender.errors import Problem as Problem
from kvmrender.errors import TemplateError as TemplateError
from kvmrender.renderer import Renderer as Renderer
from kvmrender.renderer import default_renderer

__version__ = "0.1.0"


def render(guest: Mapping[str, Any]) -> str:
    """Return the guest's domain XML from the shipped templates. Raises GuestError and TemplateError."""
    return default_renderer().render(guest)
