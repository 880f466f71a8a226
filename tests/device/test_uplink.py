import asyncio

import pytest

from device.clock import Clock
from device.endpoint import Endpoint
from device.identity import Identity
from device.uplink import Uplink
from protocol import coap, envelope, envelope_reader, senml
from protocol.coap import Message
from protocol.senml import Reading
from tests.device.board import FakeBoard, open_outbox
from tests.device.gateway import TIME_MS, Keeper

NAME, SECRET = "greenhouse-3", bytes(range(32))
LOST, ARRIVES = False, True
MINUTE_MS = 60_000


class Rig:
    """A device's uplink and a gateway back to back, over a wire that follows a script."""

    def __init__(self, folder, *, peer=None, script=(), separate=False):
        self.keeper = Keeper(NAME, SECRET, separate=separate)
        self.board = FakeBoard(peer or self.keeper.handle, script)
        self.clock = Clock(self.board)
        self.identity = Identity(NAME, SECRET, 1)
        self.outbox = open_outbox(self.board, folder / "outbox")
        self.endpoint = Endpoint(self.board, self.clock, "g", 5683, 2000)
        self.events = []
        self.uplink = Uplink(
            self.board, self.clock, self.identity, self.outbox, self.endpoint, report=self._report
        )

    def _report(self, event, **fields):
        self.events.append((event, fields))

    def reasons(self):
        return [fields["reason"] for event, fields in self.events if event == "waiting"]

    def put(self, count):
        for sequence in range(count):
            pack = senml.encode_pack(NAME + "/", [Reading(NAME + "/t", "Cel", sequence, 0)])
            identity = self.identity
            sealed = envelope.seal(
                identity.up, "up", identity.kid, epoch=1, sequence=sequence, payload=pack
            )
            self.outbox.put(sealed, 0)

    async def run_for(self, duration_ms):
        running = asyncio.create_task(self.uplink.run(lambda: None))
        self.uplink.finish()
        await self.board.advance(duration_ms)
        finished = running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await self.endpoint.close()
        return finished


def answer_with(code, payload=b"", options=()):
    """A peer that answers every request with the same."""

    def peer(datagram):
        request = coap.decode(datagram)
        if request.type != coap.CON:
            return []
        options_list = list(options)
        return [
            coap.encode(
                Message(coap.ACK, code, request.message_id, request.token, options_list, payload)
            )
        ]

    return peer


async def test_what_is_kept_leaves_the_outbox_and_sets_the_clock(tmp_path):
    rig = Rig(tmp_path)
    rig.put(3)

    finished = await rig.run_for(100)

    assert finished
    assert rig.keeper.order == [(1, 0), (1, 1), (1, 2)]
    assert rig.outbox.peek() is None
    assert ("clock-set", {"time_ms": TIME_MS}) in rig.events
    assert rig.events[-1] == ("kept", {"index": 2, "epoch": 1, "sequence": 2, "readings": 1})


@pytest.mark.parametrize(
    "script", [[LOST], [ARRIVES, LOST], [LOST, LOST, ARRIVES, LOST], [ARRIVES] + [LOST] * 3]
)
async def test_a_lost_datagram_is_sent_again_as_the_same_message(tmp_path, script):
    rig = Rig(tmp_path, script=script)
    rig.put(1)

    await rig.run_for(MINUTE_MS)

    assert rig.keeper.order == [(1, 0)]
    assert len(set(rig.board.sockets[0].sent)) == 1
    assert rig.uplink.kept == 1


async def test_a_separate_answer_is_acknowledged_even_when_it_comes_twice(tmp_path):
    rig = Rig(tmp_path, separate=True)
    rig.put(3)
    await rig.run_for(100)
    udp = rig.board.sockets[0]
    separate = udp.delivered[-1]

    rig.endpoint.handle(udp, separate)

    message_id = coap.decode(separate).message_id
    assert coap.decode(separate).type == coap.CON
    assert udp.sent[-2:] == [coap.empty(coap.ACK, message_id)] * 2
    assert rig.uplink.kept == 3


@pytest.mark.parametrize(
    "datagram",
    [
        coap.encode(Message(coap.CON, coap.CHANGED, 9, b"unknown!", [], b"x")),
        coap.empty(coap.CON, 9),
        coap.encode(Message(coap.CON, coap.GET, 9, b"t", [], b"")),
    ],
    ids=["a stranger's response", "a ping", "a request"],
)
async def test_what_is_not_ours_is_reset(tmp_path, datagram):
    rig = Rig(tmp_path)
    rig.put(1)
    await rig.run_for(100)
    udp = rig.board.sockets[0]

    rig.endpoint.handle(udp, datagram)

    assert udp.sent[-1] == coap.empty(coap.RST, 9)


