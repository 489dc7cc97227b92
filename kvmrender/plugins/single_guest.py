"""Rendering of one guest for configuration management, from variables or from a file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kvmrender.api import LoadedGuest, Result, load, renderer_of
from kvmrender.errors import ERROR, GuestError, Problem, listed, nearest

MANY = 5
"""Maximum number of names in a message."""


def rendered(guest: Any, templates: Iterable[str] = ()) -> Result:
    """Render a guest; the problems in the result are notes. Raises GuestError and TemplateError."""
    result = renderer_of(templates).result(guest)
    if any(problem.level == ERROR for problem in result.problems):
        raise GuestError(result.problems)
    return result


def from_values(guest: Any, templates: Iterable[str] = (), namespace: str | None = None) -> Result:
    """Render a guest given as a mapping. Raises GuestError and TemplateError."""
    return rendered(with_namespace(guest, namespace), templates)


def with_namespace(guest: Any, namespace: str | None) -> Any:
    """Return a guest with this namespace, unless it sets one or is not a mapping."""
    return {"namespace": namespace, **guest} if namespace is not None and isinstance(guest, Mapping) else guest


def from_file(
    path: str, name: str | None = None, templates: Iterable[str] = (), namespace: str | None = None
) -> Result:
    """Render the guest in a file, or the one with this name if there are several. Raises GuestError and TemplateError.

    Problems have the position in the file.
    """
    templates = tuple(templates)
    return _placed(_chosen(path, load(path, templates=templates, namespace=namespace), name), templates)


def from_text(name: str, text: str) -> Result:
    """Render the guest in a YAML or JSON text, which messages call ``name``. Raises GuestError and TemplateError."""
    return _placed(_chosen(name, load(name, data=text.encode()), None))


def _chosen(path: str, loaded: list[LoadedGuest], name: str | None) -> LoadedGuest:
    """Return the guest with the given name."""
    names = [str(one.guest.get("name", "")) if isinstance(one.guest, dict) else "" for one in loaded]
    found = [one for one, known in zip(loaded, names, strict=True) if name in (None, known)]
    if len(found) == 1:
        return found[0]
    if name is not None:
        said = f"holds {len(found) or 'no'} guests with the name {name!r}{'' if found else nearest(name, names)}"
    else:
        known = [name for name in names if name]
        shown = [*known[:MANY], "…"] if len(known) > MANY else known
        among = f" ({listed(shown, 'or')})" if shown else ""
        said = f"holds {len(names)} guests: say which by its name{among}"
    raise GuestError([Problem((), said, file=path, id="file")])


def _placed(loaded: LoadedGuest, templates: Iterable[str] = ()) -> Result:
    try:
        result = rendered(loaded.guest, templates)
        return result._replace(problems=tuple(loaded.located(result.problems)))
    except GuestError as error:
        raise GuestError(loaded.located(error.problems)) from None
