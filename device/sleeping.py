"""Sleeping: one wake of a device that sleeps deeply between its samples, `"sleep": "deep"`.

It measures what is due, seals all of it, and sends until nothing waits or its time is over.
What is not sent is on flash before it sleeps.
"""

import sys

from device.forgetting import forget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.agent import Agent
    from device.config import Config
    from device.shapes import Board, Slept, Tick
    from device.slots import Slots

_LOOK_MS = 50
_SHORTEST_MS = 1000
# A request is sent at 0, 2 to 3, 6 to 9 and 14 to 21 s, with 2 s to the first repetition.
_AWAKE_TIMEOUTS = 10
_JOINING_MS = 20_000
# A trial may sleep without a word from the gateway so often, and until this time is over: as long
# as two starts that stay awake have. From then on each wake is one of its starts.
_LEAST_SILENT = 3
_UPDATE_TRIAL_MS = 1_800_000


def recall(board: "Board", settings: "Config", folder: str) -> None:
    """What the start before has handed over, for the agent of this one."""
    from device import waking

    settings.slept = waking.recall(board, folder)
    if settings.slept is not None and settings.slept.goes_on:
        settings.uptime_ms = settings.slept.uptime_ms


def begin(agent: "Agent") -> "Wake":
    """The wake that this start is."""
    state, agent.settings.slept = agent.settings.slept, None
    if state is not None:
        from device import waking

        waking.resume(agent, state)
    forget("device.waking")
    return Wake(agent, state)


class Wake:
    """The part that takes the place of the sampler's; `keep`, then `sleep`, when all have ended."""

    def __init__(self, agent: "Agent", state: "Slept | None") -> None:
        self._agent = agent
        self._silent = 0 if state is None else state.silent
        self._until_ms = 0  # in uptime: of the sleep
        timeouts_ms = _AWAKE_TIMEOUTS * agent.settings.ack_timeout_ms
        joining_ms = 0 if agent.settings.wifi is None else _JOINING_MS
        self._awake_ms = max(timeouts_ms, joining_ms)

    async def run(self, tick: "Tick") -> None:
        agent = self._agent
        end_ms = agent.clock.uptime_ms() + self._awake_ms
        while True:
            tick()
            agent.sampler.tick()
            agent.sampler.seal()  # a reading that waits for others would not outlive the sleep
            if self._is_done() or agent.clock.uptime_ms() >= end_ms:
                return
            await agent.board.sleep_ms(_LOOK_MS)

    def keep(self) -> None:
        """Nothing is sealed any more: says where the next start goes on."""
        agent = self._agent
        if agent.uplink.kept:
            self._silent = 0
        else:
            self._silent += 1
            self._excuse()
        agent.outbox.spill()
        from device import waking

        state = waking.State()
        state.epoch, state.sequence = agent.identity.epoch, agent.packer.sequence
        state.link = agent.identity.link
        state.silent, state.is_placed = self._silent, agent.packer.is_placed
        segments = agent.outbox.segments
        if not segments.flash_errors:
            state.tail_bytes = segments.sizes.get(segments.last, 0)
        due_ms = [slot.due_ms for slot in agent.sampler.slots]
        self._until_ms = max(min(due_ms), agent.clock.uptime_ms() + _SHORTEST_MS)
        state.uptime_ms = self._until_ms
        if agent.clock.is_set:
            state.time_ms = agent.clock.time_ms(self._until_ms)
        state.plan = waking.plan_of(agent.settings)
        state.ahead_ms = [max(due - self._until_ms, 0) for due in due_ms]
        if waking.keep(agent.board, agent.folder, state):
            segments.saved_mark = segments.mark  # no flash is written for it alone
        forget("device.waking")

    def sleep(self) -> None:
        """Ends this start, on a board."""
        left_ms = self._until_ms - self._agent.clock.uptime_ms()
        self._agent.report("sleeping", ms=max(left_ms, 1), silent=self._silent)
        self._agent.board.rest().deep_sleep(max(left_ms, 1))

    def _is_done(self) -> bool:
        """Nothing waits, and nothing that a receipt has told is still to be done."""
        if self._agent.outbox.used_bytes:
            return False
        selector = sys.modules.get("slots")
        if selector is None or not self._agent.uplink.kept:
            return True
        return not (selector.running.trial or selector.running.outcome)

    def _excuse(self) -> None:
        """A start that slept as planned has not failed, while a trial's patience lasts."""
        agent, selector = self._agent, sys.modules.get("slots")
        try:
            if selector is not None:
                self._excuse_update(selector.running)
            if agent.settings.told and self._is_patient(agent.settings.trial_ms):
                from device import standing as standings

                standing = standings.load(agent.folder)
                if standing.trial and standing.starts:
                    standing.starts -= 1
                    standings.save(agent.board, agent.folder, standing)
                forget("device.standing")
        except OSError as error:
            agent.report("settling-failed", reason=repr(error))

    def _excuse_update(self, slots: "Slots") -> None:
        if slots.trial and slots.starts and self._is_patient(_UPDATE_TRIAL_MS):
            slots.starts -= 1
            slots.save()
        elif slots.wanted and not slots.trial and slots.attempts:
            slots.attempts -= 1  # there was nobody to fetch it from
            slots.save()

    def _is_patient(self, trial_ms: int) -> bool:
        every_ms = min([one.every_ms for one in self._agent.settings.sensors])
        return self._silent <= _LEAST_SILENT or self._silent * every_ms < trial_ms
