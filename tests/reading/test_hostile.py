"""Hostile files give one clear line each, in bounded time and memory; what is not hostile in them arrives as it is."""

from __future__ import annotations

import inspect
import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from conftest import ROOT, Run, parse
from hostile import bounded, complaint

from kvmrender.reading.parse import RefusedError, from_json, from_yaml, positions

CORPUS = ROOT / "tests/fuzz/corpus"
SCHEMA = Path("/usr/share/libvirt/schemas/domain.rng")
GUESTS = sorted((CORPUS / "guest").iterdir())

KEY = "is not a known key ("
UTF_8 = "is not UTF-8: byte"
SURROGATE = "has half of a surrogate pair, which is not a character [schema]"
TEXT = "is not one line of text without control characters [schema]"
NAME = "is not a name: one line of text without '/' or control characters [schema]"
NINES = "9" * 40
RAW = "is not well-formed XML:"

SAID = {
    "alias-bomb-of-mappings.yaml": ":501:3: aliases stand for more than 100,000 values [file]",
    "alias-bomb.yaml": ":6:38: aliases stand for more than 10,000 values [file]",
    "alias-of-a-long-text.yaml": ":4:215: aliases stand for more than 1,048,576 characters [file]",
    "alias-inside-itself.yaml": ":2:14: alias *v has no anchor before it [file]",
    "alias-of-nothing.yaml": ":1:7: alias *nobody has no anchor before it [file]",
    "anchor-on-a-key-that-is-a-list.yaml": ":2:3: a key must be a string [file]",
    "beyond-unicode.yaml": ":1:10: is not YAML:",
    "bom-before-a-second-document.yaml": ":3:1: has a byte order mark in the wrong place [file]",
    "bom-before-a-second-line.jsonl": ":2:1: has a byte order mark in the wrong place [file]",
    "bom-twice.json": ":1:1: has a byte order mark in the wrong place [file]",
    "bom-twice.jsonl": ":1:1: has a byte order mark in the wrong place [file]",
    "bom-twice.yaml": ":1:1: has a byte order mark in the wrong place [file]",
    "bom-inside.yaml": ":2:1: has a byte order mark in the wrong place [file]",
    "control-characters.json": f":1:24: title: '\\x01\\x02\\x03…' {TEXT}",
    "date.yaml": ":3:7: vcpu: '2001-12-14' is not a whole number [schema]",
    "deep-blocks.yaml": ":1:129: is nested more than 64 deep [file]",
    "deep-lists.yaml": ":1:65: is nested more than 64 deep [file]",
    "deep-mappings.yaml": ":1:257: is nested more than 64 deep [file]",
    "deep.json": ":1:72: is nested more than 64 deep [file]",
    "directives-many.yaml": ":1:1: has more than 8 directives",
    "directive-of-the-future.yaml": ":1:1: is not YAML:",
    "empty.yaml": ":1:1: is empty: a guest is a mapping with at least a name [file]",
    "exponent.json": ":1:23: vcpu: '1e999' is not a whole number [schema]",
    "infinity.json": ": is not JSON: -Infinity is not a JSON number [file]",
    "key-given-twice.yaml": ":3:1: key 'vcpu' is given twice [file]",
    "key-of-1000-characters.yaml": f":2:1: {'k' * 79}…: {KEY}",
    "key-that-is-a-list.yaml": ":2:3: a key must be a string [file]",
    "key-that-is-a-mapping.yaml": ":2:3: a key must be a string [file]",
    "keys-that-are-no-words.yaml": f":2:1: 1: {KEY}",
    "latin-1.yaml": f":1:10: {UTF_8} 0xe9 at offset 9 [file]",
    "lines-end-early.jsonl": f":2:11: {UTF_8} 0xff at offset 10 [file]",
    "lines.jsonl": ":3:1: a guest is a mapping, not a list [schema]",
    "many-documents.yaml": ":2:1: is empty: a guest is a mapping with at least a name [file]",
    "many-unknown-keys.yaml": f":2:1: k0: {KEY}",
    "memory-of-5000-digits.yaml": f":2:9: memory: '{NINES}…' is not a size of memory: a whole number",
    "merge-key.yaml": f":3:3: <<: {KEY}",
    "names-of-languages.yaml": f":2:1: __proto__: {KEY}",
    "nan.json": ": is not JSON: NaN is not a JSON number [file]",
    "nan.yaml": ":2:7: vcpu: '.nan' is not a whole number [schema]",
    "negative-number-of-5000-digits.yaml": f":2:16: memory: '-{NINES}…' is not a whole number [schema]",
    "not-a-character.json": f":1:24: title: '\\ufffe\\uffff' {TEXT}",
    "not-closed.json": ":1:13: is not JSON:",
    "not-closed.yaml": ":2:1: is not YAML:",
    "nul-escaped.json": f":1:10: name: 'a\\x00b' {NAME}",
    "nul-escaped.yaml": f":2:8: title: 'a\\x00b' {TEXT}",
    "nul.json": ":1:12: is not JSON:",
    "nul.yaml": ":1:8: is not YAML: character U+0000 is not allowed in a file [file]",
    "number-of-5000-digits.json": f":1:23: vcpu: '{NINES}…' is not a whole number [schema]",
    "number-of-5000-digits.yaml": f":2:7: vcpu: '{NINES}…' is not a whole number [schema]",
    "overlong-utf-8.yaml": f":1:7: {UTF_8} 0xc0 at offset 6 [file]",
    "path-as-a-name.yaml": f":1:7: name: '../../etc/passwd' {NAME}",
    "surrogate-escaped.json": f":1:10: name: '\\ud800' {SURROGATE}",
    "surrogate-escaped.yaml": ":1:10: is not YAML:",
    "surrogate-in-raw-xml.json": ":1:35: extra.domain: …'half of a surrogate pair",
    "surrogate-key.json": ":1:1: \\ud800: is not a known key: keys are text [schema]",
    "surrogate.yaml": f":1:7: {UTF_8} 0xed at offset 6 [file]",
    "tag-binary.yaml": ":1:7: tag '!!binary' is not allowed here [file]",
    "tag-of-a-key.yaml": ":2:1: tag '!!int' is not allowed here [file]",
    "tag-of-a-key-that-makes-objects.yaml": ":2:3: tag '!!python/name:os.system' is not allowed here [file]",
    "tag-of-ones-own.yaml": ":3:7: tag 'tag:example.org,2000:name' is not allowed here [file]",
    "tag-python-verbatim.yaml": ":1:7: tag '!!python/object/new:subprocess.Popen' is not allowed here [file]",
    "tag-python.yaml": ":1:7: tag '!!python/object/apply:os.system' is not allowed here [file]",
    "tag-set.yaml": ":2:11: tag '!!set' is not allowed here [file]",
    "tag-timestamp.yaml": ":1:7: tag '!!timestamp' is not allowed here [file]",
    "utf-16-without-mark.yaml": ":1:2: is not YAML: character U+0000 is not allowed in a file [file]",
    "utf-16.yaml": f":1:1: {UTF_8} 0xff at offset 0 [file]",
    "utf-32.yaml": ":1:1: is not YAML: character U+0000 is not allowed in a file [file]",
    "white-space.yaml": ":1:2: is not YAML:",
    "xml-attribute-twice.json": f":1:35: extra.domain: {RAW}",
    "xml-attribute-without-quotes.json": f":1:35: extra.domain: {RAW}",
    "xml-billion-laughs.json": f":1:36: extra.devices: {RAW} it has a DTD at line 1, column 3 [raw-xml]",
    "xml-cdata-not-closed.json": f":1:35: extra.domain: {RAW}",
    "xml-comment-not-closed.json": f":1:35: extra.domain: {RAW}",
    "xml-comment-of-dashes.json": f":1:35: extra.domain: {RAW}",
    "xml-comment-over-the-end.json": f":1:36: extra.devices: {RAW}",
    "xml-comment-that-ends-oddly.json": f":1:35: extra.domain: {RAW}",
    "xml-control-character.json": f":1:35: extra.domain: {RAW}",
    "xml-declaration-after-space.json": f":1:35: extra.domain: {RAW}",
    "xml-declaration.json": f":1:35: extra.domain: {RAW}",
    "xml-dtd.json": f":1:35: extra.domain: {RAW} it has a DTD at line 1, column 3 [raw-xml]",
    "xml-end-of-cdata-alone.json": f":1:35: extra.domain: {RAW}",
    "xml-end-of-devices.json": f":1:36: extra.devices: {RAW}",
    "xml-end-of-its-parent.json": f":1:35: extra.domain: {RAW}",
    "xml-external-entity.json": f":1:27: metadata: {RAW} it has a DTD at line 1, column 3 [raw-xml]",
    "xml-less-than-in-an-attribute.json": f":1:35: extra.domain: {RAW}",
    "xml-nul.json": f":1:35: extra.domain: {RAW}",
    "xml-prefix-of-xmlns.json": f":1:35: extra.domain: {RAW}",
    "xml-reference-to-nul.json": f":1:35: extra.domain: {RAW}",
    "xml-reference-to-surrogate.json": f":1:35: extra.domain: {RAW}",
    "xml-tag-not-closed.json": f":1:35: extra.domain: {RAW}",
    "xml-undeclared-prefix-of-an-attribute.json": f":1:27: metadata: {RAW}",
    "xml-undeclared-prefix.json": f":1:35: extra.domain: {RAW}",
    "xml-undefined-entity.json": f":1:35: extra.domain: {RAW}",
}  # fmt: skip
"""What is said of each file of the corpus, up to an ellipsis and what comes before its closing quote."""

