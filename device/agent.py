"""The agent: wires the parts of a running device, and runs them. The only module that knows all.

A part that only some devices have is imported where it is started: `_start_parts` is the list.
"""

import sys

from device.clock import Clock
from device.config import DEEP
from device.endpoint import Endpoint
from device.forgetting import forget
from device.outbox import ALWAYS, TEND_MS, Outbox
from device.packer import Packer
from device.sampler import Sampler
from device.supervisor import Supervisor
from device.uplink import Uplink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.config import Config
    from device.shapes import Board, Report, Sealing, Tick
    from device.sleeping import Wake

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
        self.clock = Clock(board, settings.uptime_ms)
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
        self.wake: Wake | None = None  # where it sleeps
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
        await self.board.stay_joined(ssid, password, tick, self._joined, self.report)

    def _joined(self) -> None:
        self.endpoint.look_up_again()  # it may be another network, or another gateway
        self.uplink.wake()


async def run(
    board: "Board", settings: "Config", folder: str, *, readings: int, report: "Report"
) -> None:
    """Until `readings` attempts were made and all is kept; for ever where it is 0."""
    if settings.sleep == DEEP:
        from device import sleeping

        sleeping.recall(board, settings, folder)
    agent = Agent(board, settings, folder, report, readings)
    if settings.sleep == DEEP:
        agent.wake = sleeping.begin(agent)
    from device import telling

    telling.started(agent)
    forget("device.telling")
    supervisor = Supervisor(board, agent.clock, report)
    _start_parts(supervisor, agent)
    try:
        await supervisor.run(watchdog=not readings)
        if agent.wake is not None:
            agent.wake.keep()
    finally:
        await agent.endpoint.close()
        agent.outbox.close()
        agent.identity.close()
    from device import telling

    report("stopped", **telling.totals(agent))
    if agent.wake is not None:
        agent.wake.sleep()


def _identity(board: "Board", settings: "Config", folder: str, outbox: Outbox) -> "Sealing":
    """Who this device is in this start: under a new epoch, unless the board kept the last one."""
    from device import counter, identity

    slept = settings.slept
    if slept is not None and slept.goes_on:
        epoch, before = slept.epoch, slept.link
    else:
        before = outbox.ended[8:]
        epoch = counter.next_epoch(board, folder, used_before=not outbox.was_made)
    found = identity.of(board, settings, folder, epoch, before)
    forget("device.counter", "device.identity")
    return found


def _start_parts(supervisor: Supervisor, agent: Agent) -> None:
    """Each part is a name, how long it may be silent, and what runs it: `run(tick)`."""
    if agent.wake is not None:
        supervisor.start("sampler", _SAMPLER_MS, agent.wake.run, last=True)
    else:
        supervisor.start("sampler", _SAMPLER_MS, agent.sample)
    supervisor.start("uplink", _UPLINK_MS, agent.uplink.run, last=True)
    if agent.identity.profile == "sig" and agent.wake is None:
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
