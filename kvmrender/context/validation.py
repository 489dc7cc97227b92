"""Validation of a guest in full form against the schema, with messages in plain language."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import cache, partial, reduce
from itertools import chain, count, islice
from operator import getitem
from typing import TYPE_CHECKING, Any

from kvmrender.context.condensed_schema import condensed, names_in
from kvmrender.context.quick_validation import UnknownError, validity
from kvmrender.errors import Path, Problem, nearest
from kvmrender.schema.guest_schema import GuestSchema, Node, inner, node_at, resolve, validator_of
from kvmrender.schema.near_fields import form_hint, key_hint, other_forms, right_forms, words_of, written
from kvmrender.schema.secrets import MASK, Secrets, holds_secrets
from kvmrender.schema.shorthand import QUANTITIES, forms

if TYPE_CHECKING:
    import jsonschema_rs

    from kvmrender.context.advice import Advice

UNCHECKED = "vars"
"""The only key whose value is free."""

FIRST = 50
"""Number of guests of a process that are validated without jsonschema-rs, which takes a while to start."""

MOST_TIMES = 8
"""Number of sets of keys for which the schema is condensed, each in some milliseconds; then it is condensed for all
keys."""

MOST_PROBLEMS = 1000
"""Maximum number of problems that are looked for in a guest; hints for a million would take minutes."""

MANY = 10_000
"""Number of list items after which an invalid guest is validated in parts: jsonschema-rs creates all errors, of some
kilobytes each, before it returns the first."""

LONG = 1 << 16
"""Length of a text that is validated first in an invalid guest."""

MOST_FORMS = 20
"""Forms that are tried of a value that was given in another."""

MOST_BITS = 256
"""Maximum number of bits of a number that is written out."""

_WORDED = frozenset(("enum", "const", "type", "pattern", "minimum", "maximum", "minItems", "maxItems"))
"""Keywords whose messages state what the value should be; for others, the schema states why it refuses the value."""
_OF_RUNNING = "is set by libvirt, for a running guest only: leave it out"
_KINDS = {"object": "a mapping", "array": "a list", "string": "a string", "integer": "a whole number"}
_MANY = 9
_TOO_MANY = 100


def checker(
    schema: GuestSchema, advice: Callable[[], Advice]
) -> Callable[[dict[str, Any], Collection[str] | None], list[Problem]]:
    """Return a function that returns all problems of a guest in full form, in the order of the schema.

    Its second argument are the keys whose values are not defaults of the schema; None if a default may have been
    removed.
    """
    root = schema.root
    is_valid = _quick(schema)
    secrets = Secrets(root)

    def check(guest: dict[str, Any], given: Collection[str] | None) -> list[Problem]:
        if isinstance(guest.get(UNCHECKED), dict):
            guest = {key: value for key, value in guest.items() if key != UNCHECKED}
        if is_valid(guest, given):
            return []
        try:
            # jsonschema-rs copies a text many times, and aborts the process if memory runs out.
            items = count()
            cut = _cut(guest, items)
            if schema.validator.is_valid(cut):
                if schema.validator.is_valid(guest):
                    return []
                cut = guest
            looked_at = _enough(schema, cut, next(items))
            errors = schema.validator.iter_errors(cut if looked_at is None else _cut(cut, iter(range(looked_at))))
        except (ValueError, OverflowError):  # a value that JSON can't represent
            if problems := list(islice(_not_json(secrets, (), guest), MOST_PROBLEMS)):
                return problems
            raise
        from dataclasses import replace

        # A field may violate several rules: only the first is reported.
        found: dict[Path, Problem] = {}
        for problem in chain.from_iterable(problems_of(root, secrets, guest, error, advice()) for error in errors):
            path = secrets.outside(problem.path)
            found.setdefault(path, replace(problem, path=path))
            if len(found) == MOST_PROBLEMS:
                found[()] = Problem((), f"has {MOST_PROBLEMS:,} or more problems: only the first are listed")
                break
        else:
            if looked_at is not None:
                said = f"has more than {looked_at:,} list items: problems after these are not listed"
                found.setdefault((), Problem((), said))
        return list(found.values())

    return check


def _enough(schema: GuestSchema, guest: dict[str, Any], items: int) -> int | None:
    """Return how many list items of an invalid guest to validate: as many as are needed to find it invalid, and up to
    twice MANY more. None means all."""
    steps = range(MANY, items, MANY)
    at = bisect_left(steps, 1, key=lambda most: not schema.validator.is_valid(_cut(guest, iter(range(most)))))
    return steps[at + 1] if at + 1 < len(steps) else None


def _cut(value: Any, items: Iterator[int]) -> Any:
    """Return a value with long texts shortened to their first and last part, and lists to the first item and as many
    more as ``items`` allows, in order."""
    if isinstance(value, str):
        return value if len(value) <= LONG else value[: LONG // 2] + value[-LONG // 2 :]
    if isinstance(value, dict):
        return {_cut(key, items) if isinstance(key, str) else key: _cut(one, items) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cut(one, items) for one, _ in zip(value, chain((0,), items), strict=False)]
    return value


class Later:
    """Validate guests with jsonschema-rs against ``schema``, condensed for the keys seen so far. It is condensed again
    for a guest with other keys, and finally for all keys."""

    def __init__(self, schema: Node) -> None:
        self._schema = schema
        self._all = names_in(schema)
        self._times = 0
        self._known: tuple[frozenset[str], Callable[[Any], bool]] = frozenset(), lambda guest: False

    def is_valid(self, guest: dict[str, Any]) -> bool:
        """Return whether a guest is known to be valid. Raises ValueError and OverflowError for values that JSON can't
        represent."""
        names, valid = self._known
        if valid(guest):
            return True
        if self._times > MOST_TIMES or names == (more := names.union(self._all.intersection(names_in(guest)))):
            return False
        valid = self._compiled(more if self._times < MOST_TIMES else None)
        self._times += 1
        self._known = more, valid
        return valid(guest)

    def _compiled(self, names: frozenset[str] | None) -> Callable[[Any], bool]:
        try:
            schema = condensed(self._schema, names)
        except UnknownError:
            schema = self._schema
        return validator_of(schema).is_valid


def _quick(schema: GuestSchema) -> Callable[[dict[str, Any], Collection[str] | None], bool]:
    """Return a function that returns whether a guest is known to be valid."""
    numbers, required = count(), frozenset(schema.root["required"])

    @cache
    def of_first(arch: str) -> Callable[[dict[str, Any]], bool]:
        return validity(schema.of_architecture(arch))

    @cache
    def of_others(arch: str) -> Callable[[dict[str, Any]], bool]:
        return Later(schema.of_architecture(arch)).is_valid

    def is_valid(guest: dict[str, Any], given: Collection[str] | None) -> bool:
        arch = guest.get("arch")
        if not isinstance(arch, str) or arch not in schema.architectures:
            return False
        if given is not None and schema.is_shipped:  # custom defaults may be invalid
            guest = {key: guest[key] for key in given if key in guest}
        elif not required <= guest.keys():
            return False
        try:
            # Custom patterns are left to jsonschema-rs, whose engine does not backtrack.
            return (of_first if schema.is_shipped and next(numbers) < FIRST else of_others)(arch)(guest)
        except (ValueError, OverflowError, RecursionError):  # a value that JSON can't represent
            return False

    return is_valid


def problems_of(
    root: Node, secrets: Secrets, guest: Any, error: jsonschema_rs.ValidationError, advice: Advice | None = None
) -> Iterator[Problem]:
    """Yield the errors of a schema's validator, in plain language."""
    path: Path = tuple(error.instance_path)
    node = node_at(root, error.schema_path[:-1])
    kind, found, value = error.kind.name, error.kind.as_dict(), error.instance
    if isinstance(value, str) and len(value) == LONG:  # it may have been shortened
        with suppress(KeyError):  # a key may have been shortened too
            value = reduce(getitem, path, guest)
    if kind in ("additionalProperties", "unevaluatedProperties"):
        known = {**resolve(root, node).get("properties", {}), **node.get("properties", {})}
        for key in found["unexpected"]:
            is_live = _is_live(root, (*path, key))
            said = _OF_RUNNING if is_live else f"is not a known key{key_hint(root, path, key, known)}"
            key = MASK if secrets.hides_key((*path, key), value) else key
            yield Problem((*path, key), said, at_key=True)
    elif kind == "required":
        wanted = resolve(root, node.get("properties", {}).get(found["property"], {}))
        ways = _ways(wanted)
        about = wanted.get("description", "").partition(".")[0]
        about = node.get("message") or (about if about[1:2].isupper() else f"{about[:1].lower()}{about[1:]}")
        hint = f": give it, or {' or '.join(ways)}" if ways else f" ({about})" if about else ""
        field = reduce(partial(inner, root), (*path, found["property"]), root)
        if not ways and (options := words_of(root, field)):
            hint += f": one of {_options(options, short=True)}"
        yield Problem((*path, found["property"]), f"is missing{hint}")
    elif kind == "propertyNames":
        said = node.get("message", "a key that may stand here") if isinstance(node, dict) else "allowed: no key is"
        yield Problem((*path, str(found["error"].instance)), f"is not {said}", at_key=True)
    elif kind == "type" and _is_live(root, path):
        yield Problem(path, _OF_RUNNING, at_key=True)
    elif isinstance(node, dict) and "message" in node and kind not in _WORDED:
        yield Problem(path, node["message"])
    else:
        secret = secrets.hides(path, value)
        meant = form_hint(root, path, value) if kind == "type" else ""
        if kind in ("type", "enum") and not meant and not secret and path and isinstance(node, dict):
            inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
            has_secrets = not isinstance(value, str) and holds_secrets(root, node)
            has_secrets |= any(secrets.hides(path, item) for item in inside)
            meant = "" if has_secrets else _right_form(root, guest, path, resolve(root, node), value, kind, advice)
        yield Problem(path, f"{MASK if secret else shown(value)} {_fault(kind, found, node, value, secret)}{meant}")


