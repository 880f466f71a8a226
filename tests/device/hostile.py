"""Feeds an endpoint what no gateway sends, on whichever interpreter runs this.

Prints what it grew by, and fails where one of the datagrams does anything at all. Most of the
table is what stops, crashes or confuses other clients for MicroPython.
"""

import sys

from device.clock import Clock
from device.endpoint import Endpoint
from device.start import asyncio
from protocol import coap
from protocol.coap import Message

TOKEN = b"12345678"
RESET = "reset"  # what is refused with an RST
SILENCE = "silence"
EITHER = "reset, or not even read where the heap is small"
ALL_OPTIONS = b"\x10" + b"\x00" * 1099  # If-Match, empty, again and again


def head(kind, code, token=TOKEN, message_id=b"\x00\x01"):
    return bytes((0x40 | kind << 4 | len(token), code)) + message_id + token


TABLE = [
    ("nothing", b"", SILENCE),
    ("less than four bytes", b"\x48\x45\x00", SILENCE),
    ("another version", b"\x88\x45\x00\x01" + TOKEN, SILENCE),
    ("a token of nine bytes", b"\x49\x45\x00\x01123456789", RESET),
    ("a token of fifteen bytes", b"\x4f\x45\x00\x01" + bytes(15), RESET),
    ("a token that ends too early", b"\x48\x45\x00\x01123", SILENCE),
    ("an empty message with a token", head(coap.CON, 0), SILENCE),
    ("an ACK of no request", head(coap.ACK, coap.CONTENT, message_id=b"\x77\x77"), SILENCE),
    ("an empty ACK of no request", b"\x60\x00\x77\x77", SILENCE),
    ("a reset of no request", b"\x70\x00\x77\x77", SILENCE),
    ("a reset with a code", head(coap.RST, coap.CONTENT), SILENCE),
    ("a ping", b"\x40\x00\x00\x09", RESET),
    ("a request", head(coap.CON, coap.GET), RESET),
    ("a request that needs no answer", head(coap.NON, coap.GET), SILENCE),
    ("a reserved class", head(coap.CON, 0x20), SILENCE),
    ("another token", head(coap.CON, coap.CONTENT, b"87654321"), RESET),
    ("no token", head(coap.CON, coap.CONTENT, b""), RESET),
    ("another token and many options", head(coap.CON, 69, b"87654321") + ALL_OPTIONS, RESET),
    ("our token and many options", head(coap.CON, coap.CONTENT) + ALL_OPTIONS, EITHER),
    ("an option we do not know", head(coap.CON, coap.CONTENT) + b"\xd0\x00", RESET),
    ("an option of 270 bytes, cut", head(coap.CON, 69) + b"\x4e\x00\x01" + bytes(269), SILENCE),
    ("an option of 65804 bytes", head(coap.CON, 69) + b"\x4e\xff\xff" + bytes(300), SILENCE),
    ("a reserved delta", head(coap.CON, 69) + b"\xf0", SILENCE),
    ("a reserved length", head(coap.CON, 69) + b"\x0f", SILENCE),
    ("a marker and nothing", head(coap.CON, 69) + b"\xff", SILENCE),
    ("options past the last", head(coap.CON, 69) + b"\xe0\xff\xff" * 3, SILENCE),
]


class Wire:
    """Keeps what is sent; nothing ever arrives."""

    limit_bytes = lost = 0

    def __init__(self):
        self.sent = []

    def send(self, datagram):
        self.sent.append(datagram)
        return True

    async def receive(self):
        await asyncio.sleep(3600)

    def close(self):
        pass


class Board:
    """Its dice are known, so that the token of a request is."""

    def __init__(self):
        self.wire = Wire()
        self.random = 1

    def ticks_ms(self):
        return 0

    def ticks_diff(self, later, earlier):
        return later - earlier

    def random_bits(self, bits):
        self.random = (self.random * 1103515245 + 12345) & 0x3FFFFFFF
        return self.random >> 30 - bits

    def random_bytes(self, size):
        return TOKEN

    def open_udp(self, host, port):
        return self.wire

    def event(self):
        return asyncio.Event()

    async def wait(self, event, timeout_ms):
        await asyncio.sleep(0)

    async def sleep_ms(self, duration_ms):
        await asyncio.sleep(0)


def used():
    if sys.implementation.name != "micropython":
        return 0
    import gc

    gc.collect()
    return gc.mem_alloc()


def expect(endpoint, wire, datagram):
    """What the endpoint does about it; the request on its way is as it was."""
    wire.sent.clear()
    endpoint.handle(wire, datagram)
    if not wire.sent:
        return SILENCE
    reset = bytes((0x70, 0)) + datagram[2:4]
    return RESET if wire.sent == [reset] else "answered"


def noise(board):
    """Random bytes, half of them behind a head that is ours."""
    size = board.random_bits(9) if board.random_bits(3) else board.random_bits(11)
    data = bytes([board.random_bits(8) for _ in range(size)])
    kind, code = board.random_bits(2), 0x40 | board.random_bits(5)
    return head(kind, code, message_id=b"\x70\x01") + data if board.random_bits(1) else data


async def main(rounds):
    board = Board()
    endpoint = Endpoint(board, Clock(board), "g", 5683, 2000)
    asking = asyncio.create_task(endpoint.exchange(coap.GET, "time"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(board.wire.sent) == 1, "the request is on its way"
    for name, datagram, does in TABLE:
        found = expect(endpoint, board.wire, datagram)
        assert found == does or (does == EITHER and found in (RESET, SILENCE)), (name, found)
    assert not asking.done()
    before = used()
    for _ in range(rounds):
        board.wire.sent.clear()
        endpoint.handle(board.wire, noise(board))
    board.wire.sent.clear()
    grown = used() - before
    request = coap.encode(Message(coap.CON, coap.CONTENT, 7, TOKEN, [], b"now"))
    endpoint.handle(board.wire, request)
    asking.cancel()
    print(f"{len(TABLE)} kinds, {rounds} random datagrams, grown by {grown} bytes")
    assert grown < 2048


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
