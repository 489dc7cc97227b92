"""Rules of schema parts: combinations of values that are not allowed in a guest, as data.

A rule is in the part of the fields that it concerns, and applies to each mapping that the part describes::

    rules:
      - id: vnc-for-all
        description: No VNC display listens on all addresses.
        each: listen
        when: {type: vnc, listen.address: [0.0.0.0, '::']}
        at: listen.address
        message: is open to every network

If all conditions of ``when`` hold, the field ``at`` is wrong if it is given. ``message`` is the reason, in which
``{value}`` is its value, ``{other}`` that of another field, and ``{other|words}`` has default words. Fields are those
of the mapping, or with a leading slash those of the guest (``/arch``); a field in a list has all values of its items.
``each`` names a list: the rule applies to each of its items, whose fields begin with the list's name. Rules see the
context, that is, defaults and derived values too.

A condition is ``true`` for a field that is given, ``false`` for one that is not, a value, or one of these:

``{not: condition}``        the field is given, and the condition does not hold
``{in: field}``             the value is one of that field's
``{contains: text}``        the value contains the text
``{has: {field: ...}}``     the value is a mapping in which all conditions hold, or a list with such an item
``{above: 3}``              the value is more than a number, a memory size, or the value of a field; ``below`` is less
``{multiple_of: 1 MiB}``    the value is a multiple of a number, a size, or the value of a field
``{power_of_two: true}``    the value is a power of two
a list                      one of its conditions holds

A condition on ``at`` may be in ``when`` too: with ``{size: false}``, a missing field is reported. ``at`` may be a list
of fields, or a mapping of fields to conditions, ``when`` a list of alternatives, and ``cases`` has several rules with
one ID. With ``unique: true``, values of items must be unique; the ``message`` is the words for the value, by default
the value itself. With ``single: true``, the value may occur once: later ones are wrong, and ``{first}`` is the item
with the first.

``level: note`` is for guests that libvirt accepts. A rule, or one of its cases, applies to libvirt from ``since`` on
and before ``until``; the version is the guest's ``libvirt``, by default the newest. ``since`` and ``until`` of fields
and values are such rules too (see ``schema.versions``): values that the guest's libvirt does not support are refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import Any

from kvmrender.errors import ERROR, Path, Problem
from kvmrender.rules.check import Check, Context, Test, Triggers
from kvmrender.rules.conditions import inside, listed, others
from kvmrender.rules.rule_case import Case, placeholders
from kvmrender.schema.guest_schema import FREE, GuestSchema, Node, PlacedRule, Steps, resolve
from kvmrender.schema.known_parts import KnownParts
from kvmrender.schema.versions import facts

VERSION = "version"
"""ID of the rules that follow from ``since`` and ``until`` of fields and values."""
OF_VERSIONS = "Fields and values of the guest are supported by its libvirt version."
"""Description of these rules."""


def rule_checks(schema: GuestSchema) -> list[Check]:
    """Return the rules of a schema as checks, one for each case."""
    found = schema.rules if schema.rules is not None else placed_rules(schema)
    return [
        Check(
            rule["id"],
            rule.get("description", ""),
            rule.get("level", ERROR),
            later.found,
            triggers,
            later.test,
            case.get("since", ""),
            case.get("until", ""),
        )
        for place, rule, case, triggers in found
        for later in [_Later(schema, place, case)]
    ]


def placed_rules(schema: GuestSchema, known: KnownParts | None = None) -> list[PlacedRule]:
    """Return the cases of a schema's rules with the places of their mappings, and their triggers; those that are
    ``known``, and the same in this schema, are not looked for again."""
    same = known.same_keys(schema) if known else set()
    below: dict[str, list[tuple[Steps, Node, Node, Triggers | None]]] = {key: [] for key in same}
    ready: dict[str, Triggers] = {}
    for (place, rule, case, triggers), tops in known.rules if known else ():
        if place and place[0] in same:
            below[str(place[0])].append((place, rule, case, triggers if same.issuperset(tops) else None))
        elif not place and same.issuperset(tops):
            ready[_about(case)] = triggers
    found: list[tuple[Steps, Node, Node, Triggers | None]] = []
    for place, rule in _rules(schema.root, schema.root, (), {}, same):
        if rule:
            found += [(place, rule, case, None if place else ready.get(_about(case))) for case in _cases(rule)]
        else:
            found += below[str(place[0])]
    for arch, node in schema.architectures.items():
        rules = _versions(schema.root, "arch", node, [arch])
        found += [((), rule, case, None) for rule in rules for case in _cases(rule)]
    return [
        (place, rule, case, tuple(Case(schema, place, case).triggers()) if triggers is None else triggers)
        for place, rule, case, triggers in found
    ]


def _about(case: Node) -> str:
    """Return what the triggers of a case depend on, besides the fields that it names."""
    return repr([case.get("each"), case["at"], case.get("when")])


def tops(place: Steps, case: Node) -> list[str]:
    """Return the keys of a guest that the triggers of a case depend on."""
    names = [name for _, name in named_fields(case) if not place or name.startswith("/")]
    return sorted({name.removeprefix("/").partition(".")[0] for name in names} | {str(step) for step in place[:1]})


def _cases(rule: Node) -> Iterator[Node]:
    """Yield the cases of a rule, each for one field, with conditions that must all hold. Cases that do not apply to the
    newest libvirt need a guest that sets its libvirt."""
    shared = {key: rule[key] for key in ("each", "since", "until") if key in rule}
    for case in rule.get("cases", [rule]):
        case = {**shared, **case}
        named = {"/libvirt": True} if "until" in case else {}
        wrong = case["at"] if isinstance(case["at"], dict) else {}
        names = [*wrong] or listed(case["at"])
        together = "unique" in case or "single" in case
        for when in listed(case.get("when", {})):
            for at in [names] if together else names:
                all_of = {**named, **when, **wrong}
                left = {name: wanted for name, wanted in all_of.items() if name in listed(at) or name not in names}
                yield {**case, "at": at, "when": left}


class _Later:
    """A case that is compiled when it is first needed: only a few are."""

    def __init__(self, *of: Any) -> None:
        self._of = of
        self._tests: dict[str | None, Test] = {}

    @cached_property
    def _compiled(self) -> Case:
        return Case(*self._of)

    def found(self, context: Context, _: Context) -> Iterator[Problem]:
        return self._compiled.found(context)

    def test(self, arch: str | None) -> Test:
        if arch not in self._tests:
            self._tests[arch] = self._compiled.filter(arch)
        return self._tests[arch]


def _rules(
    root: Node, node: Node, place: Steps, above: dict[str, Steps], known: Collection[str] = ()
) -> Iterator[tuple[Steps, Node]]:
    """Yield each rule of a schema with the place of its mappings; an empty one for those below each ``known`` key."""
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
    for key, child in children.items():
        yield from ((here, rule) for rule in _versions(root, key, child))
    for key, variants in node.get("variants", {}).items():
        for variant in variants:
            yield from ((here, rule) for rule in _of_variant(root, key, variant, variants))
    for child in node.get("allOf", ()):
        if "if" not in child:
            yield from _rules(root, child, here, above)
    if "items" in node:
        yield from _rules(root, node["items"], place, above)
    for key, child in children.items():
        yield from [((key,), {})] if key in known else _rules(root, child, (*here, key), above)


def _of_variant(root: Node, key: str, variant: Node, variants: list[Node]) -> Iterator[Node]:
    """Yield the rules that refuse values of a variant, or the fields that it allows, for some libvirt versions."""
    values = variant["is"]
    yield from _versions(root, key, variant, values)
    others = {"not": [value for other in variants for value in other["is"] or ()]}
    when = {key: values or (False if values is not None else others)}
    for name, node in _fields(root, variant):
        yield from _versions(root, name, node, when=when)


def _fields(root: Node, node: Node, above: tuple[str, ...] = ()) -> Iterator[tuple[str, Node]]:
    """Yield the fields of a mapping or of list items, at any depth, with their nodes."""
    if (reference := node.get("$ref", "")) in above:
        return
    above, node = (*above, reference) if reference else above, resolve(root, node)
    for key, child in node.get("properties", {}).items():
        yield key, child
        yield from ((f"{key}.{name}", below) for name, below in _fields(root, child, above))
    yield from _fields(root, node["items"], above) if "items" in node else ()


def _versions(root: Node, field: str, node: Node, values: list[str] | None = None, when: Node = FREE) -> Iterator[Node]:
    """Yield the rules that refuse a field, or these values of it, for libvirt versions that do not support them."""
    node = resolve(root, node)
    if "items" in node:
        yield from _versions(root, field, node["items"], when=when)
    own, of_values = facts(node)
    for value, fact in ((values, own), *of_values.items()):
        what, guest = "'{value}' " if value else "", "the guest is for {/libvirt|the newest}"
        for key, release, said, which in (
            ("until", fact.since, f"{what}needs libvirt {fact.since}, {guest}", "older"),
            ("since", fact.until, f"{what}is not in libvirt {fact.until} and newer, {guest}", "newer"),
        ):
            if release:
                yield {
                    "id": VERSION,
                    "description": OF_VERSIONS,
                    key: release,
                    "when": {**when, field: value} if value else when,
                    "at": field,
                    "message": f"{said} (for {which} versions, use {fact.instead})" if fact.instead else said,
                }


def named_fields(rule: Node) -> Iterator[tuple[Path, str]]:
    """Yield the fields that a rule names, with the path in the rule."""
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
