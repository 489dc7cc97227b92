"""What ``watch`` and ``preview`` tell, without a terminal or a browser: guests while they and templates are edited."""

from __future__ import annotations

import gc
import http.client
import json
import shutil
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from jinja2 import Environment
from terminals import PATIENCE

import kvmrender.look.changed_files
from kvmrender import Error, render
from kvmrender.look.changed_files import Follower
from kvmrender.look.live_results import Looker
from kvmrender.look.preview.answers import EXAMPLE_GUEST, Answers, BadRequestError
from kvmrender.look.preview.server import Preview, serve
from kvmrender.look.watch import Teller
from kvmrender.shipped import shipped_templates
from kvmrender.templating.stack import Stack

GUEST = "name: web-1\nmemory: 1 GiB\n"
MORE_MEMORY = GUEST.replace("1 GiB", "2 GiB")
SECRET = "graphics:\n- {type: vnc, passwd: sesame1}\n"
BAD = {
    "file": "web-1.yaml",
    "line": 2,
    "column": 1,
    "id": "schema",
    "level": "error",
    "message": "memroy: is not a known key (did you mean 'memory'?) [schema]",
    "said": "web-1.yaml:2:1: memroy: is not a known key (did you mean 'memory'?) [schema]",
}

needs_watchfiles = pytest.mark.skipif(not find_spec("watchfiles"), reason="needs watchfiles: pip install '.[watch]'")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "web-1.yaml").write_text(GUEST)
    return tmp_path


def looker(*files: str, templates: tuple[str, ...] = (), **layers: Any) -> Looker:
    return Looker(templates, files or ("web-1.yaml",), layers)


def answers(*files: str, show_secrets: bool = False, **more: Any) -> Answers:
    return Answers(looker(*files, **more), example=False, show_secrets=show_secrets)


def asked(before: str | None = None, guest: str | None = None, **texts: str) -> dict[str, Any]:
    """What the page asks; ``web_1`` is the text of web-1.yaml."""
    named = {f"{name.replace('_', '-')}.yaml": text for name, text in texts.items()}
    return {"texts": named, "guest": guest, "before": before}


@pytest.mark.usefixtures("folder")
def test_lines_have_their_templates() -> None:
    answer = answers().render(asked())
    assert answer["xml"] == render({"name": "web-1", "memory": "1 GiB"})
    assert [line for line, _, _ in answer["lines"]] == answer["xml"].splitlines()
    assert answer["lines"][0] == ('<domain type="kvm">', "domain.xml.j2", 2)
    assert {template for _, template, _ in answer["lines"]} >= {"domain/vcpu.xml.j2", "devices/console.xml.j2"}
    assert ["".join(word for _, word in words) for words in answer["colours"]] == answer["xml"].splitlines()
    assert {**answer, "xml": "", "lines": [], "colours": []} == {
        "guests": ["web-1"],
        "guest": "web-1",
        "lines": [],
        "xml": "",
        "colours": [],
        "diff": [],
        "problems": [],
        "more": 0,
    }


@pytest.mark.usefixtures("folder")
def test_a_line_of_a_template_of_ones_own_leads_to_it(folder: Path, run: Run) -> None:
    (folder / "site").mkdir()
    run("templates", "copy", "domain/vcpu.xml.j2", "site")
    answer = answers(templates=("site",)).render(asked())
    (place,) = [place for line, *place in answer["lines"] if "<vcpu>" in line]
    assert place == ["site/domain/vcpu.xml.j2", 2]


@pytest.mark.usefixtures("folder")
def test_what_is_edited_is_shown_as_a_difference_and_not_written() -> None:
    answering = answers()
    before = answering.render(asked())["xml"]
    answer = answering.render(asked(before, web_1=MORE_MEMORY))
    assert 'unit="MiB">2048<' in answer["xml"]
    assert answer["diff"][0].startswith("@@ -1,")
    assert [line for line in answer["diff"] if line[0] in "-+"] == [
        '-  <memory unit="MiB">1024</memory>',
        '-  <currentMemory unit="MiB">1024</currentMemory>',
        '+  <memory unit="MiB">2048</memory>',
        '+  <currentMemory unit="MiB">2048</currentMemory>',
    ]
    assert answering.render(asked(before))["diff"] == []
    assert Path("web-1.yaml").read_text() == GUEST


