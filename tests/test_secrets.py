"""Secrets are in the XML, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Run, find

import kvmrender
from kvmrender import GuestError, Renderer
from kvmrender.schema import Node, resolve
from kvmrender.secrets import is_secret, xml_masker

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
        if inner.get("secret"):
            found.add(path)
        if inner.get("type") == "array":
            inner, path = resolve(root, inner["items"]), (*path, 0)
        if len(path) < 8:
            found |= paths(root, inner, path)
    return found


def test_what_is_secret() -> None:
    """Passwords, keys and what opens something: a list to be looked at when the schema changes."""
    root = Renderer().schema.root
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
    assert xml_masker(Renderer().schema.root)(GRAPHICS.format(written)) == GRAPHICS.format(shown)


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
    assert xml_masker(Renderer().schema.root)(COOKIE.format(written)) == COOKIE.format(shown)


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
    masked = xml_masker(Renderer().schema.root)(f"<domain>\n{written}\n</domain>")
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
    assert xml_masker(Renderer().schema.root)(written) == f"# not shown: it {why}\n"


def test_name_of_other_fields_is_a_secret_in_its_own_element_only() -> None:
    root = {"properties": {"name": {}, "login": {"properties": {"name": {"secret": True}, "key": {"secret": True}}}}}
    xml = "<domain><name>a</name><site:login name='hunter2' key='hunter2'/><a name='b' key='hunter2'/></domain>"
    masked = "<domain><name>a</name><site:login name='***' key='***'/><a name='b' key='***'/></domain>"
    assert xml_masker(root)(xml) == masked
