"""Bad input against a running gateway: the code of the table, and nothing lost."""

import socket
from collections.abc import Callable, Iterator

import cbor2
import httpx2 as httpx
import pytest

from protocol import coap, cose, envelope
from protocol.coap import Message
from protocol.envelope import UP
from tests.integration.harness import Site, packs
from tests.load import LoadDevice

Mangle = Callable[[LoadDevice], bytes]


def pack_of(device: LoadDevice, pack: object, sequence: int = 0) -> bytes:
    """A sealed envelope over any CBOR at all, as a device with a bug might make it."""
    kid = envelope.kid_of("load-1")
    protected = cbor2.dumps(
        {1: 5, 4: kid, 15: {7: (1).to_bytes(4, "big") + sequence.to_bytes(4, "big")}}
    )
    payload = pack if isinstance(pack, bytes) else cbor2.dumps(pack, canonical=True)
    tag = cose.tag(device.up_key, protected, payload, UP.encode())
    return cbor2.dumps([protected, {}, payload, tag])


def named(value: object) -> list[dict[int, object]]:
    return [{-2: "load-1/", 0: "t", 2: value}]


# (what arrives, code, outcome label of the metric)
CASES: dict[str, tuple[Mangle, str, str]] = {
    "truncated": (lambda d: d.seal(0)[:-1], "4.00", "malformed"),
    "nothing": (lambda d: b"", "4.00", "malformed"),
    "oversized": (lambda d: d.seal(0) + bytes(1000), "4.13", "too-large"),
    "not canonical": (lambda d: b"\x9f" + d.seal(0)[1:] + b"\xff", "4.00", "malformed"),
    "a flipped bit": (lambda d: d.seal(0)[:-1] + bytes([d.seal(0)[-1] ^ 1]), "4.01", "bad-mac"),
    "unknown kid": (
        lambda d: d.seal(0).replace(envelope.kid_of("load-1"), bytes(8)),
        "4.01",
        "unknown-device",
    ),
    "a float": (lambda d: pack_of(d, named(21.5)), "4.00", "unsupported"),
    "NaN": (lambda d: pack_of(d, named(float("nan"))), "4.00", "unsupported"),
    "text for a number": (lambda d: pack_of(d, named("21")), "4.00", "malformed"),
    "nesting": (lambda d: pack_of(d, named([[[[[1]]]]])), "4.13", "too-large"),
    "10 000 records": (lambda d: pack_of(d, b"\x99\x27\x10" + b"\xa0" * 900), "4.00", "malformed"),
    "200 records": (lambda d: pack_of(d, b"\x98\xc8" + b"\xa0" * 200), "4.13", "too-large"),
    "another's name": (
        lambda d: pack_of(d, [{-2: "load-2/", 0: "t", 2: 1}]),
        "4.00",
        "wrong-name",
    ),
}


@pytest.fixture
def door(site: Site) -> Iterator[socket.socket]:
    site.start_gateway()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as door:
        door.connect(("127.0.0.1", site.coap_port))
        door.settimeout(5)
        yield door


def post(door: socket.socket, payload: bytes, *, mid: int, content_format: int = 17) -> Message:
    """The answer, in the ACK or in a message of its own where the commit took its time."""
    options = [(coap.URI_PATH, b"r"), (coap.CONTENT_FORMAT, bytes((content_format,)))]
    token = mid.to_bytes(4, "big")
    head = coap.encode(Message(coap.CON, coap.POST, mid, token, options, b""))
    door.send(head + (b"\xff" + payload if payload else b""))
    while True:
        answer = coap.decode(door.recv(2048))
        if answer.type == coap.CON:
            door.send(coap.empty(coap.ACK, answer.message_id))
        if answer.code != coap.EMPTY and answer.token == token:
            return answer


@pytest.mark.integration
def test_every_bad_envelope_gets_its_code_and_its_count_and_changes_nothing(
    site: Site, door: socket.socket
) -> None:
    device = LoadDevice(site.enrol("load-1"))
    site.enrol("load-2")
    assert coap.code_text(post(door, device.seal(7), mid=1).code) == "2.04"

    codes = {
        name: coap.code_text(post(door, mangle(device), mid=100 + n).code)
        for n, (name, (mangle, _, _)) in enumerate(CASES.items())
    }
    wrong_format = post(door, device.seal(0), mid=2, content_format=60)

    assert codes == {name: code for name, (_, code, _) in CASES.items()}
    assert coap.code_text(wrong_format.code) == "4.15"
    assert list(packs(site.gateway_dir / "ledger.sqlite")) == [("load-1", 1, 7)]
    assert site.gateway is not None
    metrics = httpx.get(f"{site.gateway.url}/metrics").text
    for _, _, outcome in CASES.values():
        assert f'tallystick_requests_total{{door="coap",outcome="{outcome}"}}' in metrics


@pytest.mark.integration
def test_the_same_envelope_again_gets_the_same_index_and_other_bytes_get_a_conflict(
    site: Site, door: socket.socket
) -> None:
    device = LoadDevice(site.enrol("load-1"))
    sealed = device.seal(0)

    first, again = post(door, sealed, mid=1), post(door, sealed, mid=2)
    other = post(door, pack_of(device, named(99)), mid=3)

    assert device.index_of(first, sealed) == device.index_of(again, sealed)
    assert coap.code_text(other.code) == "4.09"
    assert site.gateway is not None
    assert [e["source"] for e in site.gateway.get("/events?kind=alert")["events"]] == ["load-1"]
