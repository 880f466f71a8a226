"""A program on a board that asks the gateway for itself, in MicroPython or CPython.

`micropython -m tests.integration.device_client FOLDER SCENARIO [ARGUMENT ...]`: FOLDER has the
config.json, and the numbers. Each answer is a line of JSON on stdout.
"""

import json
import os
import sys

from device import start
from device.clock import Clock
from device.counter import next_epoch
from device.endpoint import Endpoint
from device.fetching import Fetch
from device.identity import Identity
from device.observing import Observation
from device.oscore import Protected
from device.resources import ResourceError, Resources, connect
from protocol import coap, envelope, senml
from protocol.senml import Reading

asyncio = start.asyncio  # which MicroPython finds once `device` is there


class Program:
    """The parts of a device that ask."""

    def __init__(self, folder):
        self.board = start.pick_board()
        self.config = start.read_config(self.board, folder)
        self.clock = Clock(self.board)
        epoch = next_epoch(self.board, folder, used_before=False)
        config = self.config
        self.identity = Identity(config.name, config.secret, epoch)
        self.endpoint = Endpoint(
            self.board, self.clock, config.host, config.port, config.ack_timeout_ms
        )
        self.protected = Protected(self.board, self.endpoint, folder, config.secret, self.identity)
        self.resources = Resources(self.protected)
        self.home = "home/" + config.name + "/"


def say(**fields):
    print(json.dumps(fields))


async def resources(program, folder):
    """Puts, appends, gets; what is not there and what is not ours is refused by code."""
    light = program.home + "light"
    home = connect(folder)
    await home.put(light, b"on")
    await home.post(light, b" and off")
    say(got=(await home.get(light)).decode())
    for path in (program.home + "nothing", "home/somebody/light"):
        try:
            await home.get(path)
        except ResourceError as error:
            say(refused=error.reason)


async def put_often(program, path, count):
    """Each number until it is there: whoever has no answer asks again."""
    before = 0
    for number in range(int(count)):
        while True:
            try:
                await program.resources.put(program.home + path, str(number).encode())
                break
            except ResourceError as error:
                say(again=error.reason)
        if number == 9:
            before = program.board.heap_bytes()
    say(grown_bytes=program.board.heap_bytes() - before)


def progress(target):
    """How much of a file is there, and of which state."""
    try:
        with open(target + ".etag", "rb") as file:
            return os.stat(target)[6], file.read()
    except OSError:
        return 0, b""


def patch(path, at, data):
    with open(path, "r+b" if at else "wb") as file:
        file.seek(at)
        file.write(data)


async def fetch(program, path, target):
    """Into the file `target`; goes on where a start before was killed."""
    at, etag = progress(target)
    program.protected.block_bytes = 512

    def write(at, data):
        patch(target, at, data)
        patch(target + ".etag", 0, fetching.etag)

    fetching = Fetch(program.protected, path, write, at, etag)
    codes = []
    while coap.CONTENT not in codes:
        codes.append(await fetching.run())
    say(codes=[code for code in codes if code], started=at, size=fetching.at)


async def packs(program, count):
    """Packs of some size, sealed and posted to /r in blocks, each until a receipt is there."""
    program.endpoint.block_bytes = 64
    for sequence in range(int(count)):
        name = program.identity.name
        readings = [Reading(f"{name}/t{n}", "Cel", n, n - 100) for n in range(20)]
        sealed = envelope.seal(
            program.identity.up,
            envelope.UP,
            program.identity.kid,
            epoch=program.identity.epoch,
            sequence=sequence,
            payload=senml.encode_pack(name + "/", readings),
        )
        answer = None
        while answer is None:
            answer = await program.endpoint.exchange(coap.POST, "r", sealed, 17)
        say(code=answer.code, size=len(sealed))


async def observe(program, path, count):
    states = []
    changed = asyncio.Event()

    def heard(message):
        states.append(message.payload)
        changed.set()

    observation = Observation(program.board, program.clock, program.protected, path, heard)
    running = asyncio.create_task(observation.run())
    told = 0
    while told < int(count):
        await changed.wait()
        changed.clear()
        while told < len(states):
            say(state=states[told].decode())
            told += 1
    running.cancel()
    try:
        await running
    except asyncio.CancelledError:
        pass
    await observation.end()


async def run(folder, scenario, arguments):
    program = Program(folder)
    await globals()[scenario](program, *arguments)
    await program.endpoint.close()
    say(done=scenario, retransmissions=program.endpoint.retransmissions)


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], sys.argv[3:]))
