"""One guest, as Ansible and Salt have it: from its variables or from a file."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from kvmrender import Error, GuestError, LimitError, TemplateError, render, renderer_of
from kvmrender.engine import MOST_ENGINES, current_engine
from kvmrender.plugins.salt.guests import folders, one
from kvmrender.plugins.single_guest import from_file, from_text, from_values

SECRET = {"name": "a", "graphics": [{"type": "vnc", "passwd": "sesame1"}]}


@pytest.fixture
def site(tmp_path: Path) -> str:
    """A folder of templates of which one says what it is."""
    folder = tmp_path / "site/domain"
    folder.mkdir(parents=True)
    text = (ROOT / "templates/domain/vcpu.xml.j2").read_text()
    (folder / "vcpu.xml.j2").write_text(text.replace("<vcpu", "<!-- of the site -->\n  <vcpu"))
    return str(tmp_path / "site")


def test_values(site: str) -> None:
    found = from_values({"name": "a"})
    assert (found.context["name"], found.xml, found.has_secret) == ("a", render({"name": "a"}), False)
    assert from_values(SECRET).has_secret
    raw = "<graphics type='vnc' passwd='sesame1'/>"
    assert from_values({"name": "a", "extra": {"devices": raw}}).has_secret
    assert from_values(
        {"name": "a", "disks": [{"source": "/a.qcow2"}], "graphics": [{"type": "spice"}, *SECRET["graphics"]]}
    ).has_secret
    assert "<!-- of the site -->" in from_values({"name": "a"}, [site]).xml
    assert from_values({"name": "a"}, namespace="north").xml == render({"name": "a", "namespace": "north"})
    own = {"name": "a", "namespace": "south"}
    assert from_values(own, namespace="north").xml == render(own)
    with pytest.raises(GuestError, match="mapping"):
        from_values(["a"], namespace="north")
    with pytest.raises(TemplateError):
        from_values({"name": "a"}, ["nowhere"])


def test_templates_of_now_are_used(site: str) -> None:
    """A minion and a worker live for long."""
    template = Path(site, "domain/vcpu.xml.j2")
    assert "<!-- of the site -->" in from_values({"name": "a"}, [site]).xml
    template.write_text(template.read_text().replace("of the site", "of a site"))  # as long as it was
    assert "<!-- of a site -->" in from_values({"name": "a"}, [site]).xml
    engine = current_engine((site,), isolated=True)
    assert current_engine((site,), isolated=True) is engine  # made once, as long as nothing changes
    part = Path(site, "guest.schema.yaml")
    rack = {"description": "A rack.", "type": "string", "writeOnly": True}
    part.write_text(json.dumps({"extends": "shipped/guest.schema.yaml", "properties": {"rack": rack}}))
    assert from_values({"name": "a", "rack": "r1"}, [site]).has_secret
    part.write_text("{")
    with pytest.raises(TemplateError, match="is not YAML"):
        from_values({"name": "a"}, [site])
    part.unlink()
    template.unlink()
    assert from_values({"name": "a"}, [site]).xml == render({"name": "a"})


def test_shipped_templates_of_now_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an editable installation, they are what somebody edits."""
    shipped = shutil.copytree(ROOT / "templates", tmp_path / "templates")
    for module in ("engine", "templating.stack"):
        monkeypatch.setattr(f"kvmrender.{module}.shipped_templates", lambda: shipped)
    assert from_values({"name": "a"}).xml == render({"name": "a"})
    template = shipped / "domain/vcpu.xml.j2"
    template.write_text(template.read_text().replace("<vcpu", "<!-- edited -->\n  <vcpu"))
    assert "<!-- edited -->" in from_values({"name": "a"}).xml
    monkeypatch.undo()
    assert from_values({"name": "a"}).xml == render({"name": "a"})


