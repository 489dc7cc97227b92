"""Details that mutation testing found no test to notice."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid5

import pytest
from conftest import Run, find

from kvmrender import GuestError, TemplateError
from kvmrender.context.identity import ROOT as ROOT_NAMESPACE
from kvmrender.context.identity import guest_uuid
from kvmrender.context.mac_address import mac_address
from kvmrender.engine import Engine
from kvmrender.errors import listed
from kvmrender.fleet.manifest import entry, others
from kvmrender.reading.documents import Layer, Source
from kvmrender.reading.layers import setting, with_settings
from kvmrender.reading.load import is_lines, read
from kvmrender.reading.parse import ALIAS_MANY, ALIAS_MINIMUM, MAX_DEPTH, RefusedError, from_json, from_yaml, positions
from kvmrender.schema.memory_units import MAX_BYTES, memory, to_bytes
from kvmrender.schema.secrets import masked, secret_finder, xml_masker
from kvmrender.schema.xml_faults import Fault, document_fault, fragment_fault
from kvmrender.templating.xml import escape

ROOT = Engine().schema.root


# What two guests may not share.


def two(first: dict[str, Any], second: dict[str, Any]) -> str:
    return "".join(json.dumps({"name": name, "disks": [disk]}) + "\n" for name, disk in (("a", first), ("b", second)))


def volume(pool: str, name: str) -> dict[str, Any]:
    return {"source": {"pool": pool, "volume": name}}


def network(name: str, *hosts: str, port: int = 6789) -> dict[str, Any]:
    servers = [{"name": host, "port": port} for host in hosts]
    return {"type": "network", "source": {"protocol": "rbd", "name": name, "host": servers}}


PCI = {"domain": "0x0000", "bus": "0x01", "slot": "0x00", "function": "0x0"}
NVME = {"type": "nvme", "source": {"type": "pci", "managed": True, "namespace": 1, "address": PCI}}


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (volume("p", "v"), volume("p", "v"), "disks[0].source.volume: 'p/v', which"),
        (network("p/i", "h", "g"), network("p/i", "g", "h"), "disks[0].source.name: 'rbd://g:6789,h:6789/p/i', which"),
        (network("p/i"), network("p/i"), "disks[0].source.name: 'rbd:///p/i', which"),
        (volume("p", "v"), volume("q", "v"), None),
        (volume("p", "v"), volume("p", "w"), None),
        (network("p/i", "h"), network("p/i", "g"), None),
        (network("p/i", "h"), network("p/i", "h", port=3300), None),
        (network("p/i", "h"), network("p/j", "h"), None),
        ({"device": "cdrom"}, {"device": "cdrom"}, None),
        ({"device": "floppy"}, {"device": "floppy"}, None),
        (NVME, NVME, None),
    ],
)
def test_images_that_two_guests_write_to(first: Any, second: Any, said: str | None, run: Run) -> None:
    result = run("render", input=two(first, second))
    assert result.exit_code == (2 if said else 0), result.stderr
    if said:
        assert f": {said} guest 'b' writes to, is written by 'a' too (" in result.stderr


def test_server_without_a_port_is_the_same_server(run: Run) -> None:
    disk = {"type": "network", "source": {"protocol": "rbd", "name": "p/i", "host": [{"name": "h"}]}}
    assert "'rbd://h:/p/i', which guest 'b'" in run("render", input=two(disk, disk)).stderr


@pytest.mark.parametrize(("transient", "code"), [({"shareBacking": True}, 0), ({"shareBacking": False}, 2), (True, 2)])
def test_transient_disks_share_their_image_if_they_say_so(transient: Any, code: int, run: Run) -> None:
    disk = {"source": "/a.qcow2", "transient": transient}
    assert run("render", input=two(disk, disk)).exit_code == code


def test_addresses_of_guests_of_one_name_are_no_further_problem(run: Run) -> None:
    guests = '{"name": "a", "interfaces": {"source": "br0"}}\n' * 2
    assert run("render", input=guests).stderr.count("\n") == 1


def test_remedy_is_told_where_both_addresses_were_derived(run: Run) -> None:
    derived = mac_address("", "a", "interface 0")
    guests = [
        {"name": "a", "interfaces": {"source": "x"}},
        {"name": "b", "interfaces": {"source": "x", "mac": derived}},
    ]
    said = run("render", input="".join(json.dumps(guest) + "\n" for guest in guests)).stderr
    assert f"{derived!r} of guest 'b' is also that of 'a'" in said
    assert "mac_prefix" not in said


def test_report_names_the_other_field(run: Run, tmp_path: Any) -> None:
    disk = {"source": "/a.qcow2"}
    result = run("render", "-o", tmp_path / "out", "--report", "json", input=two(disk, disk))
    assert result.exit_code == 2
    with pytest.raises(GuestError) as raised:
        Engine().render({"name": "a", "disks": [{"source": "/a.raw", "target": "vda"}] * 2})
    assert raised.value.problems[0].related == (("disks", 0, "target", "dev"),)


def test_interfaces_with_one_address_are_noted(run: Run) -> None:
    found = run(
        "render",
        input="name: a\ninterfaces: [{source: x, mac: 52:54:00:AA:bb:cc}, {source: x, mac: 52:54:00:aa:BB:cc}]\n",
    )
    said = "interfaces[1].mac.address: note: '52:54:00:aa:bb:cc' is taken by interfaces[0] [mac-addresses]"
    assert (found.exit_code, found.stderr) == (0, f"<stdin>:2:68: {said}\n")


def test_interfaces_that_may_share_an_address(run: Run) -> None:
    """One that is there for another until a migration, and those of which libvirt chooses the address."""
    persistent = {"source": "x", "mac": "52:54:00:00:00:01", "teaming": {"type": "persistent"}, "alias": "ua-a"}
    transient = {
        "type": "hostdev",
        "source": {"address": {"type": "pci", **PCI}},
        "mac": "52:54:00:00:00:01",
        "teaming": {"type": "transient", "persistent": "ua-a"},
    }
    guest = {"name": "a", "interfaces": [persistent, transient]}
    assert run("render", input=json.dumps(guest)).exit_code == 0
    other = {"name": "b", "interfaces": {"source": "x", "mac": "52:54:00:00:00:01"}}
    moved = {**guest, "interfaces": [{**persistent, "mac": "52:54:00:00:00:02"}, transient]}
    assert run("render", input=f"{json.dumps(moved)}\n{json.dumps(other)}\n").exit_code == 0
    none = "".join(json.dumps({"name": n, "interfaces": {"source": "x", "mac": None}}) + "\n" for n in "ab")
    assert run("render", input=none).exit_code == 0


# Layers.


def over(guest: Any, text: str) -> Any:
    return with_settings(ROOT, guest, [setting(ROOT, text)])


def test_settings_merge_with_what_is_there() -> None:
    assert over({"vars": {"a": 1}}, "vars={b: 2}") == {"vars": {"a": 1, "b": 2}}
    assert over({"disks": [1, 2, 3]}, "disks[1]=9") == {"disks": [1, 9, 3]}
    assert over({}, "disks[0].source=/a") == {"disks": [{"source": "/a"}]}
    assert over({"disks": None}, "disks[0]=1") == {"disks": [1]}
    assert over({"disks": {"source": "/a"}}, "disks[0].boot=1") == {"disks": [{"source": "/a", "boot": 1}]}
    assert over({"features": True}, "features.pae=true") == {"features": {"pae": True}}
    assert over({"vars": {"a": {"b": 1}}}, "vars.a.c[0].d=2") == {"vars": {"a": {"b": 1, "c": [{"d": 2}]}}}
    assert over({"cpu": None}, "cpu.mode=custom") == {"cpu": {"mode": "custom"}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("vars.a.b[2]=1", "--set vars.a.b[2]=1: vars.a.b[2] comes after 0 that the guest has [set]"),
        ("features.acpi.x=1", "--set features.acpi.x=…: features.acpi.x: features.acpi is not a mapping [set]"),
        ("vars" + ".a" * MAX_DEPTH + "=1", ": is a path of more than 64 steps [set]"),
    ],
)
def test_settings_that_have_no_place(text: str, said: str) -> None:
    with pytest.raises(GuestError) as raised:
        over({}, text)
    assert str(raised.value).endswith(said)


def test_path_of_as_many_steps_as_may_be() -> None:
    assert setting(ROOT, "vars" + ".a" * (MAX_DEPTH - 1) + "=1").value == 1


def test_problem_elsewhere_is_none_of_a_settings() -> None:
    """The field that a setting sets and the one at fault only begin alike."""
    from kvmrender.errors import Problem

    (document,) = read("g.yaml", b"name: a\nvcpu: 1\n")
    settings = [setting(ROOT, "memory=1"), setting(ROOT, "cpu.mode=custom"), setting(ROOT, "vcpu.text=1")]
    found = document.located([Problem(("vcpu",), "x"), Problem(("cpu", "mode"), "x")], settings)
    assert [one.file for one in found] == ["g.yaml", "--set cpu.mode=custom"]


# Reading.


@pytest.mark.parametrize("opening", ["[", "{a: "])
def test_depth_is_met_to_the_level(opening: str) -> None:
    closing = "]" if opening == "[" else "}"
    quoted = opening.replace("a", '"a"')
    for reader, start in ((from_yaml, opening), (from_json, quoted)):
        assert reader(start * MAX_DEPTH + "1" + closing * MAX_DEPTH)
        with pytest.raises(RefusedError, match=f"^is nested more than {MAX_DEPTH} deep$"):
            reader(start * (MAX_DEPTH + 1) + "1" + closing * (MAX_DEPTH + 1))


def test_wide_is_not_deep() -> None:
    """More brackets than levels may be, of which as many as may be are inside one another."""
    wide = f"[{'[], ' * MAX_DEPTH}" + "[" * (MAX_DEPTH - 1) + "1" + "]" * MAX_DEPTH
    assert from_json(wide) == from_yaml(wide)[0]
    with pytest.raises(RefusedError, match="is nested more than"):
        from_json(f"[{wide}]")


def test_positions_of_what_can_not_be_read_in_full() -> None:
    assert positions('{"\\ud83d\\ude00": 1, "b": 2, "b": 3}')[0, "b"] == ((1, 21), (1, 26))


def test_aliases_are_counted_to_the_value() -> None:
    def text(aliases: int, pad: int = 0) -> str:
        return f"- &a [{'x, ' * 97}x, x]\n- [{', '.join(['*a'] * aliases)}]\n# {'x' * pad}"

    assert from_yaml(text(ALIAS_MINIMUM // 100))  # a list of 99 is a hundred values
    with pytest.raises(RefusedError, match=r"^aliases stand for more than 10,000 values$"):
        from_yaml(text(ALIAS_MINIMUM // 100 + 1))
    assert from_yaml(text(1500, ALIAS_MANY + 50_000))
    with pytest.raises(RefusedError, match=r"^aliases stand for more than 100,000 values$"):
        from_yaml(text(1500, 50_000))


def test_alias_has_a_hint() -> None:
    with pytest.raises(RefusedError, match=r"^alias \*basis has no anchor before it \(did you mean 'basic'\?\)$"):
        from_yaml("- &basic 1\n- *basis\n")


def test_second_key_behind_a_surrogate_pair_has_its_place() -> None:
    with pytest.raises(RefusedError, match=r"^key 'b' is given twice$") as raised:
        from_json('{"\\ud83d\\ude00": 1, "b": 2,\n "b": 3}')
    assert raised.value.position == (2, 2)


@pytest.mark.parametrize(
    ("text", "value"),
    [("!!bool true", True), ("!!int 1", 1), ("!!null null", None), ("!!str 1", "1"), ("!!str null", "null")],
)
def test_tags_that_say_what_is_there(text: str, value: object) -> None:
    assert from_yaml(text) == [value]


def test_half_of_a_surrogate_pair_from_python() -> None:
    with pytest.raises(RefusedError, match=r"^has half of a surrogate pair, which is not a character$"):
        from_yaml("'\ud800'")


def test_lines_are_documents() -> None:
    lines = b' {"name": "a"}\n{"name": "b"}\n'
    assert [document.guest for document in read("g.jsonl", lines)] == [{"name": "a"}, {"name": "b"}]
    assert is_lines("g", [b' {"name": "a"}\n'])
    assert not is_lines("g", [b"name: a\n"])
    assert not is_lines("g", [b'{"name": "a"\n'])


def test_settings_are_at_fault_before_what_they_go_over() -> None:
    """The last of two that set the same field; a problem that no place is known of is that of the whole."""
    from kvmrender.errors import Problem

    (document,) = read("g.yaml", b"name: a\nmemory: 1\n")
    settings = [setting(ROOT, "memory=x"), setting(ROOT, "memory=y")]
    assert [str(one) for one in document.located([Problem(("memory",), "is wrong")], settings)] == [
        "--set memory=y: memory: is wrong [schema]"
    ]
    assert Layer({}, Source("f", b"")).find(Problem(("a",), "x"))[0].steps == 0


def test_every_file_that_can_not_be_read_is_told(tmp_path: Any, run: Run) -> None:
    files = [tmp_path / name for name in "ab"]
    said = "".join(f"{file}: No such file or directory [file]\n" for file in files)
    assert run("render", *files).stderr == said
    assert run("render", "--defaults", files[0], "--defaults", files[1], input="name: a").stderr == said


# What is said.


def test_parts_of_a_templates_error() -> None:
    error = TemplateError("is odd", "/t/a.xml.j2", 3, "web", ("disks", 0, "source"), "  <a>\t", ("b.xml.j2:1", "c:2"))
    said = "/t/a.xml.j2:3: is odd (guest 'web', disks[0].source)\n  3 | <a>\n  from b.xml.j2:1, c:2"
    assert (str(error), error.chain, error.source) == (said, ("b.xml.j2:1", "c:2"), "  <a>\t")
    assert str(TemplateError("is odd")) == "is odd"
    assert str(TemplateError("is odd", guest="web")) == "is odd (guest 'web')"


@pytest.mark.parametrize(
    ("guest", "said"),
    [
        ({"disks": [None]}, "disks[0]: null is not a mapping [schema]"),
        ({"disks": [True]}, "disks[0]: true is not a mapping [schema]"),
        ({"vars": object()}, "vars: a Python object is not a value that a guest can have [schema]"),
        ({"disks": [{1: 2}]}, "disks[0].1: is not a known key: keys are text [schema]"),
        ({"vcpu": 10**6}, "vcpu: 1000000 is more than 65535 [schema]"),
        ({"vcpu": 0}, "vcpu: 0 is less than 1 [schema]"),
        ({"vcpu": "x" * 90 + "'"}, f'vcpu: "{"x" * 75}…" is not a whole number [schema]'),
        (
            {"interfaces": {"source": {"dev": "eth0", "mode": "vepa"}, "virtualport": {"type": "802.1Qbg"}}},
            "interfaces[0].virtualport.parameters: is missing (type is 802.1Qbg) [schema]",
        ),
        (
            {"interfaces": {"source": "br0", "virtualport": {"parameters": {"profileid": "x"}}}},
            "interfaces[0].virtualport.type: is missing (only a network can supply it): one of openvswitch, midonet, "
            "802.1Qbg, 802.1Qbh [schema]",
        ),
    ],
)
def test_problem_is_said_of_a_value(guest: Any, said: str) -> None:
    with pytest.raises(GuestError) as raised:
        Engine().render({"name": "a", **guest})
    assert [str(problem) for problem in raised.value.problems] == [said]


def test_what_is_left_of_a_faulty_guest_is_checked() -> None:
    interface = {"source": "br0", "mac": "xx", "bandwidth": {"inbound": {"average": 1, "x": 1}}}
    disks = [{"source": "/a.qcow2", "target": "vda"}, {"source": "/b.qcow2", "target": {"dev": "vda", "x": 1}}]
    with pytest.raises(GuestError) as raised:
        Engine().render({"name": "a", "interfaces": interface, "disks": disks})
    assert {str(problem).partition(" is")[0] for problem in raised.value.problems} == {
        "interfaces[0].mac.address: 'xx'",
        "interfaces[0].bandwidth.inbound.x:",
        "disks[1].target.x:",
        "disks[1].target.dev: 'vda'",
    }


def test_a_thousand_problems_are_looked_for() -> None:
    with pytest.raises(GuestError) as raised:
        Engine().render({"name": "a", **{f"k{number}": 1 for number in range(1500)}})
    assert len(raised.value.problems) == 1001
    assert str(raised.value.problems[-1]) == "has 1,000 or more problems: only the first are listed [schema]"


def test_words_are_listed() -> None:
    assert [listed(words, "or") for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a or b",
        "a, b or c",
    ]


def test_source_counts_its_lines_from_its_first() -> None:
    from kvmrender.errors import Problem

    layer = Layer({"a": 1}, Source("f", b'{"a": 1}', 7))
    assert str(layer.find(Problem(("a",), "x"))[1]) == "f:7:7: a: x [schema]"


# Secrets.

COOKIES = {"cookie": [{"name": "a", "text": "hunter2"}]}
GUEST = {"name": "a", "graphics": [{"type": "vnc", "passwd": "hunter2"}], "vars": {"list": [[{"passwd": "kept"}]]}}


def test_secrets_are_masked_and_all_else_is_not() -> None:
    shown = masked(ROOT, GUEST)
    assert shown == {**GUEST, "graphics": [{"type": "vnc", "passwd": "***"}]}
    assert secret_finder(ROOT)(GUEST)
    assert not secret_finder(ROOT)({"name": "a", "vars": {"passwd": "x", "list": [[{"passwd": "x"}]]}, "zzz": [[1]]})


def test_secrets_in_xml_are_masked_in_attributes_and_elements() -> None:
    disk = {"type": "network", "source": {"protocol": "https", "name": "p", "host": {"name": "h"}, "cookies": COOKIES}}
    xml = Engine().render({"name": "a", "graphics": {"type": "vnc", "passwd": "hunter2"}, "disks": [disk]})
    assert xml.count("hunter2") == 2
    mask = xml_masker(ROOT)
    assert mask(xml) == xml.replace("hunter2", "***")
    assert find(mask(xml), "devices/disk/source/cookies/cookie").text == "***"
    assert mask('<a type="x">y</a>') == '<a type="x">y</a>'


# Sizes of memory.


@pytest.mark.parametrize(
    ("size", "element"),
    [
        ("1024 byte", {"unit": "KiB", "text": 1}),
        ("1024 BYTES", {"unit": "KiB", "text": 1}),
        ("1024b", {"unit": "KiB", "text": 1}),
        (f"{MAX_BYTES} b", {"unit": "KiB", "text": MAX_BYTES >> 10}),
    ],
)
def test_sizes_at_the_ends_of_what_there_is(size: str, element: dict[str, Any]) -> None:
    assert memory(size) == element
    assert to_bytes(element) == to_bytes({"text": element["text"]})


@pytest.mark.parametrize("size", [f"{MAX_BYTES + 1024} b", "8 EiB", "999999999 EiB"])
def test_sizes_beyond_what_there_is(size: str) -> None:
    with pytest.raises(ValueError, match=r"^is not a size of memory: it must be less than 8 EiB$"):
        memory(size)


# XML, addresses, files.


@pytest.mark.parametrize(
    ("fragment", "said"),
    [
        ("<a>", "mismatched tag at its end"),
        ("<!-- ", "unclosed token at line 1, column 1"),
        ("<a/>\n<!-- ", "unclosed token at line 2, column 1"),
        ("<a/>\n</b>", "mismatched tag at line 2, column 3"),
        ("<a>\ud800</a>", "half of a surrogate pair is not a character"),
        ("</x><x>", "junk after document element at line 1, column 5"),
        ("<a>é&nope;</a>", "undefined entity at line 1, column 5"),
    ],
)
def test_fault_of_raw_xml_has_its_place(fragment: str, said: str) -> None:
    assert fragment_fault(fragment) == said


@pytest.mark.parametrize(
    ("xml", "fault"),
    [
        ("<a><b/></a>", None),
        ("<a>\n<b>\n</a>", Fault("XML that is not well-formed: mismatched tag: <b> is not closed", 2, ("b", 1))),
        (
            "<a>\n<b/>\n<b>\n<c/>\n",
            Fault("XML that is not well-formed: no element found: <b> is not closed", 3, ("b", 2)),
        ),
        ("<a>\n<b/>\n&x;</a>", Fault("XML that is not well-formed: undefined entity", 3, ())),
        (
            "<a xmlns:q='urn:q'>\n<q:b>\n</a>",
            Fault("XML that is not well-formed: mismatched tag: <b> is not closed", 2, ("b", 1)),
        ),
        ("", Fault("XML that is not well-formed: no element found", 1, ())),
        ("<a>\n<name/>\n<name/></a>", Fault("a second <name>", 3, ("name", 2))),
        ("<a xmlns:q='q'><name/><q:name/><b><name/></b></a>", None),
        ("<?x?>\n<!DOCTYPE a><a/>", Fault("XML with a DTD", 2, ())),
        ("<a>\n<b><c/><c>&x;</c></b></a>", Fault("XML that is not well-formed: undefined entity", 2, ("b", 1, "c", 2))),
    ],
)
def test_fault_of_a_document_has_line_and_path(xml: str, fault: Fault | None) -> None:
    assert document_fault(xml) == fault


def test_addresses_of_any_name() -> None:
    assert mac_address("n", "\ud800", "interface 0") == "52:54:00:19:d8:a6"
    assert mac_address("", "z43242", "interface 0", "00:00:00:00") == "00:00:00:00:00:01"  # all zeros, but for that
    assert mac_address("", "z43242", "interface 0", "02:00:00:00") == "02:00:00:00:00:00"


def test_identities_of_any_name() -> None:
    assert guest_uuid("a", "b") == str(uuid5(uuid5(UUID(bytes=ROOT_NAMESPACE), "a"), "b"))
    assert guest_uuid("\ud800", "\udfff") == "6d3c3f57-2388-5e56-b476-3d349dfae39c"


def test_entries_of_names_that_begin_alike() -> None:
    a, b = bytes(range(32)), bytes(range(1, 33))
    old = [entry(b"a", a), entry(b"a.xml", a), entry(b"ab", b)]
    assert list(others(old, [entry(b"a.xml", b)])) == [old[0], old[2]]
    assert list(others(old, [entry(b"a", b), entry(b"ab", a)])) == [old[1]]


@pytest.mark.parametrize(("value", "kind"), [({"a": 1}, "mapping"), ([1], "list"), ((1,), "list")])
def test_what_has_parts_is_not_written_as_a_value(value: Any, kind: str) -> None:
    with pytest.raises(TypeError, match=f"^a {kind} can't be written: write what is in it$"):
        escape(value)
