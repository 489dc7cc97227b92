"""Rendering of a fleet on many machines with Dask, in shards of JSON Lines.

Requires the extra ``dask``. Dask schedules the shards, keeps rendered data in memory on the machine that rendered it,
and renders again what a lost machine had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kvmrender.errors import Error, GuestError
from kvmrender.fleet.shards import MOST_PROBLEMS, Job, Part, Summary, clashes, owners, rendered, suspects, written

if TYPE_CHECKING:
    from distributed import Client


def render(client: Client, shards: Sequence[str], output: str, **options: Any) -> Counter[str]:
    """Render shards, each into its own folder in ``output`` with its name, and return counts by status.

    ``shards`` are guest files, preferably JSON Lines, at paths that all workers can access; so is ``output``.
    ``options`` are those of ``kvmrender.fleet.shards.Job``. Guests of all shards are checked against each other. If
    there is any problem, nothing is written. Raises GuestError with the problems of all shards, TemplateError, and
    Error.
    """
    job = Job(**options)
    folders = [str(Path(output, Path(shard).stem)) for shard in shards]
    if twice := [folder for folder, count in Counter(folders).items() if count > 1]:
        raise Error(f"{twice[0]}: is the folder of two shards: their names must differ")
    parts = client.map(rendered, shards, job=job, pure=False)  # a file may have changed since the last run
    summaries = client.gather(client.map(_summary, parts))
    numbers = suspects(summaries)
    again = [
        client.submit(owners, shard, found, job, pure=False)
        for shard, found in zip(shards, numbers, strict=True)
        if found
    ]
    problems = [problem for found in summaries for problem in found.problems]
    problems += clashes(chain.from_iterable(client.gather(again)))
    if problems:
        raise GuestError(problems[:MOST_PROBLEMS], max(0, len(problems) - MOST_PROBLEMS))
    return sum(client.gather(client.map(written, parts, folders, job=job, pure=False)), Counter())


def _summary(part: Part) -> Summary:
    return part.summary
