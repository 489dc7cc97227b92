"""The server of ``kvmrender preview`` answers the page that it has served, and nobody else."""

from __future__ import annotations

import http.client
import json
import resource
import socket
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import Run
from terminals import PATIENCE, at_a_terminal

import kvmrender.look.preview.server
from kvmrender.look.live_results import Looker
from kvmrender.look.preview.server import Preview

GUEST = "name: web-1\nmemory: 1 GiB\n"
QUESTION = json.dumps({"texts": {"web-1.yaml": GUEST}, "guest": None, "before": None})

pytestmark = pytest.mark.skipif(not find_spec("watchfiles"), reason="needs watchfiles: pip install '.[watch]'")


class Server:
    """A preview that runs, and requests to it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.host = urlsplit(url).netloc
        self.origin = f"http://{self.host}"
        self.token = urlsplit(url).path.strip("/")
        self.port = int(self.host.partition(":")[2])

    def ask(
        self, method: str, path: str, body: str | bytes | None = None, whole: bool = False, **headers: str | None
    ) -> tuple[int, str, dict[str, str]]:
        """Send a request, with the token before its path unless it is whole; a header of None is left out."""
        sent = {"Host": self.host, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.putrequest(method, path if whole else f"/{self.token}/{path}", skip_host=True)
            data = body.encode() if isinstance(body, str) else body
            if data is not None and "Content-Length" not in sent:
                sent["Content-Length"] = str(len(data))
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
            response = connection.getresponse()
            return response.status, response.read().decode(), dict(response.getheaders())
        finally:
            connection.close()

    def render(self, body: str = QUESTION, **headers: str | None) -> tuple[int, str]:
        """Ask as the page does, but for these headers."""
        usual = {"Origin": self.origin, "Content_Type": "application/json", "Sec_Fetch_Site": "same-origin"}
        return self.ask("POST", "render", body, **{**usual, **headers})[:2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server in a thread of this process."""
    folder = tmp_path_factory.mktemp("guests")
    (folder / "web-1.yaml").write_text(GUEST)
    (folder / "other.yaml").write_text("name: other\n")
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setattr(kvmrender.look.preview.server, "say", said.append)
        preview = Preview(Looker((), ("web-1.yaml",), {}), example=False, show_secrets=False)
        running = threading.Thread(target=preview.run)
        running.start()
        try:
            yield Server(preview.url)
        finally:
            preview.shutdown()
            running.join(PATIENCE)
    assert not running.is_alive()
    assert said == []  # not a word of any request


def test_it_runs_at_a_terminal_until_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "web-1.yaml").write_text(GUEST)
    with at_a_terminal(tmp_path, "preview", "web-1.yaml") as terminal:
        server = Server(terminal.expect(r"http://[^\n]* \(Ctrl-C ends\)\n").split()[0])
        assert server.ask("GET", "")[0] == 200
        assert server.render("{")[0] == 400
        assert json.loads(server.render()[1])["guests"] == ["web-1"]
        terminal.type("\x03")
        assert terminal.end() == (130, "^C\n")


def test_the_page_is_answered(server: Server) -> None:
    status, page, headers = server.ask("GET", "")
    assert status == 200
    assert page.startswith("<!doctype html>")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert json.loads(server.ask("GET", "files")[1]) == {"files": [{"name": "web-1.yaml", "text": GUEST}]}
    status, answer = server.render()
    assert status == 200
    assert json.loads(answer)["guests"] == ["web-1"]


@pytest.mark.parametrize("path", ["", "page.css", "page.js", "files", "nothing"])
def test_headers_keep_others_out(path: str, server: Server) -> None:
    headers = server.ask("GET", path)[2]
    assert headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert not [name for name in headers if name.startswith("Access-Control")]


def test_the_token_is_long_and_another_one_each_time(server: Server) -> None:
    assert len(server.token) >= 43  # 256 bits
    with Preview(Looker((), ("example.yaml",), {}), example=True, show_secrets=False) as made:
        other = Server(made.url)
        assert other.token != server.token
        asked = threading.Thread(target=made.handle_request)
        asked.start()
        assert other.ask("GET", f"/{server.token}/", whole=True)[0] == 403
        asked.join(PATIENCE)


