"""kvmrender validate: guest files and domain XML, from cheap to strict."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import FIXTURES, ROOT, Run, embedded_root
from guests import INSTALLED
from hostile import bounded, complaint
from newer import newer

from kvmrender import Error
from kvmrender.engine import Engine, default_engine
from kvmrender.libvirt.driver import Driver
from kvmrender.libvirt.rng import Grammar, installed_schema
from kvmrender.libvirt.validator import faults
from kvmrender.reading.load import read
from kvmrender.schema.xml_path import guest_path

DOMAIN = """\
<domain type="kvm">
  <name>a</name>
  <memory>1048576</memory>
  <os><type>hvm</type></os>
  <devices>
    <disk type="file" device="disk">
      <source file="/a"/>
      <target dev="vda"/>
    </disk>
    <disk type="file" device="disk">
      <driver name="qemu"/>
      <source file="/b"/>
      <target dev="vdb"/>
    </disk>
  </devices>
</domain>
"""

BROKEN = {
    "unknown attribute": (
        'name="qemu"',
        'name="qemu" cash="none"',
        "11:1: devices/disk[2]/driver/@cash: is not an attribute that libvirt knows here (did you mean 'cache'?)",
    ),
    "unknown attribute of a device": (
        '<disk type="file" device="disk">\n      <driver',
        '<disk type="file" devise="disk">\n      <driver',
        "10:1: devices/disk[2]/@devise: is not an attribute that libvirt knows here (did you mean 'device'?)",
    ),
    "value that is none of the listed": (
        'name="qemu"',
        'name="qemu" cache="nome"',
        "11:1: devices/disk[2]/driver/@cache: 'nome' is not one of"
        " default, directsync, none, unsafe, writeback, writethrough (did you mean 'none'?)",
    ),
    "value of a wrong form": (
        'dev="vdb"',
        'dev="xyz"',
        "13:1: devices/disk[2]/target/@dev: 'xyz' is not a value that libvirt takes",
    ),
    "unknown element": (
        '<target dev="vdb"/>',
        '<target dev="vdb"/><colour/>',
        "13:1: devices/disk[2]/colour: is not an element that libvirt knows here (known elements: acpi, address, ",
    ),
    "element that is missing": (
        '<target dev="vdb"/>',
        "",
        "10:1: devices/disk[2]: Expecting an element target, got nothing",
    ),
    "text": (">hvm<", ">hmv<", "4:1: os/type: 'hmv' is not one of exe, hvm, linux, xen, xenpvh (did you mean 'hvm'?)"),
    "element of another namespace": (
        "</devices>",
        '</devices><q:commandline xmlns:q="http://libvirt.org/schemas/domain/qemu/1.0"><q:ark/></q:commandline>',
        "15:1: q:commandline/q:ark: is not an element that libvirt knows here (did you mean 'q:arg'?)",
    ),
    "not well-formed": ("</devices>", "", "16:10: is not well-formed XML: "),
    "no domain": (DOMAIN, "<network/>", "1:1: Did not expect element network there"),
}


@pytest.mark.libvirt
@pytest.mark.parametrize(("old", "new", "said"), BROKEN.values(), ids=BROKEN)
def test_element_at_fault_is_named(old: str, new: str, said: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "domain.xml"
    file.write_text(DOMAIN.replace(old, new))
    result = run("validate", file)
    assert result.stderr.startswith(f"{file}:{said}")
    assert (result.stdout, result.stderr.count("\n"), result.exit_code) == ("", 1, 2)


@pytest.mark.libvirt
def test_all_elements_at_fault_are_named(run: Run) -> None:
    xml = DOMAIN.replace('dev="vda"', 'dev="xyz"').replace('name="qemu"', 'cash=""').replace("hvm", "mvh")
    places = [line.split(": ")[1] for line in run("validate", input=xml).stderr.splitlines()]
    assert places == ["os/type", "devices/disk[1]/target/@dev", "devices/disk[2]/driver/@cash"]


def is_newer(file: Path) -> bool:
    """Say whether a guest of a file needs a libvirt that is newer than the installed one."""
    engine = default_engine()
    guests = [engine.context(document.guest) for document in read(file.name, file.read_bytes())]
    return any(newer(engine.schema, guest, INSTALLED) for guest in guests)


@pytest.mark.libvirt
def test_fixtures_and_their_xml_are_valid(run: Run) -> None:
    guests = [guest for guest in FIXTURES if not is_newer(guest)]
    one = [guest for guest in guests if guest.with_suffix(".xml").read_text().count("</domain>") == 1]
    for file in [*guests, *(guest.with_suffix(".xml") for guest in one)]:  # each alone: some have what others have too
        result = run("validate", file)
        assert (result.stdout, result.stderr) == (f"{file}: valid\n", "")


@pytest.mark.libvirt
def test_guest_is_held_against_its_own_schema_first(run: Run) -> None:
    result = run("validate", input="name: a\nmemroy: 2\n")
    assert result.stderr == "<stdin>:2:1: memroy: is not a known key (did you mean 'memory'?) [schema]\n"
    assert result.exit_code == 2


@pytest.mark.libvirt
def test_what_guests_become_is_limited(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kvmrender.reading.inputs.growth", lambda read, most: 1 << 10)
    assert run("validate", input='{"name": "a"}\n').exit_code == 0
    result = run("validate", input='{"name": "a"}\n{"name": "b"}\n{"name": "c"}\n')
    assert (result.exit_code, result.stderr) == (
        2,
        "the expanded data is more than 1 KiB: --max-size allows more [max-size]\n",
    )


@pytest.mark.libvirt
def test_what_libvirts_schema_refuses_has_the_guests_field_and_line(tmp_path: Path, run: Run) -> None:
    """A schema older than the guest's words: here one whose drivers have no type."""
    schemas = tmp_path / "schemas"
    schemas.mkdir()
    for file in Path("/usr/share/libvirt/schemas").glob("*.rng"):
        text = file.read_text().replace(
            '<attribute name="type">\n        <choice>\n          <ref name="storageFormat"/>',
            '<attribute name="kind">\n        <choice>\n          <ref name="storageFormat"/>',
        )
        (schemas / file.name).write_text(text)
    guest = "name: a\ndisks:\n  - source: /a.qcow2\n  - source: /b\n    driver: qcow2\n"
    result = run("validate", "--schema", schemas / "domain.rng", input=guest)
    said = "is not an attribute that libvirt knows here"
    assert [line.partition(" (")[0] for line in result.stderr.splitlines()] == [
        f"<stdin>:3:5: disks[0].driver.type: devices/disk[1]/driver/@type: {said}",
        f"<stdin>:5:13: disks[1].driver.type: devices/disk[2]/driver/@type: {said}",
    ]


