"""Which libvirt brought what: each release that schema parts and rules say is one that libvirt's own words say."""

from __future__ import annotations

import gzip
import re
from fnmatch import fnmatchcase

import pytest
import releases
from conftest import ROOT
from drivers import RELEASES, in_root, why_missing

from kvmrender.checks.all_checks import checks_of
from kvmrender.engine import Engine
from kvmrender.reading.parse import from_yaml
from kvmrender.rules.rules import VERSION

TABLE = ROOT / "tests/libvirt_releases.yaml"
ROWS = [
    (pattern, release, source)
    for release, sources in from_yaml(TABLE.read_text())[0].items()
    for source, patterns in sources.items()
    for pattern in patterns
]
NO_NEWS = ("reference", "schema", "driver", "kvmrender")


def test_each_release_is_in_the_table() -> None:
    """Once, and of nothing else."""
    schema = Engine().schema
    said = [
        *releases.said(schema),
        *{(f"rule {check.id}", check.until or check.since) for check in checks_of(schema) if check.id != VERSION},
    ]
    found = {field: [row for row in ROWS if fnmatchcase(field, row[0])] for field, release in said if release}
    assert {field: rows for field, rows in found.items() if len(rows) != 1} == {}
    assert [(field, release) for field, release in said if release and found[field][0][1] != release] == []
    assert [row for row in ROWS if not any(row in rows for rows in found.values())] == []


def test_libvirts_news_say_the_same() -> None:
    if not (news := in_root(RELEASES[-1], "usr/share/doc/libvirt-common/NEWS.gz")):
        pytest.skip(why_missing(RELEASES[-1]))
    text = gzip.decompress(news.read_bytes()).decode()
    parts = re.split(r"^v([0-9.]+) \(.*\n=+\n", text, flags=re.MULTILINE)
    titles = {
        release: [" ".join(title.split()) for title in re.findall(r"^  \* (.*(?:\n    .+)*)", part, re.MULTILINE)]
        for release, part in zip(parts[1::2], parts[2::2], strict=True)
    }
    quoted = {(release, source) for _, release, source in ROWS if source not in NO_NEWS}
    assert sorted(row for row in quoted if row[1] not in titles.get(row[0], ())) == []
