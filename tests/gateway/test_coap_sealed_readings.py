"""Readings under OSCORE: taken with the others of their turn, answered sealed, once and alike."""

import pytest

from gateway.coap.dedup import Dedup, key_of
from gateway.coap.endpoint import Endpoint
from gateway.coap.limiter import Limiter
from gateway.coap.messages import Messages
from protocol import coap
from protocol.coap import ACK, CHANGED, CON, CONTENT_FORMAT, NON, POST, URI_PATH, Message
from protocol.oscore_parts import Plain, Sealed
from tests.fakes import SigningDevice
from tests.gateway.posting import ID, PEER, TOKEN, FakeMembers, Post, told
from tests.gateway.protected import FakeOscoreDevice, known

COSE_MAC0, COSE_SIGN1, BUSY = 17, 18, 0xA3


class FakeUdp:
    def __init__(self):
        self.sent = []

    def send(self, data, peer):
        self.sent.append(data)


class Door:
    """An endpoint whose socket is a list, before it a device that speaks OSCORE."""

    def __init__(self):
        oscore, self.device = known()
        self.post = Post(members=FakeMembers(self.device.known()))
        self.udp, self.slow, self.now_ms = FakeUdp(), [], 0
        share = Limiter(per_s=1000, burst=1000, sources=8)
        parts = self.post.readings, oscore, self.post.metrics
        self.endpoint = Endpoint(self.udp, share, *parts, now_ms=lambda: self.now_ms)
        self.messages = Messages(
            self.endpoint,
            Dedup(0, per_generation=64),
            key_of=lambda peer, number: key_of(b"s", repr(peer.address).encode(), number),
            now_ms=lambda: self.now_ms,
        )
        self.messages.attach(self.slow.append, self.endpoint.is_readings)
        self.endpoint._messages = self.messages

    def take(self, *datagrams):
        self.endpoint._received([(data, PEER) for data in datagrams])

    @property
    def sent(self):
        sent, self.udp.sent = self.udp.sent, []
        return sent


def sealed(
    device: FakeOscoreDevice,
    body: bytes,
    *,
    kind=CON,
    path=b"r",
    message_id=ID,
    content_format=COSE_MAC0,
):
    plain = Plain(POST, [(URI_PATH, path), (CONTENT_FORMAT, bytes((content_format,)))], body)
    outer, asked = device.sealed(plain)
    message = Message(kind, outer.code, message_id, TOKEN, outer.options, outer.payload)
    return coap.encode(message), asked


def opened(device: FakeOscoreDevice, asked, data: bytes) -> Plain:
    found = coap.decode(data)
    return device.opened(asked, Sealed(found.code, found.options, found.payload))[0]


@pytest.mark.parametrize(("kind", "answered_as"), [(CON, ACK), (NON, NON)])
def test_an_envelope_under_oscore_is_kept_and_its_receipt_is_sealed(kind, answered_as):
    door = Door()
    body = door.device.seal(0)
    request, asked = sealed(door.device, body, kind=kind)

    door.take(request)
    before = door.sent
    door.post.sequencer.commit()

    (answer,) = door.sent
    plain = opened(door.device, asked, answer)
    assert (before, door.slow) == ([], [])
    assert (answer[0] >> 4 & 3, plain.code) == (answered_as, CHANGED)
    assert dict(plain.options) == {CONTENT_FORMAT: bytes((COSE_MAC0,))}
    receipt = coap.encode(Message(ACK, CHANGED, 0, b"", [], plain.payload))
    sent = coap.encode(Message(CON, POST, 0, b"", [], body))
    assert told(receipt, sent, door.device).index == 0


def test_an_envelope_with_a_signature_is_checked_before_its_receipt_is_sealed():
    door, roof = Door(), SigningDevice("roof")
    door.post.members.registry.replace([door.device.known(), roof.known()])
    request, asked = sealed(door.device, roof.sign(0), content_format=COSE_SIGN1)

    door.take(request)
    before = (door.sent, door.slow, door.post.sequencer.waiting)
    door.post.checks.answer()
    door.post.sequencer.commit()

    (answer,) = door.sent
    assert before == ([], [], [])
    assert opened(door.device, asked, answer).code == CHANGED
    assert [number.kid for number in door.post.sequencer.kept] == [roof.kid]


def test_a_refusal_is_sealed_too():
    door = Door()
    request, asked = sealed(door.device, b"no envelope")

    door.take(request)

    (answer,) = door.sent
    assert answer[1] == CHANGED
    assert opened(door.device, asked, answer) == Plain(0x80, [], b"")


@pytest.mark.parametrize("kind", [CON, NON], ids=["CON", "NON"])
def test_who_has_no_room_hears_so_and_nothing_waits_for_an_answer(kind):
    door = Door()
    door.post.sequencer.most = 0
    request, asked = sealed(door.device, door.device.seal(0), kind=kind)

    door.take(request)

    (answer,) = door.sent
    assert opened(door.device, asked, answer).code == BUSY
    assert len(door.messages) == 0


def test_a_copy_is_answered_with_the_same_bytes_and_stored_once():
    door = Door()
    request, _ = sealed(door.device, door.device.seal(0))

    door.take(request, request)
    door.take(request)
    door.post.sequencer.commit()
    first = door.sent
    door.take(request)

    assert len(first) == 1
    assert door.sent == first
    assert len(door.post.sequencer.kept) == 1


def test_after_a_second_an_empty_ack_says_that_the_answer_comes():
    door = Door()
    request, asked = sealed(door.device, door.device.seal(0))
    door.take(request)

    door.now_ms = 1000
    door.post.readings.tick(1 << 40)
    door.messages.tick(1000)
    acknowledged = door.sent
    door.post.sequencer.commit()

    (answer,) = door.sent
    assert acknowledged == [coap.empty(ACK, ID)]
    assert answer[0] >> 4 & 3 == CON
    assert opened(door.device, asked, answer).code == CHANGED


@pytest.mark.parametrize("path", [b"time", b"rr"])
def test_any_other_request_under_oscore_goes_the_long_way(path):
    door = Door()
    request, _ = sealed(door.device, b"x", path=path)

    door.take(request)

    assert len(door.slow) == 1
    assert door.sent == []


def test_what_was_changed_on_the_way_goes_the_long_way_to_its_refusal():
    door = Door()
    request, _ = sealed(door.device, door.device.seal(0))

    door.take(request[:-1] + bytes([request[-1] ^ 1]))

    assert len(door.slow) == 1
    assert door.post.sequencer.waiting == []
