"""The results as tables for people, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.growth import MOST

Row = dict[str, Any]


def markdown(results: dict[str, Any]) -> str:
    """Return the tables of those parts that were measured, and what they were measured on."""
    parts = [
        [f"{', '.join(f'{name} {value}' for name, value in results['machine'].items())}."],
        _warm(results["warm"]) if "warm" in results else [],
        _inside(results["inside"]) if "inside" in results else [],
        _import(results["import"]) if "import" in results else [],
        _cold(results["cold"]) if "cold" in results else [],
        _commands(results["commands"]) if "commands" in results else [],
        _fleet(results) if "fleet" in results else [],
        _stages(results["stages"]) if "stages" in results else [],
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _warm(rows: list[Row]) -> list[str]:
    head = "| guest | made by | µs a guest | middle half | least | kvmrender takes |\n"
    head += "| --- | --- | ---: | ---: | ---: | ---: |"
    return ["Warm: a guest in a process that runs already.", "", head, *_contenders(rows, 1e6, 1)]


def _inside(rows: list[Row]) -> Iterator[str]:
    guests, steps = (list(dict.fromkeys(row[key] for row in rows)) for key in ("guest", "step"))
    found = {(row["guest"], row["step"]): row for row in rows}
    yield "Inside: where the time of such a guest goes, in µs."
    yield ""
    yield f"| step | {' | '.join(guests)} |"
    yield f"| --- |{' ---: |' * len(guests)}"
    for step in steps:
        of_all = [found[guest, step] for guest in guests]
        cells = [f"{_number(row['seconds'] * 1e6, 1)} ({row['share']:.0%})" for row in of_all]
        yield f"| {step} | {' | '.join(cells)} |"


def _import(rows: list[Row]) -> list[str]:
    head = "| document | read by | µs a document | middle half | least | kvmrender takes |\n"
    head += "| --- | --- | ---: | ---: | ---: | ---: |"
    return ["Import: a document in a process that runs already.", "", head, *_contenders(rows, 1e6, 1)]


def _cold(rows: list[Row]) -> list[str]:
    head = "| command | ms | middle half | least | kvmrender takes |\n| --- | ---: | ---: | ---: | ---: |"
    return ["Cold: a command from start to end.", "", head, *_contenders(rows, 1e3, 0)]


def _commands(rows: list[Row]) -> Iterator[str]:
    counts = list(dict.fromkeys(count for row in rows for count in row.get("fleets", ())))
    yield "Commands: from start to end, over so many guests, in ms."
    yield ""
    sizes = " | ".join(f"{int(count):,}" for count in counts)
    yield f"| command | done by | {sizes} | a guest more | the first takes |"
    yield f"| --- | --- |{' ---: |' * (len(counts) + 2)}"
    for row in rows:
        fleets = row.get("fleets", {})
        cells = [_number(fleets[count]["seconds"] * 1e3, 0) if count in fleets else "" for count in counts]
        if not fleets:
            cells[0] = _excuse(row)
        growth = f"{row['growth']:.2f} times" if "growth" in row else ""
        ours = f"{row['ours_is']:,.2f} times" if "ours_is" in row else ""
        yield f"| {' | '.join([row['command'], row['contender'], *cells, growth, ours])} |"


def _contenders(rows: list[Row], scale: float, digits: int) -> Iterator[str]:
    for row in rows:
        cells = [row["guest"]] if "guest" in row else []
        cells.append(row["contender"])
        if "seconds" in row:
            low, high = row["quartiles"]
            cells.append(_number(row["seconds"] * scale, digits))
            cells.append(f"{_number(low * scale, digits)} to {_number(high * scale, digits)}")
            cells.append(_number(row["least"] * scale, digits))
            cells.append(f"{row['ours_is']:,.2f} times" if "ours_is" in row else "not timed")
        else:
            cells += [_excuse(row), "", "", ""]
        yield f"| {' | '.join(cells)} |"


def _fleet(results: dict[str, Any]) -> Iterator[str]:
    yield "Fleet: one command, a file of many guests, a file for each."
    yield ""
    yield "| fleet | guests | jobs | seconds | middle half | CPU seconds | guests/s | CPU µs a further one | peak MB |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    for row in results["fleet"]:
        begin = f"| {row['kind']} | {row['guests']:,} | {row['jobs']} |"
        if "refused" in row:
            yield f"{begin} {_excuse(row)} | | | | | |"
            continue
        low, high = row["quartiles"]
        further = _number(row["per_guest"] * 1e6, 0) if "per_guest" in row else ""
        yield (
            f"{begin} {row['seconds']:.2f} | {low:.2f} to {high:.2f} | {row['cpu']:.2f} | {row['per_second']:,.0f} "
            f"| {further} | {row['peak_bytes'] / 1e6:.0f} |"
        )
    for kind, grown in results["growth"].items():
        yield ""
        yield (
            f"From {grown['from']:,} to {grown['to']:,} guests of {kind}, peak memory grows by "
            f"{grown['bytes_per_guest']:,.0f} bytes a guest, and the last guests take "
            f"{grown['time_per_guest']:.2f} times as long as the first of them."
        )


def _stages(rows: list[Row]) -> Iterator[str]:
    yield f"Growth: seconds of a stage by the size of its input; a slope of 1 is linear, more than {MOST} is a fault."
    yield ""
    yield f"| stage | input | {' | '.join(f'{int(size) >> 10:,} KiB' for size in rows[0]['seconds'])} | slope |"
    yield f"| --- | --- |{' ---: |' * (len(rows[0]['seconds']) + 1)}"
    for row in rows:
        cells = [f"{seconds:.3f}" for seconds in row["seconds"].values()]
        yield f"| {row['stage']} | {row['input']} | {' | '.join(cells)} | {row['slope']:.2f} |"


def _excuse(row: Row) -> str:
    return f"missing: {row['missing']}" if "missing" in row else f"not timed: {row['refused']}"


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits if value < 100 else 0}f}"
