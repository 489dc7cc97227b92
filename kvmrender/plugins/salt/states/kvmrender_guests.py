"""The state module ``kvmrender``: guests on the minion's libvirt, and files with their domain XML.

.. code-block:: yaml

    web-1:
      kvmrender.defined:
        - guest: {{ pillar.guests['web-1'] | json }}

    /etc/kvmrender/domains/web-1.xml:
      kvmrender.guest_file:
        - guest: {{ pillar.guests['web-1'] | json }}
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from kvmrender.api import MOST_SHOWN, difference, file_mode, renderer_of
from kvmrender.errors import Error
from kvmrender.plugins.domain import ABSENT, RUNNING, STATES, URI, Ran, keep
from kvmrender.plugins.salt.guests import CommandExecutionError, folders, one

__virtualname__ = "kvmrender"
__opts__: dict[str, Any]
__salt__: dict[str, Any]
__states__: dict[str, Any]


def __virtual__() -> str:
    """Return the name that Salt knows this by."""
    return __virtualname__


def defined(
    name: str,
    guest: str | Mapping[str, Any],
    templates: str | list[str] | None = None,
    namespace: str | None = None,
    uri: str = URI,
    saltenv: str = "base",
) -> dict[str, Any]:
    """Keep a guest defined on libvirt, and neither start nor stop it. Needs ``virsh``.

    Its definition is held against the guest field by field, and it is defined anew only if they differ in what they
    mean (see ``kvmrender drift``). A guest that runs goes on as it was.

    name
        The name of the guest.
    guest
        A mapping, or a file: its path on the minion, or ``salt://…``; of several guests in it, that of this name. A
        fault in a file is told with its line.
    templates
        Folders of templates that come before the shipped ones, on the minion.
    namespace
        The namespace of a guest that names none.
    uri
        The libvirt that ``virsh --connect`` talks to.

    Secrets are shown as ``***``. A domain with the same name and another UUID, or with the same UUID and another name,
    fails the state: libvirt would refuse the definition.
    """
    return _kept(name, guest, STATES[0], templates, namespace, uri, saltenv)


def running(
    name: str,
    guest: str | Mapping[str, Any],
    templates: str | list[str] | None = None,
    namespace: str | None = None,
    uri: str = URI,
    saltenv: str = "base",
) -> dict[str, Any]:
    """Keep a guest defined on libvirt, and start it if it does not run. The options are those of
    ``kvmrender.defined``."""
    return _kept(name, guest, RUNNING, templates, namespace, uri, saltenv)


def absent(name: str, uri: str = URI) -> dict[str, Any]:
    """Have no guest of this name on libvirt: it is stopped at once, as if its power failed, and its definition, NVRAM
    and saved state are removed. Disks are kept."""
    return _kept(name, {}, ABSENT, None, None, uri, "")


def _kept(
    name: str,
    guest: str | Mapping[str, Any],
    state: str,
    templates: str | list[str] | None,
    namespace: str | None,
    uri: str,
    saltenv: str,
) -> dict[str, Any]:
    written = guest if isinstance(guest, str) else {**guest, "name": name}
    try:
        found = one(written, name, templates, namespace, lambda url: __salt__["cp.cache_file"](url, saltenv))
        done = keep(_Minion(), found, state, uri, folders(templates), check=__opts__["test"])
    except Error as error:
        return {"name": name, "changes": {}, "result": False, "comment": str(error)}
    told = ["would be " * __opts__["test"] + " and ".join(done.actions)] if done.actions else []
    told += [*map(str, done.differences), *(f"takes {one}" for one in done.takes)]
    changes = {"actions": list(done.actions), **({"diff": done.diff} if done.diff else {})} if done.actions else {}
    warnings = [*map(str, found.problems), *(f"libvirt does not keep what the guest says: {one}" for one in done.left)]
    return {
        "name": name,
        "changes": changes,
        "result": None if done.actions and __opts__["test"] else True,
        "comment": "\n".join(told) or f"is {state}",
        **({"warnings": warnings} if warnings else {}),
    }


class _Minion:
    """This host, where Salt runs commands."""

    def run(self, command: list[str]) -> Ran:
        """Run a command; what it writes is not logged."""
        try:
            done = __salt__["cmd.run_all"](command, python_shell=False, output_loglevel="quiet", ignore_retcode=True)
        except CommandExecutionError as error:
            return Ran(127, "", str(error))
        return Ran(done["retcode"], done["stdout"], done["stderr"])

    @contextmanager
    def file(self, text: str) -> Iterator[str]:
        """Yield the path of a file with this text."""
        with NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".xml") as file:  # of mode 0600
            file.write(text)
            file.flush()
            yield file.name


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
