import asyncio

from device.clock import Clock
from device.config import RestartError
from device.endpoint import Endpoint
from device.identity import Identity
from device.listening import Listening
from protocol import cbor, coap
from protocol.oscore_parts import OBSERVE, Plain
from tests.device.board import FakeBoard
from tests.device.sealed_gateway import SealedGateway
from tests.oscore_vectors import cipher

NAME, SECRET = "shed", bytes(range(32))
MINUTE_MS = 60_000
MAX_AGE = 14


class Settings:
    secret, known, quiet_ms = SECRET, 7, 0


class Parts:
    """The sampler, the packer, the uplink and the outbox of an agent that has done nothing."""

    sampled = read_errors = sequence = kept = dropped = quarantined = 0

    def seal(self):
        pass


class Rig:
    """What of an agent listening needs, and a gateway whose news are `news`."""

    def __init__(self, folder):
        self.identity = Identity(NAME, SECRET, 1)
        self.gateway = SealedGateway(SECRET, self.identity.kid, self.answer, cipher)
        self.board = FakeBoard(self.gateway.handle)
        self.clock = Clock(self.board)
        self.endpoint = Endpoint(self.board, self.clock, "g", 5683, 2000)
        self.folder, self.settings = str(folder), Settings()
        self.sampler = self.packer = self.uplink = self.outbox = Parts()
        self.events = []
        self.news = {3: 7, 4: 0}  # version and commands, as a receipt has them
        self.ticks = 0

    def report(self, event, **fields):
        self.events.append(event)

    def answer(self, plain):
        return self.told(self.news)

    def told(self, news):
        return Plain(coap.CONTENT, [(OBSERVE, b""), (MAX_AGE, b"\x1c\x20")], cbor.encode(news))

    def tick(self):
        self.ticks += 1

    def start(self):
        self.running = asyncio.create_task(Listening(self).run(self.tick))

    async def end(self):
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.board.advance(1)
        await self.endpoint.close()


async def test_it_listens_and_ticks_while_nothing_is_new(tmp_path):
    rig = Rig(tmp_path)
    rig.start()

    await rig.board.advance(5 * MINUTE_MS)

    assert not rig.running.done()
    assert len(rig.gateway.asks) == 1
    assert rig.ticks >= 10
    await rig.end()


async def test_a_command_that_is_told_of_ends_the_agent_which_asks(tmp_path):
    rig = Rig(tmp_path)
    rig.start()
    await rig.board.advance(100)
    assert not rig.running.done()

    news = rig.gateway.notification(rig.told({3: 7, 4: 1}))
    rig.board.sockets[-1].deliver(news)
    await rig.board.advance(100)

    ended = rig.running.exception()
    assert isinstance(ended, RestartError)
    assert ended.args[0] is True
    await rig.end()


async def test_what_there_was_no_use_in_asking_for_waits(tmp_path):
    rig = Rig(tmp_path)
    rig.settings.quiet_ms = 2 * MINUTE_MS
    rig.news = {3: 8, 4: 0}
    rig.start()

    await rig.board.advance(MINUTE_MS)
    assert not rig.running.done()
    await rig.board.advance(2 * MINUTE_MS)

    assert isinstance(rig.running.exception(), RestartError)
    await rig.end()


async def test_where_there_is_no_memory_for_it_the_device_goes_on(tmp_path):
    rig = Rig(tmp_path)

    def full(key):
        raise MemoryError

    rig.board.aead = full
    rig.start()

    await rig.board.advance(5 * MINUTE_MS)

    assert rig.events == ["not-listening"]
    assert not rig.running.done()
    await rig.end()
