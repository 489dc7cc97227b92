"""Raw XML of a guest, as far as checks use it: names of elements, and controllers."""

from __future__ import annotations

from kvmrender.checks.common import dig
from kvmrender.errors import Path, Problem
from kvmrender.rules.check import Context
from kvmrender.schema.xml_faults import elements_in

RAW = ("extra", "devices")
"""Path of raw devices."""
_IS_RAW = "extra"
_NUMBERS, _WORDS = ("index", "ports"), ("type", "model")


def with_raw_controllers(context: Context) -> Context:
    """Return a context with the controllers of raw XML appended to the others."""
    if not (text := dig(context, *RAW)):
        return context
    found = [attributes for name, attributes in elements_in(text) if name == "controller" and "type" in attributes]
    raw = [_controller(attributes) for attributes in found if attributes["type"] != "pci" or "model" in attributes]
    return {**context, "controllers": [*context["controllers"], *raw]} if raw else context


def _controller(attributes: dict[str, str]) -> Context:
    numbers = {key: int(attributes[key]) for key in _NUMBERS if attributes.get(key, "").isdecimal()}
    return {key: attributes[key] for key in _WORDS if key in attributes} | numbers | {_IS_RAW: True}


def is_raw(controller: Context) -> bool:
    """Return whether a controller is from raw XML."""
    return _IS_RAW in controller


def as_told(problem: Problem, context: Context) -> Problem | None:
    """Return a problem that concerns the guest's own fields; of a raw controller, only its existence is known."""
    if not _is_said(problem.path, context):
        return None
    if all(_is_said(path, context) for path in problem.related):
        return problem
    return problem.about(path if _is_said(path, context) else RAW for path in problem.related)


def _is_said(path: Path, context: Context) -> bool:
    return path[:1] != ("controllers",) or len(path) < 2 or int(path[1]) < len(context["controllers"])
