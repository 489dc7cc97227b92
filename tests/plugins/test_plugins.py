"""What the plug-ins of Ansible, Salt and Dask do themselves: their functions, called as these call them.

These need none of the three; tests/plugins/test_ansible.py, test_salt.py and test_shards.py have the real ones.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import kvmrender.plugins.dask
from ansible_collections.kvmrender.libvirt.plugins.filter.clashes import FilterModule as Clashes
from ansible_collections.kvmrender.libvirt.plugins.filter.domain_xml import FilterModule as DomainXml
from ansible_collections.kvmrender.libvirt.plugins.plugin_utils import guests, results
from kvmrender import Error, GuestError, Result, file_mode, render, renderer_of
from kvmrender.plugins.salt.modules import kvmrender_guests as salt_module
from kvmrender.plugins.salt.renderers import kvmrender_guests as salt_renderer
from kvmrender.plugins.salt.states import kvmrender_guests as salt_state

SECRET = {"name": "a", "graphics": [{"type": "vnc", "passwd": "s3cret"}]}
RACKED = {"name": "a", "rack": {"door": "hunter2"}, "disks": [{"source": "/a.qcow2"}]}
MISTAKE = r"memroy: is not a known key \(did you mean 'memory'\?\) \[schema\]"

clashes = Clashes().filters()["clashes"]
domain_xml = DomainXml().filters()["domain_xml"]


@pytest.fixture
def site(tmp_path: Path) -> str:
    """A folder of templates with a field of its own, which is a secret."""
    folder = tmp_path / "site"
    folder.mkdir()
    door = {"description": "The code of its door.", "type": "string", "writeOnly": True}
    rack = {
        "description": "A rack.",
        "type": "object",
        "properties": {"door": door},
        "additionalProperties": False,
    }
    part = {"extends": "shipped/guest.schema.yaml", "properties": {"rack": rack}}
    (folder / "guest.schema.yaml").write_text(json.dumps(part))
    (folder / "domain.xml.j2").write_text(
        '{% extends "shipped/domain.xml.j2" %}\n{% block metadata %}{% if rack is defined %}\n'
        '  <metadata>\n    <s:rack xmlns:s="urn:s" door="{{ rack.door }}"/>\n  </metadata>\n{% endif %}{% endblock %}\n'
    )
    return str(folder)


@pytest.fixture
def heavy(tmp_path: Path) -> str:
    """A folder of templates of which one takes all memory, if a guest has a title."""
    folder = tmp_path / "heavy/domain"
    folder.mkdir(parents=True)
    text = "  <vcpu>{% if title is defined %}{{ 'x' * 9000000000 }}{% endif %}1</vcpu>\n"
    (folder / "vcpu.xml.j2").write_text(text)
    return str(folder.parent)


# Ansible


def test_filter_renders(site: str) -> None:
    assert domain_xml({"name": "a"}, namespace="north") == render({"name": "a", "namespace": "north"})
    assert 'door="hunter2"' in domain_xml(RACKED, templates=site) == domain_xml(RACKED, templates=[site])
    with pytest.raises(Exception, match=f"^{MISTAKE}$"):
        domain_xml({"name": "a", "memroy": 1})
    with pytest.raises(Exception, match="nowhere: is not a template folder"):
        domain_xml({"name": "a"}, templates="nowhere")


def test_clashes_of_guests_with_fields_of_one_s_own(site: str) -> None:
    other = {**RACKED, "name": "b"}
    with pytest.raises(Exception, match="rack: is not a known key"):
        clashes([RACKED, other])
    for templates in (site, [site]):
        (told,) = clashes([RACKED, other], templates=templates)
        assert "'/a.qcow2', which guest 'b' writes to, is written by 'a' too" in told
    assert clashes([RACKED, other], ["/a*"], templates=site) == []
    with pytest.raises(Exception, match=f"^{MISTAKE}$"):
        clashes([{"name": "b", "memroy": 1}], templates=site)
    with pytest.raises(Exception, match="nowhere: is not a template folder"):
        clashes([], templates="nowhere")


def test_namespace_of_clashes() -> None:
    same = [{"name": "a", "uuid": str(guests.one.from_values({"name": "b"}, namespace="n").context["uuid"])}]
    assert clashes([*same, {"name": "b"}]) == []
    assert "uuid" in clashes([*same, {"name": "b"}], namespace="n")[0]


def test_limit_of_a_template_fails_one_guest_of_ansible(heavy: str) -> None:
    with pytest.raises(Exception, match=r"vcpu\.xml\.j2:1: .*\(guest 'a'"):
        domain_xml({"name": "a", "title": "x"}, templates=heavy)
    assert "<vcpu>1</vcpu>" in domain_xml({"name": "a"}, templates=heavy)


def test_values_lose_what_ansible_adds_to_them() -> None:
    class Text(str):
        __slots__ = ()

    found = guests.plain({Text("a"): (Text("b"), True, None, 1, 1.5)})
    assert found == {"a": ["b", True, None, 1, 1.5]}
    assert {type(key) for key in found} == {type(found["a"][0])} == {str}


@pytest.mark.parametrize("kind", [str, str.encode])
def test_differences_of_ansible_are_masked(kind: Callable[[str], Any]) -> None:
    old, new = render(SECRET).replace('"', "'"), render({**SECRET, "memory": "1 GiB"})
    result = {"diff": [{"before": kind(old), "after": kind(new), "after_header": "/tmp/x"}, {"prepared": ""}]}
    results.hide(result, renderer_of(), "a.xml", Result(new, {}))
    diff = result["diff"][0]
    assert "s3cret" not in str(result)
    assert "***" in diff["before"]
    assert "***" in diff["after"]
    assert diff["after_header"] == "a.xml"
    other = {"diff": {"before": kind(render(SECRET)), "after": kind(render(SECRET).replace("s3cret", "hidden"))}}
    results.hide(other, renderer_of(), "a.xml", Result(new, {}))
    assert other["diff"]["after"].removeprefix(other["diff"]["before"]) == "# only secrets differ\n"


@pytest.mark.parametrize("name", ["a$HOME", "a${HOME}b$PATH", "$HOME$HOME", "$HOMEb", "a$", "a$$HOME", "$1", "${a b}"])
def test_names_are_as_they_were_however_often_they_are_expanded(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in results.unexpanded(name).items():
        monkeypatch.setenv(variable, value)
    assert os.path.expandvars(name) == os.path.expandvars(os.path.expandvars(name)) == name


def test_messages_of_ansible_are_masked() -> None:
    xml = render({"name": "a", "graphics": [{"type": "vnc", "passwd": "a<b&'c"}]})
    said = f"failed to validate: {xml}, or a<b&'c"
    result = {"msg": said, "stderr": said, "stderr_lines": [said], "dest": "/a.xml", "stdout": None}
    results.hide(result, renderer_of(), "a.xml", Result(xml, {}))
    assert "b&" not in str(result)
    assert result["msg"].endswith(", or ***")
    assert result["dest"] == "/a.xml"


@pytest.mark.parametrize(
    ("there", "secret", "mode"),
    [
        (None, False, 0o644),
        (None, True, 0o640),
        (0o644, False, None),
        (0o644, True, 0o640),
        (0o4755, True, 0o640),
        (0o600, True, None),
        (0o440, True, None),
    ],
)
def test_mode_of_a_file(there: int | None, secret: bool, mode: int | None) -> None:
    assert file_mode(there, secret) == mode


# Salt


@pytest.fixture
def salt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, Any]]:
    """What the states hand on to ``file.managed``, which writes the file and tells the difference."""
    calls: list[dict[str, Any]] = []

    def managed(name: str, contents: str, mode: str | None, **options: Any) -> dict[str, Any]:
        calls.append({"name": name, "contents": contents, "mode": mode, **options})
        path = Path(name)
        changes = {"diff": f"-{path.read_text()}+{contents}"} if path.exists() else {"newfile": contents}
        path.write_text(contents)
        path.chmod(int(mode or f"{path.stat().st_mode & 0o7777:o}", 8))
        return {"name": name, "changes": changes, "result": True, "comment": ""}

    def cached(url: str, saltenv: str) -> Any:
        return str(tmp_path / url.removeprefix("salt://")) if saltenv == "base" else False

    for module in (salt_module, salt_state):
        monkeypatch.setattr(module, "__salt__", {"cp.cache_file": cached}, raising=False)
    monkeypatch.setattr(salt_state, "__states__", {"file.managed": managed}, raising=False)
    return calls


def test_salt_renders(salt: list[Any], site: str, tmp_path: Path) -> None:
    assert {module.__virtual__() for module in (salt_module, salt_state, salt_renderer)} == {"kvmrender"}
    assert salt_module.render({"name": "a"}, namespace="north") == render({"name": "a", "namespace": "north"})
    (tmp_path / "fleet.yaml").write_text("guests: [{name: a}, {name: b, mac_prefix: 02}]\n")
    assert salt_module.render("salt://fleet.yaml", "a") == render({"name": "a"})
    assert 'door="hunter2"' in salt_module.render(RACKED, templates=site)
    with pytest.raises(Error, match="is not on the file server"):
        salt_module.render("salt://fleet.yaml", "a", saltenv="other")
    with pytest.raises(Error, match=MISTAKE):
        salt_module.render({"name": "a", "memroy": 1})


def test_context_of_salt_has_no_secrets(salt: list[Any], site: str) -> None:
    assert salt_module.context(SECRET)["graphics"][0]["passwd"] == "***"
    found = salt_module.context(RACKED, templates=site)
    assert found["rack"] == {"door": "***"}


def test_renderer_of_salt() -> None:
    text = "name: a\ninterfaces: [{source: br0, mac: 52:54:00:12:34:56}]\n"
    assert '<mac address="52:54:00:12:34:56"/>' in salt_renderer.render(text)
    assert salt_renderer.render({"name": "a"}) == render({"name": "a"})
    with (Path(os.devnull)).open() as empty, pytest.raises(Error):
        salt_renderer.render(empty)
    with pytest.raises(Error, match=f"^guests/a:2:1: {MISTAKE}"):
        salt_renderer.render("name: a\nmemroy: 1\n", sls="guests/a")


def test_state_of_salt_masks_what_changes(salt: list[dict[str, Any]], site: str, tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    for guest, templates, secret in ((SECRET, None, "s3cret"), (RACKED, site, "hunter2")):
        file.unlink(missing_ok=True)
        first = salt_state.guest_file(str(file), guest, templates=templates)
        assert secret in file.read_text()
        assert secret not in str(first)
        assert "***" in first["changes"]["newfile"]
        second = salt_state.guest_file(str(file), {**guest, "memory": "1 GiB"}, templates=templates)
        assert secret not in str(second)
        assert second["changes"]["diff"]
        assert [call["mode"] for call in salt] == ["0640", None]
        salt.clear()


@pytest.mark.parametrize(
    "old",
    [
        "<domain><devices><graphics type='vnc' passwd='s3cret'/></devices></domain>\n",
        '<domain><devices><graphics passwd = "s3cret"/></devices></domain>\n',
        "<domain><graphics passwd='s3cret'></domain>\n",
    ],
    ids=["single quotes", "spaces", "not well-formed"],
)
def test_old_file_of_another_is_masked_too(old: str, salt: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_text(old)
    found = salt_state.guest_file(str(file), {"name": "a"})
    assert found["changes"]["diff"].endswith("+</domain>\n")
    assert "s3cret" not in str(found)


def test_old_file_that_is_huge_is_not_read(salt: list[Any], tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.touch()
    os.truncate(file, 50 << 30)
    assert salt_state._text(str(file)) is None


def test_comment_of_salt_is_masked(salt: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = {"changes": {}, "result": False, "comment": "check_cmd said: passwd s3cret is too short"}
    monkeypatch.setattr(salt_state, "__states__", {"file.managed": lambda *_, **__: failed})
    comment = salt_state.guest_file(str(tmp_path / "a.xml"), SECRET)["comment"]
    assert comment == "check_cmd said: passwd *** is too short"


def test_state_of_salt_keeps_secrets_from_others(salt: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    salt_state.guest_file(str(file), {"name": "a"}, user="libvirt", makedirs=True)
    assert (salt[0]["mode"], salt[0]["user"], salt[0]["makedirs"]) == ("0644", "libvirt", True)
    salt_state.guest_file(str(file), SECRET)
    assert file.stat().st_mode & 0o777 == 0o640
    salt_state.guest_file(str(file), SECRET, mode="0604")
    assert file.stat().st_mode & 0o777 == 0o604  # as it was asked for


def test_state_of_salt_fails_for_a_guest_with_mistakes(salt: list[dict[str, Any]], tmp_path: Path) -> None:
    found = salt_state.guest_file(str(tmp_path / "a.xml"), {"name": "a", "memroy": 1})
    assert (found["result"], found["changes"], salt) == (False, {}, [])
    assert found["comment"] == "memroy: is not a known key (did you mean 'memory'?) [schema]"


def test_limit_of_a_template_fails_one_state_of_salt(salt: list[Any], heavy: str, tmp_path: Path) -> None:
    found = salt_state.guest_file(str(tmp_path / "a.xml"), {"name": "a", "title": "x"}, templates=heavy)
    assert found["result"] is False
    assert "vcpu.xml.j2:1: " in found["comment"]
    assert "(guest 'a'" in found["comment"]
    assert salt_state.guest_file(str(tmp_path / "a.xml"), {"name": "a"}, templates=heavy)["result"]


# Dask


class Client:
    """Does at once, here, what Dask's client has its workers do."""

    def map(self, function: Callable[..., Any], *parts: Any, pure: bool = True, **options: Any) -> list[Any]:
        return [function(*each, **options) for each in zip(*parts, strict=True)]

    def submit(self, function: Callable[..., Any], *given: Any, pure: bool = True) -> Any:
        return function(*given)

    def gather(self, futures: Any) -> Any:
        return futures


