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
    """Return the state module's name in Salt."""
    return __virtualname__


def defined(
    name: str,
    guest: str | Mapping[str, Any],
    templates: str | list[str] | None = None,
    namespace: str | None = None,
    uri: str = URI,
    saltenv: str = "base",
) -> dict[str, Any]:
    """Ensure that a guest is defined in libvirt, without starting or stopping it. Needs ``virsh``.

    The definition is compared with the guest field by field, and the guest is redefined only if they differ in meaning
    (see ``kvmrender drift``). A running guest is not affected until its next start.

    name
        The name of the guest.
    guest
        A mapping, or a file: its path on the minion, or ``salt://…``; if it has several guests, the one with
        this name. Problems have the position in the file.
    templates
        Template folders on the minion that are searched before the shipped one.
    namespace
        The namespace of guests that set none.
    uri
        The connection URI of libvirt, as for ``virsh --connect``.

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
    """Ensure that a guest is defined in libvirt and running. The options are those of ``kvmrender.defined``."""
    return _kept(name, guest, RUNNING, templates, namespace, uri, saltenv)


def absent(name: str, uri: str = URI) -> dict[str, Any]:
    """Ensure that libvirt has no guest of this name: it is destroyed (stopped at once, without a shutdown), and its
    definition, NVRAM and saved state are removed. Disks are kept."""
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
    warnings = [*map(str, found.problems), *(f"libvirt does not keep a value of the guest: {one}" for one in done.left)]
    return {
        "name": name,
        "changes": changes,
        "result": None if done.actions and __opts__["test"] else True,
        "comment": "\n".join(told) or f"is {state}",
        **({"warnings": warnings} if warnings else {}),
    }


class _Minion:
    """The minion, on which Salt runs commands."""

    def run(self, command: list[str]) -> Ran:
        """Run a command without logging its output."""
        try:
            done = __salt__["cmd.run_all"](command, python_shell=False, output_loglevel="quiet", ignore_retcode=True)
        except CommandExecutionError as error:
            return Ran(127, "", str(error))
        return Ran(done["retcode"], done["stdout"], done["stderr"])

    @contextmanager
    def file(self, text: str) -> Iterator[str]:
        """Yield the path of a temporary file with this text."""
        with NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".xml") as file:  # with mode 0600
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
    """Ensure that a file contains a guest's domain XML.

    name
        The file.
    guest
        A mapping, or a file: its path on the minion, or ``salt://…``. Problems have the position in the file.
    guest_name
        Name of the guest, if the file has several.
    templates
        Template folders on the minion that are searched before the shipped one.
    namespace
        The namespace of guests that set none.
    mode
        The mode of the file. Default: 0640 for a new file if the guest has a secret, otherwise 0644. An existing file
        keeps its mode, limited to 0640 if the guest has a secret.

    Other options are those of ``file.managed``, such as ``user``, ``group``, ``backup``, ``makedirs``,
    ``check_cmd``. Changes are shown as a diff, with secrets masked by ``***``; notes on the guest are warnings.
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
        if isinstance(said, str) and "\n" in said:  # a diff: parts of one can't be searched for secrets
            done["changes"][key] = difference(name, before, found.xml, renderer.masker(found))
    if isinstance(done.get("comment"), str):
        done["comment"] = renderer.without_secrets(done["comment"], found)
    if found.problems:
        done["warnings"] = [*done.get("warnings", ()), *map(str, found.problems)]
    return done


def _mode(name: str) -> int | None:
    """Return the mode of an existing file."""
    try:
        return stat.S_IMODE(Path(name).stat().st_mode)
    except OSError:
        return None


def _text(name: str) -> str | None:
    """Return the text of an existing file, unless it is too large to show."""
    try:
        return Path(name).read_text(errors="replace") if Path(name).stat().st_size <= MOST_SHOWN else None
    except OSError:
        return None
