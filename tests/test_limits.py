"""The size of guest files is limited, and reading stops at the limit."""

from __future__ import annotations

import gc
import resource
import subprocess
import sys
import tracemalloc
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run
from hostile import bounded, complaint

from kvmrender import GuestError, Renderer
from kvmrender.schema import GuestSchema


@pytest.mark.parametrize("name", ["g.yaml", "g.json", "g.jsonl", "g"])
def test_scalar_of_a_gigabyte_is_refused_by_its_size(name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(b'{"name": "')
        file.truncate(1 << 30)  # what isn't written takes no room on the disk
    said = complaint(bounded("render", name, cwd=tmp_path))
    place = f"{name}:1:1: a line" if name in ("g.jsonl", "g") else f"{name}:"
    assert said == f"{place} is more than 64 MiB: --max-size allows more"


@pytest.mark.parametrize("start", ["title: a\n", '{"name": "a"}\n', ""])
def test_standard_input_without_end_is_refused_by_its_size(start: str) -> None:
    program = f"import sys\nsys.stdout.write({start!r})\nwhile True: sys.stdout.write('x' * 65536)"
    endless = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=_bounded_output
    )
    assert endless.stdout
    done = bounded("render", "--max-size", "1 MiB", stdin=endless.stdout.fileno())
    endless.stdout.close()
    endless.wait()
    place = ":2:1: a line" if start.startswith("{") else ":1:1: a line" if not start else ":"
    assert complaint(done) == f"<stdin>{place} is more than 1 MiB: --max-size allows more"


def _bounded_output() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (30, 30))


def filled(size: int, text: str) -> bytes:
    return text.replace("…", "x" * (size - len(text.encode()) + len("…".encode()))).encode()


@pytest.mark.parametrize("how", ["option", "environment"])
@pytest.mark.parametrize("text", ["name: a\ntitle: …\n", '{"name": "a", "title": "…"}'])
@pytest.mark.parametrize("name", ["g.yaml", "g.txt", "-"])
def test_limit_is_met_to_the_byte(
    name: str, text: str, how: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--max-size", "2 KiB"] if how == "option" else []
    if how == "environment":
        monkeypatch.setenv("KVMRENDER_MAX_SIZE", "2 KiB")
    for size, code in ((2048, 0), (2049, 2)):
        data = filled(size, text)
        assert len(data) == size
        (tmp_path / "g.yaml").write_bytes(data)
        (tmp_path / "g.txt").write_bytes(data)
        result = run("render", *options, name, input=data)
        assert result.exit_code == code, result.stderr
    shown = "<stdin>" if name == "-" else name
    lines = text.startswith("{") and name != "g.yaml"
    assert result.stderr == f"{shown}{':1:1: a line' if lines else ':'} is more than 2 KiB: --max-size allows more\n"


def test_limit_is_that_of_each_line_of_json_lines(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = b"".join(filled(1024, f'{{"name": "{name}", "title": "…"}}\n') for name in "abc")
    long = filled(1025, '{"name": "d", "title": "…"}\n')
    for name in ("g.jsonl", "-"):
        (tmp_path / "g.jsonl").write_bytes(lines)
        assert run("render", "--max-size", "1 KiB", name, input=lines).stdout.count("<name>") == 3
        (tmp_path / "g.jsonl").write_bytes(lines + long)
        result = run("render", "--max-size", "1 KiB", name, input=lines + long)
        shown = "<stdin>" if name == "-" else name
        assert result.stderr == f"{shown}:4:1: a line is more than 1 KiB: --max-size allows more\n"


def test_limit_is_that_of_defaults_and_of_domain_xml(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "d.yaml"
    file.write_text(f"title: {'x' * 1024}")
    said = f"{file}: is more than 1 KiB: --max-size allows more\n"
    result = run("render", "--max-size", "1 KiB", "--defaults", file, input="name: a")
    assert (result.exit_code, result.stderr) == (2, said)
    if Path("/usr/share/libvirt/schemas/domain.rng").exists():
        assert run("validate", "--max-size", "1 KiB", file).stderr == said


@pytest.mark.parametrize("size", ["", "x", "0", "-1", "1.5 MiB", "1000 b"])
def test_limit_that_is_none(size: str, run: Run) -> None:
    result = run("render", "--max-size", size, input="name: a")
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"'{size}' is not a " in result.stderr


def test_a_renderer_that_is_dropped_leaves_nothing_behind(tmp_path: Path) -> None:
    """As of a process that makes one for each save of a template."""
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/disk.xml.j2").write_text((ROOT / "templates/devices/disk.xml.j2").read_text())

    def dropped() -> weakref.ref[GuestSchema]:
        renderer = Renderer([tmp_path])
        for guest in ({"name": "a"}, {"name": "a", "disks": [{"source": "/a.img"}], "memory": "1 GiB"}):
            renderer.render(guest)
        with pytest.raises(GuestError):
            renderer.render({"name": "a", "disks": [{"source": "/a"}]})
        return weakref.ref(renderer.schema)

    for _ in range(3):
        dropped()
    gc.collect()
    before = len(gc.get_objects())
    left = [dropped() for _ in range(30)]
    gc.collect()
    assert not any(schema() for schema in left)
    assert len(gc.get_objects()) < before + 1000


@pytest.mark.parametrize("key", ["namespace", "machine", "memory", "title", "unknown", "vars"])
def test_long_texts_of_guests_are_not_kept(key: str) -> None:
    renderer = Renderer()

    def rendered(number: int) -> None:
        text = f"4{number}" + (" " if key == "memory" else "a") * (1 << 20)
        guest: dict[str, Any] = {"vars": {text: 1}} if key == "vars" else {text: 1} if key == "unknown" else {key: text}
        with suppress(GuestError):
            renderer.render({"name": "a", **guest})

    for number in range(70):  # guests later than the first are held against another form of the schema
        rendered(number)
    tracemalloc.start()
    for number in range(70, 80):
        rendered(number)
    gc.collect()
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 1 << 20
