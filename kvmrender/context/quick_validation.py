"""Validation of a guest in full form without jsonschema-rs: the schema compiled to nested functions.

It is used for the first guests of a process, because importing jsonschema-rs and compiling the schema takes longer than
rendering a few guests. A place is compiled when a guest first uses it. Everything that is found valid is valid for
jsonschema-rs too; everything else is left to jsonschema-rs, which also gives the messages (see
``kvmrender.context.validation``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kvmrender.schema.guest_schema import Node, node_at

Valid = Callable[[Any], Any]
"""Return a true value if a value is valid. Raise any exception if that is unknown."""


class UnknownError(Exception):
    """The schema or value has something that this module does not support."""


ANNOTATIONS = frozenset(
    """$comment $defs $id $schema anchor default defaults description enumDescriptions examples facts format instead
    message only_on rules shorthand since title until variants writeOnly""".split()  # noqa: SIM905 - one word a line
)
"""Keywords without effect on validity."""

_PLAIN = re.compile(
    r"(?!.*(?:&&|--|~~))\^(?:[^\\\[\].$^]|\\[-\\.^$*+?()|/{}]|\[\^?(?:[^\\\[\]]|\\[-\\^\[\]n]|\\u[0-9a-f]{4})+\])*\$?",
    re.DOTALL,
)
"""Supported syntax of patterns: the part that all engines interpret equally."""
_MOST = 1 << 63


def validity(root: Node) -> Callable[[Any], bool]:
    """Return a function that returns whether a value is known to be valid for a schema. It never raises."""
    whole = _Compiler(root).later(root)

    def valid(value: Any) -> bool:
        try:
            return bool(whole(value))
        except Exception:
            return False

    return valid


class _Compiler:
    """Compile nodes of the schema to functions. Methods remove the keywords that they handle from ``rules``."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._targets: dict[str, Valid] = {}

    def node(self, node: Any) -> Valid:
        """Return the function of a node. Raises UnknownError for unsupported keywords."""
        if not isinstance(node, dict):
            raise UnknownError
        rules = {key: value for key, value in node.items() if key not in ANNOTATIONS}
        if isinstance(kinds := rules.get("type"), list):
            # A value that can be a text or a mapping is only known to be valid if it is a mapping.
            rules["type"] = "object" if "object" in kinds else kinds[0]
            if len(kinds) > 1:
                rules.pop("pattern", None)
        found: list[Valid] = []
        for take in (self._object, self._reference, self._array, self._scalar, self._combined):
            found += take(rules)
        if rules:
            raise UnknownError
        return _every(found)

    def places(self, nodes: dict[str, Node]) -> dict[str, Valid]:
        """Return the functions of nodes, each compiled at its first call."""
        found: dict[str, Valid] = {}

        def later(name: str, node: Node) -> Valid:
            def first(value: Any) -> Any:
                if found[name] is first:  # a list calls it for each item
                    found[name] = self.node(node)
                return found[name](value)

            return first

        found.update({name: later(name, node) for name, node in nodes.items()})
        return found

    def _reference(self, rules: Node) -> Iterator[Valid]:
        if (target := rules.pop("$ref", None)) is not None:
            if target not in self._targets:
                self._targets[target] = self.node(node_at(self._root, target.removeprefix("#/").split("/")))
            yield self._targets[target]

    def _object(self, rules: Node) -> Iterator[Valid]:
        if (fewest := rules.pop("minProperties", None)) is not None:
            yield lambda value: len(_mapping(value)) >= fewest
        is_object = rules.get("type") == "object" and rules.pop("type")
        properties, required = rules.pop("properties", {}), rules.pop("required", ())
        if rules.pop("additionalProperties", True) is False:
            if any(map(_says_nothing, properties.values())):
                raise UnknownError
            yield _whole(self.places(properties), required)
        elif properties or required:
            refused = [name for name, node in properties.items() if _is_refused(node)]
            checked = {name: node for name, node in properties.items() if not _is_refused(node)}
            yield _part(self.places(checked), required, refused)
        elif is_object and "$ref" not in rules:
            raise UnknownError

    def _array(self, rules: Node) -> Iterator[Valid]:
        least, most = rules.pop("minItems", 0), rules.pop("maxItems", _MOST)
        if "contains" in rules:
            contained = self.node(rules.pop("contains"))
            fewest, many = rules.pop("minContains", 1), rules.pop("maxContains", _MOST)
            yield lambda value: fewest <= sum(map(contained, _list(value))) <= many
        is_array = rules.get("type") == "array" and rules.pop("type")
        if is_array and _says_nothing(rules.get("items", {})):
            raise UnknownError
        if "items" in rules:
            items = self.places({"": rules.pop("items")})
            yield lambda value: all(map(items[""], _list(value)))
        if (least, most) != (0, _MOST):
            yield lambda value: least <= len(_list(value)) <= most

    def _scalar(self, rules: Node) -> Iterator[Valid]:
        kind = rules.pop("type", None)
        if "minimum" in rules or "maximum" in rules or kind == "integer":
            least, most = rules.pop("minimum", 1 - _MOST), rules.pop("maximum", _MOST - 1)
            yield lambda value: least <= _integer(value) <= most
        elif kind == "string":
            yield lambda value: _text(value) is value
        elif kind is not None:
            raise UnknownError
        if (pattern := rules.pop("pattern", None)) is not None:
            if not _PLAIN.fullmatch(pattern):
                raise UnknownError
            search = re.compile(f"{pattern[:-1]}\\Z" if pattern.endswith("$") else pattern).search
            yield lambda value: search(_text(value)) is not None
        if "enum" in rules:
            yield _one_of(rules.pop("enum"))
        if "const" in rules:
            yield _one_of([rules.pop("const")])

    def _combined(self, rules: Node) -> Iterator[Valid]:
        if "not" in rules:
            refused = self.node(rules.pop("not"))
            yield lambda value: not refused(value)
        if "anyOf" in rules:
            ways = [self.node(node) for node in rules.pop("anyOf")]
            yield lambda value: any(way(value) for way in ways)
        if "oneOf" in rules:
            one = [self.node(node) for node in rules.pop("oneOf")]
            yield lambda value: [bool(way(value)) for way in one].count(True) == 1
        if "if" in rules:
            test, then, otherwise = (self.later(rules.pop(key, {})) for key in ("if", "then", "else"))
            yield lambda value: then(value) if test(value) else otherwise(value)
        for node in rules.pop("allOf", ()):
            yield self.node(node)

    def later(self, node: Node) -> Valid:
        """Return the function of a node, compiled at its first call."""
        places = self.places({"": node})
        return lambda value: places[""](value)


