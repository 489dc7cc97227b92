"""One guest, as configuration management has it: from its variables or from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from threading import Lock
from typing import Any, NamedTuple

from kvmrender.cache import folders_state
from kvmrender.errors import GuestError, Problem, listed, nearest
from kvmrender.folder import MODE, SECRET_MODE
from kvmrender.inputs import Inputs
from kvmrender.load import Document, read
from kvmrender.renderer import Renderer
from kvmrender.secrets import HasSecret, Secrets, secret_finder
from kvmrender.stack import shipped_templates
from kvmrender.xml import escape, escape_text

MANY = 5
"""Names that a message lists."""
MOST_KITS = 8
"""Sets of folders whose renderers are kept."""


class One(NamedTuple):
    """A rendered guest: its context, its XML, and whether that holds a secret."""

    context: dict[str, Any]
    xml: str
    secret: bool


class Kit:
    """The renderer of some folders, and what finds and masks its secrets. Raises TemplateError."""

    def __init__(self, templates: tuple[str, ...]) -> None:
        self.renderer = Renderer(templates, isolated=True)

    @cached_property
    def has_secret(self) -> HasSecret:
        """Says whether a context, or its XML, holds a secret."""
        return secret_finder(self.renderer.schema.root)

    @cached_property
    def secrets(self) -> Secrets:
        """Knows what is secret in guests and in their XML."""
        return Secrets(self.renderer.schema.root)

    def rendered(self, guest: Any) -> One:
        """Render a guest. Raises GuestError and TemplateError."""
        context, xml = self.renderer.rendered(guest)
        return One(context, xml, self.has_secret(context, xml))

    def masker(self, xml: str, context: Any = None) -> Callable[[str], str]:
        """Return what writes ``***`` for the secrets in a guest's XML, of now and of before; ``xml`` and ``context``
        are those of now."""
        return self.secrets.masker(context, xml, not self.renderer.stack.own)

    def hide(self, text: str, xml: str, context: Any = None) -> str:
        """Return a text of another program, such as one that has looked at this XML, with ``***`` for its secrets."""
        values = [*self.secrets.xml.values(xml), *self.secrets.values(context)]
        return self.secrets.without({f for value in values for f in (value, escape(value), escape_text(value))}, text)


_kits: dict[tuple[str, ...], tuple[bytes, Kit]] = {}
_lock = Lock()


def kit_of(templates: tuple[str, ...] = ()) -> Kit:
    """Return the kit of these folders as they are now, made anew only where a file has changed. Raises TemplateError.

    A minion and a worker live for long, and what they render is to follow the templates. To look at the states of all
    files takes about as long as to render a large guest: for many guests, ask once.
    """
    with _lock:
        state = folders_state((*templates, str(shipped_templates())))
        before, kit = _kits.pop(templates, (None, None))
        if kit is None or before != state:
            kit = Kit(templates)
        while len(_kits) >= MOST_KITS:
            del _kits[next(iter(_kits))]
        _kits[templates] = state, kit
        return kit


def renderer_of(templates: tuple[str, ...] = ()) -> Renderer:
    """Return the renderer of these folders as they are now. Raises TemplateError."""
    return kit_of(templates).renderer


def from_values(guest: Any, templates: Iterable[str] = (), namespace: str | None = None) -> One:
    """Render a guest given as a mapping. Raises GuestError and TemplateError."""
    return kit_of(tuple(templates)).rendered(with_namespace(guest, namespace))


def with_namespace(guest: Any, namespace: str | None) -> Any:
    """Return a guest with this namespace, unless it names one, or isn't a mapping at all."""
    return {"namespace": namespace, **guest} if namespace is not None and isinstance(guest, Mapping) else guest


def from_file(path: str, name: str | None = None, templates: Iterable[str] = (), namespace: str | None = None) -> One:
    """Render the guest in a file, or the one of this name where there are several. Raises GuestError and TemplateError.

    The problems of a guest have their lines.
    """
    kit = kit_of(tuple(templates))
    inputs = Inputs(kit.renderer.schema.root, (path,), namespace=namespace)
    problems: list[Problem] = []
    documents = list(inputs.documents(problems))
    if problems:
        raise GuestError(problems)
    return _placed(kit, _chosen(path, documents, name))


def from_text(name: str, text: str) -> One:
    """Render the guest in a text of YAML or JSON, which messages call ``name``. Raises GuestError and TemplateError."""
    return _placed(kit_of(), _chosen(name, read(name, text.encode()), None))


def file_mode(there: int | None, secret: bool) -> str | None:
    """Return the mode that a guest's file is to have where nobody says it: of a new one, or of one that has too much.

    ``there`` is the mode of the file that is there. None is: as it is.
    """
    if there is None:
        return f"{SECRET_MODE if secret else MODE:04o}"
    return f"{there & SECRET_MODE:04o}" if secret and there & ~SECRET_MODE else None


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


def _placed(kit: Kit, document: Document) -> One:
    try:
        return kit.rendered(document.guest)
    except GuestError as error:
        raise GuestError(document.located(error.problems)) from None
