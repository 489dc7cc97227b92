"""What hosts have otherwise than guest files say: for each guest, what differs, and what it takes to make it so."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from kvmrender.checks.buses import machine_kind
from kvmrender.engine import Engine, current_engine, default_engine
from kvmrender.errors import GuestError, Path, Problem, TemplateError, brief, printable
from kvmrender.fleet.difference import difference
from kvmrender.fleet.fleet import Fleet
from kvmrender.fleet.guest_result import DEFINE, DIFFERS, REPLACE, RESTART, SAME, UNDEFINED, Options, Outcome
from kvmrender.libvirt.comparison import Comparison, Difference
from kvmrender.libvirt.document_guest import Read, read
from kvmrender.libvirt.dumps import Dump, Dumps
from kvmrender.libvirt.field_places import Place
from kvmrender.libvirt.guest_parts import without
from kvmrender.libvirt.rewriting import NO_SECRETS, NOTHING, RUNNING, Rewriting, of_dumps, rewriting
from kvmrender.libvirt.scratch import Scratch
from kvmrender.libvirt.short_form import Shorteners
from kvmrender.libvirt.tidying import Tidying
from kvmrender.libvirt.xml_tree import Element, documents
from kvmrender.reading.inputs import Inputs
from kvmrender.schema.guest_schema import value_at
from kvmrender.schema.secrets import MASK

DRIFT, NO_FILE = "drift", "no-guest-file"
"""Ids of what is told, beside UNDEFINED."""
ON_HOST, IN_RUNNING = "on the host", "in the running guest"
ADDED = "added"
"""Stands for the position of a device that libvirt adds."""
MOST_SHOWN = 100
"""Characters of a device that are shown."""

Guest = dict[str, Any]


def drift(
    guest: Mapping[str, object],
    dumps: Iterable[str | bytes],
    templates: Iterable[str | os.PathLike[str]] = (),
    *,
    has_secrets: bool = False,
    diff: bool = False,
) -> Outcome:
    """Return how a host has a guest otherwise: ``status`` of the result is ``same``, ``differs`` or ``not-defined``,
    ``differences`` has a problem for each field, ``takes`` what makes it so, as docs/drift.md has it.

    ``dumps`` are what ``virsh dumpxml --inactive`` says of the guest; what it says of the running one, which has an id;
    and the definition of any other domain that may have the guest's UUID: each where there is one. ``has_secrets`` says
    that they were made with ``--security-info``. With ``diff``, the result has the difference as XML. It shows no
    secret. ``templates`` are folders that come before the shipped one.

    Raises GuestError for a guest that is wrong, and for a dump that is no domain XML, and TemplateError.
    """
    folders = tuple(str(folder) for folder in templates)
    engine = current_engine(folders, isolated=True) if folders else default_engine()
    context, xml, notes = engine.rendered(guest)
    contents = (("dump", dump.encode() if isinstance(dump, str) else dump) for dump in dumps)
    with Dumps(contents, has_secrets) as there:
        found = Drift(engine, there, diff).of(context, xml)
    if found.problems:
        raise GuestError(found.problems)
    return found._replace(notes=notes)


class Drift:
    """Holds guests against ``dumps``; with ``diff``, their XML too.

    ``scratch`` is a libvirt like that of the host, and says what becomes of a guest there; without one, or where it
    does not take the guest, there is the table of what libvirt is known to rewrite.
    """

    def __init__(self, engine: Engine, dumps: Dumps, diff: bool = False, scratch: Scratch | None = None) -> None:
        self._engine, self._dumps, self._with_diff, self._scratch = engine, dumps, diff, scratch
        self._root = engine.schema.root
        self._place = Place(self._root, self._root)

    def run(self, inputs: Inputs, options: Options, each: Callable[[Outcome], None]) -> None:
        """Hold the guests of ``inputs`` against what is there, over all cores; ``each`` is called for every one in the
        order of the files. Raises GuestError with the problems of all guests, when all are done."""
        Fleet(self._engine, inputs, options, look=self.of).run(each)

    def of(self, context: Guest, xml: str) -> Outcome:
        """Return how a guest differs from what the host has of it."""
        name = context["name"]
        definition, running = self._dumps.of(name)
        wanted = self.wanted(xml)
        uuid = str(wanted.guest.get("uuid", "")).lower()
        if definition is None and running is None:
            return self._undefined(context, uuid, xml)
        try:
            differ, differ_now = ([] if dump is None else self._of_dump(wanted, dump) for dump in (definition, running))
            if self._scratch and definition and (made := self._scratch.dump(xml)):
                differ = self.settled(wanted, self.wanted(made), differ, self._dumps.root(definition))
        except GuestError as error:
            return Outcome(name, error.problems)
        there = definition or running
        assert there is not None
        takes = [DEFINE] if differ or definition is None else []
        if takes and uuid != there.uuid:
            takes = [REPLACE]
        takes += [RESTART] if differ_now else []
        if not differ and not differ_now:
            return Outcome(name, status=SAME)
        words = _Words(self._engine, context, xml)
        problems = [*words.problems(differ, ON_HOST), *words.problems(differ_now, IN_RUNNING)]
        diff = self._diff(context, xml, wanted.guest, differ or differ_now, there) if self._with_diff else ""
        return Outcome(name, status=DIFFERS, differences=_once(problems), takes=tuple(takes), diff=diff)

    def _undefined(self, context: Guest, uuid: str, xml: str) -> Outcome:
        name = context["name"]
        owner = self._dumps.owner(uuid) if uuid else None
        said = "is not defined on the host"
        said += f", where {owner!r} has its UUID" if owner else ""
        problem = Problem((), said, id=UNDEFINED)
        diff = difference(name, None, xml, self._mask(context, xml)) if self._with_diff else ""
        return Outcome(name, status=UNDEFINED, differences=(problem,), takes=(REPLACE if owner else DEFINE,), diff=diff)

    def wanted(self, xml: str) -> Read:
        """Return what rendered XML says."""
        root = next(documents(xml.encode())).root
        assert root is not None
        return read(root, self._place)

    def settled(self, wanted: Read, made: Read, known: list[Difference], root: Element) -> list[Difference]:
        """Return how a definition differs from what is wanted, given what libvirt has ``made`` of that, with secrets.

        Of what is ``known`` to differ by the table, that remains which differs from what libvirt makes of it; and of
        what the guest says, whatever does: what it leaves to libvirt may be otherwise, such as addresses.
        """
        own = _Positions(self._place, self._comparison(rewriting(), made.guest), wanted.guest, made.guest)
        there = read(root, self._place)
        found = [
            one._replace(path=own.path(one))
            for one in self._differences(made, there, self._comparison(of_dumps(), there.guest))
        ]
        real = [one for one in known if any(_is_about(one, other) for other in found)]
        said = (
            other._replace(here=value)
            for other in found
            if (value := value_at(wanted.guest, other.path, NOTHING)) is not NOTHING
            and other.path[0] != "extra"
            and not rewriting().is_lasting(other.path)
            and not any(_is_about(one, other) for one in real)
        )
        return [*real, *said]

    def _of_dump(self, wanted: Read, dump: Dump) -> list[Difference]:
        return list(self.differences(wanted, self._dumps.root(dump), dump.is_running, dump.has_secrets))

    def differences(
        self, wanted: Read, root: Element, is_running: bool = False, has_secrets: bool = False
    ) -> Iterator[Difference]:
        """Yield how a document differs from what is wanted; see ``Dump`` for what else is known of it."""
        found = read(root, self._place)
        kinds = {RUNNING} if is_running else set()
        if not has_secrets and not self._engine.has_secret(found.guest):
            kinds.add(NO_SECRETS)
        yield from self._differences(wanted, found, self._comparison(rewriting(), found.guest, kinds))

    def _differences(self, wanted: Read, found: Read, comparison: Comparison) -> Iterator[Difference]:
        yield from comparison.guests(self._place, wanted.guest, found.guest)
        for path in {**wanted.strangers, **found.strangers}:
            here, there = Counter(wanted.strangers.get(path, ())), Counter(found.strangers.get(path, ()))
            if here - there:
                yield Difference(("extra", path), True, NOTHING)
            if there - here and not comparison.is_known(("extra", path), NOTHING, True):
                yield Difference(("extra", path), NOTHING, True)

    def _comparison(self, table: Rewriting, guest: Guest, kinds: Collection[str] = ()) -> Comparison:
        """Return one with a document that is of such kinds."""
        arch = self._engine.schema.names.get(value_at(guest, ("os", "type", "arch")))
        facts = self._engine.schema.architectures[arch]["facts"] if arch else {}
        automatic = Tidying(guest, machine_kind(guest, facts))
        return Comparison(table, automatic, kinds)

    def _diff(self, context: Guest, xml: str, wanted: Guest, differ: list[Difference], dump: Dump) -> str:
        """Return the difference between what the guest's XML would be with what the host has, and its XML."""
        other = self._rendered(_with(wanted, differ)) or self._dumps.text(dump)
        return difference(dump.name, other, xml, self._mask(context, xml))

    def _mask(self, context: Guest, xml: str) -> Callable[[str], str]:
        return self._engine.secrets.masker(context, xml, not self._engine.stack.own)

    def _rendered(self, guest: Guest) -> str | None:
        """Return the XML of a guest in full form, or None where it can't be a guest."""
        ignored: list[str] = []
        try:
            full = self._shorteners.of(guest).full(guest)
            for _ in range(2):
                try:
                    return self._engine.render({**full, "ignore": ignored} if ignored else full)
                except GuestError as error:
                    ignored = sorted({problem.id for problem in error.problems})
        except (GuestError, TemplateError, LookupError, TypeError, ValueError):
            pass
        return None

    @cached_property
    def _shorteners(self) -> Shorteners:
        return Shorteners(self._engine.schema)


