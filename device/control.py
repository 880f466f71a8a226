"""Control: asks what is new and does it, between two agents: a board has not memory for both.

Every step is durable before the next begins, so that a power cut anywhere leaves the old
configuration or the new one, and runs a command at most once. What came of it, the next agent
tells (`settling`).
"""

import asyncio

from device import counter, store
from device import standing as standings
from device.clock import Clock
from device.endpoint import Endpoint
from device.forgetting import forget
from device.standing import Standing
from protocol import asking, coap, envelope
from protocol.errors import ProtocolError
from protocol.limits import CONTENT_FORMAT_COSE_MAC0, MAX_TOLD_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from device.config import Config
    from device.shapes import Asker, Board, Report

    Answer = tuple[int, int, bytes, list[tuple[int, str, str]], bool]

_AROUND_BYTES = 64  # of CoAP and OSCORE
_AGAIN_MS = 30_000  # after a question without an answer
_WITHHELD_MS = 3_600_000  # where what is new is not for us to hear
_MAX_QUESTIONS = 10  # of one turn: a long configuration under OSCORE, and no more
_FEED_MS, _WATCHDOG_MS = 2000, 8000
_MAX_UNTOLD = 12


class Desk:
    """What commands may use. `totals` and `log` are of the agent that was told."""

    def __init__(self, board: "Board", settings: "Config", folder: str, report: "Report") -> None:
        self.board = board
        self.settings = settings
        self.folder = folder
        self.report = report
        self.standing = Standing()
        self.totals: dict[str, int] = {}
        self.log: list[str] = []
        self.then: Callable[[], None] | None = None  # once all is written down

    def save(self) -> None:
        standings.save(self.board, self.folder, self.standing)


async def turn(desk: Desk, kid: bytes) -> int:
    """For how many ms there is no use in asking again. OSError where the flash fails."""
    desk.standing = standings.load(desk.folder)
    settings, board = desk.settings, desk.board
    clock = Clock(board)
    endpoint = Endpoint(board, clock, settings.host, settings.port, settings.ack_timeout_ms)
    feeding = asyncio.create_task(_feed(board))
    joined = None
    if settings.wifi is not None:
        joining = board.stay_joined(*settings.wifi, _nothing, _nothing, desk.report)
        joined = asyncio.create_task(joining)
    try:
        quiet_ms = await _Asking(desk, endpoint, kid).run()
    finally:
        await endpoint.close()
        for task in (feeding, joined):
            if task is not None:
                task.cancel()
    if desk.then is not None:
        desk.then()
    return quiet_ms


def _nothing() -> None:
    """Nobody watches this part."""


async def _feed(board: "Board") -> None:
    """The agent's watchdog goes on; a turn is limited in itself."""
    feed = board.watchdog(_WATCHDOG_MS)
    while feed is not None:
        feed()
        await board.sleep_ms(_FEED_MS)


class _Asking:
    """One turn's questions; their nonces grow, with an epoch of their own."""

    def __init__(self, desk: Desk, endpoint: Endpoint, kid: bytes) -> None:
        self.kid = kid
        self.epoch = counter.next_epoch(desk.board, desk.folder, used_before=True)
        self._down = envelope.direction_key(desk.settings.secret, envelope.DOWN)
        self._asked = 0
        self._desk = desk
        self._endpoint = endpoint
        self._asker: Asker = endpoint

    async def run(self) -> int:
        """Until there is nothing more, or something to tell first."""
        part, text = 0, b""
        for _ in range(_MAX_QUESTIONS):
            answer = await self._answer(part, len(text))
            if answer is None:
                return _AGAIN_MS
            version, size, piece, commands, withheld = answer
            if withheld and self._protect():
                continue
            if size:
                text = (text if version == part else b"") + piece
                part = version
                if len(text) >= size:
                    return self._take_over(version, text)
            await self._run(commands)
            if not size and not commands:
                return _WITHHELD_MS if withheld else 0
            if self._desk.then is not None or len(self._desk.standing.untold) >= _MAX_UNTOLD:
                break
        return 0

    def _protect(self) -> bool:
        """Whether we ask under OSCORE from now on, and did not before."""
        desk = self._desk
        if self._asker is not self._endpoint or not desk.board.has_aes():
            return False
        from device.oscore import Protected

        self._asker = Protected(desk.board, self._endpoint, desk.folder, desk.settings.secret, self)
        return True

    async def _answer(self, part: int, at: int) -> "Answer | None":
        """To one question; None where there is none that is the gateway's own."""
        standing, asker = self._desk.standing, self._asker
        self._asked += 1
        nonce = self.epoch.to_bytes(4, "big") + self._asked.to_bytes(4, "big")
        numbers = standing.known, standing.trial or standing.runs, standing.done, part, at
        sealed = asking.seal_question(self._down, self.kid, nonce, numbers)
        asker.answer_bytes = MAX_TOLD_BYTES + _AROUND_BYTES
        heard = await asker.exchange(coap.POST, "c", sealed, CONTENT_FORMAT_COSE_MAC0)
        try:
            if heard is not None and heard.code == coap.CHANGED:
                from protocol import told

                return told.open_answer(self._down, heard.payload, self.kid, nonce)
            reason = asker.reason if heard is None else coap.code_text(heard.code)
        except ProtocolError as error:
            reason = error.reason
        self._desk.report("asking-failed", reason=reason)
        return None

    def _take_over(self, version: int, text: bytes) -> int:
        """On trial from the next start on, which checks whether it can be run at all."""
        desk, standing = self._desk, self._desk.standing
        if version > standing.known:
            standings.forget_texts(desk.folder, standing.runs)
            store.save(desk.board, standings.text_path(desk.folder, version), text)
            standing.known = standing.trial = version
            standing.starts = 0
            desk.save()
        return 0

    async def _run(self, commands: "list[tuple[int, str, str]]") -> None:
        """At most once each: its number is durable before it begins, and when it is over."""
        desk, standing = self._desk, self._desk.standing
        for number, name, argument in commands:
            if number <= standing.done or desk.then is not None:
                continue
            standing.running = number
            desk.save()
            outcome = await _outcome(desk, name, argument)
            standing.done, standing.running = number, 0
            standing.note("command", f"{number} {outcome}")
            desk.save()
            desk.report("command", id=number, name=name)


async def _outcome(desk: Desk, name: str, argument: str) -> str:
    from device.commands import TABLE

    function = TABLE.get(name)
    if function is None:
        return "refused: no such command"
    try:
        begun = function(desk, argument)
        return begun if isinstance(begun, str) else await begun
    except Exception as error:  # whatever it is, it is over
        return f"failed: {error!r}"
    finally:
        forget("device.commands")
