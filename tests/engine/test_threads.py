"""One Renderer for many threads and processes gives what one alone gives."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from conftest import FIXTURES

from kvmrender import GuestError
from kvmrender.engine import Engine
from kvmrender.reading.load import read

THREADS = 16
GUESTS: list[Any] = [
    *(document.guest for file in FIXTURES for document in read(file.name, file.read_bytes())),
    *({"name": f"g{number}", "arch": ("amd64", "arm64")[number % 2], "vcpu": number % 3} for number in range(30)),
]
"""Fixtures, and guests of which some have mistakes."""


def rendered(renderer: Engine, guest: Any) -> str:
    try:
        return renderer.render(guest)
    except GuestError as error:
        return str(error)


def seen(renderer: Engine, guest: Any) -> str:
    try:
        _, xml, places, unused = renderer.observed(guest)
        return json.dumps([renderer.context(guest), xml, [place and place[1] for place in places], unused])
    except GuestError as error:
        return str(error)


@pytest.fixture(autouse=True)
def often() -> Iterator[None]:
    """Have threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture(params=["shipped", "own"])
def folders(request: pytest.FixtureRequest, tmp_path: Path) -> list[Path]:
    if request.param == "shipped":
        return []
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices/rng.xml.j2").write_text('{% include "shipped/devices/rng.xml.j2" %}\n')
    return [tmp_path]


@pytest.mark.parametrize("what", [rendered, seen], ids=["xml", "context, lines and use"])
def test_sixteen_threads_give_what_one_gives(what: Callable[[Engine, Any], str], folders: list[Path]) -> None:
    """They begin together with a Renderer that has compiled nothing yet, each in an order of its own."""
    guests = GUESTS[::3] if what is rendered else GUESTS[::12]
    alone = Engine(folders)
    expected = [what(alone, guest) for guest in guests]
    renderer, barrier = Engine(folders), Barrier(THREADS)
    wrong: list[Any] = []

    def work(number: int) -> None:
        order = random.Random(number).sample(range(len(guests)), len(guests))
        barrier.wait()
        try:
            wrong.extend(at for at in order if what(renderer, guests[at]) != expected[at])
        except BaseException as error:
            wrong.append(error)

    threads = [Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_give_what_one_gives(method: str, folders: list[Path]) -> None:
    """A Renderer is handed to them pickled."""
    renderer = Engine(folders)
    guests = GUESTS[-40:]
    with ProcessPoolExecutor(2, get_context(method)) as pool:
        found = list(pool.map(rendered, [renderer] * len(guests), guests, chunksize=20))
    assert found == [rendered(renderer, guest) for guest in guests]
