"""What the package is made of, and that it can be made again."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import ROOT
from packaging.requirements import Requirement
from tools import NOT_SOURCES

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # which pytest needs there

LOCK = ROOT / "tests/requirements.txt"


def project() -> dict[str, list[Requirement]]:
    """Return the dependencies and extras of pyproject.toml."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = {"dependencies": table["dependencies"], **table["optional-dependencies"]}
    return {name: [Requirement(word) for word in words] for name, words in listed.items()}


def locked() -> dict[str, list[str]]:
    """Return the versions of each package: some differ with the version of Python."""
    found = defaultdict(list)
    for name, version in re.findall(r"^([\w.-]+)==([^ ]+)", LOCK.read_text(), re.MULTILINE):
        found[canonical(name)].append(version)
    return found


def canonical(name: str) -> str:
    return re.sub("[-_.]+", "-", name).lower()


def test_a_copy_of_the_sources_leaves_out_what_git_ignores() -> None:
    """Such as the data of coverage, whose files come and go while a test copies the checkout."""
    ignored = {Path(line).name.replace("*", "x") for line in (ROOT / ".gitignore").read_text().split()}
    assert ignored >= {".coverage.x", "prepared.json"}
    assert NOT_SOURCES(str(ROOT), sorted(ignored)) == ignored


def test_lock_has_what_the_project_asks_for() -> None:
    # These are installed by themselves.
    extras = [requirements for extra, requirements in project().items() if extra not in ("mutation", "dask", "docs")]
    asked = [one for requirements in extras for one in requirements if one.name != "kvmrender"]
    assert len(asked) > 20
    for requirement in asked:
        versions = locked()[canonical(requirement.name)]
        assert versions, f"{requirement}: run tests/lock.sh"
        assert all(requirement.specifier.contains(version) for version in versions), f"{requirement}: {versions}"


def test_lock_has_hashes_and_no_places() -> None:
    entries = re.split(r"^(?=[\w.-]+==)", LOCK.read_text(), flags=re.MULTILINE)[1:]
    assert {canonical(entry.partition("==")[0]) for entry in entries} == locked().keys()
    assert all(" --hash=sha256:" in entry for entry in entries)
    assert "://" not in LOCK.read_text()


def test_pythons_are_those_that_ci_tests_with() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    versions = [words[-1] for words in map(str.split, listed) if re.fullmatch(r"3\.\d+", words[-1])]
    (tested,) = re.findall(r"for version in ([0-9. ]+);", (ROOT / ".ci/run").read_text())
    assert tested.split() == versions
    assert f"with Python {versions[0]} to {versions[-1]}" in (ROOT / "README.md").read_text()


def test_every_dependency_has_a_lowest_version() -> None:
    """CI tests with these, and with the newest."""
    for extra, requirements in project().items():
        for requirement in requirements:
            if extra != "dev" and canonical(requirement.name) != "kvmrender":
                assert [one.operator for one in requirement.specifier if one.operator != "<"] == [">="], requirement


def build(folder: Path, umask: int, **environment: str) -> dict[str, str]:
    """Build the wheel and the sdist of a copy of the sources, and return the hash of each file."""
    shutil.copytree(ROOT, folder / "copy", ignore=NOT_SOURCES)
    for number, path in enumerate(sorted(folder.rglob("*"))):
        os.utime(path, (number * 86_400, number * 86_400 + len(str(folder)) * 1e6))
        path.chmod(path.stat().st_mode & ~umask)
    command = [sys.executable, "-m", "build", "--outdir", str(folder / "dist"), str(folder / "copy")]
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, umask=umask)
    assert done.returncode == 0, done.stdout + done.stderr
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in (folder / "dist").iterdir()}


@pytest.mark.slow
def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    if not find_spec("build"):
        pytest.skip("needs build: pip install '.[dev]'")
    first = build(tmp_path / "a", 0o022, TZ="UTC", PYTHONHASHSEED="1")
    second = build(tmp_path / "a longer name", 0o077, TZ="Asia/Tokyo", PYTHONHASHSEED="2", LC_ALL="C")
    assert len(first) == 2
    assert first == second


HOLE = '{"id": "HOLE-1", "fix_versions": ["2.0"], "aliases": [], "description": ""}'
CLEAN, HOLED, UNKNOWN = (
    '{"name": "a", "version": "1.0", "vulns": []}',
    f'{{"name": "b", "version": "1.9", "vulns": [{HOLE}]}}',
    '{"name": "c", "skip_reason": "Dependency not found on PyPI"}',
)


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        ([CLEAN, UNKNOWN], 0, "2 packages: 0 known holes; no data to be had for 1\n"),
        (
            [CLEAN, HOLED],
            1,
            "b 1.9: HOLE-1, mended in 2.0\n2 packages: 1 known holes; no data to be had for 0\n",
        ),
    ],
)
def test_audit_tells_what_it_could_not_know(packages: list[str], code: int, said: str, tmp_path: Path) -> None:
    """A known hole fails; packages of which nothing is known aren't passed over in silence."""
    answer = f'{{"dependencies": [{", ".join(packages)}]}}'
    (tmp_path / "pip_audit.py").write_text(f"print({answer!r})\nraise SystemExit({code})")
    done = subprocess.run(
        [sys.executable, ROOT / "tests/audit.py"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (code, said)
