"""Secrets are in the XML, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Run, find

import kvmrender
from kvmrender import GuestError, renderer_of
from kvmrender.engine import Engine
from kvmrender.look.live_results import Looker
from kvmrender.look.preview.answers import Answers
from kvmrender.schema.guest_schema import Node, resolve
from kvmrender.schema.secrets import Secrets, is_secret, secret_finder, xml_masker

SECRET = "hunter2"


def test_secret_is_in_the_xml() -> None:
    guest = {"name": "a", "graphics": {"type": "vnc", "passwd": SECRET}}
    assert find(kvmrender.render(guest), "devices/graphics").attrib["passwd"] == SECRET


def test_secret_is_not_in_the_context_command(run: Run) -> None:
    text = run("context", input=f"name: a\ngraphics: {{type: spice, passwd: {SECRET}}}\n").stdout
    assert SECRET not in text
    assert "passwd: '***'" in text


@pytest.mark.parametrize(
    "passwd",
    [f"{SECRET}\x01", f"{SECRET} that is too long for VNC", [SECRET], {"a": SECRET}, f"{SECRET}\ud800"],
    ids=["character", "length", "list", "mapping", "surrogate"],
)
def test_secret_is_not_in_an_error(passwd: Any) -> None:
    with pytest.raises(GuestError) as raised:
        kvmrender.render({"name": "a", "graphics": {"type": "vnc", "passwd": passwd}})
    assert SECRET not in str(raised.value)
    assert str(raised.value).startswith("graphics[0].passwd: ***")


def paths(root: Node, node: Node, above: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    found: set[tuple[str | int, ...]] = set()
    for name, child in node.get("properties", {}).items():
        inner, path = resolve(root, child), (*above, name)
        if inner.get("writeOnly"):
            found.add(path)
        if inner.get("type") == "array":
            inner, path = resolve(root, inner["items"]), (*path, 0)
        if len(path) < 8:
            found |= paths(root, inner, path)
    return found


def test_what_is_secret() -> None:
    """Passwords, keys and what opens something: a list to be looked at when the schema changes."""
    root = Engine().schema.root
    found = paths(root, root)
    assert {".".join(str(step) for step in path if step != 0) for path in found} >= {
        "graphics.passwd",
        "launchSecurity.dhCert",
        "launchSecurity.session",
        "disks.source.cookies.cookie.text",
    }
    assert all(is_secret(root, path) for path in found)
    assert not is_secret(root, ("name",))


GRAPHICS = '<domain><devices>\n  <graphics type="vnc"{} listen="a"/>\n</devices></domain>\n'
COOKIE = '<domain><cookies>\n  <cookie name="sid">{}</cookie>\n  <cookie name="b"/>\n</cookies></domain>\n'


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (' passwd="hunter2"', ' passwd="***"'),
        (" passwd='hunter2'", " passwd='***'"),
        ("\tpasswd\n = \n'hunter2' a='b'", "\tpasswd\n = \n'***' a='b'"),
        (" passwd='hunter2\nhunter2'", " passwd='***\n***'"),
        (" a='>' passwd='hun>ter2/>&quot;hunter2'", " a='>' passwd='***'"),
        (" ö:passwd='hunter2' ü='ü'", " ö:passwd='***' ü='ü'"),
        (" passwd=''", " passwd='***'"),
        (" xmlpasswd='passwd'", " xmlpasswd='passwd'"),
    ],
)
def test_attribute_is_masked_however_it_is_written(written: str, shown: str) -> None:
    assert xml_masker(Engine().schema.root)(GRAPHICS.format(written)) == GRAPHICS.format(shown)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("hunter2", "***"),
        ("\n    hunter2\n    hunter2\n  ", "\n    ***\n    ***\n  "),
        ("<![CDATA[hunter2]]>", "***"),
        ("hun<![CDATA[hun]]>ter2", "***"),
        ("<!-- a comment -->hunter2", "***"),
        ("<!-- hunter2 -->", "***"),
        ("<?a hunter2?>", "***"),
        ("h&#117;nter2 &amp; hunter2", "***"),
        ("<value>hunter2</value>", "***"),
        ('<value is="hunter2"/>', "***"),
        ("<cookie>hunter2</cookie>hunter2", "***"),
        ("", ""),
    ],
)
def test_element_is_masked_however_it_is_written(written: str, shown: str) -> None:
    assert xml_masker(Engine().schema.root)(COOKIE.format(written)) == COOKIE.format(shown)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("<!-- <graphics passwd='hunter2'/> -->", "<!--***-->"),
        ("<?old passwd hunter2?>", "<?old***?>"),
        ("<a><![CDATA[<graphics passwd='hunter2'/>]]></a>", "<a>***</a>"),
        ("<a>&lt;graphics passwd='hunter2'/></a>", "<a>***</a>"),
        ("<a b='&lt;graphics passwd=\"hunter2\"/>'/>", "<a b='***'/>"),
        ("<!-- what the session is for -->", "<!--***-->"),
        ("<!-- sessions -->", "<!-- sessions -->"),
        ("<a>the session's</a>", "<a>the session's</a>"),
    ],
)
def test_what_may_hold_a_secret_is_masked_too(written: str, shown: str) -> None:
    masked = xml_masker(Engine().schema.root)(f"<domain>\n{written}\n</domain>")
    assert masked.replace("*** ", "***").replace(" ***", "***") == f"<domain>\n{shown}\n</domain>"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("<domain>\n<graphics passwd='hunter2'></domain>", "is not well-formed XML (line 2)"),
        ("<graphics passwd=hunter2/>", "is not well-formed XML (line 1)"),
        ("hunter2", "is not well-formed XML (line 1)"),
        ("<a>\x00h\x00u\x00n</a>", "is not well-formed XML (line 1)"),
        ("<!DOCTYPE a [<!ENTITY b 'hunter2'>]><graphics passwd='&b;'/>", "has a DTD"),
        ("<a>\udc80hunter2</a>", "is not UTF-8"),
    ],
)
def test_what_can_not_be_parsed_is_not_shown(written: str, why: str) -> None:
    assert xml_masker(Engine().schema.root)(written) == f"# not shown: it {why}\n"


def test_name_of_other_fields_is_a_secret_in_its_own_element_only() -> None:
    root = {
        "properties": {"name": {}, "login": {"properties": {"name": {"writeOnly": True}, "key": {"writeOnly": True}}}}
    }
    xml = "<domain><name>a</name><site:login name='hunter2' key='hunter2'/><a name='b' key='hunter2'/></domain>"
    masked = "<domain><name>a</name><site:login name='***' key='***'/><a name='b' key='***'/></domain>"
    assert xml_masker(root)(xml) == masked


MARK = "hunter2"
SPELLINGS = {
    "plain": MARK,
    "single": f"'{MARK}'",
    "double": f'"{MARK}"',
    "block": f"|\n    {MARK}",
    "number": f"{MARK}1",
    "json": f'["{MARK}"]',
    "mapping": f"{{{MARK}: {MARK}}}",
    "mapping of keys": f"{{{MARK}}}",
    "key twice": f"{{{MARK}: 1, {MARK}: 2}}",
    "tag": f"!{MARK}",
    "tag of yaml": f"!!{MARK} a",
    "tag of a mapping": f"!{MARK} {{a: b}}",
    "alias": f"*{MARK}",
    "anchor": f"&{MARK} [{MARK}]",
    "escape": f'"{MARK}\\q"',
    "control character": f'"{MARK}\\x01"',
    "bracket": f"[{MARK}",
}
PLACES = {
    "graphics": "graphics:\n  type: vnc\n  passwd: {}\n",
    "a list of graphics": "graphics:\n- type: spice\n  passwd: {}\n",
    "session": "launchSecurity:\n  type: sev\n  session: {}\n",
    "key of the owner": "launchSecurity:\n  type: sev\n  dhCert: {}\n",
    "cookies": "disks:\n- source:\n   protocol: https\n   cookies: {}\n",
    "cookie": "disks:\n- source:\n   protocol: https\n   cookies:\n    cookie: {}\n",
    "cookie's text": "disks:\n- source:\n   protocol: https\n   cookies:\n    cookie:\n     name: a\n     text: {}\n",
}
MISTAKES = ["", "memroy: 1\n", "vcpu: many\n", "audios: [{type: none, id: 1}, {type: none, id: 1}]\n", "name: b\n"]


def told(run: Run, tmp_path: Path, text: str, ending: str = "yaml") -> str:
    """Return all that commands say of a guest, but its XML."""
    file, out = tmp_path / f"guest.{ending}", tmp_path / "out"
    out.mkdir(exist_ok=True)
    (out / "a.xml").write_text(f"<domain><graphics passwd = '{MARK}'/></domain>")
    file.write_text(text)
    found = []
    for arguments in (
        ["context", file],
        ["graph", file],
        ["render", "-v", "--check", "--diff", "-o", out, file],
        ["render", "--strict", "--report", "json", "--check", "--diff", "-o", out, file, file],
        ["render", "--defaults", file, "--set", "vcpu=many", file],
    ):
        result = run(*arguments)
        found.append(
            result.stderr if arguments[0] == "render" and "-o" not in arguments else (result.stdout + result.stderr)
        )
    return "\n".join(found)


@pytest.mark.parametrize("mistake", MISTAKES, ids=["none", "unknown key", "wrong type", "check", "key twice"])
@pytest.mark.parametrize("place", PLACES)
def test_no_command_tells_a_secret_however_it_is_written(place: str, mistake: str, run: Run, tmp_path: Path) -> None:
    spellings = SPELLINGS if not mistake else {name: SPELLINGS[name] for name in ("plain", "tag", "mapping")}
    for name, spelling in spellings.items():
        said = told(run, tmp_path, f"name: a\n{PLACES[place].format(spelling)}{mistake}")
        assert MARK not in said, (name, next(line for line in said.splitlines() if MARK in line))


RAW = {
    "double": f'<graphics passwd="{MARK}"/>',
    "single": f"<graphics passwd = '{MARK}'/>",
    "cdata": f"<cookie><![CDATA[{MARK}]]></cookie>",
    "comment": f"<session><!-- a -->{MARK}</session>",
    "reference": f"<dhCert>&#104;{MARK}</dhCert>",
    "entity": f"<graphics passwd='&{MARK};'/>",
    "no quotes": f"<graphics passwd={MARK}/>",
    "not closed": f"<session><{MARK}></session>",
}


@pytest.mark.parametrize("written", RAW.values(), ids=list(RAW))
def test_no_command_tells_a_secret_in_raw_xml(written: str, run: Run, tmp_path: Path) -> None:
    for guest in (
        {"extra": {"devices": written}},
        {"extra": {"devices": written, "domain": 5}},
        {"extra": written},
        {"extra": [written]},
        {"metadata": written},
        {"metadata": {"a": written}},
        {"description": [written]},
        {"graphics": {"type": written}},
    ):
        assert MARK not in told(run, tmp_path, json.dumps({"name": "a", **guest}), "json"), guest


@pytest.mark.parametrize(
    "setting",
    [
        f"graphics[0].passwd=[{MARK}",
        f"graphics[0].passwd=*{MARK}",
        f"graphics[0].passwd=!{MARK}",
        f"graphics[0].passwd={{{MARK}: 1}}",
        f"graphics[0].passwd {MARK}",
        f"graphics[0].passwd:{MARK}",
        f"graphics[0].passwd.{MARK}",
        f"graphics[0].passwd[{MARK}]=a",
        f"graphics=[{{type: 5, passwd: {MARK}}}]",
        f"graphics[0]={{type: vnc, passwd: {MARK}, x: 1}}",
        f"graphics[0]={{type: vnc, passwd: {MARK}",
        f"disks[0].source.cookies={MARK}",
        f"extra.devices=<graphics passwd='{MARK}'",
        f"extra=<graphics passwd='{MARK}'/>",
        f"metadata=<session>{MARK}</session",
    ],
)
def test_no_setting_tells_a_secret(setting: str, run: Run) -> None:
    result = run("render", "--set", setting, input="name: a\ndisks: [{source: /a.raw}]\n")
    assert result.exit_code == 2
    assert MARK not in (result.stdout + result.stderr)


@pytest.mark.parametrize("value", [f"{{login: {{name: {MARK}}}, x: 1}}", f"{{login: {{name: {MARK}", f"[{MARK}]"])
def test_no_setting_tells_a_secret_that_has_a_name_of_others(value: str, run: Run, tmp_path: Path) -> None:
    described = {"description": "A thing."}
    login = {**described, "type": "object", "properties": {"name": {**described, "writeOnly": True}}}
    rack = {**described, "type": "object", "properties": {"size": described, "login": login}}
    for node in (login, rack):
        node["additionalProperties"] = False
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"rack": rack}}
    (tmp_path / "guest.schema.yaml").write_text(json.dumps(part))
    result = run("render", "--templates", tmp_path, "--set", f"rack={value}", input="name: a\n")
    assert result.exit_code == 2
    assert "--set rack=***: " in result.stderr
    assert MARK not in (result.stdout + result.stderr)


@pytest.mark.parametrize(
    "mistake",
    ["{{ {}[device.passwd] }}", "{{ device.passwd.a.b }}", "<{{ device.passwd }}>", "<a b={{ device.passwd }}>"],
)
def test_no_template_tells_a_secret(mistake: str, run: Run, tmp_path: Path) -> None:
    part = tmp_path / "site" / "devices" / "graphics.xml.j2"
    part.parent.mkdir(parents=True)
    part.write_text(f"    <graphics passwd='{MARK}' type='vnc'>{mistake}\n    </graphics>\n")
    (tmp_path / "a.yaml").write_text(f"name: a\ngraphics: {{type: vnc, passwd: {MARK}}}\n")
    for arguments in (["render"], ["templates", "check", "--guest"]):
        result = run(*arguments, tmp_path / "a.yaml", "--templates", tmp_path / "site")
        assert result.exit_code in (1, 2)
        assert MARK not in (result.stdout + result.stderr)
        assert "graphics.xml.j2:1" in (result.stdout + result.stderr)


PASSED = {
    "a text": "<description>{{ graphics[0].passwd }}</description>",
    "a text with more": "<description>of {{ graphics[0].passwd }}!</description>",
    "an attribute": "<metadata><s:a xmlns:s='s' b='{{ graphics[0].passwd }}'/></metadata>",
    "a comment": "<!-- {{ graphics[0].passwd }} -->",
    "a reference": "<description>&#104;{{ graphics[0].passwd[1:] }}</description>",
    "a section": "<description><![CDATA[{{ graphics[0].passwd }}]]></description>",
    "an argument": "<a><b c='-x=pw={{ graphics[0].passwd }},y'/></a>",
}


@pytest.mark.parametrize("has_own", [True, False], ids=["also in its place", "elsewhere alone"])
@pytest.mark.parametrize("passed", PASSED.values(), ids=PASSED)
def test_secret_that_a_template_writes_elsewhere_is_not_shown(
    passed: str, has_own: bool, run: Run, tmp_path: Path
) -> None:
    place = "<devices><graphics passwd='{{ graphics[0].passwd }}'/></devices>" if has_own else ""
    (tmp_path / "site").mkdir()
    (tmp_path / "site/amd64.xml.j2").write_text(f"<domain>\n<name>a</name>\n{passed}\n{place}\n</domain>\n")
    guest, out = tmp_path / "a.yaml", tmp_path / "out"
    guest.write_text(f"name: a\ngraphics: {{type: vnc, passwd: {MARK}}}\n")
    own = ("--templates", tmp_path / "site")
    new = run("render", *own, "-o", out, "--diff", guest)
    assert MARK in (out / "a.xml").read_text().replace("&#104;", "h")
    assert (out / "a.xml").stat().st_mode & 0o777 == 0o640
    guest.write_text(f"name: a\ngraphics: {{type: vnc, passwd: {MARK}b}}\n")
    changed = run("render", *own, "-o", out, "--check", "--diff", guest)
    checked = run("validate", *own, guest)
    for result in (new, changed, checked):
        assert MARK not in result.stdout + result.stderr
    assert "only secrets differ" in changed.stdout
    renderer = renderer_of((str(tmp_path / "site"),))
    found = renderer.result({"name": "a", "graphics": [{"type": "vnc", "passwd": MARK}]})
    assert MARK not in renderer.masker(found)(found.xml)
    look = Looker((str(tmp_path / "site"),), (str(guest),), {})
    shown = Answers(look, example=False, show_secrets=False).render({"texts": {}})
    assert "***" in shown["xml"]
    assert MARK not in json.dumps(shown)


def test_short_secret_is_known_elsewhere_as_a_word_of_its_own() -> None:
    xml = Secrets(Engine().schema.root).xml
    assert xml.masker(["ab"])("<a b='ab' c='abc'>x ab y</a>") == "<a b='***' c='abc'>***</a>"
    assert xml.masker([""])("<a b=''>x</a>") == "<a b=''>x</a>"


def test_secret_is_known_at_its_own_place_alone_where_no_template_is_of_ones_own(run: Run, tmp_path: Path) -> None:
    """Its mask elsewhere would tell what it is."""
    text = "name: a\ntitle: virtio\ngraphics: {type: vnc, passwd: virtio}\n"
    result = run("render", "-o", tmp_path / "out", "--check", "--diff", input=text)
    assert "<title>virtio</title>" in result.stdout
    assert 'passwd="***"' in result.stdout


@pytest.mark.parametrize(
    "written",
    [
        f"<graphics type='x' passwd='{MARK}'/>",
        f"<graphics type='vnc' passwd='{MARK}' a='b'/>",
        f"<graphics type='vnc' passwd='&{MARK};'/>",
        f"<graphics type='vnc' passwd={MARK}/>",
        f"<session>{MARK}<{MARK}></session>",
    ],
)
def test_validate_tells_no_secret(written: str, run: Run, tmp_path: Path) -> None:
    pytest.importorskip("lxml")
    if not Path("/usr/share/libvirt/schemas/domain.rng").exists():
        pytest.skip("needs libvirt's schema")
    file = tmp_path / "a.xml"
    file.write_text(f"<domain type='kvm'><name>a</name><memory>1</memory><devices>{written}</devices></domain>")
    result = run("validate", file)
    assert result.exit_code == 2
    assert MARK not in (result.stdout + result.stderr)


def test_secret_of_any_item_of_a_list_is_found() -> None:
    root = Engine().schema.root
    has_secret = secret_finder(root)
    for number in range(3):
        graphics = [{"type": "vnc"}, {"type": "spice"}, {"type": "sdl"}]
        graphics[number]["passwd"] = MARK
        assert has_secret({"graphics": graphics})
    assert not has_secret({"graphics": [{"type": "vnc"}]})
    assert has_secret({"name": "a"}, f"<domain><graphics passwd='{MARK}'/></domain>")
    assert not has_secret({"name": "a"}, "<domain><name>passwd</name></domain>")
    of_shipped = secret_finder(root, is_shipped=True)
    for guest in ({"metadata": "<a/>"}, {"extra": {"devices": "<a/>"}}):
        assert of_shipped(guest, f"<domain><graphics passwd='{MARK}'/></domain>")
