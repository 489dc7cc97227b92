"""The public face: what Python callers and plug-ins use."""

from __future__ import annotations

import dataclasses
import pickle
from pathlib import Path

import pytest

import kvmrender

WELL = {"name": "a", "disks": [{"source": "/a.qcow2"}]}
SECRET = {"name": "s", "graphics": [{"type": "vnc", "passwd": "sesame1"}]}


def test_all_of_it_is_there_and_listed() -> None:
    for name in (
        "Renderer",
        "render",
        "load",
        "render_fleet",
        "Result",
        "Problem",
        "Error",
        "GuestError",
        "LimitError",
    ):
        assert getattr(kvmrender, name).__doc__
        assert name in dir(kvmrender)
    with pytest.raises(AttributeError, match="rendr"):
        kvmrender.rendr  # noqa: B018


def test_problem_is_a_frozen_dataclass() -> None:
    with pytest.raises(kvmrender.GuestError) as raised:
        kvmrender.render({**WELL, "vcpu": 0})
    (problem,) = raised.value.problems
    assert isinstance(problem, kvmrender.Problem)
    assert dataclasses.asdict(problem)["path"] == ("vcpu", "text")
    assert dataclasses.replace(problem, line=3) == problem.at(None, None).__class__(
        problem.path, problem.message, line=3
    )
    assert pickle.loads(pickle.dumps(problem)) == problem
    with pytest.raises(dataclasses.FrozenInstanceError):
        problem.line = 1  # type: ignore[misc]


def test_result_has_text_context_problems_and_whether_there_is_a_secret() -> None:
    renderer = kvmrender.Renderer()
    assert renderer.result(WELL) == (renderer.render(WELL), renderer.context(WELL), (), False)
    assert renderer.result(SECRET).has_secret
    wrong = renderer.result({**WELL, "vcpu": 0, "memroy": 1})
    assert (wrong.xml, wrong.context) == ("", {})
    assert sorted(map(str, wrong.problems)) == [
        "memroy: is not a known key (did you mean 'memory'?) [schema]",
        "vcpu: 0 is less than 1 [schema]",
    ]


def test_secrets_are_masked() -> None:
    renderer = kvmrender.Renderer()
    result = renderer.result(SECRET)
    for shown in (renderer.masker()(result.xml), renderer.masker(result)(result.xml)):
        assert shown == result.xml.replace("sesame1", "***")
    assert renderer.masked_context(result.context)["graphics"][0]["passwd"] == "***"
    assert renderer.without_secrets("libvirt: sesame1 is short", result) == "libvirt: *** is short"


def test_templates_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "domain").mkdir()
    (tmp_path / "domain/vcpu.xml.j2").write_text("  <vcpu>7</vcpu>\n")
    assert "<vcpu>7</vcpu>" in kvmrender.render(WELL, templates=[tmp_path])
    (tmp_path / "domain/vcpu.xml.j2").write_text("  <vcpu>8</vcpu>\n")
    assert "<vcpu>8</vcpu>" in kvmrender.render(WELL, [tmp_path])
    assert "<vcpu>8</vcpu>" in kvmrender.renderer_of([tmp_path]).render(WELL)


def test_loaded_guests_know_their_places(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("defaults: {memory: 1 GiB}\nguests:\n- name: a\n- name: b\n  vcpu: 0\n")
    first, second = kvmrender.load(file, settings=["title=t"])
    assert first.guest == {"name": "a", "memory": "1 GiB", "title": "t"}
    problems = kvmrender.Renderer().result(second.guest).problems
    assert [*map(str, second.located(problems))] == [f"{file}:5:9: vcpu: 0 is less than 1 [schema]"]
    assert [one.guest for one in kvmrender.load("x.json", data=b'{"name": "c"}')] == [{"name": "c"}]
    with pytest.raises(kvmrender.GuestError, match="No such file"):
        kvmrender.load(tmp_path / "none.yaml")
    with pytest.raises(kvmrender.GuestError, match="is not a known key"):
        kvmrender.load(file, settings=["titel=t"])


def test_fleet_is_rendered_or_written(tmp_path: Path) -> None:
    file = tmp_path / "f.yaml"
    file.write_text("guests: [{name: a}, {name: b}]\n")
    assert [(one.name, one.text) for one in kvmrender.render_fleet([str(file)])] == [
        (name, kvmrender.render({"name": name})) for name in "ab"
    ]
    written = kvmrender.render_fleet([str(file)], tmp_path / "out", select=["b"])
    assert [(one.name, one.status) for one in written] == [("b", "created")]
    assert [path.name for path in (tmp_path / "out").glob("*.xml")] == ["b.xml"]
    seen: list[str] = []
    assert (
        kvmrender.render_fleet([str(file)], tmp_path / "out", check=True, each=lambda one: seen.append(one.status))
        == []
    )
    assert seen == ["created", "unchanged"]
    assert not (tmp_path / "out/a.xml").exists()
    file.write_text("guests: [{name: a}, {name: b, vcpu: 0}]\n")
    with pytest.raises(kvmrender.GuestError, match=r"f\.yaml:1:\d+: vcpu: 0 is less than 1"):
        kvmrender.render_fleet([str(file)], tmp_path / "new")
    assert [*(tmp_path / "new").glob("*.xml")] == []


def test_one_file_folder_or_setting_needs_no_list(tmp_path: Path) -> None:
    file, over, site = tmp_path / "f.yaml", tmp_path / "over.yaml", tmp_path / "site"
    file.write_text("name: a\n")
    over.write_text("memory: 1 GiB\n")
    site.mkdir()
    (site / "domain.xml.j2").write_text("<domain><name>{{ memory.text }} {{ vcpu.text }}</name></domain>\n")
    for one in (file, str(file), [file], iter([str(file)])):
        (rendered,) = kvmrender.render_fleet(one, templates=site, defaults=over, settings="vcpu=3", select="a")
        assert rendered.text == "<domain><name>1024 3</name></domain>\n"
    for renderer in (kvmrender.Renderer(site), kvmrender.Renderer(str(site)), kvmrender.renderer_of(site)):
        assert (
            renderer.render({"name": "a"})
            == kvmrender.render({"name": "a"}, str(site))
            == "<domain><name>512 1</name></domain>\n"
        )
    for guest in ({"name": "a"}, [{"name": "a"}]):  # which render takes
        with pytest.raises(TypeError, match="not dict"):
            kvmrender.render_fleet(guest)  # type: ignore[arg-type,list-item]


def test_clashes_of_guests_in_memory() -> None:
    said = [str(problem) for problem in kvmrender.clashes([WELL, {**WELL, "name": "b"}])]
    assert len(said) == 1
    assert "'/a.qcow2'" in said[0]
    assert kvmrender.clashes([WELL, {**WELL, "name": "b"}], allow_shared=["/a*"]) == []
