"""The worker against a collector in memory that is down, slow, full or forgetful."""

import asyncio

import pytest

from gateway.config import ForwardConfig
from gateway.errors import RolledBackError
from gateway.feed import Feed
from gateway.forward.outbox import ForwardOutbox, Wait
from gateway.forward.upstream import Answer, UpstreamError
from gateway.forward.view import LedgerView
from gateway.forward.worker import CURSOR, ForwardWorker, cursor_of
from gateway.ledger import fsck
from gateway.ledger.fsck import Options
from gateway.ledger.signer import Signer
from tests.fakes import ORIGIN, FakeDevice, FakeGateway, FakeUpstream

LIMIT_S = 10
SIZE = 20


class Site:
    """A ledger of 20 entries, a collector in memory and the worker between them."""

    def __init__(self, cursor: int = 0, size: int = SIZE, **limits: int) -> None:
        self.gateway = FakeGateway()
        self.gateway.fill(size)
        self.feed = Feed(size, size)
        self.upstream = FakeUpstream(self.gateway.signer.verifier_key)
        self.remembered: dict[str, bytes] = {}
        limits = {"batch_entries": 6, "retry_min_ms": 1, "retry_max_ms": 2} | limits
        config = ForwardConfig(url="", token_file="", **limits)
        view = LedgerView(self.gateway.store, self.gateway.signer, lambda: self.gateway.writer.note)
        self.outbox = ForwardOutbox(cursor, config)
        self.worker = ForwardWorker(
            view,
            self.upstream,
            self.outbox,
            self.feed,
            self.gateway.metrics,
            remember=self.remembered.__setitem__,
        )

    async def run_until(self, holds) -> None:
        """Runs the worker until `holds()`, or until it stops by itself with its error."""
        running = asyncio.create_task(self.worker.run())
        async with asyncio.timeout(LIMIT_S):
            while not holds() and not running.done():  # noqa: ASYNC110  # a turn, not a wait
                await asyncio.sleep(0)
        if not running.done():
            running.cancel()
        try:
            await running
        except asyncio.CancelledError:
            pass

    async def run_until_there(self) -> None:
        await self.run_until(lambda: self.outbox.cursor == self.feed.size)

    def arrived_once(self) -> bool:
        """Everything is there, in order, once, and sound."""
        note, copy = self.gateway.writer.note, Options(is_copy=True)
        report = fsck.check(self.upstream.store, ORIGIN, note, copy)
        return report.valid and report.root == fsck.check(self.gateway.store, ORIGIN).root

    def failures(self, reason: str) -> float:
        found = self.gateway.metrics.registry.get_sample_value(
            "tallystick_forward_failures_total", {"reason": reason}
        )
        return found or 0


async def test_everything_arrives_once_and_in_order():
    site = Site()

    await site.run_until_there()

    assert site.upstream.pushed == [(0, 6), (6, 12), (12, 18), (18, 20)]
    assert site.arrived_once()
    assert site.remembered == {CURSOR: b"20"}
    assert site.worker.status() == {
        "cursor": 20,
        "behind": 0,
        "reachable": True,
        "last_failure": None,
    }


async def test_what_is_signed_later_follows():
    site = Site()
    await site.run_until_there()
    site.gateway.fill(3)

    site.feed.publish(size=23, signed=23)
    await site.run_until_there()

    assert site.upstream.pushed[-1] == (20, 23)
    assert site.arrived_once()


async def test_an_upstream_that_was_down_gets_everything_once_it_is_up():
    site = Site()
    site.upstream.down = True

    await site.run_until(lambda: site.failures("unreachable") > 3)
    while_down = site.worker.status()
    site.upstream.down = False
    await site.run_until_there()

    assert (while_down["reachable"], while_down["last_failure"]) == (False, "unreachable")
    assert site.arrived_once()


async def test_an_answer_that_is_lost_after_keeping_leaves_no_duplicate():
    site = Site()
    site.upstream.lose_answers = 2

    await site.run_until_there()

    assert site.upstream.pushed.count((0, 6)) == 3
    assert site.arrived_once()


