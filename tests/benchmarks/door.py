"""Durable, verified envelopes a second over CoAP, beside stock aiocoap and AuditeDB.

`python -m tests.benchmarks.door` for this alone; with `--quick` only ours and stock aiocoap, one
round of packs of 1 at windows 64 and 256. One run, one machine, one load generator: the systems
take turns, in each round at each window. Ratios of medians are quoted; that of the servers' CPU
an answer is the steadier one where others use the machine.
"""

import contextlib
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from tests.benchmarks import figures, servers
from tests.benchmarks.loading import Generator, Load
from tests.benchmarks.servers import DEVICES, Packs, Server
from tests.integration.flood import rss_mb
from tests.integration.harness import Site

SECONDS = 2.0  # a run
OURS, STOCK = "tallystick", "stock aiocoap"
AUDITEDB, CYCLED = "AuditeDB", "AuditeDB, 200 paths in turn"
LONG_REQUESTS, LONG_SECONDS, LONG_WINDOW = 500_000, 60.0, 64
Runs = dict[str, list[Load]]


class Shape(NamedTuple):
    rounds: int
    windows: tuple[int, ...]
    readings: tuple[int, ...]  # a pack
    rivals: bool
    long: bool


FULL = Shape(3, (1, 16, 64, 256), (1, 10), rivals=True, long=True)
QUICK = Shape(1, (64, 256), (1,), rivals=False, long=False)


def door(folder: Path, shape: Shape = FULL) -> dict[str, Any]:
    """`folder` keeps our ledger, in `gateway`."""
    generator = Generator(folder)
    site = Site(folder)
    secrets = {f"load-{n}": _enrolled(site, f"load-{n}") for n in range(DEVICES)}
    found: dict[str, Any] = {"seconds": SECONDS, "rounds": shape.rounds}
    for epoch, readings in enumerate(shape.readings, start=1):
        packs = Packs(secrets, readings, epoch)
        with contextlib.ExitStack() as stack:
            systems = {
                name: stack.enter_context(server)
                for name, server in _systems(folder, site, packs, rivals=shape.rivals).items()
            }
            found[f"packs of {readings}"] = {
                str(window): _compared(_runs(generator, systems, window, shape.rounds), readings)
                for window in shape.windows
            }
    if shape.long:
        found["long"] = _long(generator, site, Packs(secrets, 1, len(shape.readings) + 1))
    return found


def _systems(
    folder: Path, site: Site, packs: Packs, *, rivals: bool
) -> dict[str, contextlib.AbstractContextManager[Server]]:
    systems = {OURS: servers.gateway(site, packs), STOCK: servers.stock(packs)}
    if rivals and not servers.RIVALS.exists():
        print("without AuditeDB: `make bench` installs it into .venv-compare")
    elif rivals:
        for name, paths in ((AUDITEDB, None), (CYCLED, 200)):
            where = folder / f"auditedb-{packs.epoch}-{paths}"
            systems[name] = servers.auditedb(where, packs, paths=paths)
    return systems


def _enrolled(site: Site, name: str) -> bytes:
    return bytes.fromhex(str(site.enrol(name)["secret"]))


def _runs(generator: Generator, systems: dict[str, Server], window: int, rounds: int) -> Runs:
    runs: Runs = {name: [] for name in systems}
    for _ in range(rounds):
        for name, server in systems.items():
            runs[name].append(_run(generator, server, window))
            print(".", end="", file=sys.stderr, flush=True)
    return runs


def _run(generator: Generator, server: Server, window: int) -> Load:
    load = generator.run(
        server.port,
        server.requests(int(server.most_per_s * SECONDS)),
        window=window,
        sources=min(window, DEVICES),
        seconds=SECONDS,
        codes=server.codes,
        pid=server.pid,
    )
    assert not load.wrong, load
    return load


