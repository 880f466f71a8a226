"""An entry that is not what was committed: what is before it is sent, and then nothing."""

import pytest

from gateway.errors import IntegrityError
from gateway.forward.outbox import Send
from gateway.forward.view import LedgerView
from tests.gateway.test_forward_worker import Site

DAMAGES = {
    "body": ({"body": b"evil"}, "the body is not the one in the leaf"),
    "salt": ({"salt": bytes(16)}, "the body is not the one in the leaf"),
    "chain value": ({"chain": bytes(32)}, "the chain breaks"),
}


class Damaged(Site):
    """`waits` is what the worker said of where it waits, each time that changed."""

    def __init__(self, index: int, **changes: object) -> None:
        super().__init__()
        self.waits = []
        self.worker.on_waiting = self._waits
        self._entries = self.gateway.store._data._entries  # the disk of a store in memory
        self._index, self._right = index, self._entries[index]
        fields = {name: getattr(self._right, name) for name in self._right.__struct_fields__}
        self._entries[index] = type(self._right)(**fields | changes)

    def _waits(self, error) -> None:
        told = None if error is None else (error.index, error.what)
        if self.waits[-1:] != [told]:
            self.waits.append(told)

    def mend(self) -> None:
        self._entries[self._index] = self._right


@pytest.mark.parametrize(("changes", "what"), DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("index", [0, 7, 12])
async def test_forwarding_stops_before_it_says_where_and_goes_on_when_it_is_mended(
    index, changes, what
):
    site = Damaged(index, **changes)

    await site.run_until(lambda: site.failures("integrity") >= 3)
    stopped = (site.outbox.cursor, site.worker.last_failure, site.waits[-1])
    arrived = site.upstream.size
    site.mend()
    await site.run_until_there()

    assert stopped[:2] == (index, "integrity")
    assert stopped[2][0] == index
    assert what in stopped[2][1]
    assert arrived == index
    assert site.waits[-1] is None
    assert site.arrived_once()


LEAF = {"leaf": b"\x80", "body": None}


@pytest.mark.parametrize("index", [0, 7, 12, 19])
async def test_where_a_leaf_is_another_one_nothing_is_sent_that_a_collector_would_refuse(index):
    """What is before it is sound, but cannot be proved to be in the tree that was signed."""
    site = Damaged(index, **LEAF)

    await site.run_until(lambda: site.failures("integrity") >= 3)
    stopped, arrived = site.outbox.cursor, site.upstream.size
    site.mend()
    await site.run_until_there()

    assert stopped == arrived <= index
    assert [site.failures(reason) for reason in ("forked", "tampered", "malformed")] == [0] * 3
    assert site.waits[0][0] <= index
    assert site.arrived_once()


async def test_a_missing_entry_is_named():
    site = Site()
    del site.gateway.store._data._entries[7]  # the disk of a store in memory
    view = LedgerView(site.gateway.store, site.gateway.signer, lambda: site.gateway.writer.note)

    with pytest.raises(IntegrityError, match="entry 7: the entry is missing"):
        view.batch(Send(7, 12))
