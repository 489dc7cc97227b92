"""Nothing becomes many times slower without anybody noticing.

No time is judged, but a ratio in one run, on any machine: see tests/bench/README.md.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter, process_time

import pytest
from bench import fleet
from bench.contenders import bare_template
from bench.guests import GUESTS, web
from conftest import ROOT
from tools import NOT_SOURCES

import kvmrender
from kvmrender.engine import Engine
from kvmrender.libvirt.importer import Importer
from kvmrender.libvirt.xml_tree import documents
from kvmrender.look.needs import needs_of

MOST = 8
"""Times that ``Renderer.render`` may take as long as a bare template with values that are ready. Measured were 2 for
small guests and 2 for the large one."""

OWN = '{% include "shipped/devices/disk.xml.j2" %}\n'


@pytest.mark.parametrize("name", GUESTS)
def test_rendering_is_not_many_times_slower_than_a_bare_template(name: str) -> None:
    renderer, guest = kvmrender.Renderer(), GUESTS[name]
    template, values = bare_template("large" if name == "large" else "small"), renderer.context(guest)
    ratio = least_ratio(lambda: renderer.render(guest), lambda: template.render(values), MOST)
    assert ratio < MOST, f"{ratio:.1f} times as long as a bare template"


def own_templates(folder: Path) -> Path:
    (folder / "devices").mkdir()
    (folder / "devices/disk.xml.j2").write_text(OWN)
    return folder


def _imported(folder: Path) -> Callable[[], object]:
    importer, xml = Importer(), kvmrender.render(web()).encode()

    def read() -> object:
        (document,) = documents(xml)
        assert document.root is not None
        return importer.imported(document.root)

    return read


def _drift(folder: Path) -> Callable[[], object]:
    xml = kvmrender.render(web())
    return lambda: kvmrender.drift(web(), [xml])


def _needs(folder: Path) -> Callable[[], object]:
    needs, context = needs_of(Engine().schema), kvmrender.Renderer().context(web())
    return lambda: needs(context)


def _fleet(folder: Path) -> Callable[[], object]:
    file = folder / "fleet.jsonl"
    fleet.write(file, 100)
    return lambda: kvmrender.render_fleet([str(file)], jobs=1)


def _with_own(folder: Path) -> Callable[[], object]:
    renderer = kvmrender.Renderer([own_templates(folder)])
    return lambda: renderer.render(web())


def _isolated(folder: Path) -> Callable[[], object]:
    renderer = kvmrender.Renderer([own_templates(folder)], isolated=True)
    return lambda: renderer.render(web())


@pytest.mark.parametrize(
    ("make", "most"),
    [(_imported, 40), (_drift, 80), (_needs, 4), (_fleet, 250), (_with_own, 20), (_isolated, 40)],
)
def test_others_are_not_many_times_slower_than_rendering(
    make: Callable[[Path], Callable[[], object]], most: float, tmp_path: Path
) -> None:
    """Measured were 12, 24, 0.7, 60 (a run of a hundred guests), 6 and 9."""
    renderer, run = kvmrender.Renderer(), make(tmp_path)
    for _ in range(60):  # until jsonschema-rs is at work
        renderer.render(web())
    ratio = least_ratio(run, lambda: renderer.render(web()), most)
    assert ratio < most, f"{ratio:.1f} times as long as to render a guest"


def least_ratio(ours: Callable[[], object], other: Callable[[], object], most: float) -> float:
    """The shortest time of the one through that of the other, of many turns; more turns while it seems too much."""
    shortest = [float("inf"), float("inf")]
    for _ in range(4):
        for _ in range(25):
            for number, (make, times) in enumerate(((ours, 1), (other, 5))):
                start = perf_counter()
                for _ in range(times):
                    make()
                shortest[number] = min(shortest[number], (perf_counter() - start) / times)
        if shortest[0] / shortest[1] < most:
            break
    return shortest[0] / shortest[1]


FLEET_MOST, BYTES_MOST = 12, 700
"""Times that a guest of a fleet may take in all processes, written to its file, as long as ``Renderer.render``, and
bytes that the parent may keep of it. Measured were 4 and 370, of these few."""


@pytest.mark.usefixtures("unmeasured")
def test_fleets_take_no_more_for_a_guest_where_they_are_large(tmp_path: Path) -> None:
    renderer = kvmrender.Renderer()
    shortest = least_seconds(lambda: renderer.render(fleet.guest(1)))
    rows = fleet.measure(tmp_path, {"jsonl": [2_000, 20_000]}, jobs=2, rounds=1)
    few, many = rows[1:]
    ratio = (many["cpu"] - few["cpu"]) / (many["guests"] - few["guests"]) / shortest
    assert ratio < FLEET_MOST, f"{ratio:.1f} times as long as to render a guest"
    assert fleet.growth(rows)["jsonl"]["bytes_per_guest"] < BYTES_MOST


def least_seconds(run: Callable[[], object]) -> float:
    """The shortest processor's time of many turns."""
    found = []
    for _ in range(200):
        start = process_time()
        for _ in range(5):
            run()
        found.append((process_time() - start) / 5)
    return min(found)


STARTS = {
    "command": (["-m", "kvmrender", "render", str(ROOT / "fixtures/web-1.yaml")], 3),
    "library": (["-c", "import kvmrender; kvmrender.render({'name': 'a'})"], 5),
    "own templates": (["-c", "import kvmrender; kvmrender.Renderer(['own']).render({'name': 'a'})"], 6),
    "own templates, isolated": (["-m", "kvmrender", "render", "--templates=own", str(ROOT / "fixtures/web-1.yaml")], 9),
    "own schema part": (["-c", "import kvmrender; kvmrender.Renderer(['part']).render({'name': 'a'})"], 18),
}
"""What is run, and how many times as long as ``import yaml, jinja2`` it may take. Measured were 1.2, 1.9, 2.3, 3.4 and
6.6."""


@pytest.mark.usefixtures("unmeasured")
def test_starts_are_not_many_times_slower_than_imports(tmp_path: Path) -> None:
    """Of what a wheel installs, with a home that can't be written."""
    shutil.copytree(ROOT / "kvmrender", tmp_path / "kvmrender", ignore=NOT_SOURCES)
    shutil.copytree(ROOT / "templates", tmp_path / "kvmrender/templates")
    (tmp_path / "own").mkdir()
    own_templates(tmp_path / "own")
    (tmp_path / "part/devices").mkdir(parents=True)
    shutil.copy(ROOT / "templates/devices/hub.schema.yaml", tmp_path / "part/devices")
    seconds(tmp_path, ["-c", "from kvmrender.compiler.prepared import write; write()"])
    shortest = dict.fromkeys(("imports", *STARTS), float("inf"))
    for _ in range(5):
        for name in shortest:
            arguments = STARTS[name][0] if name in STARTS else ["-c", "import yaml, jinja2"]
            shortest[name] = min(shortest[name], seconds(tmp_path, arguments))
    slow = {name: shortest[name] / shortest["imports"] for name, (_, most) in STARTS.items()}
    assert not {name: ratio for name, ratio in slow.items() if ratio > STARTS[name][1]}


def seconds(folder: Path, arguments: list[str]) -> float:
    """The processor's time of a run of Python, with the package in a folder."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "HOME": "/proc"}
    subprocess.run([sys.executable, *arguments], env=given, cwd=folder, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
