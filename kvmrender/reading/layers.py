"""Layers: the values of a guest override those of its defaults, and --set overrides both.

Mappings are merged recursively; lists and scalars replace those below, and so does null, which removes a default.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from kvmrender.errors import GuestError, Path, Problem, brief, nearest, path_string
from kvmrender.reading.parse import MAX_DEPTH, RefusedError, from_yaml
from kvmrender.schema.guest_schema import FREE, Node, inner, value_at
from kvmrender.schema.near_fields import key_hint
from kvmrender.schema.secrets import MASK, Secrets, holds_secrets
from kvmrender.schema.shorthand import by_type, expander, forms

OPTION, IGNORE = "--set", "--ignore"

_STEP = re.compile(r"(?:\A|\.)([^.\[\]=]+)|\[([0-9]{1,9}|[+])\]")
END = -1
"""The step to the position after the last item of a list, written ``[+]``."""
_PATH = re.compile(rf"(?:{_STEP.pattern})+\Z")


class _Whole(dict[str, Any]):
    """A mapping over a value that isn't one: in any layer, it replaces the value below."""


class Appended(dict[str | int, Any]):
    """The items of a list, by their positions, that come after those of the layers below: ``disks[+]``."""

    def over(self, lower: Any) -> list[Any]:
        """Return the list of what is below and of these items."""
        below = lower if isinstance(lower, (list, tuple)) else [] if lower is None else [lower]
        return [*below, *self.values()]


BEGIN = "{{"
"""Begins an expression in a text."""
MORE = "[+]"
"""What follows a key whose items are appended."""


def with_appended(value: Any) -> Any:
    """Return a value as written with the items of keys such as ``disks[+]`` under the names of their lists."""
    if isinstance(value, list):
        return [with_appended(item) for item in value]
    if not isinstance(value, dict):
        return value
    result: dict[str, Any] = {}
    for key, item in value.items():
        name = key.removesuffix(MORE) if isinstance(key, str) else key
        if name in result or (name != key and name in value):
            return value  # both: the unknown key is refused
        item = with_appended(item)
        if name != key:
            item = Appended(enumerate(item if isinstance(item, list) else [item]))
        result[name] = item
    return result


