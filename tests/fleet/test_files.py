"""Places of files that are not what they seem, or belong to others."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from conftest import ROOT, Run

from kvmrender.errors import Error
from kvmrender.fleet.folder import Folder

GUEST = "name: a\n"
NOBODY = 65534

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to act as another user")


@pytest.mark.parametrize("name", ["../a", "/etc/a", "a/b", "a/../../b", "./a", "/", "a\0b", "a\nb"])
def test_name_that_is_a_path_is_refused_and_nothing_is_written(name: str, tmp_path: Path, run: Run) -> None:
    import json

    result = run("render", "-o", tmp_path / "out", input=json.dumps({"name": name}))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert "name: " in result.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["out"]


def test_output_through_a_link_goes_where_it_leads_and_links_inside_are_replaced(tmp_path: Path, run: Run) -> None:
    """A link as DIR is what its owner asked for; one that someone has put inside DIR is not followed."""
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "real/a.xml").symlink_to(tmp_path / "elsewhere/a.xml")
    assert run("render", "-o", tmp_path / "out", input=GUEST).exit_code == 0
    assert "<name>a</name>" in (tmp_path / "real/a.xml").read_text()
    assert not (tmp_path / "real/a.xml").is_symlink()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_link_to_nothing_as_a_folder(tmp_path: Path, run: Run) -> None:
    (tmp_path / "out").symlink_to("nowhere")
    result = run("render", "-o", tmp_path / "out", input=GUEST)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


@pytest.mark.parametrize("when", ["staged", "committed"])
def test_folder_that_becomes_a_link_during_the_run_keeps_its_files(when: str, tmp_path: Path) -> None:
    """What was opened is written to, whatever its path has come to lead to."""
    out, victim = tmp_path / "out", tmp_path / "victim"
    victim.mkdir()
    (victim / "a.xml").write_text("mine")
    folder = Folder(str(out))

    def swap() -> None:
        out.rename(tmp_path / "moved")
        out.symlink_to(victim)

    if when == "staged":
        swap()
    folder.stage(b"a.xml", b"new", None)
    if when == "committed":
        swap()
    folder.commit([b"a.xml"])
    assert folder.read(b"a.xml") is not None
    folder.remove(b"a.xml")
    folder.stage(b"b.xml", b"new", None)
    folder.commit([b"b.xml"])
    folder.close()
    assert [(path.name, path.read_text()) for path in victim.iterdir()] == [("a.xml", "mine")]
    assert [path.name for path in (tmp_path / "moved").iterdir()] == ["b.xml"]


def test_staging_folder_that_becomes_a_link_is_not_followed(tmp_path: Path) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim"
    victim.mkdir()
    (victim / "a.xml").write_text("mine")
    folder = Folder(str(out))
    folder.stage(b"a.xml", b"new", None)
    (staging,) = out.iterdir()
    staging.rename(tmp_path / "moved")
    staging.symlink_to(victim)
    folder.close()  # removes what is staged
    assert (victim / "a.xml").read_text() == "mine"


def test_staging_folder_of_someone_elses_making_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim"
    out.mkdir()
    victim.mkdir()
    monkeypatch.setattr("kvmrender.fleet.folder.os.urandom", lambda count: b"k" * count)
    folder = Folder(str(out))
    (out / f".kvmrender-{'6b' * 8}").symlink_to(victim)
    with pytest.raises(Error, match=r"Not a directory|Too many levels of symbolic links"):
        folder.stage(b"a.xml", b"new", None)
    folder.close()
    assert list(victim.iterdir()) == []


def test_staging_folder_is_the_owners_alone_and_its_name_can_not_be_guessed(tmp_path: Path) -> None:
    names = set()
    for _ in range(3):
        folder = Folder(str(tmp_path))
        folder.stage(b"a.xml", b"secret", None)
        (staging,) = tmp_path.iterdir()
        assert stat.S_IMODE(staging.stat().st_mode) == 0o700
        names.add(staging.name)
        folder.close()
    assert len(names) == 3
    assert all(len(name) == len(".kvmrender-") + 16 for name in names)


def test_folder_is_swapped_for_another_all_the_while(tmp_path: Path) -> None:
    """A race: during runs of the command, another process has its path lead here and there."""
    here, victim, out = tmp_path / "here", tmp_path / "victim", tmp_path / "out"
    for folder in (here, victim):
        folder.mkdir()
    (victim / "a.xml").write_text("mine")
    out.symlink_to(here)
    stop = threading.Event()

    def race() -> None:
        link = tmp_path / "link"
        while not stop.is_set():
            for folder in (victim, here):
                link.symlink_to(folder)
                link.replace(out)

    guests = "".join(f'{{"name": "g{number}"}}\n' for number in range(50))
    swapper = threading.Thread(target=race)
    swapper.start()
    try:
        for _ in range(5):
            done = subprocess.run(
                [sys.executable, "-m", "kvmrender", "render", "-q", "-j1", "-o", str(out)],
                env={**os.environ, "PYTHONPATH": str(ROOT)}, input=guests, capture_output=True, text=True,
            )  # fmt: skip
            assert (done.returncode, done.stderr) == (0, "")
    finally:
        stop.set()
        swapper.join()
    # Each folder has all of a run's files, or none: the run went to that which it had opened.
    for folder in (here, victim):
        found = {path.name for path in folder.glob("g*.xml")}
        assert found in (set(), {f"g{number}.xml" for number in range(50)})
    assert (victim / "a.xml").read_text() == "mine"


@as_root
@pytest.mark.parametrize("at", ["file", "folder", "parent"])
def test_place_that_can_not_be_written_to(at: str, tmp_path: Path, run: Run) -> None:
    for elsewhere in (tmp_path, "/dev/null"):  # then all modules are loaded: another user may not get at them
        run("render", "-o", elsewhere, input=GUEST)
    with TemporaryDirectory() as made:
        out = Path(made, "out") if at == "parent" else Path(made)
        if at != "parent":
            (out / "a.xml").write_text("old")
        Path(made).chmod(0o777 if at == "file" else 0o755)  # the file's owner can't be kept
        before = [path.name for path in Path(made).iterdir()]
        os.seteuid(NOBODY)
        try:
            result = run("render", "-o", out, input=GUEST)
        finally:
            os.seteuid(0)
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert result.stderr.startswith(f"{out}")
        assert result.stderr.endswith(("Permission denied\n", "Operation not permitted\n"))
        assert [path.name for path in Path(made).iterdir()] == before
        assert at == "parent" or (out / "a.xml").read_text() == "old"


@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "folder"])
def test_something_that_is_no_file_is_in_the_way(kind: str, tmp_path: Path, run: Run) -> None:
    """It isn't opened, which could wait for ever, and not replaced."""
    (tmp_path / "out").mkdir()
    place = tmp_path / "out/a.xml"
    if kind == "fifo":
        os.mkfifo(place)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as made:
            here = Path.cwd()
            os.chdir(place.parent)
            made.bind("a.xml")
            os.chdir(here)
    elif kind == "device":
        if os.geteuid():
            pytest.skip("needs root, to make a device")
        os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    else:
        place.mkdir()
    before = place.lstat().st_mode
    result = run("render", "-o", tmp_path / "out", input=GUEST)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith(f"{place}: ")
    assert place.lstat().st_mode == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "command", ["render", "context", "schema", "explain vcpu", "--help", "render --help", "--version"]
)
def test_standard_output_that_is_full(command: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "kvmrender", *command.split()],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, input=GUEST, stdout=full, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "output: No space left on device\n")


