"""What is imported comes back: each document is rendered again, and says the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock
from uuid import UUID

import pytest
from conftest import FIXTURES
from guests import draws, guests
from hypothesis import given, reject

import kvmrender
from kvmrender import GuestError
from kvmrender.engine import default_engine
from kvmrender.libvirt import field_places, short_form, xml_tree
from kvmrender.libvirt.importer import Imported, Importer, import_domain
from kvmrender.libvirt.xml_facts import differences, is_same_text
from kvmrender.libvirt.xml_tree import Element, documents, raw
from kvmrender.reading.load import read
from kvmrender.reading.profiles import Profiles

ENGINE = default_engine()
IMPORTER = Importer()
PROFILES = Profiles(ENGINE.schema.root)


def domain(inside: str = "", devices: str = "", attributes: str = "") -> str:
    return f"""<domain type='kvm'{attributes}>
  <name>a</name>
  <memory unit='KiB'>524288</memory>
  <os>
    <type arch='x86_64' machine='q35'>hvm</type>
  </os>
  {inside}
  <devices>
    {devices}
  </devices>
</domain>
"""


def root_of(xml: str) -> Element:
    (found,) = documents(xml.encode())
    assert found.root is not None, found
    return found.root


def test_public_face() -> None:
    assert kvmrender.import_domain(domain().encode()) == import_domain(domain())
    assert isinstance(kvmrender.import_domain(domain()), kvmrender.Imported)


def test_a_second_document_needs_nothing_compiled_again() -> None:
    import_domain(domain())
    with (
        mock.patch.object(short_form, "Shortener", side_effect=AssertionError),
        mock.patch.object(field_places, "Place", side_effect=AssertionError),
    ):
        import_domain(domain())
        import_domain(domain(), namespace="site")


def lossless(xml: str) -> Imported:
    """Import a document, in both forms, of which nothing is lost."""
    whole = import_domain(xml, full=True)
    found = import_domain(xml)
    assert found.lost == whole.lost == []
    assert ENGINE.render(found.guest) == ENGINE.render(whole.guest)
    return found


def size(value: Any) -> int:
    """How much there is to write of a guest: its keys and scalars."""
    if isinstance(value, dict):
        return sum(1 + size(item) for item in value.values())
    return sum(map(size, value)) if isinstance(value, list) else 1


@pytest.mark.parametrize("file", FIXTURES, ids=lambda file: file.stem)
def test_fixture_comes_back_to_the_byte_and_is_no_longer_than_it_was(file: Path) -> None:
    guests = [document.guest for document in read(file.name, file.read_bytes())]
    found = list(documents(file.with_suffix(".xml").read_bytes()))
    assert len(guests) == len(found)
    for guest, document in zip(guests, found, strict=True):
        assert document.root is not None
        xml = ENGINE.render(guest)
        for full in (True, False):
            imported = IMPORTER.imported(document.root, full)
            told = {place for place, _ in imported.notes}
            assert imported.lost == []
            of_older = ("version",) if "libvirt" in guest else ()
            assert told <= {f"ignore {check}" for check in (*guest.get("ignore", ()), *of_older)}
            assert ENGINE.render(imported.guest) == xml
        assert size(imported.guest) <= size(PROFILES.under(guest))


@draws(1000)
@given(guest=guests(ENGINE.schema))
def test_what_is_rendered_of_a_random_guest_is_imported(guest: dict[str, Any]) -> None:
    try:
        xml = ENGINE.render(guest)
    except GuestError:
        reject()
    imported = IMPORTER.imported(root_of(xml))
    assert not [told for told in imported.lost if "extra" not in guest]
    assert ENGINE.render(imported.guest) == xml


@pytest.mark.slow
def test_what_is_rendered_of_ten_thousand_random_guests_is_imported() -> None:
    """They are made of parts of guests that are drawn: to draw so many would take many minutes."""
    drawn: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)

    @draws(5_000)
    @given(guest=guests(ENGINE.schema))
    def draw(guest: dict[str, Any]) -> None:
        try:
            ENGINE.render(guest)
        except GuestError:
            reject()
        drawn[guest["arch"], guest["type"]].append(guest)

    draw()
    chance, alike, known = Random(0), list(drawn.values()), set[str]()
    while len(known) < 10_000:
        parts = chance.choices(chance.choice(alike), k=3)
        guest = {key: value for part in parts for key, value in part.items() if key == "arch" or chance.random() < 0.7}
        try:
            xml = ENGINE.render({**guest, "name": "a"})
        except GuestError:
            continue
        if xml not in known:
            known.add(xml)
            imported = IMPORTER.imported(root_of(xml))
            assert not imported.lost or "extra" in guest, guest
            if not any("went to extra" in why for _, why in imported.notes):  # as a text of nothing but spaces does
                assert ENGINE.render(imported.guest) == xml, guest


def test_guest_is_short_and_in_the_order_of_the_schema() -> None:
    found = lossless(
        domain(
            "<currentMemory unit='KiB'>524288</currentMemory><vcpu placement='static'>2</vcpu><cpu mode='host-model'/>",
            "<interface type='bridge'><mac address='52:54:00:12:34:56'/><source bridge='br0'/><model type='virtio'/>"
            "</interface><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='/a.qcow2'/>"
            "<target dev='vda' bus='virtio'/></disk><rng model='virtio'><backend model='random'>/dev/urandom</backend>"
            "</rng><memballoon model='none'/>",
        )
    )
    assert found.guest == {
        "name": "a",
        "machine": "q35",
        "uuid": None,
        "memory": {"unit": "KiB", "text": 524288},
        "vcpu": {"placement": "static", "text": 2},
        "features": None,
        "cpu": "host-model",
        "disks": [{"source": "/a.qcow2"}],
        "interfaces": [{"mac": "52:54:00:12:34:56", "source": "br0"}],
        "serials": [],
        "memballoon": "none",
        "rngs": "/dev/urandom",
    }
    assert list(found.guest) == [key for key in ENGINE.schema.root["properties"] if key in found.guest]


@pytest.mark.parametrize(
    "guest",
    [
        {"memoryBacking": "hugepages"},
        {"memoryBacking": {"hugepages": "1 GiB"}},
        {"tpms": "2.0"},
        {"disks": [{"source": "/a.qcow2", "backingStore": "/b.qcow2"}]},
        {"disks": [{"source": {"protocol": "rbd", "name": "a/b", "auth": {"username": "c", "secret": "client.d"}}}]},
        {"disks": [{"source": "rbd:a/b@c", "auth": {"username": "c", "secret": str(UUID(int=1))}}]},
        {"disks": [{"source": {"protocol": "rbd", "name": "a/b:id=c"}}]},
    ],
)
def test_short_forms_come_back(guest: dict[str, Any]) -> None:
    assert {key: import_domain(ENGINE.render({"name": "a", **guest})).guest[key] for key in guest} == guest


def test_what_is_derived_of_a_namespace_is_left_out() -> None:
    xml = kvmrender.render({"name": "a", "namespace": "site", "interfaces": [{"source": "br0"}]})
    guest = {"name": "a", "namespace": "site", "interfaces": [{"source": "br0"}]}
    assert import_domain(xml, namespace="site").guest == guest
    assert {"uuid"} < import_domain(xml).guest.keys()


UNKNOWN = "<gadget shade='blue'>\n      <part>1</part>\n    </gadget>"


def test_device_without_a_field_goes_to_extra_as_it_stands() -> None:
    found = lossless(domain(devices=UNKNOWN))
    assert found.guest["extra"] == {"devices": "<gadget shade='blue'>\n  <part>1</part>\n</gadget>"}
    assert found.notes == [("devices/gadget", "went to extra: no field has it")]


def test_text_with_lines_stays_as_it_is_in_extra() -> None:
    text = "<gadget>\n      <part> a\n        b\n      </part>\n    </gadget>"
    assert lossless(domain(devices=text)).guest["extra"] == {"devices": text}


def test_element_without_a_field_goes_to_extra_as_it_stands() -> None:
    found = lossless(domain("<idmap><uid start='0' target='1000' count='10'/></idmap>"))
    assert found.guest["extra"] == {"domain": "<idmap><uid start='0' target='1000' count='10'/></idmap>"}


DISK = (
    "<disk type='file' device='disk'{0}><driver name='qemu' type='raw'/><source file='/{1}.img'/>"
    "<target dev='{1}' bus='virtio'/></disk>"
)


@pytest.mark.parametrize(
    "strange",
    [
        DISK.format(" shade='blue'", "vda"),
        DISK.format("", "vda").replace("<target", "<gadget/><target"),
        DISK.format("", "vda").replace("raw", "paper"),
        DISK.format("", "vda").replace("<source", "text<source"),
        DISK.format("", "vda").replace("<driver", "<boot order='01'/><driver"),
        DISK.format("", "vda").replace("<target", "<target dev='vdb'/><target"),
        DISK.format("", "vda").replace("<target", "<serial kind='a'>1</serial><target"),
    ],
)
def test_device_that_has_something_strange_goes_to_extra_and_its_order_is_told(strange: str) -> None:
    found = lossless(domain(devices=f"{strange}{DISK.format('', 'vdb')}"))
    assert found.guest["disks"] == [{"source": "/vdb.img", "target": "vdb"}]
    assert found.guest["extra"] == {"devices": strange}
    (where, why), (other, order) = found.notes
    assert (where, other, order) == ("devices/disk[1]", "devices/disk[2]", "stands before its like that went to extra")
    assert why.startswith("went to extra: ")


def test_what_no_guest_can_say_is_told() -> None:
    found = import_domain(domain(attributes=" shade='blue'").replace("<os>", "<os gadget='1'>"))
    assert found.lost == [("@shade", "no field has it"), ("os/@gadget", "no field has it")]


def test_what_the_schema_refuses_where_nothing_can_be_raw_is_told() -> None:
    found = import_domain(domain().replace("<type", "<boot dev='moon'/><type"))
    ((where, _),) = found.lost
    assert where.startswith("os/boot")


def test_device_that_would_bring_another_goes_to_extra() -> None:
    """A disk on a SCSI bus has a controller, in guests: where the document has none, it is raw."""
    strange = DISK.format("", "sda").replace("virtio", "scsi")
    found = lossless(domain(devices=DISK.format("", "vda") + strange))
    assert found.guest["disks"] == [{"source": "/vda.img"}]
    assert found.guest["extra"] == {"devices": strange}
    assert found.notes == [("devices/disk[2]", "went to extra: it would bring one of controllers that is not there")]


def test_check_that_refuses_a_guest_is_ignored_in_it() -> None:
    found = lossless(domain(devices=DISK.format("", "vda") + DISK.format("", "vda").replace("/vda", "/b")))
    assert found.guest["ignore"] == ["targets"]
    assert [where for where, _ in found.notes] == ["ignore targets"]


def test_what_only_a_running_guest_has_is_left_out_and_told_once() -> None:
    found = import_domain(
        domain(
            "<seclabel type='dynamic' model='dac' relabel='yes'><label>+1:+1</label><imagelabel>+1:+1</imagelabel>"
            "</seclabel>",
            DISK.format("", "vda").replace("</disk>", "<alias name='virtio-disk0'/></disk>")
            + "<watchdog model='i6300esb' action='reset'><alias name='ua-dog'/></watchdog>",
            " id='3'",
        )
    )
    assert (found.lost, len(found.notes)) == ([], 1)
    assert found.notes[0][1].endswith("is left out (@id, alias, imagelabel, label)")
    assert found.guest["disks"] == [{"source": "/vda.img"}]
    assert found.guest["watchdogs"] == [{"model": "i6300esb", "action": "reset", "alias": "ua-dog"}]
    assert found.guest["seclabel"] == [{"type": "dynamic", "model": "dac", "relabel": "yes"}]


def test_alias_of_libvirt_is_left_out_where_the_guest_runs_or_is_to_be_tidy() -> None:
    disk = DISK.format("", "vda").replace("</disk>", "<alias name='virtio-disk0'/></disk>")
    kept, running = lossless(domain(devices=disk)), import_domain(domain(devices=disk, attributes=" id='3'"))
    assert (kept.guest["disks"], kept.notes) == ([{"source": "/vda.img", "alias": "virtio-disk0"}], [])
    assert running.guest["disks"] == import_domain(domain(devices=disk), tidy=True).guest["disks"]
    assert running.guest["disks"] == [{"source": "/vda.img"}]


def test_alias_of_libvirt_is_kept_where_a_check_refuses_the_guest() -> None:
    refused = disk = DISK.format("", "vda").replace("</disk>", "<alias name='virtio-disk0'/></disk>")
    refused += DISK.format("", "vda")
    assert lossless(domain(devices=disk)).guest["disks"][0] == {"source": "/vda.img", "alias": "virtio-disk0"}
    found = import_domain(domain(devices=refused))
    assert found.guest["disks"][0] == {"source": "/vda.img", "target": "vda", "alias": "virtio-disk0"}
    assert [place for place, _ in found.notes] == ["ignore targets"]


def test_field_that_only_in_a_running_guest_has_a_value_of_another_kind() -> None:
    """The port of a network of libvirt's, which is a UUID; that of a switch of VMware's is a number."""
    port = "<interface type='network'><source network='n' portid='1e6bb8aa-0e1b-4ab5-b0e2-42ebe3bd8b3b'/></interface>"
    found = import_domain(domain(devices=port))
    assert found.guest["interfaces"] == [{"mac": None, "source": {"network": "n"}, "model": None}]
    assert found.lost == []
    assert found.notes == [
        ("domain", "is that of a running guest: what only such a one has is left out (@portid)"),
    ]


RUNNING = """<disk type='file' device='disk'><source file='/a.img' index='2'/><backingStore type='file' index='3'>
<format type='raw'/><source file='/b.img'/></backingStore><target dev='vda' bus='virtio'/></disk>
<interface type='network'><mac address='52:54:00:00:00:01'/><source network='n' bridge='virbr0'/><target dev='vnet3'/>
<model type='virtio'/></interface><interface type='bridge'><mac address='52:54:00:00:00:02'/><source bridge='br0'/>
<target dev='web-1'/><model type='virtio'/></interface>
<serial type='pty'><source path='/dev/pts/3'/><target port='0'/></serial>
<console type='pty' tty='/dev/pts/3'><source path='/dev/pts/3'/><target type='serial' port='0'/></console>
<channel type='unix'><source mode='bind' path='/run/libvirt/qemu/channel/3-a/b'/><target type='virtio' name='b'
 state='connected'/></channel>