TAKEN = {
    "anchor-on-a-key.yaml": ("title", "name"),
    "bom-in-text.yaml": ("title", "\ufeffb"),
    "bom.yaml": ("name", "a"),
    "dot-dot-as-a-name.yaml": ("name", ".."),
    "names-of-languages-in-vars.yaml": ("name", "a"),
    "surrogate-in-vars.json": ("name", "a"),
    "template-as-a-name.yaml": ("name", "{{ 7 * 7 }}{% include x %}{# #}"),
    "xml-bom.json": ("name", "a"),
    "xml-cdata-at-the-top.json": ("name", "a"),
    "xml-cdata.json": ("a", "</a></domain><b>&amp;"),
    "xml-deep.json": ("metadata/a/a/a", None),
    "xml-parameter-entity.json": ("a", "%b;"),
    "xml-processing-instruction.json": ("a", None),
    "xml-text-alone.json": ("name", "a"),
}
"""Files of the corpus that look hostile and are not, with an element and its text."""


@pytest.mark.parametrize("file", GUESTS, ids=lambda file: file.name)
def test_hostile_file(file: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    result = run("render", file.name)
    if file.name in TAKEN:
        path, text = TAKEN[file.name]
        told = [line for line in result.stderr.splitlines() if ": note: " not in line]
        assert (result.exit_code, told) == (0, [])
        element = parse(result.stdout).find(path)
        assert element is not None
        assert element.text == text
        return
    assert (result.exit_code, result.stdout) == (2, "")
    first, _, rest = result.stderr.partition("\n")
    expected, _, tail = SAID[file.name].partition("…'")
    assert first.startswith(f"{file.name}{expected}"), first
    assert tail in first
    for line in (first, *rest.splitlines()):
        assert line.startswith((file.name, "and "))
        assert line.isprintable()
        assert len(line) < 1000


def test_every_file_of_the_corpus_is_told_of() -> None:
    assert {file.name for file in GUESTS} == SAID.keys() | TAKEN.keys()
    assert not SAID.keys() & TAKEN.keys()


@pytest.mark.parametrize("place", ["metadata", "domain", "devices"])
@pytest.mark.parametrize("file", [file for file in GUESTS if file.name[:4] == "xml-"], ids=lambda file: file.stem)
def test_raw_xml_is_held_to_the_same_everywhere(file: Path, place: str, run: Run) -> None:
    """It is refused, or comes after what is there without it, of which nothing changes."""
    guest = json.loads(file.read_text())
    fragment = guest.get("metadata") or "".join(guest["extra"].values())
    given = {"metadata": fragment} if place == "metadata" else {"extra": {place: fragment}}
    result = run("render", input=json.dumps({"name": "a", **given}))
    if file.name in SAID:
        said = SAID[file.name].partition(RAW)[2] if RAW in SAID[file.name] else "half of a surrogate pair"
        assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
        assert f"{'metadata' if place == 'metadata' else f'extra.{place}'}: {RAW}{said}" in result.stderr
        return
    assert result.exit_code == 0
    found, bare = parse(result.stdout), parse(run("render", input='{"name": "a"}').stdout)
    if place == "metadata":
        ElementTree.SubElement(bare, "metadata")
    holder, same = (next(root.iter(place)) for root in (found, bare))
    for added in list(holder)[len(same) :]:
        holder.remove(added)
    holder.text = same.text
    assert sorted(map(elements, found)) == sorted(map(elements, bare))


def elements(root: ElementTree.Element) -> list[tuple[str, dict[str, str], str]]:
    """Return all that an element has, but for the text between elements."""
    return [(one.tag, one.attrib, "" if len(one) else (one.text or "").strip()) for one in root.iter()]


@pytest.mark.parametrize("command", ["context", "graph", "validate"])
def test_other_commands_read_hostile_files_too(command: str, run: Run) -> None:
    if command == "validate" and not SCHEMA.exists():
        pytest.skip(f"needs {SCHEMA}: apt-get install libvirt0")
    for file in GUESTS:
        result = run(command, file)
        assert result.exit_code in (0, 2)
        told = [line for line in result.stderr.splitlines() if ": note: " not in line]
        assert bool(told) == (result.exit_code == 2), file
        assert file.name in TAKEN or result.exit_code == 2


DEEP = 100_000


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "{", "!!seq [", "&a [", "- - "])
def test_yaml_nested_deep(opening: str) -> None:
    said = complaint(bounded("render", input=opening.encode() * DEEP))
    assert "is nested more than 64 deep [file]" in said or "a key must be a string [file]" in said