@pytest.mark.usefixtures("folder")
def test_a_problem_has_its_place() -> None:
    answer = answers().render(asked(web_1="name: web-1\nmemroy: 1\n"))
    assert answer == {"guests": [], "guest": None, "lines": [], "diff": [], "problems": [BAD], "more": 0}


@pytest.mark.usefixtures("folder")
def test_a_problem_of_a_file_that_is_not_shown_has_no_place_on_the_page() -> None:
    Path("site.yaml").write_text("vcpu: many\n")
    (problem,) = answers(defaults=("site.yaml",)).render(asked())["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("site.yaml", None, None)
    assert problem["said"].startswith("site.yaml:1:7: vcpu: ")
    (problem,) = answers(settings=("vcpu=many",)).render(asked())["problems"]
    assert (problem["line"], problem["column"]) == (None, None)


@pytest.mark.usefixtures("folder")
def test_more_problems_than_are_told_are_counted() -> None:
    fleet = "".join(f"- {{name: g{number}, memroy: 1}}\n" for number in range(600))
    answer = answers().render(asked(web_1=f"guests:\n{fleet}"))
    assert [problem["line"] for problem in answer["problems"]] == [*range(2, 102), None]
    assert answer["more"] == 400  # of the first 500 guests; that those after them are left out is always told


@pytest.mark.usefixtures("folder")
def test_a_guest_of_several_is_asked_for() -> None:
    Path("fleet.yaml").write_text("guests: [{name: db-1}, {name: db-2}]\n")
    answering = answers("web-1.yaml", "fleet.yaml")
    first = answering.render(asked())
    assert (first["guests"], first["guest"]) == (["web-1", "db-1", "db-2"], "web-1")
    wanted = answering.render(asked(guest="db-2"))
    assert (wanted["guest"], "<name>db-2</name>" in wanted["xml"]) == ("db-2", True)
    assert answering.render(asked(guest="db-3"))["guest"] == "web-1"
    only = answering.render(asked(guest="web-1", web_1="name: [\n"))
    assert (only["guests"], only["guest"], len(only["problems"])) == (["db-1", "db-2"], "db-1", 1)
    edited = answering.render(asked(guest="db-1", fleet="guests: [{name: db-1, title: new}]\n"))
    assert "<title>new</title>" in edited["xml"]


@pytest.mark.usefixtures("folder")
def test_files_of_guests_are_told_to_who_asks_for_them() -> None:
    Path("fleet.yaml").write_text("guests: [{name: a}, {name: b, vcpu: x}, {name: c}]\n")
    answering = answers("fleet.yaml", "web-1.yaml")
    for texts in ({}, {"web_1": GUEST}):
        answer = answering.render({**asked(**texts), "files": True})
        assert answer["guests"] == ["a", "c", "web-1"]
        assert answer["files"] == ["fleet.yaml", "fleet.yaml", "web-1.yaml"]


@pytest.mark.usefixtures("folder")
def test_guests_of_all_files_are_held_against_each_other() -> None:
    Path("web-2.yaml").write_text("name: web-2\ndisks:\n- source: /a.qcow2\n")
    answer = answers("web-1.yaml", "web-2.yaml").render(asked(web_1="name: web-1\ndisks:\n- source: /a.qcow2\n"))
    (problem,) = answer["problems"]
    assert problem["file"] == "web-2.yaml"
    assert "'/a.qcow2', which guest 'web-2' writes to, is written by 'web-1' too" in problem["message"]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("show", "shown"), [(False, "***"), (True, "sesame1")])
