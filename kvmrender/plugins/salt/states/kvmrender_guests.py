"""The state module ``kvmrender``: files with the domain XML of guests.

.. code-block:: yaml

    /etc/kvmrender/domains/web-1.xml:
      kvmrender.guest_file:
        - guest: {{ pillar.guests['web-1'] | json }}
"""

from __future__ import annotations

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kvmrender.api import MOST_SHOWN, difference, file_mode, renderer_of
from kvmrender.errors import Error
from kvmrender.plugins.salt.guests import folders, one

__virtualname__ = "kvmrender"
__salt__: dict[str, Any]
__states__: dict[str, Any]


def __virtual__() -> str:
    """Return the name that Salt knows this by."""
    return __virtualname__


def guest_file(
    name: str,
    guest: str | Mapping[str, Any],
    guest_name: str | None = None,
    templates: str | list[str] | None = None,
    namespace: str | None = None,
    mode: str | None = None,
    **options: Any,
) -> dict[str, Any]:
    """Keep a guest's domain XML in a file.

    name
        The file.
    guest
        A mapping, or a file: its path on the minion, or ``salt://…``. A fault in a file is told with its line.
    guest_name
        Which guest of a file that holds several.
    templates
        Folders of templates that come before the shipped ones, on the minion.
    namespace
        The namespace of a guest that names none.
    mode
        The mode of the file. A new one has 0640 if the guest holds a secret, else 0644; one that is there keeps its
        own, less what 0640 does not have if the guest holds a secret.

    All other options are those of ``file.managed``, such as ``user``, ``group``, ``backup``, ``makedirs``,
    ``check_cmd``. Changes are shown as a difference, with ``***`` for secrets; what there is to note of the guest is
    among the warnings.
    """
    saltenv = options.get("saltenv") or "base"
    try:
        found = one(guest, guest_name, templates, namespace, lambda url: __salt__["cp.cache_file"](url, saltenv))
    except Error as error:
        return {"name": name, "changes": {}, "result": False, "comment": str(error)}
    if mode is None and (wanted := file_mode(_mode(name), found.has_secret)) is not None:
        mode = f"{wanted:04o}"
    before = _text(name)
    done: dict[str, Any] = __states__["file.managed"](name, contents=found.xml, mode=mode, **options)
    renderer = renderer_of(folders(templates))
    for key, said in done["changes"].items():
        if isinstance(said, str) and "\n" in said:  # a difference: one of parts can't be told to have no secrets
            done["changes"][key] = difference(name, before, found.xml, renderer.masker(found))
    if isinstance(done.get("comment"), str):
        done["comment"] = renderer.without_secrets(done["comment"], found)
    if found.problems:
        done["warnings"] = [*done.get("warnings", ()), *map(str, found.problems)]
    return done


def _mode(name: str) -> int | None:
    """Return the mode of a file that is there."""
    try:
        return stat.S_IMODE(Path(name).stat().st_mode)
    except OSError:
        return None


def _text(name: str) -> str | None:
    """Return the text of a file that is there, and not too large to be shown."""
    try:
        return Path(name).read_text(errors="replace") if Path(name).stat().st_size <= MOST_SHOWN else None
    except OSError:
        return None