class GivesUpEarly(yaml.Loader):
    """A parser with a limit of its own, that looks ahead: from the hundredth bracket on it gives no events."""

    def fetch_flow_collection_start(self, kind: Any) -> None:
        if self.flow_level == 100:
            raise yaml.scanner.ScannerError(None, None, "too deep for me", self.get_mark())
        super().fetch_flow_collection_start(kind)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("parser", [yaml.Loader, yaml.CLoader, GivesUpEarly], ids=["Python", "libyaml", "early"])
@pytest.mark.parametrize("opening", ["[", '{"a": ', "- ", "[\n", "[*b, "])
def test_limit_of_nesting_is_ours_whatever_the_parser_allows(
    parser: Any, opening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kvmrender.reading.parse._Parser", parser)
    with pytest.raises(RefusedError) as raised:
        from_yaml("&b a\n---\n" * ("*" in opening) + opening * 1000)
    expected = "is nested more than 64 deep" if "*" not in opening else "alias *b has no anchor before it"
    assert raised.value.message == expected
    assert raised.value.position is not None
    assert positions(opening * 1000)


@pytest.mark.parametrize("limit", [100, 10_000])
def test_limit_of_nesting_is_ours_whatever_python_allows(limit: int) -> None:
    text = '[{"a": "]"}, ' * 500
    for said in (text, text + "1" + "]" * 500):
        before = sys.getrecursionlimit()
        sys.setrecursionlimit(limit + len(inspect.stack()))
        try:
            with pytest.raises(RefusedError) as raised:
                from_json(said)
        finally:
            sys.setrecursionlimit(before)
        assert (raised.value.message, raised.value.position) == ("is nested more than 64 deep", (1, 63 * 13 + 2))


@pytest.mark.parametrize("name", ["g.json", "g.jsonl", "g.yaml", "g"])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ("[", "")])
def test_json_nested_deep(name: str, opening: str, closing: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(f'{{"name": {opening * DEEP}1{closing * DEEP}}}')
    assert "is nested more than 64 deep [file]" in complaint(bounded("render", name, cwd=tmp_path))


def test_setting_and_defaults_nested_deep(tmp_path: Path) -> None:
    (tmp_path / "d.yaml").write_text("[" * DEEP)
    said = complaint(bounded("render", "--defaults", "d.yaml", input=b"name: a", cwd=tmp_path))
    assert said == "d.yaml:1:65: is nested more than 64 deep [file]"
    said = complaint(bounded("render", "--set", f"vars={'[' * DEEP}", input=b"name: a"))
    assert said == f"--set vars={'[' * 79}…: the value is nested more than 64 deep [set]"
    for step in (".a", "[0]"):
        said = complaint(bounded("render", "--set", f"vars{step * 30_000}=1", input=b"name: a"))
        assert said.startswith("--set vars")
        assert said.endswith("…=…: is a path of more than 64 steps [set]")


def test_bytes_of_the_command_line_that_are_no_text() -> None:
    half = "has half of a surrogate pair, which is not a character"
    assert complaint(bounded("render", "--set", b"title=\xff", input=b"name: a")).endswith(f"the value {half} [set]")
    assert f"{half} [schema]" in complaint(bounded("render", "--namespace", b"\xff", input=b"name: a"))
    assert complaint(bounded("render", b"\xff.yaml")) == "\\udcff.yaml: No such file or directory [file]"
    said = "--select \\udcff: no guest has such a name, of 1 [select]"
    assert complaint(bounded("render", "--select", b"\xff", input=b"name: a")) == said


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ("graphics[0].passwd=hunter2 is too long", "graphics[0].passwd=***"),
        ("graphics[0]={type: vnc, passwd: hunter2 is too long}", "graphics[0]=***"),
        ("graphics[0]={type: vnc, passwd: hunter2, x: 1}", "graphics[0]=***"),
        ("graphics=[{type: vnc, passwd: hunter2, x: 1}]", "graphics=***"),
        ("graphics={type: vnc, passwd: [hunter2]}", "graphics=***"),
        ("graphics[0].passwd={hunter2", "graphics[0].passwd=***"),
        ("graphics[0].passwd=*hunter2", "graphics[0].passwd=***"),
        ("graphics[0].passwd=!hunter2 a", "graphics[0].passwd=***"),
        ("graphics[0].passwd={hunter2: a, hunter2: b}", "graphics[0].passwd=***"),
        ("graphics[0].pasword=hunter2", "graphics[0].pasword=…"),
        ("graphics[x].passwd=hunter2", "***"),
    ],
)
def test_secret_of_a_setting_is_not_shown(setting: str, shown: str, run: Run) -> None:
    result = run("render", "--set", setting, input="name: a\ngraphics: {type: vnc}\n")
    assert result.exit_code == 2
    assert result.stderr.startswith(f"--set {shown}: ")
    assert "hunter2" not in result.stderr


