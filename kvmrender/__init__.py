"""Render libvirt domain XML for KVM guests from Jinja templates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kvmrender.version import __version__ as __version__

if TYPE_CHECKING:
    from kvmrender.errors import Error as Error
    from kvmrender.errors import GuestError as GuestError
    from kvmrender.errors import Problem as Problem
    from kvmrender.errors import TemplateError as TemplateError
    from kvmrender.renderer import Renderer as Renderer

_HOMES = {"Renderer": "renderer", **dict.fromkeys(["Error", "GuestError", "Problem", "TemplateError"], "errors")}


def render(guest: Mapping[str, Any]) -> str:
    """Return the guest's domain XML from the shipped templates. Raises GuestError and TemplateError."""
    from kvmrender.renderer import default_renderer

    return default_renderer().render(guest)


def __getattr__(name: str) -> Any:
    """Import what is public when it is first used: a command line that starts needs little of it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
