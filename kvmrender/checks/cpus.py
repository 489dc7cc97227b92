"""Checks of virtual CPUs and iothreads."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from kvmrender.checks.common import check, dig, mappings
from kvmrender.errors import NOTE, Path, Problem, brief
from kvmrender.rules.check import Context, once
from kvmrender.schema.text_values import cpuset
from kvmrender.wording import numbers

VCPU: Path = ("vcpu", "text")
SETS = ("cpuset", "nodeset", "nodemask", "vcpus", "iothreads", "cpus")
SETS_IN = ("vcpu", "cputune", "numatune", "memoryBacking", "memory_devices", "cpu")
"""Keys that hold sets of CPUs or NUMA nodes, and the keys of a guest that contain them."""


@check(("cpu.topology", "on ppc64le"))
def current_vcpus(context: Context, architecture: Context) -> Iterator[Problem]:
    """On ppc64le, the vCPUs at boot are whole cores."""
    current, most = dig(context, "vcpu", "current"), dig(context, "vcpu", "text", default=1)
    threads = dig(context, "cpu", "topology", "threads", default=1) if context["arch"] == "ppc64le" else 1
    states = {item["id"]: item["enabled"] for item in dig(context, "vcpus", "vcpu", default=[])}
    started = list(states.values()).count("yes") if states else current or most
    if started % threads:
        said = f"{started} is not a multiple of {threads}, the threads per core"
        path = ("vcpus", "vcpu") if states else ("vcpu", "current")
        yield Problem(path, said, related=(("cpu", "topology", "threads"),))


@check("cpu")
def topology(context: Context, architecture: Context) -> Iterator[Problem]:
    """The product of the CPU topology is the number of vCPUs."""
    found = dig(context, "cpu", "topology")
    vcpus = dig(context, "vcpu", "text", default=1)
    if found:
        parts = [found.get(name, 1) for name in ("sockets", "dies", "clusters", "cores", "threads")]
        if (threads := prod(map(int, parts))) != vcpus:
            yield Problem(("cpu", "topology"), f"makes {threads} vCPUs, not {vcpus}", related=(VCPU,))


@check("cpu")
def numa_cpus(context: Context, architecture: Context) -> Iterator[Problem]:
    """CPUs of NUMA cells are vCPUs, each in at most one cell."""
    vcpus = dig(context, "vcpu", "text", default=1)
    owners: dict[int, int] = {}
    for number, cell in enumerate(dig(context, "cpu", "numa", "cell", default=[])):
        cpus = cpuset(cell.get("cpus") or "^0")
        path: Path = ("cpu", "numa", "cell", number, "cpus")
        if outside := {cpu for cpu in cpus if cpu >= vcpus}:
            said = f"{numbers(outside)} is not a vCPU: they are 0 to {vcpus - 1}"
            yield Problem(path, said, related=(VCPU,))
        if taken := cpus & owners.keys():
            other = owners[min(taken)]
            yield Problem(path, f"{numbers(taken)} is taken by cell {other}", related=((*path[:3], other, "cpus"),))
        owners.update(dict.fromkeys(cpus - owners.keys(), number))


@check("cputune.vcpusched", "vcpus")
def pins(context: Context, architecture: Context) -> Iterator[Problem]:
    """The vCPUs in vcpus and cputune.vcpusched exist."""
    yield from _no_vcpus(context, (("vcpus", "vcpu"), "id"), (("cputune", "vcpusched"), "vcpus"))


@check("cputune", level=NOTE)
def idle_pins(context: Context, architecture: Context) -> Iterator[Problem]:
    """The vCPUs in the other settings of cputune exist; libvirt ignores settings of others."""
    tuned = [(("cputune", key), "vcpus") for key in ("cachetune", "memorytune")]
    yield from _no_vcpus(context, (("cputune", "vcpupin"), "vcpu"), *tuned)


def _no_vcpus(context: Context, *fields: tuple[Path, str]) -> Iterator[Problem]:
    vcpus = dig(context, "vcpu", "text", default=1)
    for where, key in fields:
        for number, item in enumerate(dig(context, *map(str, where), default=[])):
            if outside := {cpu for cpu in cpuset(str(item.get(key, "^0"))) if cpu >= vcpus}:
                said = f"{numbers(outside)} is not a vCPU: they are 0 to {vcpus - 1}"
                yield Problem((*where, number, key), said, related=(VCPU,))


@check("disks.iothread", "controllers.iothread", "cputune")
def iothreads(context: Context, architecture: Context) -> Iterator[Problem]:
    """The iothreads that disks, controllers and pinnings refer to exist."""
    listed = [int(thread["id"]) for thread in dig(context, "iothreadids", "iothread", default=[])]
    unlisted = max(int(context.get("iothreads") or 0) - len(listed), 0)
    named: list[tuple[Path, int]] = []
    for key in ("disks", "controllers"):
        for number, device in enumerate(context[key]):
            if (thread := dig(device, "driver", "iothread")) is not None:
                named.append(((key, number, "driver", "iothread"), int(thread)))
            above: Path = (key, number, "driver", "iothreads", "iothread")
            shared = dig(device, "driver", "iothreads", "iothread", default=[])
            named += [((*above, place, "id"), int(thread["id"])) for place, thread in enumerate(shared)]
    for key, name in (("iothreadpin", "iothread"), ("iothreadsched", "iothreads")):
        for number, item in enumerate(dig(context, "cputune", key, default=[])):
            threads = sorted(cpuset(str(item.get(name, "^0"))))
            named += [(("cputune", key, number, name), thread) for thread in threads]
    for path, thread in named:
        # libvirt assigns IDs from 1 to threads that are not listed, skipping those that are.
        number = thread - sum(other <= thread for other in listed)
        if thread not in listed and not 0 < number <= unlisted:
            there = f"there are {len(listed) + unlisted or 'none'}"
            yield Problem(path, f"{thread} is not an iothread: {there}", related=(("iothreads",), ("iothreadids",)))


@check("vcpus")
def vcpu_states(context: Context, architecture: Context) -> Iterator[Problem]:
    """vCPU 0 is enabled and first in order; vCPUs that can't be unplugged come before those that can."""
    listed = dig(context, "vcpus", "vcpu", default=[])
    states: dict[int, Context] = {item["id"]: item for item in listed}
    places: dict[int, Path] = {item["id"]: ("vcpus", "vcpu", number) for number, item in enumerate(listed)}
    first = states.get(0, {"enabled": "no"})
    if listed and (first["enabled"] == "no" or first.get("hotpluggable") == "yes" or first.get("order", 0) > 1):
        said = "vCPU 0 must be enabled, the first in order, and not hotpluggable"
        yield Problem(places.get(0, ("vcpus", "vcpu")), said)
    for number, item in states.items():
        before, order, enabled = states.get(number - 1, {}), item.get("order", 0), item["enabled"] == "yes"
        after = before.get("hotpluggable") == "yes" or order < before.get("order", 0)
        if enabled and bool(order) != bool(first.get("order")):
            yield Problem(
                (*places[number], "order"), "either all vCPUs that are enabled have an order, or none has one"
            )
        if item.get("hotpluggable") == "no" and (after or not enabled):
            said = "'no' is for vCPUs that are enabled, and in order before all that are hotpluggable"
            yield Problem((*places[number], "hotpluggable"), said)