@pytest.mark.parametrize(
    ("guest", "said"),
    [
        (b"disks:\n- &a {" + b", ".join(b"x%d: 1" % n for n in range(999)) + b"}\n" + b"- *a\n" * 500, "aliases"),
        (b"".join(b"k%d: &anchor%d a\n" % (n, n) for n in range(100_000)) + b"z: *anchr\n", "has no anchor before it"),
        (b"...\n" + b"".join(b"%%TAG !%d! a\n" % n for n in range(60_000)) + b"---\n{}\n", "more than 8 directives"),
        (b"disks:\n" + b"- {}\n" * 20_000, "disks[0].source: is missing"),
        (b"disks: [" + b"1," * 20_000 + b"]\n", "disks[0]: 1 is not a mapping"),
        (b"disks: [" + b"null," * 300_000 + b"]\n", "disks[0]: null is not a mapping [schema]"),
        (b"qemu:commandline: {qemu:arg: [" + b"{value: a}, " * 35_000 + b"{}," * 35_000 + b"]}\n",
         "qemu:commandline.qemu:arg[35000].value: is missing"),
        (b"qemu:commandline: {qemu:arg: [" + b"{value: a}, " * 20_000 + b"{}, " + b"{value: a}, " * 40_000 + b"]}\n",
         "has more than 30,000 list items: problems after these are not listed"),
        (b"".join(b"k%d: 1\n" % n for n in range(20_000)), "has 1,000 or more problems: only the first are listed"),
        (b"interfaces:\n" + b"- {source: br0, mac: 52:54:00:00:00:01}\n" * 5000, "is taken by interfaces[0]"),
        (b"memory: '1" + b" " * 200_000 + b"x'\n", "is not a size of memory"),
        (b"cputune: {vcpupin: [{vcpu: 0, cpuset: '0-99999999999999'}]}\n", "is not a set of numbers"),
        (b"cpu: {numa: {cell: [{id: 0, cpus: 0-16000, memory: 524288}]}}\n", "7, … and 16000 is not a vCPU"),
        (b"vcpu: {text: 1, cpuset: '" + b"1," * 50_000 + b"x'}\n", "is not a set of numbers"),
    ],
    ids=["aliases", "anchors", "directives", "disks", "no disks", "nothing", "arguments", "one of many", "keys",
         "addresses", "spaces", "range", "cells",
         "set"],
)  # fmt: skip
def test_much_of_what_is_wrong_takes_no_time(guest: bytes, said: str) -> None:
    done = bounded("render", "-j1", input=b"name: a\n" + guest)
    assert done.returncode == (0 if b"interfaces" in guest else 2), done.stderr[-1000:]  # one address twice is a note
    lines = done.stderr.decode().splitlines()
    assert len(lines) <= 101
    assert any(said in line for line in lines)
    assert all(len(line) < 1000 for line in lines)


