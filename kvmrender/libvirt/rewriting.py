"""Known changes that libvirt makes to a definition, by the table ``rewritten.yaml``."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path as FilePath
from typing import Any, NamedTuple

from kvmrender.errors import Path
from kvmrender.libvirt.document_guest import facts_of_raw
from kvmrender.libvirt.tidying import is_like
from kvmrender.reading.parse import from_yaml
from kvmrender.schema.guest_schema import value_at

Rule = dict[str, Any]
Guest = dict[str, Any]
TABLE = FilePath(__file__).with_name("rewritten.yaml")
RUNNING, NO_SECRETS = "running", "without-secrets"
"""Kinds of dumps: of a running guest, and without secrets (``of`` in rules)."""
NOTHING = object()
"""Stands for a missing field."""
_NUMBER = re.compile(r"0[xX]0*[0-9a-fA-F]{1,30}|-?0*[0-9]{1,30}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,30}(\.[0-9]{1,30})?", re.ASCII)
_RANGE = re.compile(r"(\^?)0*([0-9]{1,30})(?:-0*([0-9]{1,30}))?", re.ASCII)
MOST_CPUS = 1 << 16


def number(value: Any) -> Any:
    """Parse a number, decimal or hexadecimal."""
    text = str(value).removeprefix("+")
    return int(text, 16 if text[:2] in ("0x", "0X") else 10) if _NUMBER.fullmatch(text) else value


def _uuid(value: Any) -> Any:
    return str(value).lower().replace("-", "")


def _cpus(value: Any) -> Any:
    """Parse a set of numbers, such as ``0-3,^1``."""
    found: set[int] = set()
    for part in str(value).replace(" ", "").split(","):
        match = _RANGE.fullmatch(part)
        if not match:
            return value
        numbers = range(int(match[2]), min(int(match[3] or match[2]), MOST_CPUS) + 1)
        found = found - {*numbers} if match[1] else found | {*numbers}
    return frozenset(found)


def named(path: Path) -> str:
    """Return a field without indices: ``disks.driver.cache``."""
    return ".".join([step for step in path if step.__class__ is str])


def _pty(value: Any) -> Any:
    """Parse the path of a pseudo terminal, without its number."""
    return re.sub("^/dev/pts/[0-9]+$", "/dev/pts/", str(value))


def _namespaced(value: Any) -> Any:
    """Parse the elements of raw XML that have a namespace."""
    return [child for child in facts_of_raw(str(value))[3] if child[0].startswith("{")]


def _capitals(value: Any) -> Any:
    return str(value).upper()


def _lun(value: Any) -> Any:
    """Parse the name of an iSCSI target with its LUN, which defaults to 0."""
    return str(value).removesuffix("/0")


def _power(value: Any) -> Any:
    """Parse a number, rounded up to a power of two."""
    return 1 << (value - 1).bit_length() if isinstance(value, int) and value > 0 else value


def _decimal(value: Any) -> Any:
    """Parse a decimal fraction, such as ``2.0``."""
    return Decimal(str(value)) if _DECIMAL.fullmatch(str(value)) else value


READERS: dict[str, Callable[[Any], Any]] = {
    "number": number,
    "uuid": _uuid,
    "cpus": _cpus,
    "pty": _pty,
    "namespaced": _namespaced,
    "capitals": _capitals,
    "power": _power,
    "lun": _lun,
    "decimal": _decimal,
}
"""Values of ``as`` in a rule: values are equal if they are equal after this conversion."""


class _All:
    def __contains__(self, _: object) -> bool:
        return True


ALL = _All()


class About(NamedTuple):
    """Subject of a comparison: the kinds of the dump, and the wanted guest."""

    kinds: Container[str] = ()
    guest: Guest = {}  # noqa: RUF012 - a default that nothing changes


class Rewriting:
    """The rules of a table; ``identities`` are the keys that identify devices."""

    def __init__(self, table: Any) -> None:
        self.identities: list[list[Path]] = [
            [tuple(key.split(".")) for key in keys] for keys in table.get("identities", ())
        ]
        self._unordered = tuple(table["unordered"])
        self.sizes: dict[str, tuple[str, str]] = {field: tuple(keys) for field, keys in table["sizes"].items()}
        self.units: dict[str, str] = table["units"]
        self.sums: dict[str, list[str]] = table["sums"]
        self.most: dict[str, str] = table["most"]
        self._counts: dict[str, dict[str, str]] = {}
        for field, count in table["counts"].items():
            above, _, key = field.rpartition(".")
            self._counts.setdefault(above, {})[key] = count
        self._first: dict[str, str] = table["first"]
        self._last: dict[str, str] = table["last"]
        self._exact: dict[str, list[Rule]] = {}
        self._globs: list[tuple[str, Rule]] = []
        self._known: dict[str, tuple[tuple[Rule, ...], tuple[Rule, ...]]] = {}
        self._lists: dict[str, bool] = {}
        self._once: dict[str, tuple[str | None, bool]] = {}
        self._keys_of: dict[str, Container[str | int]] = {}
        for rule in table["rules"]:
            for key in {"when", "unless"} & rule.keys():
                rule = {**rule, key: [_condition(*one) for one in rule[key].items()]}
            for field in rule["fields"]:
                if "*" in field:
                    self._globs.append((field, rule))
                else:
                    self._exact.setdefault(field, []).append(rule)

    def is_unordered(self, name: str) -> bool:
        """Say of a list whether its order says nothing, as that of devices."""
        found = self._lists.get(name)
        if found is None:
            found = self._lists[name] = "." not in name or any(fnmatchcase(name, glob) for glob in self._unordered)
        return found

    def read_once(self, name: str) -> tuple[str | None, bool]:
        """Return the key by which items of a list are told apart, where libvirt reads one of each alone, and whether
        that is the first of them."""
        found = self._once.get(name)
        if found is None:
            tables = (self._first, True), (self._last, False)
            keys = ((key, first) for table, first in tables for glob, key in table.items() if fnmatchcase(name, glob))
            found = self._once[name] = next(keys, (None, True))
        return found

    def is_beyond(self, name: str, item: Any, guest: Guest) -> bool:
        """Return whether libvirt drops an item of a list because its number is out of range."""
        for key, count in self._counts.get(name, {}).items():
            number, most = value_at(item, (key,)), value_at(guest, tuple(count.split(".")))
            if isinstance(number, int) and isinstance(most, int) and number >= most:
                return True
        return False

    def _rules(self, name: str) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
        """Return the rules of a field that may apply if the file has a value, and if it has none."""
        found = self._known.get(name)
        if found is None:
            rules = [*self._exact.get(name, ()), *(rule for glob, rule in self._globs if fnmatchcase(name, glob))]
            said = tuple(rule for rule in rules if rule.get("here", ANY) is not None)
            unsaid = tuple(rule for rule in rules if _may_be_nothing(rule))
            found = self._known[name] = said, unsaid
        return found

    def is_same(self, name: str, path: Path, here: Any, there: Any, beside: Guest, about: About) -> bool:
        """Return whether libvirt changes ``here`` to ``there``, for the field of this name at a path; ``NOTHING`` is a
        missing value, ``beside`` are its neighbor keys."""
        for rule in self._rules(name)[here is NOTHING]:  # noqa: SIM110 - it is asked often, and this is faster
            if _holds(rule, path, here, there, beside, about):
                return True
        return False

    def is_lasting(self, path: Path) -> bool:
        """Return whether libvirt's value of a field depends on when the guest was defined."""
        return any(rule.get("lasting") for rules in self._rules(named(path)) for rule in rules)

    def keys_of(self, kind: str) -> Container[str | int]:
        """Return the top-level keys below which only dumps of this kind have values; all, for some rules."""
        if kind not in self._keys_of:
            fields = [(field, rule) for field, rules in self._exact.items() for rule in rules] + self._globs
            keys = {field.split(".")[0] for field, rule in fields if rule.get("of") == kind}
            self._keys_of[kind] = ALL if any("*" in key for key in keys) else keys
        return self._keys_of[kind]

    def is_of_kind(self, name: str, path: Path, there: Any, beside: Guest, about: About) -> bool:
        """Return whether only dumps of such a kind have ``there``."""
        rules = self._rules(name)[True]
        return any("of" in rule and _holds(rule, path, NOTHING, there, beside, about) for rule in rules)