def test_secrets_are_shown_to_who_asks_for_them(show: bool, shown: str) -> None:
    answering = answers(show_secrets=show)
    before = answering.render(asked())["xml"]
    answer = answering.render(asked(before, web_1=GUEST + SECRET))
    assert f'passwd="{shown}"' in answer["xml"]
    assert any(f'passwd="{shown}"' in line for line, _, _ in answer["lines"])
    assert any(f'passwd="{shown}"' in line for line in answer["diff"])
    assert ("sesame1" in str(answer)) is show


@pytest.mark.usefixtures("folder")
def test_a_template_at_fault_is_told_with_its_line(folder: Path, run: Run) -> None:
    (folder / "site").mkdir()
    run("templates", "copy", "domain/vcpu.xml.j2", "site")
    answering = answers(templates=("site",))
    assert answering.render(asked())["problems"] == []
    template = folder / "site/domain/vcpu.xml.j2"
    text = template.read_text()
    template.write_text(text.replace("vcpu.text", "vcpu.txt"))
    assert answering.render(asked())["guests"] == ["web-1"]  # as the templates were read
    answering.reread()
    answer = answering.render(asked())
    assert (answer["guests"], answer["guest"]) == ([], None)
    (problem,) = answer["problems"]
    assert (problem["template"], problem["templateLine"]) == ("site/domain/vcpu.xml.j2", 2)
    assert (problem["file"], problem["line"], problem["column"]) == (None, None, None)
    assert "'txt' is not given here (did you mean 'text'?)" in problem["message"] == problem["said"]
    template.write_text(text)
    (folder / "site/guest.schema.yaml").write_text("{")
    answering.reread()
    (problem,) = answering.render(asked())["problems"]
    assert "guest.schema.yaml:2: is not YAML" in problem["said"]
    assert "template" not in problem


@pytest.mark.usefixtures("folder")
def test_defaults_are_followed_too() -> None:
    Path("site.yaml").write_text("vcpu: 3\n")
    looking = looker("web-1.yaml", defaults=("site.yaml",), settings=("title=x",))
    assert (looking.files, looking.watched) == (("web-1.yaml",), ("web-1.yaml", "site.yaml"))
    assert "<vcpu>3</vcpu>" in looking.look().xml["web-1"]
    assert looker("web-1.yaml").watched == ("web-1.yaml",)


