"""``kvmrender preview`` in a real Chromium: mistakes are shown where they are, templates and files are followed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from conftest import Run
from terminals import PATIENCE, Terminal, at_a_terminal

from kvmrender.look.preview.colours import MOST_COLOURED, coloured

GUEST = "name: web-1\nmemory: 1 GiB\ndisks:\n- source: /a.qcow2\n"

pytestmark = pytest.mark.skipif(not find_spec("watchfiles"), reason="needs watchfiles: pip install '.[watch]'")


class Page:
    """The page as a person uses it."""

    def __init__(self, browser: Any, terminal: Terminal) -> None:
        self.browser, self.terminal = browser, terminal
        self.url = terminal.expect(r"http://[^\n]* \(Ctrl-C ends\)\n").split()[0]

    def open(self) -> None:
        """Open the page in the browser, which has shown others before."""
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics(1280))
        self.browser.get_log("performance")
        self.browser.get(self.url)
        self.wait("No problems")

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script in the page."""
        return self.browser.execute_script(script, *arguments)

    def text(self, selector: str) -> str:
        """Return the text of what a selector finds first."""
        return str(self.run("return document.querySelector(arguments[0]).textContent", selector))

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all that a selector finds."""
        return list(
            self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", selector)
        )

    def until(self, what: Callable[[], Any]) -> Any:
        """Wait for something to be so."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.browser, PATIENCE, 0.02).until(lambda _: what())

    def wait(self, status: str) -> None:
        """Wait for the status."""
        self.until(lambda: self.text("#status") == status)

    def edit(self, text: str) -> None:
        """Put a new text in place of the guest's, in one go: of what is typed slowly, some may be a guest too soon."""
        from selenium.webdriver.common.keys import Keys

        self.browser.find_element("id", "text").send_keys(Keys.CONTROL, "a")
        self.browser.execute_cdp_cmd("Input.insertText", {"text": text})

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        self.browser.switch_to.active_element.send_keys(*keys)

    @property
    def xml(self) -> str:
        """The XML that is shown."""
        return "".join(f"{line}\n" for line in self.texts("#xml code"))

    @property
    def changes(self) -> list[str]:
        """The lines of the diff that differ."""
        return self.texts("#changes .new, #changes .old")

    @property
    def focus(self) -> str:
        """What has the focus."""
        return str(self.run("return document.activeElement.id || document.activeElement.tagName.toLowerCase()"))


def metrics(width: int) -> dict[str, Any]:
    return {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "web-1.yaml").write_text(GUEST)
    return tmp_path