@pytest.mark.parametrize("path", ["/", "/{token}", "/x/{token}/", "/{short}/", "/{token}x/", "/{other}/", "/ü/", "*"])
@pytest.mark.parametrize("rest", ["", "files", "page.js", "events"])
def test_without_the_token_nothing_is_told(path: str, rest: str, server: Server) -> None:
    other = server.token[:-1] + ("A" if server.token[-1] != "A" else "B")
    asked = path.format(token=server.token, short=server.token[:-1], other=other).encode().decode("latin-1")
    # http.client sends ASCII only: this is what a socket would.
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(f"GET {asked}{rest} HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode("latin-1"))
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert answer.endswith(b"\r\n\r\nForbidden\n")


@pytest.mark.parametrize("path", ["", "files"])
@pytest.mark.parametrize(
    "host",
    [
        "localhost:{port}",
        "evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        "evil.example",
        "",
        "127.0.0.2:{port}",
        None,
    ],
)
def test_another_host_is_refused(path: str, host: str | None, server: Server) -> None:
    """Such as the name of a site that has been pointed at 127.0.0.1 since its page was loaded."""
    named = host.format(port=server.port) if host is not None else None
    assert server.ask("GET", path, Host=named)[:2] == (403, "Forbidden\n")
    assert server.render(Host=named, Origin=f"http://{named}") == (403, "Forbidden\n")
    assert server.render(Host=named) == (403, "Forbidden\n")


def test_two_hosts_are_refused(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        hosts = f"Host: {server.host}\r\nHost: evil.example\r\n"
        connection.sendall(f"GET /{server.token}/ HTTP/1.1\r\n{hosts}\r\n".encode())
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 403")


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://{host}",
        "http://{host}.evil.example",
        "",
        "file://",
    ],
)
def test_another_origin_is_refused(origin: str, server: Server) -> None:
    sent = origin.format(host=server.host)
    assert server.render(Origin=sent) == (403, "Forbidden\n")
    assert server.ask("GET", "files", Origin=sent)[:2] == (403, "Forbidden\n")


def test_what_changes_nothing_may_be_asked_without_an_origin_but_no_guest_be_sent(server: Server) -> None:
    assert server.ask("GET", "files")[0] == 200
    assert server.render(Origin=None) == (403, "Forbidden\n")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_browsers_say_that_another_site_asks(site: str, server: Server) -> None:
    assert server.ask("GET", "", Sec_Fetch_Site=site)[0] == 403
    assert server.render(Sec_Fetch_Site=site)[0] == 403


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
def test_what_a_form_can_send_is_refused(kind: str | None, server: Server) -> None:
    assert server.render(Content_Type=kind)[0] == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "CONNECT"])
def test_other_methods_are_refused(method: str, server: Server) -> None:
    assert server.ask(method, "files", Origin=server.origin)[0] == 501


def test_large_guests_are_refused(server: Server) -> None:
    fits = json.dumps({"texts": {"web-1.yaml": GUEST.ljust(1_000_000)}, "guest": None, "before": None})
    assert server.render(fits)[0] == 200
    assert server.render("", Content_Length=str((1 << 20) + 1))[0] == 413
    assert server.render("", Content_Length="9" * 5000)[0] == 413
    for length in ("-1", "x", "1_0", "٣", ""):
        assert server.render("", Content_Length=length.encode().decode("latin-1"))[0] == 411
    assert server.render("", Content_Length=None, Transfer_Encoding="chunked")[0] == 411


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "null",
        '{"texts": []}',
        '{"texts": {"web-1.yaml": 1}}',
        '{"texts": {}, "guest": 1}',
        '{"texts": {}, "before": []}',
        "[" * 100_000,
        b"\xff",
    ],
    ids=lambda body: str(body)[:20],
)
def test_what_the_page_would_not_ask(body: Any, server: Server) -> None:
    assert server.render(body)[0] == 400