@pytest.mark.libvirt
def test_driver_says_what_no_schema_can(tmp_path: Path) -> None:
    file = tmp_path / "guests.yaml"
    file.write_text("name: a\ntype: qemu\nmachine: pc-0.1\n")
    good = tmp_path / "good.xml"
    good.write_text(DOMAIN.replace('"kvm"', '"qemu"'))
    done = subprocess.run(
        [sys.executable, "-m", "kvmrender", "validate", "--connect", embedded_root(), good, file],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.stdout == f"{good}: valid\n"
    assert done.stderr.splitlines()[-1] == (
        f"{file}:1:1: libvirt would not run it: unsupported configuration:"
        " Emulator '/usr/bin/qemu-system-x86_64' does not support machine type 'pc-0.1' [libvirt-driver]"
    )
    assert done.returncode == 2


@pytest.mark.libvirt
def test_driver_that_is_not_there(run: Run) -> None:
    result = run("validate", "--connect", "nope:///x", FIXTURES[0])
    assert result.stderr.startswith("nope:///x: ")
    assert (result.stdout, result.stderr.count("\n"), result.exit_code) == ("", 1, 2)


def test_schema_that_is_not_installed(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path))
    result = run("validate", FIXTURES[0])
    assert result.stderr == (
        f"libvirt's schema is not installed ({tmp_path}/libvirt/schemas/domain.rng):"
        " install libvirt, or name it with --schema\n"
    )
    assert result.exit_code == 2


