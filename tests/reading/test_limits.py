"""The size of guest files is limited, and reading stops at the limit."""

from __future__ import annotations

import gc
import json
import os
import resource
import shutil
import subprocess
import sys
import tracemalloc
import weakref
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run
from hostile import bounded, complaint

from kvmrender import GuestError, TemplateError
from kvmrender.engine import Engine
from kvmrender.errors import Problem
from kvmrender.fleet.clashes import Shared
from kvmrender.reading.inputs import Inputs
from kvmrender.reading.size_limits import MAX_SIZE, Limited, growth
from kvmrender.schema.guest_schema import GuestSchema


@pytest.mark.parametrize("name", ["g.yaml", "g.json", "g.jsonl", "g"])
def test_scalar_of_a_gigabyte_is_refused_by_its_size(name: str, tmp_path: Path) -> None:
    with (tmp_path / name).open("wb") as file:
        file.write(b'{"name": "')
        file.truncate(1 << 30)  # what isn't written takes no room on the disk
    said = complaint(bounded("render", name, cwd=tmp_path))
    place = f"{name}:1:1: a line" if name in ("g.jsonl", "g") else f"{name}:"
    assert said == f"{place} is more than 64 MiB: --max-size allows more [max-size]"


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
    assert complaint(done) == f"<stdin>{place} is more than 1 MiB: --max-size allows more [max-size]"


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
    said = "is more than 2 KiB: --max-size allows more [max-size]"
    assert result.stderr == f"{shown}{':1:1: a line' if lines else ':'} {said}\n"


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
        assert result.stderr == f"{shown}:4:1: a line is more than 1 KiB: --max-size allows more [max-size]\n"


def test_limit_is_that_of_defaults_and_of_domain_xml(tmp_path: Path, run: Run) -> None:
    file = tmp_path / "d.yaml"
    file.write_text(f"title: {'x' * 1024}")
    said = f"{file}: is more than 1 KiB: --max-size allows more [max-size]\n"
    result = run("render", "--max-size", "1 KiB", "--defaults", file, input="name: a")
    assert (result.exit_code, result.stderr) == (2, said)
    if Path("/usr/share/libvirt/schemas/domain.rng").exists():
        assert run("validate", "--max-size", "1 KiB", file).stderr == said


def test_stream_of_json_lines_without_end_is_refused() -> None:
    program = 'import itertools\nfor n in itertools.count(): print(\'{"name": "%d"}\' % n)'
    endless = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=_bounded_output
    )
    assert endless.stdout
    done = bounded("render", "--max-size", "1 KiB", stdin=endless.stdout.fileno())
    endless.stdout.close()
    endless.wait()
    assert "<stdin>: is more than 16 KiB: --max-size allows more [max-size]\n" in done.stderr.decode()
    assert (done.returncode, done.stdout) == (2, b"")


def test_what_is_written_to_a_file_while_it_is_read_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "g.jsonl"
    file.write_text('{"name": "a"}\n{"name": "b"}\n')
    problems: list[Problem] = []
    found = []
    for document in Inputs({"properties": {}}, (str(file),)).documents(problems):
        found.append(document.guest["name"])
        with file.open("a") as more:
            more.write('{"name": "c"}\n')
    assert (found, problems) == (["a", "b"], [])


@pytest.mark.parametrize("name", ["g.jsonl", "g.yaml"])
def test_file_that_becomes_smaller_while_it_is_read_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text('{"name": "a"}\n' * 10_000)
    limited = Limited(name, file.open("rb"), 1 << 20, file.stat().st_size)
    limited.readline()
    os.truncate(file, 14 * 5000)
    with (
        closing(limited._stream),
        pytest.raises(GuestError, match=rf"^{name}: has become smaller while it was read \[file\]$"),
    ):
        list(limited) if name == "g.jsonl" else limited.read()


