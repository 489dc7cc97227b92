"""Every fixture, held against a real libvirt: its schema, its parser, its QEMU driver.

The driver runs inside the test with a root of its own. Guests are rendered with type qemu, and the defaults that
follow from it, since a machine that can run tests can't always run KVM.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import cache
from pathlib import Path as File
from typing import Any
from xml.etree import ElementTree

import pytest
from conftest import FIXTURES, ROOT, find, parse
from drivers import HOST, Driver
from guests import INSTALLED
from refusals import REFUSALS, release

from kvmrender import GuestError, Renderer, import_domain
from kvmrender.errors import NOTE, Path
from kvmrender.problem import Problem
from kvmrender.reading.load import read
from kvmrender.schema.memory_units import to_bytes
from kvmrender.schema.xml_path import guest_path

pytestmark = pytest.mark.libvirt

RENDERER = Renderer()
RAW_IN_DUMPS = {"interface-hostdev", "newer-assigned"}
"""Guests to which libvirt adds something that no field has: here an address beside vendor and product."""
VALIDATE = 1  # VIR_DOMAIN_DEFINE_VALIDATE
UNDEFINE_NVRAM = 4  # VIR_DOMAIN_UNDEFINE_NVRAM
INACTIVE = 2  # VIR_DOMAIN_XML_INACTIVE
SECURE = 1  # VIR_DOMAIN_XML_SECURE

GUESTS = {
    f"{file.stem}-{document.number}" if document.number else file.stem: document.guest
    for file in FIXTURES
    for document in read(file.name, file.read_bytes())
}
every_guest = pytest.mark.parametrize("guest", [pytest.param(guest, id=name) for name, guest in GUESTS.items()])


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


@cache
def grammar(driver: str = HOST) -> Any:
    """Return the schema of a driver's libvirt."""
    from vocabulary import schema_of

    from kvmrender.libvirt.rng import Grammar

    path = schema_of("" if driver == HOST else driver)
    assert path
    return Grammar(path)


def schema_faults(driver: str, *documents: str) -> list[Problem]:
    """Return what the schema of a driver's libvirt finds in one of some documents at least."""
    from kvmrender.libvirt.validator import faults

    return list(dict.fromkeys(fault for xml in documents for fault in faults(grammar(driver), xml.encode())))


def lacking(guest: dict[str, Any], libvirt: str) -> list[Path]:
    """Return the places of a guest that we say a libvirt does not have, or refuses."""
    found = RENDERER.result({**guest, "libvirt": libvirt}).problems
    return [problem.path for problem in found if problem.level != NOTE]


@every_guest
def test_libvirt_takes_it_or_refuses_it_in_the_words_of_the_table(guest: dict[str, Any], driver: Driver) -> None:
    """Its schema may lack what we say that it does, and nothing else; what the driver then says is in the table."""
    libvirt, xml = release(driver), emulated(guest)
    places = lacking(guest, libvirt)
    found = schema_faults(driver.name, xml, RENDERER.render(guest))
    unknown = unexpected(found, places)
    if found and not unknown:
        return
    said = "; ".join(unknown) or driver.refusal(xml)
    known = [row.says for row in REFUSALS if guest["name"] in row.of[libvirt]]
    if said is None:
        assert known == [], "is taken, though the table says that it is refused"
        assert places == [], f"is taken, though checks say that libvirt {libvirt} refuses it"
    else:
        assert known, f"is refused: {said}"
        assert all(says.search(said) for says in known), said


def unexpected(found: list[Problem], places: list[Path]) -> list[str]:
    """Return what a schema finds elsewhere than at the places that its libvirt lacks."""
    return [str(fault) for fault in found if not any(is_in(fault.path, place) for place in places)]


def is_in(fault: Path, place: Path) -> bool:
    """Say whether what is wrong in the XML is at a place of the guest, or one of them in the other."""
    field = guest_path(RENDERER._engine.schema.root, fault)
    return bool(field and place) and (field[: len(place)] == place or place[: len(field)] == field)


def table(name: str) -> dict[str, str]:
    """Read a table of reasons, ``what: why`` on each line."""
    lines = (ROOT / "tests" / name).read_text().splitlines()
    rows = [line.rsplit(": ", 1) for line in lines if line and not line.startswith("#")]
    assert len(rows) == len({what for what, _ in rows}), f"{name} has a key twice"
    return dict(rows)


# What libvirt writes otherwise than it was given.
REWRITTEN = table("libvirt_rewritten.txt")
MACHINES = {"pc": "pc-i440fx", "q35": "pc-q35"}
"""Machines whose versions have another name than they."""


@every_guest
def test_what_was_written_is_in_libvirts_own_dump(guest: dict[str, Any], driver: Driver) -> None:
    """Every element and attribute comes back with its value, in the same order."""
    xml = emulated(guest)
    refusal, dump = driver.define(xml)
    if refusal is None:  # what is refused is for the test above
        assert differences(parse(xml), parse(dump), "domain") == []


