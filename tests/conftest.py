from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from inspect import signature
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import tools
from click.testing import CliRunner, Result
from drivers import HOST, NAMES, Driver
from embedded_driver import embedded_root as embedded_root
from leftovers import Leftovers

import kvmrender.engine
from kvmrender.cli.main import main
from kvmrender.engine import needless
from kvmrender.templating import limited_process

ROOT = Path(__file__).parent.parent
FIXTURES = sorted((ROOT / "fixtures").rglob("*.yaml"), key=lambda file: file.stem)

PACKAGES = (ROOT / "tests/libvirt_packages.txt").read_text().split()
LOOK_PACKAGES = (ROOT / "tests/look_packages.txt").read_text().split()

_SLOW = """
    bench files folder hostile isolated leftovers limits odd_values one process properties schema_parts secrets
    threads tutorial valid workbench
    """
SLOW = {f"test_{name}" for name in _SLOW.split()}
"""The slowest test files, which ``-m "not slow"`` deselects."""
WORKER = 3 << 20
"""Memory in KiB that a test process may use."""

Run = Callable[..., Result]


@pytest.fixture
def run() -> Run:
    """Run the command line: ``run("render", "guest.yaml", input="…")``."""

    def invoke(*arguments: Any, input: str | bytes | None = None) -> Result:
        separate = {"mix_stderr": False} if "mix_stderr" in signature(CliRunner).parameters else {}  # click before 8.2
        result = CliRunner(**separate).invoke(main, [str(argument) for argument in arguments], input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return invoke


def parse(xml: str) -> ElementTree.Element:
    return ElementTree.fromstring(xml)


def find(xml: str, path: str) -> ElementTree.Element:
    element = parse(xml).find(path)
    assert element is not None, f"no {path} in\n{xml}"
    return element


@pytest.fixture(autouse=True)
def functions_suffice() -> Iterator[None]:
    """Fail if Jinja rendered what the compiled functions could not: this is a bug in them, although the XML is
    correct."""
    needless.clear()
    yield
    assert not needless


@pytest.fixture(autouse=True)
def engines_are_dropped() -> Iterator[None]:
    """Drop the cached engines of custom templates after each test, since each has a process and its folders are
    removed."""
    yield
    kvmrender.engine._current.clear()


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Disable coverage in tests that repeat for long what others do, or that kill processes."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    measuring = sys.gettrace()
    sys.settrace(None)
    yield
    sys.settrace(measuring)


MEASURED = """
import os, resource
if "COVERAGE_PROCESS_CONFIG" in os.environ:
    resource.RLIMIT_FSIZE = resource.RLIMIT_CORE
"""
"""Allow the process of custom templates to write a file at its end: the coverage data."""


def pytest_configure(config: pytest.Config) -> None:
    limited_process._START = MEASURED + limited_process._START
    signal.signal(signal.SIGINT, signal.default_int_handler)  # which a background job of a shell ignores
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Leftovers())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use all cores, as far as memory allows; for the tests of one file, starting workers takes too long."""
    if len({name.partition("::")[0] for name in config.args}) == 1 and ".py" in config.args[0]:
        return 0
    available = re.search(r"^MemAvailable: *(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    room = int(available[1]) // WORKER if available else 1
    return max(1, min(len(os.sched_getaffinity(0)), room))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests, and skip those that need a real libvirt if there is none, with a message that states what to
    install."""
    for item in items:
        if item.path.stem in SLOW:
            item.add_marker("slow")
    programs = [name for name in ("virsh", "qemu-system-x86_64", "qemu-system-aarch64") if not shutil.which(name)]
    files = [
        name
        for name in ("/usr/share/libvirt/schemas/domain.rng", "/usr/share/AAVMF/AAVMF_CODE.fd")
        if not Path(name).exists()
    ]
    modules = [name for name in ("libvirt",) if not find_spec(name)]
    if missing := programs + files + modules:
        install = f"apt-get install {' '.join(PACKAGES)}; pip install '.[libvirt]'"
        skip = pytest.mark.skip(reason=f"needs {', '.join(missing)}: {install}")
        for item in items:
            if item.get_closest_marker("libvirt"):
                item.add_marker(skip)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Turn skips into failures if everything is installed, as in CI."""
    report = yield
    # pytest counts an expected failure as skipped too: these tests have run, and their reasons are in a table.
    expected = hasattr(report, "wasxfail")
    said = str(report.longrepr)
    refused = any(words in said for words in ("needs the right", "needs root", "can't be had"))  # not in any package
    if os.environ.get("KVMRENDER_NO_SKIP") and report.skipped and not expected and not refused:
        report.outcome = "failed"
        report.longrepr = f"skipped, although nothing may be skipped: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real headless Chromium, controlled by chromedriver."""
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    if missing or not find_spec("selenium"):
        pytest.skip(f"needs Chromium and selenium: apt-get install {' '.join(LOOK_PACKAGES)}; pip install '.[browser]'")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu", "window-size=1280,900"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    service = webdriver.ChromeService(executable_path=shutil.which("chromedriver"))
    with webdriver.Chrome(options=options, service=service) as driver:
        yield driver


@pytest.fixture(scope="session")
def embedded_uri() -> str:
    """The URI of an embedded driver with its state in a private folder."""
    return embedded_root()


@pytest.fixture(scope="session")
def connection(embedded_uri: str) -> Iterator[Any]:
    """A connection to libvirt's embedded QEMU driver, which keeps nothing after it is closed."""
    import libvirt

    libvirt.registerErrorHandler(lambda *_: None, None)
    libvirt.virEventRegisterDefaultImpl()
    opened = libvirt.open(embedded_uri)
    yield opened
    assert opened.listAllDomains() == []
    opened.close()


@pytest.fixture(scope="module", params=NAMES)
def driver(request: pytest.FixtureRequest) -> Iterator[Driver]:
    """The QEMU driver of each available libvirt, without a daemon."""
    with Driver(request.param) as opened:
        yield opened


@pytest.fixture(scope="module")
def host() -> Iterator[Driver]:
    """The QEMU driver of the machine's own libvirt."""
    with Driver(HOST) as opened:
        yield opened


@pytest.fixture(scope="session")
def session_uri() -> Iterator[str]:
    """A private libvirt daemon of the tests, for programs without an event loop. Its folder has a short name, because
    socket paths are limited in length."""
    with tempfile.TemporaryDirectory(prefix="k") as short:
        Path(short).chmod(0o755)
        with tools.session_libvirt(Path(short)) as uri:
            yield uri