GONE = {
    "smaller": lambda file: os.truncate(file, file.stat().st_size // 2),
    "empty": lambda file: os.truncate(file, 0),
    "vanished": lambda file: file.unlink(),
    "another": lambda file: (file.write_text(file.read_text()), os.utime(file, (1, 1))),
    "replaced": lambda file: (shutil.copy(file, f"{file}.new"), Path(f"{file}.new").replace(file)),
}


@pytest.mark.parametrize("name", ["g.jsonl", "g.yaml"])
@pytest.mark.parametrize("change", GONE.values(), ids=GONE)
def test_input_that_changes_before_it_is_read_again_stops_the_run(
    change: Callable[[Path], Any], name: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run reads its guests again where two of them seem to share something."""
    file = tmp_path / name
    lines = [
        f'{{"name": "{guest}", "interfaces": [{{"source": "br0", "mac": "52:54:00:00:00:01"}}]}}' for guest in "ab"
    ]
    file.write_text("".join(f"{line}\n" for line in lines) if name == "g.jsonl" else "\n---\n".join(lines))
    suspects = Shared.suspects
    monkeypatch.setattr(Shared, "suspects", lambda shared: [suspects(shared), change(file)][0])
    result = run("render", "-o", tmp_path / "out", file)
    assert result.exit_code == 2
    assert str(file) in result.stderr
    assert not list((tmp_path / "out").glob("*.xml"))


def test_file_that_grows_before_it_is_read_again_is_what_it_was(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "g.jsonl"
    file.write_text('{"name": "a"}\n{"name": "a"}\n')
    suspects = Shared.suspects
    grow = lambda: file.write_text(file.read_text() * 2)  # noqa: E731
    monkeypatch.setattr(Shared, "suspects", lambda shared: [suspects(shared), grow()][0])
    result = run("render", file)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert result.stderr.startswith(f"{file}:2:")


@pytest.mark.parametrize("to", ["folder", "standard output"])
@pytest.mark.parametrize("kind", ["defaults", "fleet"])
def test_what_guests_become_is_limited(kind: str, to: str, tmp_path: Path, run: Run) -> None:
    """A text of 20 kB under each of 3,000 guests is 60 MB: more than 256 times what was read, and than four files."""
    name: str | Path = "-"
    text, names = "x" * 20_000, [f'{{"name": "g{number}"}}' for number in range(3000)]
    options = ["-o", tmp_path / "out"] if to == "folder" else []
    if kind == "defaults":
        (tmp_path / "d.yaml").write_text(f"description: {text}\n")
        options += ["--defaults", tmp_path / "d.yaml"]
        given = "\n".join(names)
    else:
        name = tmp_path / "g.json"
        given = f'{{"defaults": {{"description": "{text}"}}, "guests": [{", ".join(names)}]}}'
        name.write_text(given)
    result = run("render", "--max-size", "1 MiB", *options, name, input=given)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("the expanded data is more than ")
    assert result.stderr.endswith(": --max-size allows more [max-size]\n")
    assert not list((tmp_path / "out").glob("*.xml"))
    few = given if kind == "fleet" else "\n".join(names[:20])
    assert (
        run("render", "--max-size", "32 MiB" if kind == "fleet" else "1 MiB", *options, name, input=few).exit_code == 0
    )


@pytest.mark.parametrize("name", ["amd64.xml.j2", "devices/disk.xml.j2", "devices/disk.schema.yaml"])
def test_templates_larger_than_any_are_not_read(name: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.touch()
    os.truncate(file, 50 << 30)
    said = f"{file}: is larger than 16 MiB, which no template or schema part is"
    guest = "{name: a, disks: [{source: /a.qcow2}]}"
    for command in (["render"], ["templates", "show", name], ["templates", "check"]):
        folder = [tmp_path] if command[-1] == "check" else ["--templates", tmp_path]
        result = run(*command, *folder, input=guest)
        assert (result.exit_code, said in (result.stdout + result.stderr)) == (2, True), result.output
    with pytest.raises(TemplateError, match="is larger than 16 MiB"):
        Engine([tmp_path]).render({"name": "a", "disks": [{"source": "/a.qcow2"}]})


def test_ordinary_fleets_are_far_from_the_limits(tmp_path: Path, run: Run) -> None:
    (tmp_path / "d.yaml").write_text(f"description: {'x' * 2000}\ndisks: [{{source: /a.qcow2, readonly: true}}]\n")
    guests = "\n".join(f'{{"name": "g{number:08}", "title": "{"y" * 60}"}}' for number in range(500))
    xml = run("render", "--defaults", tmp_path / "d.yaml", input=guests).stdout
    assert 10 * len(xml) / 500 * 100_000 < growth(100_000 * len(guests) // 500, MAX_SIZE) * 4
    assert run("render", "--max-size", "4 KiB", "--defaults", tmp_path / "d.yaml", input=guests[:60_000]).exit_code == 0


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
        renderer = Engine([tmp_path])
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
    renderer = Engine()

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


@pytest.mark.parametrize("text", ["<![CDATA[<…]]>", "<!--<… -->", "<x…/>", "<x>&lt;…</x>", "<x>\n…</x>"])
def test_long_raw_xml_is_no_longer_work_than_its_length(text: str, tmp_path: Path) -> None:
    """With a template of one's own, which Jinja renders: what elements are empty is seen in what it has written."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/amd64.xml.j2").write_text('{% extends "shipped/amd64.xml.j2" %}')
    filling = " " if "\n" in text else "a"
    guest = {"name": "a", "extra": {"domain": "<m/>" + text.replace("…", filling * 2_000_000)}}
    (tmp_path / "g.json").write_text(json.dumps(guest))
    done = bounded("render", "--templates", "site", "g.json", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(done.stdout) > 2_000_000
