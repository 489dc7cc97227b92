"""Custom templates in a separate process.

The process and its limits are in ``limited_process``, its functions in ``serving``. If it ends, only the current guest
is lost: a new process renders the next one.

Requests are marshalled; responses are JSON of limited size, and are validated.
"""

from __future__ import annotations

import json
import marshal
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path as FilePath
from threading import Lock
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from kvmrender.errors import Error, GuestError, LimitError, Path, Problem, TemplateError
from kvmrender.templating import serving
from kvmrender.templating.limited_process import EndError, LimitedProcess
from kvmrender.templating.observed import Observed

if TYPE_CHECKING:
    from kvmrender.schema.guest_schema import GuestSchema
    from kvmrender.templating.stack import Stack

Result = TypeVar("Result")

MOST_LEVELS = 200
"""Maximum nesting depth of a guest given in Python."""
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in ', re.MULTILINE)


class Isolated:
    """A proxy for an engine of ``stack`` in a separate process, which is started when first needed and restarted after
    it ends. Threads can share it: they take turns. A fork starts its own process.

    All methods raise the exceptions of an Engine, and LimitError if the process exceeded a limit or crashed.
    """

    def __init__(self, stack: Stack, kind: type[Any]) -> None:
        self._stack, self._kind = stack, kind
        self._owner, self._lock = os.getpid(), Lock()
        self._process: LimitedProcess | None = None
        self._schema: GuestSchema | None = None

    @property
    def schema(self) -> GuestSchema:
        """The schema of the guests."""
        from kvmrender.schema.guest_schema import GuestSchema

        if self._schema is None:
            root, architectures, names, is_shipped = self._ask(serving.schema)
            self._schema = GuestSchema(_mapping(root), _mapping(architectures), _mapping(names), is_shipped is True)
        return self._schema

    def context(self, guest: Any) -> dict[str, Any]:
        """As ``Engine.context``."""
        return self._about(guest, serving.context, _named)

    def rendered(self, guest: Any) -> tuple[dict[str, Any], str, tuple[Problem, ...]]:
        """As ``Engine.rendered``."""
        return self._about(guest, serving.rendered, _rendered)

    def observed(self, guest: Any) -> Observed:
        """As ``Engine.observed``."""
        return self._about(guest, serving.observed, _observed)

    def run(self, function: Callable[..., Result], *arguments: Any) -> Result:
        """Return the result, as JSON, of a module's function with the process's engine and these arguments."""
        found: Result = self._ask(function, *arguments)
        return found

    def _about(self, guest: Any, function: Callable[..., Any], believed: Callable[[Any], Result]) -> Result:
        found: Result = self._ask(function, guest, guest=guest, believed=believed)
        return found

    def _ask(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        guest: Any = None,
        believed: Callable[[Any], Any] = lambda found: found,
    ) -> Any:
        if self._owner != os.getpid():  # the process belongs to the parent of this fork
            self._owner, self._lock, self._process = os.getpid(), Lock(), None
        request = _request(function, arguments)
        with self._lock:
            try:
                try:
                    if self._process is None:
                        self._process = LimitedProcess(self._stack, self._kind)
                    answer = self._process.ask(request)
                    kind, *found = json.loads(answer)
                    if kind == "found":
                        return believed(*found)
                    error = _ERRORS[kind](*found)
                except (ValueError, TypeError, LookupError, RecursionError):
                    raise EndError("returns an invalid response", "") from None
            except EndError as end:
                self._end(is_busy=True)
                raise self._limit(end, guest) from None
            except BaseException:
                self._end(is_busy=True)
                raise
            if isinstance(error, LimitError):  # it may have little memory left for the next one
                self._end()
        raise error

    def _end(self, is_busy: bool = False) -> None:
        if self._process is not None:
            self._process.end(is_busy)
            self._process = None

    def _limit(self, end: EndError, guest: Any) -> LimitError:
        """Return the error for the end of a process, with the position from its crash report, or the template that it
        would have started with."""
        of = guest if isinstance(guest, dict) else {}
        name = of["name"] if isinstance(of.get("name"), str) else None
        file, line = self._where(end.said)
        if file is None:
            file = self._likely(of, end.said)
        return LimitError(str(end), file, line, name)

    def _where(self, said: str) -> tuple[str | None, int | None]:
        for file, number in _FRAME.findall(said):
            folder = self._stack.folder(file)
            if file.endswith(".j2") and FilePath(file).is_relative_to(folder):
                name = FilePath(file).relative_to(folder).as_posix()
                try:
                    answer = json.loads(_once(self._stack, self._kind, serving.line, name, file, int(number)))
                    return file, answer[1] if type(answer[1]) is int else None
                except (EndError, ValueError, LookupError):
                    return file, None
        return None, None

    def _likely(self, guest: dict[str, Any], said: str) -> str:
        from kvmrender.schema.guest_schema import ROOT
        from kvmrender.templating.stack import TEMPLATE

        if self._schema is None or not guest:
            return str(self._stack.own[0])
        if not self._schema.is_shipped and any(
            file.endswith("kvmrender/checks/checked_context.py") for file, _ in _FRAME.findall(said)
        ):
            return str(self._stack.files(ROOT)[0])
        arch = guest.get("arch") or self._schema.root["properties"]["arch"]["default"]
        files = self._stack.files(f"{self._schema.names.get(arch) if isinstance(arch, str) else ''}{TEMPLATE}")
        return str(files[0] if files else self._stack.own[0])