@pytest.mark.parametrize(
    "text", ["\ud800", "\x00", "", "[" * 5000, "a: &a [*a]", "!!python/object/apply:os.system [ls]"]
)
def test_guests_that_are_none(text: str, server: Server) -> None:
    status, answer = server.render(json.dumps({"texts": {"web-1.yaml": text}}))
    assert status == 200
    assert len(json.loads(answer)["problems"]) == 1


def test_many_guests_are_not_all_rendered(server: Server) -> None:
    text = "".join(f"name: g{number}\n---\n" for number in range(501)) + "name: last\n"
    answer = json.loads(server.render(json.dumps({"texts": {"web-1.yaml": text}, "guest": "g7"}))[1])
    assert len(answer["guests"]) == 500
    assert answer["guest"] == "g7"
    assert [problem["said"] for problem in answer["problems"]] == [
        "web-1.yaml: here and after it, guests are left out: these are 500 already [file]"
    ]


@pytest.mark.parametrize(
    "path",
    [
        "web-1.yaml",
        "../files",
        "%66iles",
        "answers.py",
        "../answers.py",
        "page.html",
        "template",
        "template?name=/etc/passwd",
        "template?name=../kvmrender/cli/main.py",
        "template?name=guest.schema.yaml",
        "template?name=web-1.yaml",
        "render",
    ],
)
def test_no_other_file_is_served(path: str, server: Server) -> None:
    status, answer, _ = server.ask("GET", path)
    assert status in (400, 404)
    assert answer in ("Bad Request\n", "Not Found\n")


def test_other_guests_than_those_that_were_named_are_not_read(server: Server) -> None:
    answer = json.loads(server.render(json.dumps({"texts": {"other.yaml": "name: x\n"}}))[1])
    assert answer["guests"] == ["web-1"]


def test_templates_are_served(server: Server, run: Run) -> None:
    status, answer, _ = server.ask("GET", "template?name=devices/disk.xml.j2")
    assert status == 200
    assert json.loads(answer)["text"] == run("templates", "show", "devices/disk.xml.j2").stdout


def test_it_listens_on_one_address(server: Server) -> None:
    """Not on all of the machine's, of which 127.0.0.2 is one."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), PATIENCE)
    if socket.has_ipv6:
        with pytest.raises(OSError, match=r"refused|unavailable|assign|unreachable"):
            socket.create_connection(("::1", server.port), PATIENCE)


def test_a_port_that_is_taken(server: Server, run: Run) -> None:
    result = run("preview", "--port", server.port)
    assert (result.exit_code, result.stderr) == (2, f"port {server.port} of 127.0.0.1: Address already in use\n")


def test_pages_that_listen_are_few(server: Server) -> None:
    open_ones = []
    try:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            open_ones.append(connection)
            connection.request("GET", f"/{server.token}/events", headers={"Host": server.host})
            response = connection.getresponse()
            if response.status != 200:
                break
            assert response.getheader("Content-Type") == "text/event-stream"
            assert response.readline() == b"data: 0\n"
        assert response.status == 503
        assert len(open_ones) == 17
    finally:
        for connection in open_ones:
            connection.close()


def test_it_stays_usable_for_its_owner_under_a_thousand_idle_connections(tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 2048:
        pytest.skip(f"needs 1,000 open files: the limit is {most}")
    (tmp_path / "web-1.yaml").write_text(GUEST)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with at_a_terminal(tmp_path, "preview", "web-1.yaml") as terminal:  # with the limit that there was
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(2048, before[0]), most))
        idle: list[socket.socket] = []
        try:
            server = Server(terminal.expect(r"http://[^\n]* \(Ctrl-C ends\)\n").split()[0])
            owner = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            owner.request("GET", f"/{server.token}/events", headers={"Host": server.host})
            events = owner.getresponse()
            for number in range(1000):
                idle.append(socket.create_connection(("127.0.0.1", server.port), PATIENCE))
                if number % 2:  # a part of a request
                    idle[-1].sendall(b"GET / HTTP/1.1\r\n")
            for _ in range(3):
                assert server.ask("GET", "files")[0] == 200
                assert json.loads(server.render()[1])["guests"] == ["web-1"]
            assert len(list(Path(f"/proc/{terminal.process.pid}/task").iterdir())) < 200
            assert events.readline() == b"data: 0\n"  # who listens is not idle
            (tmp_path / "web-1.yaml").write_text(GUEST.replace("1 GiB", "2 GiB"))
            while b"data: 1\n" not in events.readline():
                pass
            idle[0].settimeout(PATIENCE)
            assert idle[0].recv(1) == b""  # that for longest was closed first
        finally:
            for connection in idle:
                connection.close()
            owner.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        terminal.type("\x03")
        assert terminal.end() == (130, "^C\n")


def test_an_idle_connection_is_closed_in_time(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kvmrender.look.preview.server._Handler.timeout == kvmrender.look.preview.server.IDLE
    monkeypatch.setattr(kvmrender.look.preview.server._Handler, "timeout", 0.1)
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as connection:
        connection.sendall(f"GET /{server.token}/files HTTP/1.1\r\nHost: {server.host}\r\n\r\n".encode())
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 200")  # to its end


EVIL = """\
<!doctype html><title>evil</title>
<iframe src="{url}"></iframe>
<form id="form" method="post" target="frame" action="{url}render" enctype="text/plain"><input name="a" value="b"></form>
<iframe name="frame"></iframe>
<script src="{url}page.js"></script>
<script>
const done = [];
const ask = (path, options) => fetch("{url}" + path, options).then(
    (answer) => answer.type === "opaque" ? "opaque" : answer.text(), (error) => "refused");
