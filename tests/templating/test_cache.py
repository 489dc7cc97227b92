"""What is kept of templates is used as long as they are the same, and only if nobody else could have written it."""

from __future__ import annotations

import errno
import marshal
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time

import pytest

from kvmrender import Renderer
from kvmrender.templating.cache import MAGIC, Cache

DAY = 24 * 3600
NOBODY = 65534
MEASURED = {key: value for key, value in os.environ.items() if key[:9] == "COVERAGE_"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of files that have stood still for a while (the time of change is that of now: it is not looked at)."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("kvmrender.templating.cache.SETTLED", 0)
    found = tmp_path / "templates"
    found.mkdir()
    (found / "a.xml.j2").write_text("<a/>")
    return found


def kept(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "cache/kvmrender").iterdir()
    return found


def test_a_value_is_kept(folder: Path, tmp_path: Path) -> None:
    assert Cache([str(folder)], "1").load() is None
    Cache([str(folder)], "1").store({"a": [1]})
    assert Cache([str(folder)], "1").load() == {"a": [1]}
    assert kept(tmp_path).stat().st_mode & 0o777 == 0o600
    assert kept(tmp_path).parent.stat().st_mode & 0o777 == 0o700


def test_other_files_versions_and_folders_have_values_of_their_own(folder: Path, tmp_path: Path) -> None:
    Cache([str(folder)], "1").store("old")
    assert Cache([str(folder)], "2").load() is None
    assert Cache([str(tmp_path)], "1").load() is None
    (folder / "a.xml.j2").write_text("<b/>")
    assert Cache([str(folder)], "1").load() is None
    (folder / "a.xml.j2").unlink()
    assert Cache([str(folder)], "1").load() is None


def test_files_that_were_changed_just_now_are_not_relied_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kvmrender.templating.cache.SETTLED", DAY * 10**9)
    Cache([str(folder)], "1").store("value")
    assert Cache([str(folder)], "1").load() is None


def test_files_are_looked_for_in_all_folders(folder: Path) -> None:
    """Sixteen deep, but for what Python itself keeps."""
    deep = folder.joinpath(*"bcdefghijklmnopq")
    (deep / "r").mkdir(parents=True)
    (folder / "__pycache__").mkdir()
    Cache([str(folder)], "1").store("value")
    (deep / "r/too_deep.xml.j2").write_text("")
    (folder / "__pycache__/a.pyc").write_text("")
    (folder / "nowhere").symlink_to("nothing")
    assert Cache([str(folder)], "1").load() == "value"
    (deep / "a.xml.j2").write_text("")
    assert Cache([str(folder)], "1").load() is None
    Cache([str(folder)], "1").store("other")
    (deep / "a.xml.j2").rename(deep / "b.xml.j2")
    assert Cache([str(folder)], "1").load() is None


def test_folders_that_lead_around_in_circles(folder: Path) -> None:
    (folder / "again").symlink_to(folder)
    Cache([str(folder)], "1").store("value")
    assert Cache([str(folder)], "1").load() == "value"


def test_values_of_other_folders_are_kept_beside_each_other(folder: Path, tmp_path: Path) -> None:
    for name in (b"b", b"\xff"):
        (tmp_path / os.fsdecode(name)).mkdir()
        (tmp_path / os.fsdecode(name) / os.fsdecode(b"\xfe.xml.j2")).write_text("")
    stacks = [[str(folder)], [str(folder), str(tmp_path / "b")], [os.fsdecode(bytes(tmp_path) + b"/\xff")]]
    for number, folders in enumerate(stacks):
        Cache(folders, "1").store(number)
    assert [Cache(folders, "1").load() for folders in stacks] == [0, 1, 2]
    assert len(list((tmp_path / "cache/kvmrender").iterdir())) == 3


def test_where_values_are_kept(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the user's own folder for that, which is made; but not in a folder that is missing or relative."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HOME", raising=False)
    for base in ("", "relative", str(tmp_path / "missing/cache")):
        monkeypatch.setenv("XDG_CACHE_HOME", base)
        Cache([str(folder)], "1").store("value")
        assert Cache([str(folder)], "1").load() is None
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    for home in ("", "home", str(tmp_path / "home")):
        monkeypatch.setenv("HOME", home)
        Cache([str(folder)], "1").store("value")
        assert Cache([str(folder)], "1").load() is None
    (tmp_path / "home").mkdir()
    Cache([str(folder)], "1").store("value")
    assert len(list((tmp_path / "home/.cache/kvmrender").iterdir())) == 1
    assert Cache([str(folder)], "1").load() == "value"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert Cache([str(folder)], "1").load() == "value"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "templates"]
    assert (tmp_path / "home/.cache").stat().st_mode & 0o777 == 0o700


def test_nothing_is_kept_in_a_folder_that_others_may_write(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache").chmod(0o777)
    Cache([str(folder)], "1").store("value")
    assert list((tmp_path / "cache").iterdir()) == []


def _by_link(file: Path) -> None:
    file.rename(file.with_name("other"))
    file.symlink_to("other")


def _by_hard_link(file: Path) -> None:
    os.link(file, file.with_name("other"))


def _by_folder_of_all(file: Path) -> None:
    file.parent.chmod(0o777)


def _by_link_to_folder(file: Path) -> None:
    file.parent.rename(file.parent.with_name("elsewhere"))
    file.parent.symlink_to("elsewhere")


@pytest.mark.parametrize(
    "poison",
    [
        lambda file: file.chmod(0o620),
        lambda file: file.chmod(0o602),
        lambda file: file.write_bytes(file.read_bytes()[:-1]),
        lambda file: file.write_bytes(file.read_bytes()[:-1] + b"x"),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(MAGIC + bytes(32) + sha256(b"N").digest() + marshal.dumps(None)),
        lambda file: file.write_bytes(file.read_bytes()[: len(MAGIC) + 32] + sha256(b"").digest()),
        _by_link,
        _by_hard_link,
        _by_folder_of_all,
        _by_link_to_folder,
    ],
)
def test_what_others_could_have_written_is_not_loaded(
    folder: Path, tmp_path: Path, poison: Callable[[Path], object]
) -> None:
    Cache([str(folder)], "1").store("value")
    poison(kept(tmp_path))
    assert Cache([str(folder)], "1").load() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file to another user")
@pytest.mark.parametrize("whole", [False, True])
def test_what_another_user_owns_is_not_loaded(folder: Path, tmp_path: Path, whole: bool) -> None:
    Cache([str(folder)], "1").store("value")
    os.chown(kept(tmp_path).parent if whole else kept(tmp_path), NOBODY, NOBODY)
    assert Cache([str(folder)], "1").load() is None
    Cache([str(folder)], "1").store("value")
    assert (Cache([str(folder)], "1").load() is None) is whole


def test_what_was_left_unfinished_is_removed_after_an_hour(folder: Path, tmp_path: Path) -> None:
    Cache([str(folder)], "1").store("value")
    cache = kept(tmp_path).parent
    for name, age in ((".old", 3700), (".new", 3500)):
        file = cache / name
        file.write_text("")
        os.utime(file, (time() - age,) * 2)
    Cache([str(folder)], "2").store("value")
    names = [file.name for file in cache.iterdir()]
    assert len(names) == 2
    assert ".new" in names


def test_what_can_not_be_kept_leaves_nothing_unfinished(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cache([str(folder)], "1").store("value")
    monkeypatch.setattr("kvmrender.templating.cache.os.rename", fail)
    Cache([str(folder)], "2").store("value")
    assert Cache([str(folder)], "1").load() == "value"
    assert kept(tmp_path).name[0] != "."


def fail(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_the_oldest_values_go(folder: Path, tmp_path: Path) -> None:
    for number in range(40):
        other = tmp_path / str(number)
        other.mkdir()
        Cache([str(other)], "1").store(number)
        for found in (tmp_path / "cache/kvmrender").iterdir():
            os.utime(found, (found.stat().st_mtime - 60,) * 2)
    assert [Cache([str(tmp_path / str(number))], "1").load() for number in range(40)] == [None] * 8 + [*range(8, 40)]
    assert len(list((tmp_path / "cache/kvmrender").iterdir())) == 32


def open_files() -> int:
    found = Path("/proc/self/fd")
    return len(list(found.iterdir())) if found.exists() else 0


@pytest.mark.parametrize("kind", ["pipe", "folder", "full folder", "device", "huge", "empty"])
def test_what_is_no_value_is_as_if_it_were_not_there(kind: str, folder: Path, tmp_path: Path) -> None:
    Cache([str(folder)], "1").store("value")
    place = kept(tmp_path)
    place.unlink()
    if kind == "pipe":
        os.mkfifo(place, 0o600)
    elif kind == "device":
        if os.geteuid():
            pytest.skip("needs root, to make a device")
        os.mknod(place, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    elif "folder" in kind:
        (place / "inside").mkdir(parents=True)
    else:
        place.touch(0o600)
        os.truncate(place, 50 << 30 if kind == "huge" else 0)
    descriptors = open_files()
    assert Cache([str(folder)], "1").load() is None
    Cache([str(folder)], "1").store("other")
    assert Cache([str(folder)], "1").load() == (None if "folder" in kind else "other")
    assert open_files() == descriptors


@pytest.mark.parametrize("value", [None, 1, "text", (), ((1, 2, 3, 4), None), (({}, {}, {}, True), 5), [1, 2, 3]])
def test_values_of_another_shape_are_as_if_they_were_not_there(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cache, "load", lambda self: value)
    monkeypatch.setattr(Cache, "store", lambda self, value: None)
    assert Renderer().render({"name": "a"}).startswith("<domain ")


def test_folders_that_can_not_be_read_are_as_if_they_were_empty(folder: Path) -> None:
    with_none = Cache([str(folder), str(folder / "missing")], "1")
    with_none.store("value")
    assert Cache([str(folder), str(folder / "missing")], "1").load() == "value"
    (folder / "missing").mkdir()
    (folder / "missing/b.xml.j2").write_text("")
    assert Cache([str(folder), str(folder / "missing")], "1").load() is None


def render(guest: Path, **environment: str) -> str:
    """Run the command in a process of its own."""
    command = [sys.executable, "-m", "kvmrender", "render", str(guest)]
    given = {"PATH": os.environ["PATH"], **environment, **MEASURED}
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout


def test_homes_that_cannot_be_used_do_no_harm(tmp_path: Path) -> None:
    guest = tmp_path / "guest.yaml"
    guest.write_text("name: a\n")
    (tmp_path / "file").write_text("")
    xml = render(guest)
    assert "<name>a</name>" in xml
    assert render(guest, HOME="/nonexistent") == xml
    assert render(guest, HOME=str(tmp_path / "file")) == xml
    assert render(guest, XDG_CACHE_HOME="/proc") == xml
    assert render(guest, XDG_CACHE_HOME="not/absolute") == xml
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "guest.yaml"]


def test_the_second_start_needs_but_little(tmp_path: Path) -> None:
    guest = tmp_path / "guest.yaml"
    guest.write_text("name: a\n")
    first = render(guest, XDG_CACHE_HOME=str(tmp_path / "cache"))
    slow = ("click", "concurrent", "dataclasses", "inspect", "jinja2", "jsonschema_rs", "multiprocessing", "tempfile")
    look = f"import atexit, sys; atexit.register(lambda: print([name for name in {slow} if name in sys.modules]));"
    look += f"from kvmrender.__main__ import main; sys.argv[1:] = ['render', {str(guest)!r}]; main()"
    given = {"PATH": os.environ["PATH"], "XDG_CACHE_HOME": str(tmp_path / "cache")}
    (tmp_path / "cache").mkdir(exist_ok=True)
    second = subprocess.run([sys.executable, "-c", look], env=given, capture_output=True, text=True, check=True).stdout
    assert second == f"{first}[]\n"


@pytest.fixture
def other_home() -> Iterator[Path]:
    """A home of another user, who can get at nothing else."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to act as another user")
    with TemporaryDirectory() as made:
        os.chown(made, NOBODY, NOBODY)
        yield Path(made)


@pytest.mark.parametrize("have", ["", ".cache", ".cache/kvmrender"])
def test_home_of_another_user_stays_as_it_is(have: str, other_home: Path, tmp_path: Path) -> None:
    """As with sudo, where HOME is still that of who called it."""
    guest = tmp_path / "guest.yaml"
    guest.write_text("name: a\n")
    for folder in (other_home / have, *(other_home / have).parents):
        if have and folder.is_relative_to(other_home):
            folder.mkdir(parents=True, exist_ok=True)
            os.chown(folder, NOBODY, NOBODY)
    before = sorted(other_home.rglob("*"))
    assert "<name>a</name>" in render(guest, HOME=str(other_home))
    assert sorted(other_home.rglob("*")) == before


@pytest.mark.parametrize("poisoned", ["folder", "file", "both"])
def test_code_in_the_home_of_another_user_is_not_run(poisoned: str, other_home: Path, tmp_path: Path) -> None:
    """What is there has every sign of a cache of these templates, but for its owner."""
    guest, mark = tmp_path / "guest.yaml", tmp_path / "mark"
    guest.write_text("name: a\n")
    home = other_home
    os.chown(home, 0, 0)
    xml = render(guest, HOME=str(home))
    (file,) = (home / ".cache/kvmrender").iterdir()
    head, payload = file.read_bytes()[: len(MAGIC) + 32], file.read_bytes()[len(MAGIC) + 64 :]
    schema, _ = marshal.loads(payload)
    code = compile(f"open({str(mark)!r}, 'w').close()\nROOTS = TABLES = {{}}", "<templates>", "exec")
    payload = marshal.dumps((schema, code))
    file.write_bytes(head + sha256(payload).digest() + payload)
    assert render(guest, HOME=str(home)) == xml
    assert mark.exists()  # the trap works, while it is the user's own
    mark.unlink()
    for path in {"folder": [file.parent], "file": [file], "both": [home, file.parent.parent, file.parent, file]}[
        poisoned
    ]:
        os.chown(path, NOBODY, NOBODY)
    assert render(guest, HOME=str(home)) == xml
    assert not mark.exists()
