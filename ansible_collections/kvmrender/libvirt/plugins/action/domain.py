"""Action plugin kvmrender.libvirt.domain: renders and compares on the control node, and runs virsh on the host."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.kvmrender.libvirt.plugins.plugin_utils import guests
from kvmrender.plugins import domain

OPTIONS = {"guest": None, "state": domain.STATES[0], "uri": domain.URI, "namespace": None, "templates": None}


class ActionModule(ActionBase):
    """Manage a guest in the libvirt of a host."""

    _requires_connection = True
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the actions that were taken, or would be in check mode, with secrets masked."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = {**OPTIONS, **self._task.args}
        written, state = arguments["guest"], arguments["state"]
        if written is None:
            raise AnsibleActionFail("missing required arguments: guest")
        if unknown := sorted(arguments.keys() - OPTIONS.keys()):
            supported = ", ".join(sorted(OPTIONS))
            raise AnsibleActionFail(f"Unsupported parameters: {', '.join(unknown)}. Supported parameters: {supported}.")
        if state not in domain.STATES:
            raise AnsibleActionFail(f"value of state must be one of: {', '.join(domain.STATES)}, got: {state}")
        templates = tuple(map(self._loader.path_dwim, guests.folders(arguments["templates"])))
        one = guests.rendered(written, arguments["namespace"], templates, AnsibleActionFail)
        with guests.faults(written, AnsibleActionFail):
            done = domain.keep(
                _Host(self), one, str(state), str(arguments["uri"]), templates, check=self._task.check_mode
            )
        result |= {
            "changed": bool(done.actions),
            "actions": list(done.actions),
            "name": one.context["name"],
            "uuid": one.context.get("uuid"),
            "differences": [str(guests.placed(written, problem)) for problem in done.differences],
            "takes": list(done.takes),
        }
        if done.diff:
            result["diff"] = {"prepared": done.diff}
        left = [guests.placed(written, problem) for problem in done.left]
        if notes := [str(guests.placed(written, note)) for note in one.problems]:
            result["warnings"] = [*result.get("warnings", ()), *notes]
        if left:
            said = [f"libvirt does not keep a value of the guest: {problem}" for problem in left]
            result["warnings"] = [*result.get("warnings", ()), *said]
        return result


class _Host:
    """The host of a task, accessed through Ansible's connection; it does not need Python."""

    def __init__(self, action: ActionModule) -> None:
        self._action = action

    def run(self, command: list[str]) -> domain.Ran:
        """Run a command."""
        done = self._action._low_level_execute_command(shlex.join(command))
        return domain.Ran(done["rc"], done["stdout"], done["stderr"])

    @contextmanager
    def file(self, text: str) -> Iterator[str]:
        """Yield the path of a temporary file with this text, in a private folder."""
        action = self._action
        folder = action._make_tmp_path()
        try:
            path = action._connection._shell.join_path(folder, "domain.xml")
            action._transfer_data(path, text)
            action._remote_chmod([path], "u=rw,go=")
            action._fixup_perms2([folder, path], execute=False)
            yield path
        finally:
            action._remove_tmp_path(folder, force=True)
