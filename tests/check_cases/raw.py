"""Guests just inside and just outside of each check of kvmrender.checks.raw."""

from __future__ import annotations

from check_cases import Case

CASES: list[Case] = [
    (
        "raw_xml",
        {"metadata": "<a:b xmlns:a='urn:a'/>"},
        {"metadata": "<a:b/>"},
        "metadata: is not well-formed XML: unbound prefix at line 1, column 1",
    ),
]
