"""The whole path: a real MicroPython sensor, the gateway, the collector, the outside verifier."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx
import pytest

from protocol import resolve, sealed_reader
from tests.integration.harness import Site, collected_ledger, device_folder, packs
from tests.interpreters import micropython
from tests.relay import Relay
from tools.processes import Device, Event

LOSS, DUPLICATES = 0.3, 0.2
PACK_READINGS = 10
DEVICE_LIMIT_S = 150


@pytest.fixture
def run_device() -> Callable[[Path, int], list[Event]]:
    """Runs a device process at its small heap until its readings are kept; its events."""
    micropython()  # fails or skips, with the reason, where there is none

    def run(folder: Path, readings: int) -> list[Event]:
        events: list[Event] = []
        device = Device(folder, events.append, readings=readings)
        try:
            code = device.wait(DEVICE_LIMIT_S)
        finally:
            device.stop()
        assert code == 0, "\n".join(str(e) for e in events if e["event"] != "kept")
        return events

    return run


@pytest.mark.integration
def test_a_reading_travels_from_the_sensor_to_the_upstream_and_verifies_on_both_sides(
    site: Site, run_device: Callable[[Path, int], list[Event]]
) -> None:
    site.start_collector()
    gateway = site.start_gateway()
    sensor = {"driver": "simulated", "name": "temperature", "every_ms": 20}
    folder = device_folder(site, "greenhouse-1", site.coap_port, sensors=[sensor])

    events = run_device(folder, 5)
    site.wait_until_collected()

    kept = [event for event in events if event["event"] == "kept"]
    shown = gateway.get("/events?kind=pack&source=greenhouse-1")["events"]
    ours, theirs = site.verdicts()
    assert [event["index"] for event in kept] == [event["index"] for event in shown]
    names = [reading["name"] for event in shown for reading in event["readings"]]
    assert names.count("greenhouse-1/temperature") == len(shown) == 5
    assert names[1:4] == [f"greenhouse-1/{word}" for word in ("started", "ended", "uptime")]
    assert (ours.valid, theirs.valid, ours.root) == (True, True, theirs.root)


@pytest.mark.integration
@pytest.mark.parametrize("packs_sent", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_readings_through_a_bad_network_are_each_kept_exactly_once(
    site: Site, run_device: Callable[[Path, int], list[Event]], packs_sent: int
) -> None:
    readings = packs_sent * PACK_READINGS
    site.start_collector()
    site.start_gateway()
    target = ("127.0.0.1", site.coap_port)
    with Relay(target, loss=LOSS, duplicate=DUPLICATES, seed=11) as relay:
        sensor = {"driver": "simulated", "name": "temperature", "every_ms": 0}
        folder = device_folder(
            site,
            "greenhouse-1",
            relay.port,
            sensors=[sensor],
            readings_per_pack=PACK_READINGS,
            ack_timeout_ms=50,
        )

        events = run_device(folder, readings)
    site.wait_until_collected()

    held = packs(site.gateway_dir / "ledger.sqlite")
    print(
        f"\n{relay.lost} datagrams lost, {relay.repeated} repeated;"
        f" {len(held)} packs, {readings_in(site.gateway_dir / 'ledger.sqlite')} readings;"
        f" device: {json.dumps(events[-1])}"
    )
    assert sorted(held) == [("greenhouse-1", 1, sequence) for sequence in range(packs_sent)]
    assert [indexes for indexes in held.values() if len(indexes) != 1] == []
    assert packs(collected_ledger(site)) == held
    assert readings_in(site.gateway_dir / "ledger.sqlite") == readings
    assert readings_in(collected_ledger(site)) == readings


@pytest.mark.integration
def test_the_stream_resumes_exactly_after_the_last_event_that_was_seen(
    site: Site, run_device: Callable[[Path, int], list[Event]]
) -> None:
    gateway = site.start_gateway()
    sensor = {"driver": "simulated", "name": "temperature", "every_ms": 0}
    folder = device_folder(site, "greenhouse-1", site.coap_port, sensors=[sensor])
    run_device(folder, 12)

    first = streamed(gateway.url, {}, "?after=-1", 6)
    rest = streamed(gateway.url, {"Last-Event-ID": first[-1]}, "", 7)

    assert first + rest == [str(index) for index in range(13)]


def streamed(url: str, headers: dict[str, str], query: str, count: int) -> list[str]:
    """The ids of the next `count` events of a stream that is then cut."""
    ids: list[str] = []
    with httpx.stream("GET", f"{url}/stream{query}", headers=headers, timeout=10) as response:
        for line in response.iter_lines():
            if line.startswith("id:"):
                ids.append(line[3:].strip())
                if len(ids) == count:
                    break
    return ids


def readings_in(ledger: Path) -> int:
    """How many readings of sensors all packs of a ledger hold together."""
    database = sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)
    bodies = database.execute(
        "SELECT body FROM entries JOIN bodies USING (idx) WHERE kind = 'pack'"
    ).fetchall()
    database.close()
    packs = [resolve.decode_pack(sealed_reader.parse(body).payload) for (body,) in bodies]
    return sum(reading.name.endswith("/temperature") for pack in packs for reading in pack)