def _compared(runs: Runs, readings: int) -> dict[str, Any]:
    rows = {name: row_of(loads) for name, loads in runs.items()}
    ours = rows[OURS]
    ours["readings_per_s"] = ours["per_s"] * readings
    for name, row in rows.items():
        if name != OURS:
            row["ratio"] = round(ours["per_s"] / max(row["per_s"], 1), 2)
            row["cpu_ratio"] = round(row["cpu_us"] / max(ours["cpu_us"], 1), 2)
    return rows


def row_of(loads: list[Load]) -> dict[str, Any]:
    """Medians and sums of several runs."""

    def median(field: str) -> int:
        return round(statistics.median(getattr(load, field) for load in loads))

    return {
        "per_s": median("per_s"),
        "p50_us": median("p50_us"),
        "p99_us": median("p99_us"),
        "max_us": max(load.max_us for load in loads),
        "cpu_us": median("server_cpu_us"),
        "load_cpu_us": median("cpu_us"),
        "lost": sum(load.lost for load in loads),
        "retransmitted": sum(load.retransmitted for load in loads),
        "refused": sum(load.refused for load in loads),
        "wrong": sum(load.wrong for load in loads),
    }


def _long(generator: Generator, site: Site, packs: Packs) -> dict[str, Any]:
    """As many of LONG_REQUESTS as LONG_SECONDS allow: memory, and the longest silence."""
    with servers.gateway(site, packs) as server:
        requests = server.requests(LONG_REQUESTS)
        before = rss_mb(server.pid)
        load = generator.run(
            server.port,
            requests,
            window=LONG_WINDOW,
            sources=DEVICES,
            seconds=LONG_SECONDS,
            codes=server.codes,
            pid=server.pid,
        )
        after = rss_mb(server.pid)
    return {
        "answered": load.answered,
        "per_s": round(load.per_s),
        "rss_mb_before": round(before, 1),
        "rss_mb_after": round(after, 1),
        "bytes_a_request": round((after - before) * 2**20 / max(load.answered, 1)),
        "longest_pause_ms": round(load.longest_gap_us / 1000, 1),
        "max_ms": round(load.max_us / 1000, 1),
        "lost": load.lost,
    }


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    print(
        f"\nrequests/s over CoAP on loopback, median of {found['rounds']}; durable and verified"
        " but for stock aiocoap, which keeps nothing; ratios are ours to theirs (baseline)"
    )
    for pack in (name for name in found if name.startswith("packs of ")):
        for window, rows in found[pack].items():
            print(f"{pack}, window {window}: {rows[OURS]['readings_per_s']} readings/s")
            for name, row in rows.items():
                before = held.get(pack, {}).get(window, {}).get(name, {})
                print(_line(name, row, before))
    if "long" in found:
        _show_long(found["long"])


def _show_long(row: dict[str, Any]) -> None:
    print(
        f"{row['answered']} requests, window {LONG_WINDOW}: {row['per_s']}/s, RSS"
        f" {row['rss_mb_before']} -> {row['rss_mb_after']} MB ({row['bytes_a_request']} B a"
        f" request), longest pause {row['longest_pause_ms']} ms, slowest answer"
        f" {row['max_ms']} ms, lost {row['lost']}"
    )


def _line(name: str, row: dict[str, Any], before: dict[str, Any]) -> str:
    key = "ratio" if "ratio" in row else "per_s"
    compared = f"x {row[key]}" if key == "ratio" else ""
    cpu = f", x {row['cpu_ratio']}" if key == "ratio" else ""
    return (
        f"  {name:<28}{row['per_s']:>7}/s  {compared:<9} ({before.get(key, '-')})"
        f"  p50 {row['p50_us'] / 1000:>7.2f} p99 {row['p99_us'] / 1000:>7.2f} ms"
        f"  CPU {row['cpu_us']} µs{cpu} (load {row['load_cpu_us']})"
        f"  lost {row['lost']} again {row['retransmitted']} refused {row['refused']}"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as made:
        if "--quick" in sys.argv:
            show(door(Path(made), QUICK), figures.held("door"))
        else:
            figures.report("door", door(Path(made)), show)
