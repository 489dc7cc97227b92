"""Checks of controllers, which provide the buses of a guest's devices."""

from __future__ import annotations

from collections.abc import Iterator

from kvmrender.checks.buses import MOST_ROOTS, indexes, is_companion, machine_kind, model_facts, pci_buses, pci_root
from kvmrender.checks.common import check, dig
from kvmrender.checks.raw_devices import RAW, is_raw
from kvmrender.errors import Path, Problem, listed
from kvmrender.rules.check import Context, once
from kvmrender.schema.text_values import number


@check("controllers")
def controller_machine(context: Context, architecture: Context) -> Iterator[Problem]:
    """Controllers are supported by the machine."""
    machine = machine_kind(context, architecture)
    for position, controller in enumerate(context["controllers"] if machine else ()):
        kind, model = controller["type"], controller.get("model")
        facts = model_facts(architecture, model or kind)
        known = facts.get("machines")
        if known is not None and machine not in known:
            name = "model" if model else "type"
            said = f"{model or kind} is for {listed(known, 'or') or 'other'} machines, not {machine}"
            yield Problem(("controllers", position, name), said, related=(("machine",),))
        for field, machines in facts.get("fields", {}).items():
            path = tuple(field.split("."))
            if dig(controller, *path) is not None and machine not in machines:
                said = f"is for {listed(machines, 'or')} machines, not {machine}"
                yield Problem(("controllers", position, *path), said, related=(("machine",),))


@check("controllers.target")
def controller_nodes(context: Context, architecture: Context) -> Iterator[Problem]:
    """The NUMA nodes of PCI controllers exist."""
    cells = dig(context, "cpu", "numa", "cell", default=[])
    nodes = {int(cell.get("id", position)) for position, cell in enumerate(cells)}
    for position, controller in enumerate(context["controllers"]):
        if (node := dig(controller, "target", "node")) is not None and node not in nodes:
            said = f"{node} is not a NUMA node of the guest"
            yield Problem(("controllers", position, "target", "node"), said, related=(("cpu", "numa"),))


@check("controllers", "extra")
def controller_indexes(context: Context, architecture: Context) -> Iterator[Problem]:
    """Controllers of a type have distinct indices, including those in raw XML, except companions."""
    for kind in dict.fromkeys(controller["type"] for controller in context["controllers"]):
        found = [(index, place, item) for index, place, item in indexes(context, kind) if not is_companion(item)]
        yield from once(
            (RAW, index, f"index {index} of a {kind} controller")
            if is_raw(item)
            else (("controllers", place, "index"), index, str(index))
            for index, place, item in found
        )


@check("controllers")
def pci_roots(context: Context, architecture: Context) -> Iterator[Problem]:
    """The PCI controller with index 0 is the machine's root, and there is no other (except on pseries machines)."""
    machine = machine_kind(context, architecture)
    root = pci_root(machine)
    for index, place, controller in indexes(context, "pci"):
        path: Path = ("controllers", place, "index")
        if root and not index and controller["model"] != root:
            yield Problem(path, f"0 is the machine's {root}, not a {controller['model']}", related=(("machine",),))
        elif index and machine != "pseries" and controller["model"] in ("pci-root", "pcie-root"):
            yield Problem(path, f"{index} is not 0, as it is for a {controller['model']}")


@check(("controllers", "on ppc64le"))
def pseries_roots(context: Context, architecture: Context) -> Iterator[Problem]:
    """A pseries machine does not exceed the number of PCI roots, with those that libvirt adds; index 0 has target 0."""
    if machine_kind(context, architecture) != "pseries":
        return
    found = list(indexes(context, "pci"))
    bridges = sum(controller["model"] != "pci-root" for _, _, controller in found)
    for index, place, controller in found:
        if index - bridges >= MOST_ROOTS:
            said = f"{index} is too high: there would be more than {MOST_ROOTS} PCI roots"
            yield Problem(("controllers", place, "index"), said)
        target = dig(controller, "target", "index")
        if target is not None and (target == 0) != (index == 0):
            said = f"{target} is not for index {index}: index 0 has target 0, and it alone"
            yield Problem(("controllers", place, "target", "index"), said, related=(("controllers", place, "index"),))


@check("controllers")
def pci_parents(context: Context, architecture: Context) -> Iterator[Problem]:
    """Each PCI controller can be plugged into one with a lower index: that of its address, if given."""
    found = list(indexes(context, "pci"))
    buses = pci_buses(context, machine_kind(context, architecture)) if found else {}
    for index, place, controller in found:
        model, address = controller["model"], controller.get("address", {})
        bus, slot = (number(address.get(part, "0")) for part in ("bus", "slot"))
        facts = model_facts(architecture, model)
        parents = facts.get("parents")
        if parents and (bus or slot):
            if bus >= index or buses.get(bus, parents[0]) not in (*parents, None):
                said = f"{bus} is not a lower index of a {' or '.join(parents)}, which a {model} is plugged into"
                yield Problem(("controllers", place, "address", "bus"), said)
        elif buses[0] == "pcie-root" and not _can_be_plugged(model, index, buses, facts.get("not_added")):
            known = " or ".join(facts["not_added"])
            said = f"{model} needs a controller with a lower index to be plugged into: {known}"
            yield Problem(("controllers", place, "model"), said, related=(("controllers",),))


def _can_be_plugged(model: str, index: int, buses: dict[int, str | None], needed: list[str] | None) -> bool:
    """Return whether a controller without an address can be plugged into an existing controller, or libvirt adds
    one."""
    below = [buses.get(other) for other in range(1, index)]
    # libvirt adds a root port for an omitted index.
    added = model == "pcie-to-pci-bridge" and None in below
    return needed is None or added or any(other in (*needed, model) for other in below)


@check("controllers")
def usb_controllers(context: Context, architecture: Context) -> Iterator[Problem]:
    """A USB controller with a master has a USB controller with the same index."""
    found = list(indexes(context, "usb"))
    masters = {index for index, _, controller in found if not is_companion(controller)}
    for index, place, controller in found:
        if is_companion(controller) and index not in masters:
            said = f"there is no USB controller with index {index} that could be the master"
            yield Problem(("controllers", place), said)
