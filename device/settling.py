"""Settling: what a configuration and commands came to is written down, and told to the gateway.

Outcomes are sealed once, kept in that form, and sent as those bytes at each start until the
gateway has them: however often the power is cut, it hears of each once.
"""

from device import standing as standings
from device import telling
from device.config import RestartError
from protocol import envelope
from protocol.errors import TooLargeError
from protocol.senml import Reading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from device.agent import Agent
    from device.news import News
    from device.standing import Standing


def settle(agent: "Agent", news: "News", number: bytes, *, heard: bool) -> None:
    """RestartError after a roll-back. Where the flash fails, all is as it was."""
    try:
        _settle(agent, news, number, heard=heard)
    except OSError as error:
        agent.report("settling-failed", reason=repr(error))


def end(agent: "Agent", *, asks: bool) -> None:
    """The agent ends, with all it has gathered on its way; it raises RestartError."""
    agent.sampler.seal()
    raise RestartError(asks, agent.identity.kid, telling.totals(agent))


def _settle(agent: "Agent", news: "News", number: bytes, *, heard: bool) -> None:
    standing = standings.load(agent.folder)
    if standing.trial and heard:
        _confirm(agent, standing)
    now_ms = agent.clock.uptime_ms()
    if standing.trial and news.trial_until_ms and now_ms >= news.trial_until_ms:
        standing.roll_back(f"no answer in {agent.settings.trial_ms // 1000} s")
        standings.save(agent.board, agent.folder, standing)
        end(agent, asks=False)
    if not standing.trial:
        news.trial_until_ms = 0
    elif not news.trial_until_ms:
        news.trial_until_ms = now_ms + agent.settings.trial_ms
    if number and number == news.pending:
        standing.sealed = b""
        standings.save(agent.board, agent.folder, standing)
        news.pending = b""
    if standing.untold and not standing.sealed:
        _seal(agent, standing)
    if standing.sealed and not news.pending:
        news.pending = envelope.number_in(standing.sealed)
        agent.outbox.put(standing.sealed, now_ms)
        agent.uplink.wake()


def _confirm(agent: "Agent", standing: "Standing") -> None:
    standing.runs, standing.trial, standing.starts = standing.trial, 0, 0
    standing.note("config", str(standing.runs))
    standings.save(agent.board, agent.folder, standing)
    standings.forget_texts(agent.folder, standing.runs)
    agent.report("config", version=standing.runs)


def _seal(agent: "Agent", standing: "Standing") -> None:
    count = len(standing.untold)
    while not standing.sealed:
        try:
            standing.sealed = agent.packer.sealed(_readings(agent, standing, count))
        except TooLargeError:
            count //= 2
    standing.untold = standing.untold[count:]
    standings.save(agent.board, agent.folder, standing)


def _readings(agent: "Agent", standing: "Standing", count: int) -> list[Reading]:
    now_ms = agent.clock.uptime_ms()
    readings = []
    for what, text in standing.untold[:count]:
        value = int(text) if what != "command" and text.isdigit() else text
        readings.append(Reading(agent.identity.name + "/" + what, "", value, now_ms))
    return readings
