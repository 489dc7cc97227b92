"""Action plugin kvmrender.libvirt.guest_file: renders on the control node, and uses Ansible's copy for the file."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.kvmrender.libvirt.plugins.plugin_utils import guests, results
from ansible_collections.kvmrender.libvirt.plugins.plugin_utils.guests import kvmrender

OWN = ("guest", "namespace", "templates")
"""Options that copy does not have."""
FILE = (
    *("dest", "owner", "group", "mode", "attributes", "attr", "seuser", "serole", "setype", "selevel"),
    *("backup", "validate", "unsafe_writes"),
)
"""Options that are passed to copy."""


class ActionModule(ActionBase):
    """Render a guest into a temporary file on the control node, and copy it."""

    TRANSFERS_FILES = True
    _requires_connection = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the result of copy, with the guest's name and UUID, and with secrets masked."""
        super().run(tmp, task_vars)
        arguments = self._task.args
        for name in ("guest", "dest"):
            if arguments.get(name) is None:
                raise AnsibleActionFail(f"missing required arguments: {name}")
        if unknown := sorted(set(arguments) - {*OWN, *FILE}):
            supported = ", ".join(sorted([*OWN, *FILE]))
            raise AnsibleActionFail(f"Unsupported parameters: {', '.join(unknown)}. Supported parameters: {supported}.")
        written = arguments["guest"]
        templates = tuple(map(self._loader.path_dwim, guests.folders(arguments.get("templates"))))
        one = guests.rendered(written, arguments.get("namespace"), templates, AnsibleActionFail)
        name = f"{one.context['name']}.xml"
        if os.sep in name:
            raise AnsibleActionFail(f"{name!r} is not the name of a file")
        try:
            result = self._copied(name, one, task_vars or {})
        finally:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        results.hide(result, kvmrender.renderer_of(templates), name, one)
        if notes := [str(guests.placed(written, note)) for note in one.problems]:
            result["warnings"] = [*result.get("warnings", ()), *notes]
        return {**result, "name": one.context["name"], "uuid": one.context.get("uuid")}

    def _copied(self, name: str, one: Any, task_vars: dict[str, Any]) -> Any:
        if unexpanded := results.unexpanded(name):
            self._task.environment = [*(self._task.environment or ()), unexpanded]
        folder = tempfile.mkdtemp(dir=constants.DEFAULT_LOCAL_TMP)
        try:
            source = Path(folder, "domain.xml")  # in a private folder
            source.write_bytes(one.xml.encode())
            dest, mode = self._destination(name, one.has_secret, task_vars)
            task = self._task.copy()
            task.args = {key: value for key, value in self._task.args.items() if key not in OWN}
            task.args |= {"src": str(source), "dest": dest} | ({"mode": mode} if mode else {})
            copy = self._shared_loader_obj.action_loader.get(
                "ansible.legacy.copy",
                task=task,
                connection=self._connection,
                play_context=self._play_context,
                loader=self._loader,
                templar=self._templar,
                shared_loader_obj=self._shared_loader_obj,
            )
            return copy.run(task_vars=task_vars)
        finally:
            shutil.rmtree(folder)

    def _destination(self, name: str, secret: bool, task_vars: dict[str, Any]) -> tuple[str, str | None]:
        """Return the file on the host, and its default mode."""
        dest = str(self._remote_expand_user(self._task.args["dest"]))
        shell = self._connection._shell

        def stat() -> dict[str, Any]:
            return dict(self._execute_remote_stat(dest, all_vars=task_vars, follow=True, checksum=False))

        is_given = self._task.args.get("mode") is not None
        inside, found = shell.path_has_trailing_slash(dest), {}
        if not inside:
            found = stat()
            inside = found.get("isdir")
        if inside:
            dest = shell.join_path(dest, name)
            found = {} if is_given else stat()
        there = int(found["mode"], 8) if found.get("exists") else None
        mode = None if is_given else kvmrender.file_mode(there, secret)
        return dest, None if mode is None else f"{mode:04o}"
