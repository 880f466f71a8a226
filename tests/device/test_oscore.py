import asyncio

import pytest

from device.clock import Clock
from device.endpoint import Endpoint
from device.identity import Identity
from device.oscore import RESERVED, Protected
from protocol import coap
from protocol.errors import TooLargeError
from protocol.oscore_parts import Plain
from tests.device.board import FakeBoard
from tests.device.sealed_gateway import ECHO, UNAUTHORIZED, SealedGateway, unprotected
from tests.oscore_vectors import cipher

NAME, SECRET = "shed", bytes(range(32))
LOST = False


def echoing(plain):
    return Plain(coap.CONTENT, [(12, b"")], plain.payload)


class Rig:
    """A device under OSCORE and its gateway, over a wire that follows a script."""

    def __init__(self, folder, answer=echoing, *, knows=True, script=(), peer=None, epoch=1):
        self.identity = Identity(NAME, SECRET, epoch)
        self.gateway = SealedGateway(SECRET, self.identity.kid, answer, cipher, knows=knows)
        self.board = FakeBoard(peer or self.gateway.handle, script)
        self.folder = str(folder)
        self.endpoint = Endpoint(self.board, Clock(self.board), "g", 5683, 2000)
        self.protected = self.started()

    def started(self):
        """As after another start."""
        return Protected(self.board, self.endpoint, self.folder, SECRET, self.identity)

    async def ask(self, payload=b"on", duration_ms=200_000):
        asking = asyncio.create_task(
            self.protected.exchange(coap.POST, "home/shed/light", payload, 0)
        )
        await self.board.advance(duration_ms)
        return asking.result()

    def numbers(self):
        return [int.from_bytes(iv, "big") for iv in self.gateway.sealed]


async def test_what_is_asked_and_answered_is_inside(tmp_path):
    rig = Rig(tmp_path)

    answer = await rig.ask(b"secret light")

    path = [(11, b"home"), (11, b"shed"), (11, b"light")]
    assert rig.gateway.asks == [Plain(coap.POST, [*path, (12, b"")], b"secret light")]
    assert (answer.code, answer.options, answer.payload) == (0x45, [(12, b"")], b"secret light")
    assert not any(b"light" in datagram for datagram in rig.board.sockets[0].sent)


async def test_what_is_sent_again_is_the_same_and_what_is_asked_again_has_another_number(tmp_path):
    rig = Rig(tmp_path, script=[LOST, LOST])

    await rig.ask()
    await rig.ask()

    assert rig.numbers() == [1, 2]
    assert all(len(sealed) == 1 for sealed in rig.gateway.sealed.values())
    assert len(rig.board.sockets[0].sent) == 4


async def test_an_echo_is_brought_back_once(tmp_path):
    rig = Rig(tmp_path, knows=False)

    answer = await rig.ask()

    assert answer.payload == b"on"
    assert [dict(one.options).get(ECHO) for one in rig.gateway.asks] == [None, b"prove it"]


async def test_a_gateway_that_asks_for_echoes_for_ever_is_not_answered_for_ever(tmp_path):
    rig = Rig(tmp_path, lambda plain: Plain(UNAUTHORIZED, [(ECHO, b"again")], b""))

    answer = await rig.ask()

    assert answer.code == UNAUTHORIZED
    assert len(rig.gateway.asks) == 2


async def test_an_answer_without_protection_is_believed_by_nobody_but_shortens_the_wait(tmp_path):
    rig = Rig(tmp_path, peer=unprotected(UNAUTHORIZED))
    asking = asyncio.create_task(rig.protected.exchange(coap.GET, "time"))

    await rig.board.advance(4001)

    assert asking.result() is None
    assert rig.protected.reason == "not-protected"
    assert len(rig.board.sockets[0].sent) == 1


async def test_the_real_answer_is_taken_after_a_forged_one(tmp_path):
    rig = Rig(tmp_path)
    real = rig.gateway.handle
    rig.board = FakeBoard(lambda data: [*unprotected(coap.CHANGED)(data), *real(data)])
    rig.endpoint = Endpoint(rig.board, Clock(rig.board), "g", 5683, 2000)
    rig.protected = rig.started()

    answer = await rig.ask()

    assert answer.payload == b"on"


async def test_an_answer_to_another_request_is_not_taken(tmp_path):
    heard = []

    def replaying(datagram):
        """Answers the first, and all others with the same, under their own token."""
        (answer,) = rig.gateway.handle(datagram)
        heard.append(coap.decode(answer))
        now = heard[-1]
        return [coap.encode(heard[0]._replace(message_id=now.message_id, token=now.token))]

    rig = Rig(tmp_path, peer=replaying)

    answers = [await rig.ask(b"first"), await rig.ask(b"second")]

    assert (answers[0].payload, answers[1]) == (b"first", None)
    assert rig.protected.reason == "not-protected"


async def test_numbers_are_on_flash_before_their_first_use_and_a_start_goes_on_behind_them(
    tmp_path,
):
    rig = Rig(tmp_path)
    for _ in range(RESERVED):
        await rig.ask(duration_ms=1)
    assert rig.board.syncs == 1

    await rig.ask(duration_ms=1)
    assert rig.board.syncs == 2
    rig.protected = rig.started()
    await rig.ask(duration_ms=1)

    assert rig.numbers() == [*range(1, RESERVED + 2), 2 * RESERVED + 1]


async def test_where_numbers_cannot_be_kept_nothing_is_sent(tmp_path):
    rig = Rig(tmp_path)

    def broken(file):
        raise OSError(5)

    rig.board.sync = broken

    assert await rig.ask() is None
    assert rig.protected.reason == "flash-error"
    assert rig.board.sockets == []


async def test_numbers_that_were_lost_do_not_start_again(tmp_path):
    rig = Rig(tmp_path)
    await rig.ask()
    (tmp_path / "oscore.0").unlink()
    rig.identity.epoch = 2
    rig.protected = rig.started()

    await rig.ask()

    assert rig.numbers()[-1] > 1 << 38


async def test_a_request_that_no_datagram_holds_is_refused(tmp_path):
    rig = Rig(tmp_path)

    with pytest.raises(TooLargeError):
        await rig.protected.exchange(3, "home/" + "x" * 250, bytes(1000))
