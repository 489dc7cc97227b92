"""Fleets: what guests may not share, all problems in one go, any number of processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from pathlib import Path
from queue import Queue
from typing import Any

import pytest
from conftest import ROOT, Run

from kvmrender.context.mac_address import mac_address
from kvmrender.errors import Error
from kvmrender.fleet.processes import _do, _start, _submit, cores, spread
from kvmrender.terminal import SIGNALS


def fleet(*guests: dict[str, Any]) -> str:
    return "".join(json.dumps({"name": f"g{number}", **guest}) + "\n" for number, guest in enumerate(guests))


NIC = {"interfaces": {"source": "br0", "mac": "52:54:00:00:00:0a"}}
DISK = {"disks": [{"source": "/a.qcow2"}]}


@pytest.mark.parametrize(
    ("guests", "said"),
    [
        (
            fleet({"name": "a"}, {}, {"name": "a"}),
            "<stdin>:3:10: name: 'a' is the name of two guests (the other: <stdin>:1:10) [shared-name]",
        ),
        (
            fleet({"uuid": "2AC00355-aa38-5a2b-9e12-bd4f3f3ed0f2"}, {"uuid": "2ac00355aa385a2b9e12bd4f3f3ed0f2"}),
            "<stdin>:2:24: uuid: '2ac00355-aa38-5a2b-9e12-bd4f3f3ed0f2' of guest 'g1' is also that of 'g0' (uuid at"
            " <stdin>:1:24) [shared-uuid]",
        ),
        (
            fleet(NIC, {}, {"interfaces": {"source": "br0", "mac": "52:54:00:00:00:0A"}}),
            "<stdin>:3:55: interfaces[0].mac.address: '52:54:00:00:00:0a' of guest 'g2' is also that of 'g0'"
            " (interfaces[0].mac.address at <stdin>:1:55) [shared-mac]",
        ),
        (
            fleet(DISK, DISK),
            "<stdin>:2:37: disks[0].source.file: '/a.qcow2', which guest 'g1' writes to, is written by 'g0' too"
            " (disks[0].source.file at <stdin>:1:37): make it shareable or readonly in both, or allow it with"
            " --allow-shared [shared-disk]",
        ),
        (
            fleet({"disks": [{"source": "/dev/sda"}]}, {"disks": [{"device": "lun", "source": "/dev/sda"}]}),
            "<stdin>:2:54: disks[0].source.dev: '/dev/sda', which guest 'g1' writes to, is written by 'g0' too"
            " (disks[0].source.dev at <stdin>:1:37): make it shareable or readonly in both, or allow it with"
            " --allow-shared [shared-disk]",
        ),
    ],
)  # fmt: skip
def test_two_guests_share_what_is_one_guests(guests: str, said: str, run: Run) -> None:
    result = run("render", input=guests)
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", f"{said}\n")


@pytest.mark.parametrize(
    "disk",
    [
        {"source": "/a.qcow2", "shareable": True, "driver": {"type": "raw"}},
        {"source": "/a.qcow2", "readonly": True},
        {"source": "/a.iso", "device": "cdrom"},
        {"device": "cdrom"},
    ],
)
def test_disks_that_may_be_shared(disk: dict[str, Any], run: Run) -> None:
    assert run("render", input=fleet({"disks": [disk]}, {"disks": [disk]})).exit_code == 0


def test_shared_disks_are_allowed_by_pattern(run: Run) -> None:
    guests = fleet(DISK, DISK)
    assert run("render", "--allow-shared", "/*.qcow2", input=guests).exit_code == 0
    assert run("render", "--allow-shared", "/b*", input=guests).exit_code == 2


@pytest.mark.parametrize(
    ("first", "second"), [("/a.qcow2", "/a.qcow2"), ("/dev/sda", "/dev/sda"), ("{pool: p, volume: v}",) * 2]
)
def test_a_disk_that_one_guest_has_twice(first: str, second: str, run: Run) -> None:
    """QEMU locks what it writes to: such a guest doesn't start. What is only read, or meant to be shared, may be."""

    def guest(more: str = "") -> str:
        return f"name: a\ndisks:\n- {{source: {first}{more}}}\n- {{source: {second}{more}}}\n"

    result = run("render", input=guest())
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("<stdin>:4:")
    assert "is written by disks[0] too: make both shareable or readonly, or allow it with --allow-shared" in line
    for more in (", shareable: true, driver: raw", ", readonly: true"):
        assert run("render", input=guest(more)).exit_code == 0
    assert run("render", "--allow-shared", "*", input=guest()).exit_code == 0