def _right_form(root: Node, guest: Any, path: Path, node: Node, value: Any, kind: str, advice: Advice | None) -> str:
    """Show how a value of another form is to be written, as a guest is taken with it, or say the keys of a mapping."""
    for where, form in islice(right_forms(root, path, node, value), MOST_FORMS):
        if not advice:
            break
        if found := advice.fitting(guest, where, form):
            return written(where, found[0])
    return other_forms(root, node) if kind == "type" else ""


def _is_live(root: Node, path: Path) -> bool:
    """Return whether a key occurs only in running guests."""
    if not path or not isinstance(path[-1], str):
        return False
    holder = resolve(root, reduce(partial(inner, root), path[:-1], root))
    return bool({path[-1], f"@{path[-1]}"} & {*holder.get("facts", {}).get("live", ())})


def _ways(node: Node) -> list[str]:
    """Return the keys of neighbors from which a key is derived: ``source file or dev``."""
    keys: dict[str, list[str]] = {}
    for entry in node.get("defaults", ()):
        for neighbour in entry.get("when", ()):
            name, _, key = neighbour.partition(".")
            if key:
                keys.setdefault(name, []).append(key)
    return [f"{name} {' or '.join(found)}" for name, found in keys.items()]


def _fault(kind: str, found: dict[str, Any], node: Any, value: Any, secret: bool) -> str:
    """Return the message for an invalid value, without the value that begins it."""
    if kind in ("enum", "const") and isinstance(node, dict) and node.get("writeOnly"):
        return f"is not allowed ({kind})"
    if kind == "enum":
        options = found["options"]
        hint = "" if secret else nearest(value, options)
        return f"is not one of {_options(options, short=bool(hint) or len(options) > _TOO_MANY)}{hint}"
    if kind == "type":
        quantity = QUANTITIES.get(node.get("format", ""))
        if quantity and isinstance(value, (str, int)) and not isinstance(value, bool):
            try:
                quantity(value)
            except ValueError as error:
                return str(error)
        kinds = ["true or false"] if forms(node)[0] else []
        return f"is not {' or '.join(kinds + [_KINDS.get(name, name) for name in found['types']])}"
    if kind == "pattern" and "message" in node:
        return f"is not {node['message']}"
    if kind == "const":
        return f"is not {shown(found['expected_value'])}"
    if kind == "minimum":
        return f"is less than {found['limit']}"
    if kind == "maximum":
        return f"is more than {found['limit']}"
    if kind == "minItems":
        return f"is shorter than {found['limit']}"
    if kind == "maxItems":
        return f"is longer than {found['limit']}"
    return f"is not allowed ({kind})"


