"""Rendering into a folder: nothing is touched without need, and nothing is ever half there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import re
import resource
import shutil
import signal
import stat
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from conftest import ROOT, Run
from tools import program

from kvmrender.fleet.folder import Folder

MANIFEST = ".kvmrender.sha256"
GUESTS = """\
guests:
- {name: a, disks: {source: /a.qcow2}}
- {name: b}
- {name: c, graphics: {type: vnc, passwd: hunter2}}
"""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def state(folder: Path) -> dict[str, tuple[int, int, int]]:
    return {
        path.name: (info.st_ino, info.st_mtime_ns, info.st_mode) for path in folder.iterdir() if (info := path.lstat())
    }


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {MANIFEST}


def test_one_file_a_guest(out: Path, run: Run) -> None:
    result = run("render", "-o", out, input=GUESTS)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "3 guests: 3 created, 0 changed, 0 unchanged\n"
    assert names(out) == {"a.xml", "b.xml", "c.xml"}
    assert (out / "b.xml").read_text() == run("render", input="name: b\n").stdout


def test_what_is_the_same_is_not_touched(out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    before = state(out)
    result = run("render", "-o", out, input=GUESTS)
    assert result.stderr == "3 guests: 0 created, 0 changed, 3 unchanged\n"
    assert state(out) == before
    result = run("render", "-o", out, "--prune", "--fsync", input=GUESTS.replace("name: b", "name: b, vcpu: 2"))
    assert result.stderr == "3 guests: 0 created, 1 changed, 2 unchanged\n"
    after = state(out)
    assert {name for name in after if after[name] != before[name]} == {"b.xml", MANIFEST}


def test_modes(out: Path, run: Run) -> None:
    before = os.umask(0o027)
    try:
        run("render", "-o", out, input=GUESTS)
        modes = {name: stat.S_IMODE((out / name).stat().st_mode) for name in ("a.xml", "c.xml")}
        (out / "a.xml").chmod(0o604)
        run("render", "-o", out, input=GUESTS.replace("/a.qcow2", "/b.qcow2"))
    finally:
        os.umask(before)
    assert modes == {"a.xml": 0o640, "c.xml": 0o640}
    assert stat.S_IMODE((out / "a.xml").stat().st_mode) == 0o604
    assert "/b.qcow2" in (out / "a.xml").read_text()


def test_secrets_are_not_for_all(out: Path, run: Run) -> None:
    before = os.umask(0)
    try:
        run("render", "-o", out, input=GUESTS)
    finally:
        os.umask(before)
    assert [stat.S_IMODE((out / f"{name}.xml").stat().st_mode) for name in "abc"] == [0o644, 0o644, 0o640]


PLANTED = "<domain/>"
RAW = "name: c\nextra: {devices: \"<graphics type='vnc' passwd = 'hunter2'/>\"}\n"
BY_METADATA = "name: c\nmetadata: <a:b xmlns:a='urn:a'><graphics passwd='hunter2'/></a:b>\n"
BY_SECOND = "name: c\ngraphics: [{type: vnc}, {type: spice, passwd: hunter2}]\n"
BY_COOKIE = """\
name: c
disks:
- source: {file: /a.raw}
- source: {protocol: https, name: a.iso, host: {name: h}, cookies: {cookie: [{name: b, text: hunter2}]}}
  driver: raw
