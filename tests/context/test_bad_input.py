"""What is wrong with a guest is said in one line each, with its place, and nothing is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Run

from kvmrender import GuestError, Renderer

MAC = "is not a unicast MAC address: six octets in hexadecimal, the first one even, such as 52:54:00:12:34:56 [schema]"
NAME = "is not a name: one line of text without '/' or control characters [schema]"

BAD = {
    "unknown key": (
        "name: a\ndisks:\n  - sorce: /a.qcow2\n",
        ["3:5: disks[0].sorce: is not a known key (did you mean 'source'?) [schema]"],
    ),
    "unknown key that is like no other": (
        "name: a\nextra:\n  zzz: 1\n",
        ["3:3: extra.zzz: is not a known key (known keys: domain, devices) [schema]"],
    ),
    "tab": (
        "name: a\ndisks:\n\t- source: /a.qcow2\n",
        ["3:1: is not YAML: a tab, where lines may be indented by spaces alone [file]"],
    ),
    "wrong type": (
        "name: a\nvcpu: two\ndisks: 7\nos: [hvm]\nfeatures: {acpi: maybe}\n",
        [
            "2:7: vcpu: 'two' is not a whole number [schema]",
            "3:8: disks: 7 is not a list [schema]",
            "4:5: os: a list is not a mapping [schema]",
            "5:18: features.acpi: 'maybe' is not true or false or a mapping [schema]",
        ],
    ),
    "text for a device": (
        "name: a\ninterfaces: [br0]\ncputune: {vcpupin: [{}]}\nmemory: 1 GiB\ncurrentMemory: 2 GiB\n",
        [
            "2:14: interfaces[0]: 'br0' is not a mapping: write interfaces: [{source: br0}] [schema]",
            "3:21: cputune.vcpupin[0].vcpu: is missing (ID of the virtual CPU) [schema]",
            "3:21: cputune.vcpupin[0].cpuset: is missing (CPUs of the host) [schema]",
            "5:16: currentMemory: note: 2048 MiB is more than memory, 1024 MiB [current-memory]",
        ],
    ),
    "what a type refuses, beside a source that is faulty": (
        "name: a\ndisks:\n- {type: vhostuser, source: {type: unix, path: 7}, readonly: true}\n",
        [
            "3:48: disks[0].source.path: '7' is not an absolute path, such as"
            " /var/lib/libvirt/images/web-1.qcow2 [schema]",
            "3:62: disks[0].readonly: is not for type vhostuser [vhost-user]",
        ],
    ),
    "what a type asks for, beside a source that is faulty": (
        "name: a\ndisks:\n- {type: dir, source: {dir: 7}}\n",
        [
            "3:3: disks[0].readonly: is missing: a folder is always read-only [read-only]",
            "3:29: disks[0].source.dir: '7' is not an absolute path, such as"
            " /var/lib/libvirt/images/web-1.qcow2 [schema]",
        ],
    ),
    "text where nothing else is": (
        "name: a\nresource: {partition: nowhere}\nmemory: 1 GiB\ncurrentMemory: 2 GiB\n",
        [
            "2:23: resource.partition: 'nowhere' is not an absolute path, such as"
            " /var/lib/libvirt/images/web-1.qcow2 [schema]",
            "4:16: currentMemory: note: 2048 MiB is more than memory, 1024 MiB [current-memory]",
        ],
    ),
    "boolean for a number": ("name: a\nvcpu: true\n", ["2:7: vcpu: true is not a whole number [schema]"]),
    "missing name": ("vcpu: 2\n", ["1:1: name: is missing (name of the guest, unique on its host) [schema]"]),
    "null for what has to be there": (
        "name: a\nmemory: null\nos: null\ndisks: [{device: null, target: null}]\n",
        [
            "2:9: memory: is missing (maximum memory of the guest) [schema]",
            "3:5: os: is missing (operating system booting: architecture, machine, firmware and boot order) [schema]",
            "4:18: disks[0].device: is missing (type of device that the guest sees): one of disk, cdrom, "
            "floppy, lun [schema]",
            "4:32: disks[0].target: is missing (bus and device name of the disk in the guest) [schema]",
        ],
    ),
    "name with a slash": ("name: a/b\n", [f"1:7: name: 'a/b' {NAME}"]),
    "name with a newline": ('name: "a\\nb"\n', [f"1:7: name: 'a\\nb' {NAME}"]),
    "name with a control character": ('name: "a\\x07"\n', [f"1:7: name: 'a\\x07' {NAME}"]),
    "blank name": ('name: " "\n', [f"1:7: name: ' ' {NAME}"]),
    "no vcpus": ("name: a\nvcpu: 0\n", ["2:7: vcpu: 0 is less than 1 [schema]"]),
    "unit that isn't one": (
        "name: a\nmemory: 4 GiBs\n",
        [
            "2:9: memory: '4 GiBs' is not a size of memory: a whole number of MiB, or one with a unit, such as"
            " 4 GiB [schema]",
        ],
    ),
    "memory that is no whole KiB": (
        "name: a\nmemory: 1500 b\n",
        ["2:9: memory: '1500 b' is not a whole number of KiB [schema]"],
    ),
    "bad MAC address": (
        "name: a\ninterfaces:\n  - source: br0\n    mac: 52:54:00:12:34\n",
        [f"4:10: interfaces[0].mac.address: '52:54:00:12:34' {MAC}"],
    ),
    "multicast MAC address": (
        "name: a\ninterfaces:\n  - source: br0\n    mac: 01:00:5e:00:00:01\n",
        [f"4:10: interfaces[0].mac.address: '01:00:5e:00:00:01' {MAC}"],
    ),
    "unknown driver type": (
        "name: a\ndisks:\n  - source: /a\n    driver: qcow3\n",
        [
            "4:13: disks[0].driver.type: 'qcow3' is not one of"
            " raw, qcow2, bochs, cloop, dmg, fat, ploop, … (did you mean 'qcow2'?) [schema]"
        ],
    ),
    "driver type that no file name tells": (
        "name: a\ndisks:\n  - source: /a.bin\n",
        [
            "3:5: disks[0].driver.type: is missing:"
            " the format is derived only from the extensions .qcow2, .raw, .img, .iso, .vmdk, .vdi [formats]"
        ],
    ),
    "two disks with one target": (
        "name: a\ndisks:\n  - {source: /a.qcow2, target: vda}\n  - {source: /b.qcow2, target: vda}\n",
        ["4:32: disks[1].target.dev: 'vda' is taken by disks[0] [targets]"],
    ),
    "interface connected to nothing": (
        "name: a\ninterfaces:\n  - model: e1000e\n",
        ["3:5: interfaces[0].type: is missing: give it, or source bridge or network or path or dev [schema]"],
    ),
    "unknown architecture": (
        "name: a\narch: amd46\n",
        [
            "2:7: arch: 'amd46' is not one of amd64, x86_64, arm64, aarch64, loongarch64, loong64, ppc64le, …"
            " (did you mean 'amd64'?) [schema]"
        ],
    ),
    "architecture of another": (
        "name: a\nos: {type: {arch: aarch64}}\n",
        ["2:19: os.type.arch: 'aarch64' is not 'x86_64' [schema]"],
    ),
    "gic on amd64": (
        "name: a\nfeatures:\n  gic: 3\n",
        ["3:8: features.gic: is only for arm64 guests, not amd64 [schema]"],
    ),
    "two machines": (
        "name: a\nmachine: q35\nos: {type: {machine: pc}}\n",
        ["2:10: machine: 'q35' differs from os.type.machine, 'pc' [machine-given-once]"],
    ),
    "control character in a text": (
        'name: a\ndescription: "a\\x01b"\n',
        ["2:14: description: 'a\\x01b' is not text without control characters [schema]"],
    ),
    "control character in the file": (
        "name: a\ntitle: a\x01\n",
        ["2:9: is not YAML: character U+0001 is not allowed in a file [file]"],
    ),
    "empty file": ("", ["1:1: is empty: a guest is a mapping with at least a name [file]"]),
    "only a comment": ("# nothing\n", ["1:1: is empty: a guest is a mapping with at least a name [file]"]),
    "empty document among others": (
        "name: a\n---\n---\nname: b\n",
        ["3:1: is empty: a guest is a mapping with at least a name [file]"],
    ),
    "list at the top": ("- name: a\n", ["1:1: a guest is a mapping, not a list [schema]"]),
    "text at the top": ("web-1\n", ["1:1: a guest is a mapping, not 'web-1' [schema]"]),
    "key given twice": ("name: a\nvcpu: 1\nvcpu: 2\n", ["3:1: key 'vcpu' is given twice [file]"]),
    "key that is no string": ("name: a\n? [x]\n: 1\n", ["2:3: a key must be a string [file]"]),
    "tag": (
        "name: !!python/name:os.system x\n",
        ["1:7: tag '!!python/name:os.system' is not allowed here [file]"],
    ),
    "alias of nothing": (
        "name: *nobody\n",
        ["1:7: alias *nobody has no anchor before it [file]"],
    ),
    "alias inside its own anchor": (
        "name: a\nvars: &v {x: *v}\n",
        ["2:14: alias *v has no anchor before it [file]"],
    ),
    "raw XML that isn't well-formed": (
        'name: a\nextra: {domain: "<a>", devices: "</devices><a/>"}\n',
        [
            "2:17: extra.domain: is not well-formed XML: mismatched tag at its end [raw-xml]",
            "2:33: extra.devices: is not well-formed XML: mismatched tag at line 1, column 3 [raw-xml]",
        ],
    ),
    "raw XML with a DTD": (
        "name: a\nextra:\n  domain: <!DOCTYPE a [<!ENTITY b 'c'>]><a/>\n",
        ["3:11: extra.domain: is not well-formed XML: it has a DTD at line 1, column 3 [raw-xml]"],
    ),
    "raw XML with an entity": (
        "name: a\nextra: {domain: '<a>&b;</a>'}\n",
        ["2:17: extra.domain: is not well-formed XML: undefined entity at line 1, column 4 [raw-xml]"],
    ),
    "what only a running guest has": (
        "name: a\nid: 4\ninterfaces: [{source: {network: default, portid: 0-1}}]\n"
        "disks: [{source: {file: /a.raw, seclabel: {model: dac, relabel: no, labelskip: yes}}}]\n",
        [
            f"{place}: is set by libvirt, for a running guest only: leave it out [schema]"
            for place in (
                "2:1: id",
                "3:42: interfaces[0].source.portid",
                "4:69: disks[0].source.seclabel[0].labelskip",
            )
        ],
    ),
    "raw XML with an undeclared prefix": (
        "name: a\nextra: {domain: '<q:a/>'}\n",
        ["2:17: extra.domain: is not well-formed XML: unbound prefix at line 1, column 1 [raw-xml]"],
    ),
}


@pytest.mark.parametrize(("text", "lines"), BAD.values(), ids=BAD)
def test_problems_are_listed_with_their_places(text: str, lines: list[str], tmp_path: Path, run: Run) -> None:
    file = tmp_path / "guest.yaml"
    file.write_text(text)
    result = run("render", file)
    assert result.stderr.splitlines() == [f"{file}:{line}" for line in lines]
    assert result.stdout == ""
    assert result.exit_code == 2


def test_what_is_not_yaml_is_told_with_its_place(run: Run) -> None:
    result = run("render", input="name: a\ndisks: [\n")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert result.stderr.startswith("<stdin>:3:1: is not YAML: ")


def test_all_problems_of_a_guest_are_told_together(run: Run) -> None:
    text = """\