<graphics type='vnc' port='5900' autoport='yes' listen='127.0.0.1'><listen type='address' address='127.0.0.1'/>
</graphics>"""


def test_what_libvirt_chose_for_a_running_guest_is_left_out() -> None:
    more = "<resource><partition>/machine</partition></resource>"
    found = import_domain(domain(more, RUNNING, " id='3'"))
    assert (found.lost, len(found.notes)) == ([], 1)
    assert "@bridge" in found.notes[0][1]
    guest = found.guest
    assert "resource" not in guest
    assert guest["disks"] == [{"source": "/a.img", "driver": None}]
    assert guest["interfaces"] == [
        {"mac": "52:54:00:00:00:01", "source": {"network": "n"}},
        {"mac": "52:54:00:00:00:02", "source": "br0", "target": "web-1"},
    ]
    assert guest["channels"] == "b"
    assert guest["graphics"] == [{"type": "vnc", "autoport": "yes", "listen_address": "127.0.0.1"}]
    assert "serials" not in guest
    assert "consoles" not in guest


def test_device_of_a_running_guest_goes_to_extra_as_it_stands() -> None:
    port = "<interface type='network'><source network='n' bridge='virbr0'/><target dev='vnet3'/><shade/></interface>"
    found = import_domain(domain(devices=port, attributes=" id='3'"))
    assert found.lost == []
    assert found.guest["extra"] == {"devices": port}


def test_what_a_guest_that_does_not_run_has_is_kept() -> None:
    assert "/dev/pts/3" in str(lossless(domain(devices=RUNNING.replace(" bridge='virbr0'", ""))).guest["serials"])


def test_domain_without_devices_is_one_with_none() -> None:
    found = lossless(domain().replace("<devices>", "").replace("</devices>", ""))
    assert found.guest["serials"] == []


def test_what_a_device_leaves_out_is_what_libvirt_takes_it_for() -> None:
    """Of the second disk, that is not what its guest would have."""
    devices = """
        <disk><source file="/a.raw"/><target dev="vda" bus="virtio"/></disk>
        <disk device="disk"><source dev="/dev/sdb"/><target dev="vdb" bus="virtio"/></disk>
        <filesystem><source dir="/a"/><target dir="b"/></filesystem>
    """
    found = import_domain(domain(devices=devices))
    assert found.guest["disks"] == [{"driver": None, "source": "/a.raw"}]
    assert found.guest["filesystems"] == [{"source": "/a", "target": "b"}]
    assert "/dev/sdb" in found.guest["extra"]["devices"]
    assert found.notes == [("devices/disk[2]", "went to extra: @type is added")]


def test_guest_of_which_more_comes_than_a_document_may_have_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    disks = "".join(f"<disk type='file'><source file='/{n}'/><target dev='vd{n}'/></disk>" for n in "abc")
    monkeypatch.setattr(xml_tree, "MOST_FACTS", 29)
    with pytest.raises(GuestError, match="is too large to be proved: what comes of it has more than 29 elements"):
        import_domain(domain(devices=disks))


def test_fields_that_stand_elsewhere() -> None:
    xml = domain(
        "<features><acpi/></features>",
        "<controller type='pci' index='0' model='pcie-root'/><controller type='pci' index='1' "
        "model='pcie-root-port'><model name='pcie-root-port'/><target chassis='1' port='0x10'/></controller>"
        "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'><listen type='address' address='127.0.0.1'/>"
        "</graphics>",
    ).replace("<os>", "<os firmware='efi'><firmware><feature enabled='no' name='secure-boot'/></firmware>")
    found = lossless(xml)
    assert found.notes == []
    assert found.guest["controllers"][1]["model_name"] == "pcie-root-port"
    assert found.guest["graphics"][0]["listen_address"] == "127.0.0.1"
    assert found.guest["os"]["firmware"]["type"] == "efi"


def test_namespaces_are_declared_where_they_are_needed() -> None:
    found = lossless(
        domain(
            "<metadata><app:a xmlns:app='urn:a'><app:b/></app:a><q:c q:d='1'/></metadata>"
            "<qemu:commandline><qemu:arg value='-s'/></qemu:commandline>",
            attributes=" xmlns:q='urn:q&amp;' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'",
        )
    )
    assert found.guest["metadata"] == ("<app:a xmlns:app='urn:a'><app:b/></app:a><q:c xmlns:q=\"urn:q&amp;\" q:d='1'/>")
    assert found.guest["qemu:commandline"] == {"qemu:arg": "-s"}


def test_prefix_of_another_namespace_is_no_field() -> None:
    found = lossless(domain("<qemu:commandline xmlns:qemu='urn:other'><qemu:arg value='-s'/></qemu:commandline>"))
    assert found.guest["extra"]["domain"].startswith("<qemu:commandline xmlns:qemu='urn:other'>")


def test_text_is_kept_to_the_space() -> None:
    found = lossless(domain("<description> a\n  &lt;b&gt; &amp; <![CDATA[<c>]]>\n</description>"))
    assert found.guest["description"] == " a\n  <b> & <c>\n"


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ("", "there is nothing in it"),
        ("<domain>", "no element found"),
        ("<domain type='kvm'><name>a</domain>", "mismatched tag"),
        ("<network/>", "is no domain, but <network>"),
        ("<domain type='lxc'><name>a</name></domain>", "is no domain of kvm, qemu or hvf"),
        ("<domain type='kvm' xmlns='urn:a'/>", "is no domain, but <domain>"),
        (domain().replace("x86_64", "sparc"), "is for the architecture sparc"),
        (domain() * 2, "there are 2 documents"),
        (domain().replace("<name>a</name>", ""), "name: is missing"),
    ],
)
def test_what_is_no_guest_is_refused(xml: str, said: str) -> None:
    with pytest.raises(GuestError) as caught:
        import_domain(xml)
    assert said in str(caught.value)


LAUGHS = "<!DOCTYPE a [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;&a;'>]><domain type='kvm'><name>&b;</name></domain>"


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        (LAUGHS, "has a DTD"),
        ("<!DOCTYPE domain SYSTEM 'file:///etc/passwd'><domain/>", "has a DTD"),
        ("<domain>" + "<a>" * 100_000, "more than 64 elements inside one another"),
        ("<domain>" + "<a/>" * 300_000 + "</domain>", "more than 200,000 elements and attributes"),
        ("<domain>" + "<a b='' c=''/>" * 100_000 + "</domain>", "more than 200,000 elements and attributes"),
        ("<domain>&#0;</domain>", "not well-formed"),
        ("<domain>&lol;</domain>", "undefined entity"),
        ("<q:domain/>", "unbound prefix"),
        ("<domain><:disk/></domain>", "unbound prefix"),
        ("<domain :type='kvm'/>", "unbound prefix"),
        ("<domain xmlns:q='u'><q:1disk/></domain>", "not well-formed"),
        ("<domain xmlns:q='u'><q:/></domain>", "not well-formed"),
        ("<domain xmlns:q='u' xmlns:r='u' q:a='1' r:a='2'/>", "duplicate attribute"),
        ("<domain a='1' a='2'/>", "duplicate attribute"),
    ],
)
def test_hostile_document_is_refused(xml: str, said: str) -> None:
    with pytest.raises(GuestError, match=said):
        import_domain(xml)


@pytest.mark.parametrize(
    "devices",
    [
        "<gadget/>" * 30_000,
        "<disk type='file' device='disk'/>" * 10_000,
        "<disk/>" * 10_000,
        DISK.format("", "vda") * 1_000,
        f"<gadget>{'x' * 10_000_000}</gadget>",
        f"<disk shade='{'x' * 1_000_000}'/>",
    ],
)
def test_much_of_what_is_strange_takes_no_time(devices: str) -> None:
    assert import_domain(domain(devices=devices)).lost == []


def each(found: Element) -> Iterator[Element]:
    yield found
    for child in found.children:
        yield from each(child)


def test_each_element_is_cut_as_it_stands() -> None:
    xml = """<?xml version="1.0"?>
