"""Secrets are in the XML, and nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from conftest import Run, find

import kvmrender
from kvmrender import GuestError, Renderer
from kvmrender.schema import Node, resolve
from kvmrender.secrets import is_secret

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
