"""Checks of virtual CPUs and the threads beside them."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from kvmrender.checks.common import Checks, Context, cpuset, dig, numbers, once
from kvmrender.errors import Path, Problem

VCPU: Path = ("vcpu", "text")


def current_vcpus(context: Context, architecture: Context) -> Iterator[Problem]:
    """No more vCPUs are there at the start than there can be."""
    current, most = dig(context, "vcpu", "current"), dig(context, "vcpu", "text", default=1)
    if current and current > most:
        yield Problem(("vcpu", "current"), f"{current} is more than {most}, the number of vCPUs", related=(VCPU,))


def topology(context: Context, architecture: Context) -> Iterator[Problem]:
    """The CPU's topology has as many threads as there are vCPUs."""
    found = dig(context, "cpu", "topology")
    vcpus = dig(context, "vcpu", "text", default=1)
    if found:
        parts = [found.get(name, 1) for name in ("sockets", "dies", "clusters", "cores", "threads")]
        if (threads := prod(map(int, parts))) != vcpus:
            yield Problem(("cpu", "topology"), f"makes {threads} vCPUs, not {vcpus}", related=(VCPU,))


def numa_cpus(context: Context, architecture: Context) -> Iterator[Problem]:
    """The CPUs of NUMA cells are vCPUs, and no two cells have one."""
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


def pins(context: Context, architecture: Context) -> Iterator[Problem]:
    """What cputune and vcpus say of vCPUs is said of those that there are."""
    vcpus = dig(context, "vcpu", "text", default=1)
    said = f"is not a vCPU: they are 0 to {vcpus - 1}"
    for where, key in ((("cputune", "vcpupin"), "vcpu"), (("vcpus", "vcpu"), "id")):
        for number, pin in enumerate(dig(context, *where, default=[])):
            if int(pin[key]) >= vcpus:
                yield Problem((*where, number, key), f"{pin[key]} {said}", related=(VCPU,))
    for where in (("cputune", "vcpusched"), ("cputune", "cachetune"), ("cputune", "memorytune")):
        for number, item in enumerate(dig(context, *where, default=[])):
            if outside := {cpu for cpu in cpuset(item.get("vcpus", "^0")) if cpu >= vcpus}:
                yield Problem((*where, number, "vcpus"), f"{numbers(outside)} {said}", related=(VCPU,))


def iothreads(context: Context, architecture: Context) -> Iterator[Problem]:
    """The iothreads that disks, controllers and pins name are there."""
    listed = [int(thread["id"]) for thread in dig(context, "iothreadids", "iothread", default=[])]
    unlisted = max(int(context.get("iothreads") or 0) - len(listed), 0)
    named: list[tuple[Path, int]] = []
    for key in ("disks", "controllers"):
        for number, device in enumerate(context[key]):
            if (thread := dig(device, "driver", "iothread")) is not None:
                named.append(((key, number, "driver", "iothread"), int(thread)))
    for key in ("iothreadpin", "iothreadsched"):
        for number, item in enumerate(dig(context, "cputune", key, default=[])):
            if key == "iothreadpin":
                named.append((("cputune", key, number, "iothread"), int(item["iothread"])))
            else:
                path: Path = ("cputune", key, number, "iothreads")
                named += [(path, thread) for thread in sorted(cpuset(item.get("iothreads", "^0")))]
    for path, thread in named:
        # libvirt numbers the threads that are not listed from 1, past those that are.
        number = thread - sum(other <= thread for other in listed)
        if thread not in listed and not 0 < number <= unlisted:
            there = f"there are {len(listed) + unlisted or 'none'}"
            yield Problem(path, f"{thread} is not an iothread: {there}", related=(("iothreads",), ("iothreadids",)))


def thread_pools(context: Context, architecture: Context) -> Iterator[Problem]:
    """Pools of threads have no more at least than at most."""
    pools: list[tuple[Path, Context]] = [(("defaultiothread",), context.get("defaultiothread") or {})]
    for number, thread in enumerate(dig(context, "iothreadids", "iothread", default=[])):
        pools.append((("iothreadids", "iothread", number), thread))
    for path, pool in pools:
        least, most = pool.get("thread_pool_min"), pool.get("thread_pool_max")
        if least is not None and most is not None and least > most:
            said = f"{least} is more than thread_pool_max, {most}"
            yield Problem((*path, "thread_pool_min"), said, related=((*path, "thread_pool_max"),))


def features_once(context: Context, architecture: Context) -> Iterator[Problem]:
    """No CPU feature, performance event or key cipher is named twice."""
    for where in (("cpu", "feature"), ("perf", "event"), ("keywrap", "cipher")):
        items = enumerate(dig(context, *where, default=[]))
        yield from once(((*where, number, "name"), item["name"], repr(item["name"])) for number, item in items)


CHECKS: Checks = {
    current_vcpus: ("vcpu",),
    topology: ("cpu",),
    numa_cpus: ("cpu",),
    pins: ("cputune", "vcpus"),
    features_once: ("cpu", "perf", "keywrap"),
    iothreads: ("disks", "controllers", "cputune"),
    thread_pools: ("defaultiothread", "iothreadids"),
}