@pytest.mark.parametrize("option", ["-j1", "-"])
def test_standard_output_that_is_closed_early(option: str) -> None:
    guests = "".join(f'{{"name": "g{number}"}}\n' for number in range(2000))
    process = subprocess.Popen(
        [sys.executable, "-m", "kvmrender", "render", option],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdin
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stdin.write(guests)
    process.stdin.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 2


@pytest.fixture
def site(tmp_path: Path) -> Path:
    folder = tmp_path / "site"
    (folder / "devices").mkdir(parents=True)
    folder.chmod(0o755)
    (folder / "devices").chmod(0o755)
    file = folder / "devices/rng.xml.j2"
    file.write_text("{# rng #}\n")
    file.chmod(0o644)
    return folder


@pytest.mark.parametrize("command", ["render", "context", "schema", "templates check"])
@pytest.mark.parametrize("place", [".", "devices", "devices/rng.xml.j2"])
def test_templates_that_anyone_may_write_to_get_a_warning(place: str, command: str, site: Path, run: Run) -> None:
    arguments = [*command.split(), "--templates", str(site)]
    if command == "templates check":
        arguments = [*command.split(), str(site)]
    quiet = run(*arguments, input=GUEST)
    (site / place).chmod((site / place).stat().st_mode | 0o002)
    warned = run(*arguments, input=GUEST)
    inside = "" if place == "." else f": {place}"
    said = f"{site}: warning: these templates are world-writable{inside}\n"
    assert (warned.exit_code, warned.stdout) == (quiet.exit_code, quiet.stdout)
    assert sorted(warned.stderr.splitlines()) == sorted((said + quiet.stderr).splitlines())
    assert "warning" not in quiet.stderr


def test_one_warning_for_each_folder_of_templates(site: Path, run: Run) -> None:
    for place in ("devices", "devices/rng.xml.j2"):
        (site / place).chmod((site / place).stat().st_mode | 0o002)
    said = f"{site}: warning: these templates are world-writable: devices\n"
    assert run("render", "--templates", str(site), input=GUEST).stderr == said


def test_folders_in_between_are_made(tmp_path: Path, run: Run) -> None:
    assert run("render", "-o", tmp_path / "x/y/z", input=GUEST).exit_code == 0
    assert (tmp_path / "x/y/z/a.xml").exists()


def test_only_what_is_in_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "out/inner").mkdir(parents=True)
    (tmp_path / "out/inner/a.xml").write_text("mine")
    folder = Folder(str(tmp_path / "out"))
    with pytest.raises(Error, match=r"inner/a.xml: is not the name of a file$"):
        folder.read(b"inner/a.xml")
    folder.close()


def test_list_of_files_keeps_its_mode(tmp_path: Path, run: Run) -> None:
    run("render", "-o", tmp_path, input=GUEST)
    (list_of_files,) = (path for path in tmp_path.iterdir() if path.name != "a.xml")
    list_of_files.chmod(0o604)
    run("render", "-o", tmp_path, input='{"name": "b"}')
    assert "b.xml" in list_of_files.read_text()
    assert stat.S_IMODE(list_of_files.stat().st_mode) == 0o604


def test_extended_attributes_are_kept(tmp_path: Path, run: Run) -> None:
    run("render", "-o", tmp_path, input=GUEST)
    try:
        os.setxattr(tmp_path / "a.xml", "user.note", b"kept")
    except OSError as error:
        pytest.skip(f"needs the right file system: {error}")
    assert run("render", "-o", tmp_path, input="name: a\nvcpu: 3\n").exit_code == 0
    assert "<vcpu>3</vcpu>" in (tmp_path / "a.xml").read_text()
    assert os.getxattr(tmp_path / "a.xml", "user.note") == b"kept"
