"""Puts templates and example guests, which stand at the top of the repository, inside the package of a wheel."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class TemplatesHook(BuildHookInterface):
    """An editable install reads them where they are, so that there is never a second copy."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the folders to a wheel that is to be installed."""
        if version == "standard":
            build_data["force_include"].update(templates="kvmrender/templates", fixtures="kvmrender/fixtures")