"""


@pytest.mark.parametrize(
    "guest", [RAW, BY_METADATA, BY_SECOND, BY_COOKIE, "name: c\ngraphics: {type: vnc, passwd: ''}\n"]
)
@pytest.mark.parametrize("mode", [None, 0o644, 0o666, 0o4755, 0o2777, 0o600, 0o400])
def test_file_with_a_secret_is_for_the_runner_and_its_group_whatever_was_there(
    guest: str, mode: int | None, out: Path, run: Run
) -> None:
    if mode is not None:
        out.mkdir()
        (out / "c.xml").write_text(PLANTED)
        (out / "c.xml").chmod(mode)
        if os.geteuid() == 0:
            os.chown(out / "c.xml", 1234, 2345)
            (out / "c.xml").chmod(mode)
    before = os.umask(0)
    try:
        assert run("render", "-o", out, input=guest).exit_code == 0
    finally:
        os.umask(before)
    info = (out / "c.xml").stat()
    assert (info.st_mode & 0o7777, info.st_uid, info.st_gid) == (0o640, os.geteuid(), os.getegid())


def test_secret_of_a_template_of_ones_own_is_one_too(tmp_path: Path, out: Path, run: Run) -> None:
    part = tmp_path / "site" / "devices" / "panic.xml.j2"
    part.parent.mkdir(parents=True)
    part.write_text("    <graphics type='vnc' passwd='hunter2'/>\n")
    run("render", "-o", out, "--templates", tmp_path / "site", input="name: c\npanics: {model: isa}\n")
    assert "hunter2" in (out / "c.xml").read_text()
    assert (out / "c.xml").stat().st_mode & 0o7777 == 0o640


def test_file_with_a_secret_that_others_may_read_is_mended_and_told(out: Path, run: Run) -> None:
    run("render", "-o", out, input=RAW)
    (out / "c.xml").chmod(0o644)
    told = run("render", "-o", out, "--check", "--diff", input=RAW)
    assert (told.exit_code, (out / "c.xml").stat().st_mode & 0o777) == (1, 0o644)
    assert told.stdout == f"--- {out}/c.xml\n+++ {out}/c.xml\n# only who may read it differs: it holds a secret\n"
    assert "0 created, 1 changed, 0 unchanged" in run("render", "-o", out, input=RAW).stderr
    assert (out / "c.xml").stat().st_mode & 0o777 == 0o640
    assert "0 created, 0 changed, 1 unchanged" in run("render", "-o", out, input=RAW).stderr
    (out / "c.xml").chmod(0o600)
    assert "0 created, 0 changed, 1 unchanged" in run("render", "-o", out, input=RAW).stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file another owner")
def test_file_with_a_secret_that_another_user_owns_becomes_the_runners(out: Path, run: Run) -> None:
    run("render", "-o", out, input=RAW)
    os.chown(out / "c.xml", 1234, -1)
    assert run("render", "-o", out, "--check", input=RAW).exit_code == 1
    run("render", "-o", out, input=RAW)
    assert (out / "c.xml").stat().st_uid == os.geteuid()


def access_list() -> bytes:
    """Return a list of access by which the user 1234 may read a file."""
    entries = [(1, 6, 0xFFFFFFFF), (2, 4, 1234), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


@pytest.mark.parametrize("place", ["the file", "the folder"])
def test_list_of_access_gives_nobody_a_secret(place: str, out: Path, run: Run) -> None:
    run("render", "-o", out, input=RAW)
    try:
        if place == "the file":
            os.setxattr(out / "c.xml", "system.posix_acl_access", access_list())
        else:
            os.setxattr(out, "system.posix_acl_default", access_list())
            (out / "c.xml").unlink()
    except (OSError, AttributeError):
        pytest.skip("needs a file system with lists of access (ACL)")
    assert "unchanged" in run("render", "-o", out, input=RAW).stderr
    assert "system.posix_acl_access" not in os.listxattr(out / "c.xml")
    assert (out / "c.xml").stat().st_mode & 0o7777 == 0o640


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a folder another group")
def test_group_of_the_folder_gets_no_secret(out: Path, run: Run) -> None:
    out.mkdir()
    os.chown(out, -1, 2345)
    out.chmod(0o2775)
    run("render", "-o", out, input=RAW)
    assert (out / "c.xml").stat().st_gid == os.getegid()


def test_no_file_keeps_bits_that_have_it_run_as_its_owner(out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    (out / "a.xml").chmod(0o6755)
    run("render", "-o", out, input=GUESTS.replace("/a.qcow2", "/b.qcow2"))
    assert (out / "a.xml").stat().st_mode & 0o7777 == 0o755


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give a file another owner")
def test_owner_stays(out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    os.chown(out / "a.xml", 1234, 2345)
    run("render", "-o", out, input=GUESTS.replace("/a.qcow2", "/b.qcow2"))
    info = (out / "a.xml").stat()
    assert (info.st_uid, info.st_gid) == (1234, 2345)


def test_links_are_not_followed(tmp_path: Path, out: Path, run: Run) -> None:
    outside = tmp_path / "outside"
    outside.write_text("mine")
    out.mkdir()
    (out / "a.xml").symlink_to(outside)
    (out / MANIFEST).symlink_to(outside)
    assert run("render", "-o", out, input=GUESTS).exit_code == 0
    assert outside.read_text() == "mine"
    assert not (out / "a.xml").is_symlink()


@pytest.mark.parametrize("name", ["..", ".", ".kvmrender-0", ".kvmrender", "-o", "a\\b", "日本", "a b\"'*"])
def test_names_stay_in_the_folder(name: str, tmp_path: Path, out: Path, run: Run) -> None:
    assert run("render", "-o", out, input=json.dumps({"name": name})).exit_code == 0
    assert names(out) == {f"{name}.xml"}
    assert names(tmp_path) == {"out"}
    check = subprocess.run(
        [program("sha256sum", "coreutils"), "--check", "--strict", MANIFEST], cwd=out, capture_output=True, text=True
    )
    assert (check.returncode, check.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../x", "name: '../x' is not a name"),
        ("x" * 300, "File name too long"),
    ],
)
def test_names_that_are_no_files(name: str, said: str, tmp_path: Path, out: Path, run: Run) -> None:
    result = run("render", "-o", out, input=json.dumps({"name": name}))
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert said in result.stderr
    assert names(tmp_path) == {"out"}


def test_something_else_of_that_name(out: Path, run: Run) -> None:
    (out / "a.xml").mkdir(parents=True)
    result = run("render", "-o", out, input=GUESTS)
    assert (result.exit_code, result.stderr) == (2, f"{out}/a.xml: is there, and is not a file\n")
    assert names(out) == {"a.xml"}


def test_folder_that_is_a_file(out: Path, run: Run) -> None:
    out.write_text("")
    for options in ([], ["--check"]):
        result = run("render", "-o", out, *options, input=GUESTS)
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert result.stderr == f"{out}: Not a directory\n"


def test_check_writes_nothing(tmp_path: Path, out: Path, run: Run) -> None:
    result = run("render", "-o", out, "--check", input=GUESTS)
    assert (result.exit_code, result.stderr) == (1, "3 guests: 3 would be created, 0 would change, 0 unchanged\n")
    assert not out.exists()
    run("render", "-o", out, input=GUESTS)
    assert run("render", "-o", out, "--check", input=GUESTS).exit_code == 0
    before = state(out)
    assert run("render", "-o", out, "--check", "--prune", input="name: b\nvcpu: 2\n").exit_code == 1
    assert run("render", "-o", out, "--check", "--prune", input="name: b\n").stderr == (
        "1 guest: 0 would be created, 0 would change, 1 unchanged, 2 would be removed\n"
    )
    assert state(out) == before
    assert names(tmp_path) == {"out"}


def test_diff(out: Path, run: Run) -> None:
    result = run("render", "-o", out, "--diff", "--select", "b", input=GUESTS)
    xml = (out / "b.xml").read_text()
    added = "".join(f"+{line}\n" for line in xml.splitlines())
    assert result.stdout == f"--- /dev/null\n+++ {out}/b.xml\n@@ -0,0 +1,{xml.count(chr(10))} @@\n{added}"
    result = run("render", "-o", out, "--diff", "--check", input="name: b\nvcpu: 2\n")
    assert "-  <vcpu>1</vcpu>\n+  <vcpu>2</vcpu>\n" in result.stdout
    assert result.exit_code == 1
    assert run("render", "-o", out, "--diff", input="name: b\n").stdout == ""
    result = run("render", "-o", out, "--diff", "--prune-all", input="guests: []\n")
    assert result.stdout.startswith(f"--- {out}/b.xml\n+++ /dev/null\n@@ -1,")


def test_diff_can_be_patched(tmp_path: Path, out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    patch = run(
        "render", "-o", out, "--check", "--diff", "--prune", "--set", "vcpu=3", "--select", "[ab]", input=GUESTS
    ).stdout
    # The names in it are absolute: those of the folder that they are in are cut off, and nothing else can be reached.
    strip = f"-p{len(out.parts)}"
    done = subprocess.run([program("patch", "patch"), strip], cwd=out, input=patch, text=True, capture_output=True)
    assert done.returncode == 0, done
    assert (
        "2 unchanged" in run("render", "-o", out, "--check", "--set", "vcpu=3", "--select", "[ab]", input=GUESTS).stderr
    )


@pytest.mark.parametrize("patching", [("patch", "-p0"), ("git", "apply", "-p0")], ids=["patch", "git"])
@pytest.mark.parametrize(
    "change",
    [
        lambda xml: xml.rstrip("\n"),
        lambda xml: xml.replace("\n", "\r\n"),
        lambda xml: xml.replace("<vcpu>1<", "<vcpu>2\u2028\u2029<"),
        lambda xml: "",
        lambda xml: "\n",
        lambda xml: "<domain/>",
    ],
    ids=["no last newline", "carriage returns", "separators", "empty", "newline", "another"],
)
@pytest.mark.parametrize("title", ["a", "a\u2028b\u2029", "\u00a0é", "+", "-- a"])
def test_any_diff_can_be_patched(
    title: str, change: Callable[[str], str], patching: tuple[str, ...], tmp_path: Path, run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    program(patching[0], patching[0])
    monkeypatch.chdir(tmp_path)
    guest = json.dumps({"name": "a b", "title": title})
    run("render", "-o", "out", input=guest)
    file = tmp_path / "out/a b.xml"
    wanted = file.read_bytes()
    file.write_bytes(change(wanted.decode()).encode())
    patch = run("render", "-o", "out", "--check", "--diff", input=guest).stdout_bytes
    done = subprocess.run(patching, input=patch, capture_output=True, check=False)
    assert done.returncode == 0, done
    assert file.read_bytes() == wanted


@pytest.mark.parametrize(
    "code", [0x1B, 0x85, 0x9B, 0x7F, 8, 0xD, 0x200B, 0x200F, 0x202A, 0x202E, 0x2066, 0x2069, 0xFEFF]
)
def test_what_terminals_obey_is_shown_escaped(code: int, out: Path, run: Run) -> None:
    char = chr(code)
    run("render", "-o", out, input="name: a")
    (out / "a.xml").write_text(f"<a>{char}[2J</a>\n", newline="")
    (out / f"{char}.yaml").write_text("name: a\nmemory: |\n  x\n")
    shown = run("render", "-o", out, "--check", "--diff", input="name: a").stdout
    assert char not in shown
    if code not in (0x1B, 8):  # XML can't hold these: it is not shown
        assert f"-<a>{char.encode('unicode_escape').decode()}[2J</a>\n" in shown
    for command in ("render", "validate", "graph", "context"):
        result = run(
            command, out / f"{char}.yaml", "-" if command == "render" else out / "none", input=f"name: a\n{char}: 1"
        )
        assert result.exit_code == 2
        assert char not in result.output.replace("\r\n", "")


def test_diff_has_no_secrets(out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    both = run(
        "render",
        "-o",
        out,
        "--check",
        "--diff",
        "--set",
        "vcpu=3",
        "--select",
        "c",
        input=GUESTS.replace("hunter2", "hunter3"),
    ).stdout
    assert "hunter" not in both
    assert 'passwd="***"' not in both.replace(' <graphics type="vnc" passwd="***"', "")
    only = run("render", "-o", out, "--diff", "--select", "c", input=GUESTS.replace("hunter2", "hunter3"))
    assert only.stdout == f"--- {out}/c.xml\n+++ {out}/c.xml\n# only secrets differ\n"
    assert "hunter3" in (out / "c.xml").read_text()


def test_report_for_machines(out: Path, run: Run) -> None:
    result = run("render", "-o", out, "--report", "json", input=GUESTS)
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(found["name"], found["file"], found["status"], found["problems"]) for found in objects] == [
        (name, f"{out}/{name}.xml", "created", []) for name in "abc"
    ]
    assert objects[0]["sha256"] == hashlib.sha256((out / "a.xml").read_bytes()).hexdigest()
    result = run("render", "-o", out, "--report", "json", "--check", "--diff", input=GUESTS + "- {name: d, vcpu: 0}\n")
    assert result.exit_code == 2
    objects = [json.loads(line) for line in result.stdout.splitlines()]
    assert [found["status"] for found in objects] == ["skipped"] * 3 + ["failed"]
    (problem,) = objects[3]["problems"]
    assert (problem["path"], problem["line"], problem["column"]) == ("vcpu", 5, 19)
    assert problem["message"] == "0 is less than 1"


def test_verbose_and_quiet(out: Path, run: Run) -> None:
    result = run("render", "-v", "-o", out, input=GUESTS)
    assert result.stderr.splitlines()[:-1] == [f"created {out}/{name}.xml" for name in "abc"]
    assert run("render", "-q", "-o", out, input=GUESTS).stderr == ""


@pytest.mark.parametrize("option", ["--check", "--diff", "--prune", "--prune-all", "--fsync", "--report=json"])
def test_options_of_files_need_a_folder(option: str, run: Run) -> None:
    result = run("render", option, input=GUESTS)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{option.partition('=')[0]} requires -o DIR." in result.stderr


def test_prune_removes_what_a_run_wrote_and_only_that(out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    (out / "mine.xml").write_text("<domain/>")
    (out / "b.xml").write_text("<changed/>")
    assert run("render", "-o", out, input="name: a\n").stderr.endswith("1 changed, 0 unchanged\n")
    assert names(out) == {"a.xml", "b.xml", "c.xml", "mine.xml"}
    result = run("render", "-o", out, "--prune", input="name: a\n")
    assert result.stderr.splitlines() == [
        f"{out}/b.xml: was changed since it was written, and is not removed",
        "1 guest: 0 created, 0 changed, 1 unchanged, 1 removed, 1 kept",
    ]
    assert names(out) == {"a.xml", "b.xml", "mine.xml"}


def test_prune_stays_within_the_selection(out: Path, run: Run) -> None:
    guests = "guests: [{name: web-1}, {name: web-2}, {name: db-1}]\n"
    run("render", "-o", out, input=guests)
    run("render", "-o", out, "--prune", "--select", "web-*", input="guests: [{name: web-1}]\n")
    assert names(out) == {"web-1.xml", "db-1.xml"}
    assert sorted(line.split()[1] for line in (out / MANIFEST).read_text().splitlines()) == ["db-1.xml", "web-1.xml"]


def test_manifest_forgets_files_that_are_removed(out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    (out / "c.xml").unlink()  # by hand
    run("render", "-o", out, "--prune", input="name: b\n")
    assert [line[66:] for line in (out / MANIFEST).read_text().splitlines()] == ["b.xml"]
    assert names(out) == {"b.xml"}


def test_prune_takes_only_files_of_guests_from_its_list(tmp_path: Path, out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    digest = hashlib.sha256(b"").hexdigest()
    wrong = ["../x.xml", "/x.xml", "x/y.xml", "..", ".", "passwd", "\x1b[2J"]
    (tmp_path / "x.xml").touch()
    (out / "passwd").touch()
    (out / "folder.xml").mkdir()
    with (out / MANIFEST).open("a") as manifest:
        manifest.writelines(f"{digest}  {name}\n" for name in [*wrong, "folder.xml"])
    result = run("render", "-o", out, "--prune", input="name: b\n")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count("which is no file of a guest: skipped\n") == len(wrong)
    assert f"{out}/folder.xml: is there, and is not a file: not removed\n" in result.stderr
    assert "\x1b" not in result.stderr
    assert names(out) == {"b.xml", "folder.xml", "passwd"}
    assert (tmp_path / "x.xml").exists()
    assert run("render", "-o", out, "--prune", "-q", input="name: b\n").stderr.count("\n") == 1  # of the folder


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to give files away")
def test_prune_follows_no_list_of_another_user(out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    os.chown(out / MANIFEST, 65534, 65534)
    result = run("render", "-o", out, "--prune", input="name: b\n")
    assert f"{out}/{MANIFEST}: warning: another user's list of files: nothing in it is removed\n" in result.stderr
    assert names(out) == {"a.xml", "b.xml", "c.xml"}


def test_sparse_files_are_not_read(out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    for name in ("a.xml", "b.xml"):
        os.truncate(out / name, 50 << 30)
    result = run("render", "-o", out, "--check", "--diff", input=GUESTS)
    assert (result.exit_code, result.stdout.count("# not shown: the old file is larger than 16 MiB")) == (1, 2)
    result = run("render", "-o", out, "--prune", "--select", "[ac]", input="name: c\n")
    assert f"{out}/a.xml: was changed since it was written, and is not removed\n" in result.stderr
    assert run("render", "-o", out, input=GUESTS).exit_code == 0
    assert (out / "a.xml").stat().st_size < 9999
    os.truncate(out / MANIFEST, 50 << 30)
    result = run("render", "-o", out, input=GUESTS)
    said = f"{out}/{MANIFEST}: is larger than 256 MiB, which no list of files is\n"
    assert (result.exit_code, result.stderr) == (2, said)


def test_umask_stays_as_it_is(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is that of the whole process, and of other threads."""
    monkeypatch.setattr(os, "umask", lambda mask: pytest.fail("sets the umask"))
    with closing(Folder(str(out))) as folder:
        folder.stage(b"a.xml", b"", None)