def _with(guest: Guest, differ: list[Difference]) -> Guest:
    """Return a guest in full form with what the host has."""
    from copy import deepcopy

    found: Guest = deepcopy(guest)
    for path, here, there in differ:
        if path[0] == "extra" or there is NOTHING:
            continue
        *above, last = path
        holder = value_at(found, tuple(above))
        if isinstance(holder, dict):
            holder[last] = there
        elif here is NOTHING and isinstance(last, int):
            outside = value_at(found, tuple(above[:-1]))
            outside[above[-1]] = [*(holder or ()), there]
        elif isinstance(holder, list) and isinstance(last, int):
            holder[last] = there
    return without(found, [path for path, _, there in differ if there is NOTHING and path[0] != "extra"])


def _is_only_there(one: Difference) -> bool:
    return one.here is NOTHING and isinstance(one.path[-1], int)


def _is_about(one: Difference, other: Difference) -> bool:
    """Say whether two differences are of the same, or one of something in the other."""
    if _is_only_there(one) != _is_only_there(other):
        return False
    shorter = min(len(one.path), len(other.path))
    return one.path[:shorter] == other.path[:shorter]


class _Positions:
    """Where devices that libvirt has ``made`` of a guest stand in it."""

    def __init__(self, place: Place, comparison: Comparison, own: Guest, made: Guest) -> None:
        self._place, self._comparison, self._own, self._made = place, comparison, own, made
        self._known: dict[str, dict[int | None, int]] = {}

    def path(self, one: Difference) -> Path:
        """Return where a difference is in the guest, or outside of it where libvirt has added the device."""
        if len(one.path) < 2 or not isinstance(one.path[1], int) or _is_only_there(one):
            return one.path
        key, number, *below = one.path
        return (key, self._numbers(str(key)).get(number, ADDED), *below)

    def _numbers(self, key: str) -> dict[Any, int]:
        if key not in self._known:
            place, own, made = self._place.inside(key).item, self._own.get(key, []), self._made[key]
            pairs = self._comparison.matched(place, own, made, (key,))
            self._known[key] = {made: own for own, made in pairs if own is not None}
        return self._known[key]