def shown(value: Any) -> str:
    """Return a value for a message, shortened to one line."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        return "a number of many digits"
    text = ascii(value) if isinstance(value, str) and not _encodes(value) else repr(value)
    return text if len(text) <= 80 else f"{text[:76]}…{text[-1]}"


def _options(options: Any, short: bool = False) -> str:
    words = [str(option) for option in options]
    return ", ".join(words if len(words) <= _MANY or not short else [*words[: _MANY - 2], "…"])


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def not_json(schema: GuestSchema, guest: dict[str, Any]) -> list[Problem]:
    """Return the problems of values that JSON can't represent but the schema accepts, such as numbers with very many
    digits."""
    return list(islice(_not_json(Secrets(schema.root), (), guest), MOST_PROBLEMS))


def _not_json(secrets: Secrets, path: Path, value: Any) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str) or not _encodes(key):
                name = key if isinstance(key, str) else shown(key)
                yield Problem(secrets.outside((*path, name)), "is not a known key: keys are text", at_key=True)
            else:
                yield from _not_json(secrets, (*path, key), item)
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _not_json(secrets, (*path, number), item)
    elif isinstance(value, str) and not _encodes(value):
        what = MASK if secrets.hides(path, value) else shown(value)
        yield Problem(secrets.outside(path), f"{what} has half of a surrogate pair, which is not a character")
    elif isinstance(value, int) and value.bit_length() > MOST_BITS:
        yield Problem(secrets.outside(path), f"{shown(value)} is not a value that a guest can have")
    elif not isinstance(value, (str, int, float, type(None))):
        said = f"a Python {type(value).__name__} is not a value that a guest can have"
        yield Problem(secrets.outside(path), said)
