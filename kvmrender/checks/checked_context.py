"""Conversion of a guest as written to the context of its templates, or to a list of its problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from kvmrender.checks import all_checks
from kvmrender.checks.common import dig
from kvmrender.checks.raw_devices import RAW
from kvmrender.context.derivation import derive
from kvmrender.context.full_form import hypervisor, normaliser, with_machine, without_nulls
from kvmrender.context.key_shapes import Convert, Notes, Shape
from kvmrender.context.validation import MOST_PROBLEMS, checker, not_json, shown
from kvmrender.errors import ERROR, GuestError, Path, Problem, TemplateError, brief
from kvmrender.reading.profiles import USE, Profiles
from kvmrender.rules.rule_case import ALWAYS
from kvmrender.schema.guest_schema import GuestSchema, value_at

if TYPE_CHECKING:
    from kvmrender.context.advice import Advice

Context = dict[str, Any]


Built = tuple[Context, list[str], list[Problem]]
"""The context of a guest, the keys whose default a null removes, and notes."""


def context_builder(schema: GuestSchema) -> Callable[[Any], Built]:
    """Return the function that converts a guest to its context.

    The function raises GuestError with all problems of the guest: those of the schema, and those that checks across
    fields find after invalid values are removed.
    """
    checks = all_checks.checks_of(schema)
    if not schema.is_shipped:  # its parts may add defaults that the checks in Python do not expect
        checks = tuple(one._replace(triggers=(ALWAYS,)) if one in all_checks.CHECKS else one for one in checks)

    profiles = Profiles(schema.root)

    @lru_cache(maxsize=1024)  # shapes refer to parts of the schema and share its lifetime
    def wanted(arch: str, shapes: frozenset[Shape]) -> all_checks.Ready:
        return all_checks.wanted(checks, arch, shapes)

    @cache
    def every() -> all_checks.Ready:
        return all_checks.ready(checks)

    @cache
    def normalise(arch: str | None, guest_type: str) -> Convert:
        return normaliser(schema, arch, guest_type)

    def full_form(guest: Mapping[str, Any]) -> tuple[Context, Notes]:
        named = guest.get("arch") or schema.root["properties"]["arch"]["default"]
        arch = schema.names.get(named) if isinstance(named, str) else None
        guest = with_machine(guest)
        notes = Notes(guest.keys())
        full = normalise(arch, hypervisor(guest))(guest, notes)
        if arch is not None:
            full["arch"] = arch
        return full, notes

    def derived(full: Context, notes: Notes) -> tuple[Context, list[Problem]]:
        architecture = schema.architectures[full["arch"]]["facts"]
        context = derive(full, architecture)
        is_known = notes.kept and len(notes.shapes) <= all_checks.MOST_SHAPES
        is_known = is_known and ("extra" not in full or not dig(full, *RAW))
        run = wanted(full["arch"], frozenset(notes.shapes)) if is_known else every()
        return context, all_checks.problems(context, architecture, run, MOST_PROBLEMS)

    @cache
    def advice() -> Advice:
        from kvmrender.context.advice import Advice

        def whole(guest: Mapping[str, Any]) -> Context:
            found: Context = without_nulls(full_form(guest)[0])
            return found

        return Advice(schema, whole, lambda full: derived(*full_form(full))[1])

    check = checker(schema, advice)

    def further(full: Context, problems: list[Problem]) -> list[Problem]:
        """Return further problems that do not follow from the problems found already."""
        faulty = {problem.path for problem in problems}
        misspelt = {problem.path[:-1] for problem in problems if problem.at_key}
        for gone in (faulty, {path[:1] for path in faulty}):
            left = full_form({"name": "guest", **_without(full, gone)})
            try:
                found = derived(*left)[1]
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
                continue  # a required value is missing: remove the whole mapping
            return [
                problem
                for problem in found
                if not any(_overlap(path, fault) for path in (problem.path, *problem.related) for fault in gone)
                and (problem.path[:-1] not in misspelt or value_at(full, problem.path) is not None)
            ]
        return []

    def build(guest: Any) -> Built:
        if guest.__class__ is not dict and not isinstance(guest, Mapping):
            raise GuestError([Problem((), f"a guest is a mapping, not {shown(guest)}")])
        uses = USE in guest
        full, notes = full_form(profiles.under(guest) if uses else guest)
        problems = check(without_nulls(full), None) if notes.nulls else check(full, notes.given)
        if full.get("memory", ...) is None:  # a null for a value that is otherwise derived
            problems = [*problems, Problem(("memory",), "is missing (maximum memory of the guest)")]
        if problems:
            raise GuestError(problems + further(full, problems))
        if uses:  # a context already includes its profiles
            full.pop(USE, None)
        try:
            context, found = derived(full, notes)
        except ValueError:
            if problems := not_json(schema, full):
                raise GuestError(problems) from None
            raise
        if found and any(problem.level == ERROR for problem in found):
            raise GuestError(found)
        return context, notes.nulls, found

    return build


def careful(build: Callable[[Any], Built], part: Callable[[], str]) -> Callable[[Any], Built]:
    """Return ``build`` for a schema with custom parts, which may lack keys that derivations need. This is a
    TemplateError with the file that ``part`` returns."""

    def with_care(guest: Any) -> Built:
        try:
            return build(guest)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            said = f"key {brief(str(error))} is missing" if isinstance(error, KeyError) else type(error).__name__
            raise TemplateError(f"describes a guest that can't be computed with: {said}", part()) from error

    return with_care


def _without(guest: Context, paths: Iterable[Path]) -> Context:
    """Return a copy of the guest without the values at the paths."""
    left = deepcopy({key: value for key, value in guest.items() if key != "vars"})
    for path in paths:
        place = value_at(left, path[:-1])
        if isinstance(place, dict):
            place.pop(path[-1], None) if path else place.clear()
    return left


def _overlap(path: Path, other: Path) -> bool:
    shorter = min(len(path), len(other))
    return path[:shorter] == other[:shorter]