def test_dask_hands_on_its_options_and_keeps_secrets_from_others(site: str, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text(json.dumps(RACKED) + "\n")
    (tmp_path / "two.jsonl").write_text('{"name": "b"}\n')
    shards = [str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl")]
    done = kvmrender.plugins.dask.render(Client(), shards, str(tmp_path / "out"), namespace="north", templates=(site,))
    assert done == {"created": 2}
    one, two = tmp_path / "out/one/a.xml", tmp_path / "out/two/b.xml"
    assert (one.stat().st_mode & 0o777, two.stat().st_mode & 0o777) == (0o640, 0o644)
    assert two.read_text() == render({"name": "b", "namespace": "north"})
    assert 'door="hunter2"' in one.read_text()


def test_limit_of_a_template_is_a_problem_of_one_guest_of_dask(heavy: str, tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text('{"name": "a", "title": "x"}\n{"name": "b", "memroy": 1}\n')
    with pytest.raises(GuestError) as raised:
        kvmrender.plugins.dask.render(
            Client(), [str(tmp_path / "one.jsonl")], str(tmp_path / "out"), templates=(heavy,)
        )
    limit, mistake = raised.value.problems
    assert str(limit).startswith(f"{tmp_path}/one.jsonl:1")
    assert "vcpu.xml.j2:1: " in str(limit)
    assert str(mistake).startswith(f"{tmp_path}/one.jsonl:2")


def test_dask_writes_nothing_where_anything_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "one.jsonl").write_text('{"name": "a"}\n')
    (tmp_path / "two.jsonl").write_text('{"name": "a"}\n{"name": "b", "memroy": 1}\n')
    shards = [str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl")]
    with pytest.raises(GuestError) as raised:
        kvmrender.plugins.dask.render(Client(), shards, str(tmp_path / "out"))
    assert {problem.file for problem in raised.value.problems} == {shards[1]}
    assert len(raised.value.problems) == 2
    assert not (tmp_path / "out").exists()
    with pytest.raises(Error, match="is the folder of two shards"):
        kvmrender.plugins.dask.render(Client(), shards[:1] * 2, str(tmp_path / "out"))