@pytest.fixture
def preview(browser: Any, folder: Path) -> Iterator[Callable[..., Page]]:
    """Start ``kvmrender preview`` at a terminal, and open its page."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def start(*arguments: str) -> Page:
            page = Page(browser, stack.enter_context(at_a_terminal(folder, "preview", *arguments)))
            page.open()
            return page

        yield start
        assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
        browser.get("about:blank")


def test_a_mistake_is_shown_where_it_is(preview: Callable[..., Page], run: Run, folder: Path) -> None:
    page = preview("web-1.yaml")
    good = run("render", folder / "web-1.yaml").stdout
    assert page.xml == good
    page.edit(GUEST.replace("memory", "memroy"))
    page.wait("1 problem")
    message = "memroy: is not a known key (did you mean 'memory'?) [schema]"
    assert page.texts("#problems button") == [f"web-1.yaml:2:1: {message}"]
    assert page.texts("#behind .problem") == [f"2memroy: 1 GiB{message}"]
    lines = page.run("return [...document.querySelectorAll('#behind > div')].map((row) => row.className)")
    assert lines == ["", "problem", "", "", ""]
    assert page.run("return document.getElementById('text').ariaInvalid") == "true"
    assert page.xml == good  # the last good result
    assert page.run("return document.getElementById('stale').checkVisibility()")
    page.edit(GUEST.replace("1 GiB", "2 GiB"))
    page.wait("No problems")
    assert page.texts("#behind .problem") == []
    assert not page.run("return document.getElementById('stale').checkVisibility()")
    assert page.xml == good.replace("1024", "2048")
    assert page.changes == [
        '-  <memory unit="MiB">1024</memory>',
        '-  <currentMemory unit="MiB">1024</currentMemory>',
        '+  <memory unit="MiB">2048</memory>',
        '+  <currentMemory unit="MiB">2048</currentMemory>',
    ]
    page.edit(GUEST + "a")  # what is wrong is said of a line that there is not
    page.until(lambda: [text[:15] for text in page.texts("#behind .problem")] == ["5ais not YAML: "])
    page.browser.find_element("css selector", "#problems button").click()
    assert page.focus == "text"
    page.edit(GUEST.replace("1 GiB", "3 GiB").replace("web-1", "web-9"))  # under another name, compared all the same
    page.until(lambda: "+  <name>web-9</name>" in page.changes)
    assert '-  <memory unit="MiB">2048</memory>' in page.changes
    assert (folder / "web-1.yaml").read_text() == GUEST
    assert {file.name for file in folder.iterdir()} == {"web-1.yaml"}


def test_marks_are_beside_their_lines(preview: Callable[..., Page]) -> None:
    """Where the text has been scrolled to its end too, which scroll bars are part of."""
    page = preview("web-1.yaml")
    page.run("Object.assign(document.getElementById('editor').style, {height: '120px', flex: 'none'})")
    page.edit(GUEST + f"title: {'x' * 200}\n" + "".join(f"# {number}\n" for number in range(30)) + "vcpu: x")
    page.wait("1 problem")
    page.run("const text = document.getElementById('text'); text.scrollTop = 1e6; text.scrollLeft = 1e6")
    scrolled = "const found = document.getElementById(arguments[0]); return [found.scrollTop, found.scrollLeft]"
    page.until(lambda: page.run(scrolled, "text") == page.run(scrolled, "behind") != [0, 0])
    font = "const style = getComputedStyle(document.getElementById(arguments[0])); return style.font + style.tabSize"
    assert page.run(font, "text") == page.run(font, "behind")
    left = """
        const [text, code, number, editor] = ['#text', '#behind > div > .number + span', '#behind .number', '#editor']
            .map((selector) => document.querySelector(selector).getBoundingClientRect().left);
        const {scrollLeft} = document.getElementById('text');
        return [code + scrollLeft - text, number - editor];
    """
    beside, numbers = page.run(left)
    assert abs(beside) < 1
    assert abs(numbers) < 2  # they are still there, on the left of the text that is scrolled


def test_a_template_on_the_disk_is_followed(preview: Callable[..., Page], folder: Path, run: Run) -> None:
    run("templates", "copy", "domain/vcpu.xml.j2", folder / "site")
    template = folder / "site/domain/vcpu.xml.j2"
    text = template.read_text()
    page = preview("--templates", "site", "web-1.yaml")
    template.write_text(text.replace("<vcpu", "<!-- here -->\n  <vcpu"))
    page.until(lambda: page.changes == ["+  <!-- here -->"])
    assert "  <!-- here -->\n  <vcpu>1</vcpu>\n" in page.xml
    template.write_text(text.replace("vcpu.text", "vcpu.txt"))
    page.wait("1 problem")
    (said,) = page.texts("#problems button")
    assert said.startswith("site/domain/vcpu.xml.j2:2: 'txt' is not given here (did you mean 'text'?)")
    page.browser.find_element("css selector", "#problems button").click()
    page.until(lambda: page.text("#template-name") == "site/domain/vcpu.xml.j2:2" and page.texts("#template .chosen"))
    assert "vcpu.txt" in page.text("#template .chosen")
    assert page.focus == "template"
    template.write_text("{% if %}")
    page.until(lambda: "vcpu.xml.j2:1:" in "".join(page.texts("#problems button")))
    (folder / "site/guest.schema.yaml").write_text("{")
    page.until(lambda: "is not YAML" in "".join(page.texts("#problems button")))
    (folder / "site/guest.schema.yaml").unlink()
    template.write_text(text)
    page.wait("No problems")
    assert page.changes == ["-  <!-- here -->"]


def test_each_line_leads_to_its_template(preview: Callable[..., Page], folder: Path) -> None:
    from kvmrender.engine import Engine

    page = preview("web-1.yaml")
    renderer = Engine()
    places = renderer.observed({"name": "web-1", "memory": "1 GiB", "disks": [{"source": "/a.qcow2"}]}).places
    shown = page.texts("#xml .place")
    assert len(shown) > 20
    for number, place in enumerate(shown):
        file, line = places[number] or ("", 0)
        name = Path(file).relative_to(renderer.stack.shipped).as_posix()
        assert place == f"{name}:{line}"
        page.run("document.querySelectorAll('#xml > div')[arguments[0]].click()", number)
        page.until(lambda place=place: page.text("#template-name") == place and page.texts("#template .chosen"))
        source = Path(file).read_text().split("\n")[line - 1]
        page.until(lambda line=line, source=source: page.texts("#template .chosen") == [f"{line}{source}"])
        inside = """
            const pane = document.getElementById('template').getBoundingClientRect();
            const row = document.querySelector('#template .chosen').getBoundingClientRect();
            return row.top >= pane.top - 1 && row.bottom <= pane.bottom + 1
        """
        assert page.run(inside)


def test_the_keyboard_alone_will_do(preview: Callable[..., Page]) -> None:
    from selenium.webdriver.common.keys import Keys

    page = preview("web-1.yaml")
    seen = []
    page.press(Keys.TAB)
    while page.focus not in ("body", *seen):
        seen.append(page.focus)
        ring = "const one = document.activeElement; return getComputedStyle(one.closest('#editor') ?? one).outlineStyle"
        assert page.run(ring) == "solid"
        page.press(Keys.TAB)
    assert seen == ["text", "xml", "changes", "template"]
    page.run("document.getElementById('text').focus()")
    page.press(Keys.CONTROL, Keys.END)
    page.press("vcpu: many")
    page.wait("1 problem")
    page.press(Keys.CONTROL, Keys.HOME)
    page.press(Keys.TAB)
    page.press(Keys.ENTER)  # the problem
    assert page.focus == "text"
    caret = "const at = document.getElementById('text'); return at.value.slice(at.selectionStart, at.selectionEnd)"
    assert page.run(caret) == "many"
    page.press("2")
    page.wait("No problems")
    assert "  <vcpu>2</vcpu>\n" in page.xml
    page.press(Keys.TAB)
    assert page.focus == "xml"
    chosen = "return document.querySelector('#xml [aria-selected=true] code').textContent.trim()"
    for key, line in (
        (Keys.ARROW_DOWN, '<domain type="kvm">'),
        (Keys.ARROW_DOWN, "<name>web-1</name>"),
        (Keys.END, "</domain>"),
        (Keys.ARROW_UP, "</devices>"),
        (Keys.HOME, '<domain type="kvm">'),
        (Keys.ARROW_UP, '<domain type="kvm">'),
    ):
        page.press(key)
        assert page.run(chosen) == line
        active = page.run("return document.getElementById('xml').getAttribute('aria-activedescendant')")
        assert page.run("return document.getElementById(arguments[0]).getAttribute('aria-selected')", active) == "true"
    page.press(Keys.PAGE_DOWN)
    assert page.run(chosen) != '<domain type="kvm">'
    page.press(Keys.ENTER)
    assert page.focus == "template"


def test_parts_have_names_and_roles(preview: Callable[..., Page]) -> None:
    page = preview("web-1.yaml")
    page.browser.execute_cdp_cmd("Accessibility.enable", {})
    nodes = page.browser.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    named = {
        (node["role"]["value"], node.get("name", {}).get("value", "").strip()) for node in nodes if not node["ignored"]
    }
    assert {
        ("textbox", "Guest"),
        ("combobox", "File"),
        ("combobox", "XML of the guest"),
        ("listbox", "XML"),
        ("option", "<name>web-1</name> domain.xml.j2:4"),
        ("list", "Problems"),
        ("region", "Changes to the previous result"),
        ("heading", "kvmrender preview"),
        ("status", ""),
    } <= named


def test_a_file_on_the_disk_is_followed(preview: Callable[..., Page], folder: Path) -> None:
    page = preview("web-1.yaml")
    file = folder / "web-1.yaml"
    file.write_text(GUEST.replace("1 GiB", "2 GiB"))
    page.until(lambda: "2048" in page.xml)
    assert page.run("return document.getElementById('text').value") == GUEST.replace("1 GiB", "2 GiB")
    page.edit(GUEST.replace("1 GiB", "3 GiB"))
    page.until(lambda: "3072" in page.xml)
    conflict = "return document.getElementById('conflict').checkVisibility()"
    assert not page.run(conflict)
    file.write_text(GUEST.replace("1 GiB", "4 GiB"))
    page.until(lambda: page.run(conflict))
    assert "3072" in page.xml  # what was typed is not thrown away
    page.browser.find_element("id", "take").click()
    page.until(lambda: "4096" in page.xml)
    assert not page.run(conflict)
    file.unlink()
    file.write_text(GUEST)
    page.until(lambda: "1024" in page.xml)
    assert not page.run(conflict)


def test_fleets_and_several_files(preview: Callable[..., Page], folder: Path) -> None:
    (folder / "fleet.yaml").write_text("guests:\n- name: db-1\n- name: db-2\n")
    page = preview("web-1.yaml", "fleet.yaml")
    names = page.run("return [...document.getElementById('guest').options].map((one) => one.value)")
    assert names == ["web-1", "db-1", "db-2"]
    page.browser.find_element("css selector", "#guest option:nth-child(3)").click()
    page.until(lambda: "<name>db-2</name>" in page.xml)
    page.browser.find_element("css selector", "#file option:nth-child(2)").click()
    page.edit("guests:\n- name: db-1\n- name: db-1\n")
    page.until(lambda: "is the name of two guests" in "".join(page.texts("#problems button")))
    page.edit("guests:\n- name: db-1\n- name: db-2\n  vcpu: 0x\n")
    page.until(lambda: "guests[1]" in page.text("#problems") or "vcpu" in page.text("#problems"))
    assert page.texts("#behind .problem")[0].startswith("4  vcpu: 0x")
    page.browser.find_element("css selector", "#file option:nth-child(1)").click()
    assert page.run("return document.getElementById('text').value") == GUEST
    assert page.texts("#behind .problem") == []
    page.until(lambda: "<name>web-1</name>" in page.xml)
    page.browser.find_element("css selector", "#problems button").click()  # which is in the other file
    assert page.run("return document.getElementById('file').value") == "fleet.yaml"


def test_choosing_another_file_shows_its_guest(preview: Callable[..., Page], folder: Path) -> None:
    for name in ("web-2", "web-3", "web-4"):
        (folder / f"{name}.yaml").write_text(f"name: {name}\n")
    page = preview("web-1.yaml", "web-2.yaml", "web-3.yaml", "web-4.yaml")

    def choose(number: int) -> None:
        page.browser.find_element("css selector", f"#file option:nth-child({number})").click()

    shown = "return document.getElementById('guest').value"
    for number in (2, 3, 1):
        choose(number)
        page.until(lambda number=number: f"  <name>web-{number}</name>\n" in page.xml)
        assert page.run(shown) == f"web-{number}"
        assert page.texts("#changes .new") == []
    (folder / "web-3.yaml").write_text("name: web-3\nvcpu: many\n")
    page.wait("1 problem")
    choose(3)
    page.until(lambda: "  <name>web-3</name>\n" in page.xml)  # the last good result
    assert page.run("return document.getElementById('stale').checkVisibility()")
    (folder / "web-4.yaml").write_text("name: web-9\nvcpu: many\n")  # one that never was well
    page.wait("2 problems")
    choose(4)
    page.edit("name: web-9\n")
    page.until(lambda: "  <name>web-9</name>\n" in page.xml)
    assert page.run(shown) == "web-9"


def test_syntax_has_colours(preview: Callable[..., Page]) -> None:
    page = preview("web-1.yaml")

    def words(selector: str) -> set[tuple[str, str]]:
        found = page.run(
            "return [...document.querySelectorAll(arguments[0])].map((one) => [one.className, one.textContent])",
            selector,
        )
        return {(kind, word) for kind, word in found}

    page.edit("# a comment\nname: 'web-1'\nmemory: 2 GiB\n")
    page.until(lambda: ("is-comment", "# a comment") in words("#behind span span"))
    assert words("#behind span span") >= {("is-name", "name"), ("is-name", "memory"), ("is-text", "web-1")}
    assert page.run("return getComputedStyle(document.getElementById('text')).color") == "rgba(0, 0, 0, 0)"
    assert page.run("return document.getElementById('text').value").startswith("# a comment\n")
    assert words("#xml code span") >= {("is-name", "<domain"), ("is-attribute", "type="), ("is-text", '"kvm"')}
    assert ("is-name", "<memory") in words("#changes .new span span")
    page.run("document.querySelectorAll('#xml > div')[1].click()")
    page.until(lambda: page.texts("#template .chosen"))
    kinds = {kind for kind, _ in words("#template span span")}
    assert kinds >= {"is-name", "is-template", "is-comment"}


def test_rows_share_the_height_by_what_they_hold(preview: Callable[..., Page], folder: Path) -> None:
    def height(part: str) -> float:
        return float(page.run("return document.getElementById(arguments[0]).getBoundingClientRect().height", part))

    page = preview("web-1.yaml")
    before = height("xml")
    assert before > 2 * height("template")  # in which there is nothing yet
    page.run("document.querySelectorAll('#xml > div')[1].click()")
    page.until(lambda: len(page.texts("#template > div")) > 100)
    assert height("xml") < before
    assert abs(height("xml-part") - height("template-part")) < 30


def test_without_pygments_the_page_is_plain(folder: Path) -> None:
    program = (
        "import sys; sys.modules['pygments.lexers'] = None\n"
        "from kvmrender.look.preview.colours import coloured; print(coloured('<a/>', 'xml'))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "None\n"


def test_long_texts_are_plain() -> None:
    assert coloured("a: b\n", "yaml") == [[("name", "a"), ("", ":"), ("", " "), ("", "b")], []]
    assert coloured("a" * (MOST_COLOURED + 1), "yaml") is None


def test_what_becomes_of_one_guest_of_several(preview: Callable[..., Page], folder: Path) -> None:
    """While it is wrong, its last good result stays, though others are well; another name is followed."""
    (folder / "fleet.yaml").write_text("guests:\n- name: db-1\n- name: db-2\n")
    page = preview("fleet.yaml", "web-1.yaml")
    page.browser.find_element("css selector", "#guest option:nth-child(2)").click()
    page.until(lambda: "<name>db-2</name>" in page.xml)
    good = page.xml
    stale = "return document.getElementById('stale').checkVisibility()"
    names = "return [...document.getElementById('guest').options].map((one) => one.value)"
    shown = "return document.getElementById('guest').value"
    page.edit("guests:\n- name: db-1\n- name: db-2\n  vcpu: many\n")
    page.wait("1 problem")
    assert page.xml == good
    assert page.run(stale)
    assert page.run(names) == ["db-1", "db-2", "web-1"]
    assert page.run(shown) == "db-2"
    page.edit("guests:\n- name: db-1\n  vcpu: many\n- name: db-2\n  vcpu: 2\n")  # now another one is wrong
    page.until(lambda: page.changes == ["-  <vcpu>1</vcpu>", "+  <vcpu>2</vcpu>"])
    assert not page.run(stale)
    page.edit("guests:\n- name: db-1\n- name: db-9\n  vcpu: 2\n")
    page.until(lambda: "+  <name>db-9</name>" in page.changes)
    assert "-  <name>db-2</name>" in page.changes
    assert page.run(names) == ["db-1", "db-9", "web-1"]
    page.edit("guests:\n- name: db-1\n")
    page.until(lambda: "<name>db-1</name>" in page.xml)
    assert page.run(names) == ["db-1", "web-1"]
    assert page.changes == []  # it is another guest: they are not compared


def test_without_a_guest_there_is_an_example(preview: Callable[..., Page], folder: Path) -> None:
    (folder / "web-1.yaml").unlink()
    page = preview()
    assert "<name>web-1</name>" in page.xml
    page.edit("name: mine\n")
    page.until(lambda: "<name>mine</name>" in page.xml)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(("option", "shown"), [([], "***"), (["--show-secrets"], "sesame1")])
def test_secrets_are_shown_only_when_asked_for(
    option: list[str], shown: str, preview: Callable[..., Page], folder: Path
) -> None:
    (folder / "web-1.yaml").write_text(f"{GUEST}graphics:\n- {{type: vnc, passwd: sesame1}}\n")
    page = preview(*option, "web-1.yaml")
    assert f'passwd="{shown}"' in page.xml
    assert ("sesame1" in page.xml) == bool(option)


def test_defaults_and_settings_are_used(preview: Callable[..., Page], folder: Path) -> None:
    (folder / "site.yaml").write_text("vcpu: 3\n")
    page = preview("--defaults", "site.yaml", "--set", "title=here", "web-1.yaml")
    assert "<vcpu>3</vcpu>" in page.xml
    assert "<title>here</title>" in page.xml
    (folder / "site.yaml").write_text("vcpu: many\n")
    page.wait("1 problem")
    assert page.texts("#problems button")[0].startswith("site.yaml:1:7: vcpu")
    assert page.texts("#behind .problem") == []


def test_what_is_in_a_guest_is_text(preview: Callable[..., Page]) -> None:
    page = preview("web-1.yaml")
    page.edit(
        'name: "<img src=x onerror=alert(1)>"\ndescription: "</textarea><script>alert(1)</script>"\nvcpu: "<b>"\n'
    )
    page.wait("1 problem")
    assert "'<b>'" in page.texts("#problems button")[0]
    assert page.run("return document.querySelectorAll('img, b, main script').length") == 0


def test_nothing_is_asked_of_other_places(preview: Callable[..., Page]) -> None:
    page = preview("web-1.yaml")
    page.edit(GUEST.replace("1 GiB", "2 GiB"))
    page.until(lambda: "2048" in page.xml)
    messages = [json.loads(entry["message"])["message"] for entry in page.browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]
    assert any(url.endswith("/render") for url in asked)
    assert [url for url in asked if not url.startswith((page.url, "data:"))] == []
    blocked = page.browser.execute_async_script(
        """
        const done = arguments[0];
        document.addEventListener("securitypolicyviolation", (event) => done(event.effectiveDirective));
        const script = document.createElement("script");
        script.textContent = "document.title = 'taken'";
        document.body.append(script);
        """
    )
    assert blocked == "script-src-elem"
    assert page.browser.title == "kvmrender preview"
    page.browser.get_log("browser")  # that it was blocked


def luminance(colour: list[float]) -> float:
    parts = [value / 255 for value in colour[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible(width: int, scheme: str, preview: Callable[..., Page]) -> None:
    """Contrast as WCAG 2.2 (level AA) asks for it, nothing outside of the window, no text that is too small."""
    page = preview("web-1.yaml")
    page.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics(width))
    scheme_of = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme_of)
    page.edit(GUEST.replace("1 GiB", "2 GiB"))
    page.until(lambda: page.changes)
    page.run("document.querySelectorAll('#xml > div')[3].click()")
    page.until(lambda: page.texts("#template .chosen"))
    page.edit(GUEST.replace("memory", "memroy") + "x" * 150)
    page.until(lambda: page.texts("#behind .note"))
    found = page.run(
        """
        const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
        const under = (element) => {
            for (; element; element = element.parentElement) {
                const colour = rgb(getComputedStyle(element).backgroundColor);
                if (colour.length === 3 || colour[3] > 0) return colour;
            }
            return [255, 255, 255];
        };
        const shown = [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility()
            && !element.disabled && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())
            && getComputedStyle(element).color !== "rgba(0, 0, 0, 0)");
        const isColoured = document.querySelector("#editor.is-coloured"); // then the text is what is behind it
        if (!isColoured) shown.push(document.getElementById("text"));
        return shown.map((element) => ({
            what: `${element.tagName} ${element.id} ${element.className} ${element.textContent.slice(0, 40)}`,
            text: rgb(getComputedStyle(element).color),
            page: element.id === "text" ? under(document.getElementById("editor")) : under(element),
            size: parseFloat(getComputedStyle(element).fontSize),
        }));
        """
    )
    assert len(found) > 100
    faint = []
    for one in found:
        darker, lighter = sorted((luminance(one["text"]), luminance(one["page"])))
        if (lighter + 0.05) / (darker + 0.05) < 4.5 or one["size"] < 11:
            faint.append(one)
    assert faint == []
    assert (luminance(found[0]["page"]) < 0.5) == (scheme == "dark")
    assert page.run("return document.documentElement.scrollWidth") <= width
    outside = """
        const parts = document.querySelectorAll("header *, section, h2, h3, select, button, #editor, #xml, pre[role]");
        return [...parts].filter((one) => one.checkVisibility() && one.getBoundingClientRect().right > innerWidth + 0.5)
            .map((one) => one.id)
    """
    assert page.run(outside) == []
    page.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_ctrl_c_ends_it_while_a_page_is_open(preview: Callable[..., Page]) -> None:
    page = preview("web-1.yaml")
    page.terminal.type("\x03")
    assert page.terminal.end() == (130, "^C\n")
    page.wait("The preview has ended")
    page.browser.get_log("browser")  # that there is no answer


def test_pages_find_it_again(preview: Callable[..., Page], folder: Path) -> None:
    """Two pages are told of the same change."""
    page = preview("web-1.yaml")
    first = page.browser.current_window_handle
    page.browser.switch_to.new_window("tab")
    page.browser.get(page.url)
    page.wait("No problems")
    (folder / "web-1.yaml").write_text(GUEST.replace("1 GiB", "2 GiB"))
    page.until(lambda: "2048" in page.xml)
    page.browser.close()
    page.browser.switch_to.window(first)
    page.until(lambda: "2048" in page.xml)


def test_without_watchfiles(folder: Path) -> None:
    program = "import sys; sys.modules['watchfiles'] = None; from kvmrender.cli.main import main; main()"
    command = [sys.executable, "-c", program, "preview", "web-1.yaml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "preview needs watchfiles: pip install watchfiles\n"


def test_what_can_not_be_served(folder: Path, run: Run) -> None:
    missing = run("preview", folder / "gone.yaml")
    assert (missing.exit_code, missing.stderr) == (2, f"{folder}/gone.yaml: No such file or directory\n")
    assert run("preview", "-").exit_code == 2
    templates = run("preview", "--templates", folder / "gone", folder / "web-1.yaml")
    assert (templates.exit_code, templates.stderr) == (2, f"{folder}/gone: is not a template folder\n")
