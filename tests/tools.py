"""The real programs that kvmrender works with, as installed by tests/install_tools, and pages whose examples are
run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path

import pytest

from kvmrender import Error

INSTALL = "tests/install_tools DIR; KVMRENDER_TOOLS=DIR"
NOT_SOURCES = shutil.ignore_patterns(
    *(".git", ".venv", ".*cache", ".coverage*", ".hypothesis", "__pycache__"),
    *("*.egg-info", "build", "dist", "mutants", "prepared.json", "site"),
)
"""Files that a copy of the checkout does not include, as in a clone. Those of coverage come and go beside a test."""
PATIENCE = 60
"""Seconds to wait for a daemon; a slow machine is not a failure."""


def tool(environment: str, program: str = "python") -> Path:
    """Return a program of an environment, or skip the test."""
    found = Path(os.environ.get("KVMRENDER_TOOLS", ""), environment, "bin", program)
    if not os.environ.get("KVMRENDER_TOOLS") or not found.exists():
        pytest.skip(f"needs {program} of {environment}: {INSTALL}")
    return found


def node() -> dict[str, Path]:
    """Return Node.js and the folder of its installed modules, or skip the test."""
    folder = Path(os.environ.get("KVMRENDER_TOOLS", ""), "npm/node_modules")
    own = folder.parent.parent / "node/bin/node"
    program = str(own) if own.exists() else shutil.which("node")
    if not os.environ.get("KVMRENDER_TOOLS") or not folder.is_dir() or program is None:
        pytest.skip(f"needs Node.js and its modules: {INSTALL}")
    return {"node": Path(program), "modules": folder}


def program(name: str, package: str) -> str:
    """Return a program of Debian, or skip the test."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name}: apt-get install {package}")
    return found


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks of a page in a language."""
    return re.findall(rf"^```{language}(?: [^\n]*)?\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def section(page: Path, heading: str) -> str:
    """Return the contents under a heading of a page, up to the next one."""
    (found,) = re.findall(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page.read_text(), re.DOTALL | re.MULTILINE)
    return str(found)


def titled(text: str) -> list[tuple[str, str]]:
    """Return the files that a text shows, by the names in their titles; a later one replaces an earlier one."""
    return re.findall(r'^```\w+ title="([^" ]+).*"\n((?s:.*?))^```$', text, re.MULTILINE)


def files(page: Path, heading: str = "") -> dict[str, str]:
    """Return the files that a page, or a section of it, shows, by their titles or the comments in their first lines. A
    line that must be the first one in its file, such as ``#!jinja``, is before the comment."""
    text = section(page, heading) if heading else page.read_text()
    found = re.findall(r"^```\w+\n((?:#!.*\n)?(?:#|//|\") ([\w./-]+)\n(?s:.*?))^```$", text, re.MULTILINE)
    return {name: text for text, name in found} | dict(titled(text))


def lay_out(folder: Path, found: dict[str, str], **replaced: str) -> None:
    """Write files into a folder, with some words replaced."""
    for name, text in found.items():
        for old, new in replaced.items():
            text = text.replace(old, new)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def assert_valid(text: str) -> int:
    """Validate all domains in a text against the installed libvirt's schema, if there is one, and return their
    number."""
    documents = re.findall(r"^<domain .*?^</domain>$", text, re.DOTALL | re.MULTILINE)
    if documents and find_spec("lxml"):
        from lxml import etree

        from kvmrender.libvirt.rng import Grammar, installed_schema

        with suppress(Error):
            grammar = Grammar(installed_schema())
            assert [fault for fault in map(grammar.fault, map(etree.fromstring, documents)) if fault] == [], text
    return len(documents)


def execute(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program of a tool's environment, with that environment first in the PATH."""
    path = f"{Path(command[0]).parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, "PATH": path, "HOME": str(cwd), "LC_ALL": "C.UTF-8", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def session_libvirt(folder: Path) -> Iterator[str]:
    """Run a libvirt daemon of one user, with all its state in the folder (whose name is short), and yield its URI.
    Root's would be that of the system: it runs as nobody."""
    daemon = program("libvirtd", "libvirt-daemon-system")
    places = {"HOME": "", **{f"XDG_{name}": name.lower() for name in ("RUNTIME_DIR", "CONFIG_HOME", "CACHE_HOME")}}
    for place in (*places.values(), "config_home/libvirt"):
        (folder / place).mkdir(exist_ok=True)
        (folder / place).chmod(0o777)
    # Otherwise, logs of guests are written by a daemon that stays for two minutes.
    (folder / "config_home/libvirt/qemu.conf").write_text('stdio_handler = "file"\n')
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    log = folder / "log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*nobody, daemon],
            env={**os.environ, **{name: str(folder / place) for name, place in places.items()}},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as running,
    ):
        try:
            uri = f"qemu:///session?socket={folder}/runtime_dir/libvirt/libvirt-sock"
            deadline = time.monotonic() + PATIENCE
            while subprocess.run(["virsh", "-c", uri, "list"], capture_output=True, check=False).returncode:
                assert running.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield uri
        finally:
            running.terminate()
