"""Pool: signatures are checked in processes of their own, in batches, off the event loop.

Not in threads: a thread lets the interpreter go for each check and has to wait to get it back,
for up to five milliseconds beside a busy loop. A process costs 160 bytes each way.
"""

import os
from collections.abc import Callable, Sequence

from gateway.signatures.lane import WORKER, Lane, Settle

_MAX_LANES = 4


class Pool:
    """Belongs to the event loop. Bounded by whoever asks.

    `lost` is called when a worker was. `command` starts one. As many lanes as there are cores
    beside the one that the gateway itself needs, if `lanes` does not say otherwise.
    """

    def __init__(
        self, lost: Callable[[], None], *, lanes: int = 0, command: Sequence[str] = tuple(WORKER)
    ) -> None:
        count = lanes or max(1, min(_MAX_LANES, (os.cpu_count() or 1) - 1))
        self._lanes = [Lane(command, lost) for _ in range(count)]

    def lane_of(self, kid: bytes) -> int:
        """All of one device take the same: they are answered in order."""
        return kid[0] % len(self._lanes)

    def check(self, lane: int, records: Sequence[bytes], settle: Settle) -> None:
        """`settle` is called later, with an answer for each record, or BusyError.

        BusyError, and `settle` is not called, where there is no worker and cannot be one now.
        """
        self._lanes[lane].ask(records, settle)

    def close(self) -> None:
        for lane in self._lanes:
            lane.close()
