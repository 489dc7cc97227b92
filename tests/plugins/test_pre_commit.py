"""The hooks of .pre-commit-hooks.yaml, with the real pre-commit and Git, which install this checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import yaml
from conftest import ROOT
from tools import NOT_SOURCES, execute, files, program, tool

CONFIG = files(ROOT / "docs/pipelines.md", "pre-commit")[".pre-commit-config.yaml"]


class Repository:
    """A repository of guests and templates, with the hooks in place."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "HOME": os.environ.get("HOME", "/"),  # pip's settings are there
            "PRE_COMMIT_HOME": str(folder / "pre-commit"),
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            **{f"GIT_{who}_{what}": "a@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }
        project, self.site = folder / "kvmrender", folder / "site"
        shutil.copytree(ROOT, project, ignore=NOT_SOURCES)
        for step in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "All"]):
            self.git(*step, cwd=project)
        self.site.mkdir()
        self.git("init", "-q", cwd=self.site)
        hooks = yaml.safe_load(CONFIG)
        hooks["repos"][0]["repo"] = str(project)
        self.write(".pre-commit-config.yaml", yaml.safe_dump(hooks))
        done = execute(tool("packaging", "pre-commit"), "install", cwd=self.site, **self.environment)
        assert done.returncode == 0, done.stdout

    def write(self, name: str, text: str) -> None:
        path = self.site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def git(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return execute(program("git", "git"), *arguments, cwd=cwd, **self.environment)

    def commit(self) -> tuple[int, str]:
        """Commit all, and return Git's exit code and what the hooks said."""
        self.git("add", ".", cwd=self.site)
        done = self.git("commit", "-m", "Change", cwd=self.site)
        return done.returncode, done.stdout + done.stderr


def test_commits_of_bad_guests_and_templates_are_refused(tmp_path: Path) -> None:
    tool("packaging", "pre-commit")
    repository = Repository(tmp_path)
    repository.write("guests/web-1.yaml", (ROOT / "fixtures/web-1.yaml").read_text())
    repository.write("site-templates/devices/disk.xml.j2", (ROOT / "templates/devices/disk.xml.j2").read_text())
    code, said = repository.commit()
    assert code == 0, said
    assert said.count("Passed") == 2

    repository.write("guests/web-2.yaml", "name: web-2\nmemroy: 1\n")
    code, said = repository.commit()
    assert code == 1
    assert "guests/web-2.yaml:2:1: memroy: is not a known key (did you mean 'memory'?)" in said
    assert "templates of guests are sound" in said
    assert said.count("Skipped") == 1
    repository.write("guests/web-2.yaml", "name: web-2\nmemory: 1 GiB\n")

    repository.write("site-templates/devices/disk.xml.j2", "<disk>{{ device.sauce }}</disk>\n")
    code, said = repository.commit()
    assert code == 1
    assert "site-templates/devices/disk.xml.j2:1: " in said
    assert "sauce" in said
    (repository.site / "site-templates/devices/disk.xml.j2").unlink()

    part = "extends: shipped/guest.schema.yaml\nproperties:\n  rack: {typo: string}\n"
    repository.write("site-templates/guest.schema.yaml", part)
    code, said = repository.commit()
    assert code == 1
    assert "properties.rack.typo: is not a keyword" in said
