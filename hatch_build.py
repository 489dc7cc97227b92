"""Puts templates and example guests inside the package of a wheel, and what is made of them once for all (see
``kvmrender.compiler.prepared``): both stand at the top of the repository."""

import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PREPARED = "kvmrender/prepared.json"
MAKE = "import sys; sys.path.insert(0, sys.argv[1]); from kvmrender.compiler.prepared import write; write()"


class TemplatesHook(BuildHookInterface):
    """An editable install reads templates where they are, so that there is never a second copy."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make it, and add the folders to a wheel that is to be installed."""
        subprocess.run([sys.executable, "-B", "-c", MAKE, self.root], check=True)
        build_data["artifacts"].append(PREPARED)
        if version == "standard":
            build_data["force_include"].update(templates="kvmrender/templates", fixtures="kvmrender/fixtures")
