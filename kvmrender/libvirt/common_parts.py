"""Common values of guests: conversion of guests to one fleet file with shared ``defaults``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from kvmrender.engine import Engine
from kvmrender.errors import GuestError
from kvmrender.libvirt.short_form import MACHINE, shorteners_of
from kvmrender.reading.layers import merge

Guest = dict[str, Any]
OWN = ("name", "uuid", "title", "description", "genid")
"""Keys that are never shared, however many guests have the same value."""
_NOTHING = object()


class _Said(NamedTuple):
    """A mapping as a guest writes it, and in full form with defaults and derived values."""

    short: Guest
    whole: Guest


def fleet_of(engine: Engine, guests: Sequence[Guest]) -> Guest:
    """Return a fleet of guests, in short form, in which each renders to the same XML as alone; guests with the least of
    their own come first. Raises as ``Engine.render``."""
    root = engine.schema.root
    shorteners = shorteners_of(engine.schema)
    known, wanted = list[_Said](), list[str]()
    for guest in guests:
        context, xml, _ = engine.rendered(guest)
        whole = shorteners.of(context).folded(context)
        if isinstance(machine := context["os"].get("type"), dict) and MACHINE in machine:
            whole[MACHINE] = machine[MACHINE]
        known.append(_Said(guest, whole))
        wanted.append(xml)
    shared = [{key: value for key, value in guest.items() if key not in OWN} for guest in guests]
    defaults, _ = _common([_Said(some, said.whole) for some, said in zip(shared, known, strict=True)])
    order = {key: number for number, key in enumerate(root["properties"])}
    while True:
        found, unfit = list[Guest](), set[str]()
        for said, xml in zip(known, wanted, strict=True):
            own = _over(defaults, said)
            if not defaults or _renders(engine, merge(defaults, own), xml):
                found.append(dict(sorted(own.items(), key=lambda pair: order.get(pair[0], len(order)))))
            else:  # consequences of a key that the guest does not have itself
                unfit |= (defaults.keys() - said.short.keys()) or defaults.keys()
        if not unfit:
            found.sort(key=_size)
            return {"defaults": defaults, "guests": found} if defaults else {"guests": found}
        defaults = {key: value for key, value in defaults.items() if key not in unfit}


def _renders(engine: Engine, guest: Guest, xml: str) -> bool:
    try:
        return engine.render(guest) == xml
    except GuestError:
        return False


def _common(mappings: list[_Said]) -> tuple[Guest, int]:
    """Return the defaults that mappings can share, and how much shorter the fleet gets with them."""
    values: dict[str, list[_Said]] = {}
    for said in mappings:
        for key in said.short:
            values.setdefault(key, []).append(said)
    found: Guest = {}
    saved = 0
    for key, having in values.items():
        if len(having) < 2:
            continue
        dicts = [said for said in having if isinstance(said.short[key], dict)]
        inside = [_Said(said.short[key], _mapping(said.whole.get(key))) for said in dicts]
        if 2 * len(inside) > len(having):
            value, less = _common(inside)
            less += sum(said.short == value for said in inside) - 1
        else:
            ((text, count),) = Counter(_text(said.short[key]) for said in having).most_common(1)
            value = json.loads(text)
            less = (count - 1) * (1 + _size(value))
        if len(having) < len(mappings):  # the others must set null
            less -= sum(1 + _size(said.whole.get(key)) for said in mappings if key not in said.short)
        if less > 0 and value != {}:
            found[key] = value
            saved += less
    return found, saved


def _over(defaults: Guest, said: _Said) -> Guest:
    """Return what a mapping must set in addition to the defaults."""
    own: Guest = {}
    for key in {**said.short, **defaults}:
        whole = said.whole.get(key)
        value = said.short.get(key, whole)
        if key not in defaults:
            own[key] = value
        elif (left := _left(defaults[key], value, whole)) is not _NOTHING:
            own[key] = left
    return own


def _left(default: Any, value: Any, whole: Any) -> Any:
    if isinstance(default, dict) and isinstance(value, dict):
        return _over(default, _Said(value, _mapping(whole))) or _NOTHING
    return _NOTHING if _text(value) == _text(default) else value


def _mapping(value: Any) -> Guest:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """Return a value as a text that distinguishes true from 1."""
    return json.dumps(value)


def _size(value: Any) -> int:
    """Return the length of a value: its number of keys and scalars."""
    if isinstance(value, dict):
        return sum(1 + _size(item) for item in value.values())
    return sum(map(_size, value)) if isinstance(value, list) and value else 1