def test_another_run_is_waited_for_until_a_limit(out: Path, run: Run) -> None:
    with closing(Folder(str(out))):
        result = run("render", "-o", out, "--lock-timeout", "0.2", input=GUESTS)
    waiting = f"{out}: another run is using this folder: waiting\n"
    said = f"{out}: another run is still using this folder after 0.2 seconds (--lock-timeout)\n"
    assert (result.exit_code, result.stderr) == (2, waiting + said)
    assert run("render", "-o", out, "--lock-timeout", "0", input=GUESTS).exit_code == 0


def test_manifest_keeps_what_other_runs_wrote(out: Path, run: Run) -> None:
    for name in ("b", "a", "d", "c", "c.xml", "aa"):
        run("render", "-o", out, input=f"name: {name}\n")
    listed = [line.split("  ") for line in (out / MANIFEST).read_text().splitlines()]
    assert [name for _, name in listed] == sorted(names(out))
    assert all(digest == hashlib.sha256((out / name).read_bytes()).hexdigest() for digest, name in listed)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kvmrender", "render", *arguments]


ENVIRONMENT = {key: value for key, value in os.environ.items() if key[:9] != "COVERAGE_"} | {"PYTHONPATH": str(ROOT)}
"""Without what would have processes write down what they cover: here they are killed, or can't write."""