name: a/b
vcpu: 0
memory: 4 GiBs
currentMemory: 8 GiB
disks:
  - {source: /a.qcow2, driver: qcow3, target: vda}
  - {source: /b.qcow2, target: vda, colour: red}
interfaces:
  - {source: br0, mac: 52:54:00:00:00:01}
  - {source: br0, mac: 52:54:00:00:00:01}
  - {}
"""
    result = run("render", input=text)
    assert [line.split(": ")[1] for line in result.stderr.splitlines()] == [
        "name",
        "vcpu",
        "memory",
        "disks[0].driver.type",
        "disks[1].target.dev",
        "disks[1].colour",
        "interfaces[1].mac.address",
        "interfaces[2].type",
    ]
    assert (result.stdout, result.exit_code) == ("", 2)


def test_one_bad_guest_of_several_writes_none(tmp_path: Path, run: Run) -> None:
    (tmp_path / "good.yaml").write_text("name: good\n---\nname: good-too\n---\nname: bad\nvcpu: 0\n")
    (tmp_path / "bad.yaml").write_text("name: worse\nvcpu: -1\n")
    result = run("render", tmp_path / "good.yaml", tmp_path / "bad.yaml", tmp_path / "none.yaml")
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        f"{tmp_path}/good.yaml:6:7: vcpu: 0 is less than 1 [schema]",
        f"{tmp_path}/bad.yaml:2:7: vcpu: -1 is less than 1 [schema]",
        f"{tmp_path}/none.yaml: No such file or directory [file]",
    ]
    assert result.exit_code == 2


def test_file_that_can_not_be_read(tmp_path: Path, run: Run) -> None:
    (tmp_path / "latin.yaml").write_bytes("name: a\ntitle: caf\xe9\n".encode("latin-1"))
    (tmp_path / "utf16.yaml").write_bytes("name: a\n".encode("utf-16"))
    files = [tmp_path / name for name in ("missing.yaml", "", "latin.yaml", "utf16.yaml")]
    for file, said in zip(
        files,
        [
            ": No such file or directory [file]",
            ": Is a directory [file]",
            ":2:11: is not UTF-8: byte 0xe9 at offset 18 [file]",
            ":1:1: is not UTF-8: byte 0xff at offset 0 [file]",
        ],
        strict=True,
    ):
        result = run("render", file)
        assert (result.stdout, result.stderr, result.exit_code) == ("", f"{file}{said}\n", 2)


def test_standard_input_has_a_name_in_messages(run: Run) -> None:
    for arguments in (("render",), ("render", "-")):
        assert run(*arguments, input="name: a\nvcpu: 0\n").stderr == "<stdin>:2:7: vcpu: 0 is less than 1 [schema]\n"


JSON = {
    "not JSON": ('{"name": "a",\n "vcpu": }', "2:10: is not JSON: "),
    "key given twice": ('{"name": "a",\n "name": "b"}', "2:2: key 'name' is given twice [file]"),
    "not a number": ('{"name": "a", "vcpu": NaN}', "NaN is not a JSON number [file]"),
    "surrogate": ('{"name": "a",\n "title": "\\ud800"}', "title: '\\ud800' has half of a surrogate pair, which is not"),
    "too deep": ('{"name":' + "[" * 100_000, "is nested more than 64 deep [file]"),
    "deep": ('{"name":' + "[" * 100 + "]" * 100 + "}", "is nested more than 64 deep [file]"),
    "value": ('{"name": "\\ud83d\\ude00",\n "vcpu": 0}', "2:10: vcpu: 0 is less than 1 [schema]"),
}


@pytest.mark.parametrize(("text", "said"), JSON.values(), ids=JSON)
def test_bad_json(text: str, said: str, tmp_path: Path, run: Run) -> None:
    file = tmp_path / "guest.json"
    file.write_text(text)
    result = run("render", file)
    assert said in result.stderr
    assert result.stderr.count("\n") == 1
    assert (result.stdout, result.exit_code) == ("", 2)


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_deep_nesting_is_refused(opening: str, run: Run) -> None:
    result = run("render", input=opening * 100_000)
    assert result.stderr.startswith("<stdin>:1:")
    assert (result.stdout, result.exit_code) == ("", 2)


def test_alias_bomb_is_refused_in_a_second_and_a_hundred_megabytes() -> None:
    lines = ["name: a", "vars:", "  a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"  {b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    limits = "import resource as r; r.setrlimit(r.RLIMIT_CPU, (1, 1)); r.setrlimit(r.RLIMIT_DATA, (100 << 20,) * 2)"
    program = f"{limits}\nfrom kvmrender.cli.main import main\nmain(['render'])"
    done = subprocess.run(
        [sys.executable, "-c", program], input="\n".join(lines), capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.stderr == ("<stdin>:6:38: aliases stand for more than 10,000 values [file]\n")
    assert (done.stdout, done.returncode) == ("", 2)


@pytest.mark.parametrize(
    ("guest", "said"),
    [
        (
            {
                "cputune": {
                    "vcpusched": [{"vcpus": ["x"], "scheduler": "batch"}],
                    "vcpupin": [{"vcpu": 2, "cpuset": "0"}],
                }
            },
            [
                "cputune.vcpusched[0].vcpus: a list is not a string [schema]",
                "cputune.vcpupin[0].vcpu: note: 2 is not a vCPU: they are 0 to 1 [idle-pins]",
            ],
        ),
        (
            {"cputune": {"vcpupin": [{"vcpu": "x", "cpuset": "0"}]}, "graphics": ["vnc", "vnc"]},
            [
                "cputune.vcpupin[0].vcpu: 'x' is not a whole number [schema]",
                "graphics[1].type: vnc is taken by graphics[0] [displays]",
            ],
        ),
    ],
    ids=["in the same part", "elsewhere"],
)
def test_what_else_is_wrong_beside_a_fault_is_told_in_one_go(guest: dict[str, Any], said: list[str]) -> None:
    with pytest.raises(GuestError) as raised:
        Renderer().render({"name": "a", "vcpu": 2, **guest})
    assert str(raised.value).splitlines() == said


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({"bus": 1}, ": must have one of device and port"),
        ({"bus": 1, "device": 2, "port": 3}, ": must have one of device and port"),
        ({"bus": 1, "device": 0}, ".device: '0' is not a number from 1, such as 3 or 0x1f"),
    ],
)
def test_usb_interface_is_found_by_its_device_or_port(address: dict[str, int], said: str) -> None:
    source = {"vendor": "0x1234", "product": "0x5678", "address": address}
    with pytest.raises(GuestError) as raised:
        Renderer().render({"name": "a", "interfaces": [{"type": "hostdev", "source": source}]})
    assert str(raised.value) == f"interfaces[0].source.address{said} [schema]"


def test_defaults_of_ones_own_are_checked_too(tmp_path: Path) -> None:
    own = {"on_reboot": {"default": "destroy"}, "on_poweroff": {"default": "restart"}}
    (tmp_path / "guest.schema.yaml").write_text(json.dumps({"extends": "shipped/guest.schema.yaml", "properties": own}))
    with pytest.raises(GuestError) as raised:
        Renderer([str(tmp_path)]).render({"name": "a"})
    assert str(raised.value) == "on_reboot: destroy can't be combined with on_poweroff restart [power-actions]"