<!-- <a> --><domain b=">"><c/><d e='/>' /><f></f><g>/></g><h><!-- / --></h>é<i><j/></i><k
/><l><![CDATA[</l>]]></l></domain>"""
    found = {element.tag: raw(element) for element in each(root_of(xml))}
    assert list(found.values())[1:] == [
        "<c/>",
        "<d e='/>' />",
        "<f></f>",
        "<g>/></g>",
        "<h><!-- / --></h>",
        "<i><j/></i>",
        "<j/>",
        "<k\n/>",
        "<l><![CDATA[</l>]]></l>",
    ]
    assert found["domain"] == xml.partition("-->")[2]


def test_documents_of_a_stream() -> None:
    stream = "<?xml version='1.0'?>\n<a/>\n\n<?xml version='1.0'?>\n<b/><!-- c --><c>\n</c>\n\n"
    assert [(found.root and found.root.tag, found.line) for found in documents(stream.encode())] == [
        ("a", 2),
        ("b", 5),
        ("c", 5),
    ]
    *_, last = documents(b"<a/>\n<b>\n</c>\n<d/>")
    assert (last.line, last.fault) == (3, "is not well-formed XML: mismatched tag")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("<a b='1' c='2'/>", '<a c="2" b="1"></a>', []),
        ("<a><b/><c/></a>", "<a>\n<!-- d --><c/>\n<b/></a>", []),
        ("<a> t </a>", "<a>t</a>", []),
        ("<x:a xmlns:x='urn:a' x:b='1'/>", "<y:a xmlns:y='urn:a' y:b='1'/>", []),
        ("<a b='1'/>", "<a b='2'/>", [(("@b",), "is another")]),
        ("<a b='1'/>", "<a/>", [(("@b",), "is lost")]),
        ("<a/>", "<a b='1'/>", [(("@b",), "is added")]),
        ("<a>t</a>", "<a>u</a>", [((), "its text is another")]),
        ("<a>t u</a>", "<a/>", [((), "its text is lost")]),
        ("<a>t  u</a>", "<a>t u</a>", [((), "its text is another")]),
        ("<a><b/></a>", "<a/>", [(("b", 1), "is lost")]),
        ("<a><b/></a>", "<a><b/><b/></a>", [(("b", 2), "is added")]),
        ("<a><b c='1'/><b/></a>", "<a><b/><b c='1'/></a>", [(("b", 1, "@c"), "is lost"), (("b", 2, "@c"), "is added")]),
        ("<a xmlns:x='urn:a'><x:b/></a>", "<a><b/></a>", [(("x:b", 1), "is lost"), (("b", 1), "is added")]),
    ],
)
def test_what_differs_is_found(old: str, new: str, found: list[Any]) -> None:
    assert list(differences(root_of(old), root_of(new))) == found
    assert not found or not is_same_text(old.encode(), new.encode())


@pytest.mark.parametrize(
    ("old", "new", "is_same"),
    [
        ("<a b='1'>t</a>", "<a b='1'>t</a>", True),
        ("<a b='1'>\n  <c d='e'/>\n</a>", '<a b="1">\n  <c d="e"/>\n</a>', True),
        ("<a b='1'>it's</a>", '<a b="1">it"s</a>', False),
        ("""<a b='1" c="2'/>""", '<a b="1" c="2"/>', False),
        ("<a><![CDATA[<b c='']]></a>", '<a><![CDATA[<b c=""]]></a>', False),
        ("<a b='1'/>", '<a b="2"/>', False),
    ],
)
def test_text_is_the_same_but_for_quotes_around_attributes(old: str, new: str, is_same: bool) -> None:
    assert is_same_text(old.encode(), new.encode()) is is_same


def test_name_of_a_disk_that_follows_from_the_others_is_left_out() -> None:
    disks = [{"source": "/a.img", "target": {"dev": "hdc", "bus": "ide"}}, {"source": "/b.img"}]
    xml = kvmrender.render({"name": "a", "machine": "pc", "disks": disks})
    assert lossless(xml).guest["disks"] == [{"source": "/a.img", "target": "hdc"}, {"source": "/b.img"}]