def _once(stack: Stack, kind: type[Any], function: Callable[..., Any], *arguments: Any) -> bytes:
    process = LimitedProcess(stack, kind)
    try:
        return process.ask(_request(function, arguments))
    finally:
        process.end()


def _request(function: Callable[..., Any], arguments: tuple[Any, ...]) -> bytes:
    try:
        return marshal.dumps((function.__module__, function.__qualname__, arguments))
    except ValueError:
        return marshal.dumps((function.__module__, function.__qualname__, _plain(arguments, ())))


# Responses


def _text(found: Any) -> str:
    if type(found) is not str:
        raise TypeError
    return found


def _mapping(found: Any) -> dict[str, Any]:
    if type(found) is not dict:
        raise TypeError
    return found


def _named(found: Any) -> dict[str, Any]:
    context = _mapping(found)
    _text(context["name"])
    return context


def _rendered(found: Any) -> tuple[dict[str, Any], str, tuple[Problem, ...]]:
    context, xml, notes = found
    return _named(context), _text(xml), tuple(_problem(*note) for note in notes)


def _observed(found: Any) -> Observed:
    context, xml, places, unused = found
    of = [(_path(path), _text(file)) for path, file in unused]
    return Observed(_named(context), _text(xml), [_place(place) for place in places], of)


def _path(found: Any) -> Path:
    if type(found) is not list or any(type(step) not in (str, int) for step in found):
        raise TypeError
    return tuple(found)


def _place(found: Any) -> tuple[str, int] | None:
    if found is None:
        return None
    file, line = found
    if type(line) is not int:
        raise TypeError
    return _text(file), line


def _optional(found: Any, kind: type) -> Any:
    if found is not None and type(found) is not kind:
        raise TypeError
    return found


def _problem(path: Any, message: Any, file: Any, line: Any, column: Any, at_key: Any, *more: Any) -> Problem:
    place = _optional(file, str), _optional(line, int), _optional(column, int)
    related, check, level = more
    of = tuple(map(_path, related)), _text(check), _text(level)
    return Problem(_path(path), _text(message), *place, at_key is True, *of)


def _template_error(
    kind: type[TemplateError], message: Any, file: Any, line: Any, guest: Any, field: Any, source: Any, chain: Any
) -> TemplateError:
    of = _optional(file, str), _optional(line, int), _optional(guest, str)
    return kind(_text(message), *of, _path(field), _optional(source, str), list(map(_text, chain)))


def _raise_end(message: Any) -> NoReturn:
    raise EndError(_text(message), "")


_ERRORS: dict[str, Callable[..., Error]] = {
    "guest": lambda problems, more: GuestError([_problem(*found) for found in problems], int(more)),
    "template": lambda *parts: _template_error(TemplateError, *parts),
    "limit": lambda *parts: _template_error(LimitError, *parts),
    "error": lambda message: Error(_text(message)),
    "end": _raise_end,
}


def _plain(value: Any, path: Path) -> Any:
    """Return a value with subclasses converted to types of guest files. Raises GuestError for other types."""
    if len(path) > MOST_LEVELS:
        raise GuestError([Problem(path[1:2], "is nested without end")])
    if isinstance(value, Mapping):
        return {_plain(key, path): _plain(item, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        found = [_plain(item, (*path, number)) for number, item in enumerate(value)]
        return found if isinstance(value, list) else tuple(found)
    if isinstance(value, str):
        return str.__str__(value)
    try:
        marshal.dumps(value)
    except ValueError:
        for known in (int, float):
            if isinstance(value, known):
                return known(value)
        raise GuestError([Problem(path[1:], f"{type(value).__name__} is not a value that a guest can have")]) from None
    return value
