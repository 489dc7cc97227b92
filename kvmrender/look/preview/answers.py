"""Responses to the page: guest files, XML of a guest with its templates, problems, and sources of templates."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path
from threading import Lock
from typing import Any

from kvmrender.errors import Error, Problem, TemplateError
from kvmrender.look.explain import template_name
from kvmrender.look.live_results import Look, Looker
from kvmrender.look.preview.colours import coloured
from kvmrender.reading.size_limits import MAX_SIZE
from kvmrender.schema.secrets import xml_secrets
from kvmrender.templating.stack import TEMPLATE

Answer = dict[str, Any]
"""A JSON object."""

MOST_GUESTS = 500
"""Maximum number of guests that are rendered on each keystroke; others are left out."""
EXAMPLE = "example.yaml"
EXAMPLE_GUEST = """\
# An example: what is edited here is not written to any file.
name: web-1
memory: 4 GiB
disks:
- source: /var/lib/libvirt/images/web-1.qcow2
interfaces:
- source: br0
"""


class BadRequestError(Exception):
    """An invalid request."""


class Answers:
    """Answer requests of the page about the guests of ``looker``, one at a time. Nothing is written to files.

    ``example`` means that there are no files, only an example guest. Unless ``show_secrets``, secrets in the XML are
    masked with ***.
    """

    def __init__(self, looker: Looker, example: bool, show_secrets: bool) -> None:
        self._looker, self._example, self._show_secrets = looker, example, show_secrets
        self._lock = Lock()

    def reread(self) -> None:
        """Read the templates and the schema again when they are next needed."""
        with self._lock:
            self._looker.reread()

    def files(self) -> Answer:
        """Return the guest files with their text on disk, null for one that can't be read."""
        if self._example:
            return {"files": [{"name": EXAMPLE, "text": EXAMPLE_GUEST}]}
        return {"files": [{"name": name, "text": _text(name)} for name in self._looker.files]}

    def render(self, asked: Any) -> Answer:
        """Return the results of guests whose texts may have been edited.

        ``asked`` is ``{"texts": {NAME: TEXT}, "guest": NAME or null, "before": XML}``. With ``"files": true``, the
        files of the guests are returned too, and with ``"file": NAME`` the highlighting of that text. Raises
        BadRequestError.
        """
        texts, wanted, before = _asked(asked)
        known = {
            name: text.encode("utf-8", "surrogatepass") for name, text in texts.items() if name in self._looker.files
        }
        with self._lock:
            look = self._looker.trace(known, wanted, MOST_GUESTS)
            answer: Answer = {"guests": list(look.xml), "guest": look.traced, "lines": [], "diff": []}
            if asked.get("files"):
                answer["files"] = look.files
            if look.traced is not None:
                xml = self._masked(look.xml[look.traced], look.secrets.get(look.traced))
                answer |= {"lines": self._lines(xml, look), "xml": xml, "diff": _diff(before, xml)}
                answer["colours"] = coloured(xml.removesuffix("\n"), "xml")
            if isinstance(file := asked.get("file"), str) and file in texts:
                answer["text"] = coloured(texts[file], "json" if file.endswith((".json", ".jsonl")) else "yaml")
            return answer | {"problems": [*self._problems(look)], "more": look.more}

    def template(self, name: str) -> Answer:
        """Return the source of a template in use. Raises BadRequestError for other files."""
        with self._lock:
            stack = self._looker.engine.stack
            for known in stack.names(TEMPLATE):
                for file in (*stack.files(known), *stack.files(f"shipped/{known}")):
                    if template_name(stack, str(file)) == name:
                        text = file.read_text(errors="replace")
                        return {"name": name, "text": text, "colours": coloured(text, "template")}
        raise BadRequestError(f"{name}: is not a template")

    def _masked(self, xml: str, known: list[str] | None) -> str:
        if self._show_secrets:
            return xml
        secrets = xml_secrets(self._looker.engine.schema.root)
        return secrets.masked(xml) if known is None else secrets.masker(known)(xml)

    def _lines(self, xml: str, look: Look) -> list[tuple[str, str | None, int | None]]:
        """Return each line of the XML with the template and line that wrote it."""
        stack = self._looker.engine.stack
        found = []
        for line, place in zip(xml.removesuffix("\n").split("\n"), look.places, strict=False):
            found.append((line, template_name(stack, place[0]) if place else None, place[1] if place else None))
        return found

    def _problems(self, look: Look) -> list[Answer]:
        found = [self._problem(problem) for problem in (*look.problems, *look.notes)]
        return [*found, self._error(look.error)] if look.error is not None else found

    def _problem(self, problem: Problem) -> Answer:
        in_guest = problem.file in self._looker.files
        return {
            "file": problem.file,
            "line": problem.line if in_guest else None,
            "column": problem.column if in_guest else None,
            "id": problem.id,
            "level": problem.level,
            "message": str(problem.at(None, None)),
            "said": str(problem),
        }

    def _error(self, error: Error) -> Answer:
        found: Answer = {"file": None, "line": None, "column": None, "id": "template", "level": "error"}
        found |= {"message": str(error), "said": str(error)}
        if isinstance(error, TemplateError) and error.template and error.template.endswith(TEMPLATE):
            stack = self._looker.engine.stack
            found |= {"template": template_name(stack, error.template), "templateLine": error.line}
        return found


def _text(name: str) -> str | None:
    try:
        with Path(name).open("rb") as file:
            return file.read(MAX_SIZE).decode("utf-8-sig", "replace")
    except OSError:
        return None


def _asked(asked: Any) -> tuple[dict[str, str], str | None, str]:
    """Return the parts of a request. Raises BadRequestError if it is invalid."""
    if not isinstance(asked, dict):
        raise BadRequestError("is not an object")
    texts, wanted, before = asked.get("texts"), asked.get("guest"), asked.get("before")
    if not isinstance(texts, dict) or not all(isinstance(text, str) for text in texts.values()):
        raise BadRequestError("texts are not texts")
    if not isinstance(wanted, str | None) or not isinstance(before, str | None):
        raise BadRequestError("guest or before is no text")
    return texts, wanted, before or ""


def _diff(before: str, after: str) -> list[str]:
    """Return the lines of a diff without the file names; empty if there is no difference or no previous version."""
    if not before:
        return []
    return [line.rstrip("\n") for line in unified_diff(before.splitlines(True), after.splitlines(True))][2:]
