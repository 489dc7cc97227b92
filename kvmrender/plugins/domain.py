"""A guest in the libvirt of a host, for configuration management; the host needs only virsh."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from kvmrender import drift
from kvmrender.api import DEFINE, REPLACE, Result, difference, renderer_of
from kvmrender.errors import Error, Problem

ABSENT, RUNNING = "absent", "running"
STATES = ("defined", RUNNING, ABSENT)
URI = "qemu:///system"


class Ran(NamedTuple):
    """Result of a command: exit code, standard output and standard error."""

    code: int
    output: str
    errors: str


class Host(Protocol):
    """The host on which commands run."""

    def run(self, command: list[str]) -> Ran:
        """Run a command."""

    def file(self, text: str) -> AbstractContextManager[str]:
        """Return the path of a temporary file on the host with this text, readable only by its owner."""


class Done(NamedTuple):
    """The actions that were, or would be, taken: ``defined``, ``started``, ``stopped``, ``undefined``; empty if none.

    ``differences`` are the fields that differ, or differed, on the host; ``takes`` are the steps that apply them;
    ``diff`` is the change of the definition as XML; ``left`` are fields that differ even after the define. Secrets are
    masked.
    """

    actions: tuple[str, ...] = ()
    differences: tuple[Problem, ...] = ()
    takes: tuple[str, ...] = ()
    diff: str = ""
    left: tuple[Problem, ...] = ()


def keep(
    host: Host,
    guest: Result,
    state: str = STATES[0],
    uri: str = URI,
    templates: Iterable[str] = (),
    check: bool = False,
) -> Done:
    """Bring a guest into a state on the libvirt at ``uri``, or only determine the required actions. Raises Error.

    A guest that is to be absent is identified by its name alone.
    """
    folders = tuple(templates)
    virsh = _Virsh(host, uri)
    try:
        if state == ABSENT:
            return _without(virsh, guest, folders, check)
        return _with(virsh, guest, folders, state == RUNNING, check)
    except Error as error:
        raise Error(renderer_of(folders).without_secrets(str(error), guest)) from None


def _with(virsh: _Virsh, guest: Result, folders: tuple[str, ...], is_to_run: bool, check: bool) -> Done:
    name = guest.context["name"]
    defined, active = virsh.domains()
    dumps = virsh.dumps(guest, defined, active)
    found = drift(guest.context, dumps, folders, has_secrets=True, diff=True)
    if REPLACE in found.takes:
        said = "; ".join(problem.message for problem in found.differences if _is_uuid(problem))
        raise Error(f"{name}: {said}: libvirt takes no definition until that domain is undefined")
    must_define, must_start = DEFINE in found.takes, is_to_run and name not in active
    actions = ("defined",) * must_define + ("started",) * must_start
    left: tuple[Problem, ...] = ()
    if must_define and not check:
        virsh.define(guest.xml)
        defined, active = virsh.domains()
        after = drift(guest.context, virsh.dumps(guest, defined, {}), folders, has_secrets=True)
        left = after.differences
    if must_start and not check:
        virsh.run("start", defined[name])
    return Done(actions, found.differences, found.takes, found.diff if must_define else "", left)


def _is_uuid(problem: Problem) -> bool:
    return problem.path in ((), ("uuid",))


def _without(virsh: _Virsh, guest: Result, folders: tuple[str, ...], check: bool) -> Done:
    name = guest.context["name"]
    defined, active = virsh.domains()
    actions = ("stopped",) * (name in active) + ("undefined",) * (name in defined)
    if not actions:
        return Done()
    uuid = defined.get(name) or active[name]
    xml = virsh.run("dumpxml", "--inactive", uuid)
    diff = difference(name, xml, None, renderer_of(folders).masker(guest))
    if not check:
        if name in defined:  # first, since it may be refused: the guest then keeps running
            virsh.run("undefine", "--nvram", "--managed-save", uuid)
        if name in active:
            virsh.run("destroy", uuid)
    return Done(actions, diff=diff)


class _Virsh:
    """The libvirt of a host. Domains are identified by UUID, since virsh would take the name 7 for an ID."""

    def __init__(self, host: Host, uri: str) -> None:
        self._host, self._uri = host, uri

    def run(self, *arguments: str) -> str:
        """Return the output of a virsh command. Raises Error."""
        done = self._host.run(["virsh", "--quiet", "--connect", self._uri, *arguments])
        if done.code:
            said = " ".join(done.errors.split()) or f"exit code {done.code}"
            raise Error(f"virsh {arguments[0]}: {said}")
        return done.output

    def domains(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return the UUIDs of the defined domains, and of the running ones, by name."""
        return self._listed("--all", "--persistent"), self._listed()

    def _listed(self, *which: str) -> dict[str, str]:
        lines = filter(None, self.run("list", *which, "--uuid", "--name").splitlines())
        return {name: uuid for uuid, name in (line.split(" ", 1) for line in lines)}

    def dumps(self, guest: Result, defined: dict[str, str], active: dict[str, str]) -> list[str]:
        """Return the dumps of a guest, and the definition of another domain with its UUID."""
        name, uuid = guest.context["name"], guest.context.get("uuid")
        found = [self.run("dumpxml", "--inactive", "--security-info", defined[name])] if name in defined else []
        if name in active:
            found.append(self.run("dumpxml", "--security-info", active[name]))
        if not found and uuid and uuid.lower() in {*defined.values(), *active.values()}:
            found.append(self.run("dumpxml", "--inactive", uuid))
        return found

    def define(self, xml: str) -> None:
        """Define a domain."""
        with self._host.file(xml) as path:
            self.run("define", path)
