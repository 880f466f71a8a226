import asyncio

from device.clock import Clock
from device.endpoint import Endpoint
from device.identity import Identity
from device.observing import Observation
from device.oscore import Protected
from protocol import coap
from protocol.oscore_parts import OBSERVE, Plain
from tests.device.board import FakeBoard
from tests.device.sealed_gateway import SealedGateway, unprotected
from tests.oscore_vectors import cipher

NAME, SECRET = "shed", bytes(range(32))
MINUTE_MS = 60_000
MAX_AGE = 14
FORBIDDEN = 0x83


def state(payload, max_age=b"\x1c\x20"):
    return Plain(coap.CONTENT, [(OBSERVE, b"\x01"), (MAX_AGE, max_age)], payload)


class Rig:
    """An observation, and a gateway whose answer to it is `now`."""

    def __init__(self, folder, *, knows=True, peer=None):
        self.now = state(b"off")
        identity = Identity(NAME, SECRET, 1)
        self.gateway = SealedGateway(
            SECRET, identity.kid, lambda plain: self.now, cipher, knows=knows
        )
        self.board = FakeBoard(peer or self.gateway.handle)
        clock = Clock(self.board)
        self.endpoint = Endpoint(self.board, clock, "g", 5683, 2000)
        protected = Protected(self.board, self.endpoint, str(folder), SECRET, identity)
        self.states = []
        self.observation = Observation(self.board, clock, protected, "home/shed/light", self.heard)
        self.running = asyncio.create_task(self.observation.run())

    def heard(self, message):
        self.states.append((message.code, message.payload))

    @property
    def udp(self):
        return self.board.sockets[-1]

    async def told(self, datagram):
        self.udp.deliver(datagram)
        await self.board.advance(100)
        return coap.decode(self.udp.sent[-1])

    async def ended(self):
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.endpoint.close()


async def test_each_new_state_is_told_and_acknowledged(tmp_path):
    rig = Rig(tmp_path, knows=False)
    await rig.board.advance(100)

    said = await rig.told(rig.gateway.notification(state(b"on")))
    await rig.ended()

    assert [payload for _, payload in rig.states] == [b"off", b"on"]
    assert (said.type, said.code, said.message_id) == (coap.ACK, coap.EMPTY, 1)
    assert (OBSERVE, b"") in rig.gateway.asks[0].options


async def test_an_older_state_is_acknowledged_and_not_told(tmp_path):
    rig = Rig(tmp_path)
    await rig.board.advance(100)
    await rig.told(rig.gateway.notification(state(b"new"), 500))

    for number in (500, 400):
        said = await rig.told(rig.gateway.notification(state(b"old"), number))
        assert said.type == coap.ACK
    await rig.ended()

    assert [payload for _, payload in rig.states] == [b"off", b"new"]


async def test_what_the_gateway_did_not_seal_is_as_if_it_had_not_come(tmp_path):
    rig = Rig(tmp_path)
    await rig.board.advance(100)
    forged = coap.decode(rig.gateway.notification(state(b"on")))
    sent = len(rig.udp.sent)

    await rig.told(coap.encode(forged._replace(payload=bytes(30))))
    await rig.told(coap.encode(forged._replace(options=[])))
    await rig.ended()

    assert [payload for _, payload in rig.states] == [b"off"]
    assert len(rig.udp.sent) == sent


async def test_it_is_registered_again_before_its_state_grows_stale(tmp_path):
    rig = Rig(tmp_path)
    rig.now = state(b"off", b"\x3c")  # for a minute

    await rig.board.advance(10 * MINUTE_MS)
    await rig.ended()

    assert 9 <= len(rig.gateway.asks) <= 11
    tokens = {coap.decode(one).token for one in rig.udp.sent}
    assert len(tokens) == 1


async def test_however_long_a_state_is_fresh_it_is_registered_four_times_an_hour(tmp_path):
    rig = Rig(tmp_path)

    await rig.board.advance(61 * MINUTE_MS)
    await rig.ended()

    assert len(rig.gateway.asks) == 5


async def test_after_a_new_registration_what_belongs_to_the_old_one_is_not_believed(tmp_path):
    rig = Rig(tmp_path)
    await rig.board.advance(100)
    old = rig.gateway.notification(state(b"old"))
    await rig.board.advance(16 * MINUTE_MS)
    assert len(rig.gateway.asks) == 2

    await rig.told(old)
    await rig.told(rig.gateway.notification(state(b"new")))
    await rig.ended()

    assert [payload for _, payload in rig.states] == [b"off", b"off", b"new"]


async def test_on_another_socket_it_is_registered_again_at_once(tmp_path):
    rig = Rig(tmp_path)
    await rig.board.advance(100)

    rig.endpoint.sockets += 1
    await rig.board.advance(2100)
    await rig.ended()

    assert len(rig.gateway.asks) == 2


async def test_a_refusal_ends_it_and_it_is_tried_again_later(tmp_path):
    rig = Rig(tmp_path)
    await rig.board.advance(100)
    rig.now = Plain(FORBIDDEN, [], b"")

    await rig.told(rig.gateway.notification(Plain(FORBIDDEN, [], b"")))
    await rig.board.advance(MINUTE_MS)
    rig.now = state(b"on")
    await rig.board.advance(MINUTE_MS)
    await rig.ended()

    assert rig.states[0] == (coap.CONTENT, b"off")
    assert rig.states[1] == (FORBIDDEN, b"")
    assert rig.states[-1] == (coap.CONTENT, b"on")
    assert 3 <= len(rig.gateway.asks) <= 6


async def test_a_gateway_that_does_not_know_us_is_asked_now_and_then(tmp_path):
    asked = []

    def stranger(datagram):
        asked.append(datagram)
        return unprotected(0x81)(datagram)

    rig = Rig(tmp_path, peer=stranger)

    await rig.board.advance(5 * MINUTE_MS)
    await rig.ended()

    assert 5 <= len(asked) <= 12
    assert rig.states == []


async def test_after_the_end_the_gateway_knows_and_nothing_more_is_told(tmp_path):
    rig = Rig(tmp_path)
    await rig.board.advance(100)
    rig.running.cancel()
    rig.now = Plain(coap.CONTENT, [], b"off")
    ending = asyncio.create_task(rig.observation.end())
    await rig.board.advance(100)

    await rig.told(rig.gateway.notification(state(b"on")))
    await rig.ended()

    assert ending.done()
    assert (OBSERVE, b"\x01") in rig.gateway.asks[1].options
    assert [payload for _, payload in rig.states] == [b"off"]


async def test_states_that_are_stale_at_once_are_not_asked_for_without_a_pause(tmp_path):
    rig = Rig(tmp_path)
    rig.now = state(b"off", b"")

    await rig.board.advance(MINUTE_MS)
    await rig.ended()

    assert len(rig.gateway.asks) <= 7