def _once(problems: list[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))


class _Words:
    """Says how a guest differs, without its secrets."""

    def __init__(self, engine: Engine, context: Guest, xml: str) -> None:
        self._secrets, self._context = engine.secrets, context
        self._known = [*self._secrets.values(context), *self._secrets.xml.values(xml)]

    def problems(self, differ: list[Difference], where: str) -> Iterator[Problem]:
        """Yield the problems that differences are; ``where`` is the other side."""
        for path, here, there in differ:
            said = self._secrets.without(self._known, self._said(path, here, there, where))
            yield Problem(self._at(path, here), said, id=DRIFT)

    def _at(self, path: Path, here: Any) -> Path:
        """Return where a difference is in the guest file: what is only there has no place in a list."""
        if here is NOTHING and isinstance(path[-1], int):
            return path[:-1]
        if path[0] == "extra":
            return ("extra",)
        position = path[1] if len(path) > 1 else None
        own = self._context.get(str(path[0]))
        is_extra = isinstance(position, int) and not (isinstance(own, list) and position < len(own))
        return ("extra", "devices") if is_extra else path

    def _said(self, path: Path, here: Any, there: Any, where: str) -> str:
        if path[0] == "extra":
            return f"{path[1]}: {'only here' if there is NOTHING else f'only {where}'}"
        if isinstance(path[-1], int) and (here is NOTHING or there is NOTHING):
            only, value = (where, there) if here is NOTHING else ("here", here)
            return f"only {only}: {brief(self._shown(path, value), MOST_SHOWN)}"
        mine, theirs = (self._side(path, value) for value in (here, there))
        if mine == theirs:
            return f"another one {where}" + (": it is a secret" if MASK in mine else "")
        return f"{mine} here, {theirs} {where}"

    def _side(self, path: Path, value: Any) -> str:
        return "nothing" if value is NOTHING else brief(self._shown(path, value), MOST_SHOWN)

    def _shown(self, path: Path, value: Any) -> str:
        if isinstance(value, dict):
            inside = (f"{key}: {self._inside((*path, key), item)}" for key, item in value.items())
            return ", ".join(inside) or "there"
        if isinstance(value, list):
            return ", ".join(self._inside((*path, number), item) for number, item in enumerate(value))
        return MASK if self._secrets.hides(path, value) else printable(str(value))

    def _inside(self, path: Path, value: Any) -> str:
        shown = self._shown(path, value)
        return f"{{{shown}}}" if isinstance(value, dict) and value else shown
