"""A device through a day without a network, inside MicroPython; run by test_outage.py.

The argument is JSON: `image`, `program_bytes`, `outbox_bytes`, `hours` of outage, and for how
many `packs`, one every 10 s, the device measures. Prints one line of JSON with what came of it.
"""

import asyncio
import gc
import json
import sys

import device.agent
from device import config_file
from protocol import coap, envelope, envelope_reader, receipt, resolve
from protocol.coap import Message
from protocol.receipt import Receipt
from tests.device.simulated_day import Board, Flash

_NAME, _SECRET = "greenhouse-3", bytes(range(32))
_NOON_MS = 1_763_692_800_000
_EVERY_MS = 10_000
_HOUR_MS, _STEP_MS = 3_600_000, 600_000
_LONGEST_DELIVERY_MS = 6 * _HOUR_MS
_BLOCKS = 1024


class Keeper:
    """Keeps numbers only, so that its own memory stays what it is."""

    def __init__(self):
        self.board = None
        self.kept = self.repeats = self.disorder = self.missing = self.late = 0
        self.told_dropped = 0
        self.last = None
        self._start_ms = 0
        self._up = envelope.direction_key(_SECRET, envelope.UP)
        self._down = envelope.direction_key(_SECRET, envelope.DOWN)

    def time_ms(self):
        return _NOON_MS + self.board.now_ms - self._start_ms

    def handle(self, datagram):
        request = coap.decode(datagram)
        if request.code != coap.POST:
            return []
        if request.option(coap.URI_PATH) == b"c":  # nobody is told anything here
            unknown = Message(coap.ACK, 0x84, request.message_id, request.token, [], b"")
            return [coap.encode(unknown)]
        sent = envelope_reader.parse(request.payload)
        envelope_reader.check(sent, self._up, envelope.UP)
        self._count(sent)
        answer = Receipt(self.kept, self.time_ms(), 0, 0)
        sealed = receipt.seal(
            self._down, answer, kid=sent.kid, epoch=sent.epoch, sequence=sent.sequence
        )
        answered = Message(coap.ACK, coap.CHANGED, request.message_id, request.token, [], sealed)
        return [coap.encode(answered)]

    def _count(self, sent):
        if self.last is not None and sent.sequence <= self.last:
            self.repeats += sent.sequence == self.last
            self.disorder += sent.sequence < self.last
            return
        self.missing += sent.sequence - (-1 if self.last is None else self.last) - 1
        self.last = sent.sequence
        self.kept += 1
        for reading in resolve.decode_pack(sent.payload):
            if reading.name.endswith("/dropped"):
                self.told_dropped = reading.value
            elif reading.name.endswith("/uptime"):
                continue  # of the moment of sealing
            elif sent.sequence and reading.time_ms % _EVERY_MS:
                self.late += 1  # not at the moment that the schedule says


def heap():
    gc.collect()
    return gc.mem_alloc()


async def live(task, board, keeper):
    """The day, and what the heap was through it."""
    await board.pass_time(board.now_ms + 1000)
    found = {"heap_start": heap(), "kept_before": keeper.kept}
    board.is_up = False
    most = 0
    end_ms = board.now_ms + task["hours"] * _HOUR_MS
    while board.now_ms < end_ms:
        await board.pass_time(min(board.now_ms + _STEP_MS, end_ms))
        most = max(most, heap())
    found["heap_most"] = most
    found["heap_outage"] = heap()
    board.is_up = True
    back_ms = board.now_ms
    while keeper.last != task["packs"] and board.now_ms < back_ms + _LONGEST_DELIVERY_MS:
        await board.pass_time(board.now_ms + 1000)
        most = max(most, heap())
    found["delivered_after_s"] = (board.now_ms - back_ms) // 1000
    found["heap_end"] = heap()
    await board.pass_time(board.now_ms + _HOUR_MS // 6)
    return found


async def run(task):
    keeper = Keeper()
    board = keeper.board = Board(keeper.handle)
    keeper._start_ms = board.now_ms
    events = []

    def report(event, **fields):
        if event == "stopped":
            events.append(fields)

    settings = config_file.check(
        {
            "name": _NAME,
            "secret": _SECRET.hex(),
            "gateway": "gateway:5683",
            "outbox_bytes": task["outbox_bytes"],
            "sensors": [{"driver": "board-temperature", "every_ms": _EVERY_MS, "at_ms": 0}],
        }
    )
    device_run = asyncio.create_task(
        device.agent.run(board, settings, "/flash", readings=task["packs"] + 1, report=report)
    )
    found = await live(task, board, keeper)
    await device_run  # by now it has ended, or never will
    found["lost_datagrams"] = board.lost
    for name in ("kept", "repeats", "disorder", "missing", "late", "told_dropped"):
        found[name] = getattr(keeper, name)
    found["device"] = events[0] if events else None
    return found


def main(task):
    flash = Flash(task["image"], _BLOCKS)
    flash.mount("/flash", task["program_bytes"])
    found = asyncio.run(run(task))
    found["erases"] = sum(flash.counts())
    found["most_erases_of_a_block"] = max(flash.counts())
    found["programmed_bytes"] = flash.programmed
    print(json.dumps(found))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
