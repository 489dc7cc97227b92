"""Mutation testing: the code is changed in small ways, one at a time, and a test has to notice.

    python tests/mutation.py [--tenth] [--kept FOLDER] [MODULE ...]      # such as derive parse xml; by default all

Prints the share of changes that some test notices ("kills"), of each module and all, and the changes that none does
and ``tests/mutation_survivors.yaml`` doesn't explain. Fails below 90 %, and for a survivor without a reason in a module
that is in that file. Works on a copy of the sources; ELSEWHERE says what is left out. Needs mutmut:
pip install '.[mutation]'; and for the code that validates, what tests/real_libvirt/test_validate.py needs.
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
from tools import NOT_SOURCES

ROOT = Path(__file__).parent.parent
LEAST = 90
"""Share of mutants that is to be killed, in percent."""
TESTS = "test_fixtures test_seed test_defaults test_bad_input test_checks test_details test_secrets test_hostile"
"""Tests for each module: they take a few seconds together, which is what a survivor takes."""
MORE = {
    "api|plugins/.*": "test_one test_plugins test_shards",
    "(checks|rules)/.*": "test_checks test_rules",
    "cli/.*": "test_cli test_explain test_folder test_graph test_layers test_limits test_look test_workbench",
    "compiler/.*": "test_prepared test_compile test_fixtures test_known_keys test_templates",
    "context/.*": "test_bad_input test_compile test_fixtures test_good_input test_valid",
    "engine|templating/.*": "test_isolated test_templates test_workbench",
    "errors|shipped|terminal": "test_good_input test_layers test_limits test_validate",
    "fleet/.*": "test_cli test_files test_fleet test_folder test_shards",
    "libvirt/.*": "test_validate",
    "look/.*": "test_explain test_graph test_look test_preview_server",
    "reading/.*": "test_good_input test_layers test_limits test_validate",
    "schema/.*": "test_explain test_files test_schema test_validate",
    "workbench/.*": "test_explain test_workbench",
}
"""Tests for the modules of each room besides, which are run before those."""
ELSEWHERE = re.compile("__main__|plugins/dask|plugins/salt/(modules|renderers|states)/.*")
"""Modules that are not measured, since their tests run them in other processes alone: the command's own, those of a
Dask cluster and those of Salt, which is not installed beside mutmut."""
COLD = re.compile(
    "checks/checked_context|compiler/.*|context/(condensed_schema|full_form|key_shapes|quick_validation|validation)"
    "|rules/.*|schema/(guest_schema|shorthand)|templating/(environment|loader|schema_parts|stack)"
)
"""Modules that are at work as tests are imported: each change begins without."""
DIRECT = re.compile(
    "api|errors|terminal|checks/(?!all_checks|checked_context).*|cli/.*|context/(device_names|identity|mac_address)"
    "|fleet/(?!processes).*|libvirt/.*|look/.*|plugins/.*|reading/.*|schema/(?!guest_schema|shorthand|editor).*"
    "|templating/(guard|lines|references|template_errors|used_fields)|workbench/(?!expression).*"
)
"""Modules that keep nothing from one test to the next: only tests that call a function can notice how it is changed."""
LEFT = """
    alias_bomb any_value at_a_terminal bytes_of closed_early death fsync full_disk gigabyte huge_text interrupt killed
    many_disks of_the_environment render_without_options
    nested_deep no_process no_time other_commands pipes_are processes race renamed_variable spread start_needs strace
    swapped that_is_full tiny unchanged_run waiting warning without_end writers
    """
"""Tests that take long, ask for a machine with time to spare or run other processes, where mutmut is not at home, by
parts of their names."""
BEFORE = """
import functools
import gc
import sys

from mutmut.state import state as _state

if {cold}:
    for _name in [name for name in sys.modules if name.startswith("test_")]:
        del sys.modules[_name]
_seen: set[str] = set()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown() -> None:
    # What one test has called, those after it may find called.
    if not {direct}:
        _seen.update(_state()._stats)
        _state()._stats.update(_seen)


def pytest_configure(config: pytest.Config) -> None:
    # Each of a thousand tests is looked for anew if it is named.
    if len(config.args) > 50:
        config.args[:] = dict.fromkeys(name.partition("::")[0] for name in config.args)
    config.args.sort(key=lambda name: {tests}.index(name.partition("::")[0]))
    for _cache in gc.get_objects():
        if isinstance(_cache, functools._lru_cache_wrapper) and (_cache.__module__ or "").startswith("kvmrender"):
            _cache.cache_clear()
