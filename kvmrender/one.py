"""One guest, as configuration management has it: from its variables or from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from kvmrender.errors import GuestError, Problem, listed, nearest
from kvmrender.inputs import Inputs
from kvmrender.load import Document, read
from kvmrender.renderer import Renderer
from kvmrender.secrets import secret_finder, xml_masker

MANY = 5
"""Names that a message lists."""


class One(NamedTuple):
    """A rendered guest: its context, its XML, and whether that holds a secret."""

    context: dict[str, Any]
    xml: str
    secret: bool


@lru_cache(maxsize=8)
def renderer_of(templates: tuple[str, ...] = ()) -> Renderer:
    """Return the renderer of these folders, made once. Raises TemplateError."""
    return Renderer(templates)


@lru_cache(maxsize=8)
def has_secret_of(templates: tuple[str, ...] = ()) -> Callable[[Any], bool]:
    """Return what says whether a context holds a secret. Raises TemplateError."""
    return secret_finder(renderer_of(templates).schema.root)


@lru_cache(maxsize=8)
def mask_of(templates: tuple[str, ...] = ()) -> Callable[[str], str]:
    """Return what writes ``***`` for the secrets in XML. Raises TemplateError."""
    return xml_masker(renderer_of(templates).schema.root)


def from_values(guest: Any, templates: Iterable[str] = (), namespace: str | None = None) -> One:
    """Render a guest given as a mapping. Raises GuestError and TemplateError."""
    if namespace is not None and isinstance(guest, Mapping):
        guest = {"namespace": namespace, **guest}
    return _rendered(tuple(templates), guest)


def from_file(path: str, name: str | None = None, templates: Iterable[str] = (), namespace: str | None = None) -> One:
    """Render the guest in a file, or the one of this name where there are several. Raises GuestError and TemplateError.

    The problems of a guest have their lines.
    """
    folders = tuple(templates)
    inputs = Inputs(renderer_of(folders).schema.root, (path,), namespace=namespace)
    problems: list[Problem] = []
    documents = list(inputs.documents(problems))
    if problems:
        raise GuestError(problems)
    return _placed(folders, _chosen(path, documents, name))


def from_text(name: str, text: str) -> One:
    """Render the guest in a text of YAML or JSON, which messages call ``name``. Raises GuestError and TemplateError."""
    return _placed((), _chosen(name, read(name, text.encode()), None))


def _chosen(path: str, documents: list[Document], name: str | None) -> Document:
    """Return the document of the guest that was asked for."""
    guests = [document.guest for document in documents]
    names = [str(guest.get("name", "")) if isinstance(guest, dict) else "" for guest in guests]
    found = [document for document, known in zip(documents, names, strict=True) if name in (None, known)]
    if len(found) == 1:
        return found[0]
    if name is not None:
        said = f"holds {len(found) or 'no'} guests with the name {name!r}{'' if found else nearest(name, names)}"
    else:
        known = [name for name in names if name]
        shown = [*known[:MANY], "…"] if len(known) > MANY else known
        among = f" ({listed(shown, 'or')})" if shown else ""
        said = f"holds {len(names)} guests: say which by its name{among}"
    raise GuestError([Problem((), said, file=path)])


def _placed(templates: tuple[str, ...], document: Document) -> One:
    try:
        return _rendered(templates, document.guest)
    except GuestError as error:
        raise GuestError(document.located(error.problems)) from None


def _rendered(templates: tuple[str, ...], guest: Any) -> One:
    context, xml = renderer_of(templates).rendered(guest)
    return One(context, xml, has_secret_of(templates)(context))
