"""Server of the preview page, for the browser of the user who started it only.

It listens only on 127.0.0.1. Other users and pages of other sites do not know the token in the URL. A host name that
resolves to 127.0.0.1 is refused by its Host header, and cross-site requests are refused even with the token.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from socket import SHUT_RDWR, socket
from threading import Condition, Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from kvmrender.errors import Error
from kvmrender.look.changed_files import Follower
from kvmrender.look.live_results import Looker
from kvmrender.look.preview.answers import Answers, BadRequestError
from kvmrender.terminal import say

HOST = "127.0.0.1"
MOST_BYTES = 1 << 20
"""Maximum size of a request: guests are small."""
MOST_LISTENERS = 16
"""Maximum number of pages that are notified of changes at a time."""
MOST_IDLE = 64
"""Maximum number of idle connections; beyond it, the one that has been idle longest is closed."""
IDLE = 30
"""Seconds after which an idle connection is closed."""
HEARTBEAT = 15
"""Seconds between heartbeats to a page, which detect closed pages."""

PAGES = {
    "": ("page.html", "text/html; charset=utf-8"),
    "page.css": ("page.css", "text/css; charset=utf-8"),
    "page.js": ("page.js", "text/javascript; charset=utf-8"),
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Preview(ThreadingHTTPServer):
    """Serve the page for the guests of ``looker`` on a port of 127.0.0.1, a free one for 0. Raises Error."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, looker: Looker, example: bool, show_secrets: bool, port: int = 0) -> None:
        for name in () if example else looker.files:
            _refuse_unreadable(name)
        self._follower = Follower(() if example else looker.watched, looker.engine.stack, "preview")
        self._guests = set(map(Path, looker.watched))
        self.answers = Answers(looker, example, show_secrets)
        self.token = secrets.token_urlsafe(32)
        self.stopped = Event()
        self._changed = Condition()
        self._version = self.listeners = 0
        self._idle: dict[socket, None] = {}  # sorted by idle time, longest first
        self._idle_lock = Lock()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise Error(f"port {port} of {HOST}: {error.strerror}") from None

    @property
    def origin(self) -> str:
        """The only origin that requests may have."""
        return f"http://{HOST}:{self.server_port}"

    @property
    def url(self) -> str:
        """The URL of the page, with the token."""
        return f"{self.origin}/{self.token}/"

    def run(self) -> None:
        """Serve, and follow the files, until interrupted."""
        following = Thread(target=self._follow, daemon=True)
        following.start()
        try:
            self.serve_forever()
        finally:
            self.stopped.set()
            with self._changed:
                self._changed.notify_all()
            following.join(2)
            self.server_close()

    def _follow(self) -> None:
        for changed in self._follower.changes(self.stopped):
            if changed - self._guests:
                self.answers.reread()
            with self._changed:
                self._version += 1
                self._changed.notify_all()

    def next_version(self, known: int) -> int:
        """Wait for a change since a version, at most for a heartbeat, and return the version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != known or self.stopped.is_set(), HEARTBEAT)
            return self._version

    def listen(self, more: int) -> bool:
        """Count a page that listens for changes (1), or one that has stopped (-1). Return whether there is room for
        it."""
        with self._changed:
            if self.listeners + more > MOST_LISTENERS:
                return False
            self.listeners += more
            return True

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a new connection in its own thread."""
        self.rest(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self.work(request)
        super().shutdown_request(request)

    def work(self, connection: socket) -> None:
        """Mark a connection as not idle: it has the token, or is about to be closed."""
        with self._idle_lock:
            self._idle.pop(connection, None)

    def rest(self, connection: socket) -> None:
        """Mark a connection as idle until its next request with the token, and close the oldest if there are too
        many."""
        with self._idle_lock:
            self._idle[connection] = None
            while len(self._idle) > MOST_IDLE:
                oldest = next(iter(self._idle))
                del self._idle[oldest]
                with suppress(OSError):  # its thread reads the end and closes it
                    oldest.shutdown(SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log the error of a request, unless the browser has disconnected."""
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, TimeoutError)):
            say(f"preview: {error!r}")


class _Handler(BaseHTTPRequestHandler):
    server: Preview
    protocol_version = "HTTP/1.1"
    server_version = "kvmrender"
    sys_version = ""
    timeout = IDLE

    def handle_one_request(self) -> None:
        """Handle a request, and wait for the next one."""
        super().handle_one_request()
        self.server.rest(self.connection)

    def do_GET(self) -> None:
        """Return a part of the page, or requested data."""
        if (path := self._path()) is None:
            return
        url = urlsplit(path)
        if url.path in PAGES:
            name, kind = PAGES[url.path]
            self._send((files("kvmrender.look.preview") / name).read_bytes(), kind)
        elif url.path == "files":
            self._answer(self.server.answers.files)
        elif url.path == "template":
            name = parse_qs(url.query).get("name", [""])[0]
            self._answer(lambda: self.server.answers.template(name))
        elif url.path == "events":
            self._events()
        else:
            self._refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Return the results of edited guests."""
        path = self._path(must_have_origin=True)
        if path is None:
            return
        if path != "render":
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        if self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            return
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self._refuse(HTTPStatus.LENGTH_REQUIRED)
            return
        if len(length) > len(str(MOST_BYTES)) or int(length) > MOST_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        try:
            asked = json.loads(self.rfile.read(int(length)))
        except (ValueError, RecursionError):
            self._refuse(HTTPStatus.BAD_REQUEST)
            return
        self._answer(lambda: self.server.answers.render(asked))

    def _path(self, must_have_origin: bool = False) -> str | None:
        """Return the path after the token, or refuse the request and return None."""
        origin = self.headers.get_all("Origin", [] if must_have_origin else [self.server.origin])
        site = self.headers.get("Sec-Fetch-Site", "none")
        token, slash, path = self.path.removeprefix("/").partition("/")
        known = (
            self.headers.get_all("Host") == [self.server.origin.removeprefix("http://")]
            and origin == [self.server.origin]
            and site in ("same-origin", "none")
            and slash
            and secrets.compare_digest(token.encode(errors="replace"), self.server.token.encode())
        )
        if not known:
            self._refuse(HTTPStatus.FORBIDDEN)
            return None
        self.server.work(self.connection)
        return path

    def _answer(self, answer: Callable[[], dict[str, Any]]) -> None:
        try:
            found = answer()
        except BadRequestError:
            self._refuse(HTTPStatus.BAD_REQUEST)
        except Error as error:
            self._send(json.dumps({"error": str(error)}).encode(), "application/json")
        else:
            self._send(json.dumps(found).encode(), "application/json")

    def _events(self) -> None:
        """Send changes to the page as server-sent events while it listens."""
        if not self.server.listen(1):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        self.close_connection = True
        try:
            self._head(HTTPStatus.OK, "text/event-stream")
            version = -1
            while not self.server.stopped.is_set():
                before, version = version, self.server.next_version(version)
                self.wfile.write(f"data: {version}\n\n".encode() if version != before else b": well\n\n")
        finally:
            self.server.listen(-1)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self._head(status, kind, len(body))
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, kind: str, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()

    def _refuse(self, status: HTTPStatus) -> None:
        self.close_connection = True  # the rest of the request is not read
        self._send(f"{status.phrase}\n".encode(), "text/plain; charset=utf-8", status)

    def log_message(self, *_: object) -> None:
        """Disable access logs."""


def _refuse_unreadable(name: str) -> None:
    try:
        with Path(name).open("rb"):
            pass
    except OSError as error:
        raise Error(f"{name}: {error.strerror}") from None


def serve(looker: Looker, example: bool, show_secrets: bool, port: int) -> None:
    """Serve the page until interrupted; its URL is written to standard error. Raises Error."""
    preview = Preview(looker, example, show_secrets, port)
    say(f"{preview.url} (Ctrl-C ends)")
    preview.run()
