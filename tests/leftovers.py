"""Detection of files and processes that a test run leaves on the machine: all its files are in one folder, which is
removed.

Any other change fails the run, by name. Other programs and other test runs use the machine at the same time: only
changes that this run can have made count.
"""

from __future__ import annotations

import gc
import os
import re
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

OWN = "kvmtests-"
"""Prefix of the names of these folders, also of other runs. It is short, because socket paths are limited in length."""
OURS = re.compile("(?!kvmrender-cache-).*kvmrender")
OF_PROGRAMS = re.compile(".*(kvmrender|libvirt|ansible|salt|dask|hypothesis|pre-commit|pipx)")
"""Names of files that this run would leave in shared folders, and of those that programs started by it would leave."""
SHARED = ("/", "/dev/shm", "/etc", "/run", "/srv", "/var/cache", "/var/lib", "/var/log", "/var/tmp")
IN_HOME = ("", ".cache", ".config", ".local/share", ".local/state")
LIBVIRT = ("/etc/libvirt", "/run/libvirt", "/var/cache/libvirt", "/var/lib/libvirt", "/var/log/libvirt")
OF_ANY_CLIENT = re.compile("/run/libvirt/(common|hostdevmgr)(/|$)")
"""Files that libvirt's library creates the first time that any program of root uses it, wherever that one's own are."""
PATIENCE = 10
"""Seconds for processes to end."""


class Leftovers:
    """Plugin with the folder of one run, and the state of the machine before it."""

    def __init__(self) -> None:
        self.temporary = Path(tempfile.gettempdir())
        self.before = machine(self.temporary)
        self.folder = tempfile.TemporaryDirectory(prefix=OWN)
        Path(self.folder.name).chmod(0o711)  # some tests run as another user
        (Path(self.folder.name) / "cache").mkdir()
        os.environ |= {"TMPDIR": self.folder.name, "XDG_CACHE_HOME": f"{self.folder.name}/cache"}
        # Ansible asks for the home of its user, not for HOME.
        os.environ |= {f"ANSIBLE_{name}": f"{self.folder.name}/ansible" for name in ("HOME", "REMOTE_TMP")}
        tempfile.tempdir = self.folder.name
        self.process = os.getpid()
        signal.signal(signal.SIGTERM, self.end)

    def end(self, number: int, frame: object) -> None:
        """End the run like Ctrl-C, which removes the folder; further calls have no effect."""
        signal.signal(number, signal.SIG_IGN if os.getpid() == self.process else signal.SIG_DFL)
        if os.getpid() != self.process:  # a fork
            os.kill(os.getpid(), number)
        raise KeyboardInterrupt

    def differences(self) -> list[str]:
        """Return the changes since the start in words, after processes have had time to end."""
        gc.collect()  # processes end with the objects that own them
        deadline = time.monotonic() + PATIENCE
        while (running := list(processes(self.folder.name))) and time.monotonic() < deadline:
            time.sleep(0.05)
        after = machine(self.temporary)
        changed = [
            f"{what}: {self.before.get(what, 'not there')} before, {after.get(what, 'not there')} now"
            for what in sorted(self.before.keys() | after.keys())
            if self.before.get(what) != after.get(what) and (what in after or what.startswith(LIBVIRT))
        ]
        return running + [f"still mounted: {place}" for place in mounts(self.folder.name)] + changed

    @pytest.hookimpl(trylast=True)  # after the workers of xdist have ended
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Count leftovers as an error of the run."""
        if not (found := self.differences()):
            return
        if session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if reporter := session.config.pluginmanager.get_plugin("terminalreporter"):
            what = "what is outside the tests' own folder"
            said = "The tests changed the machine:\n" + "\n".join(found)
            report = pytest.TestReport(what, ("", None, what), {}, "failed", said, "teardown")
            reporter.stats.setdefault("error", []).append(report)

    def pytest_unconfigure(self) -> None:
        """Remove the folder, except mounted file systems in it."""
        if util := sys.modules.get("multiprocessing.util"):
            util._run_finalizers()  # it has a folder there, which it would need at the end of the process
        if not list(mounts(self.folder.name)):
            self.folder.cleanup()


def machine(temporary: Path) -> dict[str, str]:
    """Return the parts of the machine that tests must not change, each with type, mode and owner."""
    home = Path(os.environ.get("HOME") or "/")
    folders = {temporary, *map(Path, SHARED), *(home / name for name in IN_HOME)}
    # If the temporary folder is not the shared one, as in CI, no other run uses it.
    alone = not temporary.stat().st_mode & stat.S_ISVTX
    ours = OF_PROGRAMS if alone else OURS
    found = dict(described(folder) for folder in (temporary, Path("/tmp"), Path("/var/tmp"), home) if folder.exists())
    for folder in folders:
        with suppress(OSError):
            found |= dict(
                described(path)
                for path in folder.iterdir()
                if ours.match(path.name) or (alone and folder == temporary and not path.name.startswith(OWN))
            )
    for place in LIBVIRT:
        found |= dict(described(path) for path in Path(place).rglob("*") if not OF_ANY_CLIENT.match(str(path)))
    return found


def described(path: Path) -> tuple[str, str]:
    """Return a path and its state."""
    try:
        status = path.lstat()
    except OSError:
        return str(path), "not there"
    return str(path), f"{stat.filemode(status.st_mode)} of {status.st_uid}:{status.st_gid}"


def mounts(folder: str) -> Iterator[str]:
    """Yield the mount points in a folder."""
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place = re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), line.split()[4])
        if place.startswith(f"{folder}/"):
            yield place


def processes(folder: str) -> Iterator[str]:
    """Yield the running processes that use a folder, except those of multiprocessing, which end with this process."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or belongs to another user
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = os.fsdecode((place / "environ").read_bytes())
            if int(place.name) == os.getpid() or not command or "from multiprocessing." in command:
                continue
            if folder in environment + command or f"{(place / 'cwd').readlink()}/".startswith(f"{folder}/"):
                yield f"still running: {place.name} {command[:300]}"
