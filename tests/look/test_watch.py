"""``kvmrender watch`` at a real terminal: what is saved is shown, however editors save it, until Ctrl-C."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import ROOT, Run
from terminals import PATIENCE, at_a_terminal

GUEST = "name: web-1\nmemory: 1 GiB\ndisks:\n- source: /a.qcow2\n"

pytestmark = pytest.mark.skipif(not find_spec("watchfiles"), reason="needs watchfiles: pip install '.[watch]'")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web-1.yaml").write_text(GUEST)
    return tmp_path


def rewrite(file: Path, text: str) -> None:
    """Save as some editors do: into the file that is there."""
    file.write_text(text)


def rename(file: Path, text: str) -> None:
    """Save as others do: a new file takes the place of the old one."""
    new = file.with_name(f".{file.name}.swp")
    new.write_text(text)
    new.rename(file)


def put_aside(file: Path, text: str) -> None:
    """Save as vim does with a backup: the old file is moved away first, and for a moment there is none."""
    file.rename(file.with_name(f"{file.name}~"))
    file.write_text(text)


CHANGED = r"""\x1b\[1m--- web-1\x1b\[0m
\x1b\[1m\+\+\+ web-1\x1b\[0m
\x1b\[36m@@ [^\n]* @@\x1b\[0m
.*\x1b\[31m-  <memory unit="MiB">1024</memory>\x1b\[0m
.*\x1b\[32m\+  <memory unit="MiB">2048</memory>\x1b\[0m
.*1 guest well: 1 changed, 0 unchanged
"""


@pytest.mark.parametrize("save", [rewrite, rename, put_aside])
def test_a_saved_guest_is_shown(save: Callable[[Path, str], None], folder: Path) -> None:
    with at_a_terminal(folder, "watch", "web-1.yaml") as terminal:
        assert terminal.expect("Ctrl-C ends\n") == "1 guest well; watching for changes, Ctrl-C ends\n"
        for _ in range(2):  # what is renamed into place is followed, too
            save(folder / "web-1.yaml", GUEST.replace("1 GiB", "2 GiB"))
            terminal.expect(CHANGED)
            save(folder / "web-1.yaml", GUEST)
            terminal.expect("1 changed, 0 unchanged\n")
        terminal.type("\x03")
        assert terminal.end() == (130, "^C\n")


def test_problems_are_shown_and_the_last_good_result_is_kept(folder: Path) -> None:
    with at_a_terminal(folder, "watch", "web-1.yaml") as terminal:
        terminal.expect("Ctrl-C ends\n")
        rename(folder / "web-1.yaml", GUEST.replace("memory", "memroy"))
        assert terminal.expect("\n") == "web-1.yaml:2:1: memroy: is not a known key (did you mean 'memory'?) [schema]\n"
        rename(folder / "web-1.yaml", GUEST.replace("1 GiB", "2 GiB"))
        terminal.expect(CHANGED)  # held against what it was before the mistake
        rename(folder / "web-1.yaml", f"{GUEST}# no change\n".replace("1 GiB", "2048"))
        assert terminal.expect("unchanged\n") == "1 guest well: 0 changed, 1 unchanged\n"


def test_a_problem_at_the_start_is_no_end(folder: Path) -> None:
    (folder / "web-1.yaml").write_text("name: [\n")
    with at_a_terminal(folder, "watch", "web-1.yaml") as terminal:
        assert "web-1.yaml:2:1: is not YAML" in terminal.expect("Ctrl-C ends\n")
        rewrite(folder / "web-1.yaml", GUEST)
        assert "+++ web-1" in terminal.expect("1 guest well: 1 changed, 0 unchanged\n")


def test_a_guest_file_that_is_gone_is_no_end(folder: Path) -> None:
    with at_a_terminal(folder, "watch", "web-1.yaml") as terminal:
        terminal.expect("Ctrl-C ends\n")
        (folder / "web-1.yaml").unlink()
        assert terminal.expect("\n") == "web-1.yaml: No such file or directory [file]\n"
        rewrite(folder / "web-1.yaml", GUEST.replace("1 GiB", "2 GiB"))
        terminal.expect(CHANGED)


def test_a_folder_that_is_replaced_is_no_end(folder: Path) -> None:
    guests = folder / "guests"
    guests.mkdir()
    (folder / "web-1.yaml").rename(guests / "web-1.yaml")
    with at_a_terminal(folder, "watch", "guests/web-1.yaml") as terminal:
        terminal.expect("Ctrl-C ends\n")
        shutil.rmtree(guests)
        assert terminal.expect("\n") == "guests/web-1.yaml: No such file or directory [file]\n"
        guests.mkdir()
        rewrite(guests / "web-1.yaml", GUEST.replace("1 GiB", "2 GiB"))
        terminal.expect(CHANGED)
        rewrite(guests / "web-1.yaml", GUEST)
        terminal.expect("1 changed, 0 unchanged\n")


def test_a_link_to_a_guest_is_followed(folder: Path) -> None:
    (folder / "real").mkdir()
    (folder / "web-1.yaml").rename(folder / "real/web-1.yaml")
    (folder / "link.yaml").symlink_to("real/web-1.yaml")
    with at_a_terminal(folder, "watch", "link.yaml") as terminal:
        terminal.expect("Ctrl-C ends\n")
        rename(folder / "real/web-1.yaml", GUEST.replace("1 GiB", "2 GiB"))
        terminal.expect(CHANGED)


def test_templates_and_schema_parts_are_followed(folder: Path, run: Run) -> None:
    site = folder / "site"
    site.mkdir()
    with at_a_terminal(folder, "watch", "--templates", "site", "web-1.yaml") as terminal:
        terminal.expect("Ctrl-C ends\n")
        run("templates", "copy", "domain/vcpu.xml.j2", site)
        assert terminal.expect("unchanged\n") == "1 guest well: 0 changed, 1 unchanged\n"
        template = site / "domain/vcpu.xml.j2"
        text = template.read_text()
        rename(template, text.replace("<vcpu", "<!-- here -->\n  <vcpu"))
        assert "\x1b[32m+  <!-- here -->\x1b[0m\n" in terminal.expect("1 changed, 0 unchanged\n")
        rename(template, text.replace("vcpu.text", "vcpu.txt"))
        shown = terminal.expect("from [^\n]*\n")
        assert "site/domain/vcpu.xml.j2:2: 'txt' is not given here (did you mean 'text'?) (guest 'web-1'" in shown
        rename(template, text)
        assert "\x1b[31m-  <!-- here -->\x1b[0m\n" in terminal.expect("1 changed, 0 unchanged\n")
        part = '{"extends": "shipped/guest.schema.yaml", "properties": {"title": {"enum": ["a"]}}}'
        rename(site / "guest.schema.yaml", part)
        assert terminal.expect("unchanged\n") == "1 guest well: 0 changed, 1 unchanged\n"
        rename(folder / "web-1.yaml", f"{GUEST}title: b\n")
        assert "web-1.yaml:5:8: title: 'b' is not one of a" in terminal.expect("title[^\n]*\n")
        rename(site / "guest.schema.yaml", "{")
        assert "guest.schema.yaml:2: is not YAML" in terminal.expect("YAML[^\n]*\n")
        rename(site / "guest.schema.yaml", '{"extends": "shipped/guest.schema.yaml"}')
        assert "\x1b[32m+  <title>b</title>\x1b[0m\n" in terminal.expect("1 changed, 0 unchanged\n")


def test_defaults_are_followed(folder: Path) -> None:
    (folder / "site.yaml").write_text("vcpu: 2\n")
    with at_a_terminal(folder, "watch", "--defaults", "site.yaml", "--set", "title=x", "web-1.yaml") as terminal:
        terminal.expect("Ctrl-C ends\n")
        rename(folder / "site.yaml", "vcpu: 3\n")
        assert "\x1b[32m+  <vcpu>3</vcpu>\x1b[0m\n" in terminal.expect("1 changed, 0 unchanged\n")
        rename(folder / "site.yaml", "vcpu: many\n")
        assert terminal.expect("\n").startswith("site.yaml:1:7: vcpu")


def test_fleets_are_held_against_each_other(folder: Path) -> None:
    (folder / "web-2.yaml").write_text(GUEST.replace("web-1", "web-2").replace("/a.", "/b."))
    with at_a_terminal(folder, "watch", "web-1.yaml", "web-2.yaml") as terminal:
        assert terminal.expect("Ctrl-C ends\n").startswith("2 guests well")
        rename(folder / "web-2.yaml", GUEST.replace("web-1", "web-2"))
        assert "'/a.qcow2', which guest 'web-2' writes to, is written by 'web-1' too" in terminal.expect(
            r"--allow-shared \[shared-disk\]\n"
        )
        rename(folder / "web-2.yaml", GUEST.replace("web-1", "db-1").replace("/a.", "/c."))
        shown = terminal.expect("2 guests well: 1 changed, 1 unchanged\n")
        assert "+++ db-1" in shown
        assert "--- web-2\x1b[0m\n\x1b[1m+++ /dev/null" in shown


def test_secrets_are_not_shown(folder: Path) -> None:
    guest = f"{GUEST}graphics:\n- {{type: vnc, port: 5901, passwd: sesame1}}\n"
    (folder / "web-1.yaml").write_text(guest)
    with at_a_terminal(folder, "watch", "web-1.yaml") as terminal:
        terminal.expect("Ctrl-C ends\n")
        rename(folder / "web-1.yaml", guest.replace("5901", "5902"))
        shown = terminal.expect("1 changed, 0 unchanged\n")
        assert 'port="5902"' in shown
        assert 'passwd="***"' in shown
        rename(folder / "web-1.yaml", guest.replace("5901", "5902").replace("sesame1", "sesame2"))
        shown += terminal.expect("1 changed, 0 unchanged\n")
        assert "# only secrets differ" in shown
        assert "sesame1" not in shown
        assert "sesame2" not in shown


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it_cleanly(number: signal.Signals, folder: Path) -> None:
    with at_a_terminal(folder, "watch", "web-1.yaml") as terminal:
        terminal.expect("Ctrl-C ends\n")
        terminal.process.send_signal(number)
        assert terminal.end() == (128 + number, "\n")


def test_colours_are_as_asked_for(folder: Path) -> None:
    with at_a_terminal(folder, "watch", "--color", "never", "web-1.yaml") as terminal:
        terminal.expect("Ctrl-C ends\n")
        rewrite(folder / "web-1.yaml", GUEST.replace("1 GiB", "2 GiB"))
        assert "\x1b" not in terminal.expect("1 changed, 0 unchanged\n")


def test_pipes_get_no_colours(folder: Path) -> None:
    command = [sys.executable, "-m", "kvmrender", "watch", "web-1.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stderr.readline() == b"1 guest well; watching for changes, Ctrl-C ends\n"
        rewrite(folder / "web-1.yaml", GUEST.replace("1 GiB", "2 GiB"))
        assert process.stderr.readline() == b"1 guest well: 1 changed, 0 unchanged\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().startswith(b"--- web-1\n+++ web-1\n@@ ")
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 130


def test_standard_input_is_refused(run: Run) -> None:
    assert run("watch").exit_code == 2
    result = run("watch", "-")
    assert result.exit_code == 2
    assert "can't follow standard input" in result.stderr


def test_without_watchfiles(folder: Path) -> None:
    program = "import sys; sys.modules['watchfiles'] = None; from kvmrender.cli.main import main; main()"
    command = [sys.executable, "-c", program, "watch", "web-1.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "watch needs watchfiles: pip install watchfiles\n"


def test_render_imports_none_of_it(folder: Path) -> None:
    program = (
        "import sys\nfrom kvmrender.cli.main import main\n"
        "main(['render', 'web-1.yaml'], standalone_mode=False)\nprint(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not {"watchfiles", "graphviz", "http.server", "asyncio"} & loaded
    assert not [name for name in loaded if name.startswith(("kvmrender.look.", "kvmrender.workbench."))]
