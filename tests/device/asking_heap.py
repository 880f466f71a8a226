"""Prints what each part that asks takes of the heap, and what many exchanges leave behind.

Run inside MicroPython by test_asking_heap.py, on compiled packages. Names are counted with
whoever brings them first; a table of names that grows (MicroPython's) would hide all else, so it
is grown before.
"""

import gc
import json
import sys

from device.clock import Clock
from device.endpoint import Endpoint
from device.identity import Identity
from device.start import asyncio, pick_board

_POST = 2
SECRET, FOLDER, EXCHANGES = bytes(range(32)), sys.argv[1], int(sys.argv[2])


def used():
    gc.collect()
    return gc.mem_alloc()


class Wire:
    """Hands what is sent to a peer, and its answers to the endpoint, at once."""

    limit_bytes = lost = 0
    peer = endpoint = None

    def send(self, datagram):
        for answer in self.peer(datagram):
            self.endpoint.handle(self, answer)
        return True

    async def receive(self):
        await asyncio.sleep(3600)

    def close(self):
        pass


def growing_names():
    """Names that make MicroPython's table of them as large as it gets here, then are let go."""

    class Names:
        pass

    for number in range(340):
        setattr(Names, "name_%d" % number, 0)  # noqa: UP031 (firmware)


def measured():
    """Bytes by part. What every agent has loaded is not counted."""
    __import__("protocol.receipt_reader")
    board, wire, found = pick_board(), Wire(), {}
    board.open_udp = lambda host, port: wire
    endpoint = wire.endpoint = Endpoint(board, Clock(board), "g", 5683, 2000)
    identity = Identity("shed", SECRET, 1)
    before = used()

    from device.oscore import Protected

    protected = Protected(board, endpoint, FOLDER, SECRET, identity)
    found["oscore"] = used() - before
    before = used()

    from device import sending

    found["sending"] = used() - before
    before = used()

    from device.fetching import Fetch

    one = Fetch(protected, "home/shed/long", found.get)
    found["fetching"] = used() - before
    before = used()

    from device.observing import Observation

    two = Observation(board, Clock(board), protected, "c", found.get)
    found["observing"] = used() - before
    before = used()

    from device.resources import Resources

    three = Resources(protected)
    found["resources"] = used() - before
    before = used()

    from device import listening

    found["listening"] = used() - before
    assert listening is not one is not two is not three is not sending
    return found, wire, protected


async def exchanged(wire, protected, identity):
    """Bytes more after many exchanges than after a few."""
    from protocol.oscore_parts import Plain
    from tests.device.sealed_gateway import SealedGateway

    def echoing(plain):
        return Plain(69, [], plain.payload)

    gateway = SealedGateway(SECRET, identity.kid, echoing, pick_board().aead)
    wire.peer = gateway.handle

    async def ask(count):
        for _ in range(count):
            answer = await protected.exchange(_POST, "home/shed/light", b"on", 0)
            assert answer.payload == b"on"
            gateway.asks.clear()
            gateway.sealed.clear()

    await ask(200)
    before = used()
    await ask(EXCHANGES)
    return used() - before


def main():
    growing_names()
    found, wire, protected = measured()
    identity = Identity("shed", SECRET, 1)
    found["grown"] = asyncio.run(exchanged(wire, protected, identity))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
