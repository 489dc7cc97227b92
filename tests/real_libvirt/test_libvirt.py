"""Every fixture, held against a real libvirt: its schema, its parser, its QEMU driver.

The driver runs inside the test with a root of its own. Guests are rendered with type qemu, and the defaults that
follow from it, since a machine that can run tests can't always run KVM.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import FIXTURES, ROOT, find, parse
from guests import INSTALLED
from newer import newer

from kvmrender import GuestError, Renderer, import_domain
from kvmrender.reading.load import read

pytestmark = pytest.mark.libvirt

RENDERER = Renderer()
RAW_IN_DUMPS = {"interface-hostdev"}
"""Guests to which libvirt adds something that no field has: here an address beside vendor and product."""
VALIDATE = 1  # VIR_DOMAIN_DEFINE_VALIDATE
UNDEFINE_NVRAM = 4  # VIR_DOMAIN_UNDEFINE_NVRAM
INACTIVE = 2  # VIR_DOMAIN_XML_INACTIVE
SECURE = 1  # VIR_DOMAIN_XML_SECURE

every_guest = pytest.mark.parametrize(
    "guest",
    [
        pytest.param(document.guest, id=f"{file.stem}-{document.number}" if document.number else file.stem)
        for file in FIXTURES
        for document in read(file.name, file.read_bytes())
    ],
)


def emulated(guest: dict[str, Any]) -> str:
    """Render a guest with an emulated processor, but for one with something that KVM alone has.

    The host's own processor is for KVM too; all that can be emulated comes next.
    """
    changed = {**guest, "type": "qemu"}
    if isinstance(cpu := guest.get("cpu"), dict) and cpu.get("mode") == "host-passthrough":
        changed["cpu"] = {**cpu, "mode": "maximum"}
    try:
        return RENDERER.render(changed)
    except GuestError:
        return RENDERER.render(guest)


@pytest.fixture
def define(connection: Any) -> Iterator[Any]:
    """Define a domain with ``virsh define --validate``'s checks; it is undefined at the end."""
    defined = {}

    def define(xml: str) -> Any:
        domain = connection.defineXMLFlags(xml, VALIDATE)
        defined[domain.name()] = domain
        return domain

    yield define
    for domain in defined.values():
        domain.undefineFlags(UNDEFINE_NVRAM)


@pytest.fixture(scope="module")
def grammar() -> Any:
    from kvmrender.libvirt.rng import Grammar, installed_schema

    return Grammar(installed_schema())


@every_guest
def test_schema_takes_it(guest: dict[str, Any], grammar: Any) -> None:
    from kvmrender.libvirt.validator import faults

    with step(guest, "schema"):
        for xml in (RENDERER.render(guest), emulated(guest)):
            assert faults(grammar, xml.encode()) == []


@every_guest
def test_libvirt_defines_it(guest: dict[str, Any], define: Any) -> None:
    with step(guest, "define"):
        assert define(emulated(guest)).name() == guest["name"]


@every_guest
def test_qemu_would_run_it(guest: dict[str, Any], connection: Any) -> None:
    with step(guest, "run"):
        assert f"guest={guest['name']}," in connection.domainXMLToNative("qemu-argv", emulated(guest))


def table(name: str) -> dict[str, str]:
    """Read a table of reasons, ``what: why`` on each line."""
    lines = (ROOT / "tests" / name).read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


# What libvirt writes otherwise than it was given.
REWRITTEN = table("libvirt_rewritten.txt")
# Fixtures that a step can't take here: "name schema", "name define", "name run" or "name dump".
UNFIT = table("libvirt_unfit.txt")


def refused(guest: dict[str, Any]) -> str:
    """Return what checks refuse of a guest that is for the installed libvirt."""
    found = RENDERER.result({**guest, "libvirt": ".".join(map(str, INSTALLED))}).problems
    return "; ".join(str(problem) for problem in found if problem.level == "error")


@contextmanager
def step(guest: dict[str, Any], name: str) -> Iterator[None]:
    """Run a step. One that the table lists, and any of a guest that is newer than the installed libvirt, must be
    refused, unless its reason is the host's ("needs …")."""
    import libvirt

    engine = RENDERER._engine
    reason = UNFIT.get(f"{guest['name']} {name}")
    if reason is None:
        lacks = newer(engine.schema, engine.context(guest), INSTALLED)
        said = lacks or refused(guest)
        # A dry run may leave out what it does not know, and a schema knows no rules.
        may_be_taken = name == "run" or (name == "schema" and not lacks)
        reason = f"needs {said}" if said and may_be_taken else said
    if not reason:
        yield
        return
    if "crashes" in reason:
        pytest.xfail(reason)  # can't be tried: libvirt would take the test runner with it
    try:
        yield
    except (libvirt.libvirtError, AssertionError):
        pytest.xfail(reason)  # refused, as the table says
    assert reason.startswith("needs "), f"{guest['name']} {name} is taken now, so its line can go: {reason}"