def _may_be_nothing(rule: Rule) -> bool:
    """Return whether a rule may apply if the file has no value."""
    here = rule.get("here")
    is_plain = not rule.keys() & {"as", "like", "same_as"}
    return is_plain and (here is None or (isinstance(here, list) and None in here))


def _holds(rule: Rule, path: Path, here: Any, there: Any, beside: Guest, about: About) -> bool:
    if "of" in rule and rule["of"] not in about.kinds:
        return False
    is_plain = "as" not in rule and "begins" not in rule
    if is_plain and not (_is(here, rule.get("here", ANY)) and _is(there, rule.get("there", ANY))):
        return False
    if "when" in rule and not all(_is_so(one, path, beside, about) for one in rule["when"]):
        return False
    if "unless" in rule and any(_is_so(one, path, beside, about) for one in rule["unless"]):
        return False
    if "like" in rule and (here is NOTHING or not re.search(rule["like"], str(here))):
        return False
    if "same_as" in rule and here != beside.get(rule["same_as"]):
        return False
    if reader := rule.get("as"):
        read = READERS[reader]
        return here is not NOTHING and there is not NOTHING and bool(read(here) == read(there))
    if begin := rule.get("begins"):
        return str(there).startswith(tuple(begin.get("null" if here is NOTHING else str(here), ())))
    return True