FAULTS = {
    "429": UpstreamError("refused", "429", retry_after_ms=3),
    "503": UpstreamError("busy", "503", retry_after_ms=3),
    "507": UpstreamError("store-full", "507"),
    "a proxy's word": UpstreamError("http-502", "Bad Gateway"),
    "nonsense": UpstreamError("out-of-order", "409 without a place"),
    "the same place again": UpstreamError("out-of-order", "409", next_index=0),
    "a place we do not have": UpstreamError("out-of-order", "409", next_index=10**6),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_refusal_is_waited_out(fault):
    site = Site()
    site.upstream.faults = [None, fault, fault]

    await site.run_until_there()

    assert site.failures(fault.reason) == 2
    assert site.arrived_once()


async def test_a_batch_too_large_is_halved_until_it_fits():
    site = Site(batch_entries=16)
    site.upstream.max_bytes = 2000

    await site.run_until_there()

    assert site.failures("too-large") >= 2
    assert all(stop - start <= 8 for start, stop in site.upstream.pushed)
    assert site.arrived_once()


async def test_a_cursor_that_is_behind_goes_on_where_the_upstream_is():
    ahead = Site()
    await ahead.run_until_there()
    site = Site(cursor=0)
    site.upstream.store = ahead.upstream.store

    await site.run_until_there()

    assert site.upstream.pushed == []
    assert site.remembered == {CURSOR: b"20"}


async def test_a_cursor_that_is_ahead_goes_back_to_what_the_upstream_lacks():
    site = Site(cursor=18)

    await site.run_until_there()

    assert site.upstream.pushed[0] == (0, 6)
    assert site.arrived_once()


async def test_an_upstream_that_forgets_while_we_run_is_sent_everything_again():
    site = Site()
    fresh = FakeUpstream(site.gateway.signer.verifier_key).store

    def forget():
        if len(site.upstream.pushed) == 2:
            site.upstream.store = fresh

    site.upstream.on_push = forget
    await site.run_until_there()

    assert site.upstream.pushed == [(0, 6), (6, 12), (12, 18), (0, 6), (6, 12), (12, 18), (18, 20)]
    assert site.arrived_once()


async def greeted(site: Site, answer: Answer) -> Site:
    async def position(origin):
        return answer

    site.upstream.position = position
    await site.worker.greet(LIMIT_S)
    return site


async def test_a_ledger_that_was_rolled_back_stops_at_the_upstreams_word():
    whole = Site()
    await whole.run_until_there()
    rolled_back = Site(size=12)

    with pytest.raises(RolledBackError, match="has seen 20 entries") as refusal:
        await greeted(rolled_back, Answer(20, whole.gateway.writer.note))

    assert "restore the newer copy" in refusal.value.fix


async def test_a_ledger_with_another_past_stops_at_the_upstreams_word():
    other = FakeGateway()
    other.fill(12, FakeDevice("cellar"))

    with pytest.raises(RolledBackError):
        await greeted(Site(), Answer(12, other.writer.note))


async def test_a_rolled_back_ledger_stops_while_it_runs_too():
    whole = Site()
    await whole.run_until_there()
    rolled_back = Site(size=12)
    rolled_back.upstream.store = whole.upstream.store

    with pytest.raises(RolledBackError):
        await rolled_back.run_until_there()


async def test_a_ledger_set_back_to_before_its_rotation_stops_at_its_own_keys_word():
    """The checkpoint is by a key that this copy does not know; the statement is by its own."""
    whole = FakeGateway()
    whole.fill(12)
    whole.rotate(bytes(32))
    (entry,) = whole.store.read(lambda reader: reader.entries(12, 13))
    statement = entry.body.decode()

    with pytest.raises(RolledBackError, match="another at entry 12") as refusal:
        await greeted(Site(size=12), Answer(13, whole.writer.note, (statement,)))

    assert refusal.value.note == statement


FORGED = Signer(ORIGIN, bytes(32)).sign(10**6, bytes(32))


@pytest.mark.parametrize("note", [FORGED, "garbage", "", "\ufffd"])
@pytest.mark.parametrize("next_index", [0, 7, 20, 21, 10**6])
async def test_a_word_that_our_key_did_not_sign_cannot_stop_us(note, next_index):
    site = await greeted(Site(), Answer(next_index, note))

    assert site.outbox.cursor == (next_index if next_index <= SIZE else 0)
    assert site.failures("implausible") == (next_index > SIZE)


async def test_an_upstream_that_does_not_answer_does_not_hold_up_the_start():
    site = Site()

    async def never(origin):
        await asyncio.Event().wait()

    site.upstream.position = never
    await site.worker.greet(0)

    assert site.worker.last_failure == "unreachable"


async def test_an_upstream_that_names_the_same_place_again_is_not_asked_at_once():
    site = Site(retry_min_ms=60_000, retry_max_ms=60_000)
    site.upstream.faults = [None, FAULTS["the same place again"]]

    await site.run_until(lambda: site.failures("out-of-order") == 1)

    assert isinstance(site.outbox.plan(0, SIZE), Wait)


@pytest.mark.parametrize(
    ("stored", "cursor"), [(b"17", 17), (None, 0), (b"", 0), (b"1w", 0), (b"-7", 0), (b"\xb17", 0)]
)
def test_a_damaged_cursor_is_one_that_was_lost(stored, cursor):
    assert cursor_of(stored) == cursor