def many(vcpu: int, count: int = 200) -> str:
    guests = ({"name": f"g{number}", "vcpu": vcpu, "title": "x" * 2000} for number in range(count))
    return "".join(json.dumps(guest) + "\n" for guest in guests)


def test_killed_at_any_instant_each_file_is_old_or_new(tmp_path: Path, out: Path) -> None:
    inputs = {}
    versions: dict[str, set[bytes]] = {}
    for vcpu in (1, 2):
        inputs[vcpu] = tmp_path / f"{vcpu}.jsonl"
        inputs[vcpu].write_text(many(vcpu))
        subprocess.run(command("-q", "-o", str(out), str(inputs[vcpu])), env=ENVIRONMENT, check=True)
        for file in out.glob("*.xml"):
            versions.setdefault(file.name, set()).add(file.read_bytes())
    assert len(versions) == 200
    assert all(len(both) == 2 for both in versions.values())

    draw = random.Random(1)
    mixed = 0
    for attempt in range(30):
        vcpu = attempt % 2 + 1
        process = subprocess.Popen(command("-q", "-j", "2", "-o", str(out), str(inputs[vcpu])), env=ENVIRONMENT)
        # Some while guests are rendered, most while files are renamed: the manifest is the first to be.
        if draw.random() < 0.8:
            noted = (out / MANIFEST).stat().st_ino
            while process.poll() is None and (out / MANIFEST).stat().st_ino == noted:
                pass
            time.sleep(draw.random() * 0.005)
        else:
            time.sleep(0.2 + draw.random() * 0.5)
        process.send_signal(signal.SIGKILL)
        process.wait()
        files = {file.name: file.read_bytes() for file in out.glob("*.xml")}
        assert files.keys() == versions.keys()
        assert all(data in versions[name] for name, data in files.items())
        mixed += len({data.count(b"<vcpu>1<") for data in files.values()}) > 1
        if attempt % 5 == 4:  # the next run finishes the job, and clears what is left over
            subprocess.run(command("-q", "-o", str(out), str(inputs[vcpu])), env=ENVIRONMENT, check=True)
            assert len({file.read_bytes().count(b"<vcpu>1<") for file in out.glob("*.xml")}) == 1
            assert {path.name for path in out.iterdir()} == {*versions, MANIFEST}
            check = subprocess.run(
                [program("sha256sum", "coreutils"), "--check", "--quiet", MANIFEST], cwd=out, check=False
            )
            assert check.returncode == 0
    assert mixed, "no run was killed between two renames"


