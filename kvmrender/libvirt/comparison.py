"""Comparison of a guest with its definition on a host: both in full form, field by field, by the schema.

Devices are matched by their identity, then by the number of equal values. Known changes and additions of libvirt are
not differences (``rewritten.yaml``, and ``automatic`` of the schema).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from kvmrender.errors import Path
from kvmrender.libvirt.document_guest import facts_of_raw
from kvmrender.libvirt.field_places import Place
from kvmrender.libvirt.rewriting import NOTHING, About, Rewriting, named, without
from kvmrender.libvirt.rewriting import number as as_number
from kvmrender.libvirt.tidying import MEMORY, Tidying
from kvmrender.schema.guest_schema import value_at
from kvmrender.schema.memory_units import KIB, to_bytes

HEXADECIMAL = ("0x", "0X")
BLANKS = str.maketrans("\t\n\r", "   ")
SIZE = "text", "unit"
"""The keys of a memory size."""
MOST_TRIED = 2_500
"""Maximum number of pairs of devices that are compared to find the most similar; beyond it, they are paired in
order."""


class Difference(NamedTuple):
    """``here`` is the value of a field in the file, ``there`` on the host; ``NOTHING`` is a missing value. Indices in
    the path are those of the file, or of the host for values that exist only there."""

    path: Path
    here: Any
    there: Any


class Comparison:
    """Compare guests with their definitions on a host; ``automatic`` has the values that libvirt sets itself, ``kinds``
    describe the dump."""

    def __init__(self, rewriting: Rewriting, automatic: Tidying, kinds: Collection[str] = ()) -> None:
        self._rewriting, self._automatic, self._about = rewriting, automatic, About(kinds)
        self._settling = [rewriting.keys_of(kind) for kind in kinds]

    def guests(self, place: Place, here: dict[str, Any], there: dict[str, Any]) -> Iterator[Difference]:
        """Yield the differences between two guests."""
        self._about = self._about._replace(guest=here)
        here = {**here, **_sums(self._rewriting.sums, here)}
        yield from self.mappings(place, {**here, **_limited(self._rewriting.most, here)}, there)

    def is_known(self, path: Path, here: Any, there: Any) -> bool:
        """Return whether libvirt changes one value to the other, whatever the neighbor keys."""
        return self._rewriting.is_same(named(path), path, here, there, {}, self._about)

    def mappings(self, place: Place, here: Any, there: Any, path: Path = ()) -> Iterator[Difference]:
        """Yield the differences between two mappings."""
        if here == there:
            return
        beside = {**there, **here}
        size = SIZE if place.node.get("format") == MEMORY else self._rewriting.sizes.get(place.name)
        if size:
            unit = {size[1]: self._rewriting.units.get(place.name, "KiB")}
            yield from self._sizes_differ({**unit, **here}, {**unit, **there}, size, path)
            here, there = without(size, here), without(size, there)
        for key, value in here.items():
            other = there.get(key, NOTHING)
            if value != other:
                yield from self._values(place.inside(key), value, other, (*path, key), beside)
        for key, other in there.items():
            if key not in here:
                yield from self._values(place.inside(key), NOTHING, other, (*path, key), beside)

    def _values(self, place: Place, here: Any, there: Any, path: Path, beside: dict[str, Any]) -> Iterator[Difference]:
        is_same, name, about = self._rewriting.is_same, place.name, self._about
        if is_same(name, path, here, there, beside, about):
            return
        if here is NOTHING:
            left = self._settled(place, there, path) if any(path[0] in keys for keys in self._settling) else there
            left = self._automatic.left(place, left, path, beside)
            if left is None or (left is not there and is_same(name, path, here, left, beside, about)):
                return
            there = left
        if place.is_list:
            mine, theirs = [] if here is NOTHING else here, [] if there is NOTHING else there
            yield from self._lists(place.item, mine, theirs, path, beside)
        elif here is NOTHING or there is NOTHING:
            yield from self._alone(place, here, there, path)
        elif isinstance(here, dict) and isinstance(there, dict):
            yield from self.mappings(place, here, there, path)
        elif not is_alike(here, there) and not (place.is_raw and facts_of_raw(str(here)) == facts_of_raw(str(there))):
            yield Difference(path, here, there)

    def _sizes_differ(
        self, here: dict[str, Any], there: dict[str, Any], size: tuple[str, str], path: Path
    ) -> Iterator[Difference]:
        """Yield a difference if a size, with its unit, is different or missing on one side."""
        value, unit = size
        mine, theirs = _bytes(here, *size), _bytes(there, *size)
        if mine != theirs and mine is not None and there.get(unit) == "KiB":
            mine = -(-mine // KIB) * KIB  # libvirt rounds bytes up to KiB
        if mine != theirs or mine is None:
            sides = [
                f"{one[value]} {one[unit]}" if unit in one and value in one else one.get(value, NOTHING)
                for one in (here, there)
            ]
            if sides[0] != sides[1] and not self.is_known((*path, value), sides[0], sides[1]):
                yield Difference((*path, value), *sides)

    def _settled(self, place: Place, there: Any, path: Path) -> Any:
        """Return a value that exists only on the host, without the parts that such a dump always has."""
        if isinstance(there, list):
            return [self._settled(place.item, item, (*path, number)) for number, item in enumerate(there)]
        if not isinstance(there, dict):
            return there
        return {
            key: self._settled(place.inside(key), item, (*path, key))
            for key, item in there.items()
            if not self._rewriting.is_of_kind(place.inside(key).name, (*path, key), item, there, self._about)
        }

    def _alone(self, place: Place, here: Any, there: Any, path: Path) -> Iterator[Difference]:
        """Yield a difference for a value that exists on one side only, unless all of it is known."""
        value = there if here is NOTHING else here
        if isinstance(value, dict) and value and isinstance(path[-1], str):
            sides = ({}, there) if here is NOTHING else (here, {})
            if next(self.mappings(place, *sides, path), None) is None:
                return
        yield Difference(path, here, there)

    def _lists(
        self, place: Place, here: list[Any], there: list[Any], path: Path, beside: dict[str, Any]
    ) -> Iterator[Difference]:
        kept = self._read_of(place.name, here)
        left = [here[number] for number in kept]
        is_unordered = self._rewriting.is_unordered(place.name)
        for mine, theirs in self.matched(place, left, there, path) if is_unordered else _in_order(left, there):
            if mine is None:
                assert theirs is not None
                yield from self._values(place, NOTHING, there[theirs], (*path, theirs), beside)
            elif theirs is None:
                yield from self._values(place, left[mine], NOTHING, (*path, kept[mine]), beside)
            elif left[mine] != there[theirs]:
                yield from self._values(place, left[mine], there[theirs], (*path, kept[mine]), beside)

    def _read_of(self, name: str, items: list[Any]) -> list[int]:
        """Return the indexes of the items of a list that libvirt reads: not those beyond the number of what they
        number, nor all but one of those that are equal in a key."""
        key, is_first = self._rewriting.read_once(name)
        seen, kept = set[str](), []
        for number in range(len(items)) if is_first else reversed(range(len(items))):
            value = None if key is None else value_at(items[number], (key,))
            if repr(value) in seen or self._rewriting.is_beyond(name, items[number], self._about.guest):
                continue
            if value is not None:
                seen.add(repr(value))
            kept.append(number)
        return sorted(kept)

    def matched(
        self, place: Place, here: list[Any], there: list[Any], path: Path
    ) -> Iterator[tuple[int | None, int | None]]:
        """Yield the pairs of positions of items that are the same device, and the positions of unmatched ones."""
        found: dict[int, int] = {}
        mine, theirs = list(range(len(here))), list(range(len(there)))
        for keys in self._rewriting.identities:
            if not mine or not theirs:
                break
            mine_by, theirs_by = _by(keys, here, mine), _by(keys, there, theirs)
            found.update({mine_by[one]: theirs_by[one] for one in mine_by if one in theirs_by})
            mine = [number for number in mine if number not in found]
            taken = set(found.values())
            theirs = [number for number in theirs if number not in taken]
        found.update(self._alike(place, here, there, mine, theirs, path))
        for number in range(len(here)):
            yield number, found.get(number)
        taken = set(found.values())
        for number in range(len(there)):
            if number not in taken:
                yield None, number

    def _alike(
        self, place: Place, here: list[Any], there: list[Any], mine: list[int], theirs: list[int], path: Path
    ) -> dict[int, int]:
        """Return the most similar pairs."""
        if len(mine) * len(theirs) > MOST_TRIED:
            return dict(zip(mine, theirs, strict=False))
        tried: list[tuple[int, int, int]] = []
        for one in mine:
            for other in theirs:
                differ = list(self._values(place, here[one], there[other], (*path, one), {}))
                if sum(_size(found.here) for found in differ) < _size(here[one]) or not differ:
                    tried.append((len(differ), one, other))
        found: dict[int, int] = {}
        taken: set[int] = set()
        for _, one, other in sorted(tried):
            if one not in found and other not in taken:
                found[one] = other
                taken.add(other)
        return found


def is_alike(here: Any, there: Any) -> bool:
    """Return whether two values are equal: numbers may be hexadecimal, and white space is normalized."""
    mine, theirs = str(here), str(there)
    if theirs[:2] in HEXADECIMAL or mine[:2] in HEXADECIMAL:
        return bool(as_number(mine) == as_number(theirs))
    return mine.translate(BLANKS) == theirs.translate(BLANKS)


def _bytes(mapping: dict[str, Any], value: str, unit: str) -> int | None:
    """Return the size in bytes from two keys of a mapping."""
    try:
        return to_bytes({"text": mapping[value], "unit": mapping.get(unit, "KiB")})
    except (KeyError, ValueError):
        return None


def _in_order(here: list[Any], there: list[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Yield the pairs of positions of items of two lists whose order matters."""
    if len(here) == len(there):
        yield from ((number, number) for number in range(len(here)))
        return
    ours, theirs = [repr(one) for one in here], [repr(one) for one in there]
    for kind, a, b, c, d in SequenceMatcher(None, ours, theirs, autojunk=False).get_opcodes():
        del kind
        for number in range(max(b - a, d - c)):
            yield a + number if a + number < b else None, c + number if c + number < d else None


