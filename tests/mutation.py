"""Mutation testing: the code is changed in small ways, one at a time, and a test has to notice.

    python tests/mutation.py [--kept FOLDER] [MODULE ...]      # such as derive parse xml; by default all

Prints the share of changes that some test notices ("kills"), of each module and all, and the changes that none does
and ``tests/mutation_survivors.yaml`` doesn't explain. Fails below 90 %, and for a survivor without a reason in the code
that derives, checks and writes. Works on a copy of the sources. Needs mutmut: pip install '.[mutation]'
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import yaml

ROOT = Path(__file__).parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis", "*.egg-info", "mutants")
LEAST = 90
"""Share of mutants that is to be killed, in percent."""
EXPLAINED = re.compile(
    "check|checks/.*|context|derive|device_names|folder|identity|layers|limited|load|mac|manifest|memory|normalise"
    "|output|parse|secrets|shared|xml"
)
"""Modules of which each survivor has a reason."""
TESTS = """
    test_bad_input test_checks test_defaults test_details test_files test_fixtures test_fleet test_folder
    test_good_input test_hostile test_layers test_limits test_seed test_schema test_secrets test_templates
    """
LEFT = """
    alias_bomb any_value bytes_of closed_early death fsync full_disk gigabyte interrupt killed many_disks nested_deep
    no_process no_time other_commands pipes_are processes race spread strace swapped that_is_full tiny unchanged_run
    waiting warning without_end writers
    """
"""Tests that take long, ask for a machine with time to spare or run other processes, where mutmut is not at home, by
parts of their names."""


def run(copy: Path, *arguments: str, out: int | None = None) -> str:
    """Run mutmut in the copy."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": str(copy / "h")}
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(command, cwd=copy, env=environment, stdout=out, text=True, check=False)
    return done.stdout or ""


def change(copy: Path, mutant: str) -> str:
    """Return what a mutant changes, as ``function: old line -> new line``."""
    diff = run(copy, "show", mutant, out=subprocess.PIPE).splitlines()
    old = " ".join(line[1:].strip() for line in diff if line.startswith("-") and not line.startswith("---"))
    new = " ".join(line[1:].strip() for line in diff if line.startswith("+") and not line.startswith("+++"))
    function = re.sub("^x_|__mutmut_.*", "", mutant.rpartition(".")[2]).replace("xǁ", "").replace("ǁ", ".")
    return f"{function}: {old} -> {new}"


def main() -> None:
    modules = sorted(
        path.relative_to(ROOT / "kvmrender").with_suffix("") for path in (ROOT / "kvmrender").rglob("*.py")
    )
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(map(str, modules)))
    parser.add_argument("--kept", type=Path, help="where the copy is made, and kept for mutmut show and browse")
    options = parser.parse_args()
    chosen = options.modules or [str(module) for module in modules if module.name not in ("__init__", "__main__")]
    with tempfile.TemporaryDirectory() as made:
        copy = options.kept or Path(made, "copy")
        if not copy.exists():
            shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        with (copy / "pyproject.toml").open("a") as file:
            print(f"only_mutate = {[f'kvmrender/{module}.py' for module in chosen]}", file=file)
            print(f"pytest_add_cli_args_test_selection = {[f'tests/{test}.py' for test in TESTS.split()]}", file=file)
            print(
                f"pytest_add_cli_args = ['-q', '-p', 'no:cacheprovider', '-k', 'not ({' or '.join(LEFT.split())})']",
                file=file,
            )
        run(copy, "run", out=subprocess.DEVNULL if not sys.stderr.isatty() else None)
        tell(copy, run(copy, "results", "--all", "true", out=subprocess.PIPE))


def tell(copy: Path, results: str) -> None:
    """Print what became of the mutants, and fail where too many survive."""
    reasons: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "tests/mutation_survivors.yaml").read_text()) or {}
    if not results.strip() or "not checked" in results:
        raise SystemExit("mutants were not run: do the tests pass? with --kept, mutmut run in that folder says why")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    survivors: list[tuple[str, str]] = []
    for mutant, status in re.findall(r"^\s*(kvmrender\.\S+): (.+)$", results, re.MULTILINE):
        module = mutant.rpartition(".")[0].removeprefix("kvmrender.").replace(".", "/")
        killed = status in ("killed", "timeout", "segfault", "caught by type check")
        counts[module]["killed" if killed else "survived"] += 1
        if not killed:
            survivors.append((module, change(copy, mutant)))
    explained = unexplained = 0
    for module, changed in survivors:
        if changed in reasons.get(module, {}):
            explained += 1
            counts[module]["explained"] += 1
        else:
            unexplained += bool(EXPLAINED.fullmatch(module))
            print(f"{module}: {changed}")
    print("| module | mutants | killed | explained |\n| --- | ---: | ---: | ---: |")
    every = sum(counts.values(), Counter())
    for module, count in [*sorted(counts.items()), ("all", every)]:
        total = count["killed"] + count["survived"]
        print(f"| {module} | {total} | {100 * count['killed'] / total:.1f} % | {count['explained']} |")
    if unexplained or 100 * every["killed"] < LEAST * (every["killed"] + every["survived"]):
        raise SystemExit(f"{unexplained} survivors have no reason; {LEAST} % are to be killed")


if __name__ == "__main__":
    main()
