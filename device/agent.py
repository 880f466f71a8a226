"""The agent: wires the parts of a running device, and runs them. The only module that knows all.

A part that only some devices have is imported where it is started: `_start_parts` is the list.
"""

import sys

from device import forget
from device.clock import Clock
from device.endpoint import Endpoint
from device.outbox import ALWAYS, TEND_MS, Outbox
from device.packer import Packer
from device.sampler import Sampler
from device.supervisor import Supervisor
from device.uplink import Uplink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from device.shapes import Board, Report, Sealing, Tick

# How long each part may go without a tick: twice its longest wait, or more.
_SAMPLER_MS = 180_000
_UPLINK_MS = 900_000
_OUTBOX_MS = 60_000
_LINK_MS = 120_000
_COUPONS_MS = 60_000
_LISTENING_MS = 120_000


class Agent:
    """What the parts are made of, and may ask each other for; made once, by `run`."""

    def __init__(
        self, board: "Board", settings: "Config", folder: str, report: "Report", readings: int
    ) -> None:
        self.board = board
        self.settings = settings
        self.folder = folder
        self.report = report
        self.readings = readings  # attempts, after which the device stops; 0 is never
        self.clock = Clock(board)
        self.outbox = Outbox(
            board,
            folder + "/outbox",
            settings.outbox_bytes,
            mode=settings.keep,
            drop=settings.drop,
        )
        self.identity = _identity(board, settings, folder, self.outbox)
        self.endpoint = Endpoint(
            board, self.clock, settings.host, settings.port, settings.ack_timeout_ms
        )
        self.endpoint.block_bytes = settings.block_bytes
        self.uplink = Uplink(
            board, self.clock, self.identity, self.outbox, self.endpoint, report=report
        )
        self.packer = Packer(self.identity, self.outbox, self.clock, self.uplink.wake)
        self.packer.started = "restart" if settings.is_restart else board.reset_cause()
        self.sampler = Sampler(board, settings, self.outbox, self.clock, self.packer)
        self.uplink.agent = self
        if settings.told:
            from device.news import News

            self.uplink.news = News(self)

    async def sample(self, tick: "Tick") -> None:
        await self.sampler.run(self.report, tick, self.readings)
        self.uplink.finish()

    async def prepare(self, tick: "Tick") -> None:
        """Makes most of the next signatures in advance, while nothing is to be sent."""
        while True:
            tick()
            await self.board.sleep_ms(self.identity.step(self.outbox.used_bytes == 0))

    async def keep(self, tick: "Tick") -> None:
        while True:
            tick()
            self.outbox.tend(self.clock.uptime_ms())
            await self.board.sleep_ms(TEND_MS)

    async def join(self, tick: "Tick") -> None:
        ssid, password = self.settings.wifi or ("", "")
        await self.board.stay_joined(ssid, password, tick, self.uplink.wake)


async def run(
    board: "Board", settings: "Config", folder: str, *, readings: int, report: "Report"
) -> None:
    """Until `readings` attempts were made and all is kept; for ever where it is 0."""
    agent = Agent(board, settings, folder, report, readings)
    from device import telling

    telling.started(agent)
    forget("device.telling")
    supervisor = Supervisor(board, agent.clock, report)
    _start_parts(supervisor, agent)
    try:
        await supervisor.run(watchdog=not readings)
    finally:
        await agent.endpoint.close()
        agent.outbox.close()
        agent.identity.close()
    from device import telling

    report("stopped", **telling.totals(agent))


def _identity(board: "Board", settings: "Config", folder: str, outbox: Outbox) -> "Sealing":
    """Who this device is in this start, under a new epoch."""
    from device import counter, identity

    epoch = counter.next_epoch(board, folder, used_before=not outbox.was_made)
    found = identity.of(board, settings, folder, epoch, outbox.ended[8:])
    forget("device.counter", "device.identity")
    return found


def _start_parts(supervisor: Supervisor, agent: Agent) -> None:
    """Each part is a name, how long it may be silent, and what runs it: `run(tick)`."""
    supervisor.start("sampler", _SAMPLER_MS, agent.sample)
    supervisor.start("uplink", _UPLINK_MS, agent.uplink.run, last=True)
    if agent.identity.profile == "sig":
        supervisor.start("coupons", _COUPONS_MS, agent.prepare)
    if agent.settings.keep != ALWAYS:
        supervisor.start("outbox", _OUTBOX_MS, agent.keep)
    if agent.settings.wifi is not None:
        supervisor.start("link", _LINK_MS, agent.join)
    if agent.settings.hear == "at-once" and agent.board.has_aes():
        from device.listening import Listening

        supervisor.start("listening", _LISTENING_MS, Listening(agent).run)
    selector = sys.modules.get("slots")
    if selector is not None and selector.running.is_pending:
        from device import updating

        updating.start(supervisor, agent, selector.running)