def test_thousands_of_settings_take_no_time() -> None:
    settings = [part for number in range(20_000) for part in ("--set", f"vars.k{number}=1")]
    done = bounded("context", *settings, input=b"name: a\n")
    assert done.returncode == 0, done.stderr[-1000:]
    assert b"\n  k19999: 1\n" in done.stdout


def test_thousands_of_values_that_no_template_uses_take_no_time(tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/disk.xml.j2").write_text('<disk type="{{ device.type }}"/>\n')
    guest = b"name: a\ndisks:\n" + b"- {source: /a.qcow2, readonly: true}\n" * 10_000
    done = bounded("render", "--strict", "-j1", "--templates", tmp_path.as_posix(), input=guest)
    assert done.returncode == 2
    assert b"disks[0].source: was given, but " in done.stderr, done.stderr[-1000:]


def test_huge_text_of_an_unknown_key_is_refused(tmp_path: Path) -> None:
    for where, said in (("{…}", "nmae: is not a known key"), ('{"disks": [{…}]}', "disks[0].nmae: is not a known key")):
        for size in (30_000_000, 60_000_000):
            (tmp_path / "g.json").write_text(where.replace("…", f'"nmae": "{"x" * size}"'))
            done = bounded("render", "g.json", cwd=tmp_path)
            assert (done.returncode, done.stdout) == (2, b""), done.stderr[-1000:]
            assert said in done.stderr.decode() or size == 60_000_000  # memory may be too little to find its line


def test_many_disks_are_named_in_no_time() -> None:
    done = bounded("render", "-j1", input=b"name: a\ndisks:\n" + b"- {source: /a.qcow2, readonly: true}\n" * 10_000)
    assert done.returncode == 0, done.stderr[-1000:]
    assert b'<target dev="vdntp" bus="virtio"/>' in done.stdout


@pytest.mark.parametrize("code", [*range(0x20), 0x7F, 0x85, 0xFFFE, 0xFFFF, 0x2028, 0xFEFF, 0x10FFFF])
def test_every_control_character(code: int, run: Run) -> None:
    """It comes back from a parser as it was, or is refused with its place; what XML has no form for is refused."""
    escape = f"\\u{code:04x}" if code < 0x10000 else chr(code)
    for field in ("description", "title"):
        result = run("render", input=f'{{"name": "a", "{field}": "b{escape}c"}}')
        if result.exit_code:
            assert result.stderr.startswith(f"<stdin>:1:{19 + len(field)}: {field}: 'b")
            assert result.stderr.count("\n") == 1
        else:
            assert code in (9, 10, 13) or 0x20 <= code < 0xFFFE or code > 0xFFFF
            assert ElementTree.fromstring(result.stdout).findtext(field) == f"b{chr(code)}c"


def test_hostile_values_from_python() -> None:
    """A guest that no file can say: it is refused too, and nothing but Error is raised."""
    import kvmrender

    for value in (float("nan"), float("inf"), 10**5000, b"a", {1}, object(), {1: 2}, {None: 1}, "\ud800", [[]], 1j):
        for key in ("name", "vcpu", "memory", "title", "disks", "features", "zzz"):
            with pytest.raises(kvmrender.GuestError) as raised:
                kvmrender.render({"name": "a", key: value})
            assert str(raised.value).isprintable() or "\n" in str(raised.value)