def test_new_files_of_a_killed_run_can_be_pruned(tmp_path: Path, out: Path) -> None:
    """The manifest knows of a file before it is there."""
    (tmp_path / "g.jsonl").write_text(many(1))
    draw = random.Random(2)
    for _ in range(10):
        process = subprocess.Popen(command("-q", "-o", str(out), str(tmp_path / "g.jsonl")), env=ENVIRONMENT)
        while process.poll() is None and not (out / MANIFEST).exists():
            time.sleep(0.001)
        time.sleep(draw.random() * 0.02)
        process.kill()
        process.wait()
        subprocess.run(command("-q", "--prune-all", "-o", str(out)), env=ENVIRONMENT, input=b"guests: []", check=True)
        assert list(out.iterdir()) == [out / MANIFEST]
        (out / MANIFEST).unlink()


def test_twenty_writers_into_one_folder(tmp_path: Path, out: Path) -> None:
    for vcpu in range(1, 21):
        (tmp_path / f"{vcpu}.jsonl").write_text(many(vcpu, 60) + json.dumps({"name": f"own-{vcpu}"}) + "\n")
    writers = [
        subprocess.Popen(
            command("-q", "-o", str(out), str(tmp_path / f"{vcpu}.jsonl")), env=ENVIRONMENT, stderr=subprocess.PIPE
        )
        for vcpu in range(1, 21)
    ]
    ended = [(writer.communicate()[1], writer.returncode) for writer in writers]
    assert {code for _, code in ended} == {0}
    contents = [(out / f"g{number}.xml").read_bytes() for number in range(60)]
    assert len({data.partition(b"<vcpu>")[2].partition(b"<")[0] for data in contents}) == 1  # one run's, all of them
    assert names(out) == {f"g{number}.xml" for number in range(60)} | {f"own-{vcpu}.xml" for vcpu in range(1, 21)}
    assert len((out / MANIFEST).read_text().splitlines()) == 80


