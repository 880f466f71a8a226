"""Listening: hears at once that there is something new, where a receipt would tell with a pack.

For devices that are always on, and have AES. Observes `/c` under OSCORE (wire-format §15.4).
"""

import asyncio

from device.observing import Observation
from device.oscore import Protected
from protocol import receipt_reader
from protocol.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.agent import Agent
    from device.shapes import Tick
    from protocol.coap import Message

_LOOK_MS = 30_000


class Listening:
    """Until there is something to ask for: then the agent ends, and asks."""

    def __init__(self, agent: "Agent") -> None:
        self._agent = agent
        self._heard = agent.board.event()
        self._is_new = False

    async def run(self, tick: "Tick") -> None:
        """Raises RestartError for what is new."""
        agent = self._agent
        task = asyncio.create_task(self._observe())
        try:
            while True:
                tick()
                await agent.board.wait(self._heard, _LOOK_MS)
                self._heard.clear()
                if self._is_new and agent.clock.uptime_ms() >= agent.settings.quiet_ms:
                    from device import settling

                    settling.end(agent, asks=True)
        finally:
            task.cancel()

    async def _observe(self) -> None:
        agent = self._agent
        try:
            protected = Protected(
                agent.board, agent.endpoint, agent.folder, agent.settings.secret, agent.identity
            )
            await Observation(agent.board, agent.clock, protected, "c", self._note).run()
        except Exception as error:  # no memory, most of all: receipts tell of it still
            agent.report("not-listening", reason=repr(error))

    def _note(self, message: "Message") -> None:
        """In the task that receives; a refusal says nothing."""
        try:
            version, commands = receipt_reader.open_news(message.payload)
        except ProtocolError:
            return
        self._is_new = bool(commands) or version > self._agent.settings.known
        self._heard.set()