def test_two_guests_that_each_have_an_image_once_and_one_that_has_it_twice(run: Run) -> None:
    twice = [{"source": "/a.img"}, {"source": "/a.img"}]
    guests = [{"name": "a", "disks": twice}, {"name": "b", "disks": twice[:1]}]
    result = run("render", input="".join(json.dumps(guest) + "\n" for guest in guests))
    assert len(result.stderr.splitlines()) == 2


def colliding() -> tuple[int, int]:
    """Return the numbers of two guests whose derived addresses are the same."""
    seen: dict[str, int] = {}
    number = 0
    while (other := seen.setdefault(mac_address("", f"g{number}", "interface 0"), number)) == number:
        number += 1
    return other, number


def test_derived_addresses_that_collide_are_told_with_the_remedy(run: Run) -> None:
    first, second = (f"g{number}" for number in colliding())
    guests = [{"name": name, "interfaces": [{"source": "br0"}]} for name in (first, second)]
    result = run("render", input=fleet(*guests))
    assert result.exit_code == 2
    assert f"derived for guest '{second}', is also that of '{first}' (<stdin>:1:" in result.stderr
    assert 'give one of them a mac, or all of them mac_prefix: "02", which leaves 40 bits' in result.stderr
    assert run("render", "--set", "mac_prefix='02'", input=fleet(*guests)).exit_code == 0


def test_all_problems_of_all_guests_and_nothing_written(tmp_path: Path, run: Run) -> None:
    guests = fleet({"vcpu": 0}, {}, {"memory": "much"}, {"name": "g1"})
    result = run("render", "-o", tmp_path / "out", input=guests)
    assert result.exit_code == 2
    assert [line.partition(": ")[2].partition(":")[0] for line in result.stderr.splitlines()] == [
        "vcpu",
        "memory",
        "name",
    ]
    assert list((tmp_path / "out").iterdir()) == []


def test_faults_of_templates_are_told_beside_all_others(tmp_path: Path, run: Run) -> None:
    (tmp_path / "site/devices").mkdir(parents=True)
    (tmp_path / "site/devices/rng.xml.j2").write_text("{{ device.nothing }}\n")
    (tmp_path / "site/devices/disk.xml.j2").write_text("{{ 1 // 0 }}\n")
    rng = {"rngs": {"model": "virtio", "backend": {"model": "random", "text": "/dev/urandom"}}}
    broken = [{"name": f"r{number}", **rng} for number in range(150)]
    guests = fleet(
        *broken, {"name": "d", "disks": {"source": "/a.qcow2"}}, {"name": "good"}, {"name": "b", "memroy": 1}
    )
    guests += "\n" + fleet({"name": "twin"}, {"name": "twin"})
    command = ["render", "-j2", "--templates", tmp_path / "site", "-o", tmp_path / "out", "--report", "json"]
    result = run(*command, input=guests)
    assert result.exit_code == 2
    rng_file, disk_file = (f"{tmp_path}/site/devices/{name}.xml.j2:1: " for name in ("rng", "disk"))
    said = result.stderr
    assert said.count(rng_file) == said.count(disk_file) == 1
    assert "(guest 'r0', rngs[0], and 149 more guests)\n" in said
    assert "memroy: is not a known key" in said
    assert "'twin' is the name of two guests" in said
    assert not list((tmp_path / "out").glob("*"))
    reported = [json.loads(line) for line in result.stdout.splitlines()]
    assert [found["status"] for found in reported if found["name"]].count("failed") == 152
    assert [problem["id"] for problem in reported[-1]["problems"]] == ["shared-name"]
    assert reported[0]["problems"][0]["file"].endswith("site/devices/rng.xml.j2")
    alone = run(*command[:4], "--select", "d", input=guests)
    assert disk_file in alone.stderr
    assert "more guests" not in alone.stderr


