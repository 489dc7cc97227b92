"""The execution module ``kvmrender``: domain XML of guests in the pillar, in a file, or given on the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kvmrender.api import Result, renderer_of
from kvmrender.errors import Error
from kvmrender.plugins.salt.guests import CommandExecutionError, folders, one

__virtualname__ = "kvmrender"
__salt__: dict[str, Any]


def __virtual__() -> str:
    """Return the module's name in Salt."""
    return __virtualname__


def render(
    guest: str | Mapping[str, Any],
    name: str | None = None,
    templates: str | list[str] | None = None,
    namespace: str | None = None,
    saltenv: str = "base",
) -> str:
    """Return a guest's domain XML.

    guest
        A mapping, or a file: its path on the minion, or ``salt://…``. Problems have the position in the file.
    name
        Name of the guest, if the file has several.
    templates
        Template folders on the minion that are searched before the shipped one.
    namespace
        The namespace of guests that set none.

    CLI Examples:

    .. code-block:: bash

        salt '*' kvmrender.render salt://guests/web-1.yaml
        salt '*' kvmrender.render '{name: web-1, memory: 4 GiB}'
        salt '*' kvmrender.render /srv/fleet.yaml name=web-1 namespace=north
    """
    return _one(guest, name, templates, namespace, saltenv).xml


def context(
    guest: str | Mapping[str, Any],
    name: str | None = None,
    templates: str | list[str] | None = None,
    namespace: str | None = None,
    saltenv: str = "base",
) -> dict[str, Any]:
    """Return the context of a guest, with secrets masked by ``***``. The options are those of ``kvmrender.render``.

    CLI Example:

    .. code-block:: bash

        salt '*' kvmrender.context salt://guests/web-1.yaml
    """
    found = _one(guest, name, templates, namespace, saltenv).context
    return renderer_of(folders(templates)).masked_context(found)


def _one(guest: Any, name: str | None, templates: Any, namespace: str | None, saltenv: str) -> Result:
    try:
        return one(guest, name, templates, namespace, lambda url: __salt__["cp.cache_file"](url, saltenv))
    except Error as error:
        raise CommandExecutionError(str(error)) from None