async def test_garbage_is_counted_and_changes_nothing(tmp_path):
    rig = Rig(tmp_path)
    rig.put(1)
    await rig.run_for(100)
    sent = len(rig.board.sockets[0].sent)

    for datagram in (b"", b"\x00", b"\xff" * 40, b"\x4f\x44\x00\x01"):
        rig.endpoint.handle(rig.board.sockets[0], datagram)

    assert rig.endpoint.garbage == 4
    assert len(rig.board.sockets[0].sent) == sent


async def test_a_receipt_that_proves_nothing_deletes_nothing(tmp_path):
    rig = Rig(tmp_path, peer=answer_with(coap.CHANGED, b"kept, honestly"))
    rig.put(1)

    await rig.run_for(10_000)

    assert rig.outbox.peek() is not None
    assert rig.uplink.bad_receipts >= 2
    assert not rig.clock.is_set


async def test_a_receipt_for_another_envelope_deletes_nothing(tmp_path):
    donor = Keeper(NAME, SECRET)
    rig = Rig(tmp_path)
    rig.put(2)
    first = rig.outbox.peek()
    donor.handle(coap.encode(Message(coap.CON, coap.POST, 1, b"t", [], first)))
    rig.outbox.advance()
    rig.board._peer = answer_with(coap.CHANGED, donor.receipt(envelope_reader.parse(first)))

    await rig.run_for(10_000)

    assert rig.outbox.peek() is not None
    assert rig.uplink.kept == 0


@pytest.mark.parametrize(("code", "reason"), [(0x80, "4.00"), (0x89, "4.09"), (0x8D, "4.13")])
async def test_what_is_refused_again_and_again_is_set_aside(tmp_path, code, reason):
    rig = Rig(tmp_path, peer=answer_with(code))
    rig.put(1)

    await rig.run_for(10 * MINUTE_MS)

    assert rig.outbox.quarantined == 1
    assert rig.outbox.peek() is None
    assert rig.reasons() == [reason] * 7


@pytest.mark.parametrize("code", [0x81, 0x83, 0x84, 0xA0])
async def test_a_gateway_that_does_not_know_us_deletes_nothing(tmp_path, code):
    rig = Rig(tmp_path, peer=answer_with(code))
    rig.put(1)

    await rig.run_for(60 * MINUTE_MS)

    waits = [fields["wait_ms"] for _, fields in rig.events]
    assert rig.outbox.peek() is not None
    assert waits == sorted(waits)
    assert waits[-1] == MINUTE_MS


@pytest.mark.parametrize(
    ("options", "wait_ms"),
    [((), 60_000), (((14, b"\x05"),), 5000), (((14, b"\xff\xff\xff"),), 300_000)],
    ids=["by default", "as told", "at most"],
)
async def test_an_overloaded_gateway_is_left_alone_for_as_long_as_it_says(
    tmp_path, options, wait_ms
):
    rig = Rig(tmp_path, peer=answer_with(0xA3, options=options))
    rig.put(1)

    await rig.run_for(1000)

    assert rig.events == [("waiting", {"reason": "5.03", "wait_ms": wait_ms})]


async def test_a_silent_gateway_is_asked_less_and_less_and_then_looked_up_anew(tmp_path):
    rig = Rig(tmp_path, peer=lambda datagram: [])
    rig.put(1)

    await rig.run_for(20 * MINUTE_MS)

    waits = [fields["wait_ms"] for _, fields in rig.events]
    assert waits[:6] == [2000, 4000, 8000, 16_000, 32_000, 60_000]
    assert len(rig.board.sockets) > 1
    assert rig.board.sockets[0].closed
    assert rig.outbox.peek() is not None


async def test_a_name_without_an_address_is_waited_for(tmp_path):
    rig = Rig(tmp_path)
    rig.put(1)
    rig.board.unreachable = True
    await rig.run_for(5000)
    rig.board.unreachable = False

    await rig.run_for(10_000)

    assert rig.reasons()[0] == "no-address"
    assert rig.keeper.order == [(1, 0)]


async def test_a_reset_is_a_failure_that_keeps_the_envelope(tmp_path):
    rig = Rig(
        tmp_path,
        peer=lambda datagram: [coap.empty(coap.RST, coap.decode(datagram).message_id)],
    )
    rig.put(1)

    await rig.run_for(1000)

    assert rig.reasons() == ["reset"]
    assert rig.outbox.peek() is not None