@pytest.mark.usefixtures("folder")
def test_only_templates_that_have_changed_are_compiled_again(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the shipped ones, which somebody edits in a checkout: those of one's own are compiled in a process apart."""
    shipped = shutil.copytree(shipped_templates(), folder / "shipped")
    monkeypatch.setattr("kvmrender.templating.stack.shipped_templates", lambda: shipped)
    looking = looker()
    first = looking.look().xml
    compiled: list[str] = []
    compile_template = Environment._compile

    def counted(environment: Environment, source: str, filename: str) -> Any:
        compiled.append(Path(filename).name)
        return compile_template(environment, source, filename)

    monkeypatch.setattr(Environment, "_compile", counted)
    looking.reread()
    assert (looking.look().xml, compiled) == (first, [])
    template = shipped / "domain/vcpu.xml.j2"
    template.write_text(template.read_text() + "{# changed #}")
    looking.reread()
    assert (looking.look().xml, compiled) == (first, ["vcpu.xml.j2"])


def test_a_template_that_takes_all_memory_is_told_and_other_guests_go_on(folder: Path) -> None:
    template = folder / "site/domain/vcpu.xml.j2"
    template.parent.mkdir(parents=True)
    template.write_text("  <vcpu>{% if title is defined %}{{ 'x' * 9000000000 }}{% endif %}1</vcpu>\n")
    Path("web-2.yaml").write_text("name: web-2\ntitle: heavy\n")
    answering = answers("web-1.yaml", "web-2.yaml", templates=("site",))
    answer = answering.render(asked(web_1=GUEST))
    assert (answer["guests"], answer["guest"]) == (["web-1"], "web-1")
    (problem,) = answer["problems"]
    assert problem["said"].startswith("web-2.yaml:1:1: ")
    assert "site/domain/vcpu.xml.j2:1: " in problem["said"]
    first = " ".join(said for _, said in Teller(looker("web-1.yaml", "web-2.yaml", templates=("site",))).first())
    assert "web-2.yaml:1:1: " in first


@pytest.mark.parametrize("follow", [Answers, Teller], ids=["preview", "watch"])
def test_nothing_is_kept_of_templates_as_they_were(follow: Any, folder: Path, run: Run) -> None:
    """Of each save there is one renderer, and they are followed for hours."""
    run("templates", "copy", "domain/vcpu.xml.j2", "site")
    template = folder / "site/domain/vcpu.xml.j2"
    text = template.read_text()
    looking = looker(templates=("site",))
    following = follow(looking, False, False) if follow is Answers else follow(looking)
    renderers, codes = [], []
    for number in range(4):
        template.write_text(f"{text}{{# {number} #}}")
        looking.reread()
        if isinstance(following, Answers):
            assert following.render(asked(web_1=MORE_MEMORY))["problems"] == []
        else:
            assert list(following.next())
        renderers.append(weakref.ref(looking.engine))
        codes.append(len(looking._compiled._codes))
    gc.collect()
    assert [renderer() is None for renderer in renderers] == [True, True, True, False]
    assert len(set(codes)) == 1


@pytest.mark.usefixtures("folder")
def test_files_are_told_as_they_are() -> None:
    Path("web-2.yaml").write_bytes("\ufeffname: wéb\n".encode())
    Path("web-3.yaml").write_bytes(b"name: \xff\n")
    assert answers("web-1.yaml", "web-2.yaml", "web-3.yaml", "gone.yaml").files() == {
        "files": [
            {"name": "web-1.yaml", "text": GUEST},
            {"name": "web-2.yaml", "text": "name: wéb\n"},
            {"name": "web-3.yaml", "text": "name: \ufffd\n"},
            {"name": "gone.yaml", "text": None},
        ]
    }
    example = Answers(looker("example.yaml"), example=True, show_secrets=False)
    assert example.files() == {"files": [{"name": "example.yaml", "text": EXAMPLE_GUEST}]}
    assert example.render(asked(example=EXAMPLE_GUEST))["guests"] == ["web-1"]


@pytest.mark.usefixtures("folder")
def test_templates_are_told_under_their_names(folder: Path, run: Run) -> None:
    (folder / "site").mkdir()
    run("templates", "copy", "domain/vcpu.xml.j2", "site")
    own = folder / "site/domain/vcpu.xml.j2"
    own.write_text(own.read_text() + "{# own #}\n")
    answering = answers(templates=("site",))
    told = answering.template("site/domain/vcpu.xml.j2")
    assert "\n".join("".join(word for _, word in words) for words in told.pop("colours")) == own.read_text()
    assert told == {"name": "site/domain/vcpu.xml.j2", "text": own.read_text()}
    shipped = run("templates", "show", "domain/vcpu.xml.j2").stdout
    assert answering.template("domain/vcpu.xml.j2")["text"] == shipped
    for name in ("", "guest.schema.yaml", "web-1.yaml", "/etc/passwd"):
        with pytest.raises(BadRequestError, match="is not a template"):
            answering.template(name)


@needs_watchfiles
class TestServer:
    @pytest.fixture
    def preview(self, folder: Path) -> Iterator[Preview]:
        serving = Preview(looker("web-1.yaml", templates=()), example=False, show_secrets=False)
        running = threading.Thread(target=serving.run)
        running.start()
        try:
            yield serving
        finally:
            serving.shutdown()
            running.join(PATIENCE)

    @contextmanager
    def get(self, preview: Preview, path: str) -> Iterator[http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", preview.server_port, timeout=PATIENCE)
        with closing(connection):
            connection.request("GET", f"/{preview.token}/{path}")
            with connection.getresponse() as answer:
                yield answer

    def test_pages_are_told_of_what_is_saved(self, preview: Preview, folder: Path) -> None:
        with self.get(preview, "events") as events:
            assert events.headers["Content-Type"] == "text/event-stream"
            assert [events.readline(), events.readline()] == [b"data: 0\n", b"\n"]
            for number in (1, 2):
                (folder / "web-1.yaml").write_text(MORE_MEMORY + "#" * number)
                assert [events.readline(), events.readline()] == [f"data: {number}\n".encode(), b"\n"]

    def test_a_page_that_hears_nothing_is_told_that_all_is_well(
        self, preview: Preview, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("kvmrender.look.preview.server.HEARTBEAT", 0.01)
        with self.get(preview, "events") as events:
            told = [events.readline() for _ in range(6)]
        assert told == [b"data: 0\n", b"\n", b": well\n", b"\n", b": well\n", b"\n"]

    def test_what_goes_wrong_here_is_said(self, preview: Preview, monkeypatch: pytest.MonkeyPatch) -> None:
        said: list[str] = []
        monkeypatch.setattr("kvmrender.look.preview.server.say", said.append)
        monkeypatch.setattr(preview.answers, "files", lambda: 1 / 0)
        with pytest.raises(http.client.RemoteDisconnected), self.get(preview, "files"):
            pass
        assert said == ["preview: ZeroDivisionError('division by zero')"]

    def test_templates_that_can_not_be_read_are_an_answer(
        self, preview: Preview, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken() -> Any:
            raise Error("site: can't be read")

        monkeypatch.setattr(preview.answers, "files", broken)
        with self.get(preview, "files") as answer:
            assert answer.status == 200
            assert answer.headers["Content-Type"] == "application/json"
            assert json.load(answer) == {"error": "site: can't be read"}

    def test_files_that_can_not_be_read_are_refused_at_the_start(self, folder: Path) -> None:
        with pytest.raises(Error, match=r"^gone\.yaml: No such file or directory$"):
            Preview(looker("web-1.yaml", "gone.yaml"), example=False, show_secrets=False)
        with Preview(looker("example.yaml"), example=True, show_secrets=False) as made:
            assert made.answers.files()["files"][0]["text"] == EXAMPLE_GUEST

    def test_the_address_is_told(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        said: list[str] = []
        ran: list[Preview] = []
        monkeypatch.setattr("kvmrender.look.preview.server.say", said.append)
        monkeypatch.setattr(Preview, "run", lambda preview: ran.append(preview))
        serve(looker(), example=False, show_secrets=True, port=0)
        (made,) = ran
        made.server_close()
        assert said == [f"http://127.0.0.1:{made.server_port}/{made.token}/ (Ctrl-C ends)"]
        assert made.answers.files() == {"files": [{"name": "web-1.yaml", "text": GUEST}]}
        Path("web-1.yaml").write_text(GUEST + SECRET)
        assert "sesame1" in made.answers.render(asked())["xml"]


@needs_watchfiles
class TestFollower:
    @pytest.fixture(autouse=True)
    def soon(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The files are looked at whatever the system tells."""
        monkeypatch.setattr(kvmrender.look.changed_files, "AT_LEAST", 50)

    def test_what_has_changed_is_told(self, folder: Path) -> None:
        (folder / "web-2.yaml").write_text(GUEST)
        follower = Follower(["web-1.yaml", "web-2.yaml"], Stack(), "watch")
        changes = follower.changes()
        (folder / "web-1.yaml").write_text(MORE_MEMORY + "# x\n")
        assert next(changes) == {Path("web-1.yaml")}
        (folder / "new").write_text(GUEST)
        (folder / "new").rename(folder / "web-2.yaml")
        assert next(changes) == {Path("web-2.yaml")}
        (folder / "web-1.yaml").unlink()
        assert next(changes) == {Path("web-1.yaml")}
        (folder / "web-1.yaml").write_text(GUEST)
        assert next(changes) == {Path("web-1.yaml")}

    def test_templates_and_schema_parts_are_followed_and_nothing_else(self, folder: Path) -> None:
        site = folder / "site/domain"
        site.mkdir(parents=True)
        changes = Follower(["web-1.yaml"], Stack(["site"]), "watch").changes()
        (site / "notes.txt").write_text("not followed")
        (site / "vcpu.xml.j2").write_text("<vcpu/>")
        assert [str(path) for path in next(changes)] == ["site/domain/vcpu.xml.j2"]
        (folder / "site/guest.schema.yaml").write_text("{}")
        assert [str(path) for path in next(changes)] == ["site/guest.schema.yaml"]

    def test_a_folder_that_is_made_is_followed(self, folder: Path) -> None:
        (folder / "guests").mkdir()
        (folder / "guests/a.yaml").write_text(GUEST)
        changes = Follower(["guests/a.yaml"], Stack(), "watch").changes()
        (folder / "guests").rename(folder / "aside")
        assert next(changes) == {Path("guests/a.yaml")}
        (folder / "aside").rename(folder / "guests")
        assert next(changes) == {Path("guests/a.yaml")}

    def test_a_folder_that_can_not_be_watched_is_looked_at_again(self, folder: Path) -> None:
        follower = Follower(["web-1.yaml"], Stack(), "watch")
        watch = follower._watch

        def gone(*_: Any, **__: Any) -> Iterator[object]:
            follower._watch = watch
            raise FileNotFoundError
            yield

        follower._watch = gone
        (folder / "web-1.yaml").write_text(MORE_MEMORY + "# x\n")
        assert next(follower.changes()) == {Path("web-1.yaml")}

    def test_it_ends_when_it_is_told_to(self, folder: Path) -> None:
        stop = threading.Event()
        changes = Follower(["web-1.yaml"], Stack(), "watch").changes(stop)
        (folder / "web-1.yaml").write_text(MORE_MEMORY + "# x\n")
        assert next(changes) == {Path("web-1.yaml")}
        stop.set()
        assert list(changes) == []

    def test_without_watchfiles_it_is_asked_for(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "watchfiles", None)
        with pytest.raises(Error, match=r"^preview needs watchfiles: pip install watchfiles$"):
            Follower(["web-1.yaml"], Stack(), "preview")


@pytest.mark.usefixtures("folder")
class TestTeller:
    def test_what_has_become_of_guests_is_told(self) -> None:
        teller = Teller(looker())
        assert [*teller.first()] == [(False, "1 guest well; watching for changes, Ctrl-C ends")]
        assert [*teller.next()] == [(False, "1 guest well: 0 changed, 1 unchanged")]
        Path("web-1.yaml").write_text(MORE_MEMORY)
        (is_diff, diff), last = teller.next()
        assert is_diff
        assert diff.startswith("--- web-1\n+++ web-1\n@@ ")
        assert '\n-  <memory unit="MiB">1024</memory>\n' in diff
        assert '\n+  <memory unit="MiB">2048</memory>\n' in diff
        assert last == (False, "1 guest well: 1 changed, 0 unchanged")
        Path("web-1.yaml").write_text("guests: [{name: web-1, memory: 2 GiB}, {name: web-2}]\n")
        (is_diff, diff), last = teller.next()
        assert (is_diff, diff.splitlines()[:2]) == (True, ["--- /dev/null", "+++ web-2"])
        assert last == (False, "2 guests well: 1 changed, 1 unchanged")
        Path("web-1.yaml").write_text("name: web-2\n")
        (is_diff, diff), last = teller.next()
        assert (is_diff, diff.splitlines()[:2]) == (True, ["--- web-1", "+++ /dev/null"])
        assert last == (False, "1 guest well: 0 changed, 1 unchanged")
        assert [*teller.next()] == [(False, "1 guest well: 0 changed, 1 unchanged")]

    def test_problems_are_told_and_the_last_good_guest_is_kept(self) -> None:
        Path("web-1.yaml").write_text("name: web-1\nmemroy: 1\n")
        teller = Teller(looker())
        assert [*teller.first()] == [(False, BAD["said"]), (False, "watching for changes, Ctrl-C ends")]
        Path("web-1.yaml").write_text(GUEST)
        assert [is_diff for is_diff, _ in teller.next()] == [True, False]
        Path("web-1.yaml").write_text("name: web-1\nmemroy: 1\n")
        assert [*teller.next()] == [(False, BAD["said"])]
        Path("web-1.yaml").write_text(GUEST)
        assert [*teller.next()] == [(False, "1 guest well: 0 changed, 1 unchanged")]

    def test_a_schema_that_can_not_be_read_is_told(self, run: Run) -> None:
        Path("site").mkdir()
        looking = looker(templates=("site",))
        teller = Teller(looking)
        assert [*teller.first()] == [(False, "1 guest well; watching for changes, Ctrl-C ends")]
        Path("site/guest.schema.yaml").write_text("{")
        looking.reread()
        ((is_diff, said),) = teller.next()
        assert not is_diff
        assert "guest.schema.yaml:2: is not YAML" in said

    def test_secrets_are_not_told(self) -> None:
        teller = Teller(looker())
        [*teller.first()]
        Path("web-1.yaml").write_text(GUEST + SECRET)
        (_, diff), _ = teller.next()
        assert 'passwd="***"' in diff
        Path("web-1.yaml").write_text(GUEST)
        (_, diff), _ = teller.next()
        assert 'passwd="***"' in diff

    @needs_watchfiles
    def test_files_and_templates_are_followed(self, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        """The command, from one change to the next."""
        Path("site").mkdir()

        def changes(_: Follower) -> Iterator[set[Path]]:
            Path("web-1.yaml").write_text(MORE_MEMORY)
            yield {Path("web-1.yaml")}
            run("templates", "copy", "domain/vcpu.xml.j2", "site")
            template = Path("site/domain/vcpu.xml.j2")
            template.write_text(template.read_text().replace("<vcpu", "<!-- here -->\n  <vcpu"))
            yield {Path("web-1.yaml")}
            yield {template}

        monkeypatch.setattr(Follower, "changes", changes)
        result = run("watch", "--templates", "site", "web-1.yaml")
        assert result.exit_code == 0
        assert result.stderr.splitlines() == [
            "1 guest well; watching for changes, Ctrl-C ends",
            "1 guest well: 1 changed, 0 unchanged",
            "1 guest well: 0 changed, 1 unchanged",
            "1 guest well: 1 changed, 0 unchanged",
        ]
        assert '+  <memory unit="MiB">2048</memory>\n' in result.stdout
        assert "\n+  <!-- here -->\n" in result.stdout


def test_standard_input_can_not_be_followed(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for command in ("watch", "preview"):
        result = run(command, "web-1.yaml", "-")
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{command} can't follow standard input: give files." in result.stderr


@needs_watchfiles
@pytest.mark.parametrize(
    ("options", "example", "secrets", "files"),
    [
        ([], True, False, ["example.yaml"]),
        (["--show-secrets", "--set", "vcpu=2", "web-1.yaml"], False, True, ["web-1"]),
    ],
)
def test_preview_has_options(
    options: list[str], example: bool, secrets: bool, files: list[str], run: Run, folder: Path, monkeypatch: Any
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr("kvmrender.look.preview.server.serve", lambda *given: asked.append(given))
    result = run("preview", "--port", "0", *options)
    assert (result.exit_code, result.output) == (0, "")
    ((looking, *rest),) = asked
    assert rest == [example, secrets, 0]
    assert [name.partition(".")[0] for name in looking.files] == [name.partition(".")[0] for name in files]
    if not example:
        assert "<vcpu>2</vcpu>" in looking.look().xml["web-1"]


@needs_watchfiles
@pytest.mark.parametrize("command", ["watch", "preview"])
def test_ctrl_c_is_an_end(command: str, run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kvmrender.look.watch.watch", interrupted)
    monkeypatch.setattr("kvmrender.look.preview.server.serve", interrupted)
    result = run(command, "web-1.yaml")
    assert (result.exit_code, result.output) == (130, "")
