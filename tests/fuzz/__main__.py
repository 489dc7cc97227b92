"""Fuzz the guest loader, import, sizes of memory and --set.

    python tests/fuzz [--seconds 60] [--only guest] [--keep FOLDER]

Each harness runs for so many seconds, beside others where there are cores for them, from the corpus beside this file,
in no more than 256 MB; an input that takes more than ten seconds, or makes it raise, is printed. With --keep, inputs
that reach something new are kept for the next run, for hours of it. Needs atheris: pip install '.[fuzz]'
"""

from __future__ import annotations

import argparse
import base64
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
MEGABYTES, SECONDS = 256, 10
"""Memory of a harness, and time for one input."""


def fuzz(name: str, arguments: list[str]) -> None:
    """Be the process that runs a harness; it doesn't return."""
    import atheris

    with atheris.instrument_imports(include=["kvmrender"]):
        from harnesses import HARNESSES
    atheris.Setup([sys.argv[0], *arguments], HARNESSES[name])
    atheris.Fuzz()


def run(name: str, seconds: int, keep: Path | None) -> bool:
    """Run a harness in a process of its own, and say whether all went well."""
    with tempfile.TemporaryDirectory() as made:
        found = (keep or Path(made)) / name
        found.mkdir(parents=True, exist_ok=True)
        faults = Path(made, "faults")
        faults.mkdir()
        limits = [f"-max_total_time={seconds}", f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}", "-max_len=65536"]
        command = [sys.executable, __file__, "--harness", name, *limits, f"-artifact_prefix={faults}/", "-verbosity=0"]
        done = subprocess.run(
            [*command, "-print_final_stats=1", str(found), str(CORPUS / name)],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        stats = dict(line[6:].split(": ", 1) for line in done.stdout.splitlines() if line.startswith("stat::"))
        inputs, memory = (stats.get(key, "?").strip() for key in ("number_of_executed_units", "peak_rss_mb"))
        said = [f"{name}: {inputs} inputs, {memory} MB, {'well' if not done.returncode else 'a fault'}"]
        if done.returncode:
            said.append(done.stdout[-8000:])
            for fault in faults.iterdir():
                said.append(f"base64 of the input: {base64.b64encode(fault.read_bytes()).decode()}")
        print("\n".join(said), flush=True)
        return not done.returncode


def main() -> None:
    if sys.argv[1:2] == ["--harness"]:
        fuzz(sys.argv[2], sys.argv[3:])
        return
    names = sorted(path.name for path in CORPUS.iterdir())
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="time for each harness")
    parser.add_argument("--only", choices=names, action="append", help="this harness")
    parser.add_argument("--keep", type=Path, help="where inputs are kept that reach something new")
    options = parser.parse_args()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        well = list(pool.map(lambda name: run(name, options.seconds, options.keep), options.only or names))
    if not all(well):
        raise SystemExit("what is printed above must not be")


if __name__ == "__main__":
    main()