def test_folder_of_the_same_name_elsewhere_is_another_one(
    site: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere/site").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert "<!-- of the site -->" in from_values({"name": "a"}, ["site"]).xml
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert from_values({"name": "a"}, ["site"]).xml == render({"name": "a"})


def test_template_that_takes_all_memory_is_told_and_the_next_guest_goes_on(site: str) -> None:
    template = Path(site, "domain/vcpu.xml.j2")
    template.write_text("  <vcpu>{% if title is defined %}{{ 'x' * 9000000000 }}{% endif %}1</vcpu>\n")
    with pytest.raises(LimitError, match=r"vcpu\.xml\.j2:1: .*\(guest 'a'"):
        from_values({"name": "a", "title": "heavy"}, [site])
    assert "<vcpu>1</vcpu>" in from_values({"name": "b"}, [site]).xml


def test_engines_of_templates_as_they_were_are_dropped(site: str) -> None:
    engines = []
    for number in range(3):
        Path(site, "domain/vcpu.xml.j2").write_text(f"<vcpu>{number}</vcpu>\n")
        assert f"<vcpu>{number}</vcpu>" in from_values({"name": "a"}, [site]).xml
        engines.append(weakref.ref(current_engine((site,), isolated=True)))
    gc.collect()
    assert [engine() is None for engine in engines] == [True, True, False]


def test_engines_of_few_sets_of_folders_are_kept(site: str) -> None:
    first = weakref.ref(current_engine((site,), isolated=True))
    for number in range(1, MOST_ENGINES + 1):
        current_engine((site,) * (number + 1), isolated=True)
    gc.collect()
    assert first() is None


def test_secrets_are_masked_by_the_schema_of_the_templates(site: str) -> None:
    xml = from_values(SECRET, [site]).xml
    assert 'passwd="sesame1"' in xml
    for templates in ((), (site,)):
        assert renderer_of(templates).masker()(xml) == xml.replace("sesame1", "***")


def test_file(site: str, tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("name: a\n")
    assert from_file(str(file)).xml == render({"name": "a"})
    assert from_file(str(file), "a").xml == render({"name": "a"})
    assert from_file(str(file), namespace="north").xml == render({"name": "a", "namespace": "north"})
    assert "<!-- of the site -->" in from_file(str(file), templates=[site]).xml
    file.write_text("name: a\nmemroy: 1\n")
    with pytest.raises(GuestError) as raised:
        from_file(str(file))
    assert str(raised.value) == f"{file}:2:1: memroy: is not a known key (did you mean 'memory'?) [schema]"
    file.write_text("name: [\n")
    with pytest.raises(GuestError, match=f"^{file}:2:1: is not YAML"):
        from_file(str(file))


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("guests: [{name: a}, {name: b}]\n", None, "holds 2 guests: say which by its name (a or b)"),
        ("guests: [{name: web-1}]\n", "wob-1", "holds no guests with the name 'wob-1' (did you mean 'web-1'?)"),
        ("guests: [{name: a}, {name: a}]\n", "a", "holds 2 guests with the name 'a'"),
        ("guests: [{name: a}, {memory: 1}]\n", None, "holds 2 guests: say which by its name (a)"),
        ("guests: [{memory: 1}, 1]\n", None, "holds 2 guests: say which by its name"),
        (
            "guests: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}]\n",
            None,
            "holds 5 guests: say which by its name (a, b, c, d or e)",
        ),
        (
            "guests: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}]\n",
            None,
            "holds 6 guests: say which by its name (a, b, c, d, e or …)",
        ),
    ],
)
def test_one_of_several_is_asked_for_by_its_name(text: str, name: str | None, said: str, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text(text)
    with pytest.raises(GuestError) as raised:
        from_file(str(file), name)
    assert str(raised.value) == f"{file}: {said} [file]"


def test_one_of_several_is_found_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("guests: [{name: a}, {name: b, title: the other}]\n")
    found = from_file(str(file), "b")
    assert (found.context["name"], found.xml) == ("b", render({"name": "b", "title": "the other"}))


def test_text() -> None:
    assert from_text("salt://a", "name: a\n").xml == render({"name": "a"})
    with pytest.raises(GuestError, match=r"^salt://a:2:1: memroy: is not a known key"):
        from_text("salt://a", "name: a\nmemroy: 1\n")
    with pytest.raises(GuestError, match=r"^salt://a: holds 2 guests: say which by its name \(a or b\) \[file\]$"):
        from_text("salt://a", "name: a\n---\nname: b\n")


def test_folders_of_templates() -> None:
    assert [folders(given) for given in (None, [], "a", ["a", "b"])] == [(), (), ("a",), ("a", "b")]


def test_a_guest_of_salt(site: str, tmp_path: Path) -> None:
    def cached(url: str) -> Any:
        return {"salt://fleet.yaml": str(file)}.get(url, False)

    file = tmp_path / "fleet.yaml"
    file.write_text("guests: [{name: a}, {name: b}]\n")
    named = render({"name": "b", "namespace": "north"}).replace("  <vcpu", "  <!-- of the site -->\n  <vcpu")
    for guest in ("salt://fleet.yaml", str(file)):
        assert one(guest, "b", site, "north", cached).xml == named
    assert one({"name": "b"}, None, [site], "north", cached).xml == named
    with pytest.raises(Error, match=r"^salt://gone\.yaml: is not on the file server$"):
        one("salt://gone.yaml", None, None, None, cached)