def test_a_folder_that_another_has_is_had_after_it(out: Path) -> None:
    told: list[str] = []
    first = Folder(str(out))
    first.stage(b"a.xml", b"one", None)

    def wait() -> None:
        told.append("waiting")
        first.close()

    with closing(Folder(str(out), waiting=wait)) as second:
        assert told == ["waiting"]
        second.stage(b"a.xml", b"two", None)
        second.commit([b"a.xml"])
        third = os.open(out, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(third, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(third)
    assert (out / "a.xml").read_text() == "two"
    with closing(Folder(str(out), waiting=lambda: told.append("again"))):
        assert told == ["waiting"]


def test_waiting_is_told(out: Path) -> None:
    import fcntl

    out.mkdir()
    folder = os.open(out, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    process = subprocess.Popen(
        command("-o", str(out), "-"), env=ENVIRONMENT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stderr
    process.stdin.write("name: a\n")
    process.stdin.close()
    assert process.stderr.readline() == f"{out}: another run is using this folder: waiting\n"
    os.close(folder)
    assert process.stderr.read() == "1 guest: 1 created, 0 changed, 0 unchanged\n"
    process.stderr.close()
    assert process.wait() == 0


def small_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))


def test_full_disk_leaves_the_folder_as_it_was(tmp_path: Path, out: Path, run: Run) -> None:
    run("render", "-o", out, input=GUESTS)
    before = state(out)
    guests = GUESTS + f"- {{name: d, title: {'x' * 3000}}}\n"
    done = subprocess.run(
        command("-o", str(out)),
        env=ENVIRONMENT,
        input=guests.replace("/a", "/b"),
        text=True,
        capture_output=True,
        preexec_fn=small_files,
    )
    assert (done.returncode, done.stderr) == (2, f"{out}/d.xml: File too large\n")
    assert state(out) == before


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="needs root, to mount a tiny file system")
def test_tiny_file_system(tmp_path: Path, out: Path, run: Run) -> None:
    out.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(out)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"needs the right to mount: {mounted.stderr.strip()}")
    try:
        assert run("render", "-o", out, input=GUESTS).exit_code == 0
        before = state(out)
        result = run("render", "-o", out, input=many(1))
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert result.stderr.endswith(": No space left on device\n")
        assert state(out) == before
        subprocess.run(["mount", "-o", "remount,ro", str(out)], check=True)
        result = run("render", "-o", out, input=GUESTS.replace("/a", "/b"))
        assert (result.exit_code, result.stderr) == (2, f"{out}/a.xml: Read-only file system\n")
        assert run("render", "-o", out, input=GUESTS).exit_code == 0  # nothing to write
        assert state(out) == before
    finally:
        subprocess.run(["umount", str(out)], check=True)