def test_a_hundred_problems_are_listed_then_counted(run: Run) -> None:
    result = run("render", input=fleet(*[{"vcpu": 0}] * 1234))
    lines = result.stderr.splitlines()
    assert len(lines) == 101
    assert lines[-1] == "and 1,134 more problems"


@pytest.mark.parametrize("command", ["render", pytest.param("validate", marks=pytest.mark.libvirt)])
def test_file_that_can_not_be_read_is_always_listed(
    command: str, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kvmrender.cli.main.MOST_FOUND", 100)
    (tmp_path / "g.jsonl").write_text(fleet(*[{"vcpu": 0}] * 101))
    (tmp_path / "bad.yaml").write_text("a: [")
    result = run(command, tmp_path / "g.jsonl", tmp_path / "none.yaml", tmp_path / "bad.yaml")
    assert f"{tmp_path}/none.yaml: No such file or directory [file]\n" in result.stderr
    assert f"{tmp_path}/bad.yaml:2:1: is not YAML: " in result.stderr
    assert result.stderr.endswith("and 1 more problems\n")


def test_problem_of_the_defaults_is_told_once(run: Run) -> None:
    guests = "".join(f"- name: g{number}\n" for number in range(300))
    result = run("render", input=f"defaults:\n  vcpu: 0\nguests:\n{guests}")
    assert result.stderr == "<stdin>:2:9: vcpu: 0 is less than 1 [schema]\n"


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_order_is_that_of_the_input(jobs: int, run: Run) -> None:
    guests = fleet(*[{}] * 700)
    result = run("render", "--jobs", jobs, input=guests)
    names = [line.strip() for line in result.stdout.splitlines() if "<name>" in line]
    assert names == [f"<name>g{number}</name>" for number in range(700)]
    problems = run("render", "--jobs", jobs, input=guests.replace('"g6', '"/g6'))
    assert [line.split(":")[1] for line in problems.stderr.splitlines()[:3]] == ["7", "61", "62"]


def numbers(upto: int) -> Iterator[tuple[int, int]]:
    return ((number, number) for number in range(upto))


def test_spread_over_processes_keeps_order() -> None:
    here, both, met = os.getpid(), get_context("fork").Barrier(2, timeout=60), list[bool]()

    def work(number: int) -> int:
        if os.getpid() != here and not met:
            both.wait()  # each process has something to do
            met.append(True)
        return os.getpid()

    pids = {pid for _, pid in spread(work, numbers(50), 2)}
    assert len(pids - {here}) == 2
    assert list(spread(lambda number: number * 2, numbers(50), 3)) == [(n, n * 2) for n in range(50)]


def test_one_chunk_starts_no_process() -> None:
    assert list(spread(lambda number: os.getpid(), numbers(1), 8)) == [(0, os.getpid())]


@pytest.mark.parametrize(("chunks", "most"), [(1, 0), (2, 0), (3, 2), (9, 8)])
def test_never_more_processes_than_chunks(chunks: int, most: int) -> None:
    found = {done for _, done in spread(lambda _: os.getpid(), iter([(None, 0)] * chunks), 3000)} - {os.getpid()}
    assert len(found) <= most


def test_never_more_processes_than_cores(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def note(work: object, chunks: object, jobs: int) -> Any:
        asked.append(jobs)
        yield from ()

    monkeypatch.setattr("kvmrender.fleet.fleet.spread", note)
    run("render", "-j", "3000", input="name: a")
    assert asked == [cores()]


def test_death_of_a_process_is_an_error() -> None:
    with pytest.raises(Error, match="a worker process died"):
        list(spread(lambda number: number if number < 20 else os._exit(9), numbers(50), 2))


def test_no_process_is_left_when_the_command_is_killed(tmp_path: Path) -> None:
    (tmp_path / "g.jsonl").write_text(fleet(*[{"disks": [{"source": f"/{n}.qcow2"}]} for n in range(20_000)]))
    command = [sys.executable, "-m", "kvmrender", "render", "--jobs", "2", "-o", "out", "g.jsonl"]
    process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})
    until(lambda: len(children(process.pid)) == 2)
    workers = children(process.pid)
    process.kill()
    process.wait()
    until(
        lambda: (
            not any(
                Path(f"/proc/{worker}/cmdline").exists() and Path(f"/proc/{worker}/cmdline").read_bytes()
                for worker in workers
            )
        )
    )


