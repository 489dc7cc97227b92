"""What guests for a version of libvirt may have is what that version's own schema (RNG) has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from functools import cache
from pathlib import Path as File
from typing import Any

import pytest
import releases
from conftest import FIXTURES
from drivers import RELEASES, SCHEMA, in_root, why_missing
from guests import draws, guests
from hypothesis import assume, given

from kvmrender import Renderer
from kvmrender.errors import NOTE
from kvmrender.reading.load import read
from kvmrender.rules.rules import VERSION
from kvmrender.schema.guest_schema import value_at
from kvmrender.schema.text_values import version
from kvmrender.schema.versions import NEWEST

pytestmark = pytest.mark.libvirt

RENDERER = Renderer()
BETWEEN = "10.0.0"
"""A version whose schema is not there: what it takes, newer ones have, and what it lacks, older ones do."""
UNSEEN = {
    r"\.protocol: 'sheepdog'": "libvirt's driver alone has dropped it",
    r"\.space_(hard|soft)_limit": "libvirt's driver alone refuses it",
    r"model\.type: 'ivshmem'": "libvirt's driver alone has dropped it",
    r"graphics\[\d+\]\.type: 'rdp'": "older schemas have it for other drivers than QEMU's",
}
"""What is refused for a libvirt whose schema has it all the same, and why."""


@cache
def schemas() -> dict[str, Any]:
    """The schemas that are there, by the versions of libvirt."""
    from lxml import etree

    paths = releases.schemas()
    return {of: etree.RelaxNG(etree.parse(paths[of])) for of in sorted(paths, key=version)}


def faults(guest: dict[str, Any]) -> Iterator[str]:
    """Yield where kvmrender and the schemas disagree on a guest that is well for some libvirt."""
    from lxml import etree

    if not (xml := RENDERER.result({**guest, "libvirt": "any"}).xml):
        return
    domain = etree.fromstring(xml.encode())
    valid = {of: schema.validate(domain) for of, schema in schemas().items()}
    for libvirt in (*valid, BETWEEN):
        found = RENDERER.result({**guest, "libvirt": libvirt}).problems
        said = [str(problem) for problem in found if problem.id == VERSION]
        if any(re.search(unseen, one) for unseen in UNSEEN for one in said):
            continue
        older = [of for of in valid if version(of) <= version(libvirt)]
        newer = [of for of in valid if version(of) >= version(libvirt)]
        gone = any(" and newer, " in one for one in said)
        if said and any(valid[of] for of in (newer if gone else older)):
            yield f"{guest['name']}: is not for libvirt {libvirt}, but its schema has it: {said}"
        if any(problem.level == NOTE for problem in found):
            continue  # libvirt's parser takes more than its schema
        if newer and (xml := rest({**guest, "libvirt": libvirt})):
            schema = schemas()[newer[0]]
            if not schema.validate(etree.fromstring(xml.encode())):
                yield f"{guest['name']}: is for libvirt {libvirt}, and not valid: {schema.error_log.last_error}"


def rest(guest: dict[str, Any]) -> str:
    """Return the XML of what is left of a guest without what is refused, or what that is in."""
    left, most = deepcopy(guest), 9
    while not (found := RENDERER.result(left)).xml and (most := most - 1):
        for problem in reversed(found.problems):
            for length in range(len(problem.path), 0, -1):
                with suppress(LookupError, TypeError):
                    inside = value_at(left, problem.path[: length - 1])
                    del inside[problem.path[length - 1]]
                    if inside:
                        break
    return found.xml or ""


@pytest.mark.skipif(not in_root(RELEASES[-1], SCHEMA), reason=why_missing(RELEASES[-1]))
def test_newest_libvirt_is_known() -> None:
    assert f"{NEWEST}.0" == [*schemas()][-1]


@pytest.mark.parametrize("file", FIXTURES, ids=[file.stem for file in FIXTURES])
def test_fixture_is_for_the_versions_whose_schemas_have_it(file: File) -> None:
    found = [fault for document in read(file.name, file.read_bytes()) for fault in faults(document.guest)]
    assert found == []


@draws(20_000)
@given(guests(RENDERER._engine.schema, libvirt=NEWEST))
def test_random_guest_is_for_the_versions_whose_schemas_have_it(guest: dict[str, Any]) -> None:
    assume(VERSION not in guest.get("ignore", ()))
    assert [*faults(guest)] == []