def _by(keys: list[Path], items: list[Any], numbers: list[int]) -> dict[str, int]:
    """Return the positions of items by identity, for items that have a complete and unique one."""
    found: dict[str, int] = {}
    twice: set[str] = set()
    for number in numbers:
        values = [value_at(items[number], key) for key in keys]
        if any(value is None for value in values):
            continue
        name = repr(values).lower()
        if name in found:
            twice.add(name)
        found[name] = number
    return {name: number for name, number in found.items() if name not in twice}


def _size(value: Any) -> int:
    """Return the number of values in a value."""
    if isinstance(value, dict):
        return sum(map(_size, value.values())) or 1
    if value is NOTHING:
        return 0
    return sum(map(_size, value)) if isinstance(value, list) else 1


def _sums(fields: dict[str, list[str]], guest: dict[str, Any]) -> dict[str, Any]:
    """Return the sizes of a guest that libvirt computes from others, if the first of these is given."""
    found: dict[str, Any] = {}
    for field, (first, *more) in fields.items():
        if sizes := list(_sizes(guest, first.split("."))):
            sizes += [size for name in more for size in _sizes(guest, name.split("."))]
            found[field] = {"unit": "b", "text": sum(sizes)}
    return found


def _limited(fields: dict[str, str], guest: dict[str, Any]) -> dict[str, Any]:
    """Return the sizes of a guest that libvirt limits to another size."""
    found = {}
    for field, most in fields.items():
        size, limit = (next(_sizes(guest, [name]), None) for name in (field, most))
        if size is not None and limit is not None and size > limit:
            found[field] = guest[most]
    return found


def _sizes(value: Any, keys: list[str]) -> Iterator[int]:
    """Yield the memory sizes at a place in bytes; an attribute has its unit in another attribute."""
    if isinstance(value, list):
        for item in value:
            yield from _sizes(item, keys)
    elif isinstance(value, dict):
        inside = value.get(keys[0])
        if len(keys) > 1:
            yield from _sizes(inside, keys[1:])
        elif inside is not None:
            size = _bytes(value, keys[0], "unit") if not isinstance(inside, dict) else _bytes(inside, "text", "unit")
            yield size or 0