def children(pid: int) -> list[int]:
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def until(condition: Callable[[], bool]) -> None:
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("waited in vain for half a minute")


@pytest.mark.usefixtures("unmeasured")
def test_interrupt_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "g.jsonl").write_text(fleet(*[{"disks": [{"source": f"/{n}.qcow2"}]} for n in range(20_000)]))
    command = [sys.executable, "-m", "kvmrender", "render", "--jobs", "2", "-o", "out", "g.jsonl"]
    for sent in (signal.SIGINT, signal.SIGTERM):
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        until(lambda: any((tmp_path / "out").glob(".kvmrender-*/*")))
        os.killpg(process.pid, sent)
        assert process.communicate()[1] == "interrupted\n"
        assert process.returncode == 128 + sent
        assert list((tmp_path / "out").iterdir()) == []


AS_IT_FORKS = """
import os, signal, time
from kvmrender.fleet.processes import spread

def interrupt():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)  # here Python looks for signals

signal.signal(signal.SIGINT, signal.default_int_handler)  # also where tests are run in the background
os.register_at_fork(after_in_parent=interrupt)
try:
    print(sum(done for _, done in spread(abs, iter([(None, 1)] * 9), 2)))
except KeyboardInterrupt:
    print("interrupted")
"""


def test_interrupt_as_a_process_is_started_is_not_lost() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AS_IT_FORKS],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


AS_IT_IMPORTS = """
import sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "decimal":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupt())
sys.modules.pop("decimal", None)  # coverage, where it runs, has brought it in
sys.argv = ["kvmrender", "render", "guest.yaml"]
from kvmrender.__main__ import main
main()
"""


def test_interrupt_as_jsonschema_rs_is_imported_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "guest.yaml").write_text("name: a\nmemroy: 1\n")
    done = subprocess.run(
        [sys.executable, "-c", AS_IT_IMPORTS],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr, done.returncode) == ("", "interrupted\n", 130)


def test_pipes_are_read_once(tmp_path: Path) -> None:
    """Standard input and named pipes can't be read twice, but two guests of one name are told with their lines."""
    fifo = tmp_path / "pipe.jsonl"
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "kvmrender", "render", str(fifo)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    fifo.write_text(fleet({"name": "a"}, {"name": "a"}))
    said = f"{fifo}:2:10: name: 'a' is the name of two guests (the other: {fifo}:1:10) [shared-name]\n"
    assert process.communicate()[1] == said


def blocked() -> set[int]:
    return {*signal.pthread_sigmask(signal.SIG_BLOCK, [])} & {*SIGNALS}


@pytest.fixture
def signals() -> Iterator[None]:
    """What is done about signals is as it was afterwards."""
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signals")
def test_a_worker_leaves_signals_to_its_parent_and_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: Queue[int] = Queue()
    monkeypatch.setattr(os, "_exit", ended.put)
    reader, writer = os.pipe()
    parent = os.dup(writer)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    _start(lambda number: number * 2, reader, writer)
    assert [signal.getsignal(number) for number in SIGNALS] == [signal.SIG_IGN, signal.SIG_DFL]
    assert blocked() == set()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(writer)
    assert _do(4) == 8
    assert ended.empty()
    os.close(parent)
    assert ended.get(timeout=60) == 1
    os.close(reader)


class Pool:
    """Takes work as a pool does, which forks as it does so."""

    def submit(self, work: Any, sent: Any) -> Any:
        assert blocked() == {*SIGNALS}
        if sent == "none":
            raise RuntimeError("can't fork")
        return work, sent


@pytest.mark.usefixtures("signals")
def test_signals_are_kept_back_while_a_worker_is_forked() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
    pool: Any = Pool()
    assert _submit(pool, 5) == (_do, 5)
    assert blocked() == set()
    with pytest.raises(RuntimeError, match="can't fork"):
        _submit(pool, "none")
    assert blocked() == set()
