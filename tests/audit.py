"""Hold the versions in tests/requirements.txt against the holes that are known in them.

    python tests/audit.py

Fails where there is one. Says for how many packages there was no data to be had: where the network ends at a mirror of
the package index, that is all of them. Needs pip-audit: pip install pip-audit
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parent / "requirements.txt"


def main() -> None:
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(LOCK), "--require-hashes", "--disable-pip"]
    done = subprocess.run([*command, "--format", "json", "--progress-spinner", "off"], capture_output=True, text=True)
    if done.returncode not in (0, 1) or not done.stdout:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        print(f"pip-audit could not be asked: {last}")
        raise SystemExit(0 if "ConnectionError" in done.stderr else 2)
    packages = json.loads(done.stdout)["dependencies"]
    holes = [(package, hole) for package in packages for hole in package.get("vulns", [])]
    for package, hole in holes:
        fixed = f", mended in {', '.join(hole['fix_versions'])}" if hole["fix_versions"] else ""
        print(f"{package['name']} {package['version']}: {hole['id']}{fixed}")
    unknown = sum("skip_reason" in package for package in packages)
    print(f"{len(packages)} packages: {len(holes)} known holes; no data to be had for {unknown}")
    if holes:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
