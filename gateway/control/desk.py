"""The desk: what each device is to be told, in step with control.sqlite and with the ledger.

A configuration or a command is told once its entry is committed, never before. The owner is the
event loop.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable

import structlog

from gateway.control.answering import Standing, answer
from gateway.control.watching import Watching
from gateway.errors import ConflictError, GatewayError, ReplayedError
from gateway.ingest import form
from gateway.ledger.batch import CONTROL_KID, Number, Submission
from gateway.ledger.log import Draft
from gateway.registry import Device
from gateway.sequencer import Sequencer
from gateway.store.control import ControlStore, Heard
from protocol import control
from protocol.control import Command, Question
from protocol.mac import HmacKey

_POLL_S = 1.0
_log = structlog.get_logger("control")


class Desk:
    """`news` is what a receipt says, for the devices for which there is any."""

    def __init__(
        self, store: ControlStore, sequencer: Sequencer, *, unix_ms: Callable[[], int]
    ) -> None:
        self._store = store
        self._sequencer = sequencer
        self._unix_ms = unix_ms
        self._version: int | None = None
        self._noted = 0
        self._standing: dict[str, Standing] = {}
        self._heard: dict[str, Heard] = {}
        self._asked: dict[bytes, tuple[bytes, Hashable]] = {}  # by kid: the last nonce, and whence
        self._noting = asyncio.Lock()
        self.news: dict[str, bytes] = {}
        self.watching = Watching()

    async def watch(self) -> None:
        """Keeps up for ever; others' changes count within a second."""
        while True:
            try:
                await self.keep_up()
            except GatewayError as error:
                _log.warning("not in step", reason=error.reason, detail=str(error))
            await asyncio.sleep(_POLL_S)

    async def keep_up(self) -> None:
        """Puts what others have written since into the ledger, and then on the desk."""
        async with self._noting:
            version = self._store.version()
            if version == self._version:
                return
            for change in self._store.changes(self._noted):
                number = Number(CONTROL_KID, self._store.epoch, change.n)
                draft = Draft(change.kind, change.name, change.body)
                try:
                    await self._sequencer.submit(Submission(draft, number))
                except ConflictError as error:
                    # control.sqlite and the ledger are not of one moment: the alert says so
                    _log.error("control.sqlite contradicts the ledger", detail=str(error))
                self._noted = change.n
            self._store.noted(self._noted)
            self._load()
            self._version = version

    async def ask(
        self, device: Device, question: Question, *, peer: Hashable, protected: bool
    ) -> bytes:
        """The sealed answer to the device's own question; ReplayedError for an old one."""
        self._check_fresh(device.kid, question.nonce, peer)
        await self.keep_up()
        # a board that was wiped has forgotten what it did: nothing is done twice
        done = max(question.done, self._heard.get(device.name, Heard(device.name)).done)
        question = question._replace(done=done)
        standing = self._standing.get(device.name, Standing())
        told = answer(question, standing, protected=protected)
        await self._hear(device.name, question, told.commands)
        return control.seal_answer(HmacKey(device.down), device.kid, told)

    def _check_fresh(self, kid: bytes, nonce: bytes, peer: Hashable) -> None:
        """Nonces of a device grow. Who has copied a question gets no answer sent to anybody else.

        The last one may come again from where it came: its answer was lost.
        """
        last, whence = self._asked.get(kid, (b"", peer))
        if nonce < last or (nonce == last and peer != whence):
            raise ReplayedError("a question that was asked before")
        self._asked[kid] = nonce, peer

    async def _hear(self, name: str, question: Question, commands: list[Command]) -> None:
        before = self._heard.get(name, Heard(name))
        told = max([before.told, question.done, *(command.id for command in commands)])
        heard = Heard(name, question.known, question.runs, question.done, told, self._unix_ms())
        self._heard[name] = heard
        await asyncio.to_thread(self._store.hear, heard)
        said = dict(self.news)
        self._tell_of(name)
        self.watching.tell(said, self.news)

    def _load(self) -> None:
        """What is in the ledger, and so may be told."""
        self._heard = self._store.heard()
        waiting: dict[str, list[Command]] = defaultdict(list)
        for one in self._store.commands():
            if one.n <= self._noted:
                waiting[one.name].append(Command(one.id, one.command, one.argument))
        configs = {one.name: one for one in self._store.configs() if one.n <= self._noted}
        self._standing = {name: Standing(0, b"", commands) for name, commands in waiting.items()}
        for name, config in configs.items():
            self._standing[name] = Standing(config.version, config.text, waiting.get(name, ()))
        said = dict(self.news)
        self.news.clear()
        for name in self._standing:
            self._tell_of(name)
        self.watching.tell(said, self.news)

    def _tell_of(self, name: str) -> None:
        standing = self._standing.get(name)
        if standing is not None:
            done = self._heard.get(name, Heard(name)).done
            waiting = sum(command.id > done for command in standing.commands)
            self.news[name] = form.news(standing.version, waiting)