const question = JSON.stringify({{texts: {{"web-1.yaml": "name: taken"}}}});
const json = {{"Content-Type": "application/json"}};
Promise.all([
    ask("files"),
    ask("files", {{mode: "no-cors"}}),
    ask("render", {{method: "POST", body: question, headers: json}}),
    ask("render", {{method: "POST", body: question, mode: "no-cors"}}),
    new Promise((done) => {{
        const events = new EventSource("{url}events");
        events.onerror = () => done("refused");
        events.onmessage = () => done("told");
    }}),
]).then((answers) => {{
    document.getElementById("form").submit();
    setTimeout(() => {{ window.answers = answers; }}, 500);
}});
</script>
"""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_page_of_another_site_can_do_nothing(host: str, server: Server, browser: Any, tmp_path: Path) -> None:
    """Even one that knows the token, in a real browser."""
    from selenium.webdriver.support.ui import WebDriverWait

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    (tmp_path / "index.html").write_text(EVIL.format(url=server.url))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        browser.get_log("performance")
        browser.get(f"http://{host}:{other.server_port}/")
        answers = WebDriverWait(browser, PATIENCE).until(lambda found: found.execute_script("return window.answers"))
        frames = browser.execute_script("return [...document.querySelectorAll('iframe')].length")
        other.shutdown()
    assert frames == 2
    assert set(answers) == {"refused"}
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    statuses = [
        message["params"]["response"]["status"]
        for message in messages
        if message["method"] == "Network.responseReceived"
        and message["params"]["response"]["url"].startswith(server.url)
    ]
    assert statuses
    assert set(statuses) <= {403, 501}
    browser.get("about:blank")
    browser.get_log("browser")  # what was refused


def test_the_frame_of_another_site_stays_empty(server: Server, browser: Any, tmp_path: Path) -> None:
    (tmp_path / "frame.html").write_text(f'<!doctype html><iframe src="{server.url}"></iframe>')
    browser.get((tmp_path / "frame.html").as_uri())
    browser.switch_to.frame(0)
    assert "Guest" not in browser.find_element("tag name", "html").text
    browser.switch_to.default_content()
    browser.get("about:blank")
    browser.get_log("browser")  # that it was refused