@check("vcpu.cpuset", *SETS_IN[1:])
def cpu_sets(context: Context, architecture: Context) -> Iterator[Problem]:
    """A set of CPUs or NUMA nodes is not empty, and the start of a range is not more than its end."""
    for above, found in mappings((), {key: context[key] for key in SETS_IN if context.get(key)}):
        for key, text in found.items():
            if key not in SETS or not isinstance(text, str):
                continue
            spans = [part.split("-") for part in text.split(",") if "-" in part]
            if wrong := ["-".join(span) for span in spans if int(span[0]) > int(span[1])]:
                yield Problem((*above, key), f"{wrong[0]} is not a range: it ends before it begins")
            elif not cpuset(text) and key != "cpus":
                yield Problem((*above, key), f"{brief(text)} is an empty set")


@check("cputune")
def groups(context: Context, architecture: Context) -> Iterator[Problem]:
    """No vCPU or iothread has two schedulers or two allocations of one resource."""
    for kind in ("vcpusched", "iothreadsched", "cachetune", "memorytune"):
        key = "iothreads" if kind == "iothreadsched" else "vcpus"
        items = enumerate(dig(context, "cputune", kind, default=[]))
        members = [(("cputune", kind, number, key), cpuset(item.get(key) or "^0")) for number, item in items]
        yield from once((path, cpu, str(cpu)) for path, cpus in members for cpu in sorted(cpus))
