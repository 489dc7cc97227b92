"""Custom schema parts: validation, assembly, and report of all faults.

``part_schema.json`` describes the keywords as data; relations between keywords are checked here. The shipped parts are
validated by a test, not at each start.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from typing import Any

from kvmrender.checks.all_checks import ignorable
from kvmrender.context.full_form import converter, without_nulls
from kvmrender.context.key_shapes import Notes
from kvmrender.context.validation import problems_of, shown
from kvmrender.errors import Path, TemplateError, brief, listed, nearest
from kvmrender.reading.parse import MAX_DEPTH, RefusedError
from kvmrender.rules.rules import named_fields, placed_rules
from kvmrender.schema.editor_schema import PART_SCHEMA
from kvmrender.schema.guest_schema import (
    ROOT,
    GuestSchema,
    Node,
    all_defs,
    extended,
    key_of,
    load_schema,
    node_at,
    resolve,
    target_of,
    validator_of,
)
from kvmrender.schema.known_parts import About, KnownParts, references_of
from kvmrender.schema.secrets import Secrets
from kvmrender.schema.shorthand import forms, texts
from kvmrender.shipped import SHIPPED
from kvmrender.templating.loader import text_of
from kvmrender.templating.part_files import Fault, Part, parsed, shipped_part
from kvmrender.templating.part_nodes import children, circle, measure, nodes, target
from kvmrender.templating.stack import SCHEMA, Stack

MOST_FIELDS = 100_000
"""Maximum number of fields of a schema, counted at each place where they can occur; about ten times those of the
shipped schema."""

_NEEDED = ("type", "name", "arch", "memory", "disks", "controllers", "interfaces", "serials", "mac_prefix")
"""Keys of a guest that derivations use."""
_DISKS = ("disk", "lun", "cdrom", "floppy")


def guest_schema(stack: Stack, known: KnownParts | None = None) -> GuestSchema:
    """Return the schema of a stack; ``known`` is used of the shipped one. Raises TemplateError."""
    if not stack.own_parts():
        read = stack.files
        return load_schema(lambda name: shipped_part(read(name)[0]), stack.names(SCHEMA), checks=ignorable())
    if known:
        schema, faults = checked(stack, known=known)
        if schema and not faults:
            schema.rules = placed_rules(schema, known)
            return schema
    schema, faults = checked(stack)  # all of them, where they are
    if error := error_of(faults):
        raise error
    assert schema is not None
    return schema


def about_shipped(stack: Stack, schema: GuestSchema) -> dict[str, About]:
    """Return the parts of the shipped schema, which the stack has."""
    found = {}
    for name in stack.names(SCHEMA):
        if (part := schema.root["$defs"].get(key_of(name))) is not None:
            above = [name]
            for other in above:
                above += extended(shipped_part(stack.files(other)[0]))
            found[name] = About(above[1:], sorted({*references_of(part)}), *measure(schema.root, part, {}))
    return found


def checked(
    stack: Stack, thoroughly: bool = False, known: KnownParts | None = None
) -> tuple[GuestSchema | None, list[Fault]]:
    """Return the schema of a stack with custom parts, if it can be assembled, and the faults of these parts: errors,
    and if ``thoroughly``, also findings that only ``templates check`` reports.

    What is ``known`` of shipped parts is not checked again. If that finds a fault, there may be others, elsewhere.
    """
    check = _Check(stack, thoroughly, known)
    schema = None
    try:
        schema = check.put_together()
    except _StopError:
        pass
    except RecursionError:
        check.add(check.first(), (), "is not a schema of guests: it is nested, or referred from part to part, too deep")
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        check.add(check.first(), (), f"is not a schema of guests: {type(error).__name__}: {brief(str(error))}")
    return schema, list(dict.fromkeys(check.faults))


def error_of(faults: Iterable[Fault]) -> TemplateError | None:
    """Return the error for commands that need the schema, if there is one among the faults."""
    errors = [fault for fault in faults if fault.is_error]
    if not errors:
        return None
    more = f" (and {len(errors) - 1} more: see kvmrender templates check)" if errors[1:] else ""
    return TemplateError(f"{errors[0].message}{more}", errors[0].file, errors[0].line or None)


class _StopError(Exception):
    """The faults prevent assembly."""


class _Check:
    """Assemble a schema and collect the faults of its custom parts."""

    def __init__(self, stack: Stack, thoroughly: bool, known: KnownParts | None) -> None:
        self.stack, self.thoroughly, self._known = stack, thoroughly, known
        self.faults: list[Fault] = []
        self.own = {name: Part(name, stack.shown(file), "") for name, file in stack.own_parts().items()}
        self._parts: dict[str, Node] = {}

    def first(self) -> Part:
        """Return the part to which faults without a known part are attributed."""
        return next(iter(self.own.values()))

    def add(self, part: Part, path: Path, message: str, is_error: bool = True, stops: bool = True) -> None:
        """Add a fault at a path of a part."""
        key = "".join(f"[{step}]" if isinstance(step, int) else f".{brief(step)}" for step in path).removeprefix(".")
        said = (
            f"is not a schema of guests: {key}: {message}" if key and stops else f"{key}: {message}" if key else message
        )
        self.faults.append(Fault(part.file, part.line(path), said, is_error, stops))

    def put_together(self) -> GuestSchema:
        """Return the schema. Raises _StopError after faults that prevent assembly, and unexpected exceptions."""
        for part in self.own.values():
            self._read(part)
        self._stop()
        for part in self.own.values():
            self._extends(part)
            self._references(part)
        self._stop()
        schema = load_schema(self._value, self.stack.names(SCHEMA), False, self._vet, ignorable(), self._known)
        self._stop()
        self._compile(schema)
        self._stop()
        for name in self.own.keys() & self._parts.keys():
            for path, node, is_more in nodes(self._parts[name]):
                self._look(schema, name, path, node, is_more or "names" in self._parts[name].get("facts", {}))
        return schema

    def _stop(self) -> None:
        if any(fault.stops for fault in self.faults):
            raise _StopError

    def _read(self, part: Part) -> None:
        try:
            part.text = text_of(self.stack, part.name)
            part.value = parsed(part.text)
        except TemplateError as error:
            self.faults.append(Fault(part.file, error.line or 0, error.message))
        except RefusedError as error:
            self.faults.append(Fault(part.file, error.position[0] if error.position else 0, error.message))
        else:
            nothing = Secrets(_described())
            for found in _keywords().iter_errors(part.value):
                for problem in problems_of(_described(), nothing, part.value, found):
                    said = problem.message.replace("is not a known key", "is not a keyword")
                    self.add(part, problem.path, said, stops=said == problem.message)
            for path, node, is_condition in nodes(part.value):
                self._patterns(part, path, node)
                for more, child in () if is_condition else children(node):
                    if isinstance(child, bool) and more[0] in ("properties", "items"):
                        self.add(part, (*path, *more), f"{shown(child)} is not a mapping: say what it holds")

    def _patterns(self, part: Part, path: Path, node: Node) -> None:
        if isinstance(pattern := node.get("pattern"), str):
            try:
                validator_of({"pattern": pattern})
            except ValueError:
                said = f"{shown(pattern)} is not a regular expression without look-around and backreferences"
                self.add(part, (*path, "pattern"), said)
        architecture = node.get("facts")
        facts = architecture if isinstance(architecture, dict) else {}
        shorthand = node.get("shorthand")
        several = [((number,), form) for number, form in enumerate(shorthand)] if isinstance(shorthand, list) else []
        for where, patterns in (
            (("facts", "machine_buses"), facts.get("machine_buses")),
            (("facts", "machine_kinds"), facts.get("machine_kinds")),
            (("shorthand",), shorthand),
            *((("shorthand", *step), form) for step, form in several),
        ):
            for pattern in patterns if isinstance(patterns, dict) else ():
                if isinstance(patterns[pattern], dict):  # an invalid text with placeholders
                    continue
                try:
                    re.compile(pattern)
                except (re.error, RecursionError, OverflowError) as error:
                    self.add(part, (*path, *where, pattern), f"is not a regular expression: {error}")

    def _value(self, name: str) -> Node:
        return self.own[name].value if name in self.own else shipped_part(self.stack.files(name)[0])

    def _is_there(self, name: str) -> str:
        """Return why a part that another refers to is not available, or an empty string."""
        try:
            text_of(self.stack, name)
        except TemplateError as error:
            return f"{brief(name)}: {error.message}"
        return "" if name.endswith(SCHEMA) else f"{brief(name)}: is not a part of the schema, NAME{SCHEMA}"

    def _extends(self, part: Part) -> None:
        self._extends_all([part])

    def _extends_all(self, above: list[Part]) -> None:
        for name in extended(above[-1].value):
            if fault := self._is_there(name):
                self.add(above[-1], (), f"can't extend {fault}")
            elif name in [one.name for one in above]:
                circle = " extends ".join([*(one.name for one in above), name])
                self.add(above[-1], (), f"can't extend {name!r}: {circle}{_meant(self.stack, name)}")
            elif name in self.own:
                self._extends_all([*above, self.own[name]])

    def _references(self, part: Part) -> None:
        for path, node, _ in nodes(part.value):
            if isinstance(reference := node.get("$ref"), str):
                target, _ = target_of(part.name, reference)
                if target != part.name and (fault := self._is_there(target)):
                    self.add(part, (*path, "$ref"), fault)

    def _vet(self, parts: dict[str, Node]) -> None:
        """Check parts before they are merged: references, and keys that derivations use."""
        self._parts = parts
        whole = {**parts[ROOT], "$defs": all_defs(parts)}
        known = self._known.references if self._known else {}
        new = {name: part for name, part in parts.items() if name not in known}
        places = {id(node): (name, path) for name, part in new.items() for path, node, _ in nodes(part)}
        within = [(*places[id(node)], node) for part in new.values() for _, node, _ in nodes(part)]
        others = [known[name].items() for name in known.keys() & parts.keys()]
        into = [(to, (), {"$ref": reference}) for of in others for reference, to in of if to in new]
        for name, path, node in [*within, *into]:
            if (reference := node.get("$ref")) is not None and not isinstance(target(whole, reference), dict):
                self._blame_reference(name, path, reference)
        self._stop()
        if found := circle(whole, [node for *_, node in within]):
            self._blame(*places[id(found)], "leads to itself, with no key in between")
        self._stop()
        depth, fields = measure(whole, whole, dict(self._known.sizes) if self._known else {})
        if depth > MAX_DEPTH:
            self._blame(ROOT, (), f"has fields nested more than {MAX_DEPTH} deep")
        if fields > MOST_FIELDS:
            self._blame(ROOT, (), f"has more than {MOST_FIELDS:,} fields, each counted wherever it can stand")
        for key in _NEEDED:
            if not isinstance(parts[ROOT].get("properties", {}).get(key), dict):
                self._blame(
                    ROOT, ("properties", key), "is missing, which is computed with: extend shipped/guest.schema.yaml"
                )
        if "default" not in parts[ROOT].get("properties", {}).get("arch", {}):
            self._blame(
                ROOT, ("properties", "arch", "default"), "is missing: the architecture of guests that name none"
            )
        parts[ROOT].setdefault("required", [])
        self._architectures(parts)
        self._stop()

    def _architectures(self, parts: dict[str, Node]) -> None:
        tops = {name: part for name, part in parts.items() if "names" in part.get("facts", {}) and "/" not in name}
        known: dict[str, str] = {}
        for name, part in tops.items():
            part.setdefault("properties", {})
            names = part["facts"]["names"]
            if name != (wanted := names[0] + SCHEMA):
                self._blame(name, ("facts", "names"), f"the file of {names[0]} is called {wanted}")
            for alias in names:
                if known.setdefault(alias, name) != name:
                    said = f"{alias!r} is an architecture of {known[alias]} already"
                    self._blame(name, ("facts", "names"), said)
        for name, part in tops.items():
            facts = part["facts"]
            where = ("facts", "disk_buses")
            if "like" in facts and facts["like"] not in known:
                said = f"{shown(facts['like'])} is not an architecture{nearest(facts['like'], known)}"
                self._blame(name, ("facts", "like"), said)
            elif "disk_buses" not in facts:
                self._blame(name, where, f"is missing: the usual bus of each kind of disk ({', '.join(_DISKS)})")
            elif missing := [kind for kind in _DISKS if kind not in facts["disk_buses"] and "like" not in facts]:
                self._blame(name, where, f"lacks {listed(missing)}")
        default = parts[ROOT].get("properties", {}).get("arch", {}).get("default")
        if default is not None and (not isinstance(default, str) or default not in known):
            self._blame(ROOT, ("properties", "arch", "default"), f"{shown(default)} is not an architecture")

    def _compile(self, schema: GuestSchema) -> None:
        try:
            if self._known:
                parts = [part for name, part in self._parts.items() if name not in self._known.parts]
                validator_of({"allOf": _without_references(parts)})
            else:
                _ = schema.validator
        except ValueError as error:
            path: Path = tuple(getattr(error, "instance_path", ()))
            names = {key_of(name): name for name in self._parts}
            name = ROOT
            if path[:1] == ("$defs",) and path[1] in names:
                name, path = names[str(path[1])], path[2:]
            self._blame(name, path, brief(str(error).partition("\n")[0]))

    def _look(self, schema: GuestSchema, name: str, path: Path, node: Node, is_more: bool) -> None:
        """Check relations between the keywords of a node; ``is_more`` means that it is described elsewhere."""
        known = resolve(schema.root, node).get("properties", {})
        _, shorthand = forms(node)
        for key in shorthand.values() if isinstance(shorthand, dict) else [shorthand] if shorthand else []:
            self._named(name, (*path, "shorthand"), key, known, "property of it", True, True)
        for text in texts(node):
            for key in text.mapping:
                self._named(name, (*path, "shorthand", text.form), key, known, "property of it", True, True)
        for arch in node.get("only_on", ()):
            self._named(name, (*path, "only_on"), arch, schema.architectures, "architecture", True, False)
        for rule in node.get("rules", ()):
            self._rule(schema.root, name, path, node, rule)
        if not self.thoroughly:
            return
        for key, variants in node.get("variants", {}).items():
            self._named(name, (*path, "variants", key), key.partition(".")[0], known, "property of it")
            for number, variant in enumerate(variants):
                for keyword in ("allows", "requires"):
                    for one in variant.get(keyword, ()):
                        where = (*path, "variants", key, number, keyword)
                        self._named(name, where, one.partition(".")[0], known, "property of it")
        for key, child in () if is_more else node.get("properties", {}).items():
            if isinstance(child, dict):
                self._property(schema, name, (*path, "properties", key), known, child)

    def _rule(self, root: Node, name: str, path: Path, node: Node, rule: Node) -> None:
        """Check the fields that a rule names, at its place in its part."""
        for part in self._chain(name):
            own = node_at(part.value, path).get("rules", []) if part.says(path) else []
            if rule in own:
                path = (*path, "rules", own.index(rule))
                for where, field in named_fields(rule):
                    there = root if field.startswith("/") else node
                    if "properties" not in resolve(root, there):
                        continue  # it is merged into the part that has them
                    for step in field.removeprefix("/").split("."):
                        there = resolve(root, there)
                        known = resolve(root, there["items"]) if "items" in there else there
                        properties = known.get("properties", {})
                        if step not in properties:
                            said = f"{shown(step)} is not a field there{nearest(step, properties)}"
                            self._blame(name, (*path, *where), said, stops=False)
                            break
                        there = properties[step]
                return

    def _property(self, schema: GuestSchema, name: str, path: Path, known: Node, node: Node) -> None:
        if not any(part.says(path) for part in self._chain(name)):
            return
        whole = resolve(schema.root, node)
        if "description" not in whole and whole.get("not") != {}:  # a refused field needs none
            self._blame(name, path, "has no description", is_error=False)
        defaults: dict[Path, Any] = {("default",): node.get("default")}
        for number, case in enumerate(node.get("defaults", ())):
            defaults["defaults", number, "value"] = case.get("value")
            for neighbour in case.get("when", ()):
                if neighbour != "/type":
                    where = (*path, "defaults", number, "when")
                    self._named(name, where, neighbour.partition(".")[0], known, "neighbour of it")
        for where, default in defaults.items():
            if default is not None and (wrong := _unfit(schema.root, whole, default)):
                self._blame(name, (*path, *where), f"does not fit: {wrong}", is_error=False)

    def _named(
        self,
        name: str,
        path: Path,
        word: str,
        known: Iterable[str],
        what: str,
        is_error: bool = False,
        stops: bool = False,
    ) -> None:
        if word not in known:
            a = "an" if what[0] == "a" else "a"
            self._blame(name, path, f"{shown(word)} is not {a} {what}{nearest(word, known)}", is_error, stops)

    def _blame_reference(self, name: str, path: Path, reference: str) -> None:
        """Add a fault for a broken reference, to the part that lacks the target if that is a custom one."""
        file = next((other for other in self._parts if reference.startswith(f"#/$defs/{key_of(other)}/")), name)
        if file != name and file in self.own and name not in self.own:
            missing = reference.removeprefix(f"#/$defs/{key_of(file)}/").replace("/", ".")
            self._blame(file, (), f"lacks {missing}, to which other parts refer: extend shipped/{file}")
        else:
            written = next((part for part in self._chain(name) if part.says((*path, "$ref"))), None)
            reference = node_at(written.value, path)["$ref"] if written else reference
            self._blame(name, (*path, "$ref"), f"{shown(reference)} refers to nothing")

    def _chain(self, name: str) -> list[Part]:
        """Return the custom parts that are merged into a part, the uppermost first."""
        chain: list[Part] = []
        names = [name]
        for name in names:
            if name in self.own and self.own[name] not in chain:
                chain.append(self.own[name])
                names += reversed(extended(self.own[name].value))
        return chain

    def _blame(self, name: str, path: Path, message: str, is_error: bool = True, stops: bool = True) -> None:
        """Add a fault at a path of the merged part ``name``; findings only if custom parts contain it."""
        chain = self._chain(name) or [self.first()]
        part = next((part for part in chain if part.says(path)), chain[0] if is_error else None)
        if part:
            self.add(part, path, message, is_error, stops and is_error)


@cache
def _described() -> Node:
    described: Node = json.loads(PART_SCHEMA.read_text(encoding="utf-8"))
    return described


@cache
def _keywords() -> Any:
    return validator_of(_described())


def _without_references(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_references(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_references(item) for key, item in node.items() if key != "$ref" or isinstance(item, dict)}


def _unfit(root: Node, node: Node, default: Any) -> str:
    """Return why a default is not a valid value of its field, or an empty string."""
    convert = converter(root, node, "kvm")
    value = without_nulls(convert(deepcopy(default), Notes()) if convert else default)
    schema = {**node, "$defs": root["$defs"]}
    secrets = Secrets(schema)
    try:
        errors = validator_of(schema).iter_errors(value)
    except ValueError:  # it refers to content that exists only in the whole schema
        return ""
    return next((problem.message for error in errors for problem in problems_of(schema, secrets, value, error)), "")


def _meant(stack: Stack, name: str) -> str:
    """Return a hint if there is a shipped file of the same name."""
    return f" (did you mean {SHIPPED}/{name}?)" if stack.files(f"{SHIPPED}/{name}") else ""
