"""A body that was changed under a running gateway: it leaves by no door, and everyone is told."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx
import pytest

from protocol import fault as faults
from protocol.note import unb64
from tests.integration.commands import tallystick
from tests.integration.harness import Site
from tests.integration.scenes import fill
from tests.integration.test_tampering import flip
from tests.load import LoadDevice

VICTIM = 5
_STORED = "the stored body is not the committed one"


@pytest.mark.integration
def test_a_tampered_body_leaves_by_no_door_and_is_told_once(site: Site) -> None:
    fill(site, "load-1", 25)
    gateway = site.start_gateway()
    before = gateway.get("/healthz")["faults"]
    mend = tampered(site.gateway_dir / "ledger.sqlite")

    one = gateway.get(f"/events/{VICTIM}")
    page = gateway.get(f"/events?after={VICTIM - 2}&limit=3")["events"]
    streamed = first_of_stream(gateway.url, after=VICTIM - 1)
    proof = gateway.get(f"/events/{VICTIM}/proof")
    health, metrics = gateway.get("/healthz"), httpx.get(f"{gateway.url}/metrics").text
    site.wait_until(lambda: len(recorded(site)) > 0, "the fault is in the ledger")
    mend()
    served = gateway.get(f"/events/{VICTIM}")

    assert before == []
    assert (one["title"], one["index"], "body" in one) == ("integrity", VICTIM, False)
    assert [("body" in event, event["index"]) for event in page] == [
        (True, VICTIM - 1),
        (False, VICTIM),
        (True, VICTIM + 1),
    ]
    assert (streamed["kind"], streamed["index"]) == ("integrity", VICTIM)
    assert proof["title"] == "integrity"
    assert f"entry {VICTIM}: {_STORED}" in health["faults"]
    assert "tallystick_damaged_entries 1.0" in metrics
    assert site.logs().count("not what was committed") == 1
    assert recorded(site) == [f"entry {VICTIM} is not what was committed"]
    assert served["index"] == VICTIM
    assert gateway.get("/healthz")["faults"] == []


@pytest.mark.integration
def test_forwarding_waits_at_a_tampered_body_and_goes_on_when_it_is_right_again(
    site: Site,
) -> None:
    fill_alone(site)
    gateway = site.start_gateway()
    mend = tampered(site.gateway_dir / "ledger.sqlite")
    site.start_collector()

    def waits() -> bool:
        return gateway.get("/stats")["forward"]["last_failure"] == "integrity"

    site.wait_until(waits, "forwarding waits")
    stats, health = gateway.get("/stats"), gateway.get("/healthz")
    held = site.collector.get("/origins") if site.collector else {}
    mend()
    site.wait_until_collected()

    assert (stats["forward"]["cursor"], stats["integrity"]["forwarding_waits_at"]) == (VICTIM,) * 2
    assert any(f"forwarding waits at entry {VICTIM}" in fault for fault in health["faults"])
    assert [origin["entries"] for origin in held["origins"]] == [VICTIM]
    assert gateway.get("/healthz")["faults"] == []
    assert all(verdict.valid for verdict in site.verdicts())


@pytest.mark.integration
def test_a_body_that_is_lost_for_good_is_redacted_and_forwarding_goes_on_without_it(
    site: Site,
) -> None:
    fill_alone(site)
    tampered(site.gateway_dir / "ledger.sqlite")

    lost = ["--index", str(VICTIM), "--redact", "--even-unforwarded", "--yes"]
    pruned = tallystick("prune", site.gateway_dir, *lost)
    site.start_collector()
    gateway = site.start_gateway()
    site.wait_until_collected()

    assert pruned.returncode == 0, pruned
    assert gateway.get(f"/events/{VICTIM}")["body"] is None
    assert gateway.get("/healthz")["faults"] == []
    assert all(verdict.valid for verdict in site.verdicts())


def fill_alone(site: Site) -> None:
    """Some entries that no collector has yet."""
    site.start_gateway()
    device = LoadDevice(site.enrol("load-1"))
    device.start()
    site.wait_until(lambda: len(device.kept) > 2 * VICTIM, "some are kept")
    device.end()
    site.stop()


def tampered(ledger: Path) -> Callable[[], None]:
    """Flips a bit of the victim's body; what is returned flips it back."""
    flip(ledger, "bodies", "body", VICTIM)
    return lambda: flip(ledger, "bodies", "body", VICTIM)


def first_of_stream(url: str, after: int) -> dict[str, object]:
    with httpx.stream("GET", f"{url}/stream?after={after}", timeout=10) as response:
        for line in response.iter_lines():
            if line.startswith("data:"):
                return dict(json.loads(line[5:]))
    raise AssertionError("the stream ended")


def recorded(site: Site) -> list[str]:
    assert site.gateway is not None
    events = site.gateway.get("/events?kind=fault")["events"]
    return [faults.decode(unb64(event["body"])).detail for event in events]