"""
"""What is said to pytest in the copy, besides: mutmut runs it in forks of a process in which it has run."""


def run(copy: Path, *arguments: str, out: int | None = None) -> str:
    """Run mutmut in the copy."""
    own = {"HYPOTHESIS_STORAGE_DIRECTORY": str(copy / "h")}
    environment = {**os.environ, **own, "KVMRENDER_EXAMPLES": os.environ.get("KVMRENDER_EXAMPLES", "usual")}
    command = [sys.executable, "-m", "mutmut", *arguments]
    done = subprocess.run(
        command, cwd=copy, env=environment, stdout=out, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout or ""


def prepare(copy: Path, modules: list[str], tests: list[str]) -> None:
    """Make a copy of the sources in which mutmut changes these modules, and runs these tests."""
    shutil.copytree(ROOT, copy, ignore=NOT_SOURCES)
    with (copy / "pyproject.toml").open("a") as file:
        print(f"only_mutate = {[f'kvmrender/{module}.py' for module in modules]}", file=file)
        print(f"pytest_add_cli_args_test_selection = {tests}", file=file)
        left = f"['-q', '-p', 'no:cacheprovider', '-n0', '-k', 'not ({' or '.join(LEFT.split())})']"
        print(f"pytest_add_cli_args = {left}", file=file)
    before = BEFORE.replace("{cold}", str(bool(COLD.fullmatch(modules[0]))))
    before = before.replace("{direct}", str(bool(DIRECT.fullmatch(modules[0]))))
    before = before.replace("{tests}", repr(tests))
    with (copy / "tests/conftest.py").open("a") as file:
        file.write(before)


def groups(modules: list[str]) -> list[tuple[tuple[str, ...], list[str]]]:
    """Return the modules that can be changed in one run, those with the same tests, each time with these."""
    found = defaultdict(list)
    for module in modules:
        more = " ".join(tests for pattern, tests in MORE.items() if re.fullmatch(pattern, module))
        names = dict.fromkeys([*more.split(), *TESTS.split()])
        tests = tuple(str(*(ROOT / "tests").glob(f"*/{name}.py")).removeprefix(f"{ROOT}/") for name in names)
        found[tests, bool(COLD.fullmatch(module)), bool(DIRECT.fullmatch(module))].append(module)
    return [(tests, chosen) for (tests, *_), chosen in found.items()]


def change(copy: Path, mutant: str) -> str:
    """Return what a mutant changes, as ``function: old line -> new line``."""
    diff = run(copy, "show", mutant, out=subprocess.PIPE).splitlines()
    old = " ".join(line[1:].strip() for line in diff if line.startswith("-") and not line.startswith("---"))
    new = " ".join(line[1:].strip() for line in diff if line.startswith("+") and not line.startswith("+++"))
    function = re.sub("^x_|__mutmut_.*", "", mutant.rpartition(".")[2]).replace("xǁ", "").replace("ǁ", ".")
    return f"{function}: {old} -> {new}"


def main() -> None:
    files = sorted(path.relative_to(ROOT / "kvmrender").with_suffix("") for path in (ROOT / "kvmrender").rglob("*.py"))
    modules = [name for file in files if not ELSEWHERE.fullmatch(name := str(file))]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help=", ".join(modules))
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes; by default as many as cores")
    parser.add_argument("--tenth", action="store_true", help="of each function the third change, the 13th, and so on")
    parser.add_argument("--kept", type=Path, help="where copies are made, and kept for mutmut show and browse")
    options = parser.parse_args()
    if unknown := set(options.modules) - set(modules):
        parser.error(f"no module: {', '.join(sorted(unknown))}")
    found: list[tuple[str, str, str]] = []
    with tempfile.TemporaryDirectory() as made:
        for number, (tests, chosen) in enumerate(groups(options.modules or modules)):
            copy = (options.kept or Path(made)) / str(number)
            if not copy.exists():
                prepare(copy, chosen, list(tests))
            with (copy / "log").open("w") as log:
                which = ["*__mutmut_*3"] if options.tenth else []
                run(copy, "run", "--max-children", str(options.jobs), *which, out=log.fileno())
            found += results(copy, options.tenth)
    tell(found)


def results(copy: Path, tenth: bool) -> list[tuple[str, str, str]]:
    """Return module, status and change of each mutant; the change only where it survived."""
    listed = run(copy, "results", "--all", "true", out=subprocess.PIPE)
    if tenth:
        listed = "".join(line for line in listed.splitlines(True) if "not checked" not in line)
    if (not listed.strip() or "not checked" in listed) and "nothing matches" not in (copy / "log").read_text():
        raise SystemExit(f"{(copy / 'log').read_text()[-4000:]}\nmutants were not run: do the tests pass?")
    found = []
    for mutant, status in re.findall(r"^\s*(kvmrender\.\S+): (.+)$", listed, re.MULTILINE):
        module = mutant.rpartition(".")[0].removeprefix("kvmrender.").replace(".", "/")
        killed = status in ("killed", "timeout", "segfault", "caught by type check")
        found.append((module, status, "" if killed else change(copy, mutant)))
    return found


def tell(found: list[tuple[str, str, str]]) -> None:
    """Print what became of the mutants, and fail where too many survive."""
    reasons: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "tests/mutation_survivors.yaml").read_text()) or {}
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    unexplained = 0
    for module, _, changed in found:
        counts[module]["survived" if changed else "killed"] += 1
        if not changed:
            continue
        if changed in reasons.get(module, {}):
            counts[module]["explained"] += 1
        else:
            unexplained += module in reasons
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