@every_guest
def test_what_was_written_is_in_libvirts_own_dump(guest: dict[str, Any], define: Any) -> None:
    """Every element and attribute comes back with its value, in the same order."""
    xml = emulated(guest)
    with step(guest, "dump"):
        dump = define(xml).XMLDesc(INACTIVE | SECURE)
        assert differences(parse(xml), parse(dump), "domain") == []


@every_guest
def test_libvirts_own_dump_is_imported_whole(guest: dict[str, Any], define: Any) -> None:
    with step(guest, "define"):
        found = import_domain(define(emulated(guest)).XMLDesc(INACTIVE | SECURE))
        assert found.lost == []
        assert [why for _, why in found.notes if "extra" in why] == [] or guest["name"] in RAW_IN_DUMPS


def differences(ours: ElementTree.Element, theirs: ElementTree.Element, path: str) -> list[str]:
    """List what ``ours`` says and ``theirs`` does not, apart from what is known to be rewritten."""
    found = []
    written = [name for name in ours.attrib if f"{path}/@{name}" not in REWRITTEN]
    found += [f"{path}/@{name}" for name in written if theirs.get(name) != ours.get(name)]
    if not found and written != [name for name in theirs.attrib if name in written]:
        found.append(f"{path}: attributes in another order than {list(theirs.attrib)}")
    if path not in REWRITTEN and (ours.text or "").strip() != (theirs.text or "").strip():
        found.append(f"{path}: {theirs.text!r} for {ours.text!r}")
    rest = iter(theirs)
    for child in ours:
        below = f"{path}/{child.tag}"
        if any(f"{below}[@{name}={value!r}]" in REWRITTEN for name, value in child.attrib.items()):
            continue
        tried: list[list[str]] = []
        for other in rest:
            if other.tag == child.tag:
                tried.append(differences(child, other, below))
                if not tried[-1]:
                    break
        else:
            found += min(tried, key=len, default=[f"{below}: missing, or in another place"])
            rest = iter(theirs)
    return found


def test_table_is_of_guests_that_there_are() -> None:
    names = {document.guest["name"] for file in FIXTURES for document in read(file.name, file.read_bytes())}
    assert {line.rpartition(" ")[0] for line in UNFIT} <= names


def test_order_and_values_are_compared() -> None:
    """The comparison itself can fail."""
    ours = parse("<domain><a x='1' y='2'/><b>t</b></domain>")
    for theirs in (
        "<domain><b>t</b><a x='1' y='2'/></domain>",
        "<domain><a x='1'/><b>t</b></domain>",
        "<domain><a y='2' x='1'/><b>t</b></domain>",
        "<domain><a x='1' y='2'/><b>u</b></domain>",
    ):
        assert differences(ours, parse(theirs), "domain")
    assert differences(ours, parse("<domain><a x='0'/><a x='1' z='' y='2'/><c/><b>t</b></domain>"), "domain") == []


def test_defining_again_updates_the_guest(define: Any) -> None:
    for memory in ("512 MiB", "512 MiB", "1 GiB"):
        domain = define(emulated({"name": "again", "memory": memory}))
    assert find(domain.XMLDesc(INACTIVE), "memory").text == str(1 << 20)


def test_defining_again_fails_without_a_stable_uuid(define: Any) -> None:
    import libvirt

    define(emulated({"name": "again", "uuid": None}))
    with pytest.raises(libvirt.libvirtError, match="already exists with uuid"):
        define(emulated({"name": "again", "uuid": None}))


def test_schema_refuses_a_partial_that_is_broken(tmp_path: Path, grammar: Any) -> None:
    """The schema's step is known to be able to fail."""
    from kvmrender.libvirt.validator import faults

    shipped = ROOT / "templates/devices/disk.xml.j2"
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/disk.xml.j2").write_text(shipped.read_text().replace("<target", "<targett"))
    xml = Renderer([tmp_path]).render({"name": "a", "disks": [{"source": "/a.qcow2"}]})
    (problem,) = faults(grammar, xml.encode())
    assert problem.path == ("devices", "disk", "targett")
    assert problem.message == "is not an element that libvirt knows here (did you mean 'target'?)"