def _one_of(options: list[Any]) -> Valid:
    kinds = {option.__class__ for option in options}
    if not kinds <= {str, int}:
        raise UnknownError
    return lambda value: value.__class__ in kinds and value in options


def _every(rules: list[Valid]) -> Valid:
    return rules[0] if len(rules) == 1 else lambda value: all(valid(value) for valid in rules)


def _whole(places: dict[str, Valid], required: Iterable[str]) -> Valid:
    """Return the function of a mapping that has only these keys."""

    def whole(value: Any) -> bool:
        for key, item in _mapping(value).items():
            if key not in places or not places[key](item):
                return False
        return all(key in value for key in required)

    return whole


def _part(places: dict[str, Valid], required: Iterable[str], refused: Iterable[str]) -> Valid:
    """Return the function of a mapping that may have other keys, except refused ones."""
    needed, barred, checked = frozenset(required), frozenset(refused), tuple(places)

    def part(value: Any) -> bool:
        keys = _mapping(value).keys()
        if not (needed <= keys and barred.isdisjoint(keys)):
            return False
        return all(places[key](value[key]) for key in checked if key in value)

    return part


def _says_nothing(node: Node) -> bool:
    """Return whether a node accepts any value, including values that JSON can't represent."""
    return node.keys() <= ANNOTATIONS


def _is_refused(node: Node) -> bool:
    return node.get("not") == {} and node.keys() <= {"not", *ANNOTATIONS}


def _mapping(value: Any) -> dict[str, Any]:
    if value.__class__ is not dict:
        raise UnknownError
    return value


def _list(value: Any) -> list[Any]:
    if value.__class__ is not list:
        raise UnknownError
    return value


def _integer(value: Any) -> int:
    if value.__class__ is not int:
        raise UnknownError
    return value


def _text(value: Any) -> str:
    """Return a text if it has no lone surrogates."""
    if value.__class__ is not str:
        raise UnknownError
    if not value.isascii():
        value.encode()
    return value
