"""What a guest has in raw XML, as far as checks can see it: the names of elements, and its controllers."""

from __future__ import annotations

from kvmrender.checks.common import Context, dig
from kvmrender.errors import Path, Problem
from kvmrender.schema.xml_faults import elements_in

RAW = ("extra", "devices")
"""Where raw devices stand."""
_IS_RAW = "extra"
_NUMBERS, _WORDS = ("index", "ports"), ("type", "model")


def with_raw_controllers(context: Context) -> Context:
    """Return a context in which controllers of raw XML are at the end of the others."""
    if not (text := dig(context, *RAW)):
        return context
    found = [attributes for name, attributes in elements_in(text) if name == "controller" and "type" in attributes]
    raw = [_controller(attributes) for attributes in found if attributes["type"] != "pci" or "model" in attributes]
    return {**context, "controllers": [*context["controllers"], *raw]} if raw else context


def _controller(attributes: dict[str, str]) -> Context:
    numbers = {key: int(attributes[key]) for key in _NUMBERS if attributes.get(key, "").isdecimal()}
    return {key: attributes[key] for key in _WORDS if key in attributes} | numbers | {_IS_RAW: True}


def is_raw(controller: Context) -> bool:
    """Say whether a controller is one of raw XML."""
    return _IS_RAW in controller


def as_told(problem: Problem, context: Context) -> Problem | None:
    """Return a problem that is of what the guest says: of a raw controller little is known, but that it is there."""
    if not _is_said(problem.path, context):
        return None
    if all(_is_said(path, context) for path in problem.related):
        return problem
    return problem.about(path if _is_said(path, context) else RAW for path in problem.related)


def _is_said(path: Path, context: Context) -> bool:
    return path[:1] != ("controllers",) or len(path) < 2 or int(path[1]) < len(context["controllers"])