def appended_places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of lists in a guest as written whose items are appended."""
    for key, item in value.items() if isinstance(value, dict) and not isinstance(value, Appended) else ():
        if isinstance(item, Appended):
            yield (*path, key)
        yield from appended_places(item, (*path, key))


def bottom(value: Any) -> dict[str, Any]:
    """Return a layer with empty lists, over which what is appended becomes a list."""
    found: dict[str, Any] = {}
    for *above, last in appended_places(value):
        inside = found
        for step in above:
            inside = inside.setdefault(str(step), {})
        inside[str(last)] = []
    return found


def settled(value: Any) -> Any:
    """Return a guest without marks of what is appended: where nothing is below, the items are the list."""
    if isinstance(value, Appended):
        return [settled(item) for item in value.values()]
    if isinstance(value, dict):
        return {key: settled(item) for key, item in value.items()}
    return [settled(item) for item in value] if isinstance(value, list) else value


def merge(lower: Any, upper: Any) -> Any:
    """Return two layers merged. Neither is changed; merging is associative."""
    if not isinstance(upper, dict) or isinstance(upper, _Whole):
        return upper
    if isinstance(upper, Appended):
        if isinstance(lower, Appended):
            return Appended(enumerate(upper.over([*lower.values()])))
        return upper.over(lower)
    if not isinstance(lower, dict):
        return _Whole(upper)
    result = lower.copy() if type(lower) is dict else _Whole(lower)
    for key, value in upper.items():
        result[key] = merge(lower[key], value) if key in lower else value
    return result


class Said(NamedTuple):
    """The part of a path that a layer has: its path in the layer, its number of steps, and whether it replaces the
    values of layers below."""

    path: Path
    steps: int
    replaces: bool


def said(layer: Any, path: Path) -> Said:
    """Return the part of a path that a layer has."""
    here, steps, replaces = list[str | int](), 0, not isinstance(layer, dict)
    for step in path:
        if step in layer if isinstance(layer, dict) else isinstance(layer, list) and step in range(len(layer)):
            layer = layer[step]
            here.append(step)
            replaces = replaces or not isinstance(layer, dict)
        elif step != 0:  # an element alone may stand for a list of one: skip the [0]
            break
        steps += 1
    return Said(tuple(here), steps, replaces)


class Setting(NamedTuple):
    """A value for one path in every guest, from ``--set PATH=VALUE``; ``shown`` is its form in messages."""

    shown: str
    path: Path
    value: Any

    def problem(self, message: str) -> Problem:
        """Return a problem of the option itself."""
        return Problem((), message, file=f"{OPTION} {self.shown}", id="set")

    def find(self, problem: Problem) -> tuple[Said, Problem]:
        """Return the part of a problem's path, which begins with that of the setting, that is set here, and the problem
        with its position."""
        found = said(self.value, problem.path[len(self.path) :])
        placed = problem.at(f"{OPTION} {self.shown}", None)
        return Said(self.path + found.path, len(self.path) + found.steps, found.replaces), placed


def setting(root: Node, text: str, secrets: Secrets | None = None) -> Setting:
    """Read ``disks[0].driver.cache=none``: a path of keys and list positions, and a value in YAML.

    ``root`` is the schema, which must have the path; ``secrets`` knows what is secret in it, and is made where it isn't
    given. Raises GuestError.
    """
    written, equals, value = text.partition("=")
    path = tuple((END if number == "+" else int(number)) if number else key for key, number in _STEP.findall(written))
    secrets = secrets or Secrets(root)
    is_path = bool(equals and _PATH.match(written))
    is_hidden = secrets.hides_path(path) or (not is_path and secrets.hides(path))
    found = Setting(MASK if is_hidden else f"{brief(written)}{equals}{'…' if value else ''}", (), None)
    if is_hidden or not is_path:
        raise GuestError([found.problem("is not PATH=VALUE, such as disks[0].driver.cache=none")])
    if len(path) > MAX_DEPTH:
        raise GuestError([found.problem(f"is a path of more than {MAX_DEPTH} steps")])
    node = root
    for place, step in enumerate(path):
        if fault := _fault(root, node, path[:place], step):
            raise GuestError([found.problem(fault)])
        node = inner(root, node, step)
    is_hidden = secrets.hides(path, value) or holds_secrets(root, node)
    found = Setting(f"{brief(written)}={MASK if is_hidden else brief(value)}", path, None)
    try:
        values = from_yaml(value)
    except RefusedError as refused:
        said = refused.unquoted if is_hidden else refused.message
        raise GuestError([found.problem(f"the value {said}")]) from None
    if len(values) > 1:
        raise GuestError([found.problem("the value is more than one YAML document")])
    return found._replace(value=values[0] if values else None)


def _fault(root: Node, node: Node, before: Path, step: str | int) -> str | None:
    """Return why a step is invalid in the value that a node describes."""
    where = path_string((*before, step))
    if node is FREE or (node.get("type") == "object" and "properties" not in node and not forms(node)[0]):
        return None
    if node.get("type") == "array":
        return (
            None
            if isinstance(step, int)
            else f"{path_string(before)} is a list: say which, {path_string((*before, 0))}"
        )
    known = node.get("properties", {})
    if isinstance(step, int) or not known:
        return f"{where}: {path_string(before) or 'a guest'} is not a {'list' if isinstance(step, int) else 'mapping'}"
    return None if step in known else f"{where}: is not a known key{key_hint(root, before, step, known)}"


def with_settings(root: Node, guest: Any, settings: Iterable[Setting]) -> Any:
    """Return a guest as written with the settings over it. Raises GuestError if the guest has no such place."""
    copies: dict[int, Any] = {}
    for one in settings:
        try:
            guest = _with(root, root, guest, one.path, one.value, copies)
        except _NoPlaceError as error:
            raise GuestError([one.problem(str(error))]) from None
    return guest


def numbered(guest: Any, settings: Iterable[Setting]) -> list[Setting]:
    """Return settings of a guest as written, with the positions of appended items as numbers."""
    found, lengths = [], dict[Path, int]()
    for one in settings:
        path: Path = ()
        for step in one.path:
            if step == END:
                if path not in lengths:
                    there = value_at(guest, path)
                    lengths[path] = len(there) if isinstance(there, (list, tuple)) else int(there is not None)
                step = lengths[path]
                lengths[path] += 1
            path = (*path, step)
        found.append(one._replace(path=path))
    return found


def checks_to_ignore(root: Node, names: Iterable[str]) -> tuple[str, ...]:
    """Return the ids of checks that ``--ignore`` names, each once. Raises GuestError for unknown ids."""
    known = root["properties"].get("ignore", {}).get("items", {}).get("enum", ())
    found = tuple(dict.fromkeys(names))
    problems = []
    for name in found:
        if name not in known:
            said = f"is not the id of a check{nearest(name, known)}"
            said = "schema errors can't be ignored" if name == "schema" else said
            problems.append(Problem((), said, file=f"{IGNORE} {brief(name)}", id="ignore"))
    if problems:
        raise GuestError(problems)
    return found


def ignoring(guest: Any, names: Iterable[str]) -> Any:
    """Return a guest as written that also ignores these checks."""
    if not isinstance(guest, dict):
        return guest
    own = guest.get("ignore")
    own = own if isinstance(own, list) else [] if own is None else [own]
    return {**guest, "ignore": [*own, *(name for name in names if name not in own)]}


class _NoPlaceError(Exception):
    """The guest lacks the parent of a path."""


def _copy(value: Any, copies: dict[int, Any]) -> Any:
    """Return a copy of a mapping or list that may be changed; each is copied only once."""
    if id(value) not in copies:
        value = dict(value) if isinstance(value, dict) else list(value)
        copies[id(value)] = value
    return value


def _with(root: Node, node: Node, value: Any, path: Path, new: Any, copies: dict[int, Any], before: Path = ()) -> Any:
    if not path:
        if not isinstance(value, dict) or not isinstance(new, dict):
            return new
        whole = _copy(value, copies)
        for key, item in new.items():
            whole[key] = _with(root, node, whole[key], (), item, copies) if key in whole else item
        return whole
    step, below = path[0], inner(root, node, path[0])
    here = (*before, step)
    if isinstance(step, int):
        items = _copy(value if isinstance(value, (list, tuple)) else [] if value is None else [value], copies)
        step = len(items) if step == END else step
        if step > len(items):
            raise _NoPlaceError(f"{path_string(here)} comes after {len(items)} that the guest has")
        old = items[step] if step < len(items) else None
        items[step : step + 1] = [_with(root, below, old, path[1:], new, copies, here)]
        return items
    # A scalar may stand for a mapping, as in `driver: qcow2`.
    whole = value if isinstance(value, dict) else {} if value is None else expander(node)(value)
    whole = _copy(whole if isinstance(whole, dict) else {}, copies)
    if isinstance(whole.get(step), str) and len(path) > 1 and (expand := by_type(root, node)):
        whole[step] = expand(whole)[step]
    whole[step] = _with(root, below, whole.get(step), path[1:], new, copies, here)
    return whole
