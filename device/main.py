"""The device: picks its board, wires the parts, runs them. The only module that knows all.

On a board, `main.py` in the root is `import device.main; device.main.main("/")`. Elsewhere:
`micropython -m device.main FOLDER [READINGS]`, or python. FOLDER holds config.json and all
state. Each event is one line of JSON on stdout; none ever holds a secret.
"""

import asyncio
import gc
import json
import sys

from device import config, counter, sensors
from device.clock import Clock
from device.endpoint import Endpoint
from device.identity import Identity
from device.outbox import Outbox
from device.sampler import Sampler
from device.uplink import Uplink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from device.shapes import Board

_WRONG_USE = 2
_RESTART_AFTER_MS = 10_000


def report(event: str, **fields: object) -> None:
    """Prints one event, its name first."""
    rest = json.dumps(fields)[1:]
    print('{"event": "' + event + '"' + (", " if fields else "") + rest)


def board_name() -> str:
    """The module of `device.board` for the machine we run on."""
    if sys.implementation.name != "micropython":
        return "cpython"
    return sys.platform if sys.platform in ("rp2", "esp32") else "unix"


def pick_board() -> "Board":
    # by name, so that no other board's module, or what it needs, is ever loaded
    module = __import__("device.board." + board_name(), None, None, ["Board"])
    board: Board = module.Board()
    return board


async def run(board: "Board", settings: "Config", folder: str, readings: int) -> None:
    """Until `readings` attempts were made and all is kept; for ever where it is 0."""
    clock = Clock(board)
    outbox = Outbox(board, folder + "/outbox", settings.outbox_bytes)
    epoch = counter.next_epoch(board, folder, used_before=not outbox.was_made)
    identity = Identity(settings.name, settings.secret, epoch)
    endpoint = Endpoint(board, clock, settings.host, settings.port, settings.ack_timeout_ms)
    uplink = Uplink(board, clock, identity, outbox, endpoint, report=report)
    sampler = Sampler(
        settings,
        identity,
        outbox,
        clock,
        sensors=[sensors.make(one.driver, board) for one in settings.sensors],
        on_sealed=uplink.wake,
    )
    report(
        "started",
        name=identity.name,
        epoch=epoch,
        interpreter=sys.implementation.name,
        board=board.name,
        waiting_bytes=outbox.used_bytes,
        heap_bytes=board.heap_bytes(),
    )
    await _run_tasks(board, settings, sampler, uplink, readings)
    report(
        "stopped",
        sampled=sampler.sampled,
        sealed=sampler.sequence,
        kept=uplink.kept,
        dropped=outbox.dropped,
        quarantined=outbox.quarantined,
        read_errors=sampler.read_errors,
        retransmissions=endpoint.retransmissions,
        heap_bytes=board.heap_bytes(),
    )


async def _run_tasks(
    board: "Board", settings: "Config", sampler: Sampler, uplink: Uplink, readings: int
) -> None:
    async def sample() -> None:
        await sampler.run(board, report, readings)
        uplink.finish()

    tasks = [asyncio.create_task(sample()), asyncio.create_task(uplink.run())]
    joined = None
    if settings.wifi is not None:
        joined = asyncio.create_task(board.stay_joined(*settings.wifi))
    # The first that fails ends the device: a half-dead one would look alive.
    await asyncio.gather(*tasks)
    if joined is not None:
        joined.cancel()


def main(folder: str, readings: int = 0) -> None:
    """Runs the device; on a board, starts it again after a fault."""
    gc.collect()
    board = pick_board()
    folder = folder.rstrip("/")
    try:
        asyncio.run(run(board, config.load(folder + "/config.json"), folder, readings))
    except config.ConfigError as error:
        report("refused", reason=str(error))
        sys.exit(_WRONG_USE)
    except Exception as error:  # whatever it is, a board that stands still helps nobody
        report("failed", reason=repr(error))
        if board.name in ("unix", "cpython"):
            raise
        asyncio.run(board.sleep_ms(_RESTART_AFTER_MS))
        board.reset()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        print("usage: device.main FOLDER [READINGS]")
        sys.exit(_WRONG_USE)
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 0)
