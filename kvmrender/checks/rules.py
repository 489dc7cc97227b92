"""The rules of schema parts: what may not stand together in a guest, as data.

A rule stands in a part beside the fields that it is about, and holds for each mapping that the part describes::

    rules:
      - id: vnc-for-all
        description: No VNC display listens on all addresses.
        each: listen
        when: {type: vnc, listen.address: [0.0.0.0, '::']}
        at: listen.address
        message: is open to every network

Where all of ``when`` holds, the field ``at`` is wrong if it is given, and ``message`` says why, with ``{value}`` for
its value and ``{other}`` for that of another field, or ``{other|words}`` for words where that isn't given. Fields are
those of the mapping, or with a slash before them those of the guest (``/arch``); where a field leads through a list, it
has all values there. ``each`` names a list: the rule holds for each of its items, in which are the fields that begin
with its name. What is looked at is the context, so that defaults and derived values count.

A condition is ``true`` for a field that is given, ``false`` for one that is not, a value that it has, or one of these:

``{not: condition}``        it is given, and this does not hold
``{in: field}``             it has a value that is there too
``{contains: text}``        it is a text that this is a part of
``{has: {field: ...}}``     it is a mapping in which all of these hold, or a list with such an item
``{above: 3}``              it is more than a number, a size of memory, or the value of a field; ``below`` is less
``{multiple_of: 1 MiB}``    it is that, of a number, a size, or the value of a field
``{power_of_two: true}``    it is one
a list                      one of its conditions holds

A condition of ``at`` may stand in ``when`` too: with ``{size: false}`` it is missing. ``at`` may be a list of fields,
or a mapping of fields to their conditions, ``when`` a list of which one has to hold, and ``cases`` hold several rules
of one id. With ``unique: true`` no two items have one value; the ``message`` is what is taken, the value where it is
left out. With ``single: true`` what would be wrong may be there once: what comes after the first is wrong, and
``{first}`` is the item that has that.

``level: note`` is for what libvirt takes. A rule is for libvirts from ``since`` on, and for those before ``until``:
guests are for the newest libvirt and for all back to their ``libvirt``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

from kvmrender.checks.common import Check, Find, Triggers
from kvmrender.checks.conditions import inside, listed, others
from kvmrender.checks.rule_case import Case, placeholders
from kvmrender.errors import ERROR, Path
from kvmrender.schema.guest_schema import GuestSchema, Node, PlacedRule, Steps, resolve


def rule_checks(schema: GuestSchema) -> list[Check]:
    """Return the rules of a schema as checks, one for each of their cases."""
    found = schema.rules if schema.rules is not None else placed_rules(schema)
    return [
        Check(
            rule["id"],
            rule.get("description", ""),
            rule.get("level", ERROR),
            *_find(schema, place, case, triggers),
            rule.get("until", ""),
        )
        for place, rule, case, triggers in found
    ]


def placed_rules(schema: GuestSchema) -> list[PlacedRule]:
    """Return the cases of a schema's rules with the places of the mappings that they are for, and their triggers."""
    return [
        (place, rule, case, tuple(dict.fromkeys(Case(schema, place, case).triggers())))
        for place, rule in _rules(schema.root, schema.root, (), {})
        for case in _cases(rule)
    ]


def _cases(rule: Node) -> Iterator[Node]:
    """Yield the cases of a rule, each for one field, and with conditions of which all have to hold."""
    for case in rule.get("cases", [rule]):
        each = {"each": rule["each"]} if "each" in rule else {}
        wrong = case["at"] if isinstance(case["at"], dict) else {}
        names = [*wrong] or listed(case["at"])
        together = "unique" in case or "single" in case
        for when in listed(case.get("when", {})):
            for at in [names] if together else names:
                all_of = {**when, **wrong}
                left = {name: wanted for name, wanted in all_of.items() if name in listed(at) or name not in names}
                yield {**each, **case, "at": at, "when": left}


def _find(
    schema: GuestSchema, place: Steps, case: Node, triggers: Triggers
) -> tuple[Find, Triggers, Callable[[], str]]:
    @cache  # few are ever needed
    def compiled() -> Case:
        return Case(schema, place, case)

    return lambda context, _: compiled().found(context), triggers, cache(lambda: compiled().filter())


def _rules(root: Node, node: Node, place: Steps, above: dict[str, Steps]) -> Iterator[tuple[Steps, Node]]:
    """Yield each rule of a schema with the place of the mappings that it is for."""
    reference = node.get("$ref", "")
    if reference in above:
        return
    if reference:
        above = {**above, reference: place}
    node = resolve(root, node)
    children = node.get("properties", {})
    repeated = [key for key, child in children.items() if above.get(child.get("$ref")) == place]
    here = (*place, *((key,) for key in repeated))
    for rule in node.get("rules", ()):
        yield here, rule
    for child in node.get("allOf", ()):
        if "if" not in child:
            yield from _rules(root, child, here, above)
    if "items" in node:
        yield from _rules(root, node["items"], place, above)
    for key, child in children.items():
        yield from _rules(root, child, (*here, key), above)


def named_fields(rule: Node) -> Iterator[tuple[Path, str]]:
    """Yield the fields that a rule names, with the path in it where it does."""
    for number, case in enumerate(rule.get("cases", [rule])):
        where: Path = ("cases", number) if "cases" in rule else ()
        for key in ("each", "at", "when"):
            value = case.get(key, [])
            for place, some in enumerate(listed(value)):
                above = (*where, key) if some is value else (*where, key, place)
                if isinstance(some, str):
                    yield above, some
                    continue
                for name, wanted in some.items():
                    yield (*above, name), name
                    yield from (((*above, name), other) for other in others(wanted))
                    yield from (((*above, name), f"{name}.{below}") for below in inside(wanted))
        yield from (((*where, "message"), name) for name, _ in placeholders(case.get("message", "")))
