"""Short forms that people try: numbers of devices of the host, URLs, servers with ports, words for there or not."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Run

from kvmrender.engine import default_engine
from kvmrender.errors import GuestError
from kvmrender.libvirt.importer import import_domain
from kvmrender.schema.shorthand import Text

PCI = {"domain": "0x0000", "bus": "0x01", "slot": "0x00", "function": "0x0"}
USB = {"vendor": {"id": "0x046d"}, "product": {"id": "0xc52b"}}


def context(**guest: Any) -> dict[str, Any]:
    return default_engine().context({"name": "a", **guest})


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("0000:01:00.0", {"type": "pci", "managed": "yes", "source": {"address": PCI}}),
        ("01:00.0", {"type": "pci", "managed": "yes", "source": {"address": {**PCI, "domain": None}}}),
        ("046d:c52b", {"type": "usb", "source": USB}),
        ({"type": "pci", "source": "0000:01:00.0"}, {"type": "pci", "source": {"address": PCI}}),
        ({"type": "pci", "source": {"address": "0000:01:00.0"}}, {"type": "pci", "source": {"address": PCI}}),
        ({"type": "usb", "source": "046d:c52b"}, {"type": "usb", "source": USB}),
        (
            {"type": "mdev", "model": "vfio-pci", "source": {"address": "c2177883-f1bb-47f0-914d-32a22e3a8804"}},
            {
                "type": "mdev",
                "model": "vfio-pci",
                "source": {"address": {"uuid": "c2177883-f1bb-47f0-914d-32a22e3a8804"}},
            },
        ),
    ],
)
def test_device_of_the_host_by_its_numbers(written: Any, full: Any) -> None:
    if "domain" in full["source"].get("address", {}) and full["source"]["address"]["domain"] is None:
        full = {**full, "source": {"address": {key: PCI[key] for key in ("bus", "slot", "function")}}}
    assert context(hostdevs=[written])["hostdevs"] == [{"mode": "subsystem", **full}]
    assert context(hostdevs=written)["hostdevs"] == [{"mode": "subsystem", **full}]


@pytest.mark.parametrize(
    ("url", "source"),
    [
        (
            "https://example.org/images/a.iso",
            {"protocol": "https", "name": "images/a.iso", "host": [{"name": "example.org"}]},
        ),
        (
            "https://example.org:8443/a.iso?x=1&y=/2",
            {
                "protocol": "https",
                "name": "a.iso",
                "query": "x=1&y=/2",
                "host": [{"name": "example.org", "port": 8443}],
            },
        ),
        ("nbd://10.0.0.1:10809/a", {"protocol": "nbd", "name": "a", "host": [{"name": "10.0.0.1", "port": 10809}]}),
        ("nbd://[::1]:10809", {"protocol": "nbd", "host": [{"name": "::1", "port": 10809}]}),
        ("rbd:pool/image", {"protocol": "rbd", "name": "pool/image"}),
        ("rbd:pool/image@snap", {"protocol": "rbd", "name": "pool/image", "snapshot": {"name": "snap"}}),
        (
            "rbd:pool/image:mon_host=10.0.0.1:6789",
            {"protocol": "rbd", "name": "pool/image", "host": [{"name": "10.0.0.1", "port": 6789}]},
        ),
        (
            "rbd:pool/image:conf=/etc/ceph/a.conf",
            {"protocol": "rbd", "name": "pool/image", "config": {"file": "/etc/ceph/a.conf"}},
        ),
        (
            "iscsi://san/iqn.2013-07.com.example:pool/2",
            {"protocol": "iscsi", "name": "iqn.2013-07.com.example:pool/2", "host": [{"name": "san"}]},
        ),
        ("nfs://nas/export/a.raw", {"protocol": "nfs", "name": "/export/a.raw", "host": [{"name": "nas"}]}),
        ("ssh://nas:22/srv/a.raw", {"protocol": "ssh", "name": "/srv/a.raw", "host": [{"name": "nas", "port": 22}]}),
    ],
)
def test_url_is_a_source_over_the_network(url: str, source: Any) -> None:
    (disk,) = context(disks=[{"source": url, "driver": "raw"}])["disks"]
    assert (disk["type"], disk["source"]) == ("network", source)


UUID = "2ac00355-aa38-5a2b-9e12-bd4f3f3ed0f2"


@pytest.mark.parametrize(("secret", "full"), [(UUID, {"uuid": UUID}), ("client.libvirt", {"usage": "client.libvirt"})])
@pytest.mark.parametrize(
    ("source", "kind"), [("rbd:pool/a", "ceph"), ("iscsi://san/iqn.2013-07.com.example:a", "iscsi")]
)
def test_secret_of_a_login_is_short_and_of_the_kind_of_its_protocol(
    secret: str, full: Any, source: str, kind: str
) -> None:
    auth = {"username": "libvirt", "secret": secret}
    whole = {"username": "libvirt", "secret": {"type": kind, **full}}
    protocol, _, name = source.partition("://san/" if "//" in source else ":")
    inside = {"protocol": protocol, "name": name, "host": "san", "auth": auth}
    based = {"source": "/a.qcow2", "backingStore": {"format": "raw", "source": inside}}
    found = context(disks=[{"source": source, "auth": auth}, {"source": inside}, based])["disks"]
    assert found[0]["auth"] == found[1]["source"]["auth"] == whole
    assert found[2]["backingStore"]["source"]["auth"] == whole


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("hugepages", {"hugepages": {}}),
        ("memfd", {"source": {"type": "memfd"}}),
        ("shared", {"access": {"mode": "shared"}}),
        ({"hugepages": "1 GiB"}, {"hugepages": {"page": [{"size": 1, "unit": "GiB"}]}}),
        ({"hugepages": "2MiB"}, {"hugepages": {"page": [{"size": 2, "unit": "MiB"}]}}),
        (
            {"hugepages": {"page": ["2M"]}},
            {"hugepages": {"page": [{"size": 2, "unit": "M"}]}},
        ),
    ],
)
def test_memory_of_huge_pages(written: Any, full: Any) -> None:
    assert context(memoryBacking=written)["memoryBacking"] == full


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("2.0", {"backend": {"type": "emulator", "version": "2.0"}}),
        ("tpm-crb", {"model": "tpm-crb", "backend": {"type": "emulator"}}),
        (
            {"model": "tpm-tis", "backend": "1.2"},
            {"model": "tpm-tis", "backend": {"type": "emulator", "version": "1.2"}},
        ),
        ("passthrough", {"backend": {"type": "passthrough"}}),
    ],
)
def test_tpm_by_its_version_model_or_backend(written: Any, full: Any) -> None:
    assert context(tpms=written)["tpms"] == [full]


@pytest.mark.parametrize(
    ("path", "kind", "key", "format"),
    [
        ("/b.d/a.qcow2", "file", "file", "qcow2"),
        ("/a.img", "file", "file", "raw"),
        ("/dev/vg/a", "block", "dev", "raw"),
    ],
)
def test_backing_image_has_the_format_of_its_ending(path: str, kind: str, key: str, format: str) -> None:
    (disk,) = context(disks=[{"source": "/c.qcow2", "backingStore": path}])["disks"]
    assert disk["backingStore"] == {"type": kind, "format": {"type": format}, "source": {key: path}}


@pytest.mark.parametrize(
    ("written", "host"),
    [
        ("10.0.0.1:6789", {"name": "10.0.0.1", "port": 6789}),
        ("[fe80::1]:6789", {"name": "fe80::1", "port": 6789}),
        ("[fe80::1]", {"name": "fe80::1"}),
        ("fe80::1", {"name": "fe80::1"}),
        ("mon-1", {"name": "mon-1"}),
    ],
)
def test_server_with_its_port(written: str, host: Any) -> None:
    disk = {"source": {"protocol": "rbd", "name": "pool/a", "host": written}, "driver": "raw"}
    assert context(disks=[disk])["disks"][0]["source"]["host"] == [host]


@pytest.mark.parametrize(
    ("word", "is_there"), [("yes", True), ("on", True), (True, True), ("no", False), ("off", False), (False, False)]
)
def test_words_say_whether_an_element_is_there(word: Any, is_there: bool) -> None:
    found = context(features={"acpi": word, "pae": word, "gic": "no"}, disks=[{"source": "/a.raw", "readonly": word}])
    assert (found["features"].get("acpi"), found["features"].get("pae")) == (({}, {}) if is_there else (None, None))
    assert found["disks"][0].get("readonly") == ({} if is_there else None)


@pytest.mark.parametrize(
    ("kind", "written", "source"),
    [
        ("direct", "eth0", {"dev": "eth0"}),
        ("network", "default", {"network": "default"}),
        ("bridge", "br0", {"bridge": "br0"}),
        ("internal", "net0", {"name": "net0"}),
        (
            "hostdev",
            "0000:03:10.1",
            {"address": {"type": "pci", **PCI, "bus": "0x03", "slot": "0x10", "function": "0x1"}},
        ),
    ],
)
def test_type_of_an_interface_says_what_its_source_is(kind: str, written: str, source: Any) -> None:
    found = context(interfaces=[{"type": kind, "source": written}])["interfaces"][0]["source"]
    assert {key: found[key] for key in source} == source


@pytest.mark.parametrize(("kind", "key"), [("file", "file"), ("block", "dev"), ("dir", "dir")])
@pytest.mark.parametrize("path", ["/dev/a", "/srv/a"])
def test_type_of_a_disk_says_what_its_source_is(kind: str, key: str, path: str) -> None:
    disk = {"type": kind, "source": path, "readonly": True, "driver": "fat" if kind == "dir" else "raw"}
    assert context(disks=[disk])["disks"][0]["source"] == {key: path}


def test_setting_goes_into_what_a_short_form_means_by_its_type(run: Run) -> None:
    guest = "{name: a, interfaces: [{type: direct, source: eth0}], hostdevs: ['01:00.0']}"
    xml = run(
        "render", "--set", "interfaces[0].source.mode=private", "--set", "hostdevs[0].managed=no", input=guest
    ).stdout
    assert '<source dev="eth0" mode="private"/>' in xml
    assert '<hostdev mode="subsystem" type="pci" managed="no">' in xml


@pytest.mark.parametrize(
    ("guest", "said"),
    [
        ({"disks": [{"source": "htps://a/b"}]}, "disks[0].source.protocol: 'htps' is not one of"),
        (
            {"disks": [{"source": "nbd://a:99999", "driver": "raw"}]},
            "disks[0].source.host[0].port: 99999 is more than 65535",
        ),
        ({"hostdevs": ["gpu"]}, "hostdevs[0]: 'gpu' is not a mapping"),
        ({"hostdevs": ["01:99.0"]}, "hostdevs[0].source.address.slot: '0x99' is not a PCI slot"),
        (
            {"hostdevs": [{"type": "pci", "source": {"address": "gpu"}}]},
            "hostdevs[0].source.address: 'gpu' is not a mapping",
        ),
    ],
)
def test_short_form_that_is_wrong_is_told_by_what_it_stands_for(guest: Any, said: str) -> None:
    with pytest.raises(GuestError) as error:
        context(**guest)
    assert said in str(error.value)


GUEST = {
    "name": "a",
    "disks": [
        {"source": "https://example.org:8443/a.iso?x=1", "device": "cdrom"},
        {"source": "nfs://nas/export/a.raw"},
        {"source": {"protocol": "rbd", "name": "pool/a", "host": ["10.0.0.1:6789", "[fe80::1]:6789", "mon-3"]}},
        {"source": {"protocol": "https", "name": "a?b", "host": "nas"}},
    ],
    "hostdevs": ["0000:01:00.0", "046d:c52b", {"type": "pci", "source": "02:00.1"}],
}


def test_import_writes_the_short_forms_and_nothing_is_lost() -> None:
    disks = [{**disk, "driver": "raw"} for disk in GUEST["disks"]]  # type: ignore[attr-defined] # a list of mappings
    xml = default_engine().render({**GUEST, "disks": disks})
    found = import_domain(xml).guest
    assert {key: found[key] for key in ("disks", "hostdevs")} == {key: GUEST[key] for key in ("disks", "hostdevs")}
    assert default_engine().render(found) == xml


def test_words_go_on_to_what_follows_their_place() -> None:
    text = Text("{a}:{b#}/{c*}?{d}", {})
    assert text.words("x:1/y/z?q") == {"a": "x", "b": "1", "c": "y/z", "d": "q"}
    for other in ("x:1/y", ":1/y?q", "x:y/z?q", "x/w:1/y?q", "x:1/?q", "x:1/y?q/r", "x:1/y?"):
        assert text.words(other) is None, other


def test_text_that_fits_no_form_takes_a_time_like_its_length() -> None:
    long = "a:" * 1_000_000
    with pytest.raises(GuestError):
        context(hostdevs=[long], disks=[{"source": "a://" + long}])


def test_explain_shows_them(run: Run) -> None:
    assert "hostdevs: VENDOR:PRODUCT means" in " ".join(run("explain", "hostdevs").stdout.split())
    shown = " ".join(run("explain", "disks.source").stdout.split())
    assert "SNAPSHOT}; source: rbd:NAME means source: {protocol: rbd, name: NAME}; any other means" in shown
    shown = " ".join(run("explain", "disks.source.host").stdout.split())
    assert "host: [NAME]:PORT means host: {name: NAME, port: PORT}" in shown
