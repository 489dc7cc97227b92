"""Guests from Ansible variables: conversion to plain values, and positions in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

try:
    import kvmrender
    from kvmrender import Problem
    from kvmrender.plugins import single_guest as one
except ImportError as error:
    from ansible.errors import AnsibleError

    raise AnsibleError(f"kvmrender must be installed with ansible-core, on the control node: {error}") from error

try:
    from ansible.errors import AnsibleActionFail, AnsibleFilterError
except ImportError:  # called outside Ansible
    AnsibleActionFail = AnsibleFilterError = kvmrender.Error

try:  # ansible-core 2.19 and newer keep the position of a value in a tag, which has no public API yet
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

Place = tuple[str, int, int]


def plain(value: Any) -> Any:
    """Return a value with Ansible's types converted to plain ones; dates become text, as written."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return str(value)


def rendered(guest: Any, namespace: Any, templates: tuple[str, ...], kind: type[Exception]) -> kvmrender.Result:
    """Render a guest. Raises the given exception of Ansible, with a line for each problem."""
    with faults(guest, kind):
        return one.from_values(plain(guest), templates, plain(namespace))


def warn(guest: Any, found: kvmrender.Result) -> None:
    """Show the notes on a guest as warnings of Ansible."""
    from ansible.utils.display import Display

    for note in found.problems:
        Display().warning(str(placed(guest, note)))


@contextmanager
def faults(guest: Any, kind: type[Exception]) -> Iterator[None]:
    """Convert kvmrender's exceptions to the given exception of Ansible, with a line for each problem.

    The invalid value is not passed to Ansible, which would show the lines around it: these may contain secrets.
    """
    try:
        yield
    except kvmrender.GuestError as error:
        raise kind("\n".join(str(placed(guest, problem)) for problem in error.problems)) from None
    except kvmrender.Error as error:
        raise kind(str(error)) from None


def placed(value: Any, problem: Problem) -> Problem:
    """Return a problem of the guest ``value`` with the file and line of the nearest part of its path."""
    place = _place(value)
    for number, step in enumerate(problem.path, start=1):
        key = None
        if isinstance(value, Mapping) and step in value:
            key = next(name for name in value if name == step)
            value = value[step]
        elif isinstance(value, (list, tuple)) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif step != 0:  # a single item may be given without a list: skip the [0]
            break
        at_key = problem.at_key and number == len(problem.path)
        place = (_place(key) if at_key else None) or _place(value) or place
    return problem.at(place[0], place[1:]) if place else problem


def _place(value: Any) -> Place | None:
    if Origin is None:
        return getattr(value, "ansible_pos", None)
    tag = Origin.get_tag(value)
    return (tag.path, tag.line_num, tag.col_num or 1) if tag and tag.path and tag.line_num else None


def folders(templates: Any) -> tuple[str, ...]:
    """Return a list of template folders; a single one may be given without a list."""
    found: Iterable[Any] = [templates] if isinstance(templates, str) else templates or ()
    return tuple(map(plain, found))
