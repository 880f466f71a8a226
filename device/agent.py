"""The agent: wires the parts of a running device, and runs them. The only module that knows all."""

import asyncio
import sys

from device import counter
from device.clock import Clock
from device.endpoint import Endpoint
from device.identity import Identity
from device.outbox import Outbox
from device.packer import Packer
from device.sampler import Sampler
from device.uplink import Uplink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine

    from device.config import Config
    from device.shapes import Board, Report


async def run(
    board: "Board", settings: "Config", folder: str, *, readings: int, report: "Report"
) -> None:
    """Until `readings` attempts were made and all is kept; for ever where it is 0."""
    clock = Clock(board)
    outbox = Outbox(board, folder + "/outbox", settings.outbox_bytes)
    epoch = counter.next_epoch(board, folder, used_before=not outbox.was_made)
    identity = Identity(settings.name, settings.secret, epoch)
    endpoint = Endpoint(board, clock, settings.host, settings.port, settings.ack_timeout_ms)
    uplink = Uplink(board, clock, identity, outbox, endpoint, report=report)
    packer = Packer(identity, outbox, clock, uplink.wake)
    sampler = Sampler(board, settings, outbox, clock, packer)
    report(
        "started",
        name=identity.name,
        epoch=epoch,
        interpreter=sys.implementation.name,
        board=board.name,
        waiting_bytes=outbox.used_bytes,
        heap_bytes=board.heap_bytes(),
    )

    async def sample() -> None:
        await sampler.run(report, readings)
        uplink.finish()

    await _run_tasks(board, settings, [sample(), uplink.run()])
    outbox.close()
    report("stopped", **_totals(board, sampler, packer, uplink, outbox, endpoint))


def _totals(
    board: "Board",
    sampler: Sampler,
    packer: Packer,
    uplink: Uplink,
    outbox: Outbox,
    endpoint: Endpoint,
) -> dict[str, int]:
    return {
        "sampled": sampler.sampled,
        "sealed": packer.sequence,
        "kept": uplink.kept,
        "dropped": outbox.dropped,
        "quarantined": outbox.quarantined,
        "read_errors": sampler.read_errors,
        "retransmissions": endpoint.retransmissions,
        "heap_bytes": board.heap_bytes(),
    }


async def _run_tasks(
    board: "Board", settings: "Config", parts: "list[Coroutine[object, object, None]]"
) -> None:
    """The first part that fails ends the device: a half-dead one would look alive."""
    joined = None
    if settings.wifi is not None:
        joined = asyncio.create_task(board.stay_joined(*settings.wifi))
    await asyncio.gather(*[asyncio.create_task(part) for part in parts])
    if joined is not None:
        joined.cancel()