@every_guest
def test_libvirts_own_dump_is_imported_whole(guest: dict[str, Any], driver: Driver) -> None:
    refusal, dump = driver.define(emulated(guest))
    if refusal is None:
        found = import_domain(dump)
        assert found.lost == []
        assert [why for _, why in found.notes if "extra" in why] == [] or guest["name"] in RAW_IN_DUMPS


def differences(ours: ElementTree.Element, theirs: ElementTree.Element, path: str) -> list[str]:
    """List what ``ours`` says and ``theirs`` does not, apart from what is known to be rewritten."""
    found = []
    if is_size(ours) or is_size(theirs):
        ours, theirs = in_bytes(ours), in_bytes(theirs)
    written = [
        name
        for name, value in ours.attrib.items()
        if f"{path}/@{name}" not in REWRITTEN and f"{path}/@{name}={value}" not in REWRITTEN
    ]
    found += [f"{path}/@{name}" for name in written if not is_same(ours.get(name), theirs.get(name), name)]
    if not found and written != [name for name in theirs.attrib if name in written]:
        found.append(f"{path}: attributes in another order than {list(theirs.attrib)}")
    text = (ours.text or "").strip()
    if f"{path}={text}" not in REWRITTEN and text != (theirs.text or "").strip():
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


def is_size(element: ElementTree.Element) -> bool:
    """Say whether an element has a size with its unit; addresses have other units."""
    return not element.get("unit", "0").isdigit()


def in_bytes(element: ElementTree.Element) -> ElementTree.Element:
    """Return an element with its size in bytes; it is in KiB where it has no unit."""
    changed = copy(element)
    changed.attrib = {name: value for name, value in element.attrib.items() if name != "unit"}
    unit = element.get("unit", "KiB")
    for name in {"size", "memory"} & changed.attrib.keys():
        changed.set(name, str(to_bytes({"text": changed.attrib[name], "unit": unit})))
    if (element.text or "").strip():
        changed.text = str(to_bytes({"text": element.text, "unit": unit}))
    return changed


def is_same(ours: str | None, theirs: str | None, name: str) -> bool:
    """Say whether a value is the same; a machine's name may stand for its newest version."""
    return ours == theirs or (name == "machine" and f"{theirs}".startswith(f"{MACHINES.get(f'{ours}', ours)}-"))


def test_tables_are_of_guests_that_there_are() -> None:
    guests = [document.guest for file in FIXTURES for document in read(file.name, file.read_bytes())]
    refused = {guest for row in REFUSALS for some in row.of.values() for guest in some if isinstance(guest, str)}
    assert refused - {guest["name"] for guest in guests} == set()
    assert REWRITTEN.keys() - {place for guest in guests for place in places(parse(emulated(guest)), "domain")} == set()


def places(element: ElementTree.Element, path: str) -> Iterator[str]:
    """Yield all places of an element that the table of what is rewritten could name."""
    yield f"{path}={(element.text or '').strip()}"
    for name, value in element.attrib.items():
        yield from (f"{path}/@{name}", f"{path}/@{name}={value}", f"{path}[@{name}={value!r}]")
    for child in element:
        yield from places(child, f"{path}/{child.tag}")


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
    size = parse("<domain><memory unit='MiB'>2</memory></domain>")
    assert differences(size, parse("<domain><memory unit='KiB'>2047</memory></domain>"), "domain")
    assert differences(size, parse("<domain><memory unit='KiB'>2048</memory></domain>"), "domain") == []
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


def test_schema_refuses_a_partial_that_is_broken(tmp_path: File) -> None:
    """The schema's step is known to be able to fail."""
    shipped = ROOT / "templates/devices/disk.xml.j2"
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/disk.xml.j2").write_text(shipped.read_text().replace("<target", "<targett"))
    xml = Renderer([tmp_path]).render({"name": "a", "disks": [{"source": "/a.qcow2"}]})
    (problem,) = schema_faults(HOST, xml)
    assert problem.path == ("devices", "disk", "targett")
    assert problem.message == "is not an element that libvirt knows here (did you mean 'target'?)"


def test_element_that_an_older_schema_lacks_is_no_excuse_for_a_broken_partial(tmp_path: File) -> None:
    shipped = ROOT / "templates/devices/filesystem/binary.xml.j2"
    (tmp_path / "devices/filesystem").mkdir(parents=True)
    (tmp_path / "devices/filesystem/binary.xml.j2").write_text(shipped.read_text().replace("<openfiles", "<openfile"))
    share = {"driver": "virtiofs", "source": "/srv", "target": "srv", "binary": {"openfiles": {"max": 1024}}}
    guest = {"name": "a", "memoryBacking": {"access": "shared"}, "filesystems": [share]}
    places = lacking(guest, ".".join(map(str, INSTALLED)))
    found = schema_faults(HOST, Renderer([tmp_path]).render(guest))
    assert "devices.filesystem.binary.openfile: is not an element" in unexpected(found, places)[0]
    assert unexpected(schema_faults(HOST, RENDERER.render(guest)), places) == []
