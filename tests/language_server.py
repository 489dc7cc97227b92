"""A client of yaml-language-server, as an editor is one: JSON-RPC over standard input and output."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools import node


class Client:
    """Speaks to a server that has been started in a folder; ``settings`` is what the editor is set to."""

    def __init__(self, server: subprocess.Popen[bytes], folder: Path, settings: dict[str, Any]) -> None:
        self._server, self._folder, self._settings = server, folder, settings
        self._number = 0
        self.told: list[dict[str, Any]] = []
        folders = [{"uri": folder.as_uri(), "name": "site"}]
        client = {
            "workspace": {"configuration": True, "workspaceFolders": True},
            "textDocument": {
                "completion": {"completionItem": {"snippetSupport": True}},
                "hover": {"contentFormat": ["markdown"]},
                "publishDiagnostics": {},
            },
        }
        self.ask(
            "initialize",
            {"processId": None, "rootUri": folder.as_uri(), "workspaceFolders": folders, "capabilities": client},
        )
        self.tell("initialized", {})
        self.tell("workspace/didChangeConfiguration", {"settings": settings})
        while self._next().get("method") != "workspace/configuration":
            pass

    def tell(self, method: str, parameters: Any) -> None:
        """Send a notification."""
        self._send({"method": method, "params": parameters})

    def ask(self, method: str, parameters: Any) -> Any:
        """Send a request, and return its result."""
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": parameters})
        while (message := self._next()).get("id") != number or "method" in message:
            pass
        assert "error" not in message, message
        return message["result"]

    def open(self, name: str, text: str) -> dict[str, Any]:
        """Open a file with a text, and return how the server is to be told of it."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        document = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return {"uri": path.as_uri()}

    def diagnostics(self, document: dict[str, Any]) -> list[dict[str, Any]]:
        """Wait for what the server says of a file."""
        while True:
            for message in self.told:
                if (
                    message["method"] == "textDocument/publishDiagnostics"
                    and message["params"]["uri"] == document["uri"]
                ):
                    self.told.remove(message)
                    return list(message["params"]["diagnostics"])
            self._next()

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self._server.stdin.flush()

    def _next(self) -> dict[str, Any]:
        """Read a message; what the server asks is answered, and what it tells is kept."""
        assert self._server.stdout is not None
        length = 0
        while (line := self._server.stdout.readline()) not in (b"\r\n", b""):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        assert length, "the server has ended"
        message: dict[str, Any] = json.loads(self._server.stdout.read(length))
        if "method" in message and "id" in message:
            self._send({"id": message["id"], "result": self._answer(message)})
        elif "method" in message:
            self.told.append(message)
        return message

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] != "workspace/configuration":
            return None
        return [self._settings.get(item.get("section", "")) for item in message["params"]["items"]]


@contextmanager
def language_server(folder: Path, settings: dict[str, Any]) -> Iterator[Client]:
    """Start the server in a folder, and end it."""
    found = node()
    script = found["modules"] / "yaml-language-server/bin/yaml-language-server"
    with subprocess.Popen(
        [found["node"], script, "--stdio"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            yield Client(server, folder, settings)
        finally:
            server.kill()
