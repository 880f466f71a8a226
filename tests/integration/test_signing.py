"""Devices that sign, before a real gateway: kept, told apart, and given new keys."""

import socket
import time

import pytest

from protocol import coap
from protocol.coap import CHANGED, Message
from tests.load import LoadDevice
from tools import enrolling

pytestmark = pytest.mark.integration

FORBIDDEN, UNAUTHORIZED, OTHER_FORMAT = 0x83, 0x81, 0x8F
MAC0, SIGN1 = 17, 18


def post(site, body, content_format=SIGN1):
    """The code of the answer."""
    options = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, bytes((content_format,)))]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.settimeout(10)
        door.connect(("127.0.0.1", site.coap_port))
        number = time.monotonic_ns() & 0xFFFF
        door.send(coap.encode(Message(coap.CON, coap.POST, number, b"t", options, body)))
        return coap.decode(door.recv(2048)).code


def changes(site):
    """Of keys, as the ledger tells them."""
    events = site.gateway.get("/events?limit=1000")["events"]
    return [event["kind"] for event in events if event["kind"] in ("enrolled", "revoked")]


def test_what_is_signed_is_kept_and_every_reading_says_so(site):
    site.start_gateway()
    devices = [LoadDevice(site.enrol(n, p)) for n, p in (("roof", "sig"), ("shed", "mac"))]

    for device in devices:
        device.start()
    site.wait_until(lambda: all(len(device.kept) >= 5 for device in devices), "packs are kept")
    for device in devices:
        device.end()

    events = site.gateway.get("/events?kind=pack&limit=1000")["events"]
    assert {(event["source"], event["profile"]) for event in events} == {
        ("roof", "sig"),
        ("shed", "mac"),
    }
    assert {event["readings"][0]["name"] for event in events} == {
        "roof/temperature",
        "shed/temperature",
    }
    site.stop()
    assert all(verdict.valid for verdict in site.verdicts())


def test_what_is_wrong_with_a_signed_pack_is_a_code(site):
    roof = LoadDevice(site.enrol("roof", "sig"))
    site.start_gateway()
    good = roof.seal(0)

    forged = post(site, good[:-1] + bytes([good[-1] ^ 1]))
    as_tagged = post(site, good, MAC0)
    kept = [post(site, good) for _ in range(2)]
    metrics = site.gateway.read("/metrics")

    assert (forged, as_tagged, kept) == (UNAUTHORIZED, OTHER_FORMAT, [CHANGED, CHANGED])
    assert b"tallystick_signatures_waiting 0.0" in metrics


@pytest.mark.parametrize("profile", ["sig", "mac"])
def test_a_key_is_exchanged_while_the_gateway_runs_and_nothing_is_refused_in_between(site, profile):
    content_format = SIGN1 if profile == "sig" else MAC0
    config = site.enrol("roof", profile)
    old = LoadDevice(config)
    site.start_gateway()
    first = post(site, old.seal(0), content_format)

    new = LoadDevice(enrolling.rotate(site.gateway_dir, "roof", config))
    both = [post(site, old.seal(1), content_format), post(site, new.seal(0), content_format)]
    after = post(site, old.seal(2), content_format)
    site.wait_until(lambda: "revoked" in changes(site), "the ledger says that the key has ended")
    still = post(site, new.seal(1), content_format)

    assert (first, both, after, still) == (CHANGED, [CHANGED, CHANGED], FORBIDDEN, CHANGED)
    site.stop()
    site.start_gateway()
    assert changes(site) == ["enrolled", "enrolled", "revoked"]
    states = [(one.generation, one.state) for one in enrolling.identities(site.gateway_dir)]
    assert states == [(0, "revoked"), (1, "active")]
