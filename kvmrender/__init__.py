"""Render libvirt domain XML for KVM guests from Jinja templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kvmrender.version import __version__ as __version__

if TYPE_CHECKING:
    from kvmrender.api import LoadedGuest as LoadedGuest
    from kvmrender.api import Renderer as Renderer
    from kvmrender.api import Result as Result
    from kvmrender.api import clashes as clashes
    from kvmrender.api import file_mode as file_mode
    from kvmrender.api import load as load
    from kvmrender.api import render as render
    from kvmrender.api import render_fleet as render_fleet
    from kvmrender.api import renderer_of as renderer_of
    from kvmrender.errors import Error as Error
    from kvmrender.errors import GuestError as GuestError
    from kvmrender.errors import LimitError as LimitError
    from kvmrender.errors import TemplateError as TemplateError
    from kvmrender.fleet.guest_result import Outcome as Outcome
    from kvmrender.guest import Guest as Guest
    from kvmrender.libvirt.drift import drift as drift
    from kvmrender.libvirt.importer import Imported as Imported
    from kvmrender.libvirt.importer import import_domain as import_domain
    from kvmrender.problem import Problem as Problem

_API = ("LoadedGuest", "Renderer", "Result", "clashes", "file_mode", "load", "render", "render_fleet", "renderer_of")
_ERRORS = ("Error", "GuestError", "LimitError", "TemplateError")
_HOMES = {**dict.fromkeys(_API, "api"), **dict.fromkeys(_ERRORS, "errors"), "Outcome": "fleet.guest_result"}
_HOMES.update({"Guest": "api", "Problem": "problem"})
_HOMES["drift"] = "libvirt.drift"
_HOMES.update(dict.fromkeys(("Imported", "import_domain"), "libvirt.importer"))


def __getattr__(name: str) -> Any:
    """Import public names when they are first used, so that the command line starts fast."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