def traced(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in strace, or skip the test where that can't be."""
    strace = program("strace", "strace")
    tried = subprocess.run([strace, "-o", "/dev/null", "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"needs the right to trace: {tried.stderr.strip()}")
    environment = {**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([strace, *arguments], env=environment, input=GUESTS, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


CHANGING = "rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat"


def test_unchanged_run_writes_nothing(out: Path, run: Run) -> None:
    """Seen by its system calls, where strace is there to see them."""
    run("render", "-o", out, input=GUESTS)
    done = traced("-f", "-e", f"trace=openat,{CHANGING}", *command("-q", "-o", str(out)))
    writing = re.compile("O_WRONLY|O_RDWR|rename|mkdir|unlink")
    calls = [line for line in done.stderr.splitlines() if writing.search(line)]
    assert [line for line in calls if "xml" in line or ".kvmrender" in line] == []


def test_fsync_syncs_files_before_their_renames_and_the_folder_after(out: Path) -> None:
    done = traced("-y", "-e", "trace=fsync,renameat,renameat2,rename", *command("-q", "--fsync", "-o", str(out)))
    calls = [
        line.partition("(")[0] + (" xml" if ".xml" in line else "")
        for line in done.stderr.splitlines()
        if ".kvm" in line or "fsync" in line or ".xml" in line
    ]
    synced = [number for number, call in enumerate(calls) if call == "fsync xml"]
    renamed = [number for number, call in enumerate(calls) if call.startswith("rename") and call.endswith("xml")]
    assert (len(synced), len(renamed)) == (3, 3)
    assert max(synced) < min(renamed)
    assert calls[-1] == "fsync"
