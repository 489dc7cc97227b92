"""Wheel, sdist and manual pages, with what distributions and users have: build, twine, pip, pipx, uv, man."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from tarfile import open as open_tar

import click
import pytest
from conftest import ROOT, Run
from tools import NOT_SOURCES, blocks, execute, program, tool

from kvmrender.cli.main import main

WEB = ROOT / "fixtures/web-1.yaml"
HOME = {"HOME": os.environ.get("HOME", "/")}
"""Where the settings of pip and uv are."""


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist of this checkout, and the wheel that is built from it."""
    folder = tmp_path_factory.mktemp("dist")
    done = execute(tool("packaging"), "-m", "build", "--outdir", folder, ROOT, cwd=folder, **HOME)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="session")
def wheel(dist: Path) -> Path:
    (found,) = dist.glob("*.whl")
    return found


def rendered(done: subprocess.CompletedProcess[str]) -> None:
    """See that a command has rendered web-1."""
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == WEB.with_suffix(".xml").read_text()


def test_twine_is_content(dist: Path) -> None:
    files = sorted(dist.iterdir())
    assert len(files) == 2
    done = execute(tool("packaging"), "-m", "twine", "check", "--strict", *files, cwd=dist)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("PASSED") == 2


def test_wheel_holds_templates_the_page_manual_pages_collection_and_entry_points(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        (entry_points,) = (file.read(name).decode() for name in names if name.endswith("/entry_points.txt"))
    assert "[salt.loader]\nkvmrender = kvmrender.plugins.salt\n" in entry_points
    for folder in ("templates", "fixtures"):
        here = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        assert {f"kvmrender/{name}" for name in here} <= names
    own = {path.relative_to(ROOT).as_posix() for path in (ROOT / "kvmrender").rglob("*") if path.is_file()}
    assert {name for name in own if "__pycache__" not in name} | {"kvmrender/prepared.json"} <= names
    assert {f"kvmrender/look/preview/page.{kind}" for kind in ("html", "css", "js")} <= names
    pages = {f"share/man/man1/{path.name}" for path in (ROOT / "man").iterdir()}
    assert {name.split(".data/data/")[1] for name in names if ".data/data/" in name} == pages
    collection = {name for name in names if name.startswith("ansible_collections/")}
    assert "ansible_collections/kvmrender/libvirt/plugins/modules/guest_file.py" in collection
    assert "ansible_collections/__init__.py" not in collection  # others put collections there too


def test_ansible_finds_the_collection_of_the_wheel(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as file:
        file.extractall(tmp_path / "site")
    doc = execute(
        tool("ansible", "ansible-doc"), "kvmrender.libvirt.guest_file", cwd=tmp_path, PYTHONPATH=str(tmp_path / "site")
    )
    assert doc.returncode == 0, doc.stderr
    assert f"{tmp_path}/site/ansible_collections/kvmrender/libvirt/plugins/modules/guest_file.py" in doc.stdout


def test_sdist_holds_what_the_tests_need(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with open_tar(sdist) as file:
        names = {name.split("/", 1)[1] for name in file.getnames() if "/" in name}
    for folder in ("kvmrender", "ansible_collections", "templates", "fixtures", "tests", "docs", "man"):
        here = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
        made = {"kvmrender/prepared.json"}  # in a wheel, of what is here
        assert {name for name in here - made if "__pycache__" not in name} <= names - made, folder
    assert not made & names
    top = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "mkdocs.yml", ".pre-commit-hooks.yaml", ".ci/run"}
    assert top <= names


def test_pip_installs_it(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([tool("packaging"), "-m", "venv", tmp_path / "venv"], check=True)
    installed = execute(tmp_path / "venv/bin/python", "-m", "pip", "install", "-q", wheel, cwd=tmp_path, **HOME)
    assert installed.returncode == 0, installed.stderr
    rendered(execute(tmp_path / "venv/bin/kvmrender", "render", WEB, cwd=tmp_path))
    page = tmp_path / "venv/share/man/man1/kvmrender-render.1"
    assert page.read_text() == (ROOT / "man/kvmrender-render.1").read_text()


def test_each_way_to_install_it_that_the_page_names(wheel: Path, tmp_path: Path) -> None:
    """The repository's address stands for another, and the wheel is where `python -m build` puts it."""
    clone = shutil.copytree(ROOT, tmp_path / "clone", ignore=NOT_SOURCES)
    (clone / "dist").mkdir()
    shutil.copy(wheel, clone / "dist")
    for step in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "All"]):
        assert execute(program("git", "git"), *step, cwd=clone, **HOME).returncode == 0
    (ways,) = (block for block in blocks(ROOT / "docs/index.md", "sh") if block.startswith("pip install"))
    for number, way in enumerate(ways.splitlines()):
        command = way.replace("https://git.example.org/kvmrender", clone.as_uri()).split()
        subprocess.run([tool("packaging"), "-m", "venv", tmp_path / f"venv{number}"], check=True)
        installed = execute(tmp_path / f"venv{number}/bin" / command[0], *command[1:], cwd=clone, **HOME)
        assert installed.returncode == 0, installed.stderr
        rendered(execute(tmp_path / f"venv{number}/bin/kvmrender", "render", WEB, cwd=tmp_path))


def pipx(tmp_path: Path, *arguments: str | Path, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    own = {name: str(tmp_path / name) for name in ("PIPX_HOME", "PIPX_BIN_DIR", "PIPX_MAN_DIR")}
    return execute(tool("packaging", "pipx"), *arguments, cwd=folder or tmp_path, **HOME, **own)


def test_pipx_installs_it_with_its_manual(wheel: Path, tmp_path: Path) -> None:
    installed = pipx(tmp_path, "install", "--quiet", wheel)
    assert installed.returncode == 0, installed.stderr
    rendered(execute(tmp_path / "PIPX_BIN_DIR/kvmrender", "render", WEB, cwd=tmp_path))
    assert (tmp_path / "PIPX_MAN_DIR/man1/kvmrender.1").exists()


def test_pipx_runs_it_as_the_page_says(tmp_path: Path) -> None:
    """As it is now: an edited template is seen."""
    lines = [line for block in blocks(ROOT / "docs/index.md", "sh") for line in block.splitlines()]
    (line,) = (line.partition("#")[0].split() for line in lines if line.startswith("pipx run"))
    clone = shutil.copytree(ROOT, tmp_path / "clone", ignore=NOT_SOURCES)
    rendered(pipx(tmp_path, *line[1:], folder=clone))
    template = clone / "templates/domain/vcpu.xml.j2"
    template.write_text(template.read_text().replace("<vcpu", "<!-- edited -->\n  <vcpu"))
    assert "<!-- edited -->" in pipx(tmp_path, *line[1:], folder=clone).stdout


def test_uv_installs_and_runs_it(wheel: Path, tmp_path: Path) -> None:
    uv = tool("packaging", "uv")
    own = {**HOME, "UV_CACHE_DIR": str(tmp_path / "cache"), "UV_PYTHON_DOWNLOADS": "never"}
    python = str(tool("packaging"))
    made = execute(uv, "venv", "-q", "--python", python, "venv", cwd=tmp_path, **own)
    assert made.returncode == 0, made.stderr
    installed = execute(uv, "pip", "install", "-q", "--python", "venv/bin/python", wheel, cwd=tmp_path, **own)
    assert installed.returncode == 0, installed.stderr
    rendered(execute(tmp_path / "venv/bin/kvmrender", "render", WEB, cwd=tmp_path))
    rendered(
        execute(
            uv,
            "tool",
            "run",
            "-q",
            "--python",
            python,
            "--from",
            wheel,
            "kvmrender",
            "render",
            WEB,
            cwd=tmp_path,
            **own,
        )
    )


def commands(command: click.Command = main, name: str = "kvmrender") -> dict[str, click.Command]:
    """Return each command by its full name."""
    inner = command.commands if isinstance(command, click.Group) else {}
    return {
        name: command,
        **{full: one for key in inner for full, one in commands(inner[key], f"{name} {key}").items()},
    }


@pytest.mark.parametrize("name", commands())
def test_help_has_an_example(name: str, run: Run) -> None:
    found = run(*name.split()[1:], "--help").output
    examples = [line.strip() for line in found.splitlines() if line.strip().startswith("Example:")]
    assert examples
    assert all(line.startswith("Example: kvmrender") for line in examples)
    assert "..." not in found.partition("Commands:")[2]  # no help in the list of commands is cut short


def test_manual_pages_are_those_of_the_help_texts(tmp_path: Path) -> None:
    path = f"{tool('packaging', 'click-man').parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "MAN_PAGES": str(tmp_path)}
    subprocess.run([ROOT / "tests/make_man"], env=environment, capture_output=True, check=True)
    written = {page.name: page.read_text() for page in tmp_path.iterdir()}
    assert {page.name: page.read_text() for page in (ROOT / "man").iterdir()} == written, "run tests/make_man"
    assert set(written) == {f"{name.replace(' ', '-')}.1" for name in commands()}


@pytest.mark.parametrize("page", sorted((ROOT / "man").iterdir()), ids=lambda page: page.stem)
def test_man_shows_each_page(page: Path, tmp_path: Path) -> None:
    man = program("man", "man-db")
    done = execute(
        man, "--warnings", "--encoding=UTF-8", "--local-file", page, cwd=tmp_path, MANWIDTH="80", LC_ALL="C.UTF-8"
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert page.stem.partition("-")[0].upper() in done.stdout
    assert "DESCRIPTION" in done.stdout


def test_public_names_are_there_and_others_are_not() -> None:
    code = """
import kvmrender
assert {"Error", "GuestError", "Problem", "Renderer", "TemplateError", "render"} <= {*dir(kvmrender)}
from kvmrender import Error, GuestError, Problem, Renderer, TemplateError, render
assert issubclass(GuestError, Error) and kvmrender.Renderer is Renderer
try:
    from kvmrender import Render
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("cannot import name 'Render' from 'kvmrender'")
