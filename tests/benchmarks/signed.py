"""Durable envelopes a second with a signature each, beside the same with a tag.

`python -m tests.benchmarks.signed`: one gateway, one machine, one load generator; the profiles
take turns. The processes that check signatures are not in the server's CPU time: `check_us` is
what one check takes alone.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

from gateway.ingest.judge import judge
from gateway.registry import Registry
from gateway.signatures.worker import Checker
from tests.benchmarks import figures, servers
from tests.benchmarks.door import row_of
from tests.benchmarks.loading import Generator, Load
from tests.benchmarks.servers import DEVICES, Packs, SignedPacks
from tests.fakes import SigningDevice
from tests.integration.harness import Site

SECONDS, ROUNDS = 2.0, 3
WINDOWS = (1, 16, 64, 256)
MOST_PER_S = 16_000
_CHECKS = 2000


def signed(folder: Path) -> dict[str, Any]:
    generator, site = Generator(folder), Site(folder)
    configs = [site.enrol(f"sig-{n}", "sig") for n in range(DEVICES)]
    secrets = {
        name: bytes.fromhex(str(site.enrol(name)["secret"]))
        for name in (f"mac-{n}" for n in range(DEVICES))
    }
    packs = {
        "mac": servers.posts(Packs(secrets, 1, 1)),
        "sig": servers.posts(SignedPacks(configs, 1)),
    }
    found: dict[str, Any] = {
        "seconds": SECONDS,
        "rounds": ROUNDS,
        "check_us": round(_check_us(), 1),
    }
    with servers.gateway(site, Packs(secrets, 1, 2)) as server:
        for window in WINDOWS:
            loads: dict[str, list[Load]] = {profile: [] for profile in packs}
            for _ in range(ROUNDS):
                for profile, requests in packs.items():
                    loads[profile].append(
                        generator.run(
                            server.port,
                            requests(int(MOST_PER_S * (2 if profile == "mac" else 1) * SECONDS)),
                            window=window,
                            sources=min(window, DEVICES),
                            seconds=SECONDS,
                            codes=server.codes,
                            pid=server.pid,
                        )
                    )
            rows = {profile: row_of(runs) for profile, runs in loads.items()}
            ratio = rows["sig"]["per_s"] / max(rows["mac"]["per_s"], 1)
            found[str(window)] = rows | {"ratio": round(ratio, 2)}
    return found


def _check_us() -> float:
    device, checker = SigningDevice("roof"), Checker()
    claim = judge(device.sign(0), Registry([device.known()]), 18).claim
    record = b"".join(claim or ())
    started = time.perf_counter()
    assert all(checker.holds(record) for _ in range(_CHECKS))
    return (time.perf_counter() - started) / _CHECKS * 1e6


def show(found: dict[str, Any], held: dict[str, Any]) -> None:
    print(f"one signature is checked in {found['check_us']} µs; envelopes/s, durable and checked:")
    for window in map(str, WINDOWS):
        print(f"  window {window:>3}: with a signature {found[window]['ratio']} of with a tag")
        for profile in ("mac", "sig"):
            row = found[window][profile]
            before = held.get(window, {}).get(profile, {}).get("per_s", "-")
            print(
                f"    {profile}  {row['per_s']:>6}/s ({before})"
                f"  p50 {row['p50_us'] / 1000:.2f} p99 {row['p99_us'] / 1000:.2f} ms"
                f"  CPU {row['cpu_us']} µs  lost {row['lost']} refused {row['refused']}"
            )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="tallystick-bench-") as made:
        figures.report("signed", signed(Path(made)), show)
