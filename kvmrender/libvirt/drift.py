"""Drift: differences between guest files and the definitions on hosts, with the steps to apply the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any

from kvmrender.checks.buses import machine_kind
from kvmrender.engine import Engine, engine_of
from kvmrender.errors import GuestError, Path, Problem, TemplateError, brief, printable
from kvmrender.fleet.difference import difference
from kvmrender.fleet.fleet import Fleet
from kvmrender.fleet.guest_result import DEFINE, DIFFERS, REPLACE, RESTART, SAME, UNDEFINED, Options, Outcome
from kvmrender.libvirt.comparison import Comparison, Difference
from kvmrender.libvirt.document_guest import Read, read
from kvmrender.libvirt.dumps import Dump, Dumps
from kvmrender.libvirt.field_places import Place, place_of
from kvmrender.libvirt.guest_parts import without
from kvmrender.libvirt.rewriting import NO_SECRETS, NOTHING, RUNNING, Rewriting, of_dumps, rewriting
from kvmrender.libvirt.scratch import Scratch
from kvmrender.libvirt.short_form import shorteners_of
from kvmrender.libvirt.tidying import Tidying
from kvmrender.libvirt.xml_tree import Element, documents
from kvmrender.reading.inputs import Inputs
from kvmrender.schema.guest_schema import value_at
from kvmrender.schema.secrets import MASK
from kvmrender.templating.stack import Paths

DRIFT, NO_FILE = "drift", "no-guest-file"
"""IDs of differences, in addition to UNDEFINED."""
ON_HOST, IN_RUNNING = "on the host", "in the running guest"
ADDED = "added"
"""Stands for the index of a device that libvirt adds."""
MOST_SHOWN = 100
"""Maximum number of characters of a device in a message."""

Guest = dict[str, Any]


def drift(
    guest: Mapping[str, object],
    dumps: Iterable[str | bytes],
    templates: Paths = (),
    *,
    has_secrets: bool = False,
    diff: bool = False,
) -> Outcome:
    """Return the differences between a guest and its definition on a host.

    In the result, ``status`` is ``same``, ``differs`` or ``not-defined``; ``differences`` has a problem for each field;
    ``takes`` are the steps to apply the guest, as in docs/drift.md.

    ``dumps`` are the output of ``virsh dumpxml --inactive`` for the guest, that for the running guest (which has an
    id), and the definition of another domain with the guest's UUID, as far as they exist. ``has_secrets`` means that
    they were made with ``--security-info``. With ``diff``, the result has the differences as XML. Secrets are masked.
    ``templates`` are folders that are searched before the shipped one.

    Raises GuestError for an invalid guest and for a dump that is not domain XML, and TemplateError.
    """
    engine = engine_of(templates)
    context, xml, notes = engine.rendered(guest)
    contents = (("dump", dump.encode() if isinstance(dump, str) else dump) for dump in dumps)
    with Dumps(contents, has_secrets) as there:
        found = Drift(engine, there, diff).of(context, xml)
    if found.problems:
        raise GuestError(found.problems)
    return found._replace(notes=notes)


class Drift:
    """Compare guests with ``dumps``; with ``diff``, also as XML.

    ``scratch`` is a libvirt like that of the host, which shows the definition that it makes of a guest. Without it, or
    if it refuses the guest, the table of known changes is used.
    """

    def __init__(self, engine: Engine, dumps: Dumps, diff: bool = False, scratch: Scratch | None = None) -> None:
        self._engine, self._dumps, self._with_diff, self._scratch = engine, dumps, diff, scratch
        self._root = engine.schema.root
        self._place = place_of(engine.schema)

    def run(self, inputs: Inputs, options: Options, each: Callable[[Outcome], None]) -> None:
        """Compare the guests of ``inputs`` with the host, on all cores; ``each`` is called for every guest in the order
        of the files. Raises GuestError with the problems of all guests at the end."""
        Fleet(self._engine, inputs, options, look=self.of).run(each)

    def of(self, context: Guest, xml: str) -> Outcome:
        """Return the differences between a guest and its definition on the host."""
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
        """Return the content of rendered XML."""
        root = next(documents(xml.encode())).root
        assert root is not None
        return read(root, self._place)

    def settled(self, wanted: Read, made: Read, known: list[Difference], root: Element) -> list[Difference]:
        """Return the differences between a definition and the wanted one, given the definition that libvirt has
        ``made`` of it, with secrets.

        Of the ``known`` differences by the table, those remain that differ from libvirt's definition; of the values
        that the guest sets, all differences remain. Values that it leaves to libvirt may differ, such as addresses.
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
        """Yield the differences between a document and the wanted one; for the other arguments, see ``Dump``."""
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
        """Return a comparison with a document of these kinds."""
        arch = self._engine.schema.names.get(value_at(guest, ("os", "type", "arch")))
        facts = self._engine.schema.architectures[arch]["facts"] if arch else {}
        automatic = Tidying(guest, machine_kind(guest, facts))
        return Comparison(table, automatic, kinds)

    def _diff(self, context: Guest, xml: str, wanted: Guest, differ: list[Difference], dump: Dump) -> str:
        """Return the diff between the guest's XML with the host's values, and its XML."""
        other = self._rendered(_with(wanted, differ)) or self._dumps.text(dump)
        return difference(dump.name, other, xml, self._mask(context, xml))

    def _mask(self, context: Guest, xml: str) -> Callable[[str], str]:
        return self._engine.secrets.masker(context, xml, not self._engine.stack.own)

    def _rendered(self, guest: Guest) -> str | None:
        """Return the XML of a guest in full form, or None if it is invalid."""
        ignored: list[str] = []
        try:
            full = shorteners_of(self._engine.schema).of(guest).full(guest)
            for _ in range(2):
                try:
                    return self._engine.render({**full, "ignore": ignored} if ignored else full)
                except GuestError as error:
                    ignored = sorted({problem.id for problem in error.problems})
        except (GuestError, TemplateError, LookupError, TypeError, ValueError):
            pass
        return None


def _with(guest: Guest, differ: list[Difference]) -> Guest:
    """Return a guest in full form with the host's values."""
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
    """Return whether two differences are at the same path, or one inside the other."""
    if _is_only_there(one) != _is_only_there(other):
        return False
    shorter = min(len(one.path), len(other.path))
    return one.path[:shorter] == other.path[:shorter]


class _Positions:
    """Positions in the guest of devices in the definition that libvirt has ``made`` of it."""

    def __init__(self, place: Place, comparison: Comparison, own: Guest, made: Guest) -> None:
        self._place, self._comparison, self._own, self._made = place, comparison, own, made
        self._known: dict[str, dict[int | None, int]] = {}

    def path(self, one: Difference) -> Path:
        """Return the path of a difference in the guest, or outside it for a device that libvirt has added."""
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
    """Messages for differences of a guest, without its secrets."""

    def __init__(self, engine: Engine, context: Guest, xml: str) -> None:
        self._secrets, self._context = engine.secrets, context
        self._known = [*self._secrets.values(context), *self._secrets.xml.values(xml)]

    def problems(self, differ: list[Difference], where: str) -> Iterator[Problem]:
        """Yield the problems for differences; ``where`` is the other side."""
        for path, here, there in differ:
            said = self._secrets.without(self._known, self._said(path, here, there, where))
            yield Problem(self._at(path, here), said, id=DRIFT)

    def _at(self, path: Path, here: Any) -> Path:
        """Return the position of a difference in the guest file; a value that exists only on the host has no index."""
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