@pytest.mark.parametrize(("text", "said"), [(None, "there is no such file"), ("<a>", "is not a RELAX NG schema: ")])
def test_schema_that_is_none(text: str | None, said: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "domain.rng"
    if text is not None:
        file.write_text(text)
    result = run("validate", "--schema", file, FIXTURES[0])
    assert result.stderr.startswith(f"{file}: {said}")
    assert (result.stderr.count("\n"), result.exit_code) == (1, 2)


@pytest.mark.parametrize(
    ("module", "arguments", "said"),
    [
        ("lxml", (), "validate needs lxml: pip install lxml\n"),
        ("libvirt", ("--connect", "x:///"), "--connect needs libvirt-python: pip install libvirt-python\n"),
    ],
)
def test_extra_that_is_not_installed(module: str, arguments: tuple[str, ...], said: str, tmp_path: Path) -> None:
    (tmp_path / f"{module}.py").write_text("raise ImportError")
    schema = tmp_path / "s.rng"
    schema.write_text('<element name="domain" xmlns="http://relaxng.org/ns/structure/1.0"><empty/></element>')
    done = subprocess.run(
        [sys.executable, "-m", "kvmrender", "validate", "--schema", schema, *arguments, FIXTURES[0]],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("", said, 2)


@pytest.mark.libvirt
def test_a_file_that_can_not_be_read_is_told_beside_what_is_wrong_with_others(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.yaml").write_text("name: a\nmemroy: 1\n")
    result = run("validate", tmp_path / "gone.yaml", tmp_path / "a.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        f"{tmp_path}/gone.yaml: No such file or directory [file]",
        f"{tmp_path}/a.yaml:2:1: memroy: is not a known key (did you mean 'memory'?) [schema]",
    ]


@pytest.mark.libvirt
def test_a_driver_says_why_it_would_not_run_a_domain() -> None:
    """libvirt's own driver for tests, which knows nothing of QEMU."""
    said = Driver("test:///default").refusal(DOMAIN)
    assert said is not None
    assert said.startswith("this function is not supported by the connection driver")


@pytest.mark.libvirt
def test_what_a_driver_refuses_is_told_of_the_file(tmp_path: Path, run: Run) -> None:
    (tmp_path / "a.xml").write_text(DOMAIN)
    result = run("validate", "--connect", "test:///default", tmp_path / "a.xml")
    assert (result.exit_code, result.stdout) == (2, "")
    said = "libvirt would not run it: this function is not supported by the connection driver"
    assert result.stderr.startswith(f"{tmp_path}/a.xml: {said}")


def test_without_libvirt_python_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libvirt", None)
    with pytest.raises(Error, match=r"^--connect needs libvirt-python: pip install libvirt-python$"):
        Driver("test:///default")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (("devices", 1, "interface", 2, "ip", 3, "@address"), ("interfaces", 1, "ip", 2, "address")),
        (("devices", "disk", "backingStore", "@type"), ("disks", 0, "backingStore", "type")),
        (("os", 1, "boot", 2, "@dev"), ("os", "boot", 1, "dev")),
        (("devices",), ()),
    ],
)
def test_places_in_xml_are_fields_of_the_guest(path: tuple[str | int, ...], field: tuple[str | int, ...]) -> None:
    assert guest_path(Engine().schema.root, path) == field


@pytest.mark.libvirt
@pytest.mark.parametrize("entity", ['<!ENTITY n "a">', '<!ENTITY n SYSTEM "file:///etc/hostname">'])
def test_entities_of_a_document_are_not_expanded(entity: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "a.xml"
    file.write_text(f"<!DOCTYPE domain [{entity}]>\n{DOMAIN.replace('<name>a<', '<name>&n;<')}")
    result = run("validate", file)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"{file}: has a DTD, which domain XML never has [xml]\n"


MANY_ATTRIBUTES = (
    'name="qemu" type="raw" cache="none" error_policy="stop" rerror_policy="stop" io="native" ioeventfd="on"'
    ' event_idx="on" copy_on_read="on" discard="unmap" iothread="1" detect_zeroes="on" queues="2" queue_size="256"'
    ' iommu="on" ats="on" packed="on" page_per_vq="on"'
)


@pytest.mark.libvirt
@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        (MANY_ATTRIBUTES, []),
        (
            f'{MANY_ATTRIBUTES} cash="1"',
            ["@cash: is not an attribute that libvirt knows here (did you mean 'cache'?) [libvirt-schema]"],
        ),
        (
            MANY_ATTRIBUTES.replace('"native"', '"nativ"').replace('ats="on"', 'ats="maybe"'),
            [
                "@io: 'nativ' is not one of io_uring, native, threads (did you mean 'native'?) [libvirt-schema]",
                "@ats: 'maybe' is not one of off, on [libvirt-schema]",
            ],
        ),
    ],
)
def test_elements_with_many_attributes_are_validated_at_once(attributes: str, found: list[str]) -> None:
    """libxml2 takes twice the time for each of them."""
    xml = DOMAIN.replace('name="qemu"', attributes)
    problems = faults(Grammar(installed_schema()), xml.encode())
    assert [str(problem).partition("driver.")[2] for problem in problems] == found


