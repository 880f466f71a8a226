"""A device that sleeps deeply, its board, its flash and its gateway, for tests."""

import asyncio
import shutil

from device import agent
from device.config_file import check
from tests.device.board import FakeBoard
from tests.device.gateway import TIME_MS, Keeper
from tests.device.signed import NAME, SECRET

MINUTE_MS = 60_000
KEPT, LOST = b"", None  # what is in the memory of a board that has one, at first; or none


class Device:
    """Its board, its flash and its gateway, which is there while `reachable`."""

    def __init__(self, folder, *, memory=KEPT, keeper=None, **more):
        self.folder = folder
        self.keeper = keeper or Keeper(NAME, SECRET)
        self.board = FakeBoard(self._answers)
        self.board.memory = memory
        self.reachable = True
        self.events = []
        self.fields = {
            "name": NAME,
            "secret": SECRET.hex(),
            "gateway": "g:1",
            "sensors": [{"driver": "board-temperature", "every_ms": MINUTE_MS}],
            "sleep": "deep",
        } | more
        self.told = False

    def _answers(self, datagram):
        self.keeper.time_ms = TIME_MS + self.board.now_ms
        return self.keeper.handle(datagram) if self.reachable else []

    def report(self, event, **fields):
        self.events.append((event, fields))

    async def wake(self, *, cut_after_ms=0):
        """One start, until it sleeps; or until the power is cut."""
        settings = check(self.fields)
        settings.told = self.told
        running = asyncio.create_task(
            agent.run(self.board, settings, str(self.folder), readings=0, report=self.report)
        )
        slept = len(self.board.slept_ms)
        for _ in range(1 if cut_after_ms else 60):
            if len(self.board.slept_ms) == slept:
                await self.board.advance(cut_after_ms or 1000)
        if cut_after_ms:
            await self._cut()
        else:
            await running

    async def _cut(self):
        """What an ending program still does to its flash and memory does not happen."""
        memory, flash = self.board.memory, self.folder.with_name("flash-when-cut")
        shutil.copytree(self.folder, flash)
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        shutil.rmtree(self.folder)
        flash.rename(self.folder)
        self.board.memory = memory
        self.board.power_cut()

    def times_ms(self):
        """Of what is kept, since the board was first switched on."""
        return [reading.time_ms - TIME_MS for reading in self.keeper.readings()]
