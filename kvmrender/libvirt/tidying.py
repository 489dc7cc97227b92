"""Removal of values that libvirt sets itself from a guest in full form, by ``automatic`` in the schema.

A value is automatic if it matches one of these. In a mapping, ``true`` matches any value, a list one of several, and
keys may be missing. Automatic values inside it are removed first. ``{when: {machine: [q35]}, value: …}`` applies to
machines of this kind; ``used: {watchdogs: true, interfaces: [e1000]}`` to a controller with such devices on its bus, of
any model or of these. Other keys of ``when`` are neighbor keys (for items, those of the list) with one of these values,
or any (``true``); ``../protocol`` is in the parent mapping. ``{ends: …}`` matches a text with this end, in which
``{name}`` is the guest's name. Items that libvirt appends to a list are removed only at its end.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import suppress
from operator import is_
from typing import Any

from kvmrender.errors import Path
from kvmrender.libvirt.field_places import Place
from kvmrender.schema.memory_units import memory

Guest = dict[str, Any]
MACHINE, MEMORY, USED = "machine", "memory", "used"
NOTHING: Guest = {}
Buses = dict[int, list[tuple[str, Any]]]


def tidied(place: Place, guest: Guest, machine: str, stays: Container[str | int] = ()) -> tuple[Guest, list[Path]]:
    """Return the guest without values that libvirt sets itself, except addresses, and the fields that were omitted.

    ``machine`` is the kind of its machine; values below the keys in ``stays`` are kept. If a controller is kept, so are
    all of its type, and the addresses on them.
    """
    first = Tidying(guest, machine, frozenset(), stays).value(place, guest, ())
    left = first.get("controllers") or ()
    types = frozenset(one["type"] for one in left if isinstance(one.get("type"), str))
    work = Tidying(guest, machine, types, stays)
    found: Guest = work.value(place, guest, ())
    return found, work.out


def _on_buses(guest: Guest) -> Buses:
    """Return the devices on PCI buses by bus number: the list that contains each, and its model."""
    found: Buses = {}
    for key, devices in guest.items():
        for device in devices if isinstance(devices, list) else ():
            address = device.get("address") if isinstance(device, dict) else None
            if (
                isinstance(address, dict)
                and address.get("type") == "pci"
                and isinstance(bus := address.get("bus"), str)
            ):
                model = device.get("model")
                with suppress(ValueError):
                    number = int(bus, 16 if bus.startswith("0x") else 10)
                    found.setdefault(number, []).append((key, model.get("type") if isinstance(model, dict) else model))
    return found


class Tidying:
    """The automatic values of a guest; controllers of the types in ``stay`` and values of the ``keys`` are kept.
    ``out`` are the fields that were omitted."""

    def __init__(
        self,
        guest: Guest,
        machine: str,
        stay: frozenset[str] = frozenset(),
        keys: Container[str | int] = (),
    ) -> None:
        self._machine, self._stay, self._keys = machine, stay, keys
        self._name, self._buses = str(guest.get("name")), _on_buses(guest)
        self.out: list[Path] = []

    def left(self, place: Place, value: Any, path: Path, beside: Guest = NOTHING) -> Any:
        """Return the part of a value, of a field at a path, that is not automatic, or None."""
        found = self.value(place, value, path, beside)
        return None if self._is_out(place, found, path, beside) else found

    def value(self, place: Place, value: Any, path: Path, beside: Guest = NOTHING) -> Any:
        """Return a value without its automatic parts; the same object if there are none."""
        if isinstance(value, list):
            return self._items(place.item, value, path, beside) if place.is_list else value
        if not isinstance(value, dict):
            return value
        if place.node.get("format") == MEMORY and {"unit", "text"} <= set(value) and value["unit"] == "KiB":
            with suppress(ValueError):  # larger than any
                value = {**value, **memory(f"{value['text']} KiB")}
        result: Guest = {}
        near: Guest | None = None
        is_whole = True
        for key, item in value.items():
            if key not in place.properties:
                result[key] = item
                continue
            inside, is_deep = place.inside(key), isinstance(item, (dict, list))
            if near is None and (is_deep or inside.automatic):
                near = {**value, **{f"../{key}": item for key, item in beside.items() if key[:3] != "../"}}
            left = self.value(inside, item, (*path, key), near or NOTHING) if is_deep else item
            if inside.automatic and self._is_out(inside, left, (*path, key), near or NOTHING):
                is_whole = False
            else:
                result[key] = left
                is_whole = is_whole and left is item
        return value if is_whole else result

    def _items(self, place: Place, items: list[Any], path: Path, beside: Guest) -> list[Any]:
        found = [self.value(place, item, (*path, number), beside) for number, item in enumerate(items)]
        left: list[Any] = []
        for number in range(len(found) - 1, -1, -1):
            is_numbered = isinstance(found[number], dict) and "index" in found[number]
            if (left and not is_numbered) or not self._is_out(place, found[number], (*path, number), beside):
                left.append(found[number])
        is_whole = len(left) == len(items) and all(map(is_, left, reversed(items)))
        return items if is_whole else left[::-1]

    def _cases(self, place: Place, value: Any, beside: Guest) -> Iterator[Any]:
        for case in place.automatic:
            if not isinstance(case, dict) or "when" not in case:
                yield case
            elif all(
                self._is_used(value, one)
                if key == USED
                else is_like(self._machine if key == MACHINE else beside.get(key), one)
                for key, one in case["when"].items()
            ):
                yield case["value"]

    def _is_used(self, controller: Any, by: dict[str, Any]) -> bool:
        on = self._buses.get(controller.get("index", -1), ()) if isinstance(controller, dict) else ()
        return any(by.get(key) is True or model in (by.get(key) or ()) for key, model in on)

    def _is_out(self, place: Place, value: Any, path: Path, beside: Guest = NOTHING) -> bool:
        if value is None or not place.automatic or path[0] in self._keys:
            return False
        if not any(is_like(value, case, self._name) for case in self._cases(place, value, beside)):
            return False
        is_bound = path[0] == "controllers" or path[-1] == "address"
        if is_bound and isinstance(value, dict) and value.get("type") in self._stay:
            return False
        self.out.append(path)
        return True


def is_like(value: Any, case: Any, name: str = "") -> bool:
    """Return whether a value matches a case of ``automatic``, in a guest with this name."""
    if case is True:
        return value is not None and value != []
    if isinstance(case, dict):
        if isinstance(value, dict):
            for key, item in value.items():
                if key not in case or not (item is None or is_like(item, case[key], name)):
                    return False
            return True
        return isinstance(value, str) and "ends" in case and value.endswith(case["ends"].replace("{name}", name))
    if isinstance(case, list) and not isinstance(value, list):
        return value in case
    return bool(value == case)