@pytest.mark.libvirt
def test_no_more_than_a_hundred_faults_are_told(run: Run) -> None:
    result = run("validate", input=DOMAIN.replace("</devices>", "<colour/>" * 9000 + "</devices>"))
    lines = result.stderr.splitlines()
    assert "devices/colour[100]: is not an element" in lines[99]
    assert lines[100:] == ["<stdin>: has 100 or more problems: only the first are listed [libvirt-schema]"]
    assert result.exit_code == 2


MANY_ELEMENTS = "has more elements beside each other than 10,000 in one: they are not validated"
HOSTILE = {
    "entities": ("<!DOCTYPE domain [" + '<!ENTITY a "aaaaaaaaaa">' + "]>", "", "has a DTD, which domain XML never has"),
    "entities in each other": (
        "<!DOCTYPE domain ["
        + '<!ENTITY a0 "a">'
        + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
        + "]>",
        "<title>&a9;</title>",
        "",
    ),
    "levels": ("", "<a>" * 100_000, "is not well-formed XML: Excessive depth in document: 256"),
    "elements": ("", "<x/>" * 10_001, MANY_ELEMENTS),
    "elements in some elements": ("", f"<x>{'<x/>' * 9_000}</x>" * 2, MANY_ELEMENTS),
    "elements in many elements": ("", f"<x>{'<x/>' * 990}</x>" * 110, MANY_ELEMENTS),
    "long text": ("", f"<title>{'x' * 11_000_000}</title>", "is not well-formed XML: "),
    "long name": ("", f"<{'x' * 100_000}/>", "is not well-formed XML: "),
}


@pytest.mark.libvirt
@pytest.mark.parametrize(("before", "inside", "said"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_xml_is_refused_within_bounds(before: str, inside: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(before + DOMAIN.replace("</name>", f"</name>{inside}"))
    result = complaint(bounded("validate", "a.xml", cwd=tmp_path))
    assert said in result


@pytest.mark.libvirt
def test_as_many_elements_as_there_may_be_are_validated(tmp_path: Path) -> None:
    elements = f"<q:x xmlns:q='q'>{'<y/>' * 990}</q:x>" * 100
    (tmp_path / "a.xml").write_text(DOMAIN.replace("</name>", f"</name><metadata>{elements}</metadata>"))
    assert bounded("validate", "a.xml", cwd=tmp_path).returncode == 0


@pytest.mark.libvirt
def test_guests_are_held_against_each_other_as_render_does(tmp_path: Path, run: Run) -> None:
    first, second, third = (tmp_path / name for name in ("a.yaml", "b.yaml", "c.yaml"))
    first.write_text(
        "name: a\nuuid: null\ndisks: {source: /d.qcow2}\ninterfaces: {source: br0, mac: '52:54:00:00:00:01'}\n"
    )
    second.write_text("---\nname: a\nuuid: null\n---\nname: b\ndisks: {source: /d.qcow2}\n")
    third.write_text("name: c\ninterfaces: {source: br0, mac: '52:54:00:00:00:01'}\n")
    rendered = run("render", first, second, third)
    validated = run("validate", first, second, third)
    assert validated.stderr == rendered.stderr
    assert (validated.exit_code, rendered.exit_code) == (2, 2)
    assert validated.stderr.count("\n") == 3
    assert validated.stdout == f"{first}: valid\n"
    allowed = run("validate", "--allow-shared", "/d.*", first, second)
    assert (allowed.exit_code, allowed.stderr.count("\n")) == (2, 1)
    assert run("validate", first).exit_code == run("validate", second).exit_code == 0


@pytest.mark.libvirt
def test_faults_of_templates_are_told_of_all_guests(tmp_path: Path, run: Run) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/amd64.xml.j2").write_text("{{ nothing }}\n")
    (tmp_path / "g.yaml").write_text("---\nname: a\n---\nname: b\n---\nname: c\nmemroy: 1\n")
    result = run("validate", "--templates", tmp_path / "site", tmp_path / "g.yaml")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "memroy: is not a known key" in result.stderr
    assert "(guest 'a', and 1 more guests)" in result.stderr


@pytest.mark.libvirt
def test_note_of_a_rule_is_told_and_the_guest_is_valid(tmp_path: Path, run: Run) -> None:
    guest = tmp_path / "a.yaml"
    guest.write_text("name: a\ndisks: [{source: /a.raw, target: {dev: hda, bus: virtio}}]\n")
    result = run("validate", guest)
    assert (result.exit_code, result.stdout) == (0, f"{guest}: valid\n")
    assert result.stderr.endswith("[target-bus]\n")
