"""Updating: what the agent does for updates. It confirms a trial, tells outcomes, tries again.

Loaded only where there is something of that to do, and done once there is nothing any more.
"""

import os

from protocol.senml import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.agent import Agent
    from device.shapes import Tick
    from device.slots import Slots
    from device.supervisor import Supervisor

_SILENT_MS = 60_000
_LOOK_MS = 1000
_AGAIN_MS = 600_000
_TRIAL_MS = 900_000  # without a receipt; then it is started once more, or the old one is
_NAME = "/update"


def start(supervisor: "Supervisor", agent: "Agent", slots: "Slots") -> None:
    supervisor.start("updating", _SILENT_MS, Updating(agent, slots).run)


class Updating:
    """A part of the agent; `slots` is what the boot selector knows."""

    def __init__(self, agent: "Agent", slots: "Slots") -> None:
        self._agent = agent
        self._slots = slots
        self._is_sealed = False
        self._began_ms = agent.clock.uptime_ms()
        # what an earlier start has put into the outbox before it was cut off
        if slots.outcome and self._is_on_flash():
            slots.told()

    async def run(self, tick: "Tick") -> None:
        while self._slots.is_pending:
            tick()
            self.look()
            await self._agent.board.sleep_ms(_LOOK_MS)

    def look(self) -> None:
        agent, slots = self._agent, self._slots
        if slots.trial and agent.uplink.kept:
            slots.confirm()
            agent.report("update-confirmed", outcome=slots.outcome)
        if slots.outcome:
            self._tell()
        elif self._is_time():
            agent.outbox.close()
            agent.identity.close()
            agent.board.reset()

    def _tell(self) -> None:
        """Exactly once: it is on flash before it can be sent, and cleared before it is.

        What a power cut leaves uncleared is found there at the next start.
        """
        agent, slots = self._agent, self._slots
        if not self._is_sealed:
            now_ms = agent.clock.uptime_ms()
            own = Reading(agent.identity.name + _NAME, "", slots.outcome, now_ms)
            self._is_sealed = agent.packer.seal([own])
        agent.outbox.spill()
        # a flash that takes nothing: then it is cleared once it was sent
        if self._is_sealed and (self._is_on_flash() or not agent.outbox.used_bytes):
            slots.told()
            self._is_sealed = False

    def _is_on_flash(self) -> bool:
        return is_in(self._agent.folder + "/outbox", self._slots.outcome.encode())

    def _is_time(self) -> bool:
        """For another start: of a trial in vain, or to fetch once the gateway answers again."""
        lasted_ms = self._agent.clock.uptime_ms() - self._began_ms
        if self._slots.trial:
            return lasted_ms > _TRIAL_MS
        return bool(self._agent.uplink.kept) and lasted_ms > _AGAIN_MS


def is_in(folder: str, part: bytes) -> bool:
    """Whether a file in `folder` has these bytes; the outbox's are about 4 KB each."""
    for name in os.listdir(folder):
        with open(folder + "/" + name, "rb") as file:
            if part in file.read():
                return True
    return False