def _is_so(condition: tuple[int | None, Path, Any], path: Path, beside: Guest, about: About) -> bool:
    """Say whether a neighbour is as a rule has it."""
    up, steps, wanted = condition
    of, where = (beside, steps) if up is None else (about.guest, (*_around(path, up), *steps))
    return _is(value_at(of, where, NOTHING), wanted)


_CONDITION = re.compile(r"(/|(?:\.\./)+|\./)?(.*)")


def _condition(key: str, wanted: Any) -> tuple[int | None, Path, Any]:
    """Return what ``when`` or ``unless`` says of a field: the mapping of the file that it is in, counted from the
    rule's field (0 is the guest, None that of either side), where it is there, and what it is to be."""
    match = _CONDITION.fullmatch(key)
    assert match
    ups = {None: None, "/": 0, "./": 1}
    up = ups[match[1]] if match[1] in ups else 1 + match[1].count("../")
    return up, tuple(int(step) if step.isdigit() else step for step in match[2].split(".")), wanted


def _around(path: Path, up: int) -> Path:
    """Return the path of a mapping around a field; the first is its parent."""
    if not up:
        return ()
    while path and up:
        up -= isinstance(path[-1], str)
        path = path[:-1]
    return path


ANY = object()


def _is(value: Any, wanted: Any) -> bool:
    """Return whether a value matches that of a rule: ``none`` if missing, ``true`` for any, or one like it."""
    if wanted is ANY:
        return True
    if wanted is None:
        return value is NOTHING
    if value is NOTHING:
        return isinstance(wanted, list) and None in wanted
    return is_like(value, wanted)


@cache
def rewriting() -> Rewriting:
    """Return the rules of libvirt's table."""
    return Rewriting(_table())


@cache
def of_dumps() -> Rewriting:
    """Return the rules for comparing two dumps: nothing is changed."""
    return Rewriting({**_table(), "rules": []})


def _table() -> Any:
    return from_yaml(TABLE.read_text(encoding="utf-8"))[0]


def without(names: Iterable[str], guest: Guest) -> Guest:
    """Return a mapping without some keys."""
    out = set(names)
    return {key: value for key, value in guest.items() if key not in out}
