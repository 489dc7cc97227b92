"""Checks of raw XML."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.common import Context, check, dig
from kvmrender.errors import Problem
from kvmrender.schema.xml_faults import fragment_fault


@check("metadata", "extra")
def raw_xml(context: Context, architecture: Context) -> Iterator[Problem]:
    """Raw XML, in metadata and extra, is well-formed by itself."""
    for path in (("metadata",), ("extra", "domain"), ("extra", "devices")):
        text = dig(context, *path)
        if text is not None and (fault := fragment_fault(text)):
            yield Problem(path, f"is not well-formed XML: {fault}")
