"""Twenty boards on a bad network, while the gateway is killed again and again: exactly once.

Each board is the compiled agent in a real MicroPython with a board's heap. The network loses 30 %,
repeats 20 %, reorders, and gives every board a new source port now and then.
"""

import json
import os
import random
import subprocess
import time

import pytest

from tests.integration.harness import Site, collected_ledger, device_folder, packs
from tests.interpreters import environment, micropython
from tests.relay import Relay
from tools import firmware
from tools.board import program
from tools.processes import DEVICE_HEAP, launched

pytestmark = pytest.mark.integration

BAD = {"loss": 0.3, "duplicate": 0.2, "reorder": 0.1}
HEAP = ["-X", f"heapsize={DEVICE_HEAP}"]
_ACK_TIMEOUT_MS = 60  # half of all requests are repeated: else they would wait most of the time
DRAINED_S = 120
_READING = {"driver": "simulated", "name": "temperature"}


def test_a_few_boards_through_a_bad_network_and_kills_are_kept_exactly_once(site: Site) -> None:
    campaign(site, boards=4, seconds=5, rebind_s=2, seed=1)


@pytest.mark.slow
def test_twenty_boards_through_five_minutes_of_kills_are_kept_exactly_once(site: Site) -> None:
    seconds = int(os.environ.get("FLEET_SECONDS", "300"))
    site.launch = launched
    campaign(site, boards=20, seconds=seconds, rebind_s=60, seed=int(os.environ.get("SEED", "2")))


def campaign(site: Site, *, boards: int, seconds: int, rebind_s: float, seed: int) -> None:
    print(f"\nreplay with SEED={seed} FLEET_SECONDS={seconds}")
    every_ms = 40 * boards  # twenty-five readings a second in all
    readings = seconds * 1000 // every_ms
    site.start_collector()
    site.start_gateway()
    with Relay(("127.0.0.1", site.coap_port), seed=seed, rebind_s=rebind_s, **BAD) as relay:
        fleet = [Board(site, n, relay.port, every_ms, readings) for n in range(boards)]
        kills = _kill_for(site, seconds, random.Random(seed))
        reports = [board.ended(DRAINED_S) for board in fleet]
    site.wait_until_collected()
    expected = {(board.name, 1, n) for board in fleet for n in range(board.sealed)}
    held = packs(site.gateway_dir / "ledger.sqlite")
    print(
        f"{boards} boards, {kills} kills, {len(expected)} packs sealed, {len(held)} in the ledger;"
        f" {sum(one['retransmissions'] for one in reports)} retransmissions; relay:"
        f" {relay.forwarded} forwarded, {relay.lost} lost, {relay.repeated} repeated,"
        f" {relay.rebound} times new ports; heap at most"
        f" {max(one['heap_bytes'] for one in reports)} bytes"
    )

    assert [(one["kept"], one["dropped"]) for one in reports] == [(b.sealed, 0) for b in fleet]
    assert held.keys() == expected
    assert [number for number, indexes in held.items() if len(indexes) != 1] == []
    assert packs(collected_ledger(site)) == held
    for board in fleet:
        indexes = [held[board.name, 1, n] for n in range(board.sealed)]
        assert indexes == sorted(indexes), f"{board.name} out of order"


def _kill_for(site: Site, seconds: int, dice: random.Random) -> int:
    """Kills the gateway every few seconds, and starts it again at once; how often."""
    kills, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(dice.uniform(0.5, 4))
        assert site.gateway is not None
        site.gateway.kill()
        site.start_gateway()
        kills += 1
    return kills


class Board:
    """A running device; its events go to a file, so that it never waits for us."""

    def __init__(self, site: Site, number: int, port: int, every_ms: int, readings: int) -> None:
        self.name = f"board-{number}"
        self.sealed = 0
        sensors = [_READING | {"every_ms": every_ms}]
        folder = device_folder(
            site, self.name, port, sensors=sensors, ack_timeout_ms=_ACK_TIMEOUT_MS
        )
        packages = firmware.compiled(firmware.cache(), program.needed("linux"))
        self._events = folder.with_suffix(".events")
        with self._events.open("w") as events:
            self._process = subprocess.Popen(
                [micropython(), *HEAP, "-m", "device.main", str(folder), str(readings)],
                env=environment(folder, packages),
                cwd="/",
                stdout=events,
                stderr=subprocess.STDOUT,
            )

    def ended(self, within_s: float) -> dict[str, int]:
        """Its last event, once all that it sealed is kept."""
        try:
            code = self._process.wait(within_s)
        finally:
            self._process.kill()
        lines = self._events.read_text().splitlines()
        assert code == 0, f"{self.name}: {lines[-20:]}"
        report: dict[str, int] = json.loads(lines[-1])
        self.sealed = report["sealed"]
        return report
